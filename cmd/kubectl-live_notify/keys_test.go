// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// A key that a configuration repeats in its URL is neither printed nor written: no
// manifest may say it, and a plan hides it.
func TestKeyInAValue(t *testing.T) {
	for name, repeated := range map[string]string{"as it is": streamKey, "escaped": "%43" + streamKey[1:]} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			w.stream("push.example.com")
			w.cloud.SetStreamConfig("push.example.com", emulator.StreamConfig{
				NotifyURL: "https://hooks.example.com/?k=" + repeated, Auth: true, AuthKey: streamKey,
			})
			silent := func(got answer) {
				t.Helper()
				if strings.Contains(got.out+got.err, streamKey[1:]) {
					t.Errorf("the key is printed:\n%s%s", got.out, got.err)
				}
			}
			for _, format := range []string{"table", "wide", "json", "yaml", "jsonl", "name", "helm-values"} {
				silent(w.call("import", "--kind", "lnc", "-o", format).want(t, exitNo, "0 imported", "1 failed"))
			}
			dir := t.TempDir()
			silent(w.call("import", "--output-dir", dir, "--on-error", "continue").want(t, exitNo, "spec.notifyURL has the authentication key in it"))
			if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
				t.Errorf("got %d files, %v", len(files), err)
			}
			for _, format := range []string{"table", "wide", "json", "yaml", "jsonl", "markdown"} {
				got := w.call("plan", "lnc/push", "-o", format).want(t, exitNo, "(hidden)")
				silent(got)
			}
		})
	}
}

// A key that no Secret may have is told, and written nowhere.
func TestKeyThatNoSecretMayHave(t *testing.T) {
	w := newWorld(t, emulator.Options{Switches: emulator.Switches{AcceptAnyKey: true}})
	for name, key := range map[string]string{"short": "tooShort", "odd": "with-a-hyphen-0000000"} {
		domain := name + ".example.com"
		w.cloud.AddDomain("", domain, emulator.IngestDomain)
		w.cloud.SetStreamConfig(domain, emulator.StreamConfig{NotifyURL: "https://hooks.example.com/", Auth: true, AuthKey: key})
		got := w.call("import", "--domain", domain, "--keys-to-cluster", "--yes", "--on-error", "continue").want(t, exitNo, "0 imported", "the authentication key h")
		if strings.Contains(got.out+got.err, key) {
			t.Errorf("the key is printed:\n%s%s", got.out, got.err)
		}
	}
	var secrets corev1.SecretList
	if err := api.List(t.Context(), &secrets); err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets.Items {
		if s.Namespace == w.namespace {
			t.Errorf("Secret %s was written", s.Name)
		}
	}
}

// What is signed is not sent unsigned because its key cannot be read: a replay refuses
// it in the words of a probe, and says of which object.
func TestReplayNeedsTheKey(t *testing.T) {
	for name, spoil := range map[string]func(w *world, s *corev1.Secret) error{
		"no Secret": func(w *world, s *corev1.Secret) error { return api.Delete(w.t.Context(), s) },
		"no entry": func(w *world, s *corev1.Secret) error {
			s.Data = map[string][]byte{"another": []byte(streamKey)}
			return api.Update(w.t.Context(), s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			w.stream("push.example.com")
			w.missed()
			var s corev1.Secret
			if err := api.Get(t.Context(), types.NamespacedName{Namespace: w.namespace, Name: "key"}, &s); err != nil {
				t.Fatal(err)
			}
			if err := spoil(w, &s); err != nil {
				t.Fatal(err)
			}
			probed := w.call("probe", "lnc/push", "--yes").want(t, exitUnknown, v1alpha1.ReasonAuthKeyUnavailable)
			for _, args := range [][]string{{"--yes"}, {"--dry-run"}} {
				got := w.call(append([]string{"replay", "lnc/push"}, args...)...).want(t, exitUnknown)
				if want := strings.Replace(probed.err, "Error: ", "Error: livenotifyconfig/push in "+w.namespace+": ", 1); got.err != want {
					t.Errorf("got %q, want %q", got.err, want)
				}
			}
			if got := w.receiver.requests(); len(got) > 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// That callbacks of a kind are never signed is told before they are sent.
func TestReplayTellsThatItIsUnsigned(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.cloud.AddApp("", "app1")
	w.cloud.SetEventSubs("app1", []emulator.EventSub{{CallbackURL: w.receiver.URL, Events: []string{"ChannelEvent"}}})
	w.apply(&v1alpha1.LiveRtcEventSub{
		ObjectMeta: metav1.ObjectMeta{Name: "rtc"},
		Spec: v1alpha1.LiveRtcEventSubSpec{
			AppID: "app1", ChannelID: "*", CallbackURL: w.receiver.URL, Events: []v1alpha1.RtcEvent{v1alpha1.ChannelEvent},
		},
	})
	w.receiver.answers(500)
	if err := w.cloud.EmitEvent("app1", "one", "", "Open"); err != nil {
		t.Fatal(err)
	}
	w.cloud.Wait()
	w.call("replay", "les/rtc").want(t, exitUsage, "1 to deliver", "sent unsigned", fmt.Sprintf("1 to %s", w.receiver.URL))
}

// What cannot be replayed is told apart from what needs no replay, and is a no.
func TestReplayOfWhatHasNoContent(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	w.missed()
	failed := w.call("failures", "lnc/push", "-o", "jsonl").want(t, exitYes) // without --content
	w.callWith(t.Context(), failed.out, "replay", "-f", "-", "--yes").want(t, exitNo, "0 skipped, 0 pending, 1 not possible", "list failures with --content")
}
