// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// Lane says on whose behalf a request is made.
type Lane string

// Lanes, the most urgent first.
const (
	// LaneUser: someone changed a spec or a Secret, or deleted an object.
	LaneUser Lane = "user"
	// LaneNew: an object is converged for the first time. Thousands of these at
	// once do not hold up a person's edit.
	LaneNew Lane = "new"
	// LaneSync: read-back, resync and the correction of drift.
	LaneSync Lane = "sync"
	// LaneRecords: callback records.
	LaneRecords Lane = "records"
)

// lanes are all lanes in their order.
var lanes = [...]Lane{LaneUser, LaneNew, LaneSync, LaneRecords}

// DefaultQuotaShare leaves a fifth of each limit to others who call the same
// account: the console, scripts, another cluster.
const DefaultQuotaShare = 0.8

// Limits pace the requests of one account: each operation at its documented
// limit times a share, evenly spaced, so that no fixed one-second window of the
// cloud sees more than the limit. Clients of the same account use the same.
type Limits struct {
	account string // its name in metrics

	mu       sync.Mutex
	share    float64 // of each limit
	pacers   map[operation]*pacer
	cadences map[operation]*cadence // of the records operations
}

// NewLimits returns limits of which DefaultQuotaShare may be used. The account
// is its name in metrics.
func NewLimits(account string) *Limits {
	return &Limits{account: account, share: DefaultQuotaShare, pacers: map[operation]*pacer{}, cadences: map[operation]*cadence{}}
}

// SetShare sets how much of each documented limit may be used, above 0. More than
// 1 is for an account whose limits the vendor has raised.
func (l *Limits) SetShare(share float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.share = share
	for op, p := range l.pacers {
		p.setPace(l.spacing(op), l.spare(op))
	}
}

// spacing is the time between two requests. The caller holds the lock.
func (l *Limits) spacing(op operation) time.Duration {
	return time.Duration(float64(time.Second) / (op.limit * l.share))
}

// spare tells whether a fixed one-second window that holds as many requests as
// the share allows has room for two more: one that came late into it, and one
// ahead of its turn. The caller holds the lock.
func (l *Limits) spare(op operation) bool {
	return math.Floor(op.limit)-math.Ceil(op.limit*l.share) >= 2 && l.spacing(op) < maxWait
}

// pacer returns the pacer of an operation.
func (l *Limits) pacer(op operation) *pacer {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.pacers[op]
	if !ok {
		p = &pacer{report: func(spacing time.Duration) {
			perSecond := float64(time.Second) / float64(spacing)
			quota.WithLabelValues(l.account, op.action).Set(math.Round(perSecond*1000) / 1000)
		}}
		p.setPace(l.spacing(op), l.spare(op))
		l.pacers[op] = p
	}
	return p
}

// wait returns when it is this request's turn. If that is more than maxWait
// away it returns with an error of class Throttled that says when, in the form
// of the cloud's own.
func (l *Limits) wait(ctx context.Context, op operation, lane Lane) error {
	later, err := l.pacer(op).wait(ctx, lane)
	if later > 0 {
		return &Error{
			Class: Throttled, Action: op.action, Code: codeQuota,
			Message: "waiting for a turn within the account's request quota", RetryAfter: later,
		}
	}
	return err
}

// slow lowers the pace of an operation that the cloud throttled, and keeps to
// the wait that it asked for.
func (l *Limits) slow(op operation, wait time.Duration) { l.pacer(op).slow(wait) }

const (
	// maxWait bounds how long a request waits for its turn while it holds a
	// worker.
	maxWait = time.Second
	// maxPromise bounds how far ahead turns are promised.
	maxPromise = time.Minute
	// fairness is after how many turns of higher lanes in a row a lower one that
	// waits has one, so that none waits for ever.
	fairness = 10
	// slowdown is by how much the time between requests grows when the cloud
	// throttles, up to maxSlowdown times what the quota allows; half of what was
	// added is gone after recovery.
	slowdown    = 1.5
	maxSlowdown = 10
	recovery    = 30 * time.Second
)

// pacer gives turns to the requests of one operation: one after each spacing,
// the highest lane first, in the order of their coming within a lane.
type pacer struct {
	report func(spacing time.Duration) // of a change, for metrics

	mu       sync.Mutex
	quota    time.Duration // the spacing that the quota allows
	spare    bool          // a person's request may take its turn early
	spacing  time.Duration // the one that is kept: longer after throttling
	adjusted time.Time     // when spacing was last changed
	next     time.Time     // when the next turn is
	promised time.Time     // the last turn that was promised to who was sent away
	waiting  [len(lanes)][]chan struct{}
	passed   int  // turns in a row in which a lower lane waited for a higher
	armed    bool // turn will be called
}

// setPace sets the spacing that the quota allows, and whether there is room for
// a turn ahead of its time.
func (p *pacer) setPace(spacing time.Duration, spare bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.quota, p.spacing, p.spare = spacing, spacing, spare
	p.report(spacing)
}

