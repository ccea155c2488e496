// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"sync"

	"github.com/live-notify/live-notify-operator/internal/callback"
)

// failEvery is which requests the receiver fails: every so many to a path.
const failEvery = 4

// receiver takes callbacks, and fails some of them.
type receiver struct {
	mu                    sync.Mutex
	seen                  map[string]int // requests by path
	total, failed, signed int
}

// ServeHTTP answers a callback.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if r.fails(req.URL.Path, req.Header.Get(callback.SignatureHeader) != "") {
		http.Error(w, "this receiver fails now and then, on purpose", http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, "ok")
}

// fails counts a request and tells whether it is to fail. Paths are counted one
// by one, or traffic in step with the pattern would fail for one path only.
func (r *receiver) fails(path string, signed bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[string]int{}
	}
	r.seen[path]++
	fails := r.seen[path]%failEvery == 0
	r.total++
	if fails {
		r.failed++
	}
	if signed {
		r.signed++
	}
	return fails
}

// summary is what happened so far.
func (r *receiver) summary() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("The receiver got %d callbacks (%d signed) and answered 500 to %d. ", r.total, r.signed, r.failed)
}
