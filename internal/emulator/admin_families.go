// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// masked stands in for a secret in what the admin API returns.
const masked = "***"

// family lets the admin API see and change the configurations of one family, and see its callback records.
type family struct {
	get     func(s *Server, key string) (any, bool)
	put     func(s *Server, key string, r *http.Request) error
	remove  func(s *Server, key string)
	records func(s *Server, key string) any // nil for a family without
}

var families = map[string]family{
	"stream": {
		get: func(s *Server, key string) (any, bool) {
			c, ok := s.StreamConfig(key)
			mask(&c.AuthKey)
			return c, ok
		},
		put: func(s *Server, key string, r *http.Request) error {
			c, err := body[StreamConfig](r)
			if err != nil {
				return err
			}
			old, _ := s.StreamConfig(key)
			unmask(&c.AuthKey, old.AuthKey)
			s.SetStreamConfig(key, c)
			return nil
		},
		remove:  (*Server).DeleteStreamConfig,
		records: func(s *Server, key string) any { return newest(&s.streamRecords, key, s.now()) },
	},
	"record": {
		get: func(s *Server, key string) (any, bool) {
			c, ok := s.RecordConfig(key)
			mask(&c.AuthKey)
			return c, ok
		},
		put: func(s *Server, key string, r *http.Request) error {
			c, err := body[RecordConfig](r)
			if err != nil {
				return err
			}
			old, _ := s.RecordConfig(key)
			unmask(&c.AuthKey, old.AuthKey)
			s.SetRecordConfig(key, c)
			return nil
		},
		remove:  (*Server).DeleteRecordConfig,
		records: func(s *Server, key string) any { return newest(&s.recordRecords, key, s.now()) },
	},
	"mpu": {
		get: func(s *Server, key string) (any, bool) { return s.MPUSub(key) },
		put: func(s *Server, key string, r *http.Request) error {
			sub, err := body[MPUSub](r)
			if err != nil {
				return err
			}
			s.SetMPUSub(key, sub)
			return nil
		},
		remove:  (*Server).DeleteMPUSub,
		records: func(s *Server, key string) any { return newest(&s.mpuRecords, key, s.now()) },
	},
	"snapshot": {
		get: func(s *Server, key string) (any, bool) {
			c, ok := s.SnapshotConfig(key)
			mask(&c.AuthKey)
			return c, ok
		},
		put: func(s *Server, key string, r *http.Request) error {
			c, err := body[SnapshotConfig](r)
			if err != nil {
				return err
			}
			old, _ := s.SnapshotConfig(key)
			unmask(&c.AuthKey, old.AuthKey)
			s.SetSnapshotConfig(key, c)
			return nil
		},
		remove: (*Server).DeleteSnapshotConfig,
	},
	"detect": {
		get:    func(s *Server, key string) (any, bool) { return s.DetectConfig(key) },
		put:    putPlain((*Server).SetDetectConfig),
		remove: (*Server).DeleteDetectConfig,
	},
	"audit": {
		get:    func(s *Server, key string) (any, bool) { return s.AuditConfig(key) },
		put:    putPlain((*Server).SetAuditConfig),
		remove: (*Server).DeleteAuditConfig,
	},
	"event": {
		get: func(s *Server, key string) (any, bool) {
			subs := s.EventSubs(key)
			return subs, len(subs) > 0
		},
		put:     putPlain((*Server).SetEventSubs),
		remove:  func(s *Server, key string) { s.SetEventSubs(key, nil) },
		records: func(s *Server, key string) any { return newest(&s.eventRecords, key, s.now()) },
	},
}

// putPlain puts a configuration without a secret.
func putPlain[C any](set func(*Server, string, C)) func(*Server, string, *http.Request) error {
	return func(s *Server, key string, r *http.Request) error {
		c, err := body[C](r)
		if err != nil {
			return err
		}
		set(s, key, c)
		return nil
	}
}

func mask(key *string) {
	if *key != "" {
		*key = masked
	}
}

// unmask lets a configuration that was read, edited and put back keep its key.
func unmask(key *string, old string) {
	if *key == masked {
		*key = old
	}
}

// recordsBody is the newest callback records of a domain or an application.
type recordsBody[R recorded] struct {
	Total   int `json:"total"`
	Records []R `json:"records"`
}

const maxAdminRecords = 100

func newest[R recorded](r *records[R], key string, now time.Time) recordsBody[R] {
	items, total := r.page(key, query[R]{
		from: now.Add(-retention), to: now.Add(retention), now: now, size: maxAdminRecords, number: 1,
	})
	return recordsBody[R]{Total: total, Records: append([]R{}, items...)} // [] when empty, not null
}

func familyOf(r *http.Request) (family, error) {
	f, ok := families[r.PathValue("family")]
	if !ok {
		return f, adminError{
			http.StatusNotFound, fmt.Sprintf("family %q: want one of %s", r.PathValue("family"), familyNames()),
		}
	}
	return f, nil
}

func familyNames() string { return strings.Join(slices.Sorted(maps.Keys(families)), ", ") }

func getConfig(s *Server, r *http.Request) (any, error) {
	f, err := familyOf(r)
	if err != nil {
		return nil, err
	}
	c, ok := f.get(s, r.PathValue("key"))
	if !ok {
		return nil, adminError{http.StatusNotFound, "nothing is configured"}
	}
	return c, nil
}

func putConfig(s *Server, r *http.Request) (any, error) {
	f, err := familyOf(r)
	if err != nil {
		return nil, err
	}
	return okReply, f.put(s, r.PathValue("key"), r)
}

func deleteConfig(s *Server, r *http.Request) (any, error) {
	f, err := familyOf(r)
	if err != nil {
		return nil, err
	}
	f.remove(s, r.PathValue("key"))
	return okReply, nil
}

func listRecords(s *Server, r *http.Request) (any, error) {
	f, err := familyOf(r)
	if err != nil {
		return nil, err
	}
	if f.records == nil {
		return nil, adminError{http.StatusNotFound, "the cloud keeps no records of this family"}
	}
	return f.records(s, r.PathValue("key")), nil
}
