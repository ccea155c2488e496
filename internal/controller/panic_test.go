// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
)

// recovered makes a pass as controller-runtime does: a panic ends it alone.
func (d *driver) recovered(name string) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	d.catchUp()
	_, _ = d.try(name)
	return false
}

// TestPanicAtEveryCall lets each call of a pass to the API server panic, as a defect
// of a library would. It ends that pass: no lock and no worker is held, the object
// comes to rest as if nothing had been, and nobody takes the worker for stuck.
func TestPanicAtEveryCall(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		panics := 0
		for _, s := range scenarios() {
			if s.of != nil && !s.of(f) {
				continue
			}
			undisturbed := d.play(s, nil)
			for i, call := range undisturbed.untilStable() {
				if isCloud(call) || !f.plays(i) {
					continue
				}
				where := fmt.Sprintf("%s: call %d, %s", s.name, i, call)
				again := scenario{name: s.name, before: s.before, event: func(d *driver) {
					s.event(d)
					for range 20 {
						if d.recovered("a") {
							panics++
							return
						}
						d.clock.advance(time.Minute)
					}
				}}
				end := d.play(again, func(n int, call string) fate {
					if n != i || isCloud(call) {
						return fate{}
					}
					return fate{hold: func() { panic("SECRET") }}
				})
				d.Expect(end.state).To(Equal(undisturbed.state), where)
				d.clock.advance(2 * stuckAfter)
				d.Expect(d.r.(*Reconciler).watchdog.Check(nil)).To(Succeed(), where)
			}
		}
		d.Expect(panics > 0 || testing.Short()).To(BeTrue(), "the short form may have no call of a kind")
		t.Logf("%s: %d panics", f.name, panics)
	})
}

// TestPanicOfAnEvent: a recorder that panics ends the pass alone.
func TestPanicOfAnEvent(t *testing.T) {
	t.Parallel()
	d := simulated(t, streamFixture(), emulator.Options{})
	r := d.r.(*Reconciler)
	r.events = panicking{}
	d.create("a")
	for range 20 {
		d.recovered("a")
		d.clock.advance(time.Minute)
	}
	d.Expect(d.f.have(d.cloud)).NotTo(BeNil())
	d.Expect(r.watchdog.Check(nil)).To(Succeed())
}

type panicking struct{}

func (panicking) Eventf(_, _ runtime.Object, _, _, _, _ string, _ ...any) { panic("SECRET") }

// TestStuckWorkerIsNoticed: a pass that never ends makes the health check fail, until
// it does.
func TestStuckWorkerIsNoticed(t *testing.T) {
	t.Parallel()
	clock := &fakeClock{stopped: time.Unix(1_800_000_000, 0)}
	w := &watchdog{clock: clock}
	leave := w.enter()
	w.enter()()
	g := NewWithT(t)
	clock.advance(stuckAfter - time.Second)
	g.Expect(w.Check(nil)).To(Succeed())
	clock.advance(2 * time.Second)
	g.Expect(w.Check(nil)).To(MatchError(ContainSubstring("1 worker")))
	leave()
	g.Expect(w.Check(nil)).To(Succeed())
}

// TestPanicOfAWatchAndOfMetrics: an object that makes those panic costs itself
// alone.
func TestPanicOfAWatchAndOfMetrics(t *testing.T) {
	g := NewWithT(t)
	before := panicsCounted(g, "watch")
	q := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer q.ShutDown()
	h := mapped(func(_ context.Context, o client.Object) []reconcile.Request {
		if o.GetName() == "bad" {
			panic("SECRET")
		}
		return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(o)}}
	})
	for _, name := range []string{"bad", "good"} {
		o := &v1alpha1.LiveNotifyConfig{}
		o.Name = name
		h.Create(t.Context(), event.CreateEvent{Object: o}, q)
	}
	g.Expect(q.Len()).To(Equal(1))
	g.Expect(panicsCounted(g, "watch")).To(Equal(before + 1))

	r := &Reconciler{kind: kind.All[0]}
	metrics := make(chan prometheus.Metric, 100)
	before = panicsCounted(g, "metrics")
	r.collect(nil, r.scrape(metrics)) // which no cache has
	g.Expect(panicsCounted(g, "metrics")).To(Equal(before + 1))
	r.collect(r.kind.New(), r.scrape(metrics))
	g.Expect(metrics).NotTo(BeEmpty())
}

func panicsCounted(g Gomega, where string) float64 {
	var m dto.Metric
	g.Expect(Panics.WithLabelValues(where).Write(&m)).To(Succeed())
	return m.GetCounter().GetValue()
}
