// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

const (
	// A row of maxUnanswered calls without an answer, from manyKeys keys, is an
	// outage.
	maxUnanswered = 5
	manyKeys      = 3
	// memory is for how long a key is one of those that there are.
	memory = 10 * time.Minute
	// probing is the time between the starts of two probes.
	probing = 5 * time.Second
	// lostProbe is when a probe that has not ended is given up.
	lostProbe = time.Minute
)

// Answer is what came of a call.
type Answer int

const (
	// Answered is an answer of the API, whatever it said.
	Answered Answer = iota
	// Unanswered is none.
	Unanswered
	// Unsaid is a call that was cancelled by us, which says nothing.
	Unsaid
)

// Breaker keeps requests back from an endpoint that does not answer, but for one
// at a time that asks whether it is back.
type Breaker struct {
	report func(available bool)
	now    func() time.Time
	jitter func() time.Duration

	mu      sync.Mutex
	open    bool
	closed  time.Time // when it was last closed
	row     int       // calls without an answer since the last answer
	failed  []string  // their keys; no more than matter
	recent  []visit   // the last keys to come, the newest last; no more than matter
	probe   *visit    // the one under way
	started time.Time // when the last probe was
}

// visit is a call by a key.
type visit struct {
	key string
	at  time.Time
}

// NewBreaker returns a breaker that is closed: everything passes. It reports
// changes; report may be nil, and is called without a lock held.
func NewBreaker(report func(available bool)) *Breaker {
	return &Breaker{report: report, now: time.Now, jitter: func() time.Duration { return rand.N(time.Second) }}
}

// SetClock makes the breaker take the time from elsewhere. It is called before the
// breaker is used.
func (b *Breaker) SetClock(now func() time.Time) { b.now = now }

// Ready returns nil, or a Deferral if nothing may be sent now.
func (b *Breaker) Ready() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ready(b.now())
}

// ready is Ready with the lock held.
func (b *Breaker) ready(now time.Time) error {
	since := now.Sub(b.started)
	if !b.open || since >= lostProbe || b.probe == nil && since >= probing {
		return nil
	}
	// The jitter keeps those who wait from coming all in one instant.
	return &Deferral{Outage: true, Wait: probing - since%probing + b.jitter()}
}

// Outage returns when one whose call got no answer is to try again while the breaker is
// open, and so spares the endpoint: after no more than the wait of all others. It is 0
// if the breaker is closed.
func (b *Breaker) Outage() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return 0
	}
	return probing + b.jitter()
}

// Enter lets a call of a key pass, or returns a Deferral as Ready does. Done is
// to be called with what came of the call.
func (b *Breaker) Enter(key string) (done func(Answer), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if err := b.ready(now); err != nil {
		return nil, err
	}
	call := &visit{key, now}
	if b.open {
		b.probe, b.started = call, now
	}
	b.recent = slices.DeleteFunc(b.recent, func(v visit) bool { return v.key == key || now.Sub(v.at) > memory })
	if b.recent = append(b.recent, *call); len(b.recent) > manyKeys {
		b.recent = b.recent[1:]
	}
	var once sync.Once
	return func(answer Answer) {
		once.Do(func() {
			if news := b.done(call, answer); news && b.report != nil {
				b.report(answer == Answered)
			}
		})
	}, nil
}

// done notes what came of a call, and returns whether that opened or closed the
// breaker.
func (b *Breaker) done(call *visit, answer Answer) (news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.probe == call {
		b.probe = nil
	}
	wasOpen := b.open
	switch {
	case answer == Answered:
		b.open, b.row, b.failed = false, 0, nil
		if wasOpen {
			b.closed = b.now()
		}
	case answer == Unanswered && call.at.After(b.closed): // one from before says nothing of now
		b.row++
		if !slices.Contains(b.failed, call.key) && len(b.failed) < manyKeys {
			b.failed = append(b.failed, call.key)
		}
		if !b.open && b.row >= maxUnanswered && b.all() {
			b.open, b.started = true, b.now()
		}
	}
	return b.open != wasOpen
}

// all tells whether the calls without an answer came from many keys, or from all
// that there are. The last few keys to come are enough to know: they are more
// than those that failed.
func (b *Breaker) all() bool {
	return len(b.failed) >= manyKeys || !slices.ContainsFunc(b.recent, func(v visit) bool {
		return !slices.Contains(b.failed, v.key) && b.now().Sub(v.at) <= memory
	})
}
