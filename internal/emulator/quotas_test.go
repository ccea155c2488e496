// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"errors"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
	"github.com/google/go-cmp/cmp"
)

func TestQuotas(t *testing.T) {
	// burst is how many calls are made at once, after a wait, and how many of them pass.
	type burst struct {
		wait   time.Duration
		calls  int
		passed int
	}
	cases := map[string]struct {
		model  ThrottleModel
		scale  float64
		limit  limit
		bursts []burst
	}{
		"no scale is no limit": {
			FixedWindow, 0, perSecond(1), []burst{{0, 1000, 1000}},
		},
		"a window of a second starts anew on the second": {
			FixedWindow, 1, perSecond(15),
			[]burst{{900 * time.Millisecond, 20, 15}, {99 * time.Millisecond, 1, 0}, {time.Millisecond, 20, 15}},
		},
		"a window of a minute lets the whole minute through at once": {
			FixedWindow, 1, perMinute(1000), []burst{{0, 1500, 1000}, {54 * time.Second, 1, 0}, {time.Second, 1500, 1000}},
		},
		"a scale multiplies": {
			FixedWindow, 0.2, perSecond(15), []burst{{0, 20, 3}},
		},
		"a scaled limit lets at least one through": {
			FixedWindow, 0.001, perSecond(15), []burst{{0, 20, 1}, {time.Second, 20, 1}},
		},
		"a bucket holds a second's worth": {
			TokenBucket, 1, perSecond(15), []burst{{0, 20, 15}, {time.Hour, 20, 15}},
		},
		"a bucket refills steadily": {
			TokenBucket, 1, perSecond(10), []burst{{0, 10, 10}, {100 * time.Millisecond, 2, 1}, {250 * time.Millisecond, 9, 2}},
		},
		"a bucket smooths a limit per minute": {
			TokenBucket, 1, perMinute(1000), []burst{{0, 1000, 16}, {time.Second, 1000, 16}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			q := quotas{scale: tc.scale, model: tc.model}
			clk := newClock()
			for i, b := range tc.bursts {
				clk.advance(b.wait)
				passed := 0
				for range b.calls {
					if q.take("a", "Set", tc.limit, clk.now()) == nil {
						passed++
					}
				}
				if passed != b.passed {
					t.Errorf("burst %d: %d of %d passed, want %d", i, passed, b.calls, b.passed)
				}
			}
		})
	}
}

// TestThrottledUntilTheTimeItSays waits as long as the error says, and is let through then, in both models.
func TestThrottledUntilTheTimeItSays(t *testing.T) {
	for _, model := range []ThrottleModel{FixedWindow, TokenBucket} {
		t.Run(string(model), func(t *testing.T) {
			q := quotas{scale: 1, model: model}
			clk := newClock()
			var err error
			for err == nil {
				err = q.take("a", "Set", perSecond(15), clk.now())
			}
			throttled, _ := errors.AsType[apiError](err)
			clk.advance(throttled.retryAfter - time.Millisecond)
			if q.take("a", "Set", perSecond(15), clk.now()) == nil {
				t.Error("let through early")
			}
			clk.advance(time.Millisecond)
			if err := q.take("a", "Set", perSecond(15), clk.now()); err != nil {
				t.Errorf("still refused: %v", err)
			}
		})
	}
}

func TestThrottlingOverHTTP(t *testing.T) {
	clk := newClock()
	c := newCloud(t, Options{
		QPSScale: 1, Now: clk.now,
		AccessKeys: []AccessKey{{ID: "colleague", Secret: "s"}, {ID: "other", Secret: "s", Account: "other"}},
	})
	c.AddDomain("other", "other.example.com", IngestDomain)
	remove := func() answer { return c.post("DeleteLiveStreamsNotifyUrlConfig", "DomainName", push) }
	for i := range 15 {
		if got := remove(); got.status != 200 {
			t.Fatalf("call %d: %v", i, got.body)
		}
	}

	got := remove()
	want := map[string]any{
		"status": 400, "code": "Throttling.User", "x-acs-retry-after": "1000",
		"x-ratelimit-user-api": "Limit:15,Remain:0,TimeLeft:1000,Reset:1000",
	}
	if diff := cmp.Diff(want, map[string]any{
		"status": got.status, "code": got.code(), "x-acs-retry-after": got.header.Get("x-acs-retry-after"),
		"x-ratelimit-user-api": got.header.Get("x-ratelimit-user-api"),
	}); diff != "" {
		t.Errorf("throttled answer (-want +got):\n%s", diff)
	}

	if got := c.post("SetLiveStreamsNotifyUrlConfig", "DomainName", push); got.status != 200 {
		t.Errorf("another operation has a limit of its own: %v", got.body)
	}
	c.key = AccessKey{ID: "colleague", Secret: "s"}
	if got := remove(); got.code() != "Throttling.User" {
		t.Errorf("another key of the account shares its limit: %v", got.body)
	}
	c.key = AccessKey{ID: "other", Secret: "s"}
	if got := c.post("DeleteLiveStreamsNotifyUrlConfig", "DomainName", "other.example.com"); got.status != 200 {
		t.Errorf("another account has a limit of its own: %v", got.body)
	}
	clk.advance(time.Second)
	c.key = AccessKey{ID: keyID, Secret: keySecret}
	if got := remove(); got.status != 200 {
		t.Errorf("the next second: %v", got.body)
	}
}

func TestSDKReadsTheWaitOfAThrottledCall(t *testing.T) {
	c := newCloud(t, Options{})
	c.Inject(Fault{Code: "Throttling.User", RetryAfter: 1500 * time.Millisecond})
	_, err := c.sdk().DescribeLiveStreamsNotifyUrlConfig(
		&sdk.DescribeLiveStreamsNotifyUrlConfigRequest{DomainName: new(push)})
	throttled, ok := errors.AsType[*openapi.ThrottlingError](err)
	if !ok || *throttled.RetryAfter != 1500 {
		t.Errorf("got %#v, want a ThrottlingError of 1500 ms", err)
	}
}
