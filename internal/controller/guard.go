// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/quota"
	"github.com/live-notify/live-notify-operator/internal/words"
)

// A guard watches a change after it was written. All that it knows is in
// status.guard, and is noted there before the write that it is about: the write of
// a change with the patch that notes what is about to be written, and so its undoing.
//
// It steers the pass by one thing: which configuration the pass brings the cloud
// to. That is the one of the spec, or, while a change waits for its turn or was
// rolled back, the one before it. All the rest of the pass, such as the correction
// of drift, goes by that.

// steering is what the guard says of a pass.
type steering struct {
	guard    *v1alpha1.GuardSpec         // that is in force; nil for none
	policy   *v1alpha1.LiveRolloutPolicy // that selects the object; nil for none
	starting bool                        // a change may be written
	// returning: the object owns nothing now, and would be under a guard if it did.
	returning bool
	granted   bool          // the policy has noted that
	judged    bool          // the failed callbacks of a change were counted
	hold      *plan.Verdict // what Ready says while the cloud holds what was before
}

// wanted returns the object as if its spec asked for what this pass brings the
// cloud to.
func (p *pass) wanted() kind.Object {
	if p.aim == nil {
		return p.obj
	}
	_, status := kind.Shared(p.aim)
	// As this pass has changed it meanwhile; a kind with a guard is counted.
	*status.CallbackStatus, *status.CountedStatus = *p.status.CallbackStatus, *p.status.CountedStatus
	p.aim.SetFinalizers(p.obj.GetFinalizers())
	return p.aim
}

// change returns the last change that the guard knows of; nil for none.
func (p *pass) change() *v1alpha1.GuardedChange {
	if p.status.Guard == nil {
		return nil
	}
	return p.status.Guard.Change
}

// guarded finds out which guard is in force. Without one, what it knew is
// forgotten.
func (p *pass) guarded(ctx context.Context) error {
	if p.kind.Records == nil {
		return nil
	}
	policy, err := p.policyOf(ctx)
	if err != nil {
		return err
	}
	p.policy, p.guard = policy, p.spec.Guard
	if p.guard == nil && policy != nil {
		p.guard = &policy.Spec.Guard
	}
	switch {
	case p.guard == nil:
		p.status.Guard = nil
	case p.status.Guard == nil:
		p.status.Guard = &v1alpha1.GuardStatus{}
	}
	p.countFromZero()
	if p.observes() || !kind.Wrote(p.obj) {
		p.returning = p.guard != nil && !p.observes()
		p.guard = nil
		p.dropChange()
	}
	if p.guard == nil {
		meta.RemoveStatusCondition(&p.status.Conditions, v1alpha1.ConditionChangeAccepted)
	}
	return nil
}

// countFromZero corrects the counts of a status that nobody can have counted.
func (p *pass) countFromZero() {
	s := p.status.Guard
	if s == nil {
		return
	}
	s.Accepted, s.RolledBack, s.Failed = max(s.Accepted, 0), max(s.RolledBack, 0), max(s.Failed, 0)
	if c := s.Change; c != nil {
		c.Failed, c.SettledFailed = max(c.Failed, 0), max(c.SettledFailed, 0)
	}
}

// dropChange forgets the last change, of something that the object does not own any
// more. Its ticket stays, so that it is never given again.
func (p *pass) dropChange() {
	if p.status.Guard != nil {
		p.status.Guard.Change = nil
	}
}

// steer decides what this pass brings the cloud to. With ok false the pass ends
// with the outcome.
func (p *pass) steer(ctx context.Context) (out outcome, ok bool) {
	if p.guard == nil || p.status.Applied.Revision == "" {
		return outcome{}, true
	}
	auth, err := p.authentication(ctx)
	if err != nil {
		return outcome{fault: err}, false
	}
	c := p.change()
	switch course := p.kind.Standing(p.obj, auth.fingerprint, auth.rotated).Course(); {
	case course == plan.Undone:
		return p.holdBack(ctx, plan.RolledBack(*c))
	case course == plan.Follow:
		p.carryOn(c)
	case auth.fingerprint == "" && p.kind.KeyRef(p.obj) != nil: // it cannot be written, and the rest of the pass says why
	case p.policy == nil || c != nil && c.State.InFlight():
		p.starting = true
	default:
		return p.queue(ctx)
	}
	return outcome{}, true
}

