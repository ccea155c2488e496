// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

const (
	// pace is how often something is done.
	pace = 300 * time.Millisecond
	// sampling is how often the operator's process is looked at.
	sampling = 10 * time.Second
	// terminal is how long before the end nothing happens any more that the
	// operator takes for a mistake of the user's: it looks again after half an
	// hour only, or when something changes.
	terminal = 35 * time.Minute
)

// trouble makes it for a while.
func (w *world) trouble(ctx context.Context, span time.Duration) error {
	if err := w.StartOperator(ctx); err != nil {
		return err
	}
	start := time.Now()
	end := start.Add(span)
	nextKill, nextFault := start.Add(span/8), start.Add(20*time.Second)
	nextSample, nextWord := start.Add(sampling), start.Add(time.Minute)
	for time.Now().Before(end) {
		now := time.Now()
		switch {
		case now.After(nextKill) && now.Before(start.Add(span/2)):
			w.KillOperator()
			w.kills++
			if err := w.StartOperator(ctx); err != nil {
				return err
			}
			nextKill = now.Add(span/12 + time.Duration(w.random.Int64N(int64(span/12))))
		case now.After(nextFault):
			f := w.fault(end.Sub(now) > terminal)
			w.done["fault: "+f.name]++
			w.Cloud.Inject(f.Fault)
			nextFault = now.Add(5*time.Second + time.Duration(w.random.Int64N(int64(10*time.Second))))
		case now.After(nextSample):
			if err := w.sample(ctx); err != nil {
				return err
			}
			nextSample = now.Add(sampling)
		case now.After(nextWord):
			say("%s to go: %s", end.Sub(now).Round(time.Second), w.word())
			nextWord = now.Add(time.Minute)
		default:
			what, do := w.event()
			if err := do(ctx); err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			w.done[what]++
			w.send()
			pause(ctx, pace)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// event draws something that people do, to an object, a Secret or the cloud.
func (w *world) event() (what string, do func(context.Context) error) {
	s := w.slots[w.random.IntN(len(w.slots))]
	change := func(edit func(o callback)) func(context.Context) error {
		return func(ctx context.Context) error { return w.update(ctx, s, edit) }
	}
	spec := func(edit func(*v1alpha1.CallbackSpec)) func(context.Context) error {
		return change(func(o callback) {
			shared, _ := o.Callback()
			edit(shared)
		})
	}
	cloud := func(edit func(*emulator.Server, string)) func(context.Context) error {
		return func(context.Context) error {
			edit(w.Cloud, s.key)
			return nil
		}
	}
	events := []struct {
		weight int
		what   string
		do     func(context.Context) error
	}{
		{30, "edit", func(ctx context.Context) error {
			edit, url := s.kind.changes[w.random.IntN(len(s.kind.changes))], w.url()
			return w.update(ctx, s, func(o callback) {
				edit(o, url)
				if needsURL(s, o) {
					s.kind.changes[0](o, url)
				}
			})
		}},
		{4, "sign or not", func(ctx context.Context) error {
			if s.kind.sign == nil {
				return nil
			}
			secret := []string{"", s.secret}[w.random.IntN(2)]
			return w.update(ctx, s, func(o callback) { s.kind.sign(o, secret) })
		}},
		{8, "edit the cloud", cloud(s.kind.edit)},
		{4, "erase from the cloud", cloud(s.kind.erase)},
		{2, "rotate a key", func(ctx context.Context) error { return w.rotate(ctx, s.secret) }},
		{1, "lose a Secret", func(ctx context.Context) error { return w.lose(ctx, s.secret) }},
		{2, "find Secrets", w.find},
		{5, "suspend or resume", spec(func(c *v1alpha1.CallbackSpec) { c.Suspend = !c.Suspend })},
		{3, "managementPolicy", spec(func(c *v1alpha1.CallbackSpec) {
			c.ManagementPolicy = other(c.ManagementPolicy, v1alpha1.Manage, v1alpha1.Observe)
		})},
		{3, "driftPolicy", spec(func(c *v1alpha1.CallbackSpec) {
			c.DriftPolicy = other(c.DriftPolicy, v1alpha1.DriftCorrect, v1alpha1.DriftReport)
		})},
		{3, "adoptionPolicy", spec(func(c *v1alpha1.CallbackSpec) {
			c.AdoptionPolicy = other(c.AdoptionPolicy, v1alpha1.AdoptIfIdentical, v1alpha1.AdoptAlways)
		})},
		{3, "deletionPolicy", spec(func(c *v1alpha1.CallbackSpec) {
			c.DeletionPolicy = other(c.DeletionPolicy, v1alpha1.DeletionDelete, v1alpha1.DeletionRetain)
		})},
		{6, "delete", func(ctx context.Context) error { return w.delete(ctx, s) }},
		{8, "create", func(ctx context.Context) error { return client.IgnoreAlreadyExists(w.create(ctx, s)) }},
		{3, "create a rival", func(ctx context.Context) error {
			rival := s
			rival.name += "-rival"
			w.rivals[rival.name] = rival
			return client.IgnoreAlreadyExists(w.create(ctx, rival))
		}},
		{3, "delete rivals", w.peace},
	}
	sum := 0
	for _, e := range events {
		sum += e.weight
	}
	draw := w.random.IntN(sum)
	for _, e := range events {
		if draw -= e.weight; draw < 0 {
			return e.what, e.do
		}
	}
	panic("unreachable")
}

// needsURL tells whether an object has no URL left, which its schema refuses.
func needsURL(s slot, o callback) bool {
	stream, ok := o.(*v1alpha1.LiveNotifyConfig)
	return ok && s.kind == kinds[0] && stream.Spec.NotifyURL+stream.Spec.ExceptionNotifyURL+stream.Spec.SwitchNotifyURL == ""
}

func other[T comparable](v, a, b T) T {
	if v == a {
		return b
	}
	return a
}

func (w *world) delete(ctx context.Context, s slot) error {
	return client.IgnoreNotFound(w.API.Delete(ctx, s.kind.object(s.name, s.key)))
}

// peace deletes the rivals.
func (w *world) peace(ctx context.Context) error {
	for name, rival := range w.rivals {
		if err := w.delete(ctx, rival); err != nil {
			return err
		}
		delete(w.rivals, name)
	}
	return nil
}

// send makes the cloud send callbacks, which some receivers refuse.
func (w *world) send() {
	s := w.slots[w.random.IntN(len(w.slots))]
	s.kind.send(w.Cloud, s.key, w.random.IntN(2))
	w.done["callback"]++
}

type fault struct {
	name string
	emulator.Fault
}

// fault draws something that goes wrong with some calls.
func (w *world) fault(also bool) fault {
	r := w.random
	some := 1 + r.IntN(20)
	faults := []fault{
		{"latency", emulator.Fault{Latency: time.Duration(50+r.IntN(2000)) * time.Millisecond, Times: some}},
		{"no reply", emulator.Fault{Latency: 11 * time.Second, Times: 1 + r.IntN(3)}},
		{"throttled", emulator.Fault{Code: "Throttling.User", Message: "Request was denied due to user flow control.", RetryAfter: time.Duration(1+r.IntN(3000)) * time.Millisecond, Times: some}},
		{"internal error", emulator.Fault{Code: "InternalError", Status: 500, Times: some}},
		{"unavailable", emulator.Fault{Code: "ServiceUnavailable", Status: 503, Times: some}},
		{"dropped connection", emulator.Fault{Drop: true, Times: some}},
		{"lost reply", emulator.Fault{LoseReply: true, Times: some}},
		{"page of a proxy", emulator.Fault{Body: "<html>502 Bad Gateway</html>", Status: 502, Times: some}},
		{"truncated reply", emulator.Fault{Body: `{"RequestId":"5056369B-D337-499E-B8B7-B761BD37B08A","LiveStr`, Times: some}},
		{"stale read", emulator.Fault{Stale: true, Times: some}},
	}
	if also {
		faults = append(faults,
			fault{"denied", emulator.Fault{Code: "Forbidden.RAM", Status: 403, Times: some}},
			fault{"rejected", emulator.Fault{Code: "InvalidParam", Times: some}},
			fault{"no such domain", emulator.Fault{Code: "InvalidDomain.NotFound", Status: 404, Action: writeAction(r), Times: 1 + r.IntN(3)}},
		)
	}
	return faults[r.IntN(len(faults))]
}

// writeAction is one that changes a configuration. A removal that is told so would
// be believed, and leave what is there.
func writeAction(r *rand.Rand) string {
	return []string{"SetLiveStreamsNotifyUrlConfig", "UpdateLiveRecordNotifyConfig", "UpdateRtcMPUEventSub"}[r.IntN(3)]
}
