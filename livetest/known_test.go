// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package livetest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/livetest"
)

// failing is a test that keeps what it fails with.
type failing struct {
	testing.TB
	said []string
}

func (f *failing) Helper()           {}
func (f *failing) Error(args ...any) { f.said = append(f.said, fmt.Sprint(args...)) }

// TestUnknown: what is done about a domain or an application that the cloud does not
// know fails, and says how to add it.
func TestUnknown(t *testing.T) {
	t.Parallel()
	f := &failing{TB: t}
	c := livetest.Start(f)
	c.AddIngestDomain("push.example.com")
	c.AddStreamingDomain("live.example.com")
	c.AddApp("app")
	if err := c.AddMessageApp("cn-shanghai", "chat"); err != nil {
		t.Fatal(err)
	}
	const (
		ingest    = `call AddIngestDomain("live.example.com") first`
		streaming = `call AddStreamingDomain("push.example.com") first`
		app       = `call AddApp("chat") first`
		message   = `call AddMessageApp("cn-shanghai", "app") first`
	)
	for what, tt := range map[string]struct {
		do   func(ingest, streaming, app, message string) error
		want string
	}{
		"SetStreamConfig":    {silent(func(in, _, _, _ string) { c.SetStreamConfig(in, livetest.StreamConfig{}) }), ingest},
		"DeleteStreamConfig": {silent(func(in, _, _, _ string) { c.DeleteStreamConfig(in) }), ingest},
		"SetRecordConfig":    {silent(func(_, s, _, _ string) { c.SetRecordConfig(s, livetest.RecordConfig{}) }), streaming},
		"DeleteRecordConfig": {silent(func(_, s, _, _ string) { c.DeleteRecordConfig(s) }), streaming},
		"SetSnapshotConfig":  {silent(func(_, s, _, _ string) { c.SetSnapshotConfig(s, livetest.SnapshotConfig{}) }), streaming},
		"DeleteSnapshot":     {silent(func(_, s, _, _ string) { c.DeleteSnapshotConfig(s) }), streaming},
		"SetDetectConfig":    {silent(func(_, s, _, _ string) { c.SetDetectConfig(s, livetest.DetectConfig{}) }), streaming},
		"DeleteDetectConfig": {silent(func(_, s, _, _ string) { c.DeleteDetectConfig(s) }), streaming},
		"SetAuditConfig":     {silent(func(_, s, _, _ string) { c.SetAuditConfig(s, livetest.AuditConfig{}) }), streaming},
		"DeleteAuditConfig":  {silent(func(_, s, _, _ string) { c.DeleteAuditConfig(s) }), streaming},
		"SetMPUSub":          {silent(func(_, _, a, _ string) { c.SetMPUSub(a, livetest.MPUSub{}) }), app},
		"DeleteMPUSub":       {silent(func(_, _, a, _ string) { c.DeleteMPUSub(a) }), app},
		"SetEventSubs":       {silent(func(_, _, a, _ string) { c.SetEventSubs(a, livetest.EventSub{}) }), app},
		"stream records": {silent(func(in, _, _, _ string) {
			c.AddRecords(livetest.Records{Stream: []livetest.CallbackRecord{{Domain: "push.example.com"}, {Domain: in}}})
		}), ingest},
		"recording records": {silent(func(_, s, _, _ string) {
			c.AddRecords(livetest.Records{Stream: []livetest.CallbackRecord{{Domain: "push.example.com"}}, Record: []livetest.CallbackRecord{{Domain: s}}})
		}), streaming},
		"relay records":      {silent(func(_, _, a, _ string) { c.AddRecords(livetest.Records{MPU: []livetest.MPURecord{{AppID: a}}}) }), app},
		"event records":      {silent(func(_, _, a, _ string) { c.AddRecords(livetest.Records{Event: []livetest.EventRecord{{AppID: a}}}) }), app},
		"StartStream":        {func(in, _, _, _ string) error { return c.StartStream(in, "live", "a") }, ingest},
		"StopStream":         {func(in, _, _, _ string) error { return c.StopStream(in, "live", "a") }, ingest},
		"FailStream":         {func(in, _, _, _ string) error { return c.FailStream(in, "live", "a", "b") }, ingest},
		"SwitchStream":       {func(in, _, _, _ string) error { return c.SwitchStream(in, "live", "a") }, ingest},
		"MapDomain":          {func(in, _, _, _ string) error { return c.MapDomain(in, "live.example.com") }, ingest},
		"MapDomain, to":      {func(_, s, _, _ string) error { return c.MapDomain("push.example.com", s) }, streaming},
		"Record":             {func(_, s, _, _ string) error { return c.Record(s, "live", "a", "file_created") }, streaming},
		"TakeSnapshot":       {func(_, s, _, _ string) error { return c.TakeSnapshot(s, "live", "a") }, streaming},
		"ReviewVideo":        {func(_, s, _, _ string) error { return c.ReviewVideo(s, "live", "a") }, streaming},
		"ReviewAudio":        {func(_, s, _, _ string) error { return c.ReviewAudio(s, "live", "a") }, streaming},
		"EmitMPU":            {func(_, _, a, _ string) error { return c.EmitMPU(a, "room", 1) }, app},
		"EmitEvent":          {func(_, _, a, _ string) error { return c.EmitEvent(a, "room", "user", "Join") }, app},
		"EmitMessageEvent":   {func(_, _, _, m string) error { return c.EmitMessageEvent("cn-shanghai", m, "user", 1) }, message},
		"SetMessageCallback": {func(_, _, _, m string) error { return c.SetMessageCallback("cn-shanghai", m, "") }, message},
	} {
		f.said = nil
		if err := tt.do("live.example.com", "push.example.com", "chat", "app"); err != nil {
			f.Error(err)
		}
		if len(f.said) != 1 || !strings.Contains(f.said[0], tt.want) {
			t.Errorf("%s: got %q, want %q", what, f.said, tt.want)
		}
		f.said = nil
		if err := tt.do("push.example.com", "live.example.com", "app", "chat"); len(f.said) > 0 || err != nil && strings.Contains(err.Error(), "knows no") {
			t.Errorf("%s: got %q and %v of what it knows", what, f.said, err)
		}
	}
}

// silent is a call that returns no error.
func silent(do func(ingest, streaming, app, message string)) func(ingest, streaming, app, message string) error {
	return func(ingest, streaming, app, message string) error {
		do(ingest, streaming, app, message)
		return nil
	}
}
