// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recordsOf reads all records of the last hour over the cloud API.
func recordsOf(c *cloud, action string, path ...string) []map[string]any {
	c.t.Helper()
	key := []string{"DomainName", push}
	switch action {
	case "DescribeLiveRecordNotifyRecords":
		key = []string{"DomainName", play}
	case "ListRtcMPUEventSubRecord":
		key = []string{"AppId", appID}
	}
	got := c.post(action, append(key, "PageSize", "100", "PageNumber", "1", "PageNo", "1",
		"StartTime", c.now().Add(-time.Hour).UTC().Format(timeFormat),
		"EndTime", c.now().Add(time.Hour).UTC().Format(timeFormat))...)
	list, ok := dig(got.body, path...).([]any)
	if !ok {
		c.t.Fatalf("%s: %v", action, got.body)
	}
	var records []map[string]any
	for _, entry := range list {
		records = append(records, entry.(map[string]any))
	}
	return records
}

func streamRecordsOf(c *cloud) []map[string]any {
	return recordsOf(c, "DescribeLiveStreamsNotifyRecords", "NotifyRecordsInfo", "LiveStreamNotifyRecordsInfo")
}

// facts are the parameters of a query, one value each.
func facts(query url.Values) map[string]string {
	m := make(map[string]string)
	for name := range query {
		m[name] = query.Get(name)
	}
	return m
}

// checkSignature fails unless the request is signed for the domain.
func checkSignature(t *testing.T, r received, domain, key string) {
	t.Helper()
	timestamp := r.header.Get("ALI-LIVE-TIMESTAMP")
	got, want := r.header.Get("ALI-LIVE-SIGNATURE"), callbackSignature(domain, timestamp, key)
	if timestamp == "" || got != want {
		t.Errorf("signature at %q is %q, want %q", timestamp, got, want)
	}
}

