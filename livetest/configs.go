// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package livetest

import (
	"cmp"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// What the cloud holds, and what happens in it.
type (
	// StreamConfig is what the cloud holds for a LiveNotifyConfig.
	StreamConfig = emulator.StreamConfig
	// RecordConfig is what it holds for a LiveRecordNotifyConfig.
	RecordConfig = emulator.RecordConfig
	// MPUSub is what it holds for a LiveRtcMPUEventSub.
	MPUSub = emulator.MPUSub
	// SnapshotConfig is what it holds for a LiveSnapshotNotifyConfig.
	SnapshotConfig = emulator.SnapshotConfig
	// DetectConfig is what it holds for a LiveDetectNotifyConfig.
	DetectConfig = emulator.DetectConfig
	// AuditConfig is what it holds for a LiveAudioAuditNotifyConfig.
	AuditConfig = emulator.AuditConfig
	// EventSub is what it holds for a LiveRtcEventSub. An application may have several.
	EventSub = emulator.EventSub

	// Records are callback records of all families.
	Records = emulator.Records
	// CallbackRecord is the record of a callback of a domain.
	CallbackRecord = emulator.CallbackRecord
	// MPURecord is the record of an event of a mixed-stream relay.
	MPURecord = emulator.MPURecord
	// EventRecord is the record of a channel or user event.
	EventRecord = emulator.EventRecord

	// Fault spoils calls to the cloud API.
	Fault = emulator.Fault
	// Switches choose among the behaviours that the documentation leaves open.
	Switches = emulator.Switches
	// Call is a request to the cloud API, and what it was answered.
	Call = emulator.Call
)

// Results of a CallbackRecord.
const (
	ResultSuccess = emulator.ResultSuccess
	ResultFailed  = emulator.ResultFailed
)

// The methods below read and change what the cloud holds, past its API: a change is
// one that somebody made in the console. The test fails if the cloud does not know the
// domain or the application.

// StreamConfig returns the stream callbacks of an ingest domain; false for none.
func (c *Cloud) StreamConfig(domain string) (StreamConfig, bool) {
	return c.server.StreamConfig(domain)
}

// SetStreamConfig replaces the stream callbacks of an ingest domain.
func (c *Cloud) SetStreamConfig(domain string, to StreamConfig) {
	c.t.Helper()
	if !c.fails(c.ingest(domain)) {
		c.server.SetStreamConfig(domain, to)
	}
}

// DeleteStreamConfig removes the stream callbacks of an ingest domain.
func (c *Cloud) DeleteStreamConfig(domain string) {
	c.t.Helper()
	if !c.fails(c.ingest(domain)) {
		c.server.DeleteStreamConfig(domain)
	}
}

// RecordConfig returns the recording callbacks of a streaming domain; false for none.
func (c *Cloud) RecordConfig(domain string) (RecordConfig, bool) {
	return c.server.RecordConfig(domain)
}

// SetRecordConfig replaces the recording callbacks of a streaming domain.
func (c *Cloud) SetRecordConfig(domain string, to RecordConfig) {
	c.t.Helper()
	if !c.fails(c.streaming(domain)) {
		c.server.SetRecordConfig(domain, to)
	}
}

// DeleteRecordConfig removes the recording callbacks of a streaming domain.
func (c *Cloud) DeleteRecordConfig(domain string) {
	c.t.Helper()
	if !c.fails(c.streaming(domain)) {
		c.server.DeleteRecordConfig(domain)
	}
}

// MPUSub returns the relay event subscription of an RTC application; false for none.
func (c *Cloud) MPUSub(appID string) (MPUSub, bool) { return c.server.MPUSub(appID) }

// SetMPUSub replaces the relay event subscription of an RTC application.
func (c *Cloud) SetMPUSub(appID string, to MPUSub) {
	c.t.Helper()
	if !c.fails(c.app(appID)) {
		c.server.SetMPUSub(appID, to)
	}
}

// DeleteMPUSub removes the relay event subscription of an RTC application.
func (c *Cloud) DeleteMPUSub(appID string) {
	c.t.Helper()
	if !c.fails(c.app(appID)) {
		c.server.DeleteMPUSub(appID)
	}
}

// SnapshotConfig returns the snapshot callbacks of a streaming domain; false for none.
func (c *Cloud) SnapshotConfig(domain string) (SnapshotConfig, bool) {
	return c.server.SnapshotConfig(domain)
}

// SetSnapshotConfig replaces the snapshot callbacks of a streaming domain.
func (c *Cloud) SetSnapshotConfig(domain string, to SnapshotConfig) {
	c.t.Helper()
	if !c.fails(c.streaming(domain)) {
		c.server.SetSnapshotConfig(domain, to)
	}
}

// DeleteSnapshotConfig removes the snapshot callbacks of a streaming domain.
func (c *Cloud) DeleteSnapshotConfig(domain string) {
	c.t.Helper()
	if !c.fails(c.streaming(domain)) {
		c.server.DeleteSnapshotConfig(domain)
	}
}

// DetectConfig returns the video-review callbacks of a streaming domain; false for
// none.
func (c *Cloud) DetectConfig(domain string) (DetectConfig, bool) {
	return c.server.DetectConfig(domain)
}

// SetDetectConfig replaces the video-review callbacks of a streaming domain.
func (c *Cloud) SetDetectConfig(domain string, to DetectConfig) {
	c.t.Helper()
	if !c.fails(c.streaming(domain)) {
		c.server.SetDetectConfig(domain, to)
	}
}

// DeleteDetectConfig removes the video-review callbacks of a streaming domain.
func (c *Cloud) DeleteDetectConfig(domain string) {
	c.t.Helper()
	if !c.fails(c.streaming(domain)) {
		c.server.DeleteDetectConfig(domain)
	}
}

// AuditConfig returns the audio-review callbacks of a streaming domain; false for
// none.
func (c *Cloud) AuditConfig(domain string) (AuditConfig, bool) { return c.server.AuditConfig(domain) }

// SetAuditConfig replaces the audio-review callbacks of a streaming domain.
func (c *Cloud) SetAuditConfig(domain string, to AuditConfig) {
	c.t.Helper()
	if !c.fails(c.streaming(domain)) {
		c.server.SetAuditConfig(domain, to)
	}
}

// DeleteAuditConfig removes the audio-review callbacks of a streaming domain.
func (c *Cloud) DeleteAuditConfig(domain string) {
	c.t.Helper()
	if !c.fails(c.streaming(domain)) {
		c.server.DeleteAuditConfig(domain)
	}
}

// EventSubs returns the channel and user event subscriptions of an RTC application.
func (c *Cloud) EventSubs(appID string) []EventSub { return c.server.EventSubs(appID) }

// SetEventSubs replaces the channel and user event subscriptions of an RTC
// application; none removes all.
func (c *Cloud) SetEventSubs(appID string, to ...EventSub) {
	c.t.Helper()
	if !c.fails(c.app(appID)) {
		c.server.SetEventSubs(appID, to)
	}
}

// MessageCallback returns the event callback of an interactive-messaging application;
// "" if it has none, or the cloud does not know the application.
func (c *Cloud) MessageCallback(dataCenter, appID string) string {
	app, _ := c.server.MessageApp(dataCenter, appID)
	return app.EventCallbackURL
}

// SetMessageCallback replaces the event callback of an interactive-messaging
// application; "" clears it.
func (c *Cloud) SetMessageCallback(dataCenter, appID, url string) error {
	return cmp.Or(c.messageApp(dataCenter, appID), c.server.SetMessageCallback(dataCenter, appID, url))
}
