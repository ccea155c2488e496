// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestStretchIsEvenAndNoMoreThanTheQuotaCallsFor(t *testing.T) {
	const requests, interval = 2, 5 * time.Minute
	rate := Rate{"x", 100} // 80 of them, of which 72
	for n, want := range map[int]float64{
		1: 1, 1_000: 1,
		10_000: 1,    // 66.7 requests per second, of 72
		10_800: 1,    // 72: all there is
		10_801: 1.25, // one more
		20_000: 2,    // 133.3 / 72 = 1.85
		40_000: 3.75, // 266.7 / 72 = 3.70
	} {
		w := newWorld(t)
		reported := 0.0
		l := w.limits(0.8, Report{Stretch: func(_ string, factor float64) { reported = factor }})
		var got float64
		for i := range n {
			got = l.Stretch(rate, fmt.Sprint(i), interval, requests)
		}
		check(t, fmt.Sprint(n, " objects"), got, want)
		check(t, fmt.Sprint(n, " objects, reported"), reported, want)
		if demand := float64(n) * requests / interval.Seconds() / got; demand > 72.000001 {
			t.Errorf("%d objects: %g requests per second remain", n, demand)
		}
	}
}

func TestStretchFollowsWhatObjectsAskFor(t *testing.T) {
	w := newWorld(t)
	var reported []float64
	l := w.limits(1, Report{Stretch: func(name string, factor float64) {
		check(t, "name", name, "x")
		reported = append(reported, factor)
	}})
	ask := func(key string, interval time.Duration) float64 { return l.Stretch(Rate{"x", 1}, key, interval, 1) }
	check(t, "one object that fits", ask("a", 2*time.Second), 1)
	check(t, "two objects, of whom one would fit", ask("b", 2*time.Second), 1.25)
	check(t, "the same again", ask("b", 2*time.Second), 1.25)
	check(t, "one that asks less often", ask("b", time.Hour), 1)
	check(t, "one that asks more often than there are seconds", ask("c", time.Millisecond), 1.75)
	check(t, "another operation", l.Stretch(Rate{"x", 2}, "a", time.Hour, 1), 1)
	l.Forget("c")
	check(t, "one is gone", ask("b", time.Hour), 1)
	l.SetShare(0.25)
	check(t, "a smaller share", ask("b", time.Hour), 2.25)
	if want := []float64{1, 1.25, 1, 1.75, 1, 1, 2.25}; !slices.Equal(reported, want) {
		t.Errorf("reported %v, want %v", reported, want)
	}
}

// Who has not asked for three stretched intervals is forgotten; who asks at the
// stretched interval is not.
func TestStretchForgetsWhoIsGone(t *testing.T) {
	w := newWorld(t)
	l, rate := w.limits(1, Report{}), Rate{"x", 1}
	ask := func(i int) float64 { return l.Stretch(rate, fmt.Sprint(i), time.Minute, 60) }
	for range 3 {
		for i := range 10 {
			ask(i)
		}
		check(t, "ten that want all of it", ask(0), 11.25)
		w.run(675 * time.Second)
	}
	w.run(675 * time.Second)
	check(t, "after two intervals", ask(0), 11.25)
	w.run(675*time.Second + time.Minute)
	check(t, "after three", ask(0), 1.25)
	check(t, "demands", len(l.cadences[rate].demands), 1)
}

// Members count at the shared limits; a member's own share holds all the same, and
// who is stretched by that is not taken to be gone elsewhere.
func TestStretchOfMembers(t *testing.T) {
	w := newWorld(t)
	var reported []string
	report := func(who string) Report {
		return Report{Stretch: func(_ string, factor float64) { reported = append(reported, fmt.Sprint(who, " ", factor)) }}
	}
	shared, small, large := w.limits(1, report("shared")), w.limits(0.1, report("small")), w.limits(1, report("large"))
	small.Join(shared)
	large.Join(shared)
	rate := Rate{"x", 10}
	check(t, "small", small.Stretch(rate, "k", time.Minute, 5*60), 5.75) // 5 of 0.9
	check(t, "large", large.Stretch(rate, "k", time.Minute, 8*60), 1.5)  // 13 of 9
	check(t, "small again", small.Stretch(rate, "k", time.Minute, 5*60), 5.75)
	for range 16 {
		w.run(time.Minute)
		check(t, "large while small waits", large.Stretch(rate, "k", time.Minute, 8*60), 1.5)
	}
	w.run(2 * time.Minute)
	check(t, "large when small is gone", large.Stretch(rate, "k", time.Minute, 8*60), 1)
	check(t, "small is back", small.Stretch(rate, "k", time.Minute, 5*60), 5.75)
	small.Join(nil)
	check(t, "large when small has left", large.Stretch(rate, "k", time.Minute, 8*60), 1)
	check(t, "reports", fmt.Sprint(reported), "[small 5.75 shared 1 large 1.5 shared 1.5 large 1 shared 1 shared 1.5 shared 1]")
}
