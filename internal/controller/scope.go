// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
)

// Scope is which objects are worked on. The others are looked at all the same, as
// far as the cache has them: a domain belongs to one object of the whole cluster.
type Scope struct {
	Namespaces []string        // all if empty
	Selector   labels.Selector // by labels; all if nil
}

// has tells whether an object is in the scope.
func (s Scope) has(o client.Object) bool {
	return s.hasNamespace(o.GetNamespace()) && (s.Selector == nil || s.Selector.Matches(labels.Set(o.GetLabels())))
}

func (s Scope) hasNamespace(name string) bool {
	return len(s.Namespaces) == 0 || slices.Contains(s.Namespaces, name)
}

// handOverTimeout is for how long an object that comes into the scope waits for the
// operator that had it before: the most that a pass of that one takes, with a write
// to the cloud and two to the API server.
const handOverTimeout = 2*passTimeout + 2*statusTimeout

// handOver returns for how long an object that has come into the scope is still to
// be left to the operator that had it: until that has taken its finalizer away,
// which it does once its last pass is over. One that does not answer holds it up for
// handOverTimeout. So two operators never write to the cloud for one object.
func (r *Reconciler) handOver(o kind.Object) time.Duration {
	name := client.ObjectKeyFromObject(o)
	arrived, ok := r.memories.arrived.Load(name)
	if !ok {
		return 0
	}
	if wait := arrived.(time.Time).Add(handOverTimeout).Sub(r.clock.Now()); wait > 0 && kind.Claimed(o) && r.scope.has(o) {
		return wait
	}
	r.memories.arrived.Delete(name)
	return 0
}

// leave lets go of an object that has left the scope, as by the loss of the label
// of the selector: whoever has it in scope now goes on with it, as its status says
// what it owns. Without anybody it hangs on no finalizer. Known tells that it was in
// scope: the finalizer of one that never was is someone else's.
func (p *pass) leave(ctx context.Context, known bool) (reconcile.Result, error) {
	if known && kind.Claimed(p.obj) {
		stays := !p.obj.GetDeletionTimestamp().IsZero() && kind.Wrote(p.obj)
		if err := p.release(ctx); err != nil {
			return p.faulted(ctx, asFault(err))
		}
		if stays {
			p.tell(v1alpha1.EventRetained, fmt.Sprintf("The configuration of %s stays in the cloud: the object left the scope of the operator while it was being deleted", p.key))
			p.announce()
		}
	}
	p.memories.forget(client.ObjectKeyFromObject(p.obj))
	return reconcile.Result{}, nil
}
