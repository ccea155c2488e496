// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

// outcome is how a pass ended: what Ready says, and when to come back.
type outcome struct {
	plan.Verdict
	// err is what went wrong in the cloud, for the log.
	err error
	// idle: nothing was due, and nothing is known that was not before.
	idle bool
	// read: the cloud answered, whatever became of it.
	read bool
	// steady: it is told as Stalled, and yet there is nothing to retry.
	steady bool
	// gone: the finalizer is released; there is nothing to come back to.
	gone bool
	// deferral: the operator holds back by itself until then. It is no failure, and
	// no condition moves for it.
	deferral *quota.Deferral
	// withdrawn: it was noted as about to be written, and then had no turn.
	withdrawn bool
	// recount is when to come back to go on counting, if that is soon; 0 for not.
	recount time.Duration
	// fault is a failure of the Kubernetes API.
	fault error
}

func deferred(wait time.Duration) outcome { return outcome{deferral: &quota.Deferral{Wait: wait}} }

// failed is the outcome of a pass that failed: for want of a thing of the
// cluster, by an error of the cloud, by our own pacing, or by a fault of the
// Kubernetes API.
func failed(err error) outcome {
	if unavailable, ok := errors.AsType[*plan.Unavailable](err); ok {
		return outcome{Verdict: unavailable.Verdict(), err: err}
	}
	if d, ok := errors.AsType[*quota.Deferral](err); ok {
		return outcome{deferral: d}
	}
	if e, ok := errors.AsType[*live.Error](err); ok {
		return outcome{Verdict: plan.Failed(e), err: e}
	}
	return outcome{fault: err}
}

// finish turns the outcome of a pass into conditions, events, a line in the log,
// and the time of the next one.
func (p *pass) finish(ctx context.Context, out outcome) (reconcile.Result, error) {
	if out.fault != nil {
		return p.faulted(ctx, asFault(out.fault))
	}
	if out.deferral != nil && out.Reason == "" {
		if !out.deferral.Outage || p.readyNow() {
			return p.wait(ctx, out)
		}
		out.Verdict = p.outage(out.deferral.Wait)
	}
	p.concludeGuard(&out)
	if err := p.yieldTurn(ctx); err != nil {
		return p.faulted(ctx, asFault(err))
	}
	if !out.idle {
		p.schedule(out)
	}
	if !out.idle || p.hold != nil {
		p.conclude(ctx, out)
	}
	p.handled()
	if err := p.writeStatus(ctx); err != nil {
		return p.faulted(ctx, asFault(err))
	}
	if out.gone {
		return reconcile.Result{}, nil
	}
	return p.comeBack(out), nil
}

// wait is the end of a pass that has no turn yet. Nothing is told of it.
func (p *pass) wait(ctx context.Context, out outcome) (reconcile.Result, error) {
	if out.withdrawn {
		if err := p.writeStatus(ctx); err != nil {
			return p.faulted(ctx, asFault(err))
		}
	}
	return p.comeBack(out), nil
}

// outage is the verdict on an object that waits for the cloud to answer again,
// and is not in sync: that is news to tell once.
func (p *pass) outage(wait time.Duration) plan.Verdict {
	message := p.account.Client.Host() + " gives no answer of the API; it is tried every few seconds"
	if last := p.account.Client.Unanswered(); last != "" {
		message += ". The last was " + last
	}
	return plan.Failed(&live.Error{Class: live.Unavailable, Action: "outage", Code: "NoAnswer", RetryAfter: wait, Message: message})
}

