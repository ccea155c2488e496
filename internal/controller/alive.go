// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/internal/words"
)

// filled tells whether the cache has been filled since the start, which takes a while
// with many objects. The manager starts it after that, leader or not: who is Ready can
// take over at once, and who was before it need not go sooner.
type filled struct{ atomic.Bool }

// Start implements manager.Runnable.
func (f *filled) Start(context.Context) error {
	f.Store(true)
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (f *filled) NeedLeaderElection() bool { return false }

// Check implements healthz.Checker.
func (f *filled) Check(*http.Request) error {
	if f.Load() {
		return nil
	}
	return errors.New("objects are still being read")
}

// stuckAfter is how long a worker may be in one pass: no pass of one that works
// takes that long.
const stuckAfter = 2 * time.Minute

// watchdog knows which passes are under way.
type watchdog struct {
	clock   clock.PassiveClock
	started sync.Map // of pointers to when each began
}

// enter notes the begin of a pass; the function that it returns notes its end.
func (w *watchdog) enter() func() {
	began := new(w.clock.Now())
	w.started.Store(began, nil)
	return func() { w.started.Delete(began) }
}

// Check is a health check: it fails while a worker is stuck in a pass.
func (w *watchdog) Check(*http.Request) error {
	stuck := 0
	for began := range w.started.Range {
		if w.clock.Since(*began.(*time.Time)) >= stuckAfter {
			stuck++
		}
	}
	if stuck > 0 {
		return fmt.Errorf("%s stuck in one pass for over %s", words.Count(stuck, "worker"), stuckAfter)
	}
	return nil
}

// Panics counts what panicked besides passes, which controller-runtime counts.
var Panics = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "live_notify_panics_total",
	Help: "Panics besides those of reconcilers, by where: a watch, the metrics, or the identity of an account. Each is a defect, with its stack in the log.",
}, []string{"where"})

// survive is deferred. It ends a panic and counts it: one bad object must not end the
// process, and with it what is done for all others. What the panic says is not
// told, as it may hold anything.
func survive(where string) {
	if what := recover(); what != nil {
		Panics.WithLabelValues(where).Inc()
		ctrl.Log.Error(nil, "panic; this is a defect", "where", where, "type", fmt.Sprintf("%T", what), "stack", string(debug.Stack()))
	}
}

// mapped is a handler that enqueues what a function returns, and nothing if it
// panics: it runs on the one goroutine that has all events of a watch.
func mapped(of handler.MapFunc) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		defer survive("watch")
		return of(ctx, o)
	})
}
