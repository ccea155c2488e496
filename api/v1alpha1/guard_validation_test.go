// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import "maps"

const policy = "LiveRolloutPolicy"

// What a message has to say for its reader to know what to write.
const (
	sayGuardWindow = "must be a duration from 1m to 24h, such as 10m; leave the field out for 10m"
	sayConcurrent  = "must be a number from 1 to 1000, or a percentage from 1% to 100%"
	sayOnFailure   = `supported values: "RollBack", "Report"`
	sayKinds       = `supported values: "LiveNotifyConfig", "LiveRecordNotifyConfig", "LiveRtcEventSub", "LiveRtcMPUEventSub"`
)

// The fields of safe change, beside the others.
func init() {
	fine[policy] = "{guard: {}}"
	maps.Copy(refused, map[string]struct{ kind, spec, field, say string }{
		"a guard for less than a minute": {stream, "guard: {window: 59s}", "spec.guard.window", sayGuardWindow},
		"a guard for more than a day":    {stream, "guard: {window: 24h1s}", "spec.guard.window", sayGuardWindow},
		"a guard for an empty window":    {record, "guard: {window: ''}", "spec.guard.window", sayGuardWindow},
		"a guard for a number":           {mpu, "guard: {window: 600}", "spec.guard.window", "must be of type string"},
		"a guard for days":               {event, "guard: {window: 1d}", "spec.guard.window", sayGuardWindow},
		"a guard for a negative window":  {event, "guard: {window: -10m}", "spec.guard.window", sayGuardWindow},
		"no failures at all":             {stream, "guard: {maxFailures: 0}", "spec.guard.maxFailures", "greater than or equal to 1"},
		"too many failures":              {stream, "guard: {maxFailures: 1001}", "spec.guard.maxFailures", "less than or equal to 1000"},
		"failures as a percentage":       {stream, "guard: {maxFailures: 10%}", "spec.guard.maxFailures", "must be of type integer"},
		"a failure that is undone":       {stream, "guard: {onFailure: Undo}", "spec.guard.onFailure", sayOnFailure},
		"an empty onFailure":             {stream, "guard: {onFailure: ''}", "spec.guard.onFailure", sayOnFailure},
		"a policy without a guard":       {policy, "guard: null", "spec.guard", "Required value"},
		"a policy's guard for a second":  {policy, "guard: {window: 1s}", "spec.guard.window", sayGuardWindow},
		"none at once":                   {policy, "maxConcurrent: 0", "spec.maxConcurrent", sayConcurrent},
		"fewer than none at once":        {policy, "maxConcurrent: -1", "spec.maxConcurrent", sayConcurrent},
		"more at once than are noted":    {policy, "maxConcurrent: 1001", "spec.maxConcurrent", sayConcurrent},
		"none of them at once":           {policy, "maxConcurrent: 0%", "spec.maxConcurrent", sayConcurrent},
		"more than all at once":          {policy, "maxConcurrent: 101%", "spec.maxConcurrent", sayConcurrent},
		"a number as a string":           {policy, "maxConcurrent: '10'", "spec.maxConcurrent", sayConcurrent},
		"half a percent":                 {policy, "maxConcurrent: 0.5%", "spec.maxConcurrent", sayConcurrent},
		"a kind that cannot be watched":  {policy, "kinds: [LiveSnapshotNotifyConfig]", "spec.kinds[0]", sayKinds},
		"a kind by its short name":       {policy, "kinds: [lnc]", "spec.kinds[0]", sayKinds},
		"a kind twice":                   {policy, "kinds: [LiveNotifyConfig, LiveNotifyConfig]", "spec.kinds[1]", "Duplicate value"},
		"fewer than no removals":         {account, "maxDeletionsPerHour: -1", "spec.maxDeletionsPerHour", "greater than or equal to 0"},
		"more removals than can be":      {account, "maxDeletionsPerHour: 100001", "spec.maxDeletionsPerHour", "less than or equal to 100000"},
		"removals as a text":             {account, "maxDeletionsPerHour: sixty", "spec.maxDeletionsPerHour", "must be of type integer"},
	})
	for kind, name := range map[string]string{snapshot: "a snapshot", detect: "a review", audit: "an audio review", message: "a message application"} {
		refused["a guard of "+name] = struct{ kind, spec, field, say string }{kind, "guard: {}", "spec.guard", "unknown field"}
	}
	maps.Copy(accepted, map[string]struct{ kind, spec string }{
		"an empty guard":                   {stream, "guard: {}"},
		"the shortest guard":               {record, "guard: {window: 1m, maxFailures: 1, onFailure: RollBack}"},
		"the shortest guard in seconds":    {mpu, "guard: {window: 60s}"},
		"the longest guard":                {event, "guard: {window: 24h, maxFailures: 1000, onFailure: Report}"},
		"a guard of an hour and a half":    {stream, "guard: {window: 1h30m}"},
		"a policy for all":                 {policy, "{}"},
		"a policy for a selection":         {policy, "{selector: {matchLabels: {team: media}}, guard: {window: 5m}, paused: true}"},
		"a policy for all that can be":     {policy, "kinds: [LiveNotifyConfig, LiveRecordNotifyConfig, LiveRtcEventSub, LiveRtcMPUEventSub]"},
		"one at once":                      {policy, "maxConcurrent: 1"},
		"as many at once as are noted":     {policy, "maxConcurrent: 1000"},
		"a percent at once":                {policy, "maxConcurrent: 1%"},
		"all at once":                      {policy, "maxConcurrent: 100%"},
		"no limit of removals":             {account, "maxDeletionsPerHour: 0"},
		"as many removals as there can be": {account, "maxDeletionsPerHour: 100000"},
	})
}
