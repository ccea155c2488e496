// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package callback_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

const key = "0123456789abcdef"

// seen is a request as a receiver sees it.
type seen struct {
	Method, URL, Body string
	Header            http.Header
}

// sink remembers requests.
type sink struct {
	mu  sync.Mutex
	all []seen
}

func (s *sink) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.add(seen{r.Method, r.URL.String(), string(body), r.Header})
}

func (s *sink) add(x seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, x)
}

// take returns what came, and forgets it.
func (s *sink) take() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all
	s.all = nil
	return all
}

// The table and the sender of the emulator make the same request of the same event,
// header by header.
func TestTheEmulatorSendsByTheTable(t *testing.T) {
	got := &sink{}
	srv := httptest.NewServer(got)
	defer srv.Close()
	cloud := emulator.New(emulator.Options{})
	defer cloud.Close()
	cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	cloud.AddDomain("", "play.example.com", emulator.StreamingDomain)
	cloud.AddApp("", "app1")
	target := srv.URL + "/hook?tenant=a%20b"
	cloud.SetStreamConfig("push.example.com", emulator.StreamConfig{NotifyURL: target, Auth: true, AuthKey: key})
	cloud.SetRecordConfig("play.example.com", emulator.RecordConfig{NotifyURL: target, OnDemandURL: target, NeedStatusNotify: true, Auth: true, AuthKey: key})
	cloud.SetMPUSub("app1", emulator.MPUSub{CallbackURL: target})
	cloud.SetEventSubs("app1", []emulator.EventSub{{CallbackURL: target, Events: []string{"ChannelEvent"}}})

	for name, tc := range map[string]struct {
		family callback.Family
		domain string
		emit   func() error
	}{
		"publish":        {callback.Stream, "push.example.com", func() error { return cloud.StartStream("push.example.com", "app", "s 1&?") }},
		"file_created":   {callback.Record, "play.example.com", func() error { return cloud.Record("play.example.com", "app", "s 1&?", "file_created") }},
		"record_started": {callback.Record, "play.example.com", func() error { return cloud.Record("play.example.com", "app", "s", "record_started") }},
		"mpu":            {callback.MPU, "app1", func() error { return cloud.EmitMPU("app1", "ch", 1) }},
		"rtc":            {callback.RTC, "app1", func() error { return cloud.EmitEvent("app1", "ch", "", "Open") }},
		"on demand": {callback.OnDemand, "play.example.com", func() error {
			if err := cloud.MapDomain("push.example.com", "play.example.com"); err != nil {
				return err
			}
			cloud.SetStreamConfig("push.example.com", emulator.StreamConfig{})
			return cloud.StartStream("push.example.com", "app", "s2")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "on demand" && tc.family == callback.Stream {
				cloud.SetStreamConfig("push.example.com", emulator.StreamConfig{NotifyURL: target, Auth: true, AuthKey: key})
			}
			if err := tc.emit(); err != nil {
				t.Fatal(err)
			}
			cloud.Wait()
			for _, sent := range got.take() {
				if (tc.family == callback.OnDemand) != (query(t, sent.URL)["vbitrate"] != "") {
					continue // of the other family, for the same stream
				}
				again(t, got, callback.Event{Family: tc.family, Domain: tc.domain, Target: target, Content: content(t, sent)}, sent)
				return
			}
			t.Fatal("the emulator sent nothing")
		})
	}
}

// again sends an event by the table, and compares.
func again(t *testing.T, got *sink, e callback.Event, want seen) {
	t.Helper()
	at := time.Now()
	for _, header := range []string{callback.TimestampHeader, "Ali-Rtc-Timestamp"} {
		if unix, err := strconv.ParseInt(want.Header.Get(header), 10, 64); err == nil {
			at = time.Unix(unix, 0)
		}
	}
	r, err := e.Build(key, at)
	if err != nil {
		t.Fatal(err)
	}
	if x := callback.NewSender(nil).Send(t.Context(), r, nil); !x.Taken() || x.Trouble != "" {
		t.Fatalf("got %+v", x)
	}
	if diff := cmp.Diff([]seen{want}, got.take()); diff != "" {
		t.Errorf("the table makes another request:\n%s", diff)
	}
}

// content returns what the cloud records of a request.
func content(t *testing.T, s seen) string {
	t.Helper()
	if s.Method == http.MethodPost {
		return s.Body
	}
	facts := query(t, s.URL)
	delete(facts, "tenant") // of the target
	text, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func query(t *testing.T, target string) map[string]string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	facts := map[string]string{}
	for name, values := range r.URL.Query() {
		facts[name] = values[0]
	}
	return facts
}

// The vendor's own vectors.
func TestSignature(t *testing.T) {
	for want, of := range map[string][3]string{
		"9e226fc2c250be266e3657e156f68c12": {"learn.aliyundoc.com", "1519375990", "yourkey"},
		"afdba09323819de8df9b195474c4df7b": {"push.example.com", "1519375990", "0123456789abcdef"},
	} {
		if got := callback.Signature(of[0], of[1], of[2]); got != want {
			t.Errorf("%v: got %s, want %s", of, got, want)
		}
	}
}
