// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"sync"
	"time"
)

const (
	// maxClockSkew is how far the date of a request may be off, either way.
	maxClockSkew = 15 * time.Minute
	// nonceAge is how long a nonce is remembered at least: a request dated 15 minutes ahead stays valid for 30.
	nonceAge = 2 * maxClockSkew
	// maxNonces bounds one generation of nonces, and so the memory; beyond it nonces are forgotten early.
	maxNonces = 500_000
)

// nonces remembers nonces in two generations, so that forgetting the old ones costs nothing. The zero value is empty.
type nonces struct {
	mu              sync.Mutex
	since           time.Time
	recent, earlier map[nonceUse]struct{}
}

type nonceUse struct{ keyID, nonce string }

// use reports whether the nonce is new, and remembers it.
func (n *nonces) use(keyID, nonce string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.recent == nil || len(n.recent) >= maxNonces || now.Sub(n.since) > nonceAge {
		n.recent, n.earlier, n.since = make(map[nonceUse]struct{}), n.recent, now
	}
	u := nonceUse{keyID, nonce}
	if _, used := n.recent[u]; used {
		return false
	}
	if _, used := n.earlier[u]; used {
		return false
	}
	n.recent[u] = struct{}{}
	return true
}

func (n *nonces) reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.recent, n.earlier = nil, nil
}
