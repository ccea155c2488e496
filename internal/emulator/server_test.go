// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReset(t *testing.T) {
	c := newCloud(t, Options{QPSScale: 1, Now: newClock().now})
	hook := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c.SetSwitches(Switches{StreamDescribeAbsent: AbsentMissing})
	c.SetStreamConfig(push, StreamConfig{NotifyURL: hook.URL})
	c.SetRecordConfig(play, RecordConfig{})
	c.SetMPUSub(appID, MPUSub{})
	c.AddRecords(Records{Stream: []CallbackRecord{{Domain: push}}})
	if err := c.StartStream(push, "a", "s"); err != nil {
		t.Fatal(err)
	}
	for c.post("DeleteLiveRecordNotifyConfig", "DomainName", play).code() != "Throttling.User" {
	}
	c.Inject(Fault{Code: "X"})

	c.Reset()

	_, stream := c.StreamConfig(push)
	_, record := c.RecordConfig(play)
	_, mpu := c.MPUSub(appID)
	got := map[string]any{
		"configurations":  stream || record || mpu,
		"records":         len(streamRecordsOf(c)),
		"quota and fault": c.post("DeleteLiveRecordNotifyConfig", "DomainName", play).code(),
		"stream":          c.StartStream(push, "a", "s") == nil,
		"calls":           c.CallCount(),
		"switches":        c.Switches().StreamDescribeAbsent,
		"mapping":         dig(c.get("DescribeLiveDomainMapping", "DomainName", push).body, "LiveDomainModels") != nil,
	}
	want := map[string]any{
		"configurations": false, "records": 0, "quota and fault": "InvalidConfig.NotFound", "stream": true,
		"calls": 2, "switches": AbsentMissing, "mapping": true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("after a reset (-want +got):\n%s", diff)
	}
}

func TestRemoveDomain(t *testing.T) {
	c := newCloud(t, Options{})
	if err := c.StartStream(push, "a", "s"); err != nil {
		t.Fatal(err)
	}
	c.SetStreamConfig(push, StreamConfig{NotifyURL: "http://a"})
	c.AddRecords(Records{Stream: []CallbackRecord{{Domain: push}}})
	c.RemoveDomain(push)
	if got := c.post("DescribeLiveStreamsNotifyUrlConfig", "DomainName", push).code(); got != "InvalidDomain.NotFound" {
		t.Errorf("got %q", got)
	}
	c.AddDomain("", push, IngestDomain)
	_, configured := c.StreamConfig(push)
	_, mapped := c.registry.streamingOf(push)
	if configured || mapped || len(streamRecordsOf(c)) != 0 {
		t.Errorf("a domain that comes again: configured %t, mapped %t", configured, mapped)
	}
	if err := c.StartStream(push, "a", "s"); err != nil {
		t.Error(err)
	}
}

// TestCloseEndsDeliveries closes a server while callbacks are in flight, queued, and waiting to be tried again.
func TestCloseEndsDeliveries(t *testing.T) {
	hook := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	cases := map[string]Options{
		"in flight":      {CallbackTimeout: time.Hour},
		"between trials": {CallbackTimeout: time.Millisecond, CallbackRetryInterval: time.Hour},
	}
	for name, opts := range cases {
		t.Run(name, func(t *testing.T) {
			s := New(opts)
			s.AddApp("", appID)
			s.SetMPUSub(appID, MPUSub{CallbackURL: hook.URL})
			if err := s.EmitMPU(appID, "c", 2*maxSending); err != nil {
				t.Fatal(err)
			}
			s.Close()
			s.Close() // again does no harm
			if err := s.EmitMPU(appID, "c", 1); err != nil {
				t.Fatal(err)
			}
			s.Wait()
			if stacks := sendersLeft(); stacks != "" {
				t.Errorf("goroutines are left:\n%s", stacks)
			}
			if got := len(s.mpuRecords.byKey[appID]); got != 0 {
				t.Errorf("%d records of abandoned deliveries", got)
			}
		})
	}
}

// sendersLeft returns the stacks of all goroutines if some still deliver. It gives those that are done a chance to end.
func sendersLeft() string {
	buf := make([]byte, 1<<20)
	for range 10_000 {
		if !strings.Contains(string(buf[:runtime.Stack(buf, true)]), "(*sender)") {
			return ""
		}
		runtime.Gosched()
	}
	return string(buf)
}

// TestManyAtOnce is for the race detector.
func TestManyAtOnce(t *testing.T) {
	c := newCloud(t, Options{QPSScale: 1})
	hook := newReceiver(t, answerOK)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			stream := fmt.Sprint(worker)
			for range 10 {
				c.SetStreamConfig(push, StreamConfig{NotifyURL: hook.URL})
				_ = c.StartStream(push, "a", stream)
				c.curl("POST", "/faults", `{"times":1,"latency":"1ms"}`)
				c.post("SetLiveStreamsNotifyUrlConfig", "DomainName", push, "NotifyUrl", hook.URL)
				c.post("DescribeLiveStreamsNotifyUrlConfig", "DomainName", push)
				streamRecordsOf(c)
				_ = c.StopStream(push, "a", stream)
				c.curl("GET", "/calls", "")
				c.curl("GET", "/domains", "")
			}
			c.Reset()
		})
	}
	group.Wait()
	c.Wait()
}
