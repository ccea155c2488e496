// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"sync"
)

// accountIDs returns the numbers that access keys give their accounts: the first of each account.
func accountIDs(keys []AccessKey) map[string]string {
	ids := make(map[string]string)
	for _, key := range keys {
		if name := orDefault(key.Account); key.AccountID != "" && ids[name] == "" {
			ids[name] = key.AccountID
		}
	}
	return ids
}

// AccountID returns the number of an account, which its ARNs have: that of its access keys, or else 16 digits that are
// always the same for the same name. The empty account is "default".
func (s *Server) AccountID(account string) string {
	account = orDefault(account)
	if id := s.accountIDs[account]; id != "" {
		return id
	}
	return digits(16, "account", account)
}

// digits derives a number of n digits from what it stands for. It is stable, and has no leading zero.
func digits(n int, kind, name string) string {
	sum := sha256.Sum256([]byte(kind + "/" + name))
	first := uint64(1)
	for range n - 1 {
		first *= 10
	}
	return strconv.FormatUint(first+binary.BigEndian.Uint64(sum[:])%(9*first), 10)
}

// knowAccount makes the roles of an account known to the token service.
func (s *Server) knowAccount(name string) { s.trust.knowAccount(name, s.AccountID(name)) }

// accounts are the names of all accounts by their number. The zero value is empty.
type accounts struct {
	mu   sync.RWMutex
	byID map[string]string
}

func (a *accounts) knowAccount(name, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byID == nil {
		a.byID = make(map[string]string)
	}
	if a.byID[id] == "" {
		a.byID[id] = name
	}
}

// account returns the name of the account with a number.
func (a *accounts) account(id string) (name string, ok bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	name, ok = a.byID[id]
	return name, ok
}

// names returns the names of all accounts, sorted.
func (a *accounts) names() []string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Sorted(maps.Values(a.byID))
}
