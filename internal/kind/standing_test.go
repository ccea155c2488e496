// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// A key that the cloud masks, or leaves out, is no drift of an object that wrote one, and
// a new key is written all the same. To another object it is not known to be equal.
func TestMaskedKey(t *testing.T) {
	const url, key = "https://hooks.example.com/", live.Key("abcdefghijklmnop")
	object := func(owns bool) Object {
		o := &v1alpha1.LiveNotifyConfig{
			ObjectMeta: metav1.ObjectMeta{UID: "u", Generation: 1},
			Spec: v1alpha1.LiveNotifyConfigSpec{DomainName: "push.example.com", NotifyURL: url,
				Authentication: &v1alpha1.AuthenticationSpec{KeySecretRef: v1alpha1.SecretKeyReference{Name: "key", Key: "key"}}},
		}
		if owns {
			o.Finalizers = []string{v1alpha1.Finalizer}
			o.Status.Applied = &v1alpha1.Applied{UID: "u", Revision: stream.Revision(o), KeyFingerprint: Fingerprint(o, key)}
		}
		return o
	}
	for _, shown := range []live.Key{"", "abc****nop"} {
		have := live.StreamConfig{NotifyURL: url, Authentication: true, AuthKey: shown}
		for want, f := range map[plan.Action]struct{ owns, rotated bool }{
			plan.Settle: {owns: true}, plan.Apply: {owns: true, rotated: true}, plan.Refuse: {},
		} {
			c := stream.Compare(object(f.owns), Facts{Now: time.Now(), Have: have, Key: key, Rotated: f.rotated})
			if got := plan.Decide(c.Situation).Action; got != want {
				t.Errorf("%q is shown, %+v: got %s, want %s", shown, f, got, want)
			}
		}
	}
	other := live.StreamConfig{NotifyURL: url, Authentication: true, AuthKey: "ponmlkjihgfedcba"}
	if got := plan.Decide(stream.Compare(object(true), Facts{Now: time.Now(), Have: other, Key: key}).Situation).Action; got != plan.Correct {
		t.Errorf("another key: got %s", got)
	}
}

// The ID of a subscription stays while the list does not show what an object wrote: by it
// a pending change is repeated, also by another process. Of others it goes.
func TestIDThatIsNotShown(t *testing.T) {
	o := &v1alpha1.LiveRtcEventSub{ObjectMeta: metav1.ObjectMeta{UID: "u"}}
	for _, owns := range []bool{true, false} {
		if o.Finalizers = nil; owns {
			o.Finalizers = []string{v1alpha1.Finalizer}
			o.Status.Applied = &v1alpha1.Applied{UID: "u", Revision: event.Revision(o)}
		}
		event.Observe(o, live.EventConfig{CallbackURL: "https://hooks.example.com/", SubID: "Sub-1"})
		event.Observe(o, nil)
		if got := o.Status.Observed; (got != nil) != owns || owns && (got.SubID != "Sub-1" || got.CallbackURL != "") {
			t.Errorf("owned %t: got %+v", owns, got)
		}
	}
}