// carryOn is for a spec that asks for no change. One that was to be written is not,
// and one that is watched goes on being so.
func (p *pass) carryOn(c *v1alpha1.GuardedChange) {
	switch {
	case c == nil || c.State == v1alpha1.ChangeAccepted || c.State == v1alpha1.ChangeFailed:
	case c.State == v1alpha1.ChangeWatching && c.Revision == p.revision():
		c.Generation = p.obj.GetGeneration()
	default:
		p.status.Guard.Change = nil
	}
}

// holdBack makes this pass bring the cloud to what was accepted last.
func (p *pass) holdBack(ctx context.Context, v plan.Verdict) (outcome, bool) {
	p.hold = &v
	p.seekPrevious(ctx)
	before, err := p.kind.Restore(p.obj, p.status.Guard.Previous)
	if c := p.change(); err != nil && c.State == v1alpha1.ChangeRollingBack { // it was known when that began
		p.hold = nil
		p.leaveChange(c)
		return outcome{}, true
	}
	if err != nil { // it is not known: all stays as it is in the cloud
		return outcome{Verdict: v, steady: true}, false
	}
	p.aim, p.keyRead = before, nil
	if err := p.chooseKey(ctx); err != nil {
		return outcome{fault: err}, false
	}
	c := p.change()
	if p.mem.nextSync.IsZero() && c != nil && (c.State == v1alpha1.ChangeWriting || c.State == v1alpha1.ChangeRollingBack) {
		p.mem.nextSync = p.now // whatever the schedule says
	}
	return outcome{}, true
}

// chooseKey makes what was accepted last be signed with the key of now, where that before
// cannot be used any more, as when its Secret was deleted after the change.
func (p *pass) chooseKey(ctx context.Context) error {
	then, now := p.kind.KeyRef(p.aim), p.kind.KeyRef(p.obj)
	if then == nil || now == nil || *then == *now {
		return nil
	}
	_, _, err := p.authKey(ctx)
	if _, unavailable := asUnavailable(err); !unavailable {
		return err
	}
	*then, p.keyRead = *now, nil
	return nil
}

// beginChange notes a change that is about to be written, and returns how to take that
// back if the cloud refuses it.
func (p *pass) beginChange(c comparison, action plan.Action) (refused func()) {
	if !p.starting || action != plan.Apply {
		return func() {}
	}
	s := p.status.Guard
	before := s.Change.DeepCopy()
	p.learnPrevious(c)
	change := &v1alpha1.GuardedChange{
		State: v1alpha1.ChangeWriting, Generation: p.obj.GetGeneration(), Revision: p.revision(),
		KeyFingerprint: c.auth.fingerprint, URLs: kind.URLs(kind.Values(c.Want)), SeenTime: metav1.Time{Time: p.now.Truncate(time.Second)},
	}
	if p.policy != nil {
		change.Policy = p.policy.Name
	}
	if before != nil && (before.State == v1alpha1.ChangeWaiting || before.State == v1alpha1.ChangeWriting) {
		change.SeenTime = before.SeenTime
	}
	s.Change = change
	return func() {
		if s.Change = nil; before != nil && (before.State == v1alpha1.ChangeWatching || before.State == v1alpha1.ChangeWaiting) {
			s.Change = before
		}
	}
}

// seekPrevious reads the configuration before a change that waits, where no guard has
// seen it accepted: once, and again when someone asks or it is to be read anyway. A
// failure is no more than that, as the change goes on waiting.
func (p *pass) seekPrevious(ctx context.Context) {
	if p.status.Guard.Previous != nil || p.mem.sought && p.mem.nextSync.After(p.now) && !p.requested() {
		return
	}
	have, err := p.remote().Get(ctx, quota.Sync, p.key)
	if err != nil {
		return
	}
	p.mem.sought = true
	if have != nil && p.kind.Recall != nil {
		have = p.kind.Recall(p.obj, have)
	}
	p.learnPrevious(comparison{Comparison: kind.Comparison{Have: have}})
}

// learnPrevious notes the configuration before a change, where no guard has seen it
// accepted: what the cloud shows, if that is what the object wrote last.
func (p *pass) learnPrevious(c comparison) {
	s := p.status.Guard
	if s.Previous != nil || c.Have == nil || live.Revision(c.Have.Fields()) != p.status.Applied.Revision {
		return
	}
	switch key := p.kind.KeyRef(p.obj); {
	case !kind.Signed(c.Have):
		s.Previous = accepted(c.Have, nil)
	case key != nil: // else it is signed with a key that is no longer named
		s.Previous = accepted(c.Have, key)
	}
}

