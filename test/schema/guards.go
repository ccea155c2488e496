// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package schema

import "strings"

// What a message has to say of the fields of safe change.
const (
	SayGuardWindow = "must be a duration from 1m to 24h, such as 10m; leave the field out for 10m"
	SayConcurrent  = "must be a number from 1 to 1000, or a percentage from 1% to 100%"
	SayOnFailure   = `supported values: "RollBack", "Report"`
	SayValues      = "In and NotIn need values, Exists and DoesNotExist take none"
	SayLabel       = "must be the key of a label: up to 63 letters, digits, '-', '_' and '.', optionally behind a domain name and a slash, such as example.com/team"
	SayLabels      = "must have keys of labels, of 1 to 317 characters, such as example.com/team"
	SayLabelsKey   = "must have keys of labels: up to 63 letters, digits, '-', '_' and '.', optionally behind a domain name and a slash, such as example.com/team"
	SayLabelValue  = "must be the value of a label: up to 63 letters, digits, '-', '_' and '.', with a letter or a digit at both ends"
	SayKinds       = `supported values: "LiveNotifyConfig", "LiveRecordNotifyConfig", "LiveRtcEventSub", "LiveRtcMPUEventSub"`
)

// guards are the cases of safe change.
var guards = map[string]mistake{
	"a guard for less than a minute":                    {Stream, "guard: {window: 59s}", "spec.guard.window", SayGuardWindow},
	"a guard for more than a day":                       {Stream, "guard: {window: 24h1s}", "spec.guard.window", SayGuardWindow},
	"a guard for an empty window":                       {Record, "guard: {window: ''}", "spec.guard.window", SayGuardWindow},
	"a guard for a number":                              {MPU, "guard: {window: 600}", "spec.guard.window", "must be of type string"},
	"a guard for days":                                  {Event, "guard: {window: 1d}", "spec.guard.window", SayGuardWindow},
	"a guard for a negative window":                     {Event, "guard: {window: -10m}", "spec.guard.window", SayGuardWindow},
	"no failures at all":                                {Stream, "guard: {maxFailures: 0}", "spec.guard.maxFailures", "greater than or equal to 1"},
	"too many failures":                                 {Stream, "guard: {maxFailures: 1001}", "spec.guard.maxFailures", "less than or equal to 1000"},
	"failures as a percentage":                          {Stream, "guard: {maxFailures: 10%}", "spec.guard.maxFailures", "must be of type integer"},
	"a failure that is undone":                          {Stream, "guard: {onFailure: Undo}", "spec.guard.onFailure", SayOnFailure},
	"an empty onFailure":                                {Stream, "guard: {onFailure: ''}", "spec.guard.onFailure", SayOnFailure},
	"a policy without a guard":                          {Policy, "guard: null", "spec.guard", "Required value"},
	"a policy's guard for a second":                     {Policy, "guard: {window: 1s}", "spec.guard.window", SayGuardWindow},
	"none at once":                                      {Policy, "maxConcurrent: 0", "spec.maxConcurrent", SayConcurrent},
	"fewer than none at once":                           {Policy, "maxConcurrent: -1", "spec.maxConcurrent", SayConcurrent},
	"more at once than are noted":                       {Policy, "maxConcurrent: 1001", "spec.maxConcurrent", SayConcurrent},
	"none of them at once":                              {Policy, "maxConcurrent: 0%", "spec.maxConcurrent", SayConcurrent},
	"more than all at once":                             {Policy, "maxConcurrent: 101%", "spec.maxConcurrent", SayConcurrent},
	"a number as a string":                              {Policy, "maxConcurrent: '10'", "spec.maxConcurrent", SayConcurrent},
	"half a percent":                                    {Policy, "maxConcurrent: 0.5%", "spec.maxConcurrent", SayConcurrent},
	"a kind that cannot be watched":                     {Policy, "kinds: [LiveSnapshotNotifyConfig]", "spec.kinds[0]", SayKinds},
	"a kind by its short name":                          {Policy, "kinds: [lnc]", "spec.kinds[0]", SayKinds},
	"a kind twice":                                      {Policy, "kinds: [LiveNotifyConfig, LiveNotifyConfig]", "spec.kinds[1]", "Duplicate value"},
	"an operator that is none":                          {Policy, "selector: {matchExpressions: [{key: team, operator: Is, values: [a]}]}", "spec.selector.matchExpressions[0].operator", `supported values: "In", "NotIn", "Exists", "DoesNotExist"`},
	"an operator in lower case":                         {Policy, "selector: {matchExpressions: [{key: team, operator: exists}]}", "spec.selector.matchExpressions[0].operator", "supported values"},
	"no operator":                                       {Policy, "selector: {matchExpressions: [{key: team}]}", "spec.selector.matchExpressions[0].operator", "Required value"},
	"in nothing":                                        {Policy, "selector: {matchExpressions: [{key: team, operator: In}]}", "spec.selector.matchExpressions[0]", SayValues},
	"not in an empty list":                              {Policy, "selector: {matchExpressions: [{key: team, operator: NotIn, values: []}]}", "spec.selector.matchExpressions[0]", SayValues},
	"exists with values":                                {Policy, "selector: {matchExpressions: [{key: team, operator: Exists, values: [a]}]}", "spec.selector.matchExpressions[0]", SayValues},
	"does not exist with values":                        {Policy, "selector: {matchExpressions: [{key: team, operator: DoesNotExist, values: [a]}]}", "spec.selector.matchExpressions[0]", SayValues},
	"a label with a blank":                              {Policy, "selector: {matchExpressions: [{key: 'my team', operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label without a name":                            {Policy, "selector: {matchExpressions: [{key: example.com/, operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label with two slashes":                          {Policy, "selector: {matchExpressions: [{key: a/b/c, operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label's prefix in capitals":                      {Policy, "selector: {matchExpressions: [{key: Example.com/a, operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"an empty label":                                    {Policy, "selector: {matchExpressions: [{key: '', operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label of 64 characters":                          {Policy, "selector: {matchExpressions: [{key: " + Label63 + "a, operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a value with a blank":                              {Policy, "selector: {matchExpressions: [{key: team, operator: In, values: ['a b']}]}", "spec.selector.matchExpressions[0].values[0]", SayLabelValue},
	"a value that was not rendered":                     {Policy, "selector: {matchLabels: {team: '${TEAM}'}}", "spec.selector.matchLabels[team]", SayLabelValue},
	"a value of 64 characters":                          {Policy, "selector: {matchLabels: {team: " + Label63 + "a}}", "spec.selector.matchLabels[team]", SayLabelValue},
	"a value of 64 characters in a list":                {Policy, "selector: {matchExpressions: [{key: team, operator: In, values: [a, " + Label63 + "a]}]}", "spec.selector.matchExpressions[0].values[1]", SayLabelValue},
	"an empty label to match":                           {Policy, "selector: {matchLabels: {'': a}}", "spec.selector.matchLabels", SayLabels},
	"a label to match that is too long":                 {Policy, "selector: {matchLabels: {" + strings.Repeat("a", 318) + ": a}}", "spec.selector.matchLabels", SayLabels},
	"a label to match with a space":                     {Policy, "selector: {matchLabels: {'a b': c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label to match in Chinese":                       {Policy, "selector: {matchLabels: {直播: c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label to match behind a dash":                    {Policy, "selector: {matchLabels: {-a: c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label to match before a slash":                   {Policy, "selector: {matchLabels: {example.com/: c}}", "spec.selector.matchLabels", SayLabelsKey},
	"one of two that is not rendered":                   {Policy, "selector: {matchLabels: {team: c, '${LABEL}': c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label to match of 64 characters":                 {Policy, "selector: {matchLabels: {" + Label63 + "a: c}}", "spec.selector.matchLabels", SayLabelsKey},
	"64 characters behind a domain":                     {Policy, "selector: {matchLabels: {example.com/" + Label63 + "a: c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label behind 254 characters":                     {Policy, "selector: {matchLabels: {" + strings.Repeat("a", 254) + "/a: c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a key behind 254 characters":                       {Policy, "selector: {matchExpressions: [{key: " + strings.Repeat("a", 254) + "/a, operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label to match with two slashes":                 {Policy, "selector: {matchLabels: {'a/b/c': c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label with slashes":                              {Policy, "selector: {matchExpressions: [{key: 'a/b/c', operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label to match with a prefix in capitals":        {Policy, "selector: {matchLabels: {'A.com/x': c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label with a prefix in capitals":                 {Policy, "selector: {matchExpressions: [{key: 'A.com/x', operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label to match with two dots in a prefix":        {Policy, "selector: {matchLabels: {'a..b/x': c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label with two dots in a prefix":                 {Policy, "selector: {matchExpressions: [{key: 'a..b/x', operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label to match with an underscore in a prefix":   {Policy, "selector: {matchLabels: {'a_b/x': c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label with an underscore in a prefix":            {Policy, "selector: {matchExpressions: [{key: 'a_b/x', operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label to match with a dash before a dot":         {Policy, "selector: {matchLabels: {'a-.b/x': c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label with a dash before a dot":                  {Policy, "selector: {matchExpressions: [{key: 'a-.b/x', operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label to match with a dash behind a dot":         {Policy, "selector: {matchLabels: {'a.-b/x': c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label with a dash behind a dot":                  {Policy, "selector: {matchExpressions: [{key: 'a.-b/x', operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label to match with a dash before the slash":     {Policy, "selector: {matchLabels: {'a-/x': c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label with a dash before the slash":              {Policy, "selector: {matchExpressions: [{key: 'a-/x', operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label to match with a dot before the slash":      {Policy, "selector: {matchLabels: {'a./x': c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label with a dot before the slash":               {Policy, "selector: {matchExpressions: [{key: 'a./x', operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label to match with a dash in front of a prefix": {Policy, "selector: {matchLabels: {'-a/x': c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label with a dash in front of a prefix":          {Policy, "selector: {matchExpressions: [{key: '-a/x', operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label to match with a dot in front of a prefix":  {Policy, "selector: {matchLabels: {'.a/x': c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label with a dot in front of a prefix":           {Policy, "selector: {matchExpressions: [{key: '.a/x', operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label to match with no prefix":                   {Policy, "selector: {matchLabels: {'/x': c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label with no prefix":                            {Policy, "selector: {matchExpressions: [{key: '/x', operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a label to match with a dash behind the slash":     {Policy, "selector: {matchLabels: {'a/-x': c}}", "spec.selector.matchLabels", SayLabelsKey},
	"a label with a dash behind the slash":              {Policy, "selector: {matchExpressions: [{key: 'a/-x', operator: Exists}]}", "spec.selector.matchExpressions[0].key", SayLabel},
	"a selector by name":                                {Policy, "selector: {name: push}", "spec.selector.name", "unknown field"},
	"fewer than no removals":                            {Account, "maxDeletionsPerHour: -1", "spec.maxDeletionsPerHour", "greater than or equal to 0"},
	"more removals than can be":                         {Account, "maxDeletionsPerHour: 100001", "spec.maxDeletionsPerHour", "less than or equal to 100000"},
	"removals as a text":                                {Account, "maxDeletionsPerHour: sixty", "spec.maxDeletionsPerHour", "must be of type integer"},
	"a guard of a snapshot":                             {Snapshot, "guard: {}", "spec.guard", "unknown field"},
	"a guard of a review":                               {Detect, "guard: {}", "spec.guard", "unknown field"},
	"a guard of an audio review":                        {Audit, "guard: {}", "spec.guard", "unknown field"},
	"a guard of a message application":                  {Message, "guard: {}", "spec.guard", "unknown field"},
}
