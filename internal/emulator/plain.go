// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import "net/http"

// plain is a family whose configurations a main streaming domain has one of, and that has an operation each to add, to
// update, to describe and to delete it.
type plain[T any] struct {
	of func(*Server) *configs[T]
	// apply takes over the parameters of an Add or Update.
	apply func(*T, *request, merging) error
	// merging says what an Update does with absent parameters.
	merging func(Switches) merging
	// exists answers an Add where there is one, absent an Update where there is none.
	exists, absent apiError
	// deleteAbsent tells whether a Delete answers absent where there is none. Otherwise it succeeds.
	deleteAbsent func(Switches) bool
	// describe shows a configuration; nil for none.
	describe func(r *request, domain string, c *T) (fields, error)
}

func (p plain[T]) add(s *Server, r *request) (fields, error) {
	name, err := s.domainOf(r, StreamingDomain, errIllegalOperation)
	if err != nil {
		return nil, err
	}
	return nil, p.of(s).update(name, r.now, func(old *T) (*T, error) {
		if old != nil {
			return nil, p.exists
		}
		var c T
		return &c, p.apply(&c, r, merging{})
	})
}

func (p plain[T]) update(s *Server, r *request) (fields, error) {
	name, err := s.domainOf(r, StreamingDomain, errIllegalOperation)
	if err != nil {
		return nil, err
	}
	return nil, p.of(s).update(name, r.now, func(old *T) (*T, error) {
		if old == nil {
			return nil, p.absent
		}
		var c T
		merge := p.merging(r.switches)
		if merge.keepAbsent {
			c = *old
		}
		return &c, p.apply(&c, r, merge)
	})
}

func (p plain[T]) show(s *Server, r *request) (fields, error) {
	name, err := s.domainOf(r, StreamingDomain, errIllegalOperation)
	if err != nil {
		return nil, err
	}
	if c, ok := show(p.of(s), r, name); ok {
		return p.describe(r, name, &c)
	}
	return p.describe(r, name, nil)
}

func (p plain[T]) remove(s *Server, r *request) (fields, error) {
	name, err := s.domainOf(r, StreamingDomain, errIllegalOperation)
	if err != nil {
		return nil, err
	}
	return nil, p.of(s).update(name, r.now, func(old *T) (*T, error) {
		if old == nil && p.deleteAbsent(r.switches) {
			return nil, p.absent
		}
		return nil, nil
	})
}

// Errors of the families of snapshots and audio review.
var (
	errMalformedParam = serviceError(http.StatusBadRequest, "MalformedParam",
		"A parameter is malformed, please check and try again later.")
	errSnapshotExists = serviceError(http.StatusConflict, "ConfigAlreadyExists",
		"The configuration exists, please check and try again later.")
	errConfigExisted = serviceError(http.StatusBadRequest, "ConfigExisted", "The configuration exists.")
	errNoConfig      = serviceError(http.StatusBadRequest, "ConfigNotFound",
		"The configuration does not exist, please check and try again later.")
)