// accepted is what is noted of a configuration to go back to.
func accepted(c kind.Config, key *v1alpha1.SecretKeyReference) *v1alpha1.AcceptedConfiguration {
	return &v1alpha1.AcceptedConfiguration{Revision: live.Revision(c.Fields()), Values: kind.Values(c), KeySecretRef: key.DeepCopy()}
}

// arrived notes that the cloud holds what this pass brought it to. Written tells
// that it had to be written.
func (p *pass) arrived(want kind.Config, written bool) {
	s, c := p.status.Guard, p.change()
	switch {
	case s == nil:
	case p.guard == nil: // it owned nothing until now, so that no change is watched
		p.accept(want)
	case c != nil && c.State == v1alpha1.ChangeWriting && written:
		c.State = v1alpha1.ChangeWatching
		c.WrittenTime = &metav1.Time{Time: p.writing}
	case c != nil && c.State == v1alpha1.ChangeRollingBack && p.aim != nil:
		c.State = v1alpha1.ChangeRolledBack
		s.Previous.KeySecretRef = p.kind.KeyRef(p.aim).DeepCopy()
		s.RolledBack++
		p.warn(v1alpha1.EventRolledBack, fmt.Sprintf("%s failed after the change of generation %d%s; the configuration before it is in the cloud again",
			words.Count(c.Failed, "callback"), c.Generation, plan.Last(c.LastFailure)))
	case p.aim != nil || c != nil && (c.State == v1alpha1.ChangeWatching || c.State == v1alpha1.ChangeRollingBack):
	case c != nil && c.State == v1alpha1.ChangeFailed && c.Revision == p.revision():
	default: // created, adopted, or what was accepted before
		if c != nil && c.State != v1alpha1.ChangeAccepted {
			s.Change = nil
		}
		p.accept(want)
	}
}

// accept notes a configuration as the one to go back to.
func (p *pass) accept(want kind.Config) {
	p.status.Guard.Previous = accepted(want, p.kind.KeyRef(p.obj))
}

// waits tells that this pass holds on to what was before, since the change has no
// turn yet: that needs no look at the cloud.
func (p *pass) waits() bool {
	return p.hold != nil && p.hold.Reason == v1alpha1.ReasonWaitingForRollout
}

// nextWatch returns when failed callbacks are to be counted next; zero for not.
func (p *pass) nextWatch() time.Time {
	if c := p.change(); p.guard == nil || c == nil || c.State != v1alpha1.ChangeWatching {
		return time.Time{}
	}
	if p.mem.watch == nil || p.mem.watch.next.IsZero() {
		return p.clock.Now().Add(plan.WatchEvery) // it was written just now
	}
	return p.mem.watch.next
}

// watchState is what is remembered of a change between counts.
type watchState struct {
	of       metav1.Time // when the change was written
	since    time.Time   // from where on to count
	base     int64       // failures before that
	counts   live.Counts // unfinished ones
	failures int         // in a row
	next     time.Time
}

// watch counts the failed callbacks of a change that was written, if that is due,
// and judges it.
func (p *pass) watch(ctx context.Context) error {
	c := p.change()
	if p.guard == nil || c == nil || c.State != v1alpha1.ChangeWatching || c.WrittenTime == nil || c.Revision != p.revision() {
		return nil
	}
	c.Generation = p.obj.GetGeneration() // whose other changes are none of the configuration
	w := p.mem.watch
	if w == nil || !w.of.Equal(c.WrittenTime) { // another change, or the first look of this process
		w = &watchState{of: *c.WrittenTime, since: c.WrittenTime.Time, base: c.SettledFailed}
		if c.SettledTime != nil {
			w.since = c.SettledTime.Time
		}
		p.mem.watch = w
	}
	if p.now.Before(w.next) {
		return nil
	}
	query := live.Query{Watch: &live.Watch{Since: w.since, To: c.URLs}}
	if previous := p.status.Guard.Previous; previous != nil {
		query.Watch.Other = kind.URLs(previous.Values)
	}
	counts, err := p.kind.Records(p.account.Client).Count(ctx, p.key, query, w.counts)
	if err != nil {
		p.watchLater(w, err)
		return nil
	}
	p.judged = true
	p.hideIn(ctx, counts.Last)
	p.watched(c, w, counts)
	return p.judgeChange(ctx, c, counts)
}

