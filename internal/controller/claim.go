// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// A configuration in the cloud belongs to one object. What is in an object's
// applied and under its finalizer is its own; of the others that name the same
// key, the oldest that may have it comes first.

// keyIndex finds the objects that name one configuration.
const keyIndex = "key"

// rivals returns all objects of a key, those out of scope too. They are those of
// the cache: nobody may change them.
func (r *Reconciler) rivals(ctx context.Context, key string) ([]kind.Object, error) {
	return listed[kind.Object](ctx, r, r.kind.NewList(), "listing the objects of one domain", client.MatchingFields{keyIndex: key})
}

// cloudOf returns the cloud of an object, as far as it is known, and whether its
// account exists.
func (r *Reconciler) cloudOf(ctx context.Context, o kind.Object) (kind.Cloud, bool) {
	return r.cloudOfAccount(ctx, o.GetNamespace(), accountName(o))
}

// cloudOfAccount is the same for a LiveAccount, or the operator's own account. Of whose
// it is, what the token service told this process comes before what a status says.
func (r *Reconciler) cloudOfAccount(ctx context.Context, namespace, name string) (c kind.Cloud, exists bool) {
	id := r.accounts.KnownID(namespace, name)
	if name == "" {
		return kind.Cloud{ID: id, Host: r.accounts.Last("", nil).Client.Host()}, true
	}
	c.Account = types.NamespacedName{Namespace: namespace, Name: name}
	var account v1alpha1.LiveAccount
	if exists = r.Get(ctx, c.Account, &account) == nil; exists {
		c = kind.CloudOf(&account)
	}
	c.ID = cmp.Or(id, c.ID)
	return c, exists
}

// patienceOfIdentity is for how long the first who has a rival waits to know whose the
// operator's own account is.
const patienceOfIdentity = time.Second

// winner returns the object that comes before this one; nil if there is none.
func (p *pass) winner(ctx context.Context) (kind.Object, error) {
	rivals, err := p.rivals(ctx, p.key)
	if err != nil || len(rivals) <= 1 {
		return nil, err
	}
	if own := p.accounts.Last("", nil); !own.Asked {
		ctx, cancel := context.WithTimeout(ctx, patienceOfIdentity)
		_, _ = p.accounts.Identify(ctx, own) // this is when to know; not to know is an answer
		cancel()
	}
	mine, _ := p.cloudOf(ctx, p.obj)
	mine = mine.Of(p.obj)
	return foremost(rivals, func(o kind.Object) bool {
		return o.GetUID() != p.obj.GetUID() && kind.Precedes(o, p.obj) && !p.neglected(o) && p.may(ctx, o, mine)
	}), nil
}

// foremost returns the object that comes first of those that are fit; nil if none is.
func foremost(objects []kind.Object, fit func(kind.Object) bool) (first kind.Object) {
	for _, o := range objects {
		if (first == nil || kind.Precedes(o, first)) && fit(o) {
			first = o
		}
	}
	return first
}

// neglected tells whether nobody works on an object: it is out of scope, and no
// operator has looked at it for as long as one may need to.
func (r *Reconciler) neglected(o kind.Object) bool {
	return !r.scope.has(o) && !kind.Looked(o) && !kind.Wrote(o) && r.clock.Since(o.GetCreationTimestamp().Time) >= kind.Unseen
}

// may tells whether a rival may have what is in this cloud.
func (r *Reconciler) may(ctx context.Context, rival kind.Object, mine kind.Cloud) bool {
	theirs, exists := r.cloudOf(ctx, rival)
	return kind.May(rival, theirs, mine, exists, r.clock.Now())
}

// lose is the outcome for an object that another one comes before. It gives up
// what it may have, and leaves the cloud to the other.
func (p *pass) lose(ctx context.Context, winner kind.Object) outcome {
	if err := p.disown(ctx); err != nil {
		return outcome{fault: err}
	}
	p.dropChange()
	p.mem.nextSync = time.Time{} // start afresh when the winner has gone away
	after := time.Duration(0)
	if !p.scope.has(winner) && !kind.Looked(winner) { // it may turn out that nobody works on it
		after = max(time.Second, kind.Unseen-p.now.Sub(winner.GetCreationTimestamp().Time))
	}
	return outcome{Verdict: plan.Verdict{
		After: after,
		Ready: metav1.ConditionFalse, Reason: v1alpha1.ReasonConflict, Stalled: true, Event: v1alpha1.EventConflict,
		Message: fmt.Sprintf("%s belongs to %s %s, which comes first. Delete one of the two; this one takes over by itself when the other goes away.",
			p.key, p.kind.Name, client.ObjectKeyFromObject(winner)),
	}}
}

