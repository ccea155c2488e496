// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

var noon = time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)

// removed returns removals of so many minutes ago.
func removed(minutes, count int) v1alpha1.DeletionCount {
	return v1alpha1.DeletionCount{Minute: metav1.NewTime(noon.Truncate(time.Minute).Add(-time.Duration(minutes) * time.Minute)), Count: int32(count)}
}

func TestDeletionTurn(t *testing.T) {
	cases := map[string]struct {
		of    Deletions
		ahead int
		want  time.Duration
	}{
		"nothing was removed":                          {Deletions{PerHour: 3}, 0, 0},
		"the last that is free":                        {Deletions{PerHour: 3}, 2, 0},
		"the first that is not free":                   {Deletions{PerHour: 3}, 3, 61 * time.Minute},
		"the last of the second hour":                  {Deletions{PerHour: 3}, 5, 61 * time.Minute},
		"the first of the third hour":                  {Deletions{PerHour: 3}, 6, 122 * time.Minute},
		"all were removed half an hour ago":            {Deletions{PerHour: 3, Recent: []v1alpha1.DeletionCount{removed(30, 3)}}, 0, 31*time.Minute - 30*time.Second},
		"one frees later than the others":              {Deletions{PerHour: 3, Recent: []v1alpha1.DeletionCount{removed(30, 2), removed(10, 1)}}, 2, 51*time.Minute - 30*time.Second},
		"of an hour ago":                               {Deletions{PerHour: 3, Recent: []v1alpha1.DeletionCount{removed(61, 3)}}, 0, 0},
		"in the last of its 61 minutes":                {Deletions{PerHour: 3, Recent: []v1alpha1.DeletionCount{removed(60, 3)}}, 0, 30 * time.Second},
		"some are free, the turn comes after these":    {Deletions{PerHour: 3, Recent: []v1alpha1.DeletionCount{removed(30, 2)}}, 1, 31*time.Minute - 30*time.Second},
		"the limit was lowered":                        {Deletions{PerHour: 2, Recent: []v1alpha1.DeletionCount{removed(30, 3), removed(20, 2)}}, 0, 41*time.Minute - 30*time.Second},
		"of the future, by another clock":              {Deletions{PerHour: 1, Recent: []v1alpha1.DeletionCount{removed(-300, 1)}}, 0, 61*time.Minute - 30*time.Second},
		"a day later, and 500 wait":                    {Deletions{PerHour: 60, Recent: []v1alpha1.DeletionCount{removed(1500, 60)}}, 499, 8 * 61 * time.Minute},
		"counts of one minute, noted by two at a time": {Deletions{PerHour: 2, Recent: []v1alpha1.DeletionCount{removed(5, 1), removed(5, 1)}}, 1, 56*time.Minute - 30*time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.of.Turn(noon, c.ahead).Sub(noon); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			_, allowed := c.of.Take(noon)
			if want := c.of.Turn(noon, 0).Equal(noon); allowed != want {
				t.Errorf("allowed is %t, but the turn of the first is now: %t", allowed, want)
			}
		})
	}
}

// TestNoHourHasMoreThanAllowed removes as fast as it may for a day.
func TestNoHourHasMoreThanAllowed(t *testing.T) {
	const perHour = 7
	d := Deletions{PerHour: perHour}
	var made []time.Time
	for now := noon; now.Before(noon.Add(24 * time.Hour)); now = now.Add(17 * time.Second) {
		recent, allowed := d.Take(now)
		if allowed {
			made = append(made, now)
		}
		d.Recent = recent
		if len(recent) > 61 {
			t.Fatalf("%d minutes are kept", len(recent))
		}
	}
	for i := perHour; i < len(made); i++ {
		if made[i].Sub(made[i-perHour]) < time.Hour {
			t.Errorf("%d removals from %s to %s", perHour+1, made[i-perHour], made[i])
		}
	}
	if least := 23 * perHour; len(made) < least {
		t.Errorf("%d removals in a day, want at least %d", len(made), least)
	}
}

// TestTurnsAreKept: who comes back at the turn that he was told has it.
func TestTurnsAreKept(t *testing.T) {
	d := Deletions{PerHour: 4}
	var turns []time.Time
	for ahead := range 20 {
		turns = append(turns, d.Turn(noon, ahead))
	}
	for i, turn := range turns {
		recent, allowed := d.Take(turn)
		if d.Recent = recent; !allowed {
			t.Errorf("the turn of number %d, %s, is none", i, turn)
		}
	}
}
