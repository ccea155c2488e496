// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/quota"
	"github.com/live-notify/live-notify-operator/internal/words"
)

// totalsEvery is how often a total alone is written to the status.
const totalsEvery = 30 * time.Minute

// progressEvery is how often counts that are not complete are written.
const progressEvery = time.Minute

// count refreshes the callback counts if they are due, and returns when to go on
// with that, if it is soon. A failure keeps the last counts, and never touches
// Ready. Nothing is counted while the configuration cannot be read; read tells that
// it just was.
func (p *pass) count(ctx context.Context, read bool) time.Duration {
	if p.kind.Records == nil || p.mem.failures > 0 && !read {
		return 0
	}
	records := p.kind.Records(p.account.Client)
	rate, requests := records.RecordsRate()
	interval := p.stretched(p.spec.Records.Interval.Duration, rate, requests)
	if p.mem.nextCount.IsZero() && p.countedBefore() { // the first look of this process
		p.mem.counts = p.recalled()
		p.mem.nextCount = nextDue(p.now, interval, p.obj.GetUID())
		p.show(p.mem.counts)
	}
	if !p.countedBefore() && !p.mem.counts.Unfinished() && p.mem.countFailures == 0 {
		p.mem.counts = live.Counts{} // they were for another window
	} else if p.now.Before(p.mem.nextCount) && !p.mended() && !p.requested() {
		p.rejudge()
		return 0
	}
	counts, err := records.Count(ctx, p.key, p.query(), p.mem.counts)
	p.mem.nextCount = nextDue(p.now, interval, p.obj.GetUID())
	p.hideIn(ctx, counts.Last)
	p.mem.counts = counts // after an error those that were done, or those before
	if err != nil {
		return p.notCounted(ctx, err)
	}
	p.mem.countFailures, p.counted = 0, true
	if counts.Unfinished() {
		p.countsOn = true
		p.mem.nextCount = p.clock.Now().Add(goOn)
		p.keepProgress(counts)
		return goOn
	}
	p.show(counts)
	p.judge(counts)
	p.keep(counts)
	return 0
}

// show lets metrics show counts.
func (p *pass) show(c live.Counts) { p.mem.shown.Store(&shownCounts{c.Failed, c.Total}) }

func (p *pass) query() live.Query {
	r := p.spec.Records
	return live.Query{Window: r.Window.Duration, AppName: r.AppName, StreamName: r.StreamName}
}

// mended tells whether someone changed something since the records could not be
// read: it may have been what was amiss.
func (p *pass) mended() bool {
	return p.asked && p.reason(v1alpha1.ConditionCallbacksHealthy) == v1alpha1.ReasonRecordsUnavailable
}

// countedBefore tells whether the status has counts for the spec's window and
// filters.
func (p *pass) countedBefore() bool {
	c, r := p.status.Callbacks, p.spec.Records
	return c != nil && c.Window == plan.Short(r.Window.Duration) && c.AppName == r.AppName && c.StreamName == r.StreamName
}

// recalled returns the counts of the status.
func (p *pass) recalled() live.Counts {
	c := p.status.Callbacks
	counts := live.Counts{End: c.ObservedTime.Time, Failed: c.Failed, Total: c.Total, AtLeast: c.AtLeast}
	for _, b := range c.Buckets {
		counts.Buckets = append(counts.Buckets, live.Bucket{Start: b.StartTime.Time, Failed: b.Failed, Total: b.Total, AtLeast: b.AtLeast})
	}
	if f := c.LastFailure; f != nil {
		counts.Last = &live.Failure{
			Type: f.Type, URL: f.URL, AppName: f.AppName, StreamName: f.StreamName, HTTPStatus: f.HTTPStatus, Reason: f.Reason,
			Time: ptr.Deref(f.Time, metav1.Time{}).Time,
		}
	}
	return counts
}

// notCounted says that the records cannot be read, unless that may be no more than
// a single lost reply, and returns when to try again.
func (p *pass) notCounted(ctx context.Context, err error) time.Duration {
	if d, ok := errors.AsType[*quota.Deferral](err); ok {
		p.countsOn = true
		p.mem.nextCount = p.clock.Now().Add(d.Wait)
		return d.Wait
	}
	e, ok := errors.AsType[*live.Error](err)
	if !ok {
		return 0 // the pass was cut short
	}
	p.mem.countFailures++
	wait := max(e.RetryAfter, p.sooner(backoff(p.mem.countFailures, minRetry, maxRetry)))
	p.mem.nextCount = p.clock.Now().Add(wait)
	known := p.reason(v1alpha1.ConditionCallbacksHealthy) != v1alpha1.ReasonRecordsUnavailable
	told := meta.FindStatusCondition(p.status.Conditions, v1alpha1.ConditionCallbacksHealthy)
	if known && p.mem.countFailures < patience || !known && told != nil && told.ObservedGeneration == p.obj.GetGeneration() {
		return wait
	}
	p.setCondition(v1alpha1.ConditionCallbacksHealthy, metav1.ConditionUnknown, v1alpha1.ReasonRecordsUnavailable,
		"The callback records cannot be read: "+words.Sentence(p.hide(e.Error()))+" Counts in status are the last that could.")
	log.FromContext(ctx).Info("cannot read callback records", "error", p.hide(e.Error()), "requestID", e.RequestID)
	return wait
}

