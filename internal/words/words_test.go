// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package words

import (
	"testing"
)

// One of something has no s, and a text of someone else ends with one full stop.
func TestWords(t *testing.T) {
	for want, got := range map[string]string{
		"0 callbacks": Count(0, "callback"), "1 callback": Count(int64(1), "callback"), "2 callbacks": Count(int32(2), "callback"),
		"1 entry": Count(1, "entry"), "3 entries": Count(3, "entry"),
		"not found.": Sentence("not found."), "not known.": Sentence("not known"), "cut.": Sentence("cut.. "), ".": Sentence(""),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
