// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// totalsEvery is how often a total alone is written to the status.
const totalsEvery = 30 * time.Minute

// count refreshes the callback counts if they are due. A failure keeps the last
// counts, and never touches Ready.
func (p *pass[O, C]) count(ctx context.Context, remote Remote[C]) {
	interval := p.pace(ctx, remote)
	if p.isNew && p.counted() {
		// Restarted: the last counts stand in until their time has come.
		p.mem.nextCount = nextDue(p.now, interval, p.obj.GetUID())
		p.mem.counts = p.recalled()
		observeCounts(p.kind.Name, p.obj, p.mem.counts)
	}
	if !p.counted() && !p.mem.counts.Unfinished() {
		p.mem.counts = live.Counts{} // they were for another window
	} else if p.now.Before(p.mem.nextCount) && !p.mended() {
		return
	}
	p.mem.nextCount = nextDue(p.now, interval, p.obj.GetUID())
	end := p.now.Truncate(time.Second)
	counts, err := remote.Count(ctx, p.key, live.Query{
		Start: end.Add(-p.spec.Records.Window.Duration), End: end,
		AppName: p.spec.Records.AppName, StreamName: p.spec.Records.StreamName,
	}, p.mem.counts)
	if err != nil {
		p.notCounted(ctx, err)
		return
	}
	p.mem.counts = counts
	if counts.Unfinished() {
		p.mem.nextCount = p.now.Add(goOn)
		return
	}
	observeCounts(p.kind.Name, p.obj, counts)
	p.judge(counts)
	p.keep(counts)
}

// pace returns the interval of the counts: that of the spec, or a longer one
// when those of all objects together would exceed the quota.
func (p *pass[O, C]) pace(ctx context.Context, remote Remote[C]) time.Duration {
	interval := p.spec.Records.Interval.Duration
	pace := remote.Pace(p.key, interval)
	if pace.Changed {
		log.FromContext(ctx).Info("the quota for callback records sets the pace", "account", pace.Account, "kind", p.kind.Name, "intervalsMultipliedBy", pace.Stretch)
	}
	return time.Duration(float64(interval) * pace.Stretch)
}

// mended tells whether someone changed something since the records could not be
// read: it may have been what was amiss.
func (p *pass[O, C]) mended() bool {
	return p.lane == live.LaneUser && p.reason(v1alpha1.ConditionCallbacksHealthy) == v1alpha1.ReasonRecordsUnavailable
}

// recalled returns the counts of the status, as far as it has any.
func (p *pass[O, C]) recalled() live.Counts {
	c := p.status.Callbacks
	if c == nil || c.Window != short(p.spec.Records.Window.Duration) {
		return live.Counts{}
	}
	counts := live.Counts{End: c.ObservedTime.Time, Failed: c.Failed, Total: c.Total}
	for _, b := range c.Buckets {
		counts.Buckets = append(counts.Buckets, live.Bucket{Start: b.StartTime.Time, Failed: b.Failed, Total: b.Total})
	}
	if f := c.LastFailure; f != nil {
		counts.Last = &live.Failure{
			Type: f.Type, URL: f.URL, AppName: f.AppName, StreamName: f.StreamName, HTTPStatus: f.HTTPStatus, Reason: f.Reason,
		}
		if f.Time != nil {
			counts.Last.Time = f.Time.Time
		}
	}
	return counts
}

// counted tells whether the status has counts for the spec's window.
func (p *pass[O, C]) counted() bool {
	healthy := meta.FindStatusCondition(p.status.Conditions, v1alpha1.ConditionCallbacksHealthy)
	return healthy != nil && healthy.ObservedGeneration == p.obj.GetGeneration()
}

// notCounted says that the records cannot be read.
func (p *pass[O, C]) notCounted(ctx context.Context, err error) {
	e, ok := errors.AsType[*live.Error](err)
	if !ok {
		return // the pass was cut short
	}
	if e.Class == live.Throttled {
		p.mem.nextCount = p.now.Add(max(e.RetryAfter, backoff(1)))
	}
	if p.setCondition(v1alpha1.ConditionCallbacksHealthy, metav1.ConditionUnknown, v1alpha1.ReasonRecordsUnavailable,
		"The callback records cannot be read: "+strings.TrimSuffix(e.Error(), ".")+". Counts in status are the last that could.") {
		withRequestID(log.FromContext(ctx), e).Info("cannot read callback records", "error", e.Error())
	}
}

// judge sets CallbacksHealthy, with an event when it changes between True and
// False.
func (p *pass[O, C]) judge(counts live.Counts) {
	threshold := int64(p.spec.Records.UnhealthyThreshold)
	window := short(p.spec.Records.Window.Duration)
	wasFailing := p.reason(v1alpha1.ConditionCallbacksHealthy) == v1alpha1.ReasonFailuresAboveThreshold
	status, reason := metav1.ConditionTrue, v1alpha1.ReasonNoFailures
	message := fmt.Sprintf("No callback failed in the last %s.", window)
	if counts.Failed > 0 {
		reason = v1alpha1.ReasonBelowThreshold
		message = fmt.Sprintf("%d callbacks failed in the last %s, fewer than the threshold of %d.", counts.Failed, window, threshold)
	}
	failing := counts.Failed >= threshold
	if failing {
		status, reason = metav1.ConditionFalse, v1alpha1.ReasonFailuresAboveThreshold
		message = fmt.Sprintf("%d callbacks failed in the last %s (threshold %d)%s. Look at the receiver.", counts.Failed, window, threshold, describe(counts.Last))
	}
	p.setCondition(v1alpha1.ConditionCallbacksHealthy, status, reason, message)
	switch {
	case failing && !wasFailing:
		p.warn(v1alpha1.EventCallbacksFailing, "%s", message)
	case !failing && wasFailing:
		p.tell(v1alpha1.EventCallbacksRecovered, "%s", message)
	}
}

// keep writes counts to the status when failures or health changed; a total
// that alone moved is written only every totalsEvery.
func (p *pass[O, C]) keep(counts live.Counts) {
	now := v1alpha1.Callbacks{
		Window: short(p.spec.Records.Window.Duration), ObservedTime: metav1.NewTime(counts.End),
		Failed: counts.Failed, Total: counts.Total, LastFailure: lastFailure(counts.Last),
	}
	for _, b := range counts.Buckets {
		now.Buckets = append(now.Buckets, v1alpha1.CallbackBucket{StartTime: metav1.NewTime(b.Start), Failed: b.Failed, Total: b.Total})
	}
	was := p.status.Callbacks
	unchanged := was != nil && was.Window == now.Window && was.Failed == now.Failed &&
		equality.Semantic.DeepEqual(was.LastFailure, now.LastFailure) &&
		equality.Semantic.DeepEqual(p.healthBefore(), meta.FindStatusCondition(p.status.Conditions, v1alpha1.ConditionCallbacksHealthy))
	if unchanged && (was.Total == now.Total || now.ObservedTime.Sub(was.ObservedTime.Time) < totalsEvery) {
		return
	}
	p.status.Callbacks = &now
}

// healthBefore returns CallbacksHealthy as it was before this pass.
func (p *pass[O, C]) healthBefore() *metav1.Condition {
	_, status := p.before.Callback()
	return meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionCallbacksHealthy)
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

// describe says what failed last, as the rest of a sentence.
func describe(f *live.Failure) string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf("; the last was %s to %s: %s", bounded(f.Type), bounded(f.URL), bounded(f.Reason))
}

// maxText bounds each string of a failure in the status, in bytes.
const maxText = 256

func bounded(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "..."
}

// short writes a duration without its zero parts: 1h, not 1h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
