// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"sync"
	"time"
)

// StreamConfig is what SetLiveStreamsNotifyUrlConfig sets for an ingest domain.
type StreamConfig struct {
	NotifyURL          string `json:"notifyURL,omitempty"`
	ExceptionNotifyURL string `json:"exceptionNotifyURL,omitempty"`
	SwitchNotifyURL    string `json:"switchNotifyURL,omitempty"`
	AuthKey            string `json:"authKey,omitempty"`
	Auth               bool   `json:"auth"`
}

// RecordConfig is what AddLiveRecordNotifyConfig sets for a main streaming domain.
type RecordConfig struct {
	NotifyURL        string `json:"notifyURL,omitempty"`
	OnDemandURL      string `json:"onDemandURL,omitempty"`
	NeedStatusNotify bool   `json:"needStatusNotify"`
	Auth             bool   `json:"auth"`
	AuthKey          string `json:"authKey,omitempty"`
}

// MPUSub is the subscription that CreateRtcMPUEventSub creates for an RTC application.
type MPUSub struct {
	SubID       string    `json:"subID,omitempty"`
	CallbackURL string    `json:"callbackURL,omitempty"`
	ChannelIDs  string    `json:"channelIDs,omitempty"` // separated by commas; empty means all channels
	CreateTime  time.Time `json:"createTime,omitzero"`
}

// SnapshotConfig is what AddLiveSnapshotNotifyConfig sets for a main streaming domain.
type SnapshotConfig struct {
	NotifyURL string `json:"notifyURL,omitempty"`
	Auth      bool   `json:"auth"`
	AuthKey   string `json:"authKey,omitempty"`
}

// DetectConfig is what AddLiveDetectNotifyConfig sets for a main streaming domain.
type DetectConfig struct {
	NotifyURL string `json:"notifyURL,omitempty"`
}

// AuditConfig is what AddLiveAudioAuditNotifyConfig sets for a main streaming domain.
type AuditConfig struct {
	CallbackURL      string `json:"callbackURL,omitempty"`
	CallbackTemplate string `json:"callbackTemplate,omitempty"`
}

// signingKey is the key that callbacks are signed with; empty if they are not.
func (c StreamConfig) signingKey() string {
	if !c.Auth {
		return ""
	}
	return c.AuthKey
}

// signingKey is the key that callbacks are signed with; empty if they are not.
func (c RecordConfig) signingKey() string {
	if !c.Auth {
		return ""
	}
	return c.AuthKey
}

// StreamConfig returns the configuration that an ingest domain has right now, whatever Describe shows.
func (s *Server) StreamConfig(domain string) (StreamConfig, bool) {
	return s.streamConfigs.current(domain)
}

// SetStreamConfig changes the configuration of an ingest domain behind the back of the API. Like any other write, it
// is subject to Switches.ReadDelay.
func (s *Server) SetStreamConfig(domain string, c StreamConfig) {
	s.streamConfigs.put(domain, s.now(), &c)
}

// DeleteStreamConfig removes the configuration of an ingest domain behind the back of the API.
func (s *Server) DeleteStreamConfig(domain string) { s.streamConfigs.put(domain, s.now(), nil) }

// RecordConfig returns the configuration that a streaming domain has right now, whatever Describe shows.
func (s *Server) RecordConfig(domain string) (RecordConfig, bool) {
	return s.recordConfigs.current(domain)
}

// SetRecordConfig changes the configuration of a streaming domain behind the back of the API. Like any other write, it
// is subject to Switches.ReadDelay.
func (s *Server) SetRecordConfig(domain string, c RecordConfig) {
	s.recordConfigs.put(domain, s.now(), &c)
}

// DeleteRecordConfig removes the configuration of a streaming domain behind the back of the API.
func (s *Server) DeleteRecordConfig(domain string) { s.recordConfigs.put(domain, s.now(), nil) }

// SnapshotConfig returns the configuration that a streaming domain has right now, whatever Describe shows.
func (s *Server) SnapshotConfig(domain string) (SnapshotConfig, bool) {
	return s.snapshotConfigs.current(domain)
}

// SetSnapshotConfig changes the configuration of a streaming domain behind the back of the API. Like any other write, it
// is subject to Switches.ReadDelay.
func (s *Server) SetSnapshotConfig(domain string, c SnapshotConfig) {
	s.snapshotConfigs.put(domain, s.now(), &c)
}

// DeleteSnapshotConfig removes the configuration of a streaming domain behind the back of the API.
func (s *Server) DeleteSnapshotConfig(domain string) { s.snapshotConfigs.put(domain, s.now(), nil) }

// DetectConfig returns the configuration that a streaming domain has right now, whatever Describe shows.
func (s *Server) DetectConfig(domain string) (DetectConfig, bool) {
	return s.detectConfigs.current(domain)
}

