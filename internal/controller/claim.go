// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

// keyIndex finds the objects of a kind by their key in the cloud.
const keyIndex = "key"

// rivals returns all objects of the kind that have this key, in any namespace.
func (r *Reconciler[O, C]) rivals(ctx context.Context, key string) ([]O, error) {
	list := r.kind.NewList()
	if err := r.List(ctx, list, client.MatchingFields{keyIndex: key}); err != nil {
		return nil, fmt.Errorf("listing the objects of %s: %w", key, err)
	}
	return objects[O](list), nil
}

// winner returns the object that has the key in place of this one: the oldest,
// then the one with the lowest UID. It returns nil if that is this one.
func (p *pass[O, C]) winner(ctx context.Context) (client.Object, error) {
	rivals, err := p.rivals(ctx, p.key)
	if err != nil {
		return nil, err
	}
	var winner client.Object = p.obj
	for _, rival := range rivals {
		if precedes(rival, winner) {
			winner = rival
		}
	}
	if winner.GetUID() == p.obj.GetUID() {
		return nil, nil
	}
	return winner, nil
}

// precedes tells whether a has the better claim.
func precedes(a, b client.Object) bool {
	at, bt := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if at.Equal(&bt) {
		return a.GetUID() < b.GetUID()
	}
	return at.Before(&bt)
}

// lose gives up the claim, without a call to the cloud: it is the winner's now.
func (p *pass[O, C]) lose(ctx context.Context, winner client.Object) outcome {
	deleted := !p.obj.GetDeletionTimestamp().IsZero()
	if err := p.release(ctx); err != nil {
		return outcome{fault: err}
	}
	p.mem.tried = attempt{} // start afresh when the winner has gone away
	return outcome{
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonConflict, stalled: true, gone: deleted, event: v1alpha1.EventConflict,
		message: fmt.Sprintf("%s belongs to %s %s, which is older. Delete one of the two; this one takes over by itself when the other goes away.",
			p.key, p.kind.Name, client.ObjectKeyFromObject(winner)),
	}
}

func (p *pass[O, C]) claimed() bool {
	return controllerutil.ContainsFinalizer(p.obj, v1alpha1.Finalizer)
}

// own makes sure, before a write to the cloud, that the claim is set and that
// the object still is as this pass sees it. The cache does not say so: that of a
// new process may be of a server that lags behind, and a leader that was
// replaced may not know it yet.
func (p *pass[O, C]) own(ctx context.Context) error {
	if !p.claimed() {
		return p.claim(ctx) // which tells too, by its lock
	}
	now := p.kind.New()
	err := p.uncached.Get(ctx, client.ObjectKeyFromObject(p.obj), now)
	switch {
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("reading the object: %w", err)
	case err == nil && now.GetUID() == p.obj.GetUID() && now.GetGeneration() == p.obj.GetGeneration() && controllerutil.ContainsFinalizer(now, v1alpha1.Finalizer):
		return nil
	default:
		return apierrors.NewConflict(schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: p.kind.Name}, p.obj.GetName(), errOutdated)
	}
}

// errOutdated: the cache shows an object of the past.
var errOutdated = errors.New("the object has changed since")

// claim sets the finalizer, release removes it.
func (p *pass[O, C]) claim(ctx context.Context) error {
	return p.patchFinalizer(ctx, controllerutil.AddFinalizer)
}

func (p *pass[O, C]) release(ctx context.Context) error {
	return p.patchFinalizer(ctx, controllerutil.RemoveFinalizer)
}

// patchFinalizer patches a copy, as the reply would overwrite the status that
// this pass has changed in memory. The lock makes sure that an object which
// changed meanwhile is looked at again first.
func (p *pass[O, C]) patchFinalizer(ctx context.Context, change func(client.Object, string) bool) error {
	patched := p.obj.DeepCopyObject().(O)
	if !change(patched, v1alpha1.Finalizer) {
		return nil
	}
	patch := client.MergeFromWithOptions(p.obj.DeepCopyObject().(O), client.MergeFromWithOptimisticLock{})
	if err := p.Patch(ctx, patched, patch); err != nil {
		return fmt.Errorf("patching the finalizer: %w", err)
	}
	for _, o := range []O{p.obj, p.before} {
		o.SetFinalizers(patched.GetFinalizers())
		o.SetResourceVersion(patched.GetResourceVersion())
	}
	p.mem.version = patched.GetResourceVersion()
	return nil
}
