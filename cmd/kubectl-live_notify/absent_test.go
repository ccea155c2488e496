// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// Of two lines of one callback, that of the object in the cluster counts, in whichever
// order and whatever the URLs are; what is sent for one that is not there is told.
func TestReplayOfWhatIsNotInTheCluster(t *testing.T) {
	const absent, failedURL = "livenotifyconfig/renamed in ", " to the URL that failed"
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	w.missed()
	there := w.call("failures", "lnc/push", "--content", "-o", "jsonl").want(t, exitYes).out
	renamed := strings.Replace(there, `"name":"push"`, `"name":"renamed"`, 1)
	elsewhere := strings.Replace(renamed, w.receiver.URL, w.receiver.URL+"/old", 1)
	for name, tc := range map[string]struct {
		lines            string
		to, signed, told bool
	}{
		"after":            {there + renamed, false, true, false},
		"before":           {renamed + there, false, true, false},
		"after, moved":     {there + elsewhere, false, true, false},
		"before, moved":    {elsewhere + there, false, true, false},
		"before, to a URL": {renamed + there, true, true, false},
		"alone":            {renamed, false, false, true},
		"alone, to a URL":  {renamed, true, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.receiver.answers(200)
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			args := []string{"replay", "-f", "-", "--yes", "--rate", "0"}
			if tc.to {
				args = append(args, "--to-url", w.receiver.URL)
			}
			for n, want := range []string{"1 delivered", "1 skipped"} {
				got := w.callWith(t.Context(), tc.lines, slices.Clone(args)...).want(t, exitYes, want)
				if told := strings.Contains(got.err, absent); told != (tc.told && n == 0) {
					t.Errorf("told %t that it is not there: %s", told, got.err)
				}
				if told := strings.Contains(got.err, failedURL); told != (tc.told && n == 0 && !tc.to) {
					t.Errorf("told %t of the URL that failed: %s", told, got.err)
				}
			}
			if got := w.receiver.requests(); len(got) != 1 || (got[0].Header.Get("Ali-Live-Signature") != "") != tc.signed {
				t.Errorf("got %+v, want one, signed %t", got, tc.signed)
			}
		})
	}
}
