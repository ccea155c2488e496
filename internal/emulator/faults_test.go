// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
	"github.com/google/go-cmp/cmp"
)

// TestFaults calls Set, then Describe, with the official client, and looks at what the faults left of that.
func TestFaults(t *testing.T) {
	const set, describe = "SetLiveStreamsNotifyUrlConfig", "DescribeLiveStreamsNotifyUrlConfig"
	// seen is what a caller sees, and what is true.
	type seen struct {
		set, describe string // kind of error: see errorKind
		url           string // in the answer to Describe
		stored        string // in the configuration
		faults        int    // calls marked in the log
	}
	const before, after = "http://old", "http://new"
	cases := map[string]struct {
		fault Fault
		want  seen
	}{
		"an error code":            {Fault{Action: set, Code: "InternalError", Status: 500, Message: "m"}, seen{"500 InternalError", "", before, before, 1}},
		"an error is 400 unsaid":   {Fault{Action: set, Code: "InvalidParam"}, seen{"400 InvalidParam", "", before, before, 1}},
		"a throttled call":         {Fault{Action: set, Code: "Throttling.User", RetryAfter: time.Second}, seen{"throttled 1s", "", before, before, 1}},
		"a dropped connection":     {Fault{Action: set, Drop: true}, seen{"network", "", before, before, 1}},
		"a lost reply":             {Fault{Action: set, LoseReply: true}, seen{"network", "", after, after, 1}},
		"a truncated body":         {Fault{Action: set, Body: `{"RequestId": "`}, seen{"malformed", "", before, before, 1}},
		"a page in HTML":           {Fault{Action: set, Body: "<html>Bad Gateway</html>", Status: 502}, seen{"malformed", "", before, before, 1}},
		"a stale read":             {Fault{Action: describe, Stale: true}, seen{"", "", before, after, 1}},
		"latency alone":            {Fault{Action: set, Latency: time.Millisecond}, seen{"", "", after, after, 1}},
		"any action":               {Fault{Code: "X", Status: 503}, seen{"503 X", "503 X", "", before, 2}},
		"once":                     {Fault{Code: "X", Status: 503, Times: 1}, seen{"503 X", "", before, before, 1}},
		"twice":                    {Fault{Code: "X", Status: 503, Times: 2}, seen{"503 X", "503 X", "", before, 2}},
		"another action":           {Fault{Action: "DeleteLiveStreamsNotifyUrlConfig", Code: "X"}, seen{"", "", after, after, 0}},
		"another domain":           {Fault{Match: "other.example.com", Code: "X"}, seen{"", "", after, after, 0}},
		"this domain":              {Fault{Match: push, Code: "X", Times: 1}, seen{"400 X", "", before, before, 1}},
		"latency, then a bad code": {Fault{Action: set, Latency: time.Millisecond, Code: "X"}, seen{"400 X", "", before, before, 1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{})
			c.SetStreamConfig(push, StreamConfig{NotifyURL: before})
			c.Inject(tc.fault)
			client := c.sdk()
			var got seen
			_, err := client.SetLiveStreamsNotifyUrlConfig(
				&sdk.SetLiveStreamsNotifyUrlConfigRequest{DomainName: new(push), NotifyUrl: new(after)})
			got.set = errorKind(err)
			reply, err := client.DescribeLiveStreamsNotifyUrlConfig(
				&sdk.DescribeLiveStreamsNotifyUrlConfigRequest{DomainName: new(push)})
			got.describe = errorKind(err)
			if err == nil {
				got.url = *reply.Body.LiveStreamsNotifyConfig.NotifyUrl
			}
			stored, _ := c.StreamConfig(push)
			got.stored = stored.NotifyURL
			for _, call := range c.Calls() {
				if call.Fault {
					got.faults++
				}
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(seen{})); diff != "" {
				t.Errorf("seen (-want +got):\n%s", diff)
			}
		})
	}
}

// errorKind names an error of the official client.
func errorKind(err error) string {
	if e, ok := errors.AsType[*openapi.ThrottlingError](err); ok {
		return "throttled " + (time.Duration(*e.RetryAfter) * time.Millisecond).String()
	}
	if e, ok := errors.AsType[*openapi.ClientError](err); ok {
		return fmt.Sprint(*e.StatusCode, " ", *e.Code)
	}
	if e, ok := errors.AsType[*openapi.ServerError](err); ok {
		return fmt.Sprint(*e.StatusCode, " ", *e.Code)
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok || errors.Is(err, io.ErrUnexpectedEOF) {
		return "malformed"
	}
	if _, ok := errors.AsType[*url.Error](err); ok || errors.Is(err, io.EOF) {
		return "network"
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestFaultsComeInOrder(t *testing.T) {
	c := newCloud(t, Options{})
	for _, code := range []string{"First", "Second"} {
		c.Inject(Fault{Code: code, Times: 1})
	}
	id := c.Inject(Fault{Code: "Third"})
	call := func() string { return c.post("DescribeLiveStreamsNotifyUrlConfig", "DomainName", push).code() }
	got := []string{call(), call(), call(), call()}
	if !c.faults.remove(id) || c.faults.remove(id) {
		t.Error("a fault can be removed once")
	}
	got = append(got, call())
	c.Inject(Fault{Code: "Fourth"})
	c.ClearFaults()
	got = append(got, call())
	want := []string{"First", "Second", "Third", "Third", "", ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

// TestLatencyEndsWithTheServer has Close let go of a call that would be held for an hour.
func TestLatencyEndsWithTheServer(t *testing.T) {
	c := newCloud(t, Options{})
	c.Inject(Fault{Latency: time.Hour})
	answered := make(chan error)
	request := c.signed("POST", "DescribeLiveStreamsNotifyUrlConfig", url.Values{"DomainName": {push}}, "")
	go func() {
		resp, err := http.DefaultClient.Do(request)
		if err == nil {
			err = resp.Body.Close()
		}
		answered <- err
	}()
	c.Close()
	if err := <-answered; err != nil {
		t.Error(err)
	}
}
