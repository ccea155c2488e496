// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// An object that is named several times is one, in every spelling and for every verb.
func TestNamedTwiceIsOnce(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	w.missed()
	for n, named := range [][]string{
		{"lnc/push", "lnc/push"}, {"lnc/push", "livenotifyconfig/push"}, {"livenotifyconfigs/push", "livenotifyconfigs.live.alibabacloud.com/push", "lnc/push"},
		{"lnc", "push", "push"}, {"lnc,livenotifyconfigs", "push"}, {"lnc,livenotifyconfig"},
	} {
		t.Run(strings.Join(named, " "), func(t *testing.T) {
			verb := func(name string, more ...string) answer {
				t.Helper()
				return w.call(slices.Concat([]string{name}, named, more)...)
			}
			verb("plan").want(t, exitYes, "0 blocked, 1 in sync")
			verb("failures").want(t, exitYes, "1 of 1 shown")
			for _, args := range [][]string{{"reconcile"}, {"suspend", "--dry-run"}, {"resume", "--dry-run"}} {
				if got := verb(args[0], append(args[1:], "-o", "name")...).want(t, exitYes); got.out != "livenotifyconfig/push\n" {
					t.Errorf("%s: got %q", args[0], got.out)
				}
			}
			w.receiver.answers(200)
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			more := []string{"--yes", "--rate", "0"}
			if n%2 == 0 {
				more = append(more, "--journal", filepath.Join(t.TempDir(), "journal"))
			}
			verb("replay", more...).want(t, exitYes, "1 delivered")
			if got := w.receiver.requests(); len(got) != 1 {
				t.Errorf("got %d requests, want 1", len(got))
			}
		})
	}
}

// twin makes another object of the domain of world.stream, with the same receiver.
func (w *world) twin(name string) {
	w.t.Helper()
	w.apply(&v1alpha1.LiveNotifyConfig{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.LiveNotifyConfigSpec{
			DomainName: "push.example.com", NotifyURL: w.receiver.URL,
			Authentication: &v1alpha1.AuthenticationSpec{KeySecretRef: v1alpha1.SecretKeyReference{Name: "key", Key: "key"}},
		},
	})
}

// A callback goes to a receiver once, however many objects and lines of a file it is of,
// and whichever journal remembers it.
func TestOneCallbackOfSeveralObjects(t *testing.T) {
	for _, sole := range []bool{false, true} {
		t.Run(fmt.Sprintf("one journal %t", sole), func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			w.stream("push.example.com")
			w.twin("twin")
			w.missed()
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			more := []string{"--yes", "--rate", "0"}
			if sole {
				more = append(more, "--journal", filepath.Join(t.TempDir(), "journal"))
			}
			line := w.call("failures", "lnc/push", "--content", "-o", "jsonl").want(t, exitYes).out
			lines := strings.Replace(line, `"name":"push"`, `"name":"twin"`, 1) + line
			for _, call := range []struct {
				args []string
				says string
			}{
				{[]string{"-f", "-"}, "1 delivered"}, {[]string{"-f", "-"}, "1 skipped"}, {[]string{"lnc"}, "0 delivered"}, {[]string{"lnc/twin", "lnc/push"}, "0 delivered"},
			} {
				w.callWith(t.Context(), lines, slices.Concat([]string{"replay"}, call.args, more)...).want(t, exitYes, call.says)
			}
			if got := w.receiver.requests(); len(got) != 1 {
				t.Errorf("got %d requests, want 1", len(got))
			}
		})
	}
}
