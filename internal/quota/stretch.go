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
	told    float64 // the stretch that was reported
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
	shared := l.joined()
	interval = max(interval, time.Second)
	want := demand{perSecond: requests / interval.Seconds()}
	w := who{l, key}
	factor, common := l.demand(rate, w, want), 0.0
	if shared != nil {
		common = shared.demand(rate, w, want)
	}
	factor = max(factor, common)
	patience := time.Duration(idle * factor * float64(interval))
	l.expect(rate, w, patience)
	if shared != nil {
		shared.expect(rate, w, patience)
		shared.tellStretch(rate, common)
	}
	l.tellStretch(rate, factor)
	return factor
}

// demand notes what one would like, and returns the stretch that all have.
func (l *Limits) demand(rate Rate, w who, want demand) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.cadence(rate)
	c.drop(w)
	c.demands[w] = want
	c.sum += want.perSecond
	if now := l.now(); now.Sub(c.swept) >= time.Minute {
		c.sweep(now)
	}
	if ratio := c.sum / (rate.PerSecond * l.share * demandShare); ratio > 1+rounding {
		return math.Ceil(ratio/stretchStep-rounding) * stretchStep
	}
	return 1
}

// expect notes until when one is expected to be back.
func (l *Limits) expect(rate Rate, w who, patience time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.cadence(rate)
	if want, ok := c.demands[w]; ok {
		want.until = l.now().Add(patience)
		c.demands[w] = want
	}
}

// tellStretch reports a stretch if it is news.
func (l *Limits) tellStretch(rate Rate, factor float64) {
	if l.newStretch(rate, factor) && l.report.Stretch != nil {
		l.report.Stretch(rate.Name, factor)
	}
}

func (l *Limits) newStretch(rate Rate, factor float64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.cadence(rate)
	news := c.told != factor
	c.told = factor
	return news
}

// cadence returns the cadence of an operation. The caller holds the lock.
func (l *Limits) cadence(rate Rate) *cadence {
	c, ok := l.cadences[rate]
	if !ok {
		c = &cadence{demands: map[who]demand{}}
		l.cadences[rate] = c
	}
	return c
}

// drop forgets the demand of one.
func (c *cadence) drop(w who) {
	c.sum -= c.demands[w].perSecond
	delete(c.demands, w)
}

// sweep forgets who has gone, and sums up anew, which leaves no rounding behind.
func (c *cadence) sweep(now time.Time) {
	c.swept, c.sum = now, 0
	for w, d := range c.demands {
		if !d.until.IsZero() && now.After(d.until) {
			delete(c.demands, w)
			continue
		}
		c.sum += d.perSecond
	}
}
