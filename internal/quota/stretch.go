// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"math"
	"time"
)

const (
	// demandShare is how much of the quota regular requests may take: the rest is
	// for first ones, further pages, repetitions and what people do.
	demandShare = 0.9
	// stretchStep is what stretches are rounded up to: schedules do not move with
	// every object that comes or goes.
	stretchStep = 0.25
	// idle is after how many stretched intervals without a request one is taken to
	// be gone.
	idle = 3
)

// cadence knows who makes requests of an operation regularly, and how often. Its
// user holds a lock.
type cadence struct {
	demands map[who]demand
	sum     float64 // requests per second
	swept   time.Time
}

// demand is what one who makes requests regularly would like.
type demand struct {
	perSecond float64
	until     time.Time // when it is taken to be gone
}

// Stretch notes that a key makes so many requests at an interval, and returns by
// how much all intervals of the operation are multiplied, so that all requests
// fit in 90 % of the quota: 1, or more in steps of a quarter. Members count at
// the shared limits too.
func (l *Limits) Stretch(rate Rate, key string, interval time.Duration, requests float64) float64 {
	factor, shared, common := l.stretch(rate, key, max(interval, time.Second), requests)
	l.say(l.report.Stretch, l.factors, rate, factor)
	if shared != nil {
		shared.say(shared.report.Stretch, shared.factors, rate, common)
	}
	return factor
}

// stretch returns the stretch of this key, and that of all who share.
func (l *Limits) stretch(rate Rate, key string, interval time.Duration, requests float64) (factor float64, shared *Limits, common float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := []*Limits{l}
	if shared = l.shared; shared != nil {
		shared.mu.Lock()
		defer shared.mu.Unlock()
		all = append(all, shared)
	}
	now, w := l.now(), who{l, key}
	for _, limits := range all {
		common = limits.demand(rate, w, requests/interval.Seconds(), now)
		factor = max(factor, common)
	}
	until := now.Add(time.Duration(idle * factor * float64(interval)))
	for _, limits := range all {
		demands := limits.cadences[rate].demands
		demands[w] = demand{demands[w].perSecond, until}
	}
	return factor, shared, common
}

// demand notes what one would like, and returns the stretch that all have. The
// caller holds the lock.
func (l *Limits) demand(rate Rate, w who, perSecond float64, now time.Time) float64 {
	c, ok := l.cadences[rate]
	if !ok {
		c = &cadence{demands: map[who]demand{}}
		l.cadences[rate] = c
	}
	if now.Sub(c.swept) >= time.Minute {
		c.sweep(now)
	}
	c.drop(w)
	c.demands[w] = demand{perSecond: perSecond}
	c.sum += perSecond
	if ratio := c.sum / (rate.PerSecond * l.share * demandShare); ratio > 1+rounding {
		return math.Ceil(ratio/stretchStep-rounding) * stretchStep
	}
	return 1
}

// drop forgets the demand of one.
func (c *cadence) drop(w who) {
	if d, ok := c.demands[w]; ok {
		c.sum -= d.perSecond
		delete(c.demands, w)
	}
}

// sweep forgets who has gone, and sums up anew, which leaves no rounding behind.
func (c *cadence) sweep(now time.Time) {
	c.swept, c.sum = now, 0
	for w, d := range c.demands {
		if now.After(d.until) {
			delete(c.demands, w)
			continue
		}
		c.sum += d.perSecond
	}
}
