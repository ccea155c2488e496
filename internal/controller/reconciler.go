// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// shared is what the reconcilers of all kinds use.
type shared struct {
	client.Client               // reads from the cache
	uncached      client.Reader // reads Secrets, which are cached as metadata only
	manager       ctrl.Manager
	accounts      *Accounts
	events        events.EventRecorder
	clock         clock.PassiveClock
	workers       int
}

// Reconciler converges the objects of one kind.
type Reconciler[O Object, C Config[C]] struct {
	*shared
	kind     Kind[O, C]
	memories memories
}

// pass is one reconciliation of one object.
type pass[O Object, C Config[C]] struct {
	*Reconciler[O, C]
	obj    O
	before O // obj as it was, but for what was patched since
	spec   *v1alpha1.CallbackSpec
	status *v1alpha1.CallbackStatus
	key    string // of the configuration in the cloud
	mem    *memory
	isNew  bool // no pass of this process has seen the object before
	now    time.Time
	lane   live.Lane // of the pass, once it is known to be due
}

// Reconcile makes one pass over an object: it converges it in memory, then
// writes the status once, if a fact has moved.
func (r *Reconciler[O, C]) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	obj := r.kind.New()
	if err := r.Get(ctx, req.NamespacedName, obj); apierrors.IsNotFound(err) {
		r.memories.forget(req.NamespacedName)
		perObject.forget(r.kind.Name, req.NamespacedName)
		return reconcile.Result{}, nil
	} else if err != nil {
		return reconcile.Result{}, err
	}
	p := r.begin(obj)
	if p.mem.ahead(obj) {
		return reconcile.Result{RequeueAfter: minWait}, nil
	}
	p.introduce()
	out := p.converge(ctx)
	switch {
	case out.fault != nil:
		p.mem.tried = attempt{} // so that the next pass does what this one could not
	case !out.idle:
		p.schedule(out)
		p.conclude(ctx, out)
	}
	unwritten := p.write(ctx)
	if unwritten != nil { // what it tells would else wait until something is due
		p.mem.tried, p.mem.nextCount = attempt{}, time.Time{}
	}
	err := errors.Join(out.fault, unwritten)
	switch {
	case apierrors.IsConflict(out.fault):
		// The object is not as the cache shows it: look again, it is no error.
		return reconcile.Result{RequeueAfter: minRetry}, nil
	case err != nil || out.gone:
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: p.comeBack(), Priority: new(p.priority(out))}, nil
}

// Priorities in the work queue. A change of an object has that of the queue's
// default, 0. The rest is lower than what the queue gives the objects that it
// finds at start, so that none of these starves behind requeues
// (kubernetes-sigs/controller-runtime#3496).
const (
	priorityNew     = handler.LowPriority
	priorityRefresh = 2 * handler.LowPriority
)

// priority returns that of the next pass: what could not be done now keeps its
// own, the rest is refreshing.
func (p *pass[O, C]) priority(out outcome) int {
	switch {
	case !out.transient:
		return priorityRefresh
	case p.lane == live.LaneUser || p.lane == "":
		return 0
	case p.lane == live.LaneNew:
		return priorityNew
	default:
		return priorityRefresh
	}
}

// begin starts a pass.
func (r *Reconciler[O, C]) begin(obj O) *pass[O, C] {
	p := &pass[O, C]{
		Reconciler: r,
		obj:        obj, before: obj.DeepCopyObject().(O),
		key: r.kind.Key(obj), now: r.clock.Now(),
	}
	p.spec, p.status = obj.Callback()
	p.mem, p.isNew = r.memories.get(client.ObjectKeyFromObject(obj), obj.GetUID())
	return p
}

// introduce gives a new object its conditions, of no generation yet.
func (p *pass[O, C]) introduce() {
	if p.reason(v1alpha1.ConditionReady) != "" {
		return
	}
	for _, c := range []metav1.Condition{
		{Type: v1alpha1.ConditionReady, Reason: v1alpha1.ReasonProgressing, Message: "The operator is about to look at the cloud."},
		{Type: v1alpha1.ConditionCallbacksHealthy, Reason: v1alpha1.ReasonRecordsUnavailable, Message: "Callbacks were not counted yet."},
	} {
		c.Status = metav1.ConditionUnknown
		meta.SetStatusCondition(&p.status.Conditions, c)
	}
}

// converge brings the cloud to the spec, as far as this pass can.
func (p *pass[O, C]) converge(ctx context.Context) outcome {
	winner, err := p.winner(ctx)
	switch {
	case err != nil:
		return outcome{fault: err}
	case winner != nil:
		return p.lose(ctx, winner)
	case !p.obj.GetDeletionTimestamp().IsZero():
		return p.delete(ctx)
	case p.spec.Suspend:
		return p.suspend()
	}
	cloud, err := p.accounts.Client(ctx, p.obj.GetNamespace(), p.spec.AccountRef, p.domain())
	if err != nil {
		return failed(err)
	}
	remote := p.kind.Remote(cloud)
	out := p.sync(ctx, cloud, remote)
	p.count(ctx, remote)
	return out
}

// domain returns the domain that the object manages; "" if it is of a kind that
// manages something else.
func (p *pass[O, C]) domain() string {
	if p.kind.OfDomain {
		return p.key
	}
	return ""
}

