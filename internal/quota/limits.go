// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxWait bounds for how long a request is sent away: who waits longer asks
	// again, and so shows that it is still there.
	maxWait = time.Minute
	// minWait is the least for which it is worth to send someone away.
	minWait = time.Millisecond
	// tries bounds how often one call of Take looks for its turn.
	tries = 10
	// leastShare is what a share of nothing is taken for.
	leastShare = 0.001
)

// Report tells of changes, for metrics. Its functions are called without a lock
// held; those that are nil are not called. One that panics loses no turn.
type Report struct {
	Limit   func(name string, perSecond float64)
	Stretch func(name string, factor float64)
}

// Limits pace the requests of one account: each operation at its documented
// limit times a share, evenly spaced, so that no one-second window of the cloud
// sees more than the limit.
//
// Limits may be members of others, those of a cloud account that several share.
// Who is shared is no member itself: a member's lock is held while the shared one
// is taken.
type Limits struct {
	report Report
	now    func() time.Time
	sleep  func(context.Context, time.Duration) error

	mu       sync.Mutex
	share    float64
	shared   *Limits
	pacers   map[Rate]*pacer
	cadences map[Rate]*cadence
	paces    map[Rate]float64 // that were reported
	factors  map[Rate]float64 // that were reported
}

// who has a reservation: a key of one of the members.
type who struct {
	member *Limits
	key    string
}

// arrivals numbers requests in the order of their coming, for all Limits: members
// of a cloud account stand in one line.
var arrivals atomic.Uint64

// NewLimits returns limits of which a share may be used, above 0. More than 1 is
// for an account whose limits the vendor has raised.
func NewLimits(share float64, report Report) *Limits {
	return &Limits{
		report: report, now: time.Now, sleep: Sleep, share: max(share, leastShare),
		pacers: map[Rate]*pacer{}, cadences: map[Rate]*cadence{},
		paces: map[Rate]float64{}, factors: map[Rate]float64{},
	}
}

// SetClock makes the limits take the time from elsewhere. It is called before they
// are used.
func (l *Limits) SetClock(now func() time.Time) { l.now = now }

// Sleep waits for so long, or until the context ends, whose error it then returns.
func Sleep(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// SetShare sets how much of each documented limit may be used. What throttling
// has lowered stays lowered.
func (l *Limits) SetShare(share float64) {
	for _, rate := range l.setShare(max(share, leastShare)) {
		l.tell(rate)
	}
}

func (l *Limits) setShare(share float64) (rates []Rate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.share == share {
		return nil
	}
	l.share = share
	for rate, p := range l.pacers {
		p.setShare(share)
		rates = append(rates, rate)
	}
	return rates
}

// Join makes the limits a member of those of a cloud account: a request keeps to
// its own share, and, together with all other members, to the shared limits. Nil
// leaves.
func (l *Limits) Join(shared *Limits) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if shared == l.shared || shared == l {
		return
	}
	if l.shared != nil {
		l.shared.dismiss(l)
	}
	l.shared = shared
}

// Forget drops the reservations and the demand of a key that is gone.
func (l *Limits) Forget(key string) {
	for _, limits := range l.all() {
		limits.forget(who{l, key})
	}
}

func (l *Limits) forget(gone who) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.pacers {
		p.leave(p.index[gone])
	}
	for _, c := range l.cadences {
		c.drop(gone)
	}
}

// Leave gives up a turn that Due has reserved and nothing is to use, so that it holds up
// nobody.
func (l *Limits) Leave(rate Rate, key string) {
	for _, limits := range l.all() {
		limits.leave(rate, who{l, key})
	}
}

func (l *Limits) leave(rate Rate, w who) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.pacer(rate)
	p.leave(p.index[w])
}

// dismiss forgets a member.
func (l *Limits) dismiss(member *Limits) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.pacers {
		p.drop(func(e *entry) bool { return e.who.member == member })
	}
	for _, c := range l.cadences {
		for w := range c.demands {
			if w.member == member {
				c.drop(w)
			}
		}
	}
}