// watchLater says when to count again after that failed.
func (p *pass) watchLater(w *watchState, err error) {
	if d, ok := errors.AsType[*quota.Deferral](err); ok {
		w.next = p.clock.Now().Add(d.Wait)
		return
	}
	w.failures++
	w.next = p.clock.Now().Add(backoff(w.failures, 5*time.Second, time.Minute))
}

// watched takes in counts.
func (p *pass) watched(c *v1alpha1.GuardedChange, w *watchState, counts live.Counts) {
	w.failures, w.counts = 0, live.Counts{}
	wait := plan.WatchEvery
	if left := plan.GuardOf(*p.guard).Window - counts.End.Sub(c.WrittenTime.Time); left > 0 {
		wait = min(wait, max(left, time.Second))
	}
	w.next = p.clock.Now().Add(wait)
	failed := w.base + counts.Failed
	if n := len(counts.Buckets); n == 0 {
		w.counts = counts // to be gone on with
	} else {
		for _, b := range counts.Buckets[:n-1] {
			w.base += b.Failed
		}
		w.since = counts.Buckets[n-1].Start
	}
	if failed == c.Failed {
		return
	}
	c.Failed, c.LastFailure = failed, lastFailure(counts.Last)
	c.SettledTime, c.SettledFailed = &metav1.Time{Time: w.since}, w.base
}

// judgeChange decides what becomes of a change.
func (p *pass) judgeChange(ctx context.Context, c *v1alpha1.GuardedChange, counts live.Counts) error {
	w := plan.Watched{
		Guard: plan.GuardOf(*p.guard), Failed: c.Failed, Elapsed: counts.End.Sub(c.WrittenTime.Time),
		Complete: len(counts.Buckets) > 0, Lasting: p.lasting(),
		Absent: meta.IsStatusConditionTrue(p.status.Conditions, v1alpha1.ConditionDrifted),
	}
	s := p.status.Guard
	switch state := w.Judge(); state {
	case v1alpha1.ChangeAccepted:
		c.State = state
		s.Accepted++
		p.accept(p.kind.Desired(p.obj, ""))
		p.tell(v1alpha1.EventChangeAccepted, fmt.Sprintf("%s failed within %s after the change of generation %d, fewer than %d",
			words.Count(c.Failed, "callback"), plan.Short(w.Window), c.Generation, w.MaxFailures))
	case v1alpha1.ChangeRollingBack, v1alpha1.ChangeFailed:
		if err := p.halt(ctx, c); err != nil {
			return err
		}
		c.State = state
		p.mem.nextSync = p.now
		if state == v1alpha1.ChangeFailed {
			p.leaveChange(c)
		}
	}
	return nil
}

// leaveChange leaves a change that failed in the cloud, and tells so.
func (p *pass) leaveChange(c *v1alpha1.GuardedChange) {
	c.State = v1alpha1.ChangeFailed
	p.status.Guard.Failed++
	p.warn(v1alpha1.EventChangeFailed, plan.GuardOf(*p.guard).Tell(*c, p.lasting()).Message)
}

// lasting says why the last change cannot be undone; "" if it can.
func (p *pass) lasting() string {
	before, err := p.kind.Restore(p.obj, p.status.Guard.Previous)
	if err != nil {
		return plan.Lasting(nil, nil)
	}
	return plan.Lasting(p.kind.Desired(before, "").Fields(), p.kind.Desired(p.obj, "").Fields())
}

// concludeGuard says what there is to say of the last change, and lets Ready tell
// of what is held back.
func (p *pass) concludeGuard(out *outcome) {
	if p.guard == nil {
		return
	}
	c := p.change()
	if out.idle && c != nil && c.State == v1alpha1.ChangeRollingBack {
		p.hold = nil // it is not done yet, and Ready says what keeps it
	}
	if p.hold != nil && (out.idle || out.Ready == metav1.ConditionTrue) {
		p.hold.After = out.After
		out.Verdict, out.steady = *p.hold, true
	}
	switch {
	case c == nil:
		if p.status.Guard.Previous != nil && p.reason(v1alpha1.ConditionChangeAccepted) != "" {
			p.setCondition(v1alpha1.ConditionChangeAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, "No change is being watched.")
		}
	case c.State != v1alpha1.ChangeWaiting:
		told := plan.GuardOf(*p.guard).Tell(*c, p.lasting())
		p.setCondition(v1alpha1.ConditionChangeAccepted, told.Ready, told.Reason, told.Message)
	}
}
