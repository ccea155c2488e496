// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"math"
	"sync"
	"time"
)

// limit is how often an account may call an operation. The zero limit is none.
type limit struct {
	count int
	per   time.Duration
}

func perSecond(count int) limit { return limit{count, time.Second} }
func perMinute(count int) limit { return limit{count, time.Minute} }

// quotas counts calls against the limit of their operation, per account.
type quotas struct {
	scale float64
	model ThrottleModel

	mu       sync.Mutex
	counters map[quotaKey]counter
}

type quotaKey struct{ account, action string }

// counter decides about one call after the other.
type counter interface {
	// take counts a call made now. If it is one too many, it returns for how long to wait, and does not count it.
	take(now time.Time) (wait time.Duration)
}

// take counts a call, or refuses it with a throttling error.
func (q *quotas) take(account, action string, l limit, now time.Time) error {
	if q.scale <= 0 || l.count == 0 {
		return nil
	}
	l.count = max(1, int(math.Round(float64(l.count)*q.scale)))
	q.mu.Lock()
	defer q.mu.Unlock()
	key := quotaKey{account, action}
	c, ok := q.counters[key]
	if !ok {
		c = newCounter(q.model, l)
		if q.counters == nil {
			q.counters = make(map[quotaKey]counter)
		}
		q.counters[key] = c
	}
	if wait := c.take(now); wait > 0 {
		return errThrottled(l.count, wait)
	}
	return nil
}

func (q *quotas) reset() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.counters = nil
}

func newCounter(model ThrottleModel, l limit) counter {
	if model == TokenBucket {
		rate := float64(l.count) / l.per.Seconds()
		return &bucket{rate: rate, size: max(1, rate)}
	}
	return &window{limit: l}
}

// window counts calls in spans of time that are aligned to the clock.
type window struct {
	limit limit
	start time.Time
	count int
}

func (w *window) take(now time.Time) time.Duration {
	if start := now.Truncate(w.limit.per); !start.Equal(w.start) {
		w.start, w.count = start, 0
	}
	if w.count >= w.limit.count {
		return w.start.Add(w.limit.per).Sub(now)
	}
	w.count++
	return 0
}

// bucket holds tokens, one for each call, that come back at a steady rate.
type bucket struct {
	rate   float64 // tokens per second
	size   float64
	tokens float64
	last   time.Time
}

func (b *bucket) take(now time.Time) time.Duration {
	if b.last.IsZero() {
		b.tokens = b.size
	} else {
		b.tokens = min(b.size, b.tokens+now.Sub(b.last).Seconds()*b.rate)
	}
	b.last = now
	if b.tokens < 1 {
		return time.Duration(math.Ceil((1 - b.tokens) / b.rate * float64(time.Second)))
	}
	b.tokens--
	return 0
}
