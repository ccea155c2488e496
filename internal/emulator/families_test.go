// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestCodesOfFamilies: each family has its own spelling of what exists and what does not.
func TestCodesOfFamilies(t *testing.T) {
	const hook = "https://hook.example.com/a"
	domain := []string{"DomainName", play}
	with := func(pairs ...string) []string { return append([]string{"DomainName", play}, pairs...) }
	type step struct {
		action string
		pairs  []string
		want   string // status and code
	}
	for name, tc := range map[string]struct {
		switches Switches
		steps    []step
	}{
		"snapshot": {Switches{}, []step{
			{"DescribeLiveSnapshotNotifyConfig", domain, "200 "},
			{"UpdateLiveSnapshotNotifyConfig", with("NotifyUrl", hook), "400 ConfigNotFound"},
			{"AddLiveSnapshotNotifyConfig", with("NotifyUrl", hook+strings.Repeat("a", 500)), "400 MalformedParam"},
			{"AddLiveSnapshotNotifyConfig", with("NotifyUrl", hook, "NotifyReqAuth", "yes", "NotifyAuthKey", "short"), "400 MalformedParam"},
			{"AddLiveSnapshotNotifyConfig", with("NotifyUrl", hook, "NotifyReqAuth", "yes", "NotifyAuthKey", "0123456789012345"), "200 "},
			{"AddLiveSnapshotNotifyConfig", with("NotifyUrl", hook), "409 ConfigAlreadyExists"},
			{"DeleteLiveSnapshotNotifyConfig", domain, "200 "},
			{"DeleteLiveSnapshotNotifyConfig", domain, "200 "},
			{"AddLiveSnapshotNotifyConfig", []string{"DomainName", push, "NotifyUrl", hook}, "403 IllegalOperation"},
		}},
		"snapshot, otherwise": {Switches{SnapshotDescribeNotFound: true, SnapshotDeleteNotFound: true}, []step{
			{"DescribeLiveSnapshotNotifyConfig", domain, "400 ConfigNotFound"},
			{"DeleteLiveSnapshotNotifyConfig", domain, "400 ConfigNotFound"},
		}},
		"detect": {Switches{}, []step{
			{"DescribeLiveDetectNotifyConfig", domain, "404 InvalidConfig.NotFound"},
			{"UpdateLiveDetectNotifyConfig", with("NotifyUrl", hook), "404 InvalidConfig.NotFound"},
			{"AddLiveDetectNotifyConfig", with("NotifyUrl", "ftp://a"), "400 InvalidNotifyUrl.Malformed"},
			{"AddLiveDetectNotifyConfig", with("NotifyUrl", hook), "200 "},
			{"AddLiveDetectNotifyConfig", with("NotifyUrl", hook), "400 ConfigAlreadyExists"},
			{"DeleteLiveDetectNotifyConfig", domain, "200 "},
			{"DeleteLiveDetectNotifyConfig", domain, "200 "},
		}},
		"detect, otherwise": {Switches{DetectDeleteNotFound: true}, []step{
			{"DeleteLiveDetectNotifyConfig", domain, "404 InvalidConfig.NotFound"},
		}},
		"audit": {Switches{}, []step{
			{"DescribeLiveAudioAuditNotifyConfig", domain, "200 "},
			{"UpdateLiveAudioAuditNotifyConfig", with("Callback", hook), "400 ConfigNotFound"},
			{"AddLiveAudioAuditNotifyConfig", with("Callback", ""), "400 MalformedParam"},
			{"AddLiveAudioAuditNotifyConfig", with("Callback", hook), "200 "},
			{"AddLiveAudioAuditNotifyConfig", with("Callback", hook), "400 ConfigExisted"},
			{"DeleteLiveAudioAuditNotifyConfig", domain, "200 "},
			{"DeleteLiveAudioAuditNotifyConfig", domain, "200 "},
		}},
		"audit, otherwise": {Switches{AuditDescribeNotFound: true, AuditDeleteNotFound: true}, []step{
			{"DescribeLiveAudioAuditNotifyConfig", domain, "400 ConfigNotFound"},
			{"DeleteLiveAudioAuditNotifyConfig", domain, "400 ConfigNotFound"},
		}},
		"message": {Switches{}, []step{
			{"DescribeLiveMessageApp", []string{"AppId", "chat"}, "200 "},
			{"DescribeLiveMessageApp", []string{"AppId", "chat", "DataCenter", "ap-southeast-1"}, "404 AppInfoNotExist"},
			{"ModifyLiveMessageAppCallback", []string{"AppId", "other", "EventCallbackUrl", hook}, "404 AppInfoNotExist"},
			{"ModifyLiveMessageAppCallback", []string{"AppId", "chat", "EventCallbackUrl", "https://hook.example.com:1/"}, "400 InvalidParam"},
			{"ModifyLiveMessageAppCallback", []string{"AppId", "chat", "EventCallbackUrl", hook}, "200 "},
			{"ModifyLiveMessageAppCallback", []string{"AppId", "chat"}, "200 "},
		}},
		"event": {Switches{}, []step{
			{"CreateEventSub", []string{"AppId", "other", "CallbackUrl", hook, "Events.1", "UserEvent"}, "404 ResourceNotExist"},
			{"CreateEventSub", []string{"AppId", appID, "CallbackUrl", hook}, "400 InputInvalid"},
			{"CreateEventSub", []string{"AppId", appID, "CallbackUrl", hook, "Events.1", "Other"}, "400 InputInvalid"},
			{"CreateEventSub", []string{"AppId", appID, "CallbackUrl", hook, "Events.1", "UserEvent", "Users.1", "a"}, "400 InputInvalid"},
			{"CreateEventSub", []string{"AppId", appID, "CallbackUrl", hook, "Events", `["UserEvent"]`}, "200 "},
			{"CreateEventSub", []string{"AppId", appID, "CallbackUrl", hook, "Events.1", "UserEvent", "ChannelId", "*"}, "400 InputInvalid"},
			{"CreateEventSub", []string{"AppId", appID, "CallbackUrl", hook, "Events.1", "UserEvent", "ChannelId", "c", "Users.1", "a"}, "200 "},
			{"CreateEventSub", []string{"AppId", appID, "CallbackUrl", hook, "Events.1", "UserEvent", "ChannelId", "c"}, "200 "}, // a second one
			{"UpdateEventSub", []string{"AppId", appID, "SubscribeId", "x", "CallbackUrl", hook, "Events.1", "UserEvent"}, "404 ResourceNotExist"},
			{"DeleteEventSub", []string{"AppId", appID, "SubscribeId", "x"}, "404 ResourceNotExist"},
			{"ListEventSub", []string{"AppId", appID}, "404 InvalidApi.NotFound"}, // for GET alone
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{Switches: tc.switches})
			if err := c.AddMessageApp(MessageApp{AppID: "chat"}); err != nil {
				t.Fatal(err)
			}
			for _, s := range tc.steps {
				a := c.post(s.action, s.pairs...)
				if got := fmt.Sprintf("%d %s", a.status, a.code()); got != s.want {
					t.Errorf("%s %v: got %s, want %s", s.action, s.pairs, got, s.want)
				}
			}
		})
	}
}

