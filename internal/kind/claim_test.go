// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

// TestALostReplyHoldsNothingOfOthers: who owns no more than a write whose reply was
// lost keeps nobody from a domain that its cloud does not have.
func TestALostReplyHoldsNothingOfOthers(t *testing.T) {
	theirs := Cloud{Account: types.NamespacedName{Namespace: "a", Name: "a"}}
	mine := Cloud{Account: types.NamespacedName{Namespace: "b", Name: "b"}}
	for _, tc := range []struct {
		name    string
		applied v1alpha1.Applied
		reason  string
		may     bool
	}{
		{"unsure", v1alpha1.Applied{Pending: "1:a"}, v1alpha1.ReasonProgressing, true},
		{"unsure, and the domain is elsewhere", v1alpha1.Applied{Pending: "1:a"}, v1alpha1.ReasonDomainNotFound, false},
		{"unsure, and the domain is of another type", v1alpha1.Applied{Pending: "1:a"}, v1alpha1.ReasonWrongDomainType, false},
		{"unsure, and access was taken away", v1alpha1.Applied{Pending: "1:a"}, v1alpha1.ReasonAccessDenied, true},
		{"written, and the domain is gone", v1alpha1.Applied{Revision: "1:a"}, v1alpha1.ReasonDomainNotFound, true},
	} {
		o := &v1alpha1.LiveNotifyConfig{}
		o.UID, o.Finalizers = "uid", []string{v1alpha1.Finalizer}
		tc.applied.UID = o.UID
		o.Status.Applied = &tc.applied
		o.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: tc.reason}}
		c := Claim{Obj: o, Owns: Wrote(o)}
		if !c.Owns {
			t.Errorf("%s: it owns nothing", tc.name)
		}
		if may := c.May(theirs, mine, true, time.Unix(0, 0)); may != tc.may {
			t.Errorf("%s: got %t, want %t", tc.name, may, tc.may)
		}
	}
}
