// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestDecide(t *testing.T) {
	diff := []string{"notifyURL"}
	const long = time.Hour
	for name, c := range map[string]struct {
		situation
		want action
	}{
		"nothing there":                             {situation{diff: diff, pending: true, age: -1}, create},
		"nothing there, but only looking":           {situation{observe: true, diff: diff, pending: true, age: -1}, report},
		"the same, but only looking":                {situation{observe: true, exists: true, age: -1}, settle},
		"the same already":                          {situation{exists: true, pending: true, age: -1}, adoptEqual},
		"something else":                            {situation{exists: true, diff: diff, pending: true, age: -1}, refuse},
		"something else, to be replaced":            {situation{exists: true, diff: diff, pending: true, adopt: true, age: -1}, replace},
		"what we once wrote, unclaimed since":       {situation{exists: true, ours: true, diff: diff, pending: true, age: long}, replace},
		"claimed, but not yet written":              {situation{claimed: true, diff: diff, pending: true, age: -1}, apply},
		"a new spec":                                {situation{claimed: true, exists: true, diff: diff, pending: true, age: long}, apply},
		"a new spec right after a write":            {situation{claimed: true, exists: true, diff: diff, pending: true, age: time.Second}, apply},
		"a new spec that an old read seems to hold": {situation{claimed: true, exists: true, changed: true, pending: true, age: time.Second}, apply},
		"a Secret edited right after a write":       {situation{claimed: true, exists: true, pending: true, age: time.Second}, settle},
		"a new spec that the cloud holds":           {situation{claimed: true, exists: true, pending: true, age: long}, settle},
		"in sync":                                   {situation{claimed: true, exists: true, age: long}, settle},
		"a write that does not show yet":            {situation{claimed: true, exists: true, diff: diff, age: settling - 1}, await},
		"drift":                                     {situation{claimed: true, exists: true, diff: diff, age: settling}, correct},
		"drift of what was adopted":                 {situation{claimed: true, exists: true, diff: diff, age: -1}, correct},
		"removed behind our back":                   {situation{claimed: true, diff: diff, age: long}, correct},
		"drift to be reported":                      {situation{claimed: true, exists: true, diff: diff, report: true, age: long}, report},
		"drift to be reported, and a new spec":      {situation{claimed: true, exists: true, diff: diff, report: true, pending: true, age: long}, apply},
		"too much drift":                            {situation{claimed: true, exists: true, diff: diff, braked: true, age: long}, yield},
		"too much drift, but a new spec":            {situation{claimed: true, exists: true, diff: diff, braked: true, pending: true, age: long}, apply},
	} {
		t.Run(name, func(t *testing.T) {
			if got := decide(c.situation); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestOnlyWhoMayWriteWrites goes through every situation there is.
func TestOnlyWhoMayWriteWrites(t *testing.T) {
	writes := map[action]bool{create: true, replace: true, apply: true, correct: true}
	for bits := range 1 << 9 {
		is := func(i int) bool { return bits&(1<<i) != 0 }
		s := situation{
			observe: is(0), claimed: is(1), exists: is(2), ours: is(3), pending: is(4), adopt: is(5), report: is(6), braked: is(7), age: time.Hour,
		}
		if is(8) {
			s.diff = []string{"notifyURL"}
		}
		got := decide(s)
		if s.observe && writes[got] {
			t.Errorf("an object that observes writes: %+v: %s", s, got)
		}
		if !s.claimed && s.exists && !s.adopt && !s.ours && writes[got] {
			t.Errorf("what is not ours is replaced: %+v: %s", s, got)
		}
		if s.report && !s.pending && s.claimed && writes[got] {
			t.Errorf("drift that is to be reported is corrected: %+v: %s", s, got)
		}
	}
}

func TestNextDueSpreadsAndKeepsItsPhase(t *testing.T) {
	const interval = 10 * time.Minute
	now := time.Date(2026, 1, 1, 0, 3, 0, 0, time.UTC)
	slots := make([]int, 10)
	for i := range 10_000 {
		uid := types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i))
		due := nextDue(now, interval, uid)
		if !due.After(now) || due.After(now.Add(interval)) {
			t.Fatalf("due %s after %s", due, now)
		}
		slots[due.Sub(now)/(interval/10)%10]++
		if again := nextDue(due, interval, uid); again.Sub(due) != interval {
			t.Fatalf("next due %s later", again.Sub(due))
		}
		if restarted := nextDue(now.Add(due.Sub(now)/2), interval, uid); !restarted.Equal(due) {
			t.Fatalf("a restart moves it from %s to %s", due, restarted)
		}
	}
	for _, n := range slots {
		if n < 850 || n > 1150 {
			t.Fatalf("not spread: %v", slots)
		}
	}
}

func TestBackoffIsBounded(t *testing.T) {
	for failures := range 100 {
		got := backoff(failures)
		if got < minRetry || got > maxRetry*5/4 {
			t.Errorf("after %d failures %s", failures, got)
		}
		if failures > 12 && got < maxRetry {
			t.Errorf("after %d failures only %s", failures, got)
		}
	}
}
