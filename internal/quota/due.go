// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package quota

import "time"

// Due reserves a turn for a key without using it, and returns how long it is until
// that turn; 0 if it is due, so that Take would return at once. Leave gives it up.
func (l *Limits) Due(rate Rate, lane Lane, key string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, w, line := l.now(), who{l, key}, []*pacer{l.pacer(rate)}
	if l.shared != nil {
		l.shared.mu.Lock()
		defer l.shared.mu.Unlock()
		common := l.shared.pacer(rate)
		if l.share < l.shared.share {
			line = append(line, common)
		} else {
			line = []*pacer{common}
		}
	}
	var longest time.Duration
	number := arrivals.Add(1)
	for _, p := range line {
		e, wait := p.ask(now, w, lane.valid(), number)
		longest, number = max(longest, min(wait, maxWait)), e.number
	}
	for _, p := range line {
		p.index[w].back = now.Add(longest)
	}
	return longest
}

// SetClock makes the breaker take the time from elsewhere. It is called before the
// breaker is used.
func (b *Breaker) SetClock(now func() time.Time) { b.now = now }

// SetClock makes the limits take the time from elsewhere. It is called before they
// are used.
func (l *Limits) SetClock(now func() time.Time) { l.now = now }
