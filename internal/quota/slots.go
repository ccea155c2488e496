// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// slowPass is what a pass takes at most in an account that is not slow.
	slowPass = time.Second
	// longestPass is what a longer one counts as: an account is to be taken for
	// quick again after a quick pass or two, however long it was hung.
	longestPass = 2 * slowPass
	// maxAccounts is how many accounts are remembered that have no worker.
	maxAccounts = 1_000
	// remembered is for how long they are, if there are more.
	remembered = time.Hour
)

// Slots share out workers to accounts, so that none feels the other.
type Slots struct {
	now     func() time.Time
	workers int

	mu       sync.Mutex
	accounts map[string]*account
	passes   []*pass // under way
}

// account is what is known of the passes of one.
type account struct {
	passes int           // that ended
	mean   time.Duration // of what they took, the last counting most
	last   time.Duration
	seen   time.Time
}

// pass is one that is under way.
type pass struct {
	account *account
	start   time.Time
}

// NewSlots returns the slots of so many workers.
func NewSlots(workers int) *Slots {
	return &Slots{now: time.Now, workers: workers, accounts: map[string]*account{}}
}

// Enter gives a worker to an account, until leave is called. It does not if the
// account has its share of them already: half, or, if it is slow, half of the half
// that all slow accounts have together. Each has one at least. The last of an account
// that is not slow is for a pass that a person waits for.
func (s *Slots) Enter(name string, awaited bool) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	a, known := s.accounts[name]
	if !known {
		a = &account{}
	}
	own, slow := 0, 0
	for _, p := range s.passes {
		if p.account == a {
			own++
		}
		if s.slow(p.account, now) {
			slow++
		}
	}
	half := max(1, s.workers/2)
	share := half
	switch {
	case s.slow(a, now):
		share = min(max(1, half/2), own+half-slow)
	case !awaited:
		share = max(1, half-1)
	}
	if own >= share {
		return nil, false
	}
	if !known {
		s.forget(now)
		s.accounts[name] = a
	}
	p := &pass{account: a, start: now}
	s.passes = append(s.passes, p)
	return sync.OnceFunc(func() { s.leave(p) }), true
}

// slow tells whether an account is slow, or may be: its passes are, or one that is
// under way is, or it had none yet. The caller holds the lock.
func (s *Slots) slow(a *account, now time.Time) bool {
	return a.passes == 0 || a.mean > slowPass || a.last > slowPass ||
		slices.ContainsFunc(s.passes, func(p *pass) bool { return p.account == a && now.Sub(p.start) > slowPass })
}

// leave notes that a pass has ended.
func (s *Slots) leave(p *pass) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := p.account
	a.seen = s.now()
	a.last = min(a.seen.Sub(p.start), longestPass)
	if a.passes == 0 {
		a.mean = a.last
	}
	a.mean = (a.mean + a.last) / 2
	a.passes++
	s.passes = slices.DeleteFunc(s.passes, func(other *pass) bool { return other == p })
}

// forget makes room for one more account. The caller holds the lock.
func (s *Slots) forget(now time.Time) {
	for _, age := range []time.Duration{remembered, 0} {
		if len(s.accounts) < maxAccounts {
			return
		}
		maps.DeleteFunc(s.accounts, func(_ string, a *account) bool {
			return now.Sub(a.seen) >= age && !slices.ContainsFunc(s.passes, func(p *pass) bool { return p.account == a })
		})
	}
}
