// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// A field that cannot be read is told in one form, whether it comes or goes.
func TestFieldsThatCannotBeRead(t *testing.T) {
	none, set := live.StreamConfig{NotifyURL: "https://a"}, live.StreamConfig{NotifyURL: "https://a", SwitchNotifyURL: "https://b"}
	one := func(want string) []Field {
		return []Field{{Name: "switchNotifyURL", Have: "cannot be read", Want: want, Unread: true}}
	}
	for name, c := range map[string]struct {
		have, want live.StreamConfig
		change     Change
		fields     []Field
	}{
		"comes":   {none, set, Update, one("https://b")},
		"goes":    {set, none, Update, one("(removed)")},
		"neither": {none, none, Update, nil},
		"in sync": {set, set, InSync, nil},
		"blocked": {set, none, Blocked, nil},
	} {
		got := fieldsOf(kind.Comparison{Have: c.have, Want: c.want}, false, c.change, hiding(nil, ""))
		if diff := cmp.Diff(c.fields, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
