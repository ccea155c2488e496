// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/account"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

// shared is what the reconcilers of all kinds use.
type shared struct {
	client.Client               // reads from the cache
	uncached      client.Reader // reads Secrets, which are cached as metadata only
	manager       ctrl.Manager
	accounts      *account.Accounts
	events        events.EventRecorder
	clock         clock.PassiveClock
	watchdog      *watchdog
	scope         Scope
	workers       int
	deletions     *ownDeletions
	granting      sync.Map // the LiveRolloutPolicies, by UID, in which a worker is noting the start of a change
}

// Reconciler converges the objects of one kind.
type Reconciler struct {
	*shared
	kind     *kind.Kind
	slots    *quota.Slots
	memories memories
}

// pass is one reconciliation of one object.
type pass struct {
	*Reconciler
	obj     kind.Object
	before  kind.Object // obj as the API server has it, as far as this pass knows
	spec    kind.Spec
	status  kind.Status
	key     string // of the configuration in the cloud
	mem     *memory
	account *account.Account // nil before it is found
	now     time.Time
	lane    quota.Lane // of the pass, once it is known to be due
	asked   bool       // someone changed something since the last try
	counted bool       // callbacks, in this pass
	steering
	aim     kind.Object // obj with the configuration that the cloud is to hold; nil for obj itself
	writing time.Time   // when the last write began, by the clock of the cloud
	// countsOn: counting is still to be gone on with.
	countsOn bool
	keyRead  func() (live.Key, authentication, error)
	news     []news // events to give once the status tells the same
}

// news is an event that is still to be given.
type news struct{ kind, reason, note string }

// passTimeout bounds the calls of a pass. One account's slow endpoint holds a
// worker no longer.
const passTimeout = 15 * time.Second

// Reconcile makes one pass over an object: it converges it in memory, then writes
// the status once, if a fact has moved.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	defer r.watchdog.enter()()
	obj := r.kind.New()
	if err := r.Get(ctx, req.NamespacedName, obj); apierrors.IsNotFound(err) {
		r.memories.forget(req.NamespacedName)
		return reconcile.Result{}, nil
	} else if err != nil {
		return reconcile.Result{}, &apiFault{"reading the object", err}
	}
	if wait := r.handOver(obj); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	known := r.memories.known(req.NamespacedName)
	p := r.begin(obj)
	if !r.scope.has(obj) {
		return p.leave(ctx, known)
	}
	ctx, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	return p.finish(ctx, p.converge(ctx))
}

// begin starts a pass.
func (r *Reconciler) begin(obj kind.Object) *pass {
	p := &pass{
		Reconciler: r,
		obj:        obj, before: obj.DeepCopyObject().(kind.Object),
		key: r.kind.Key(obj), now: r.clock.Now(),
	}
	p.spec, p.status = kind.Shared(obj)
	p.mem = r.memories.get(client.ObjectKeyFromObject(obj), obj.GetUID())
	p.introduce()
	return p
}

// introduce gives a new object its conditions, of no generation yet.
func (p *pass) introduce() {
	if p.reason(v1alpha1.ConditionReady) != "" {
		return
	}
	first := []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: v1alpha1.ReasonProgressing, Message: "The operator is about to look at the cloud."}}
	if p.kind.Records != nil {
		first = append(first, metav1.Condition{Type: v1alpha1.ConditionCallbacksHealthy, Reason: v1alpha1.ReasonRecordsUnavailable, Message: "Callbacks were not counted yet."})
	}
	for _, c := range first {
		c.Status = metav1.ConditionUnknown
		meta.SetStatusCondition(&p.status.Conditions, c)
	}
}

// converge brings the cloud to the spec, as far as this pass can.
func (p *pass) converge(ctx context.Context) outcome {
	deleted := !p.obj.GetDeletionTimestamp().IsZero()
	winner, err := p.winner(ctx)
	switch {
	case err != nil:
		return outcome{fault: err}
	case deleted:
		return p.delete(ctx, winner)
	case winner != nil:
		return p.lose(ctx, winner)
	case p.spec.Suspend:
		return p.suspend()
	}
	p.account, err = p.accounts.Find(ctx, p.obj.GetNamespace(), p.spec.AccountRef, p.kind.Domain(p.obj))
	if err != nil {
		return failed(err)
	}
	leave, ok := p.slots.Enter(p.account.Label, p.awaited())
	if !ok {
		return deferred(slotWait())
	}
	defer leave()
	if kind.LostFinalizer(p.obj) {
		if err := p.own(ctx); err != nil {
			return outcome{fault: err}
		}
	}
	out := p.bring(ctx)
	if out.idle || out.read || out.steady {
		out.recount = p.count(ctx, out.read)
	}
	return out
}

// bring brings the cloud to the spec, or to what the guard holds on to instead.
func (p *pass) bring(ctx context.Context) outcome {
	if err := p.guarded(ctx); err != nil {
		return outcome{fault: err}
	}
	if err := p.watch(ctx); err != nil {
		return outcome{fault: err}
	}
	if out, ok := p.steer(ctx); !ok {
		return out
	}
	return p.sync(ctx)
}

