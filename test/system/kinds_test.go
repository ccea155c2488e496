// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"maps"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// TestKinds has the cloud of each kind hold what an object asks for, and something
// else, and nothing.
func TestKinds(t *testing.T) {
	cloud := emulator.New(emulator.Options{})
	defer cloud.Close()
	for _, k := range Kinds {
		t.Run(k.Name, func(t *testing.T) {
			o := k.Object("default", "a")
			key := k.KeyOf(o)
			k.Add(cloud, "", key)
			if have := k.Have(cloud, key); have != nil {
				t.Errorf("at first the cloud holds %v", have)
			}
			k.SetURL(o, Elsewhere)
			k.Edit(cloud, key)
			if want, have := k.Want(o, ""), k.Have(cloud, key); !maps.Equal(want, have) {
				t.Errorf("the cloud holds %v, want %v", have, want)
			}
			for _, name := range k.Others {
				before := k.Want(o, "")
				k.Toggle(o, name, "http://hooks.example.com/b")
				if now := k.Want(o, ""); now[name] == before[name] {
					t.Errorf("%s is not toggled", name)
				}
				k.Toggle(o, name, "http://hooks.example.com/b")
				if now := k.Want(o, ""); !maps.Equal(now, before) {
					t.Errorf("%s toggled twice is %v, was %v", name, now, before)
				}
			}
			if k.Signs() {
				k.Sign(o, "secret")
				if want, have := k.Want(o, "0123456789abcdef"), k.Have(cloud, key); maps.Equal(want, have) || want["AuthKey"] == "" {
					t.Errorf("signed, the cloud holds %v, want %v", have, want)
				}
				k.Sign(o, "")
				if k.Signed(o) {
					t.Error("it is still signed")
				}
			}
			k.Erase(cloud, key)
			if have := k.Have(cloud, key); have != nil {
				t.Errorf("in the end the cloud holds %v", have)
			}
		})
	}
}
