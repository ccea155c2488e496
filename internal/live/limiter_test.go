// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// Against the documented limit of 15 a second, forty writes at once are spread
// over the time that they take; nothing is refused and nothing waits in vain.
func TestLimiterIsSmooth(t *testing.T) {
	t.Parallel()
	const n, share = 40, 0.8
	c := newCloudWith(t, emulator.Options{QPSScale: 1}, live.Options{Limits: limits("", share)})
	streams := live.Stream{Client: c.client}
	start := time.Now()
	var group sync.WaitGroup
	for i := range n {
		domain := fmt.Sprintf("push-%d.example.com", i)
		c.AddDomain("", domain, emulator.IngestDomain)
		group.Go(func() {
			for {
				err := streams.Put(t.Context(), live.LaneUser, domain, live.StreamConfig{}, live.StreamConfig{NotifyURL: hook})
				e, isError := errors.AsType[*live.Error](err)
				if !isError {
					break
				}
				check(t, "class", e.Class, live.Throttled)
				check(t, "code", e.Code, "LocalQuota")
				if e.RetryAfter <= 0 || e.RetryAfter > 5*time.Second {
					t.Errorf("told to come back after %s", e.RetryAfter)
				}
				time.Sleep(e.RetryAfter) // as a caller does: the API server's clock is not involved
			}
		})
	}
	group.Wait()
	took := time.Since(start)
	var first, last time.Time
	for _, call := range c.Calls() {
		if call.Code != "" {
			t.Errorf("a request was refused: %s", call.Code)
		}
		if first.IsZero() {
			first = call.Time
		}
		last = call.Time
	}
	check(t, "calls", len(c.Calls()), n)
	least := time.Duration((n - 1) / (15 * share) * float64(time.Second))
	if span := last.Sub(first); span < least-200*time.Millisecond {
		t.Errorf("the requests took %s, want no less than %s", span, least)
	}
	if took > 4*least {
		t.Errorf("took %s, want about %s", took, least)
	}
	for i := range n {
		if _, ok := c.StreamConfig(fmt.Sprintf("push-%d.example.com", i)); !ok {
			t.Errorf("the cloud has no configuration of domain %d", i)
		}
	}
}

// Operations do not wait for each other.
func TestLimiterIsPerOperation(t *testing.T) {
	t.Parallel()
	c := newCloudWith(t, emulator.Options{}, live.Options{Limits: limits("", 0.01)})
	streams, recordings := live.Stream{Client: c.client}, live.Record{Client: c.client}
	ctx := t.Context()
	start := time.Now()
	_, err := streams.Get(ctx, live.LaneSync, push)
	err = errors.Join(err,
		streams.Put(ctx, live.LaneUser, push, live.StreamConfig{}, live.StreamConfig{NotifyURL: hook}),
		streams.Delete(ctx, live.LaneUser, push),
		recordings.Put(ctx, live.LaneUser, play, live.RecordConfig{}, live.RecordConfig{NotifyURL: hook}),
		recordings.Delete(ctx, live.LaneUser, play),
	)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
	err = streams.Delete(ctx, live.LaneUser, push)
	check(t, "class of a second Delete", live.ClassOf(err), live.Throttled)
	e, _ := errors.AsType[*live.Error](err)
	if e.RetryAfter < time.Second || e.RetryAfter > 7*time.Second { // 1 in 6.7 s
		t.Errorf("told to come back after %s", e.RetryAfter)
	}
	err = streams.Delete(ctx, live.LaneUser, push)
	if again, _ := errors.AsType[*live.Error](err); again.RetryAfter < e.RetryAfter+3*time.Second {
		t.Errorf("two were told of one turn, after %s and after %s", e.RetryAfter, again.RetryAfter)
	}
	check(t, "text of the same failure", err.Error(), e.Error())
}

func TestLimiterEndsWithContext(t *testing.T) {
	t.Parallel()
	c := newCloudWith(t, emulator.Options{}, live.Options{Limits: limits("", 0.1)}) // a Set in 667 ms
	streams := live.Stream{Client: c.client}
	put := func(ctx context.Context) error {
		return streams.Put(ctx, live.LaneNew, push, live.StreamConfig{}, live.StreamConfig{NotifyURL: hook})
	}
	if err := put(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	start := time.Now()
	if err := put(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if took := time.Since(start); took > 600*time.Millisecond {
		t.Errorf("waited for %s", took)
	}
	check(t, "calls", c.actions(), "Set")
}