// disown makes the object own nothing: what it may have written stays where it is,
// and is not removed with the object.
func (p *pass) disown(ctx context.Context) error {
	if a := p.status.Applied; a != nil && (a.UID != "" || a.Pending != "") {
		a.UID, a.Pending, a.Refused = "", "", false
		if a.Revision == "" || !kind.HasFormat(a.Revision) {
			p.status.Applied = nil
		}
	} else if a != nil && kind.Legacy(a) {
		p.status.Applied = nil
	}
	return p.release(ctx)
}

// claim sets the finalizer, release removes it.
func (p *pass) claim(ctx context.Context) error {
	return p.patchFinalizer(ctx, controllerutil.AddFinalizer)
}

func (p *pass) release(ctx context.Context) error {
	return p.patchFinalizer(ctx, controllerutil.RemoveFinalizer)
}

// patchFinalizer patches a copy, as the reply would overwrite the status that
// this pass has changed in memory. The lock makes sure that an object which
// changed meanwhile is looked at again first.
func (p *pass) patchFinalizer(ctx context.Context, change func(client.Object, string) bool) error {
	patched := p.obj.DeepCopyObject().(kind.Object)
	if !change(patched, v1alpha1.Finalizer) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statusTimeout)
	defer cancel()
	patch := client.MergeFromWithOptions(p.obj.DeepCopyObject().(kind.Object), client.MergeFromWithOptimisticLock{})
	if err := p.Patch(ctx, patched, patch); err != nil {
		return &apiFault{"patching the finalizer", err}
	}
	for _, o := range []kind.Object{p.obj, p.before} {
		o.SetFinalizers(patched.GetFinalizers())
		o.SetResourceVersion(patched.GetResourceVersion())
	}
	return nil
}

// heir returns the object that takes over the configuration of one that is
// deleted: the first of those that name it in the same cloud account and would
// write it; nil if there is none. It may be one of another shard, if an operator has
// looked at it: one that nobody works on could never be deleted. It is none of a
// namespace that this operator has no permissions for.
func (p *pass) heir(ctx context.Context) (kind.Object, error) {
	rivals, err := p.rivals(ctx, p.key)
	if err != nil {
		return nil, err
	}
	return foremost(rivals, func(o kind.Object) bool {
		if !p.mayInherit(ctx, o) {
			return false
		}
		spec, _ := o.Callback()
		_, err := p.accounts.Find(ctx, o.GetNamespace(), spec.AccountRef, p.kind.Domain(o))
		return err == nil
	}), nil
}

// mayInherit tells whether another object of the key would write the configuration, and
// someone works on it.
func (p *pass) mayInherit(ctx context.Context, o kind.Object) bool {
	return (p.scope.has(o) || kind.Looked(o) && p.scope.hasNamespace(o.GetNamespace())) && kind.Inherits(o) && p.sameAccount(ctx, o)
}

// sameAccount tells whether another object's cloud account is the one that this
// one wrote to, and at the same endpoint: what a tenant's own endpoint holds is nothing
// to take over from elsewhere.
func (p *pass) sameAccount(ctx context.Context, o kind.Object) bool {
	a := p.status.Applied
	name := accountName(o)
	if name == a.Account && (name == "" || o.GetNamespace() == p.obj.GetNamespace()) {
		return true
	}
	id := p.accounts.KnownID(o.GetNamespace(), name)
	theirs, _ := p.cloudOf(ctx, o)
	mine, _ := p.cloudOfAccount(ctx, p.obj.GetNamespace(), a.Account)
	return id != "" && id == mine.ID && id == p.writtenTo() && theirs.SameEndpoint(mine)
}

// bequeath gives the ownership of what this object wrote to its heir, which
// converges it to its own spec.
func (p *pass) bequeath(ctx context.Context, heir kind.Object) error {
	h := &pass{Reconciler: p.Reconciler, obj: heir.DeepCopyObject().(kind.Object), mem: &memory{}}
	h.before = h.obj.DeepCopyObject().(kind.Object)
	h.spec, h.status = kind.Shared(h.obj)
	if err := h.own(ctx); err != nil {
		return err
	}
	h.status.Applied = p.status.Applied.DeepCopy()
	h.status.Applied.UID, h.status.Applied.Account = h.obj.GetUID(), accountName(h.obj)
	h.status.Applied.AccountID = p.writtenTo()
	if p.kind.Recall != nil {
		p.kind.Wrote(h.obj, p.kind.Recall(p.obj, nil))
	}
	if err := h.patchStatus(ctx); err != nil {
		return &apiFault{"handing over to the heir", err}
	}
	return nil
}

// accountName returns the LiveAccount that an object refers to; "" for the
// operator's own account.
func accountName(o kind.Object) string {
	spec, _ := o.Callback()
	return ptr.Deref(spec.AccountRef, v1alpha1.AccountReference{}).Name
}