// TestStreamCallbacks starts and stops a stream, and compares what the receiver got with the records.
func TestStreamCallbacks(t *testing.T) {
	clk := newClock()
	c := newCloud(t, Options{Now: clk.now})
	hook := newReceiver(t, answerOK)
	target := hook.URL + "/hook?tenant=a%20b&x="
	c.post("SetLiveStreamsNotifyUrlConfig", "DomainName", push, "NotifyUrl", target,
		"NotifyReqAuth", "yes", "NotifyAuthKey", authKey)

	for _, step := range []func(domain, app, stream string) error{c.StartStream, c.StopStream} {
		if err := step(push, "live", "s 1"); err != nil {
			t.Fatal(err)
		}
		c.Wait()
		clk.advance(time.Second)
	}

	common := map[string]string{
		"tenant": "a b", "x": "", "ip": "127.0.0.1", "node": "127.0.0.1", "usrargs": "",
		"id": "s 1", "app": push, "appname": "live",
	}
	with := func(more ...string) map[string]string {
		m := maps.Clone(common)
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	want := []map[string]string{
		with("action", "publish", "time", fmt.Sprint(newClock().t.Unix()), "width", "1280", "height", "720"),
		with("action", "publish_done", "time", fmt.Sprint(newClock().t.Unix()+1)),
	}
	var got []map[string]string
	for _, r := range hook.requests() {
		got = append(got, facts(r.query))
		if r.method != http.MethodGet || r.body != "" || r.header.Get("User-Agent") != "Go-http-client/1.1" {
			t.Errorf("request is %v", r)
		}
		checkSignature(t, r, push, authKey)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("callbacks (-want +got):\n%s", diff)
	}

	records := streamRecordsOf(c)
	slices.Reverse(records) // oldest first, like the requests
	for i, r := range records {
		var content map[string]string
		if err := json.Unmarshal([]byte(r["NotifyContent"].(string)), &content); err != nil {
			t.Fatal(err)
		}
		content["tenant"], content["x"] = "a b", "" // these are the customer's own
		if diff := cmp.Diff(want[i], content); diff != "" {
			t.Errorf("content (-want +got):\n%s", diff)
		}
		header := hook.requests()[i].header
		for _, line := range []string{
			"Host: " + strings.TrimPrefix(hook.URL, "http://"), "User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip",
			"Ali-Live-Signature: " + header.Get("ALI-LIVE-SIGNATURE"),
		} {
			if !slices.Contains(strings.Split(r["NotifyHeader"].(string), "\n"), line) {
				t.Errorf("NotifyHeader %q has no line %q", r["NotifyHeader"], line)
			}
		}
		delete(r, "NotifyContent")
		delete(r, "NotifyHeader")
		wantRecord := map[string]any{
			"DomainName": push, "AppName": "live", "StreamName": "s 1", "NotifyType": want[i]["action"],
			"NotifyTime": newClock().t.Add(time.Duration(i) * time.Second).Format(timeFormat), "NotifyUrl": target,
			"NotifyResult": "success", "Description": "success", "NotifyResponse": "thanks",
		}
		if diff := cmp.Diff(wantRecord, r); diff != "" {
			t.Errorf("record (-want +got):\n%s", diff)
		}
	}
}

// TestDelivery looks at how often a receiver is called, and at the one record of that.
func TestDelivery(t *testing.T) {
	stall := func(r *http.Request) { <-r.Context().Done() }
	cases := map[string]struct {
		handle   func(n int, w http.ResponseWriter, r *http.Request)
		requests int
		record   []string // result, description, response
		code     string   // of a relay event
		stalls   bool
	}{
		"200 is success": {answerOK, 1, []string{"success", "success", "thanks"}, "200", false},
		"500 is a failure, and final": {
			func(_ int, w http.ResponseWriter, _ *http.Request) { http.Error(w, "broken", 500) },
			1, []string{"failed", "unexpected HTTP status 500", "broken\n"}, "500", false,
		},
		"204 is a failure, though the receiver may not think so": {
			func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
			1, []string{"failed", "unexpected HTTP status 204", ""}, "204", false,
		},
		"a redirect is not followed": {
			func(_ int, w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(302)
			},
			1, []string{"failed", "unexpected HTTP status 302", ""}, "302", false,
		},
		"a timeout is tried again": {
			func(n int, w http.ResponseWriter, r *http.Request) {
				if n < 2 {
					stall(r)
				}
				answerOK(n, w, r)
			},
			3, []string{"success", "success", "thanks"}, "200", true,
		},
		"a timeout is tried again five times": {
			func(_ int, _ http.ResponseWriter, r *http.Request) { stall(r) },
			6, []string{"failed", "timeout", ""}, "-1", true,
		},
		"a body that does not come is a timeout": {
			func(n int, w http.ResponseWriter, r *http.Request) {
				if n == 0 {
					w.WriteHeader(200)
					w.(http.Flusher).Flush()
					stall(r)
				}
				answerOK(n, w, r)
			},
			2, []string{"success", "success", "thanks"}, "200", true,
		},
		"a closed connection is a failure, and final": {
			func(int, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			1, []string{"failed", "EOF", ""}, "-1", false,
		},
		"a long answer is cut": {
			func(_ int, w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, strings.Repeat("a", 5000))
			},
			1, []string{"success", "success", strings.Repeat("a", 2048)}, "200", false,
		},
	}
	// Each family has one record per callback, however often it was sent.
	families := map[string]func(t *testing.T, c *cloud, target string) (record map[string]any){
		"stream": func(t *testing.T, c *cloud, target string) map[string]any {
			c.SetStreamConfig(push, StreamConfig{NotifyURL: target})
			if err := c.StartStream(push, "a", "s"); err != nil {
				t.Fatal(err)
			}
			c.Wait()
			return only(t, streamRecordsOf(c))
		},
		"record": func(t *testing.T, c *cloud, target string) map[string]any {
			c.SetRecordConfig(play, RecordConfig{NotifyURL: target})
			if err := c.Record(play, "a", "s", "file_created"); err != nil {
				t.Fatal(err)
			}
			c.Wait()
			return only(t, recordsOf(c, "DescribeLiveRecordNotifyRecords", "CallbackList"))
		},
		"mpu": func(t *testing.T, c *cloud, target string) map[string]any {
			c.SetMPUSub(appID, MPUSub{CallbackURL: target})
			if err := c.EmitMPU(appID, "c", 1); err != nil {
				t.Fatal(err)
			}
			c.Wait()
			return only(t, recordsOf(c, "ListRtcMPUEventSubRecord", "Logs"))
		},
	}
	for name, tc := range cases {
		for family, deliver := range families {
			t.Run(name+"/"+family, func(t *testing.T) {
				t.Parallel()
				opts := Options{CallbackRetryInterval: time.Millisecond}
				if tc.stalls {
					opts.CallbackTimeout = 250 * time.Millisecond // long enough for an answer, on a busy machine too
				}
				c := newCloud(t, opts)
				hook := newReceiver(t, tc.handle)
				record := deliver(t, c, hook.URL)
				if got := len(hook.requests()); got != tc.requests {
					t.Errorf("%d requests, want %d", got, tc.requests)
				}
				if family == "mpu" {
					if record["HTTPCode"] != tc.code {
						t.Errorf("HTTPCode is %v, want %s", record["HTTPCode"], tc.code)
					}
					return
				}
				got := []string{
					record["NotifyResult"].(string), record["Description"].(string), record["NotifyResponse"].(string),
				}
				if diff := cmp.Diff(tc.record, got); diff != "" {
					t.Errorf("record (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// only returns the one record that there must be.
func only(t *testing.T, records []map[string]any) map[string]any {
	t.Helper()
	if len(records) != 1 {
		t.Fatalf("%d records, want 1: %v", len(records), records)
	}
	return records[0]
}

// TestUnreachable has a record of a receiver that is not there, and of a URL that is none.
func TestUnreachable(t *testing.T) {
	c := newCloud(t, Options{})
	hook := newReceiver(t, answerOK)
	hook.Close()
	for target, description := range map[string]string{hook.URL: "connection refused", "http://a b/": "malformed URL"} {
		c.SetStreamConfig(push, StreamConfig{NotifyURL: target})
		if err := c.StartStream(push, "a", description); err != nil {
			t.Fatal(err)
		}
		c.Wait()
	}
	for _, r := range streamRecordsOf(c) {
		if !strings.Contains(r["Description"].(string), r["StreamName"].(string)) || r["NotifyResult"] != "failed" {
			t.Errorf("record is %v", r)
		}
	}
}

// TestKeyOfRunningStreams changes the key while a stream is online.
func TestKeyOfRunningStreams(t *testing.T) {
	c := newCloud(t, Options{})
	hook := newReceiver(t, answerOK)
	configure := func(key string) {
		c.SetStreamConfig(push, StreamConfig{
			NotifyURL: hook.URL, ExceptionNotifyURL: hook.URL, SwitchNotifyURL: hook.URL, Auth: true, AuthKey: key,
		})
	}
	const first, second = "first00000000000", "second0000000000"
	configure(first)
	steps := []func() error{
		func() error { return c.StartStream(push, "a", "s") },
		func() error {
			configure(second)
			return c.FailStream(push, "a", "s", "no data")
		},
		func() error { return c.StopStream(push, "a", "s") },
		func() error { return c.SwitchStream(push, "a", "s") },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatal(i, err)
		}
		c.Wait()
	}
	requests := hook.requests()
	for i, key := range []string{first, first, first, second} {
		checkSignature(t, requests[i], push, key)
	}
	for i, event := range map[int]string{1: "exception", 3: "switch"} {
		r := requests[i]
		if r.method != http.MethodPost || !strings.Contains(r.body, `"event":"`+event+`"`) {
			t.Errorf("%s is %v", event, r)
		}
	}
	if got := len(streamRecordsOf(c)); got != 2 {
		t.Errorf("%d records, want 2: only publish and publish_done are recorded", got)
	}
}

// TestRecordCallbacks has each event sent to a receiver or not, and to be found in the records or not.
func TestRecordCallbacks(t *testing.T) {
	all := []string{
		"record_started", "record_paused", "record_resumed", "file_created",
		"record_error", "record_force_transcode_fail", "transformat_error",
	}
	cases := map[string]struct {
		status bool
		want   []string
	}{
		"with NeedStatusNotify":    {true, all},
		"without NeedStatusNotify": {false, all[3:]},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{})
			hook := newReceiver(t, answerOK)
			c.SetRecordConfig(play, RecordConfig{
				NotifyURL: hook.URL, NeedStatusNotify: tc.status, Auth: true, AuthKey: authKey,
			})
			for _, event := range all {
				if err := c.Record(play, "live", "s", event); err != nil {
					t.Fatal(err)
				}
				c.Wait()
			}
			var got []string
			for _, r := range recordsOf(c, "DescribeLiveRecordNotifyRecords", "CallbackList") {
				got = append(got, r["NotifyType"].(string))
			}
			slices.Sort(got)
			if diff := cmp.Diff(slices.Sorted(slices.Values(tc.want)), got); diff != "" {
				t.Errorf("types (-want +got):\n%s", diff)
			}
			for i, r := range hook.requests() {
				checkSignature(t, r, "127.0.0.1", authKey)
				var body map[string]any
				if err := json.Unmarshal([]byte(r.body), &body); err != nil {
					t.Fatal(err)
				}
				var names []string
				for name := range body {
					names = append(names, name)
				}
				slices.Sort(names)
				want := []string{"app", "domain", "event", "stream"}
				if tc.want[i] == "file_created" {
					want = []string{"app", "domain", "duration", "push_args", "start_time", "stop_time", "stream", "uri"}
				}
				if diff := cmp.Diff(want, names); diff != "" || r.header.Get("Content-Type") != "application/json" {
					t.Errorf("%s: fields (-want +got):\n%s", tc.want[i], diff)
				}
			}
		})
	}
}

func TestOnDemand(t *testing.T) {
	c := newCloud(t, Options{})
	hook := newReceiver(t, answerOK)
	c.SetRecordConfig(play, RecordConfig{NotifyURL: hook.URL, OnDemandURL: hook.URL + "/ask", Auth: true, AuthKey: authKey})
	if err := c.StartStream(push, "live", "s"); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	got := hook.requests()
	if len(got) != 1 || got[0].method != http.MethodGet {
		t.Fatalf("requests are %v", got)
	}
	want := map[string]string{"app": "live", "domain": play, "stream": "s", "vbitrate": "2000", "codec": "h264"}
	if diff := cmp.Diff(want, facts(got[0].query)); diff != "" {
		t.Errorf("question (-want +got):\n%s", diff)
	}
	checkSignature(t, got[0], "127.0.0.1", authKey)
	if got := recordsOf(c, "DescribeLiveRecordNotifyRecords", "CallbackList"); len(got) != 0 {
		t.Errorf("records are %v", got)
	}
}

func TestMPUCallbacks(t *testing.T) {
	cases := map[string]struct {
		channels string
		want     int
	}{
		"all channels":   {"", 3},
		"this channel":   {"other,c1", 3},
		"other channels": {"other", 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{})
			hook := newReceiver(t, answerOK)
			c.SetMPUSub(appID, MPUSub{SubID: "Sub-1", CallbackURL: hook.URL, ChannelIDs: tc.channels})
			if err := c.EmitMPU(appID, "c1", 3); err != nil {
				t.Fatal(err)
			}
			c.Wait()
			sent := make(map[string]string) // body by MsgId
			for _, r := range hook.requests() {
				var body struct {
					MsgID, AppID, SubID, TaskID string
					EventType                   int
					CallbackTs                  int64
					Payload                     map[string]any
				}
				if err := json.Unmarshal([]byte(r.body), &body); err != nil {
					t.Fatal(err)
				}
				sent[body.MsgID] = r.body
				if r.header.Get("Ali-Rtc-Timestamp") == "" || body.EventType != 1 || body.SubID != "Sub-1" ||
					body.AppID != appID || len(body.Payload) != 5 {
					t.Errorf("callback is %v", r)
				}
			}
			logged := make(map[string]string)
			for _, m := range recordsOf(c, "ListRtcMPUEventSubRecord", "Logs") {
				logged[m["MsgId"].(string)] = m["Data"].(string)
			}
			if diff := cmp.Diff(sent, logged); diff != "" || len(sent) != tc.want {
				t.Errorf("%d events, want %d; records (-sent +logged):\n%s", len(sent), tc.want, diff)
			}
		})
	}
}

func TestTrafficRefuses(t *testing.T) {
	c := newCloud(t, Options{})
	if err := c.StartStream(push, "a", "online"); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"to start on an unknown domain":   c.StartStream("unknown", "a", "s"),
		"to start on a streaming domain":  c.StartStream(play, "a", "s"),
		"to start twice":                  c.StartStream(push, "a", "online"),
		"to stop what is not online":      c.StopStream(push, "a", "s"),
		"to fail on a streaming domain":   c.FailStream(play, "a", "s", ""),
		"to switch on a streaming domain": c.SwitchStream(play, "a", "s"),
		"to record on an ingest domain":   c.Record(push, "a", "s", "file_created"),
		"to record an unknown event":      c.Record(play, "a", "s", "unknown"),
		"to emit for an unknown app":      c.EmitMPU("unknown", "c", 1),
		"to map an unknown domain":        c.MapDomain("unknown", play),
		"to map to an unknown domain":     c.MapDomain(push, "unknown"),
	} {
		if err == nil {
			t.Errorf("accepts %s", name)
		}
	}
	if err := c.StopStream(push, "a", "online"); err != nil {
		t.Error(err)
	}
}

// TestDeliveriesAreBounded has more callbacks than workers, and counts how many are in flight at once.
func TestDeliveriesAreBounded(t *testing.T) {
	c := newCloud(t, Options{CallbackTimeout: time.Minute})
	arrived, release := make(chan struct{}), make(chan struct{})
	hook := newReceiver(t, func(int, http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	c.SetMPUSub(appID, MPUSub{CallbackURL: hook.URL})
	const events = 3 * maxSending
	if err := c.EmitMPU(appID, "c", events); err != nil {
		t.Fatal(err)
	}
	for range maxSending {
		<-arrived
	}
	if got := len(hook.requests()); got != maxSending {
		t.Errorf("%d requests at once, want %d", got, maxSending)
	}
	close(release)
	for range events - maxSending {
		<-arrived
	}
	c.Wait()
	if got := len(hook.requests()); got != events {
		t.Errorf("%d requests, want %d", got, events)
	}
}

// TestRedirects has callbacks follow redirects, if so switched, also while the emulator runs.
func TestRedirects(t *testing.T) {
	hook := newReceiver(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/end" {
			http.Redirect(w, r, map[bool]string{true: "/loop", false: "/end"}[r.URL.Path == "/loop"], http.StatusTemporaryRedirect)
			return
		}
		answerOK(n, w, r)
	})
	cases := map[string]struct {
		follow   bool
		path     string
		requests int
		record   []any // result, description, response
	}{
		"not followed":      {false, "/start", 1, []any{"failed", "unexpected HTTP status 307", ""}},
		"followed":          {true, "/start", 2, []any{"success", "success", "thanks"}},
		"followed for ever": {true, "/loop", 1 + maxRedirects, []any{"failed", "too many redirects", ""}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{})
			c.SetSwitches(Switches{FollowRedirects: tc.follow})
			c.SetRecordConfig(play, RecordConfig{NotifyURL: hook.URL + tc.path})
			before := len(hook.requests())
			if err := c.Record(play, "a", "s", "file_created"); err != nil {
				t.Fatal(err)
			}
			c.Wait()
			seen := hook.requests()[before:]
			record := only(t, recordsOf(c, "DescribeLiveRecordNotifyRecords", "CallbackList"))
			got := []any{record["NotifyResult"], record["Description"], record["NotifyResponse"]}
			if diff := cmp.Diff(tc.record, got); diff != "" || len(seen) != tc.requests {
				t.Errorf("%d requests, want %d; record (-want +got):\n%s", len(seen), tc.requests, diff)
			}
			for _, r := range seen {
				if r.method != http.MethodPost || r.body != seen[0].body || r.body == "" {
					t.Errorf("%s with %q", r.method, r.body)
				}
			}
		})
	}
}