// faulted is the end of a pass that the Kubernetes API cut short. What it refuses
// is told in the status, if that can be written, and in an event.
func (p *pass) faulted(ctx context.Context, f *apiFault) (reconcile.Result, error) {
	// What this pass found out was not told: the next one finds it out again.
	p.mem.nextSync = p.now
	if p.counted {
		p.mem.nextCount = p.now
	}
	if p.judged {
		p.mem.watch = nil
	}
	switch {
	case apierrors.IsConflict(f.err) || apierrors.IsNotFound(f.err):
		// The object is not as the cache shows it, or it, or what it is in, is going
		// away: look again, it is no error.
		return reconcile.Result{RequeueAfter: minRetry}, nil
	case errors.Is(ctx.Err(), context.Canceled):
		return reconcile.Result{}, nil // the operator is told to end
	case !refusal(f.err):
		return reconcile.Result{}, f
	}
	p.mem.failures++
	wait := backoff(p.mem.failures, minStalled, maxStalled)
	p.mem.nextSync = p.clock.Now().Add(wait)
	message := refused(f)
	p.revert()
	out := outcome{Verdict: plan.Verdict{
		Ready: metav1.ConditionFalse, Reason: v1alpha1.ReasonClusterRefused, Message: message, Event: v1alpha1.EventRejected,
	}, err: f}
	p.conclude(ctx, out)
	if err := p.writeStatus(ctx); err != nil { // then the event alone can tell
		p.events.Eventf(p.obj, nil, corev1.EventTypeWarning, v1alpha1.EventRejected, v1alpha1.EventRejected, "%s", message)
	}
	return reconcile.Result{RequeueAfter: wait, Priority: new(priorityRefresh)}, nil
}

// revert drops what this pass wanted to write, of which a part was refused.
func (p *pass) revert() {
	p.obj = p.before.DeepCopyObject().(kind.Object)
	p.spec, p.status = kind.Shared(p.obj)
	p.news = nil
}

// patience is how many transient failures in a row an object that is in sync
// endures before Ready says so: a single lost reply is no news.
const patience = 3

// conclude sets the conditions that an outcome calls for.
func (p *pass) conclude(ctx context.Context, out outcome) {
	if out.err != nil {
		out.Message = p.hide(out.Message)
	}
	previous := meta.FindStatusCondition(p.status.Conditions, v1alpha1.ConditionReady)
	if out.Transient && p.mem.failures < patience && p.readyNow() || p.lasts(previous, out) {
		return
	}
	p.status.ObservedGeneration = p.obj.GetGeneration()
	changed := previous == nil || previous.Reason != out.Reason || previous.Message != out.Message
	told := previous != nil && previous.Reason == out.Reason && previous.ObservedGeneration == p.obj.GetGeneration()
	p.setCondition(v1alpha1.ConditionReady, out.Ready, out.Reason, out.Message)
	if out.Stalled {
		p.setCondition(v1alpha1.ConditionStalled, metav1.ConditionTrue, out.Reason, out.Message)
	} else {
		meta.RemoveStatusCondition(&p.status.Conditions, v1alpha1.ConditionStalled)
	}
	if out.Event != "" && !told {
		p.warn(out.Event, out.Message)
	}
	if out.err != nil && changed {
		l := log.FromContext(ctx)
		if e, ok := errors.AsType[*live.Error](out.err); ok && e.RequestID != "" {
			l = l.WithValues("requestID", e.RequestID)
		}
		l.Info("cannot converge", "reason", out.Reason, "message", out.Message)
	}
}

// lasts tells whether an outcome is the failure that Ready tells of already, tried
// again by itself: in what words the cloud, or an admission policy, puts it this time
// is no news.
func (p *pass) lasts(previous *metav1.Condition, out outcome) bool {
	_, ofCloud := errors.AsType[*live.Error](out.err)
	fault, ofCluster := errors.AsType[*apiFault](out.err)
	if !ofCloud && !ofCluster || p.asked || previous == nil || previous.Status == metav1.ConditionTrue || previous.ObservedGeneration != p.obj.GetGeneration() {
		return false
	}
	if ofCluster {
		return previous.Reason == out.Reason && strings.Contains(previous.Message, fault.trying)
	}
	passing := previous.Reason == v1alpha1.ReasonCloudUnavailable || previous.Reason == v1alpha1.ReasonThrottled
	return previous.Reason == out.Reason || passing && out.Transient
}

// readyNow tells whether Ready is True for the spec as it is.
func (p *pass) readyNow() bool {
	ready := meta.FindStatusCondition(p.status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == p.obj.GetGeneration()
}
