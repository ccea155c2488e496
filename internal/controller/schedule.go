// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/live-notify/live-notify-operator/internal/live"
)

const (
	// terminalRetry is when an error that only a person can mend is tried again
	// without a change of spec, Secret or account.
	terminalRetry = 30 * time.Minute
	// minWait is the least wait that is kept.
	minWait = 100 * time.Millisecond
	// minRetry and maxRetry bound the backoff of all other errors.
	minRetry = time.Second
	maxRetry = 5 * time.Minute
	// readBack is when a write is first read back.
	readBack = 5 * time.Second
	// goOn is when counting records that are too many for one pass goes on.
	goOn = time.Second
	// More than maxCorrections of drift within warPeriod are not made.
	maxCorrections = 5
	warPeriod      = 10 * time.Minute
)

// nextDue returns the first time after now at which an object is due: a phase
// of the interval that its UID fixes. Objects spread evenly, stay so, and after
// a restart are due when they would have been without it.
func nextDue(now time.Time, interval time.Duration, uid types.UID) time.Time {
	interval = max(interval, time.Second) // the schema allows no less
	h := fnv.New64a()
	h.Write([]byte(uid)) // never fails
	phase := time.Duration(h.Sum64() % uint64(interval))
	due := now.Truncate(interval).Add(phase)
	if !due.After(now) {
		due = due.Add(interval)
	}
	return due
}

// backoff returns the wait after so many failures in a row: exponential, with
// up to a quarter more so that failures together do not retry together.
func backoff(failures int) time.Duration {
	wait := maxRetry
	if shift := failures - 1; shift < 10 {
		wait = min(minRetry<<max(shift, 0), maxRetry)
	}
	return wait + rand.N(wait/4)
}

// attempt is what a pass works on: when one of these changes, the last result
// says nothing any more.
type attempt struct {
	generation    int64
	secretVersion string
	cloud         *live.Client
}

// memory is what is kept of an object between passes. All of it can be lost: a
// restart costs at most a read.
type memory struct {
	uid      types.UID
	version  string // of the object, by its last write to the API server
	tried    attempt
	failures int // in a row

	nextSync  time.Time
	nextCount time.Time
	syncedAt  time.Time   // the last successful read of the configuration
	deletedAt time.Time   // the last removal, waiting to show
	corrected []time.Time // corrections of drift within warPeriod
	counts    live.Counts // the last ones
}

// ahead tells whether the object was written since it was as the cache shows it.
// Its status would be that of before.
func (m *memory) ahead(obj metav1.Object) bool {
	order, err := resourceversion.CompareResourceVersion(obj.GetResourceVersion(), m.version)
	return err == nil && order < 0
}

// braked tells whether another correction would be one too many.
func (m *memory) braked(now time.Time) bool {
	for len(m.corrected) > 0 && now.Sub(m.corrected[0]) >= warPeriod {
		m.corrected = m.corrected[1:]
	}
	return len(m.corrected) >= maxCorrections
}

// memories holds the memory of each object. A memory is used by one worker at a
// time, as its object is.
type memories struct {
	mu sync.Mutex
	of map[types.NamespacedName]*memory
}

// get returns the memory of an object, new if its UID is.
func (m *memories) get(name types.NamespacedName, uid types.UID) (mem *memory, isNew bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if mem, ok := m.of[name]; ok && mem.uid == uid {
		return mem, false
	}
	if m.of == nil {
		m.of = map[types.NamespacedName]*memory{}
	}
	m.of[name] = &memory{uid: uid}
	return m.of[name], true
}

// forget drops the memory of an object that is gone.
func (m *memories) forget(name types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, name)
}