// slow is what throttling calls for: a longer spacing, and no turn within wait.
func (p *pacer) slow(wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.spacing = min(time.Duration(float64(p.spacing)*slowdown), p.quota*maxSlowdown)
	p.adjusted = now
	if resume := now.Add(max(wait, p.spacing)); resume.After(p.next) {
		p.next = resume
	}
	p.report(p.spacing)
}

// recover takes back part of what throttling added. The caller holds the lock.
func (p *pacer) recover(now time.Time) {
	if p.spacing == p.quota || now.Sub(p.adjusted) < recovery {
		return
	}
	p.adjusted = now
	if p.spacing = p.quota + (p.spacing-p.quota)/2; p.spacing-p.quota < p.quota/100 {
		p.spacing = p.quota
	}
	p.report(p.spacing)
}

// wait returns when it is this request's turn, or, if that is later than
// maxWait, how much later; each who is sent away is told of another turn.
func (p *pacer) wait(ctx context.Context, lane Lane) (later time.Duration, err error) {
	i := rank(lane)
	p.mu.Lock()
	now := time.Now()
	p.recover(now)
	ahead := 0
	for _, queue := range p.waiting[:i+1] {
		ahead += len(queue)
	}
	if ahead == 0 && p.free(now, lane) {
		if p.next.Before(now) {
			p.next = now
		}
		p.next = p.next.Add(p.spacing)
		p.mu.Unlock()
		return 0, nil
	}
	if eta := p.next.Sub(now) + time.Duration(ahead)*p.spacing; eta > maxWait {
		later = p.promise(now, now.Add(eta))
		p.mu.Unlock()
		return later, nil
	}
	turn := make(chan struct{})
	p.waiting[i] = append(p.waiting[i], turn)
	p.arm(now)
	p.mu.Unlock()
	return p.await(ctx, i, turn)
}

// free tells whether a request that nobody is ahead of need not wait. What a
// person asked for may take the turn that comes next early, if that breaks no
// limit: it would else wait for a background request that happened to be just
// before it. The caller holds the lock.
func (p *pacer) free(now time.Time, lane Lane) bool {
	if lane == LaneUser && p.spare && p.spacing == p.quota {
		return p.next.Sub(now) <= p.spacing
	}
	return !p.armed && !p.next.After(now)
}

// await waits for a turn that was queued.
func (p *pacer) await(ctx context.Context, i int, turn chan struct{}) (later time.Duration, err error) {
	patience := time.NewTimer(maxWait)
	defer patience.Stop()
	select {
	case <-turn:
		return 0, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-patience.C:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for j, other := range p.waiting[i] {
		if other == turn {
			p.waiting[i] = append(p.waiting[i][:j], p.waiting[i][j+1:]...)
			if err == nil {
				later = p.promise(time.Now(), p.next.Add(time.Duration(j)*p.spacing))
			}
			return later, err
		}
	}
	if err != nil { // the turn came at the same moment, to one who has gone
		p.next = p.next.Add(-p.spacing)
	}
	return 0, err
}

// promise returns how much later there is a turn, no earlier than eta, that
// nobody else was told of. Beyond maxPromise it is a guess, spread out. The
// caller holds the lock.
func (p *pacer) promise(now, eta time.Time) time.Duration {
	if next := p.promised.Add(p.spacing); next.After(eta) {
		eta = next
	}
	if later := eta.Sub(now); later <= maxPromise {
		p.promised = eta
		return max(later, p.spacing)
	}
	return maxPromise/2 + rand.N(maxPromise/2)
}

// arm has turn called when the next turn is. The caller holds the lock.
func (p *pacer) arm(now time.Time) {
	if !p.armed {
		p.armed = true
		time.AfterFunc(p.next.Sub(now), p.turn)
	}
}

// turn gives one turn.
func (p *pacer) turn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = false
	now := time.Now()
	if p.next.After(now) { // it was moved, by throttling
		p.arm(now)
		return
	}
	i := p.choose()
	if i < 0 {
		return
	}
	close(p.waiting[i][0])
	p.waiting[i] = p.waiting[i][1:]
	// A timer that was late is made good, so that turns do not fall behind the
	// quota; but never by more than half a spacing at once.
	p.next = p.next.Add(p.spacing)
	if soonest := now.Add(p.spacing / 2); p.next.Before(soonest) {
		p.next = soonest
	}
	if p.lowest() >= 0 {
		p.arm(now)
	}
}

// choose returns the lane whose turn it is; -1 if nobody waits.
func (p *pacer) choose() int {
	lowest := p.lowest()
	for i := range p.waiting {
		if len(p.waiting[i]) == 0 {
			continue
		}
		if i == lowest || p.passed == fairness {
			p.passed = 0
			return lowest
		}
		p.passed++
		return i
	}
	return -1
}

// lowest returns the lowest lane in which someone waits; -1 if nobody does.
func (p *pacer) lowest() int {
	for i := len(p.waiting) - 1; i >= 0; i-- {
		if len(p.waiting[i]) > 0 {
			return i
		}
	}
	return -1
}

// rank returns the place of a lane; an unknown one is the last.
func rank(lane Lane) int {
	for i, l := range lanes {
		if l == lane {
			return i
		}
	}
	return len(lanes) - 1
}
