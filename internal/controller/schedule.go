// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

const (
	// minWait is the least wait that is kept.
	minWait = 100 * time.Millisecond
	// minRetry and maxRetry bound the backoff of failures that may pass by
	// themselves.
	minRetry = time.Second
	maxRetry = 5 * time.Minute
	// minStalled and maxStalled bound the backoff of those that someone has to
	// mend: a domain or a permission may come a moment later.
	minStalled = 15 * time.Second
	maxStalled = 30 * time.Minute
	// goOn is when counting records that are too many for one pass goes on.
	goOn = time.Second
)

// Priorities in the work queue. A change of an object has that of the queue's
// default, 0. The rest is lower than what the queue gives the objects that it
// finds at start, so that none of these starves behind requeues
// (kubernetes-sigs/controller-runtime#3496).
const (
	priorityNew     = handler.LowPriority
	priorityRefresh = 2 * handler.LowPriority
)

// slotWait is when an object comes back whose account has no worker for it now.
func slotWait() time.Duration { return 250*time.Millisecond + rand.N(500*time.Millisecond) }

// nextDue returns the first time after now at which an object is due: a phase
// of the interval that its UID fixes. Objects spread evenly, stay so, and after
// a restart are due when they would have been without it.
func nextDue(now time.Time, interval time.Duration, uid types.UID) time.Time {
	interval = max(interval, time.Second) // the schema allows no less
	h := fnv.New64a()
	h.Write([]byte(uid)) // never fails
	phase := time.Duration(h.Sum64() % uint64(interval))
	due := now.Truncate(interval).Add(phase)
	if !due.After(now) {
		due = due.Add(interval)
	}
	return due
}

// backoff returns the wait after so many failures in a row: exponential between
// bounds, with up to a quarter more so that failures together do not retry
// together.
func backoff(failures int, least, most time.Duration) time.Duration {
	wait := most
	if shift := failures - 1; shift < 10 {
		wait = min(least<<max(shift, 0), most)
	}
	return wait + rand.N(wait/4)
}

// Backoff returns the bounds of the wait for the next try after a verdict on a
// failure.
func Backoff(v plan.Verdict) (least, most time.Duration) {
	if v.Stalled {
		return minStalled, maxStalled
	}
	return minRetry, maxRetry
}

// sooner shortens a backoff while the endpoint answers nobody. One request at a time asks
// whether it is back: who made that one is not to wait for longer than all others.
func (p *pass) sooner(wait time.Duration) time.Duration {
	if p.account != nil {
		if outage := p.account.Client.Outage(); outage > 0 {
			return min(wait, outage)
		}
	}
	return wait
}

// due tells whether the configuration is to be looked at, and in which lane. What
// someone changed since the last try is due at once; whether someone did, the
// status tells, so that a restart is no change.
func (p *pass) due(auth authentication, changed bool) bool {
	known := p.status.ObservedGeneration == p.obj.GetGeneration() || p.waits()
	newKey := auth.version != p.mem.triedKey && (auth.rotated && (p.mem.tried || p.readyNow()) ||
		p.mem.tried && p.reason(v1alpha1.ConditionReady) == v1alpha1.ReasonAuthKeyUnavailable)
	// Other credentials may mend what failed; what is in sync waits for its turn.
	newAccount := p.mem.account != "" && p.mem.account != p.account.Version && !p.readyNow()
	released := p.reason(v1alpha1.ConditionReady) == v1alpha1.ReasonWaitingForRollout && !p.waits()
	p.asked = !known || newKey || newAccount || released || p.requested()
	if p.mem.nextSync.IsZero() { // the first look of this process
		p.mem.nextSync = p.now
		if p.readyNow() && p.reason(v1alpha1.ConditionReady) != v1alpha1.ReasonApplied || p.waits() {
			p.mem.nextSync = nextDue(p.now, p.resync(), p.obj.GetUID())
		}
	}
	if p.asked {
		p.mem.failures = 0
	}
	switch {
	case p.status.LastSyncTime == nil:
		p.lane = quota.New
	case p.asked || changed && !p.observes():
		p.lane = quota.User
	default:
		p.lane = quota.Sync
	}
	return p.asked || !p.now.Before(p.mem.nextSync)
}

// resync returns how often the configuration is read: as the spec says, or less
// often when all objects of the account together would exceed its quota.
func (p *pass) resync() time.Duration {
	return p.stretched(p.spec.ResyncInterval.Duration, p.kind.Remote(p.account.Client).ReadRate(), 1)
}

// stretched returns an interval, or a longer one when so many requests of each object
// of the account in it would exceed the quota.
func (p *pass) stretched(interval time.Duration, rate quota.Rate, requests float64) time.Duration {
	return time.Duration(float64(interval) * p.account.Limits.Stretch(rate, p.key, interval, requests))
}

// schedule sets when the configuration is next looked at. A backoff counts from
// the end of the pass.
func (p *pass) schedule(out outcome) {
	now := p.clock.Now()
	p.mem.account = "none"
	if p.account != nil {
		p.mem.account = p.account.Version
	}
	amiss := out.Transient || out.Stalled && !out.steady
	if !amiss {
		p.mem.failures = 0
	}
	switch {
	case amiss:
		p.mem.failures++
		least, most := Backoff(out.Verdict)
		wait := p.sooner(backoff(p.mem.failures, least, most))
		if out.Transient && out.After > 0 { // who said when is taken at his word
			wait = max(out.After, minWait)
		}
		p.mem.nextSync = now.Add(wait)
	case out.After > 0:
		p.mem.nextSync = now.Add(out.After)
	case p.account != nil:
		p.mem.nextSync = nextDue(now, p.resync(), p.obj.GetUID())
	}
}

// comeBack returns when the next pass is, and its priority: what a person waits
// for keeps its own, the rest is refreshing.
func (p *pass) comeBack(out outcome) reconcile.Result {
	now := p.clock.Now()
	result := reconcile.Result{Priority: new(priorityRefresh)}
	if out.deferral != nil {
		result.RequeueAfter = max(out.deferral.Wait, time.Millisecond)
		switch {
		case out.deferral.Outage || p.account == nil:
		case p.lane == quota.User:
			result.Priority = new(0)
		case p.lane == quota.New:
			result.Priority = new(priorityNew)
		}
		return result
	}
	next := p.mem.nextSync
	if next.IsZero() { // nothing is due before something changes; look in all the same
		next = now.Add(maxStalled)
	}
	if count := p.mem.nextCount; count.After(now) && count.Before(next) {
		next = count
	}
	if watch := p.nextWatch(); !watch.IsZero() && watch.Before(next) {
		next = watch
	}
	if p.waits() && p.mem.nextTurn.Before(next) {
		next = p.mem.nextTurn
	}
	if out.recount > 0 && now.Add(out.recount).Before(next) {
		next = now.Add(out.recount)
	}
	result.RequeueAfter = max(next.Sub(now), time.Millisecond)
	return result
}
