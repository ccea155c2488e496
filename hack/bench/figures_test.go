// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"
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
		for _, m := range members("x", n, [3]int{80, 15, 5}) {
			count[m.family.kind]++
			names[m.key()] = true
		}
		if len(names) != n || count["LiveRecordNotifyConfig"] != n*15/100 || count["LiveRtcMPUEventSub"] != n*5/100 {
			t.Errorf("%d: got %v of %d names", n, count, len(names))
		}
	}
}
