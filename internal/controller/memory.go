// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// memory is what is kept of an object between passes. All of it can be lost: a
// restart costs at most a read.
type memory struct {
	uid      types.UID
	failures int    // in a row
	tried    bool   // at least once by this process
	account  string // version of the account that was last tried
	triedKey string // version of the Secret whose key was last tried
	key      authentication

	nextSync  time.Time
	syncedAt  time.Time // the last successful read of the configuration
	deletedAt time.Time // the last removal, waiting to show
	counted   bool      // as a removal of its account
	held      bool      // as a removal that has to wait
	missing   time.Time // since when the cloud has shown nothing of what was written
	refusedAt time.Time // when the cloud first said, at a removal, that the account has no such domain
	reminded  string    // version of the account whose client knows what the status does

	watch    *watchState // of the last change; nil before it is watched
	turn     *turn       // told by the LiveRolloutPolicy; nil if none was
	nextTurn time.Time   // when it is to be asked again
	sought   bool        // the configuration before a change that waits

	nextCount     time.Time
	countFailures int // in a row
	counts        live.Counts
	progressAt    time.Time                   // when the last ones that are not complete were written
	partial       bool                        // those are what the status has
	shown         atomic.Pointer[shownCounts] // to a scrape, which is no worker
}

// missed tells whether the cloud shows nothing, and showed nothing a while ago already.
func (m *memory) missed(shown bool, now time.Time) bool {
	if shown {
		m.missing = time.Time{}
		return false
	}
	return confirmed(&m.missing, now)
}

// confirmed tells whether something was found a while ago already, as it is now.
func confirmed(since *time.Time, now time.Time) bool {
	if since.IsZero() {
		*since = now
	}
	return now.Sub(*since) >= plan.Confirming
}

// memories holds the memory of each object. A memory is used by one worker at a
// time, as its object is.
type memories struct {
	mu sync.Mutex
	of map[types.NamespacedName]*memory
	// arrived is when objects came into the scope that are still to be handed over,
	// by their names.
	arrived sync.Map
}

// shownCounts are the last counts of an object, as metrics show them.
type shownCounts struct{ failed, total int64 }

// get returns the memory of an object, a new one if its UID is.
func (m *memories) get(name types.NamespacedName, uid types.UID) *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	if mem, ok := m.of[name]; ok && mem.uid == uid {
		return mem
	}
	if m.of == nil {
		m.of = map[types.NamespacedName]*memory{}
	}
	m.of[name] = &memory{uid: uid}
	return m.of[name]
}

// known tells whether this process has worked on an object of that name.
func (m *memories) known(name types.NamespacedName) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of[name] != nil
}

// forget drops the memory of an object that is gone.
func (m *memories) forget(name types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, name)
	m.arrived.Delete(name)
}

// shown returns the counts that metrics show; nil for none.
func (m *memories) shown(name types.NamespacedName) *shownCounts {
	m.mu.Lock()
	defer m.mu.Unlock()
	if mem := m.of[name]; mem != nil {
		return mem.shown.Load()
	}
	return nil
}
