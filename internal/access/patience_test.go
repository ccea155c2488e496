// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

const (
	action = "DescribeLiveStreamsNotifyUrlConfig"
	other  = "DescribeLiveRecordNotifyConfig"
)

// waits notes what is waited for.
type waits struct{ all []time.Duration }

func (w *waits) sleep(_ context.Context, d time.Duration) error {
	w.all = append(w.all, d)
	return nil
}

func throttled(action string, wait time.Duration) error {
	return &live.Error{Class: live.Throttled, Action: action, Code: "Throttling.User", Message: "too many", RetryAfter: wait}
}

// tried makes a request whose tries end as told, the last one for ever, and returns how
// often it was tried.
func tried(t *testing.T, p *Patience, c *live.Client, ends ...error) (tries int, err error) {
	t.Helper()
	err = p.Make(t.Context(), c, func(context.Context) error {
		tries++
		return ends[min(tries, len(ends))-1]
	})
	return tries, err
}

func TestPatience(t *testing.T) {
	denied := &live.Error{Class: live.AccessDenied, Action: action}
	for name, tc := range map[string]struct {
		ends  []error
		tries int
		waits []time.Duration
		class live.Class
	}{
		"an answer":                 {[]error{nil}, 1, nil, ""},
		"a refusal":                 {[]error{denied}, 1, nil, live.AccessDenied},
		"no turn yet":               {[]error{&quota.Deferral{Name: action, Wait: time.Minute}, nil}, 2, []time.Duration{time.Minute}, ""},
		"throttled once":            {[]error{throttled(action, 0), nil}, 2, []time.Duration{time.Second}, ""},
		"throttled, and told until": {[]error{throttled(action, 3*time.Second), nil}, 2, []time.Duration{3 * time.Second}, ""},
		"throttled for ever": {
			[]error{throttled(action, 0)}, 6,
			[]time.Duration{time.Second, time.Second, time.Second, time.Second, time.Second}, live.Throttled,
		},
		"throttled for long": {[]error{throttled(action, 10*time.Minute)}, 1, nil, live.Throttled},
		"no endpoint":        {[]error{&quota.Deferral{Outage: true, Wait: time.Minute}}, 1, nil, live.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			w := &waits{}
			tries, err := tried(t, &Patience{Sleep: w.sleep}, &live.Client{}, tc.ends...)
			if tries != tc.tries || live.ClassOf(err) != tc.class || len(w.all) != len(tc.waits) {
				t.Fatalf("got %d tries, %v, %v", tries, err, w.all)
			}
			for i, wait := range tc.waits {
				if w.all[i] != wait {
					t.Errorf("waited %v, want %v", w.all, tc.waits)
				}
			}
		})
	}
}

// What one request found out, others do not find out again: those of the same
// operation and account.
func TestPatienceIsShared(t *testing.T) {
	w := &waits{}
	p, account := &Patience{Sleep: w.sleep}, &live.Client{}
	if _, err := tried(t, p, account, throttled(action, 0)); live.ClassOf(err) != live.Throttled {
		t.Fatal(err)
	}
	w.all = nil
	later := &quota.Deferral{Name: action, Wait: time.Minute}
	for what, end := range map[string]error{"throttled again": throttled(action, 0), "no turn yet": later} {
		if tries, err := tried(t, p, account, end); tries != 1 || live.ClassOf(err) != live.Throttled {
			t.Errorf("%s: %d tries, %v", what, tries, err)
		}
	}
	if tries, err := tried(t, p, account, nil); tries != 1 || err != nil {
		t.Errorf("one that has its turn is not made: %v", err)
	}
	if len(w.all) > 0 {
		t.Errorf("waited %v", w.all)
	}
	if tries, err := tried(t, p, account, throttled(other, 0), nil); tries != 2 || err != nil {
		t.Errorf("another operation: %d tries, %v", tries, err)
	}
	if tries, err := tried(t, p, &live.Client{}, later, nil); tries != 2 || err != nil {
		t.Errorf("another account: %d tries, %v", tries, err)
	}
	if tries, err := tried(t, nil, account, nil); tries != 1 || err != nil {
		t.Errorf("no patience: %d tries, %v", tries, err)
	}
}

// An interrupt ends the waiting.
func TestPatienceEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := (&Patience{}).Make(ctx, &live.Client{}, func(context.Context) error { return throttled(action, time.Minute) })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Who is throttled for ever is told which limit is used up.
func TestThrottledIsExplained(t *testing.T) {
	reason, message := Explain(throttled(action, 0))
	if want := action + ": Throttling.User: too many. The limit of 16.7 calls a second that the account has for it is used up"; reason != "Throttled" || !strings.HasPrefix(message, want) {
		t.Errorf("got %s: %s", reason, message)
	}
}
