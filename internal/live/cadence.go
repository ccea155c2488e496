// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"math"
	"sync"
	"time"
)

const (
	// pollsShare is how much of the quota regular counts may take: the rest is for
	// first counts, further pages and repetitions.
	pollsShare = 0.9
	// stretchStep is what stretches are rounded up to: schedules do not move with
	// every object that comes or goes.
	stretchStep = 0.25
	// idlePolls is after how many stretched intervals without a count a poller is
	// taken to be gone.
	idlePolls = 3
)

// cadence knows who polls the records of an operation, and how often.
type cadence struct {
	report func(stretch float64) // of a change, for metrics

	mu      sync.Mutex
	polls   map[string]poll // by key
	demand  float64         // requests per second that all polls would make
	stretch float64         // the last answer; 0 before the first
	swept   time.Time
}

// poll is one who polls.
type poll struct {
	demand   float64 // requests per second that it would like to make
	interval time.Duration
	seen     time.Time
}

// ask notes that the records of a key are polled at an interval with that many
// requests each time, and returns by how much all intervals have to be
// stretched for the quota, in requests per second, to suffice: 1 if it does; and
// whether that is news.
func (c *cadence) ask(now time.Time, key string, interval time.Duration, requests, quota float64) (stretch float64, changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.polls == nil {
		c.polls = map[string]poll{}
	}
	wanted := requests / max(interval, time.Second).Seconds()
	c.demand += wanted - c.polls[key].demand
	c.polls[key] = poll{demand: wanted, interval: interval, seen: now}
	c.sweep(now)
	stretch = 1
	if ratio := c.demand / (quota * pollsShare); ratio > 1 {
		stretch = math.Ceil(ratio/stretchStep) * stretchStep
	}
	if stretch != c.stretch {
		changed = c.stretch > 0 || stretch > 1
		c.stretch = stretch
		c.report(stretch)
	}
	return stretch, changed
}

// sweep forgets who has not polled for long, at most once a minute. The caller
// holds the lock.
func (c *cadence) sweep(now time.Time) {
	if now.Sub(c.swept) < time.Minute {
		return
	}
	c.swept, c.demand = now, 0
	for key, p := range c.polls {
		patience := time.Duration(idlePolls * max(c.stretch, 1) * float64(p.interval))
		if now.Sub(p.seen) > patience {
			delete(c.polls, key)
			continue
		}
		c.demand += p.demand
	}
}

// Pace says how far regular counts have to be stretched.
type Pace struct {
	Account string  // the name of the Limits
	Stretch float64 // of each interval; 1 if the quota suffices
	Changed bool    // since the last answer for the account and operation
}

// poll notes that the records of a key are counted at an interval, each time
// with that many requests, and returns the pace that the quota allows.
func (l *Limits) poll(op operation, key string, interval time.Duration, requests float64) Pace {
	l.mu.Lock()
	quota := op.limit * l.share
	c, ok := l.cadences[op]
	if !ok {
		c = &cadence{report: stretchOf(l.account, op)}
		l.cadences[op] = c
	}
	l.mu.Unlock()
	stretch, changed := c.ask(time.Now(), key, interval, requests, quota)
	return Pace{Account: l.account, Stretch: stretch, Changed: changed}
}
