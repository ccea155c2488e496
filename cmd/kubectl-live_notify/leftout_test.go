// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// One object that cannot be read, or whose key cannot, keeps those from nothing that were
// selected with it; one that is named ends the replay before anything is sent.
func TestReplayLeavesOutWhatCannotBeRead(t *testing.T) {
	signed := func(secret string) *v1alpha1.AuthenticationSpec {
		return &v1alpha1.AuthenticationSpec{KeySecretRef: v1alpha1.SecretKeyReference{Name: secret, Key: "key"}}
	}
	for name, tc := range map[string]struct {
		spec         v1alpha1.LiveNotifyConfigSpec
		before       func(w *world)
		reason, says string
	}{
		"no such Secret": {v1alpha1.LiveNotifyConfigSpec{DomainName: "push.example.com", Authentication: signed("none")}, nil, v1alpha1.ReasonAuthKeyUnavailable, "The authentication key cannot be used: Secret \"none\""},
		"a Secret that may not be read": {v1alpha1.LiveNotifyConfigSpec{DomainName: "push.example.com", Authentication: signed("key")}, func(w *world) {
			push := &v1alpha1.LiveNotifyConfig{}
			if err := api.Get(w.t.Context(), types.NamespacedName{Namespace: w.namespace, Name: "push"}, push); err != nil {
				w.t.Fatal(err)
			}
			push.Spec.Authentication = nil
			if err := api.Update(w.t.Context(), push); err != nil {
				w.t.Fatal(err)
			}
			w.t.Setenv("KUBECONFIG", w.as("replayer", "get", "list"))
		}, v1alpha1.ReasonAuthKeyUnavailable, "you may not read Secret \"key\""},
		"no such domain":  {v1alpha1.LiveNotifyConfigSpec{DomainName: "none.example.com"}, nil, v1alpha1.ReasonDomainNotFound, ""},
		"no such account": {v1alpha1.LiveNotifyConfigSpec{DomainName: "push.example.com", CallbackSpec: v1alpha1.CallbackSpec{AccountRef: &v1alpha1.AccountReference{Name: "none"}}}, nil, v1alpha1.ReasonAccountNotReady, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			w.stream("push.example.com")
			tc.spec.NotifyURL = w.receiver.URL
			w.apply(&v1alpha1.LiveNotifyConfig{ObjectMeta: metav1.ObjectMeta{Name: "ill", Labels: map[string]string{"app": "live"}}, Spec: tc.spec})
			w.missed()
			if tc.before != nil {
				tc.before(w)
			}
			told := "LiveNotifyConfig/" + w.namespace + "/ill: " + tc.reason + ": "
			for _, args := range [][]string{{"lnc/push", "lnc/ill"}, {"lnc", "ill"}} {
				got := w.call(append([]string{"replay", "--yes"}, args...)...).want(t, exitUnknown, tc.says)
				if !strings.Contains(got.err, told) && !strings.Contains(got.err, "Error: livenotifyconfig/ill in "+w.namespace+": ") {
					t.Errorf("does not name the object: %s", got.err)
				}
			}
			if got := w.receiver.requests(); len(got) > 0 {
				t.Fatalf("got %+v", got)
			}
			got := w.call("replay", "-l", "app=live", "--yes").want(t, exitUnknown, "Error: "+told+tc.says, "0 delivered")
			if strings.Contains(got.err, "No failed callback is recorded") {
				t.Errorf("got %s", got.err)
			}
			w.call("replay", "lnc", "--dry-run").want(t, exitUnknown, "Error: "+told+tc.says, "1 to deliver")
			w.receiver.answers(500)
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			w.call("replay", "lnc", "--yes").want(t, exitUnknown, "1 refused", "  Left out: "+told, "Error: "+told+tc.says)
			w.receiver.answers(200)
			w.call("replay", "lnc", "--yes", "-o", "json").want(t, exitUnknown, "1 delivered", `"object": "LiveNotifyConfig/`+w.namespace+`/ill"`)
			if got := w.receiver.requests(); len(got) != 1 {
				t.Errorf("got %d requests, want 1", len(got))
			}
		})
	}
}
