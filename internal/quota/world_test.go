// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"container/heap"
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

// world is a clock, and what happens when. Callers are simulated one at a time:
// nothing sleeps, and nothing depends on the machine.
type world struct {
	t      *testing.T
	start  time.Time
	now    time.Time
	random *rand.Rand
	events events
}

func newWorld(t *testing.T) *world {
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	return &world{t: t, start: start, now: start, random: rand.New(rand.NewPCG(1, 2))}
}

// limits returns limits that live in this world.
func (w *world) limits(share float64, report Report) *Limits {
	l := NewLimits(share, report)
	l.now = func() time.Time { return w.now }
	l.sleep = func(_ context.Context, wait time.Duration) error {
		w.now = w.now.Add(wait)
		return nil
	}
	return l
}

type event struct {
	at     time.Time
	number int
	do     func()
}

type events struct {
	queue []event
	count int
}

func (e *events) Len() int      { return len(e.queue) }
func (e *events) Swap(i, j int) { e.queue[i], e.queue[j] = e.queue[j], e.queue[i] }
func (e *events) Push(x any)    { e.queue = append(e.queue, x.(event)) }

func (e *events) Less(i, j int) bool {
	a, b := e.queue[i], e.queue[j]
	return a.at.Before(b.at) || a.at.Equal(b.at) && a.number < b.number
}

func (e *events) Pop() any {
	last := e.queue[len(e.queue)-1]
	e.queue = e.queue[:len(e.queue)-1]
	return last
}

// after has something done later.
func (w *world) after(wait time.Duration, do func()) {
	w.events.count++
	heap.Push(&w.events, event{w.now.Add(wait), w.events.count, do})
}

// run has done all that is to be done within a time.
func (w *world) run(span time.Duration) {
	end := w.now.Add(span)
	for len(w.events.queue) > 0 && !w.events.queue[0].at.After(end) {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
	}
	w.now = end
}

// since is how much time went by.
func (w *world) since() time.Duration { return w.now.Sub(w.start) }

// wait asks once, and returns how long to wait: 0 if it was this one's turn.
func (w *world) wait(l *Limits, rate Rate, lane Lane, key string) time.Duration {
	w.t.Helper()
	err := l.Take(w.t.Context(), rate, lane, key, 0)
	if err == nil {
		return 0
	}
	d, ok := errors.AsType[*Deferral](err)
	if !ok || d.Outage || d.Name != rate.Name || d.Wait < minWait || d.Wait > maxWait {
		w.t.Fatalf("Take: %#v", err)
	}
	return d.Wait
}

// late is by how much a caller misses the moment that it was told.
func (w *world) late() time.Duration {
	return time.Duration(w.random.Int64N(int64(20 * time.Millisecond)))
}

// request asks until it is its turn, coming back a little late each time.
func (w *world) request(l *Limits, rate Rate, lane Lane, key string, done func()) {
	w.t.Helper()
	if wait := w.wait(l, rate, lane, key); wait > 0 {
		w.after(wait+w.late(), func() { w.request(l, rate, lane, key, done) })
		return
	}
	done()
}

// loop requests for ever.
func (w *world) loop(l *Limits, rate Rate, lane Lane, key string, done func()) {
	w.request(l, rate, lane, key, func() {
		done()
		w.after(0, func() { w.loop(l, rate, lane, key, done) })
	})
}

// turns are when turns were used.
type turns []time.Time

// within tells the most turns in any window.
func (t turns) within(window time.Duration) int {
	most, first := 0, 0
	for i, at := range t {
		for at.Sub(t[first]) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// note returns a function that notes a turn.
func (w *world) note(t *turns) func() {
	return func() { *t = append(*t, w.now) }
}

func check[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
