// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"testing"

	"github.com/live-notify/live-notify-operator/internal/live"
)

// One of something has no s, and a text of someone else ends with one full stop.
func TestWords(t *testing.T) {
	for want, got := range map[string]string{
		"0 callbacks": live.Count(0, "callback"), "1 callback": live.Count(int64(1), "callback"), "2 callbacks": live.Count(int32(2), "callback"),
		"1 entry": live.Count(1, "entry"), "3 entries": live.Count(3, "entry"),
		"not found.": live.Sentence("not found."), "not known.": live.Sentence("not known"), "cut.": live.Sentence("cut.. "), ".": live.Sentence(""),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
