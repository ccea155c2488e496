// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"time"
)

// Session is an access key that the token service issued, without its secrets.
type Session struct {
	AccessKeyID string    `json:"accessKeyID"`
	Account     string    `json:"account"`
	Role        string    `json:"role"`
	Name        string    `json:"name"`
	Expiration  time.Time `json:"expiration"`
}

// Sessions returns the access keys that the token service issued, the oldest first: the latest 10,000, expired ones
// included.
func (s *Server) Sessions() []Session { return s.sessions.list() }

// ExpireSessions makes all access keys expire that the token service issued up to now.
func (s *Server) ExpireSessions() { s.sessions.expire(s.now()) }

// session is a temporary access key. It is not changed once it is issued.
type session struct {
	key     AccessKey
	role    string
	name    string
	expires time.Time
}

// maxSessions bounds the sessions that are remembered. The key of an older one is not found.
const maxSessions = 10_000

// sessions are the latest sessions. The zero value is empty.
type sessions struct {
	mu   sync.RWMutex
	byID map[string]*session
	ids  []string // in the order of issue
}

func (s *sessions) add(issued *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = make(map[string]*session)
	}
	if len(s.ids) == maxSessions {
		delete(s.byID, s.ids[0])
		s.ids = slices.Delete(s.ids, 0, 1)
	}
	s.byID[issued.key.ID] = issued
	s.ids = append(s.ids, issued.key.ID)
}

func (s *sessions) find(keyID string) (*session, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	issued, ok := s.byID[keyID]
	return issued, ok
}

func (s *sessions) list() []Session {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]Session, 0, len(s.ids))
	for _, id := range s.ids {
		i := s.byID[id]
		list = append(list, Session{id, i.key.Account, i.role, i.name, i.expires})
	}
	return list
}

// expire ends all sessions that would last longer than until now.
func (s *sessions) expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, issued := range s.byID {
		if now.Before(issued.expires) {
			ended := *issued
			ended.expires = now
			s.byID[id] = &ended
		}
	}
}

const (
	tokenPrefix = "CAIS"
	tokenBytes  = 289 // as long as the cloud's about are, and of a length that needs padding
)

// newSessionKey returns an access key that looks like those that the cloud issues. The token has characters that a query
// has to encode.
func newSessionKey(account, accountID string) AccessKey {
	id := strings.ReplaceAll(newUUID(), "-", "")
	return AccessKey{
		ID: "STS.N" + id[:24], Secret: randomText(33), SecurityToken: tokenPrefix + randomText(tokenBytes),
		Account: account, AccountID: accountID,
	}
}

func randomText(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // crypto/rand.Read never fails: it would rather crash the program
	return base64.StdEncoding.EncodeToString(b)
}

// looksLikeToken tells whether this could be a token of some session.
func looksLikeToken(token string) bool {
	text, ok := strings.CutPrefix(token, tokenPrefix)
	b, err := base64.StdEncoding.DecodeString(text)
	return ok && err == nil && len(b) == tokenBytes
}
