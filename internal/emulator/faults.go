// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"slices"
	"sync"
	"time"
)

// Fault spoils calls to the cloud API. It meets a call before the gateway looks at it, so that also a call with a wrong
// signature uses it up. One Fault may do several things, in the order of its fields.
type Fault struct {
	// Action is the operation to meet; empty means any.
	Action string
	// Match narrows that to the domain or the application with this name, or the role with this ARN.
	Match string
	// Times is how many calls to meet; 0 means all, until cleared.
	Times int

	// Latency holds the call up first.
	Latency time.Duration
	// Drop closes the connection before anything is done.
	Drop bool
	// Body is answered as it is, with Status (default 200), and nothing is done: a malformed answer.
	Body string
	// Code is the error to answer, with Status (default 400) and Message, and nothing is done.
	Code    string
	Status  int
	Message string
	// RetryAfter adds the headers of a throttled call to that error.
	RetryAfter time.Duration
	// Stale makes Describe answer with the configuration as it was before the last write.
	Stale bool
	// LoseReply does the work, then closes the connection without an answer.
	LoseReply bool
}

type activeFault struct {
	Fault
	id   int
	left int // calls still to meet, if Times is set
}

// faults are the active faults in the order of injection. The zero value is empty.
type faults struct {
	mu     sync.Mutex
	active []activeFault
	lastID int
}

// Inject activates a fault and returns its number. A call meets at most one fault: the first injected that fits.
func (s *Server) Inject(f Fault) (id int) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.lastID++
	s.faults.active = append(s.faults.active, activeFault{Fault: f, id: s.faults.lastID, left: f.Times})
	return s.faults.lastID
}

// ClearFaults removes all faults.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.active = nil
}

// take returns the fault that a call meets, and uses it up if it has met its last.
func (f *faults) take(action, key string) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.active, func(a activeFault) bool {
		return (a.Action == "" || a.Action == action) && (a.Match == "" || a.Match == key)
	})
	if i < 0 {
		return Fault{}, false
	}
	a := &f.active[i]
	fault := a.Fault
	if a.Times > 0 {
		if a.left--; a.left == 0 {
			f.active = slices.Delete(f.active, i, i+1)
		}
	}
	return fault, true
}

// remove deactivates one fault and reports whether it was active.
func (f *faults) remove(id int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := len(f.active)
	f.active = slices.DeleteFunc(f.active, func(a activeFault) bool { return a.id == id })
	return len(f.active) < before
}

func (f *faults) list() []activeFault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.active)
}
