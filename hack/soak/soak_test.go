// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// life is a process sampled for some minutes, with what grows by the minute.
func life(process int, start time.Time, minutes int, resident, files float64) (samples []sample) {
	for i := range minutes * int(time.Minute/sampling) {
		at := time.Duration(i) * sampling
		samples = append(samples, sample{
			At: start.Add(at), Process: process,
			Resident: 80 + resident*at.Minutes(), Heap: 30, Goroutines: 200, Files: 20 + files*at.Minutes(), Polls: 200,
		})
	}
	return samples
}

func TestGrowthIsSeen(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for what, c := range map[string]struct {
		samples []sample
		want    []string // what grew
	}{
		"a steady process":                {samples: life(0, start, 30, 0, 0)},
		"a leak of memory":                {samples: life(0, start, 30, 2, 0), want: []string{"resident memory, MiB"}},
		"a leak of files":                 {samples: life(0, start, 30, 0, 1), want: []string{"open files"}},
		"one that was killed had a leak":  {samples: append(life(0, start, 30, 9, 9), life(1, start.Add(time.Hour), 30, 0, 0)...)},
		"the last one has, after a death": {samples: append(life(0, start, 30, 0, 0), life(1, start.Add(time.Hour), 30, 0, 1)...), want: []string{"open files"}},
	} {
		var grew []string
		for _, g := range growths(c.samples) {
			if g.Late > g.Most {
				grew = append(grew, g.Figure)
			}
		}
		if !slices.Equal(grew, c.want) {
			t.Errorf("%s: %v grew, want %v", what, grew, c.want)
		}
	}
	if got := growths(life(0, start, 2, 9, 9)); got != nil {
		t.Errorf("a process of two minutes was judged: %+v", got)
	}
}

func TestDifferenceIsNamedWithoutItsValue(t *testing.T) {
	const key = "0123456789abcdef"
	want := emulator.StreamConfig{NotifyURL: "http://hooks.example.com/", Auth: true, AuthKey: key}
	have := want
	have.AuthKey = "fedcba9876543210"
	have.NotifyURL = elsewhere
	if got := differing(want, have); got != "NotifyURL, AuthKey" || strings.Contains(got, key) {
		t.Errorf("got %q", got)
	}
	if got := differing(want, nil); !strings.Contains(got, "none") {
		t.Errorf("of nothing: %q", got)
	}
}
