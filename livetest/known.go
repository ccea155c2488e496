// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package livetest

import (
	"fmt"
	"slices"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// ingest returns an error, which says how to add it, of an ingest domain that the cloud
// does not know.
func (c *Cloud) ingest(name string) error {
	return c.domain(name, emulator.IngestDomain, "ingest", "AddIngestDomain")
}

// streaming does so for a main streaming domain.
func (c *Cloud) streaming(name string) error {
	return c.domain(name, emulator.StreamingDomain, "main streaming", "AddStreamingDomain")
}

func (c *Cloud) domain(name string, kind emulator.DomainKind, called, add string) error {
	if slices.Contains(c.server.Domains(kind), name) {
		return nil
	}
	return fmt.Errorf("livetest: the cloud knows no %s domain %q: call %s(%q) first, or correct the name", called, name, add, name)
}

// app does so for an RTC application.
func (c *Cloud) app(id string) error {
	if slices.Contains(c.server.Apps(), id) {
		return nil
	}
	return fmt.Errorf("livetest: the cloud knows no RTC application %q: call AddApp(%q) first, or correct the name", id, id)
}

// messageApp does so for an interactive-messaging application.
func (c *Cloud) messageApp(dataCenter, id string) error {
	if _, ok := c.server.MessageApp(dataCenter, id); ok {
		return nil
	}
	return fmt.Errorf("livetest: the cloud knows no interactive-messaging application %q of %q: call AddMessageApp(%q, %q) first, or correct the name", id, dataCenter, dataCenter, id)
}

// fails tells whether there is an error, with which the test fails.
func (c *Cloud) fails(err error) bool {
	if err == nil {
		return false
	}
	c.t.Helper()
	c.t.Error(err)
	return true
}

// unknown returns an error for the first record of what the cloud does not know. There
// may be very many records, of few domains.
func (c *Cloud) unknown(r Records) error {
	seen := map[string]bool{}
	look := func(name string, at func(string) error) error {
		if seen[name] {
			return nil
		}
		seen[name] = true
		return at(name)
	}
	for _, record := range r.Stream {
		if err := look(record.Domain, c.ingest); err != nil {
			return err
		}
	}
	clear(seen) // of another kind
	for _, record := range r.Record {
		if err := look(record.Domain, c.streaming); err != nil {
			return err
		}
	}
	clear(seen)
	for _, record := range r.MPU {
		if err := look(record.AppID, c.app); err != nil {
			return err
		}
	}
	for _, record := range r.Event {
		if err := look(record.AppID, c.app); err != nil {
			return err
		}
	}
	return nil
}
