// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"fmt"
	"strings"
)

// The kinds.
const (
	Stream  = "LiveNotifyConfig"
	Record  = "LiveRecordNotifyConfig"
	MPU     = "LiveRtcMPUEventSub"
	Account = "LiveAccount"

	Snapshot = "LiveSnapshotNotifyConfig"
	Detect   = "LiveDetectNotifyConfig"
	Audit    = "LiveAudioAuditNotifyConfig"
	Event    = "LiveRtcEventSub"
	Message  = "LiveMessageAppCallback"

	Policy = "LiveRolloutPolicy"
)

// Fine is a spec of each kind that is fine as it is.
var Fine = map[string]string{
	Stream:  "{domainName: push.example.com, notifyURL: 'https://hooks.example.com/live'}",
	Record:  "{domainName: live.example.com, notifyURL: 'https://hooks.example.com/live'}",
	MPU:     "{appID: app-1, callbackURL: 'https://hooks.example.com/mpu'}",
	Account: "{credentials: {accessKeySecretRef: {name: live}}}",

	Snapshot: "{domainName: live.example.com, notifyURL: 'https://hooks.example.com/live'}",
	Detect:   "{domainName: live.example.com, notifyURL: 'https://hooks.example.com/live'}",
	Audit:    "{domainName: live.example.com, callbackURL: 'https://hooks.example.com/live'}",
	Event:    "{appID: app-1, events: [ChannelEvent], callbackURL: 'https://hooks.example.com/live'}",
	Message:  "{appID: app-1, eventCallbackURL: 'https://hooks.example.com/live'}",

	Policy: "{guard: {}}",
}

// URL returns a URL of n characters.
func URL(n int) string {
	const start = "https://hooks.example.com/"
	return start + strings.Repeat("a", n-len(start))
}

// Channels returns a list of n channels in YAML.
func Channels(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("channel-%d", i)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// A label and a domain in front of another label, as long as they may be.
var (
	Label63  = strings.Repeat("a", 63)
	Domain63 = Label63 + "." + Label63 + "." + Label63 + "."
)
