// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Role is a role of an account, and who may assume it. An account without any has every role, open to every caller.
type Role struct {
	// Account has the role; empty means "default".
	Account string `json:"account,omitempty"`
	Name    string `json:"name"`
	// ExternalIDs are those of which AssumeRole has to bring one; none means that it need not.
	ExternalIDs []string `json:"externalIDs,omitempty"`
	// TrustedAccounts are the names of the accounts that may call AssumeRole; none means all.
	TrustedAccounts []string `json:"trustedAccounts,omitempty"`
	// MaxSession is the longest that a session may be asked to last, 1h to 12h; 0 means 12h.
	MaxSession time.Duration `json:"maxSession,omitempty"`
}

// OIDCProvider is an identity provider of an account, and which of its tokens count. An account without any knows every
// provider, and takes any token that has the form of one. Signatures are not verified.
type OIDCProvider struct {
	// Account knows the provider; empty means "default".
	Account string `json:"account,omitempty"`
	Name    string `json:"name"`
	// Issuer is what iss has to be; empty means anything.
	Issuer string `json:"issuer,omitempty"`
	// Audiences are those of which aud has to have one; none means anything.
	Audiences []string `json:"audiences,omitempty"`
	// Subjects are those of which sub has to be one; none means anything.
	Subjects []string `json:"subjects,omitempty"`
}

const (
	// maxTrusted bounds the roles and the providers that can be added, each.
	maxTrusted = 10_000
	minSession = 15 * time.Minute
	maxSession = 12 * time.Hour
	// shortestMaxSession is the least that a role can be told to allow.
	shortestMaxSession = time.Hour
)

var (
	roleName     = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	providerName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
)

// AddRole adds a role, or replaces the one with this name.
func (s *Server) AddRole(role Role) error {
	role.Account = orDefault(role.Account)
	if !roleName.MatchString(role.Name) {
		return fmt.Errorf("role %q: want 1 to 64 letters, digits, ., _ or -", role.Name)
	}
	for _, id := range role.ExternalIDs {
		if !validExternalID(id) {
			return fmt.Errorf("externalIDs: want 2 to 1224 letters, digits, or characters of _+=,.@:/-")
		}
	}
	if role.MaxSession == 0 {
		role.MaxSession = maxSession
	}
	if role.MaxSession < shortestMaxSession || role.MaxSession > maxSession {
		return fmt.Errorf("maxSession %s: want %s to %s", role.MaxSession, shortestMaxSession, maxSession)
	}
	s.knowAccount(role.Account)
	return s.trust.roles.add(role.Account, role.Name, role)
}

// RemoveRole removes a role. With its last one an account has every role again.
func (s *Server) RemoveRole(account, name string) { s.trust.roles.remove(orDefault(account), name) }

// AddOIDCProvider adds an identity provider, or replaces the one with this name.
func (s *Server) AddOIDCProvider(p OIDCProvider) error {
	p.Account = orDefault(p.Account)
	if !providerName.MatchString(p.Name) {
		return fmt.Errorf("provider %q: want 1 to 128 letters, digits, ., _ or -", p.Name)
	}
	s.knowAccount(p.Account)
	return s.trust.providers.add(p.Account, p.Name, p)
}

// RemoveOIDCProvider removes an identity provider. With its last one an account knows every provider again.
func (s *Server) RemoveOIDCProvider(account, name string) {
	s.trust.providers.remove(orDefault(account), name)
}

// RoleARN returns the name that the token service knows a role by. The empty account is "default".
func (s *Server) RoleARN(account, role string) string {
	return "acs:ram::" + s.AccountID(account) + ":role/" + role
}

// OIDCProviderARN returns the name that the token service knows an identity provider by. The empty account is "default".
func (s *Server) OIDCProviderARN(account, provider string) string {
	return "acs:ram::" + s.AccountID(account) + ":oidc-provider/" + provider
}

// trust is what the token service knows. The zero value knows nothing.
type trust struct {
	accounts
	roles     named[Role]
	providers named[OIDCProvider]
}

// nameIn is a name within an account.
type nameIn struct{ account, name string }

// named keeps things that have a name within an account. The zero value is empty.
type named[T any] struct {
	mu     sync.RWMutex
	things map[nameIn]T
	count  map[string]int // by account
}

func (n *named[T]) add(account, name string, thing T) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := nameIn{account, name}
	_, known := n.things[key]
	switch {
	case n.things == nil:
		n.things, n.count = make(map[nameIn]T), make(map[string]int)
	case !known && len(n.things) >= maxTrusted:
		return fmt.Errorf("there are %d already", maxTrusted)
	}
	if !known {
		n.count[account]++
	}
	n.things[key] = thing
	return nil
}

func (n *named[T]) remove(account, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := nameIn{account, name}
	if _, known := n.things[key]; !known {
		return
	}
	delete(n.things, key)
	if n.count[account]--; n.count[account] == 0 {
		delete(n.count, account)
	}
}

// find returns a thing of an account. An account without any has every one, in its zero value.
func (n *named[T]) find(account, name string) (thing T, ok bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	thing, ok = n.things[nameIn{account, name}]
	return thing, ok || n.count[account] == 0
}

// list returns all things, sorted by account and name.
func (n *named[T]) list() []T {
	n.mu.RLock()
	defer n.mu.RUnlock()
	list := make([]T, 0, len(n.things))
	for _, key := range slices.SortedFunc(maps.Keys(n.things), func(a, b nameIn) int {
		return cmp.Or(strings.Compare(a.account, b.account), strings.Compare(a.name, b.name))
	}) {
		list = append(list, n.things[key])
	}
	return list
}