// TestEventSubLimit: an application has 20 subscriptions at most.
func TestEventSubLimit(t *testing.T) {
	c := newCloud(t, Options{})
	for i := range 21 {
		a := c.post("CreateEventSub", "AppId", appID, "CallbackUrl", "https://a.example.com", "Events.1", "UserEvent", "ChannelId", fmt.Sprintf("c%d", i))
		if want := map[bool]string{true: "InputInvalid"}[i == 20]; a.code() != want {
			t.Errorf("%d: got %q, want %q", i, a.code(), want)
		}
	}
	if n := len(c.EventSubs(appID)); n != 20 {
		t.Errorf("%d subscriptions", n)
	}
}

// TestDeliveryOfFamilies: each callback comes with the body and the signature that are documented, as far as they are.
func TestDeliveryOfFamilies(t *testing.T) {
	clk := newClock()
	c := newCloud(t, Options{Now: clk.now, AnyDate: true})
	rec := newReceiver(t, answerOK)
	const key = "0123456789abcdef"
	c.SetSnapshotConfig(play, SnapshotConfig{NotifyURL: rec.URL + "/snapshot", Auth: true, AuthKey: key})
	c.SetSnapshotJobs(play, []SnapshotJob{{App: "live", Callback: rec.URL + "/job"}, {App: "other", Callback: rec.URL + "/other"}})
	c.SetDetectConfig(play, DetectConfig{NotifyURL: rec.URL + "/detect"})
	c.SetAuditConfig(play, AuditConfig{CallbackURL: rec.URL + "/audit", CallbackTemplate: `{"s":{StreamName},"t":{Timestamp}}`})
	c.SetEventSubs(appID, []EventSub{
		{SubID: "Sub-all", Events: []string{"ChannelEvent"}, CallbackURL: rec.URL + "/channel"},
		{SubID: "Sub-one", ChannelID: "room", Events: []string{"UserEvent"}, Users: []string{"a"}, CallbackURL: rec.URL + "/user"},
	})
	if err := c.AddMessageApp(MessageApp{AppID: "chat"}); err != nil {
		t.Fatal(err)
	}
	timestamp := fmt.Sprint(clk.now().Unix())
	for what, tc := range map[string]struct {
		send   func() error
		bodies []string // a part of each body that comes
		signed bool
	}{
		"snapshot":            {func() error { return c.TakeSnapshot(play, "live", "s") }, []string{`"stream":"s"`, `"stream":"s"`}, true},
		"video review":        {func() error { return c.ReviewVideo(play, "live", "s") }, []string{`"StreamName":"s"`}, false},
		"audio review":        {func() error { return c.ReviewAudio(play, "live", "s") }, []string{`{"s":"s","t":` + timestamp + `}`}, false},
		"a channel opens":     {func() error { return c.EmitEvent(appID, "room", "", "Open") }, []string{`"SubscribeID":"Sub-all"`}, false},
		"a user joins":        {func() error { return c.EmitEvent(appID, "room", "a", "Join") }, []string{`"UserId":"a"`}, false},
		"another user joins":  {func() error { return c.EmitEvent(appID, "room", "b", "Join") }, nil, false},
		"a user of elsewhere": {func() error { return c.EmitEvent(appID, "hall", "a", "Join") }, nil, false},
		"no message callback": {func() error { return c.EmitMessageEvent("cn-shanghai", "chat", "u", MessageJoin) }, nil, false},
		"a message": {func() error {
			if err := c.SetMessageCallback("cn-shanghai", "chat", rec.URL+"/message"); err != nil {
				return err
			}
			defer func() { _ = c.SetMessageCallback("cn-shanghai", "chat", "") }()
			return c.EmitMessageEvent("cn-shanghai", "chat", "u", MessageLogoff)
		}, []string{`"events":[{"e":2,"r":1}]`}, false},
	} {
		before := len(rec.requests())
		if err := tc.send(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		c.Wait()
		got := rec.requests()[before:]
		if len(got) != len(tc.bodies) {
			t.Errorf("%s: got %d callbacks, want %d", what, len(got), len(tc.bodies))
			continue
		}
		signatures := 0
		for i, r := range got {
			if r.method != http.MethodPost || !strings.Contains(r.body, tc.bodies[i]) {
				t.Errorf("%s: got %s %s, want %s", what, r.method, r.body, tc.bodies[i])
			}
			if signature := r.header.Get("ALI-LIVE-SIGNATURE"); signature != "" {
				signatures++
				if want := callbackSignature("127.0.0.1", timestamp, key); signature != want {
					t.Errorf("%s: signature %s, want %s", what, signature, want)
				}
			}
		}
		if (signatures == 1) != tc.signed {
			t.Errorf("%s: %d signatures", what, signatures)
		}
	}
	a := c.get("ListEventSubEvent", "AppId", appID, "SubscribeId", "Sub-one", "PageNo", "1", "PageSize", "100",
		"StartTime", fmt.Sprint(clk.now().Add(-time.Minute).Unix()), "EndTime", fmt.Sprint(clk.now().Add(time.Minute).Unix()))
	logs, _ := dig(a.body, "Logs").([]any)
	if len(logs) != 1 || dig(logs[0], "Code") != float64(200) || dig(logs[0], "Time") != "2026-01-02 11:04:05.000" {
		t.Errorf("records: got %v", a.body)
	}
}
