// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// stuckAfter is how long a worker may be in one pass: no pass of one that works
// takes that long.
const stuckAfter = 2 * time.Minute

// watchdog knows which passes are under way.
type watchdog struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	started map[int]time.Time
	last    int
}

// enter notes the begin of a pass; the function that it returns notes its end.
func (w *watchdog) enter() func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.started == nil {
		w.started = map[int]time.Time{}
	}
	w.last++
	id := w.last
	w.started[id] = w.clock.Now()
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.started, id)
	}
}

// Check is a health check: it fails while a worker is stuck in a pass.
func (w *watchdog) Check(*http.Request) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	stuck := 0
	for _, since := range w.started {
		if w.clock.Since(since) >= stuckAfter {
			stuck++
		}
	}
	if stuck > 0 {
		return fmt.Errorf("%d workers have been in one pass for over %s", stuck, stuckAfter)
	}
	return nil
}
