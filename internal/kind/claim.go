// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// Cloud is where an object's configuration is: what of it can be told apart.
type Cloud struct {
	Account types.NamespacedName // the LiveAccount; empty for the operator's own
	ID      string               // of the cloud account; "" if it is not verified
	Host    string               // of the endpoint; "" if it is not known
}

// Same tells whether two objects may mean one configuration. Two verified
// accounts, or an endpoint of the vendor and another one, have nothing in common:
// whatever a tenant's own endpoint says, it keeps nobody else from a domain.
func (c Cloud) Same(other Cloud) bool {
	switch {
	case c.Account == other.Account:
		return true
	case c.ID != "" && other.ID != "":
		return c.ID == other.ID
	default:
		return c.SameEndpoint(other)
	}
}

// SameEndpoint tells whether two objects may be asked for at one place: the endpoint of
// one, all those of the vendor, or one that is not known.
func (c Cloud) SameEndpoint(other Cloud) bool {
	return c.Host == "" || other.Host == "" || c.Host == other.Host || live.VendorEndpoint(c.Host) && live.VendorEndpoint(other.Host)
}

// CloudOf returns the cloud that a LiveAccount is of.
func CloudOf(account *v1alpha1.LiveAccount) Cloud {
	c := Cloud{
		Account: types.NamespacedName{Namespace: account.Namespace, Name: account.Name},
		Host:    live.HostOf(account.Spec.Endpoint),
	}
	if meta.IsStatusConditionTrue(account.Status.Conditions, v1alpha1.ConditionVerified) {
		c.ID = account.Status.AccountID
	}
	return c
}

// Precedes tells whether a comes before b, of two objects that name a key. Creation
// times are in seconds: of two in one, whoever has written something comes first.
func Precedes(a, b Object) bool {
	if owns := Wrote(a); owns != Wrote(b) {
		return owns
	}
	at, bt := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if !at.Equal(&bt) {
		return at.Before(&bt)
	}
	if claimed := Claimed(a); claimed != Claimed(b) {
		return claimed
	}
	return a.GetUID() < b.GetUID()
}

// Unseen is for how long an object that no operator has looked at yet keeps its
// place in front of one of another account.
const Unseen = time.Minute

// Looked tells whether an operator has looked at an object.
func Looked(o Object) bool {
	_, status := o.Callback()
	return status.ObservedGeneration > 0
}

// Of returns the cloud with the account of what an object owns, where that of its
// credentials is not verified: as while a Secret is lost. It keeps the object from
// rivals of other clouds. It is no claim of a rival, as a tenant may have written it.
func (c Cloud) Of(o Object) Cloud {
	if c.ID == "" && Wrote(o) {
		_, status := o.Callback()
		c.ID = status.Applied.AccountID
	}
	return c
}

// May tells whether a rival, whose account exists or not, may have what is in the
// cloud of another object. To name a domain is not enough: who owns nothing yet
// must not have been refused it, and towards another account must have read it.
// Towards a verified account it must be known to be verified itself: an endpoint of a
// tenant's own may have told it that it wrote or read the domain, or the tenant may
// have written so into its status.
func May(rival Object, theirs, mine Cloud, exists bool, now time.Time) bool {
	if !theirs.Same(mine) {
		return false
	}
	mere := theirs.Account != mine.Account && theirs.ID == "" && mine.ID != ""
	_, status := rival.Callback()
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	if Wrote(rival) {
		return !mere && !neverThere(status, ready)
	}
	if ready != nil {
		switch ready.Reason {
		case v1alpha1.ReasonAccountNotReady, v1alpha1.ReasonAccessDenied, v1alpha1.ReasonDomainNotFound, v1alpha1.ReasonWrongDomainType:
			return false
		}
	}
	switch {
	case !exists || !rival.GetDeletionTimestamp().IsZero():
		return false
	case theirs.Account == mine.Account || status.LastSyncTime != nil:
		return !mere
	default:
		return !Looked(rival) && now.Sub(rival.GetCreationTimestamp().Time) < Unseen
	}
}

// neverThere tells that all an object owns is a write whose reply was lost, and that
// its cloud does not have what the write was for: nothing can have been written.
func neverThere(status *v1alpha1.CallbackStatus, ready *metav1.Condition) bool {
	return status.Applied != nil && status.Applied.Revision == "" && ready != nil &&
		(ready.Reason == v1alpha1.ReasonDomainNotFound || ready.Reason == v1alpha1.ReasonWrongDomainType)
}

// Inherits tells whether an object would write what another one leaves that names it too.
func Inherits(o Object) bool {
	spec, _ := o.Callback()
	return o.GetDeletionTimestamp().IsZero() && spec.ManagementPolicy != v1alpha1.Observe && !spec.Suspend
}
