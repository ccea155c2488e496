// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/report"
)

// Each row that is blocked or cannot be read says why, also beside what differs, and no
// text is markup.
func TestMarkdownSaysWhy(t *testing.T) {
	fields := []Field{{Name: "notifyURL", Have: "https://a/?x=<y>|z", Want: ""}}
	for name, tc := range map[string]struct {
		item Item
		want string
	}{
		"blocked":               {Item{Change: Blocked, Reason: "Conflict", Message: "It belongs to x."}, "| Conflict: It belongs to x. |"},
		"blocked, with fields":  {Item{Change: Blocked, Reason: "ExistingConfiguration", Message: "It is there.", Fields: fields}, "| ExistingConfiguration: It is there.<br>`notifyURL`: `https://a/?x=<y>\\|z` → (empty) |"},
		"blocked, no message":   {Item{Change: Blocked, Reason: "Suspended", Fields: fields[:0]}, "| Suspended |"},
		"cannot be read":        {Item{Change: Unknown, Reason: "AccessDenied", Message: "No."}, "| AccessDenied: No. |"},
		"markup in the message": {Item{Change: Blocked, Reason: "Rejected", Message: "a|b <i> *c* _d_ `e` [f](g) ~h~ \\ &lt;\nj"}, "| Rejected: a\\|b &lt;i> \\*c\\* \\_d\\_ \\`e\\` \\[f\\](g) \\~h\\~ \\\\ &amp;lt; j |"},
		"to be changed":         {Item{Change: Update, Reason: "InSync", Message: "later", Fields: fields}, "| `notifyURL`: `https://a/?x=<y>\\|z` → (empty) |"},
		"in sync":               {Item{Change: InSync, Reason: "InSync", Message: "The same."}, "| The same. |"},
	} {
		t.Run(name, func(t *testing.T) {
			r := report.New[Summary, Item]("Plan")
			r.Items = append(r.Items, tc.item)
			if got := Markdown(r); !strings.HasSuffix(got, tc.want+"\n") {
				t.Errorf("got %s, want it to end with %s", got, tc.want)
			}
		})
	}
}
