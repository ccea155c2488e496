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
		if !Wrote(o) {
			t.Errorf("%s: it owns nothing", tc.name)
		}
		if may := May(o, theirs, mine, true, time.Unix(0, 0)); may != tc.may {
			t.Errorf("%s: got %t, want %t", tc.name, may, tc.may)
		}
	}
}

// TestWhatAnEndpointToldKeepsNobodyOut: an account whose own endpoint confirmed writes
// and reads has no claim on what is in the cloud of a verified one, when it then turns
// to the same endpoint with credentials that nobody knows. Within one account, and
// where nobody can be asked, ownership counts as ever.
func TestWhatAnEndpointToldKeepsNobodyOut(t *testing.T) {
	cloud := func(name, id string) Cloud {
		return Cloud{Account: types.NamespacedName{Namespace: name, Name: "a"}, ID: id, Host: "live.aliyuncs.com"}
	}
	wrote := func(accountID string) *v1alpha1.Applied {
		return &v1alpha1.Applied{UID: "uid", Revision: "1:a", AccountID: accountID}
	}
	for _, tc := range []struct {
		name         string
		applied      *v1alpha1.Applied // of the rival; nil if it has read alone
		theirs, mine Cloud
		may          bool
	}{
		{"wrote, never verified", wrote(""), cloud("b", ""), cloud("a", "1"), false},
		{"wrote when it was verified", wrote("2"), cloud("b", ""), cloud("a", "1"), false},
		{"read alone", nil, cloud("b", ""), cloud("a", "1"), false},
		{"wrote, and its status alone says that it is of the same account", wrote("1"), cloud("b", ""), cloud("a", "1"), false},
		{"wrote, is of the same account", wrote(""), cloud("b", "1"), cloud("a", "1"), true},
		{"wrote, by the same LiveAccount", wrote(""), cloud("a", ""), cloud("a", "1"), true},
		{"wrote, nobody can be asked", wrote(""), cloud("b", ""), cloud("a", ""), true},
		{"read alone, nobody can be asked", nil, cloud("b", ""), cloud("a", ""), true},
		{"wrote when it was verified, towards one whose Secret is lost", wrote("2"), cloud("b", ""), cloud("a", "").Of(holder(wrote("1"))), false},
	} {
		o := holder(tc.applied)
		if may := May(o, tc.theirs, tc.mine, true, time.Unix(0, 0)); may != tc.may {
			t.Errorf("%s: got %t, want %t", tc.name, may, tc.may)
		}
	}
}

// holder is an object that is in sync, as far as its endpoint tells, and then suspended.
func holder(applied *v1alpha1.Applied) *v1alpha1.LiveNotifyConfig {
	o := &v1alpha1.LiveNotifyConfig{}
	o.UID = "uid"
	if o.Status.Applied = applied; applied != nil {
		o.Finalizers = []string{v1alpha1.Finalizer}
	}
	o.Status.ObservedGeneration, o.Status.LastSyncTime = 1, &metav1.Time{Time: time.Unix(0, 0)}
	o.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: v1alpha1.ReasonSuspended}}
	return o
}