// SetDetectConfig changes the configuration of a streaming domain behind the back of the API. Like any other write, it
// is subject to Switches.ReadDelay.
func (s *Server) SetDetectConfig(domain string, c DetectConfig) {
	s.detectConfigs.put(domain, s.now(), &c)
}

// DeleteDetectConfig removes the configuration of a streaming domain behind the back of the API.
func (s *Server) DeleteDetectConfig(domain string) { s.detectConfigs.put(domain, s.now(), nil) }

// AuditConfig returns the configuration that a streaming domain has right now, whatever Describe shows.
func (s *Server) AuditConfig(domain string) (AuditConfig, bool) {
	return s.auditConfigs.current(domain)
}

// SetAuditConfig changes the configuration of a streaming domain behind the back of the API. Like any other write, it is
// subject to Switches.ReadDelay.
func (s *Server) SetAuditConfig(domain string, c AuditConfig) {
	s.auditConfigs.put(domain, s.now(), &c)
}

// DeleteAuditConfig removes the configuration of a streaming domain behind the back of the API.
func (s *Server) DeleteAuditConfig(domain string) { s.auditConfigs.put(domain, s.now(), nil) }

// MPUSub returns the subscription that an application has right now, whatever Describe shows.
func (s *Server) MPUSub(appID string) (MPUSub, bool) { return s.mpuSubs.current(appID) }

// SetMPUSub changes the subscription of an application behind the back of the API. An empty SubID and CreateTime are
// filled in. Like any other write, it is subject to Switches.ReadDelay.
func (s *Server) SetMPUSub(appID string, sub MPUSub) {
	if sub.SubID == "" {
		sub.SubID = newSubID()
	}
	if sub.CreateTime.IsZero() {
		sub.CreateTime = s.now()
	}
	s.mpuSubs.put(appID, s.now(), &sub)
}

// DeleteMPUSub removes the subscription of an application behind the back of the API.
func (s *Server) DeleteMPUSub(appID string) { s.mpuSubs.put(appID, s.now(), nil) }

// configs keeps one configuration per key, together with its recent past, which delayed and stale reads show. The zero
// value is empty.
type configs[T any] struct {
	mu    sync.Mutex
	byKey map[string][]version[T]
}

// version is the state of a configuration from a moment on; a nil value means absent.
type version[T any] struct {
	since time.Time
	value *T
}

// maxVersions bounds the past of one configuration. More writes than that within a read delay are seen early.
const maxVersions = 16

// current returns the configuration as last written.
func (c *configs[T]) current(key string) (T, bool) {
	return c.read(key, func(past []version[T]) version[T] { return past[len(past)-1] })
}

// previous returns the configuration as it was before the last write.
func (c *configs[T]) previous(key string) (T, bool) {
	return c.read(key, func(past []version[T]) version[T] { return past[max(0, len(past)-2)] })
}

// asOf returns the configuration as it was at the given time.
func (c *configs[T]) asOf(key string, t time.Time) (T, bool) {
	return c.read(key, func(past []version[T]) version[T] {
		for i := len(past) - 1; i > 0; i-- {
			if !past[i].since.After(t) {
				return past[i]
			}
		}
		return past[0]
	})
}

func (c *configs[T]) read(key string, choose func([]version[T]) version[T]) (value T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	past := c.byKey[key]
	if len(past) == 0 {
		return value, false
	}
	if v := choose(past).value; v != nil {
		return *v, true
	}
	return value, false
}

// put writes a configuration; nil deletes it.
func (c *configs[T]) put(key string, now time.Time, value *T) {
	_ = c.update(key, now, func(*T) (*T, error) { return value, nil })
}

// update replaces a configuration by what change makes of it, in one step; nil stands for absent both ways. Nothing is
// written if change fails.
func (c *configs[T]) update(key string, now time.Time, change func(old *T) (*T, error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	past := c.byKey[key]
	if len(past) == 0 {
		past = []version[T]{{}}
	}
	value, err := change(past[len(past)-1].value)
	if err != nil {
		return err
	}
	past = append(past, version[T]{since: now, value: value})
	if len(past) > maxVersions {
		past = past[1:]
	}
	if c.byKey == nil {
		c.byKey = make(map[string][]version[T])
	}
	c.byKey[key] = past
	return nil
}

// all returns all configurations as last written, by key.
func (c *configs[T]) all() map[string]T {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]T)
	for key, past := range c.byKey {
		if v := past[len(past)-1].value; v != nil {
			all[key] = *v
		}
	}
	return all
}

// forget drops a configuration and its past.
func (c *configs[T]) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byKey, key)
}

func (c *configs[T]) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byKey = nil
}
