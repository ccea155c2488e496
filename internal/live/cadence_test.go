// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"testing"
	"time"
)

func newCadence(reported *[]float64) *cadence {
	return &cadence{report: func(stretch float64) { *reported = append(*reported, stretch) }}
}

func TestCadenceStretchesEvenlyAndNoMoreThanTheQuotaCallsFor(t *testing.T) {
	const quota, requests, interval = 80, 2, 5 * time.Minute
	for n, want := range map[int]float64{
		1: 1, 1_000: 1,
		10_000: 1,    // 66.7 requests per second, of 72
		10_800: 1,    // 72: all there is
		10_801: 1.25, // one more
		20_000: 2,    // 133.3 / 72 = 1.85
		40_000: 3.75, // 266.7 / 72 = 3.70
	} {
		var reported []float64
		c := newCadence(&reported)
		now := time.Now()
		var got float64
		for i := range n {
			got, _ = c.ask(now, fmt.Sprint(i), interval, requests, quota)
		}
		if got != want || reported[len(reported)-1] != want {
			t.Errorf("%d objects: stretched by %g (reported %g), want %g", n, got, reported[len(reported)-1], want)
		}
		demand := float64(n) * requests / interval.Seconds() / got
		if demand > quota*pollsShare {
			t.Errorf("%d objects: %g requests per second remain", n, demand)
		}
	}
}

func TestCadenceFollowsWhatObjectsAskFor(t *testing.T) {
	var reported []float64
	c := newCadence(&reported)
	now := time.Now()
	ask := func(key string, interval time.Duration) (float64, bool) { return c.ask(now, key, interval, 1, 1) }

	if stretch, news := ask("a", 2*time.Second); stretch != 1 || news {
		t.Fatalf("one object that fits: %g, news %t", stretch, news)
	}
	if stretch, news := ask("b", 2*time.Second); stretch != 1.25 || !news {
		t.Fatalf("two objects, of whom one would fit: %g, news %t", stretch, news)
	}
	if stretch, news := ask("b", 2*time.Second); stretch != 1.25 || news {
		t.Fatalf("the same again: %g, news %t", stretch, news)
	}
	if stretch, news := ask("b", time.Hour); stretch != 1 || !news {
		t.Fatalf("one that asks less often: %g, news %t", stretch, news)
	}
	if fmt.Sprint(reported) != "[1 1.25 1]" {
		t.Errorf("reported %v", reported)
	}
}

func TestCadenceForgetsWhoIsGone(t *testing.T) {
	var reported []float64
	c := newCadence(&reported)
	now := time.Now()
	for i := range 10 {
		c.ask(now, fmt.Sprint(i), time.Minute, 60, 1)
	}
	if c.stretch < 11 {
		t.Fatalf("ten that want all of it: %g", c.stretch)
	}
	// One goes on, at the stretched interval: the rest is gone.
	for range 4 {
		now = now.Add(12 * time.Minute)
		c.ask(now, "0", time.Minute, 60, 1)
	}
	if c.stretch != 1.25 || len(c.polls) != 1 {
		t.Errorf("stretched by %g for %d objects", c.stretch, len(c.polls))
	}
}
