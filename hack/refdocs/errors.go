// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/live-notify/live-notify-operator/internal/controller"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// classes are all classes, in the order of the page.
var classes = []live.Class{
	live.Unavailable, live.Throttled, live.NoCredentials, live.AccessDenied, live.DomainNotFound, live.WrongDomainType,
	live.Rejected, live.NotFound, live.Exists, live.Several,
}

const (
	allow   = "Allow the operation in the [RAM policy](ram-policies.md)"
	correct = "Correct the URL"
	clock   = "Only the callback records have it, so it shows in CallbacksHealthy alone. Check the clock of the node"
	safe    = "Use a URL that the cloud takes for safe. What that means is not documented; presumably that it is public"
)

// hints say more than the advice of the class.
var hints = map[string]string{
	"SignatureNonceUsed":              "Nothing. If it stays, something between the operator and the cloud sends requests twice",
	"Forbidden":                       allow,
	"Forbidden.RAM":                   allow,
	"NoPermission":                    allow,
	"NoAuth":                          allow,
	"OperationDenied":                 "Enable ApsaraVideo Live in the account",
	"InvalidIdentity.ServiceDisabled": "Enable ApsaraVideo Live in the account, or find out why the identity is blocked",
	"InvalidAccessKeyId.NotFound":     "Correct the access key ID",
	"InvalidAccessKeyId.Inactive":     "Enable the access key, or use another one",
	"InvalidTimeStamp.Expired":        "Set the clock of the node: it is off by more than 15 minutes",
	"SignatureDoesNotMatch":           "Correct the access key secret",
	"InvalidSecurityToken.Expired":    "Renew the temporary credentials",
	"InvalidNotifyUrl.Malformed":      correct,
	"InvalidNotifyUrl.Unsafe":         safe,
	"InvalidOnDemandUrl.Malformed":    correct,
	"InvalidOnDemandUrl.Unsafe":       safe,
	"InvalidStartTime.Malformed":      clock,
	"InvalidEndTime.Malformed":        clock,
	"InvalidEndTime.Mismatch":         clock,
	"Duration.Exceed":                 clock,
	"InvalidAppId":                    "Check the ID of the RTC application and that it belongs to the account in use",
	"AppInfoNotExist":                 "Check the ID of the RTC application and that it belongs to the account in use",
	"CodeGetMainPlaybackDomainError":  "Map the ingest domain to a streaming domain",
	"CodeGetPushbackDomainError":      "Map an ingest domain to the streaming domain",
	"InvalidProduct.NotFound":         "Correct the endpoint",
	"InvalidApi.NotFound":             "Correct the endpoint",
	"InvalidProtocol.NeedSsl":         "Use https:// for the endpoint",
}

// A line of a table.
type line struct {
	plan.Verdict
	Code  string
	Class live.Class
	Retry string
}

func newLine(code string, class live.Class, v plan.Verdict, hint string) line {
	if hint != "" {
		v.Message = hint
	}
	v.Message = strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(v.Message)
	least, most := controller.Backoff(v)
	return line{v, code, class, short(least) + ", doubling up to " + short(most)}
}

// errorCodes lists what errors lead to, by class and by code.
func errorCodes() (any, error) {
	codes, outcomes := live.Codes(), plan.ErrorTable()
	for code := range hints {
		if _, ok := codes[code]; !ok {
			return nil, fmt.Errorf("there is a hint for %s, but no such code", code)
		}
	}
	for class := range outcomes {
		if !slices.Contains(classes, class) {
			return nil, fmt.Errorf("class %s is not in the list of classes", class)
		}
	}
	var page struct{ Classes, Codes, OwnCodes []line }
	for _, class := range classes {
		page.Classes = append(page.Classes, newLine("", class, outcomes[class], ""))
		for _, code := range slices.Sorted(maps.Keys(codes)) {
			if codes[code] == class {
				page.Codes = append(page.Codes, newLine(code, class, outcomes[class], hints[code]))
			}
		}
	}
	own := func(code string, class live.Class, hint string) {
		page.OwnCodes = append(page.OwnCodes, newLine(code, class, outcomes[class], hint))
	}
	own("Network", live.Unavailable, "There is no connection, or it broke; the message says which. Check the network and the endpoint")
	own("Timeout", live.Unavailable, "There was no reply within 10 seconds. Check the network and the endpoint")
	own("MalformedReply", live.Unavailable, "The reply is not one of the API, or contradicts itself, as its message says. Look for a proxy, and check the endpoint")
	own("NoAnswer", live.Unavailable, "Nothing was sent: the endpoint has not answered several times in a row. One request at a time finds out whether it does again")
	own("SeveralSubscriptions", live.Several, "The cloud has several event subscriptions for one channel. Remove all of them but one")
	own("NoCredentials", live.NoCredentials, "Nothing was sent. See [credentials.md](../credentials.md)")
	return page, nil
}

// short writes a duration of whole minutes without its seconds.
func short(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}