// Take returns nil when it is this request's turn, which is used thereby. If the
// turn is further away than patience, it returns a Deferral that says when to
// come back; the key keeps its place until then. It returns the context's error
// if that ends first.
func (l *Limits) Take(ctx context.Context, rate Rate, lane Lane, key string, patience time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// Reports come before the turn: one that panics must not lose it.
	for _, limits := range l.all() {
		limits.tell(rate)
	}
	for i := 1; ; i++ {
		wait := l.try(rate, lane.valid(), key)
		if wait <= 0 {
			return nil
		}
		if wait > patience || i == tries {
			return &Deferral{Name: rate.Name, Wait: wait}
		}
		patience -= wait
		if err := l.sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// lock locks the limits, and those that they are a member of.
func (l *Limits) lock() (unlock func()) {
	l.mu.Lock()
	shared := l.shared
	if shared == nil {
		return l.mu.Unlock
	}
	shared.mu.Lock()
	return func() {
		shared.mu.Unlock()
		l.mu.Unlock()
	}
}

// line returns the pacers that a request needs a turn of. The caller holds the locks.
func (l *Limits) line(rate Rate) []*pacer {
	switch own := l.pacer(rate); {
	case l.shared == nil:
		return []*pacer{own}
	case l.share < l.shared.share:
		return []*pacer{own, l.shared.pacer(rate)}
	default: // the own share adds nothing
		return []*pacer{l.shared.pacer(rate)}
	}
}

// Due reserves a turn for a key without using it, and returns how long it is until
// that turn; 0 if it is due, so that Take would return at once. Leave gives it up.
func (l *Limits) Due(rate Rate, lane Lane, key string) time.Duration {
	defer l.lock()()
	now, w, line := l.now(), who{l, key}, l.line(rate)
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

// try takes a turn, or reserves one and returns when to come back.
func (l *Limits) try(rate Rate, lane Lane, key string) time.Duration {
	defer l.lock()()
	now, w, own, line := l.now(), who{l, key}, l.pacer(rate), l.line(rate)
	wait := take(now, w, lane, line...)
	if line[0] == own {
		return wait
	}
	// The own share goes on from here when the member leaves.
	own.leave(own.index[w])
	if wait <= 0 {
		if own.next.Before(now) {
			own.next = now
		}
		own.count(now)
	}
	return wait
}

// take takes a turn of each pacer, if it is due in all of them; else it returns
// when to come back. A place in a later line is held only while the turn in those
// before it is due: who cannot use it yet must not hold up others.
func take(now time.Time, w who, lane Lane, line ...*pacer) time.Duration {
	number := arrivals.Add(1)
	for i, p := range line {
		e, wait := p.ask(now, w, lane, number)
		if wait > 0 {
			wait = min(max(wait, minWait), maxWait)
			for _, before := range line[:i+1] {
				before.index[w].back = now.Add(wait)
			}
			for _, after := range line[i+1:] {
				after.leave(after.index[w])
			}
			return wait
		}
		number = e.number
	}
	for _, p := range line {
		p.use(p.index[w], now)
	}
	return 0
}

// Slow is for when the cloud has throttled: turns come further apart, and none
// within wait. Half of what was added is gone after a while.
func (l *Limits) Slow(rate Rate, wait time.Duration) {
	all := l.all()
	for _, limits := range all {
		limits.slow(rate, wait)
	}
	for _, limits := range all {
		limits.tell(rate)
	}
}

func (l *Limits) slow(rate Rate, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pacer(rate).slow(l.now(), wait)
}

// all returns the limits, and those that they are a member of.
func (l *Limits) all() []*Limits {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shared == nil {
		return []*Limits{l}
	}
	return []*Limits{l, l.shared}
}

// pacer returns the pacer of an operation. The caller holds the lock.
func (l *Limits) pacer(rate Rate) *pacer {
	p, ok := l.pacers[rate]
	if !ok {
		p = newPacer(rate, l.share)
		l.pacers[rate] = p
	}
	return p
}

// tell reports the pace of an operation if it is news.
func (l *Limits) tell(rate Rate) {
	l.say(l.report.Limit, l.paces, rate, l.pace(rate))
}

// pace returns how many requests a second there are turns for at present.
func (l *Limits) pace(rate Rate) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.pacer(rate)
	p.recover(l.now())
	return rate.PerSecond * l.share / p.slowed
}

// say reports what differs from what was reported last.
func (l *Limits) say(report func(string, float64), said map[Rate]float64, rate Rate, value float64) {
	if report != nil && l.news(said, rate, value) {
		report(rate.Name, value)
	}
}

func (l *Limits) news(said map[Rate]float64, rate Rate, value float64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := said[rate]
	said[rate] = value
	return value != before
}
