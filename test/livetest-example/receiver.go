// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"net/http"
	"sync"
)

// Receiver is told of streams by the callbacks of the cloud, and knows which are on.
// It refuses callbacks while it is broken.
type Receiver struct {
	mu     sync.Mutex
	on     map[string]bool
	broken bool
}

// ServeHTTP takes in a callback of a stream.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if r.on == nil {
		r.on = map[string]bool{}
	}
	q := req.URL.Query()
	r.on[q.Get("id")] = q.Get("action") == "publish"
}

// On tells whether a stream is on.
func (r *Receiver) On(stream string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.on[stream]
}

// Break makes the receiver refuse callbacks.
func (r *Receiver) Break() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = true
}
