// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import "github.com/live-notify/live-notify-operator/test/schema"

// Short names of what the tables of manifests have.
const (
	oidc        = schema.OIDC
	account     = schema.Account
	audit       = schema.Audit
	detect      = schema.Detect
	event       = schema.Event
	message     = schema.Message
	mpu         = schema.MPU
	policy      = schema.Policy
	record      = schema.Record
	sayBlank    = schema.SayBlank
	sayBrackets = schema.SayBrackets
	sayEmpty    = schema.SayEmpty
	sayBraces   = schema.SayBraces
	sayEncode   = schema.SayEncode
	sayEndpoint = schema.SayEndpoint
	sayEscape   = schema.SayEscape
	sayHost     = schema.SayHost
	sayInside   = schema.SayInside
	sayLeaveOut = schema.SayLeaveOut
	sayMPUURL   = schema.SayMPUURL
	sayNoPort   = schema.SayNoPort
	sayNoURL    = schema.SayNoURL
	sayOneKind  = schema.SayOneKind
	sayNowhere  = schema.SayNowhere
	sayPort     = schema.SayPort
	sayPrivate  = schema.SayPrivate
	sayPunycode = schema.SayPunycode
	sayScheme   = schema.SayScheme
	saySlash    = schema.SaySlash
	sayTemplate = schema.SayTemplate
	sayUser     = schema.SayUser
	sayWindow   = schema.SayWindow
	snapshot    = schema.Snapshot
	stream      = schema.Stream
)

var (
	fine                  = schema.Fine
	addressFields         = schema.AddressFields
	label63, domain63     = schema.Label63, schema.Domain63
	url, channels, atHost = schema.URL, schema.Channels, schema.AtHost
)