// awaited tells whether someone has changed the spec of an object that was in the
// cloud before, or asks to look at it now.
func (p *pass) awaited() bool {
	return p.requested() || p.status.LastSyncTime != nil && p.status.ObservedGeneration != p.obj.GetGeneration()
}

// suspend leaves everything as it is.
func (p *pass) suspend() outcome {
	p.mem.nextSync = time.Time{} // whatever happens meanwhile, look again afterwards
	return outcome{Verdict: plan.Verdict{
		Ready: metav1.ConditionUnknown, Reason: v1alpha1.ReasonSuspended,
		Message: "spec.suspend is true: no call is made to the cloud. Set it to false to go on.",
	}}
}

// observes tells that nothing is written to the cloud.
func (p *pass) observes() bool { return p.spec.ManagementPolicy == v1alpha1.Observe }

// statusTimeout bounds a patch, which nothing else cuts short.
const statusTimeout = 10 * time.Second

// writeStatus patches the status if anything but the time of the last read moved,
// and then tells the news.
func (p *pass) writeStatus(ctx context.Context) error {
	if !equality.Semantic.DeepEqual(p.before, p.obj) {
		if !p.mem.syncedAt.IsZero() {
			p.status.LastSyncTime = &metav1.Time{Time: p.mem.syncedAt.Truncate(time.Second)}
		}
		// What was done is told also when the operator is told to stop meanwhile:
		// the next one would do it again.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statusTimeout)
		defer cancel()
		err := p.patchStatus(ctx)
		if apierrors.IsConflict(err) {
			err = p.patchChanged(ctx)
		}
		if err != nil {
			return &apiFault{"patching the status", err}
		}
	}
	p.announce()
	return nil
}

// announce gives the events that were held back so far.
func (p *pass) announce() {
	for _, n := range p.news {
		p.events.Eventf(p.obj, nil, n.kind, n.reason, n.reason, "%s", n.note)
	}
	p.news = nil
}

// patchStatus patches the status if the object still is as this pass knows it.
// Without a change it only finds that out: then the API server writes nothing.
func (p *pass) patchStatus(ctx context.Context) error {
	patched := p.obj.DeepCopyObject().(kind.Object)
	err := p.Status().Patch(ctx, patched, client.MergeFromWithOptions(p.before, client.MergeFromWithOptimisticLock{}))
	if err == nil {
		p.obj.SetResourceVersion(patched.GetResourceVersion())
		p.before = p.obj.DeepCopyObject().(kind.Object)
	}
	return err
}

// patchChanged patches the status of an object whose spec or metadata have changed
// meanwhile. Another object that has taken the name must not inherit it, and what
// another operator wrote must stand.
func (p *pass) patchChanged(ctx context.Context) error {
	now := p.kind.New()
	if err := p.uncached.Get(ctx, client.ObjectKeyFromObject(p.obj), now); err != nil {
		return err
	}
	_, status := kind.Shared(now)
	_, known := kind.Shared(p.before)
	if now.GetUID() != p.obj.GetUID() || !equality.Semantic.DeepEqual(status, known) {
		return apierrors.NewConflict(v1alpha1.GroupVersion.WithResource(p.kind.Name).GroupResource(), p.obj.GetName(), errOutdated)
	}
	for _, o := range []kind.Object{p.obj, p.before} {
		o.SetResourceVersion(now.GetResourceVersion())
	}
	return p.patchStatus(ctx)
}

// reason returns that of a condition; "" if there is none.
func (p *pass) reason(condition string) string {
	return reasonOf(p.status.CallbackStatus, condition)
}

// setCondition sets a condition for the generation of this pass.
func (p *pass) setCondition(kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&p.status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: live.Bound(message, maxMessage),
		ObservedGeneration: p.obj.GetGeneration(), LastTransitionTime: metav1.NewTime(p.now),
	})
}

// maxMessage bounds a message, in bytes.
const maxMessage = 2000

// tell and warn give an event about the object once the status is written. The
// action is the reason, as the operator does nothing else.
func (p *pass) tell(reason, note string) {
	p.news = append(p.news, news{corev1.EventTypeNormal, reason, live.Bound(note, maxNote)})
}

func (p *pass) warn(reason, note string) {
	p.news = append(p.news, news{corev1.EventTypeWarning, reason, live.Bound(note, maxNote)})
}

// maxNote is what the API server takes for the note of an event, in bytes.
const maxNote = 1000

// requested tells whether someone asks to look now, and that is still to be done.
func (p *pass) requested() bool { return kind.Requested(p.obj) }

// handled notes that what someone asked for is done: this pass had an outcome,
// whatever it was, and has no records left to count.
func (p *pass) handled() {
	if p.requested() && !p.countsOn {
		p.status.LastHandledReconcileAt = kind.RequestOf(p.obj)
	}
}