// suspend leaves everything as it is.
func (p *pass[O, C]) suspend() outcome {
	p.mem.tried = attempt{} // whatever happens meanwhile, look again afterwards
	return outcome{ready: metav1.ConditionUnknown, reason: v1alpha1.ReasonSuspended, message: "spec.suspend is true: no call is made to the cloud. Set it to false to go on."}
}

// patience is how many transient failures in a row an object that is in sync
// endures before Ready says so: a single lost reply is no news.
const patience = 3

// conclude turns an outcome into conditions, events and a line in the log.
func (p *pass[O, C]) conclude(ctx context.Context, out outcome) {
	previous := meta.FindStatusCondition(p.status.Conditions, v1alpha1.ConditionReady)
	p.status.ObservedGeneration = p.obj.GetGeneration()
	if out.transient && p.mem.failures < patience && p.readyNow() {
		return
	}
	changed := previous == nil || previous.Reason != out.reason || previous.Message != out.message
	p.setCondition(v1alpha1.ConditionReady, out.ready, out.reason, out.message)
	if out.stalled {
		p.setCondition(v1alpha1.ConditionStalled, metav1.ConditionTrue, out.reason, out.message)
	} else {
		meta.RemoveStatusCondition(&p.status.Conditions, v1alpha1.ConditionStalled)
	}
	if !changed {
		return
	}
	if out.event != "" {
		p.warn(out.event, "%s", out.message)
	}
	if out.err != nil {
		withRequestID(log.FromContext(ctx), out.err).Info("cannot converge", "reason", out.reason, "error", out.err.Error())
	}
}

// withRequestID adds the request ID of an error, if it has one.
func withRequestID(log logr.Logger, err error) logr.Logger {
	if e, ok := errors.AsType[*live.Error](err); ok && e.RequestID != "" {
		return log.WithValues("requestID", e.RequestID)
	}
	return log
}

// readyNow tells whether Ready is True for the spec as it is.
func (p *pass[O, C]) readyNow() bool {
	ready := meta.FindStatusCondition(p.status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == p.obj.GetGeneration()
}

// schedule sets when the configuration is next looked at.
func (p *pass[O, C]) schedule(out outcome) {
	if !out.transient {
		p.mem.failures = 0
	}
	switch {
	case out.transient:
		p.mem.failures++
		wait := backoff(p.mem.failures)
		if out.after > 0 { // who said when is taken at his word
			wait = max(out.after, minWait)
		}
		p.mem.nextSync = p.now.Add(wait)
	case out.stalled:
		p.mem.nextSync = p.now.Add(terminalRetry)
	case out.after > 0:
		p.mem.nextSync = p.now.Add(out.after)
	default:
		p.mem.nextSync = nextDue(p.now, p.spec.ResyncInterval.Duration, p.obj.GetUID())
	}
}

// comeBack returns the wait until the next pass.
func (p *pass[O, C]) comeBack() time.Duration {
	due := p.mem.nextSync
	if next := p.mem.nextCount; next.After(p.now) && next.Before(due) {
		due = next
	}
	return max(due.Sub(p.clock.Now()), time.Millisecond)
}

// statusTimeout bounds the patch of a status, which nothing else cuts short.
const statusTimeout = 10 * time.Second

// write patches the status if anything but the time of the last read moved.
func (p *pass[O, C]) write(ctx context.Context) error {
	observeStatus(p.kind.Name, p.obj, p.status)
	if equality.Semantic.DeepEqual(p.before, p.obj) {
		return nil
	}
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
	return client.IgnoreNotFound(err)
}

// patchStatus patches the status, if the object is of the version that is known.
func (p *pass[O, C]) patchStatus(ctx context.Context) error {
	patched := p.obj.DeepCopyObject().(O)
	err := p.Status().Patch(ctx, patched, client.MergeFromWithOptions(p.before, client.MergeFromWithOptimisticLock{}))
	if err == nil {
		p.mem.version = patched.GetResourceVersion()
	}
	return err
}

// patchChanged patches the status of an object that has changed meanwhile: this
// operator is the only writer of status. But another object that has taken the
// name must not inherit it; a UID in the patch would not tell, as the API server
// ignores it there.
func (p *pass[O, C]) patchChanged(ctx context.Context) error {
	now := p.kind.New()
	if err := p.uncached.Get(ctx, client.ObjectKeyFromObject(p.obj), now); err != nil {
		return err
	}
	if now.GetUID() != p.obj.GetUID() {
		return nil
	}
	for _, o := range []O{p.obj, p.before} {
		o.SetResourceVersion(now.GetResourceVersion())
	}
	return p.patchStatus(ctx)
}

// reason returns that of a condition; "" if there is none.
func (p *pass[O, C]) reason(condition string) string {
	if c := meta.FindStatusCondition(p.status.Conditions, condition); c != nil {
		return c.Reason
	}
	return ""
}

// setCondition returns whether the condition changed.
func (p *pass[O, C]) setCondition(kind string, status metav1.ConditionStatus, reason, message string) bool {
	return meta.SetStatusCondition(&p.status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message,
		ObservedGeneration: p.obj.GetGeneration(), LastTransitionTime: metav1.NewTime(p.now),
	})
}

// tell and warn give an event about the object. The action is the reason, as
// the operator does nothing else.
func (p *pass[O, C]) tell(reason, note string, args ...any) {
	p.events.Eventf(p.obj, nil, corev1.EventTypeNormal, reason, reason, note, args...)
}

func (p *pass[O, C]) warn(reason, note string, args ...any) {
	p.events.Eventf(p.obj, nil, corev1.EventTypeWarning, reason, reason, note, args...)
}
