// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

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
	for _, bounds := range [][2]time.Duration{{minRetry, maxRetry}, {minStalled, maxStalled}} {
		for failures := range 100 {
			got := backoff(failures, bounds[0], bounds[1])
			if got < bounds[0] || got > bounds[1]*5/4 {
				t.Errorf("after %d failures %s", failures, got)
			}
			if failures > 12 && got < bounds[1] {
				t.Errorf("after %d failures only %s", failures, got)
			}
		}
	}
}
