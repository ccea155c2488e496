// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import "testing"

func TestDebugOutputThatLeaksIsRefused(t *testing.T) {
	for debug, want := range map[string]bool{"": false, "1": false, "other": false, "dara": true, "tea": true, "other,dara": true, "credential": true} {
		t.Setenv("DEBUG", debug)
		own, err := OwnCredentials()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewClient(Options{Credentials: own}); (err != nil) != want {
			t.Errorf("DEBUG=%q: got %v", debug, err)
		}
	}
}
