// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestQuantiles(t *testing.T) {
	var samples []time.Duration
	for i := range 200 {
		samples = append(samples, time.Duration(200-i)*time.Millisecond) // 200 down to 1
	}
	want := latency{Samples: 200, P50Millis: 101, P99Millis: 199, MaxMillis: 200}
	if got := quantiles(samples); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := quantiles([]time.Duration{time.Second}); got.P50Millis != 1000 || got.P99Millis != 1000 {
		t.Errorf("of one sample: %+v", got)
	}
}

func TestMembersFollowTheMix(t *testing.T) {
	for _, n := range []int{1, 7, 100, 1001} {
		count := map[string]int{}
		names := map[string]bool{}
		for _, m := range members("x", n, shares{80, 15, 5}) {
			count[m.family.Name]++
			names[m.key()] = true
		}
		if len(names) != n || count["LiveRecordNotifyConfig"] != n*15/100 || count["LiveRtcMPUEventSub"] != n*5/100 {
			t.Errorf("%d: got %v of %d names", n, count, len(names))
		}
	}
}

func TestMediansAreOfEachFigure(t *testing.T) {
	run := func(reads int, p99 float64, seconds ...float64) *figures {
		f := &figures{Mode: "operator", Restart: &restarted{Reads: reads}, IdleEdit: latency{P99Millis: p99}}
		for _, s := range seconds {
			f.Converge = append(f.Converge, converged{Kind: "LiveNotifyConfig", Seconds: s})
		}
		return f
	}
	want := run(12, 30, 5, 80)
	for what, runs := range map[string][]*figures{
		"three":       {run(11, 90, 5, 80), run(12, 30, 7, 70), run(400, 10, 1, 90)},
		"an even two": {run(12, 30, 5, 80), run(13, 31, 6, 81)},
	} {
		if diff := cmp.Diff(want, medians(runs)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", what, diff)
		}
	}
}
