// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"sync"
	"time"
)

// Call is one request to the cloud API, and what it was answered.
type Call struct {
	Time time.Time `json:"time"`
	// Account is whose access key the request names, even if the signature is wrong; empty if unknown, or
	// if the call needs no key.
	Account string `json:"account,omitempty"`
	Action  string `json:"action"`
	// Params holds the parameters of the operation, without those that sign the call. In the Go API NotifyAuthKey is in
	// clear; the admin API masks it. The token of an identity provider is masked in both.
	Params map[string]string `json:"params,omitempty"`
	// Status is the HTTP status, or 0 if the connection was dropped before anything was done.
	Status int `json:"status"`
	// Code is the error code, empty on success.
	Code      string `json:"code,omitempty"`
	RequestID string `json:"requestID"`
	// Key is the domain, the application or the ARN of the role that the call is about.
	Key string `json:"key,omitempty"`
	// Fault tells that an injected fault met this call.
	Fault bool `json:"fault,omitempty"`
}

// maxCalls bounds the call log.
const maxCalls = 100_000

// calls is a ring of the latest calls. The zero value is empty.
type calls struct {
	mu    sync.Mutex
	ring  []Call
	total int
}

// Calls returns the latest 100,000 calls, oldest first.
func (s *Server) Calls() []Call {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	ring := s.calls.ring
	oldest := 0
	if len(ring) == maxCalls {
		oldest = s.calls.total % maxCalls
	}
	return append(append(make([]Call, 0, len(ring)), ring[oldest:]...), ring[:oldest]...)
}

// CallsSince returns the calls after the first n, oldest first, as far as Calls still lists them.
func (s *Server) CallsSince(n int) []Call {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	ring, total := s.calls.ring, s.calls.total
	var calls []Call
	for i := max(n, total-len(ring)); i < total; i++ {
		calls = append(calls, ring[i%maxCalls])
	}
	return calls
}

// CallCount returns how many calls there have been, including those that Calls no longer lists.
func (s *Server) CallCount() int {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return s.calls.total
}

// ResetCalls empties the call log.
func (s *Server) ResetCalls() {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	s.calls.ring, s.calls.total = nil, 0
}

func (c *calls) add(call Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ring) < maxCalls {
		c.ring = append(c.ring, call)
	} else {
		c.ring[c.total%maxCalls] = call
	}
	c.total++
}
