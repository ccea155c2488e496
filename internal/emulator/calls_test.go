// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestCalls(t *testing.T) {
	clk := newClock()
	c := newCloud(t, Options{Now: clk.now, AccessKeys: []AccessKey{{ID: "other", Secret: "o", Account: "other"}}})
	c.post("SetLiveStreamsNotifyUrlConfig", "DomainName", push, "NotifyReqAuth", "yes", "NotifyAuthKey", authKey)
	c.do(c.signed("POST", "DescribeRtcMPUEventSub", nil, url.Values{"AppId": {appID}}.Encode()))
	c.key = AccessKey{ID: "other", Secret: "wrong"}
	c.post("AddLiveDomainMapping", "PushDomain", push, "PullDomain", play)
	c.key.ID = "unknown"
	c.post("Unknown")

	at := clk.now()
	want := []Call{
		{
			Time: at, Account: "default", Action: "SetLiveStreamsNotifyUrlConfig", Status: 200, Key: push,
			Params: map[string]string{"DomainName": push, "NotifyReqAuth": "yes", "NotifyAuthKey": authKey},
		},
		{
			Time: at, Account: "default", Action: "DescribeRtcMPUEventSub", Status: 200, Key: appID,
			Params: map[string]string{"AppId": appID},
		},
		{
			Time: at, Account: "other", Action: "AddLiveDomainMapping", Status: 400, Code: "SignatureDoesNotMatch", Key: push,
			Params: map[string]string{"PushDomain": push, "PullDomain": play},
		},
		{Time: at, Action: "Unknown", Status: 404, Code: "InvalidApi.NotFound", Params: map[string]string{}},
	}
	if diff := cmp.Diff(want, c.Calls(), cmpopts.IgnoreFields(Call{}, "RequestID")); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	c.ResetCalls()
	if got := len(c.Calls()) + c.CallCount(); got != 0 {
		t.Errorf("%d calls after a reset", got)
	}
}

func TestCallsAreBounded(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	const extra = 5
	for i := range maxCalls + extra {
		s.calls.add(Call{Status: i})
	}
	got := s.Calls()
	if len(got) != maxCalls || got[0].Status != extra || got[maxCalls-1].Status != maxCalls+extra-1 {
		t.Errorf("%d calls from %d to %d", len(got), got[0].Status, got[len(got)-1].Status)
	}
	for n, want := range map[int]int{0: maxCalls, extra: maxCalls, extra + 1: maxCalls - 1, maxCalls + extra - 1: 1, maxCalls + extra: 0} {
		since := s.CallsSince(n)
		if len(since) != want || want > 0 && (since[0].Status != max(n, extra) || since[want-1].Status != maxCalls+extra-1) {
			t.Errorf("%d calls since %d, want %d", len(since), n, want)
		}
	}
	if s.CallCount() != maxCalls+extra {
		t.Errorf("count is %d", s.CallCount())
	}
}
