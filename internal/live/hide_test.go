// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"strings"
	"testing"
)

// TestClientHidesWhatItSigns: a text loses what requests were signed with, also the
// session before the last, and a key that is given.
func TestClientHidesWhatItSigns(t *testing.T) {
	sessions := []keys{
		{"STS.firstsessionsid", "firstsessionssecret", "firstsessionstoken+/="},
		{"STS.secondsessionsid", "secondsessionssecret", "secondsessionstoken+/="},
	}
	n := -1
	credentials := from(func(context.Context, bool) (session, error) {
		n++
		return session{keys: sessions[n]}, nil // which is never kept
	})
	c, err := NewClient(Options{Credentials: credentials})
	if err != nil {
		t.Fatal(err)
	}
	const plain = "https://hooks.example.com/live"
	emulated, err := AccessKey("emulator", "emulator", "")
	if err != nil {
		t.Fatal(err)
	}
	trial, err := NewClient(Options{Credentials: emulated})
	if err != nil {
		t.Fatal(err)
	}
	if got := trial.Hide("http://live-emulator.example.com/"); got != "http://live-emulator.example.com/" {
		t.Errorf("a word that an emulator takes for a key is hidden: %s", got)
	}
	if got := c.Hide(plain); got != plain {
		t.Errorf("before a load: got %s", got)
	}
	told := []string{"authenticationkey"}
	for _, k := range sessions {
		if err := credentials.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		told = append(told, k.id, k.secret, k.token)
	}
	for _, text := range told {
		got := c.Hide(plain+"?a="+text+"&b=1", "authenticationkey")
		if strings.Contains(got, "session") || strings.Contains(got, "authentication") || !strings.HasPrefix(got, plain) {
			t.Errorf("%s: got %s", text, got)
		}
	}
}
