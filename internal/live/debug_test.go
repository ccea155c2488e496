// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import "testing"

func TestDebugOutputThatLeaksIsRefused(t *testing.T) {
	for debug, want := range map[string]bool{"": false, "1": false, "other": false, "dara": true, "tea": true, "other,dara": true, "credential": true} {
		t.Setenv("DEBUG", debug)
		if _, err := NewClient(Options{Credentials: testKey(t)}); (err != nil) != want {
			t.Errorf("DEBUG=%q: got %v of a client", debug, err)
		}
		if _, err := NewTokenService("", false); (err != nil) != want {
			t.Errorf("DEBUG=%q: got %v of a token service", debug, err)
		}
		if _, err := OwnCredentials(); (err != nil) != want {
			t.Errorf("DEBUG=%q: got %v of the credentials", debug, err)
		}
	}
}
