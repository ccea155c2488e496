// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// DomainKind is the type of a live domain, in the cloud's own words.
type DomainKind string

const (
	// IngestDomain is a domain that streams are pushed to.
	IngestDomain DomainKind = "liveEdge"
	// StreamingDomain is a main streaming domain, which streams are played from.
	StreamingDomain DomainKind = "liveVideo"
)

// ParseDomainKind returns the kind with the given name: "ingest", "streaming", or the cloud's own "liveEdge" and
// "liveVideo".
func ParseDomainKind(name string) (DomainKind, error) {
	switch name {
	case "ingest", string(IngestDomain):
		return IngestDomain, nil
	case "streaming", string(StreamingDomain):
		return StreamingDomain, nil
	}
	return "", fmt.Errorf("domain kind %q: want ingest or streaming", name)
}

type domain struct {
	account string
	kind    DomainKind
}

// registry knows which domains and applications exist, and whose they are. The zero value is an empty one.
type registry struct {
	mu        sync.RWMutex
	domains   map[string]domain
	streaming map[string]string // streaming domain by the ingest domain that is mapped to it
	mains     map[string]string // main streaming domain by the sub-streaming domain that is tied to it
	apps      map[string]string // account by application
}

// AddDomain makes a domain known, or changes its account and kind. The empty account is "default".
func (s *Server) AddDomain(account, name string, kind DomainKind) {
	s.knowAccount(orDefault(account))
	s.registry.addDomain(name, domain{account: orDefault(account), kind: kind})
}

// RemoveDomain makes the cloud forget a domain with its mapping, its configurations and its callback records. Its
// streams end without a callback.
func (s *Server) RemoveDomain(name string) {
	s.endStreams(func(id streamID) bool { return id.domain == name })
	s.registry.removeDomain(name)
	s.streamConfigs.forget(name)
	s.recordConfigs.forget(name)
	s.snapshotConfigs.forget(name)
	s.snapshotJobs.forget(name)
	s.detectConfigs.forget(name)
	s.auditConfigs.forget(name)
	s.streamRecords.forget(name)
	s.recordRecords.forget(name)
}

// MapDomain ties an ingest domain to the main streaming domain that plays its streams.
func (s *Server) MapDomain(ingest, streaming string) error {
	if d, ok := s.registry.domain(ingest); !ok || d.kind != IngestDomain {
		return fmt.Errorf("%q is not a known ingest domain", ingest)
	}
	if d, ok := s.registry.domain(streaming); !ok || d.kind != StreamingDomain || s.registry.isPlay(streaming) {
		return fmt.Errorf("%q is not a known main streaming domain", streaming)
	}
	s.registry.mapDomain(ingest, streaming)
	return nil
}

// MapPlayDomain makes a streaming domain a sub-streaming domain of a main one. From then on it has no configuration.
func (s *Server) MapPlayDomain(streaming, play string) error {
	for _, name := range []string{streaming, play} {
		if d, ok := s.registry.domain(name); !ok || d.kind != StreamingDomain {
			return fmt.Errorf("%q is not a known streaming domain", name)
		}
	}
	if !s.registry.mapPlay(streaming, play) {
		return fmt.Errorf("%q cannot be a sub-streaming domain of %q", play, streaming)
	}
	return nil
}

// AddApp makes an RTC application known. The empty account is "default".
func (s *Server) AddApp(account, appID string) {
	s.knowAccount(orDefault(account))
	s.registry.addApp(appID, orDefault(account))
}

// Domains returns the names of all domains of a kind, sorted.
func (s *Server) Domains(kind DomainKind) []string {
	s.registry.mu.RLock()
	defer s.registry.mu.RUnlock()
	var names []string
	for name, d := range s.registry.domains {
		if d.kind == kind {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Apps returns the ids of all RTC applications, sorted.
func (s *Server) Apps() []string {
	s.registry.mu.RLock()
	defer s.registry.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.registry.apps))
}

func orDefault(account string) string {
	if account == "" {
		return defaultAccount
	}
	return account
}

func (r *registry) addDomain(name string, d domain) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.domains == nil {
		r.domains = make(map[string]domain)
	}
	r.domains[name] = d
}

func (r *registry) removeDomain(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.domains, name)
	for _, ties := range []map[string]string{r.streaming, r.mains} {
		maps.DeleteFunc(ties, func(tied, to string) bool { return tied == name || to == name })
	}
}

func (r *registry) domain(name string) (domain, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	d, ok := r.domains[name]
	return d, ok
}

func (r *registry) mapDomain(ingest, streaming string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.streaming == nil {
		r.streaming = make(map[string]string)
	}
	r.streaming[ingest] = streaming
}

func (r *registry) streamingOf(ingest string) (string, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	name, ok := r.streaming[ingest]
	return name, ok
}

// mapPlay ties a sub-streaming domain to a main one, and reports whether it could: there is one level, and a domain has
// its place in it once.
func (r *registry) mapPlay(main, play string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, isPlay := r.mains[main]
	if main == play || isPlay || len(tiedTo(r.mains, play)) > 0 || len(tiedTo(r.streaming, play)) > 0 {
		return false
	}
	if r.mains == nil {
		r.mains = make(map[string]string)
	}
	r.mains[play] = main
	return true
}

// isPlay tells whether a domain is a sub-streaming domain.
func (r *registry) isPlay(name string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.mains[name]
	return ok
}

// member is a domain of a mapping, with the type that it has there.
type member struct{ name, kind string }

// mapping returns all domains that are tied to each other by the one with this name, the main streaming domain first. A
// domain without ties is alone, and there is no mapping.
func (r *registry) mapping(name string) []member {
	r.mu.RLock()
	defer r.mu.RUnlock()
	d, main := r.domains[name], name
	if d.kind == IngestDomain {
		main = r.streaming[name]
	} else if of, ok := r.mains[name]; ok {
		main = of
	}
	if main == "" {
		return nil
	}
	members := []member{{main, "vhost"}}
	for _, ingest := range tiedTo(r.streaming, main) {
		members = append(members, member{ingest, "publish"})
	}
	for _, play := range tiedTo(r.mains, main) {
		members = append(members, member{play, "play"})
	}
	return members
}

// tiedTo returns what is tied to a domain, sorted.
func tiedTo(ties map[string]string, name string) []string {
	var names []string
	for tied, to := range ties {
		if to == name {
			names = append(names, tied)
		}
	}
	slices.Sort(names)
	return names
}

func (r *registry) addApp(appID, account string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.apps == nil {
		r.apps = make(map[string]string)
	}
	r.apps[appID] = account
}

func (r *registry) app(appID string) (account string, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	account, ok = r.apps[appID]
	return account, ok
}
