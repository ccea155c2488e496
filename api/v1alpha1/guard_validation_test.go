// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"maps"
	"strings"
)

// The fields of safe change, beside the others.
func init() {
	maps.Copy(accepted, map[string]struct{ kind, spec string }{
		"an empty guard":                   {stream, "guard: {}"},
		"the shortest guard":               {record, "guard: {window: 1m, maxFailures: 1, onFailure: RollBack}"},
		"the shortest guard in seconds":    {mpu, "guard: {window: 60s}"},
		"the longest guard":                {event, "guard: {window: 24h, maxFailures: 1000, onFailure: Report}"},
		"a guard of an hour and a half":    {stream, "guard: {window: 1h30m}"},
		"a policy for all":                 {policy, "{}"},
		"a policy for a selection":         {policy, "{selector: {matchLabels: {team: media}}, guard: {window: 5m}, paused: true}"},
		"a policy by expressions":          {policy, "selector: {matchExpressions: [{key: example.com/team, operator: In, values: [a, '', B_1.c-d]}, {key: odd, operator: DoesNotExist}, {key: a, operator: NotIn, values: [b]}, {key: A.b_c-1, operator: Exists, values: []}]}"},
		"a policy by an empty selector":    {policy, "selector: {matchLabels: {}, matchExpressions: []}"},
		"a policy by an empty value":       {policy, "selector: {matchLabels: {example.com/team: ''}}"},
		"a policy by the longest":          {policy, "selector: {matchLabels: {team: " + label63 + "}, matchExpressions: [{key: " + domain63 + label63[:61] + "/" + label63 + ", operator: Exists}]}"},
		"a policy by all kinds of keys":    {policy, "selector: {matchLabels: {a: b, A.b_c-1: b, 0: b, " + label63 + ": b, example.com/team: b, " + domain63 + label63[:61] + "/" + label63 + ": b}}"},
		"a policy by 64 labels":            {policy, "selector: {matchLabels: " + labels64() + "}"},
		"a policy for all that can be":     {policy, "kinds: [LiveNotifyConfig, LiveRecordNotifyConfig, LiveRtcEventSub, LiveRtcMPUEventSub]"},
		"one at once":                      {policy, "maxConcurrent: 1"},
		"as many at once as are noted":     {policy, "maxConcurrent: 1000"},
		"a percent at once":                {policy, "maxConcurrent: 1%"},
		"all at once":                      {policy, "maxConcurrent: 100%"},
		"no limit of removals":             {account, "maxDeletionsPerHour: 0"},
		"as many removals as there can be": {account, "maxDeletionsPerHour: 100000"},
	})
}

// labels64 are as many labels as a selector may have, of a usual length.
func labels64() string {
	var all []string
	for i := range 64 {
		all = append(all, fmt.Sprintf("team-%02d.media.example.com/name-of-%02d: a", i, i))
	}
	return "{" + strings.Join(all, ", ") + "}"
}
