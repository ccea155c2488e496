// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// password is one that a URL has in it.
const password = "hunter2Canary"

// recorded makes failures in whose URL, content and answer the key and a password are,
// of an object whose receiver has the key in its URL, too.
func (w *world) recorded() {
	w.t.Helper()
	w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	w.apply(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "key"}, StringData: map[string]string{"key": streamKey}})
	w.apply(&v1alpha1.LiveNotifyConfig{
		ObjectMeta: metav1.ObjectMeta{Name: "push"},
		Spec: v1alpha1.LiveNotifyConfigSpec{
			DomainName: "push.example.com", NotifyURL: w.receiver.URL + "?k=" + streamKey,
			Authentication: &v1alpha1.AuthenticationSpec{KeySecretRef: v1alpha1.SecretKeyReference{Name: "key", Key: "key"}},
		},
	})
	for _, stream := range []string{"a", "b"} {
		w.cloud.AddRecords(emulator.Records{Stream: []emulator.CallbackRecord{{
			Domain: "push.example.com", App: "app", Stream: stream, Type: "publish", Time: time.Now().Add(-time.Minute), Result: "failed",
			URL: "https://me:" + password + "@hooks.example.com/?k=" + streamKey, Description: "no answer of https://me:" + password + "@hooks.example.com/",
			Content:  `{"action":"publish","id":"` + stream + `","usrargs":"k=` + streamKey + `"}`,
			Response: "wanted " + streamKey + " at https://me:" + password + "@hooks.example.com/",
		}}})
	}
}

// Neither the key of an object nor the credentials of a URL are shown of what the cloud
// recorded, in any format, whether the key may be read or not; and they are in no file.
func TestRecordsHideSecrets(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.recorded()
	silent := func(got answer) answer {
		t.Helper()
		for _, secret := range []string{streamKey[1:], password} {
			if strings.Contains(got.out+got.err, secret) {
				t.Errorf("a secret is shown:\n%s%s", got.out, got.err)
			}
		}
		return got
	}
	list := func(says ...string) {
		t.Helper()
		for _, format := range []string{"table", "wide", "json", "yaml", "jsonl", "name"} {
			silent(w.call("failures", "lnc/push", "--content", "-o", format).want(t, exitYes, "2 of 2 shown."))
		}
		silent(w.call("failures", "lnc/push", "-o", "wide").want(t, exitYes, "https://(hidden)@hooks.example.com/?k=(hidden)"))
		silent(w.call("failures", "lnc/push", "--group-by", "url").want(t, exitYes, "https://(hidden)@hooks.example.com/?k=(hidden)"))
		silent(w.call("failures", "lnc/push").want(t, exitYes, says...))
	}
	list()
	file := w.call("failures", "lnc/push", "--content", "-o", "jsonl").out
	silent(w.callWith(t.Context(), file, "replay", "-f", "-", "--yes").want(t, exitNo, "2 not possible", "a secret is hidden in what is known of it"))
	for _, format := range []string{"table", "wide", "json", "yaml", "jsonl", "name"} {
		silent(w.call("replay", "lnc/push", "--dry-run", "-o", format).want(t, exitYes, "2 to deliver", "2 to "+w.receiver.URL+"?k=(hidden)"))
	}
	journal := filepath.Join(t.TempDir(), "journal")
	silent(w.call("replay", "lnc/push", "--yes", "--rate", "0", "--journal", journal, "-o", "json").want(t, exitYes, "2 delivered"))
	if got := w.receiver.requests(); len(got) != 2 || strings.Count(got[0].URL, streamKey) != 2 {
		t.Errorf("got %+v, want both with the key in them, as the cloud sent it", got)
	}
	if text, err := os.ReadFile(journal); err != nil || strings.Contains(string(text), streamKey) {
		t.Errorf("the journal holds the key, or %v", err)
	}
	silent(w.call("replay", "lnc/push", "--yes", "--journal", journal).want(t, exitYes, "2 skipped"))
	for _, more := range [][]string{{"--dry-run"}, {"--yes"}, {"--yes", "--as", "record"}} {
		silent(w.call(append([]string{"probe", "lnc/push", "-o", "json"}, more...)...).want(t, exitYes, "?k=(hidden)"))
	}
	if err := api.Delete(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "key"}}); err != nil {
		t.Fatal(err)
	}
	list("Not every authentication key could be read")
}
