// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package livetest

import (
	"cmp"
	"net/http/httptest"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// Cloud is an emulated cloud with one account. It knows no domain and no application
// until they are added: to change what it holds of another is a mistake, with which the
// test fails. It does not limit how often it is called. Its methods may be called from
// many goroutines.
type Cloud struct {
	t        testing.TB
	server   *emulator.Server
	endpoint string
}

// Start starts a cloud, which stops with the test.
func Start(t testing.TB) *Cloud {
	t.Helper()
	server := emulator.New(emulator.Options{AccessKeys: []emulator.AccessKey{{ID: keyID, Secret: keySecret}}})
	listener := httptest.NewServer(server)
	t.Cleanup(func() {
		server.Close() // first, as it lets go of calls that a fault holds up
		listener.Close()
	})
	return &Cloud{t, server, listener.URL}
}

const (
	keyID     = "livetest"
	keySecret = "livetest-secret"
)

// Endpoint is the URL of the cloud API and of its token service, on loopback. It is
// what spec.endpoint of a LiveAccount has to be in a test.
func (c *Cloud) Endpoint() string { return c.endpoint }

// AccessKey returns the access key that may call the API.
func (c *Cloud) AccessKey() (id, secret string) { return keyID, keySecret }

// Reset forgets configurations, streams, callback records, faults and calls. Domains
// and applications stay.
func (c *Cloud) Reset() { c.server.Reset() }

// AddIngestDomain makes an ingest domain known, for LiveNotifyConfig.
func (c *Cloud) AddIngestDomain(name string) { c.server.AddDomain("", name, emulator.IngestDomain) }

// AddStreamingDomain makes a main streaming domain known, for LiveRecordNotifyConfig,
// LiveSnapshotNotifyConfig, LiveDetectNotifyConfig and LiveAudioAuditNotifyConfig.
func (c *Cloud) AddStreamingDomain(name string) {
	c.server.AddDomain("", name, emulator.StreamingDomain)
}

// MapDomain ties an ingest domain to the main streaming domain that plays its
// streams. Both have to be known.
func (c *Cloud) MapDomain(ingest, streaming string) error {
	return cmp.Or(c.ingest(ingest), c.streaming(streaming), c.server.MapDomain(ingest, streaming))
}

// RemoveDomain makes the cloud forget a domain and all that belongs to it.
func (c *Cloud) RemoveDomain(name string) { c.server.RemoveDomain(name) }

// AddApp makes an RTC application known, for LiveRtcMPUEventSub and LiveRtcEventSub.
func (c *Cloud) AddApp(appID string) { c.server.AddApp("", appID) }

// AddMessageApp makes an interactive-messaging application known, for
// LiveMessageAppCallback. The data center is cn-shanghai or ap-southeast-1.
func (c *Cloud) AddMessageApp(dataCenter, appID string) error {
	return c.server.AddMessageApp(emulator.MessageApp{DataCenter: dataCenter, AppID: appID})
}

// StartStream starts a stream on an ingest domain, of which the cloud sends a
// callback.
func (c *Cloud) StartStream(domain, app, stream string) error {
	return cmp.Or(c.ingest(domain), c.server.StartStream(domain, app, stream))
}

// StopStream stops a stream, of which the cloud sends a callback.
func (c *Cloud) StopStream(domain, app, stream string) error {
	return cmp.Or(c.ingest(domain), c.server.StopStream(domain, app, stream))
}

// FailStream sends the callback of an exception of a stream.
func (c *Cloud) FailStream(domain, app, stream, reason string) error {
	return cmp.Or(c.ingest(domain), c.server.FailStream(domain, app, stream, reason))
}

// SwitchStream sends the callback of a switch of a dual stream.
func (c *Cloud) SwitchStream(domain, app, stream string) error {
	return cmp.Or(c.ingest(domain), c.server.SwitchStream(domain, app, stream))
}

// Record sends the callback of a recording of a main streaming domain. The event is
// one of those that the cloud documents, such as file_created.
func (c *Cloud) Record(domain, app, stream, event string) error {
	return cmp.Or(c.streaming(domain), c.server.Record(domain, app, stream, event))
}

// TakeSnapshot sends the callback of a snapshot of a main streaming domain.
func (c *Cloud) TakeSnapshot(domain, app, stream string) error {
	return cmp.Or(c.streaming(domain), c.server.TakeSnapshot(domain, app, stream))
}

// ReviewVideo sends the callback of a finding in the video of a stream.
func (c *Cloud) ReviewVideo(domain, app, stream string) error {
	return cmp.Or(c.streaming(domain), c.server.ReviewVideo(domain, app, stream))
}

// ReviewAudio sends the callback of a finding in the sound of a stream.
func (c *Cloud) ReviewAudio(domain, app, stream string) error {
	return cmp.Or(c.streaming(domain), c.server.ReviewAudio(domain, app, stream))
}

// EmitMPU sends n events of a mixed-stream relay in a channel of an application.
func (c *Cloud) EmitMPU(appID, channelID string, n int) error {
	return cmp.Or(c.app(appID), c.server.EmitMPU(appID, channelID, n))
}

// EmitEvent sends an event of a channel of an RTC application (the tag is Open or
// Close) or of a user in it (Join, Leave, Publish, Unpublish or Roleupdate).
func (c *Cloud) EmitEvent(appID, channelID, userID, tag string) error {
	return cmp.Or(c.app(appID), c.server.EmitEvent(appID, channelID, userID, tag))
}

// EmitMessageEvent sends an event of a user of an interactive-messaging application,
// by its documented number from 1 to 4.
func (c *Cloud) EmitMessageEvent(dataCenter, appID, userID string, event int) error {
	return cmp.Or(c.messageApp(dataCenter, appID), c.server.EmitMessageEvent(dataCenter, appID, userID, event))
}

// Wait returns when no callback is queued or on its way: each has been answered, or
// given up, and is in the records.
func (c *Cloud) Wait() { c.server.Wait() }

// AddRecords adds callback records as if callbacks had been sent. What a record
// leaves out is filled in: the time is now, and the callback was a success.
func (c *Cloud) AddRecords(r Records) {
	c.t.Helper()
	if !c.fails(c.unknown(r)) {
		c.server.AddRecords(r)
	}
}

// Inject spoils calls to the cloud API, as the fault says.
func (c *Cloud) Inject(f Fault) { c.server.Inject(f) }

// ClearFaults ends all faults.
func (c *Cloud) ClearFaults() { c.server.ClearFaults() }

// SetSwitches chooses among the behaviours that the documentation of the cloud leaves
// open. The zero value is the likeliest one.
func (c *Cloud) SetSwitches(s Switches) { c.server.SetSwitches(s) }

// Calls returns the calls to the cloud API since the last ResetCalls, oldest first,
// and at most the latest 100,000. Authentication keys in them are in clear.
func (c *Cloud) Calls() []Call { return c.server.Calls() }

// ResetCalls empties the list of calls.
func (c *Cloud) ResetCalls() { c.server.ResetCalls() }