// rejudge judges the last counts by a spec that has changed in nothing that they
// depend on, such as the threshold.
func (p *pass) rejudge() {
	c := meta.FindStatusCondition(p.status.Conditions, v1alpha1.ConditionCallbacksHealthy)
	if c != nil && c.ObservedGeneration != p.obj.GetGeneration() && c.Status != metav1.ConditionUnknown && !p.mem.counts.Unfinished() {
		p.judge(p.mem.counts)
		p.keep(p.mem.counts)
	}
}

// judge sets CallbacksHealthy, with an event when the counts cross the threshold.
func (p *pass) judge(counts live.Counts) {
	threshold := int64(p.spec.Records.UnhealthyThreshold)
	window := plan.Short(p.spec.Records.Window.Duration)
	wasFailing := p.status.Callbacks != nil && p.status.Callbacks.Unhealthy
	status, reason := metav1.ConditionTrue, v1alpha1.ReasonNoFailures
	message := fmt.Sprintf("No callback failed in the last %s.", window)
	number := words.Count(counts.Failed, "callback")
	if counts.AtLeast {
		message = fmt.Sprintf("No callback failed in the last %s, of those that were counted. There are more.", window)
		number = "at least " + number
	}
	if counts.Failed > 0 {
		reason = v1alpha1.ReasonBelowThreshold
		message = fmt.Sprintf("%s failed in the last %s, fewer than the threshold of %d.", number, window, threshold)
	}
	failing := counts.Failed >= threshold
	if failing {
		status, reason = metav1.ConditionFalse, v1alpha1.ReasonFailuresAboveThreshold
		message = fmt.Sprintf("%s failed in the last %s (threshold %d)%s Look at the receiver.", number, window, threshold, words.Sentence(plan.Last(lastFailure(counts.Last))))
	}
	p.setCondition(v1alpha1.ConditionCallbacksHealthy, status, reason, message)
	switch {
	case failing && !wasFailing:
		p.warn(v1alpha1.EventCallbacksFailing, message)
	case !failing && wasFailing:
		p.tell(v1alpha1.EventCallbacksRecovered, message)
	}
}

// callbacks converts counts for the status.
func (p *pass) callbacks(counts live.Counts) v1alpha1.Callbacks {
	r := p.spec.Records
	now := v1alpha1.Callbacks{
		Window: plan.Short(r.Window.Duration), AppName: r.AppName, StreamName: r.StreamName,
		ObservedTime: metav1.NewTime(counts.End), Failed: counts.Failed, Total: counts.Total, AtLeast: counts.AtLeast,
		Unhealthy: counts.Failed >= int64(r.UnhealthyThreshold), LastFailure: lastFailure(counts.Last),
	}
	for _, b := range counts.Buckets {
		now.Buckets = append(now.Buckets, v1alpha1.CallbackBucket{StartTime: metav1.NewTime(b.Start), Failed: b.Failed, Total: b.Total, AtLeast: b.AtLeast})
	}
	return now
}

// keep writes counts to the status when failures or health changed; a total
// that alone moved is written only every totalsEvery, unless the status is written
// anyway.
func (p *pass) keep(counts live.Counts) {
	now, was := p.callbacks(counts), p.status.Callbacks
	_, before := p.before.Callback()
	unchanged := was != nil && p.countedBefore() && was.Failed == now.Failed && was.Unhealthy == now.Unhealthy && was.AtLeast == now.AtLeast &&
		equality.Semantic.DeepEqual(was.LastFailure, now.LastFailure) &&
		equality.Semantic.DeepEqual(meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionCallbacksHealthy),
			meta.FindStatusCondition(p.status.Conditions, v1alpha1.ConditionCallbacksHealthy))
	anyway := p.mem.partial || p.requested() || !equality.Semantic.DeepEqual(p.before, p.obj)
	if unchanged && !anyway && (was.Total == now.Total || now.ObservedTime.Sub(was.ObservedTime.Time) < totalsEvery) {
		return
	}
	p.status.Callbacks, p.mem.partial = &now, false
}

// keepProgress writes the buckets that are done while others are still to be
// counted, so that a restart goes on from there: every progressEvery, as each write
// costs more than what is to be read again without it.
func (p *pass) keepProgress(counts live.Counts) {
	if counts.End.IsZero() || p.now.Sub(p.mem.progressAt) < progressEvery {
		return // none is done, or few are
	}
	p.mem.progressAt, p.mem.partial = p.now, true
	now := p.callbacks(counts)
	// It is judged when all are counted.
	now.Unhealthy = ptr.Deref(p.status.Callbacks, v1alpha1.Callbacks{}).Unhealthy
	p.status.Callbacks = &now
}

// lastFailure converts a failure for the status; nil for none. Strings are
// bounded, since a receiver may have had a say in them.
func lastFailure(f *live.Failure) *v1alpha1.CallbackFailure {
	if f == nil {
		return nil
	}
	out := &v1alpha1.CallbackFailure{
		Type: bounded(f.Type), URL: bounded(f.URL), AppName: bounded(f.AppName), StreamName: bounded(f.StreamName),
		HTTPStatus: f.HTTPStatus, Reason: bounded(f.Reason),
	}
	if !f.Time.IsZero() {
		out.Time = &metav1.Time{Time: f.Time.Truncate(time.Second)} // as it is stored
	}
	return out
}

// maxText bounds each string of a failure in the status, in bytes.
const maxText = 256

func bounded(s string) string { return live.Bound(s, maxText) }
