// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Lane says on whose behalf a request is made.
type Lane string

// Lanes, the most urgent first.
const (
	// LaneUser: someone changed a spec or a Secret, or deleted an object.
	LaneUser Lane = "user"
	// LaneSync: read-back, resync and the correction of drift.
	LaneSync Lane = "sync"
	// LaneRecords: callback records.
	LaneRecords Lane = "records"
)

// maxWait bounds how long a request waits for its turn while it holds a
// worker. Beyond it the caller is told when to come back.
const maxWait = time.Second

// Limits pace the requests of one account: each operation at its documented
// limit times a share, evenly spaced, so that no fixed one-second window of the
// cloud sees more than the limit. Clients of the same account use the same.
type Limits struct {
	account string // its name in metrics

	// mu also makes taking a turn and giving it back one step. A turn that is
	// followed by others cannot be given back.
	mu    sync.Mutex
	share float64 // of each limit, 0 to 1
	pacer map[operation]*rate.Limiter
}

// DefaultQuotaShare leaves a fifth of each limit to others who call the same
// account: the console, scripts, another cluster.
const DefaultQuotaShare = 0.8

// NewLimits returns limits of which DefaultQuotaShare may be used. The account
// is its name in metrics.
func NewLimits(account string) *Limits {
	return &Limits{account: account, share: DefaultQuotaShare, pacer: map[operation]*rate.Limiter{}}
}

// SetShare sets how much of each documented limit may be used, above 0 to 1.
func (l *Limits) SetShare(share float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.share = share
	for op, p := range l.pacer {
		l.set(op, p)
	}
}

// set gives a pacer the rate of an operation. The caller holds the lock.
func (l *Limits) set(op operation, p *rate.Limiter) {
	perSecond := op.limit * l.share
	p.SetLimit(rate.Limit(perSecond))
	quota.WithLabelValues(l.account, op.action).Set(perSecond)
}

// reserve takes the next turn of an operation and returns it with the time
// until then. A turn more than maxWait away is not taken, and nil.
func (l *Limits) reserve(op operation) (*rate.Reservation, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	turn := l.of(op).Reserve()
	delay := turn.Delay()
	if delay > maxWait {
		turn.Cancel()
		return nil, delay
	}
	return turn, delay
}

// of returns the pacer of an operation. The caller holds the lock.
func (l *Limits) of(op operation) *rate.Limiter {
	p, ok := l.pacer[op]
	if !ok {
		p = rate.NewLimiter(0, 1)
		l.set(op, p)
		l.pacer[op] = p
	}
	return p
}

// wait returns when it is this request's turn. If that is more than maxWait
// away it returns at once with an error of class Throttled that says when, in
// the form of the cloud's own.
func (l *Limits) wait(ctx context.Context, op operation) error {
	turn, delay := l.reserve(op)
	if turn == nil {
		return &Error{
			Class: Throttled, Action: op.action, Code: codeQuota,
			Message: "waiting for a turn within the account's request quota", RetryAfter: delay,
		}
	}
	if delay == 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		turn.Cancel()
		return ctx.Err()
	}
}
