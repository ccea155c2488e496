// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// Members keep to the shared limits together, each to its own share, and none
// waits for what another cannot use.
func TestMembersShare(t *testing.T) {
	for _, c := range []struct {
		shared  float64
		members []float64
		want    []float64 // turns a second, of 100
	}{
		{0.5, []float64{0.5, 0.5}, []float64{25, 25}},
		{0.5, []float64{0.1, 0.5}, []float64{10, 40}},
		{0.5, []float64{0.1, 0.2}, []float64{10, 20}},
		{0.5, []float64{0.01, 0.9, 0.9}, []float64{1, 24.5, 24.5}},
	} {
		t.Run(fmt.Sprint(c.shared, c.members), func(t *testing.T) {
			w := newWorld(t)
			rate := Rate{"x", 100}
			shared := w.limits(c.shared, Report{})
			var all turns
			used := make([]turns, len(c.members))
			for m, share := range c.members {
				l := w.limits(share, Report{})
				l.Join(shared)
				for i := range 100 { // the same keys in each
					w.loop(l, rate, Sync, fmt.Sprint(i), func() { w.note(&all)(); w.note(&used[m])() })
				}
			}
			const span = 60
			w.run(span * time.Second)
			sum := 0.0
			for m, share := range c.members {
				got := float64(len(used[m])) / span
				sum += got
				if got > share*rate.PerSecond*1.01 {
					t.Errorf("member %d: %g turns a second, more than its share", m, got)
				}
				if most := int(share*rate.PerSecond) + 1; used[m].within(time.Second) > most {
					t.Errorf("member %d: %d turns in a second, want at most %d", m, used[m].within(time.Second), most)
				}
				if got < c.want[m]*0.9 || got > c.want[m]*1.1 {
					t.Errorf("member %d: %g turns a second, want %g", m, got, c.want[m])
				}
			}
			most := min(c.shared, sumOf(c.members)) * rate.PerSecond
			if sum < most*0.98 || sum > most*1.01 {
				t.Errorf("%g turns a second together, want %g", sum, most)
			}
			if got, most := all.within(time.Second), int(c.shared*rate.PerSecond)+1; got > most {
				t.Errorf("%d turns in a second together, want at most %d", got, most)
			}
		})
	}
}

func sumOf(all []float64) (sum float64) {
	for _, one := range all {
		sum += one
	}
	return sum
}

// A member with a small share and a long backlog holds up nobody.
func TestMembersDoNotWaitForAnother(t *testing.T) {
	w := newWorld(t)
	shared, small, other := w.limits(0.8, Report{}), w.limits(0.01, Report{}), w.limits(0.8, Report{})
	small.Join(shared)
	other.Join(shared)
	var used turns
	for i := range 500 {
		w.loop(small, read, User, fmt.Sprint(i), func() {})
	}
	w.run(time.Minute)
	for i := range 20 {
		w.loop(other, read, Sync, fmt.Sprint(i), w.note(&used))
	}
	w.run(time.Minute)
	if got, want := len(used), 60*(12-0.15)-8; float64(got) < want {
		t.Errorf("%d turns in a minute beside a member that has used up its share, want %g", got, want)
	}
}

// A place at the shared limits is given up while the member's own turn is not due,
// and is the old one when it is.
func TestMembersHoldNoPlaceInVain(t *testing.T) {
	w := newWorld(t)
	shared, a, b := w.limits(1, Report{}), w.limits(0.5, Report{}), w.limits(1, Report{})
	a.Join(shared)
	b.Join(shared)
	check(t, "b", w.wait(b, tens, Sync, "x"), 0)
	check(t, "a", w.wait(a, tens, Sync, "x"), 100*time.Millisecond)
	check(t, "an edit", w.wait(a, tens, User, "edit"), 100*time.Millisecond)
	w.run(100 * time.Millisecond)
	check(t, "the edit has its turn", w.wait(a, tens, User, "edit"), 0)
	check(t, "a waits for its own share", w.wait(a, tens, Sync, "x"), 100*time.Millisecond)
	check(t, "b is first at the shared limits", w.wait(b, tens, Sync, "x"), 100*time.Millisecond)
	check(t, "and second", w.wait(b, tens, Sync, "y"), 200*time.Millisecond)
	w.run(100 * time.Millisecond)
	check(t, "a came before all of them", w.wait(a, tens, Sync, "x"), 0)
	check(t, "b", w.wait(b, tens, Sync, "x"), 100*time.Millisecond)
}

// A turn of the shared limits is one of the member's own when it leaves.
func TestLeavingSavesUpNothing(t *testing.T) {
	w := newWorld(t)
	shared, a := w.limits(1, Report{}), w.limits(1, Report{})
	a.Join(shared)
	w.run(time.Minute)
	check(t, "a turn", w.wait(a, tens, Sync, "x"), 0)
	a.Join(nil)
	check(t, "the next", w.wait(a, tens, Sync, "x"), 100*time.Millisecond)
}

// An edit of a member goes before the resyncs of all.
func TestMembersEditsGoFirst(t *testing.T) {
	w := newWorld(t)
	shared, a, b := w.limits(0.8, Report{}), w.limits(0.4, Report{}), w.limits(0.8, Report{})
	a.Join(shared)
	b.Join(shared)
	for i := range 500 {
		w.loop(a, read, Sync, fmt.Sprint(i), func() {})
		w.loop(b, read, Sync, fmt.Sprint(i), func() {})
	}
	for i := range 20 {
		w.run(5 * time.Second)
		start, done := w.now, false
		w.request(a, read, User, fmt.Sprint("edit", i), func() {
			done = true
			if took := w.now.Sub(start); took > 600*time.Millisecond { // two turns of its own, and two of the shared
				t.Errorf("an edit waited %s", took)
			}
		})
		w.run(time.Second)
		check(t, "done", done, true)
	}
}

func TestJoiningAndLeaving(t *testing.T) {
	w := newWorld(t)
	shared, a, b := w.limits(1, Report{}), w.limits(1, Report{}), w.limits(1, Report{})
	var all, ofB turns
	for i := range 30 {
		w.loop(a, tens, Sync, fmt.Sprint(i), w.note(&all))
		w.loop(b, tens, Sync, fmt.Sprint(i), func() { w.note(&all)(); w.note(&ofB)() })
	}
	per := func(what string, want float64) {
		t.Helper()
		all = nil
		w.run(time.Minute)
		if got := float64(len(all)) / 60; got < want*0.98 || got > want*1.02 {
			t.Errorf("%s: %g turns a second, want %g", what, got, want)
		}
	}
	per("apart", 20)
	a.Join(shared)
	b.Join(shared)
	b.Join(shared)
	w.run(10 * time.Second)
	per("together", 10)
	check(t, "turns in a second", all.within(time.Second), 10)
	ofB = nil
	b.Join(b) // nothing
	w.run(time.Second)
	b.Join(nil)
	check(t, "places of who has left", len(shared.pacers[tens].index), 30)
	per("apart again", 20)
	if got := ofB.within(time.Second); got > 10 {
		t.Errorf("%d turns in a second around leaving", got)
	}
}

// What throttles one throttles all, and lasts when it leaves; but who is no member
// feels nothing.
func TestThrottlingIsShared(t *testing.T) {
	w := newWorld(t)
	var paces []string
	report := func(who string) Report {
		return Report{Limit: func(name string, perSecond float64) {
			paces = append(paces, fmt.Sprintf("%s %s %.1f", who, name, perSecond))
		}}
	}
	shared, a, b, c := w.limits(1, report("shared")), w.limits(0.5, report("a")), w.limits(1, Report{}), w.limits(1, Report{})
	a.Join(shared)
	b.Join(shared)
	a.Slow(tens, time.Minute)
	check(t, "reports", fmt.Sprint(paces), "[a TenASecond 3.3 shared TenASecond 6.7]")
	check(t, "a", w.wait(a, tens, User, "x"), time.Minute)
	check(t, "b", w.wait(b, tens, User, "x"), time.Minute)
	check(t, "c", w.wait(c, tens, User, "x"), 0)
	b.Join(nil)
	check(t, "b on its own", w.wait(b, tens, User, "x"), 0)
	check(t, "reports", len(paces), 2)
}

func TestForgettingAtSharedLimits(t *testing.T) {
	w := newWorld(t)
	shared, a, b := w.limits(1, Report{}), w.limits(1, Report{}), w.limits(1, Report{})
	a.Join(shared)
	b.Join(shared)
	check(t, "a turn", w.wait(a, tens, Sync, "x"), 0)
	check(t, "a", w.wait(a, tens, Sync, "x"), 100*time.Millisecond)
	check(t, "b", w.wait(b, tens, Sync, "x"), 200*time.Millisecond)
	check(t, "stretch of a", a.Stretch(tens, "x", time.Second, 18), 2)
	check(t, "stretch of b", b.Stretch(tens, "x", time.Second, 9), 3)
	a.Forget("x")
	check(t, "b moves", w.wait(b, tens, Sync, "x"), 100*time.Millisecond)
	check(t, "b is alone", b.Stretch(tens, "x", time.Second, 9), 1)
}

// A turn that is reserved and then given up holds up nobody, of any member.
func TestATurnIsGivenUp(t *testing.T) {
	w := newWorld(t)
	shared, a, b := w.limits(1, Report{}), w.limits(0.5, Report{}), w.limits(1, Report{})
	a.Join(shared)
	b.Join(shared)
	check(t, "a reserves the first", a.Due(tens, User, "x"), 0)
	check(t, "b the second", b.Due(tens, User, "x"), 100*time.Millisecond)
	check(t, "b the third", b.Due(tens, User, "y"), 200*time.Millisecond)
	a.Leave(tens, "x")
	check(t, "b has the first", b.Due(tens, User, "x"), 0)
	b.Leave(tens, "x")
	b.Leave(tens, "x")
	b.Leave(tens, "z")
	check(t, "and then it has the other", b.Due(tens, User, "y"), 0)
	check(t, "which it uses", w.wait(b, tens, User, "y"), 0)
}

// Everything at once, for the race detector: nothing blocks, and what is shared
// stays whole.
func TestAllAtOnce(t *testing.T) {
	report := Report{Limit: func(string, float64) {}, Stretch: func(string, float64) {}}
	shared, a, b := NewLimits(0.8, report), NewLimits(0.4, report), NewLimits(1, report)
	breaker, slots := NewBreaker(func(bool) {}), NewSlots(4)
	rates := []Rate{{"x", 2_000}, {"y", 15}}
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for n := range 300 {
				l, rate, key := []*Limits{a, b}[(i+n)%2], rates[n%2], fmt.Sprint((i+n)%50)
				switch n % 13 {
				case 0:
					l.Slow(rate, time.Microsecond)
				case 1:
					l.SetShare(float64(1+n%10) / 10)
				case 2:
					l.Join(shared)
				case 3:
					if n%2 == 0 {
						l.Join(nil)
					}
				case 4:
					l.Forget(key)
				case 5:
					shared.SetShare(float64(1+n%10) / 10)
				case 6:
					l.Stretch(rate, key, time.Minute, 1)
				default:
					_ = l.Take(context.Background(), rate, Lane(n%lanes), key, time.Duration(n%2)*time.Millisecond)
				}
				if done, err := breaker.Enter(key); err == nil {
					done(Answer(n % 3))
				}
				if leave, ok := slots.Enter(key, true); ok {
					leave()
				}
			}
		})
	}
	group.Wait()
	for _, l := range []*Limits{shared, a, b} {
		for _, p := range l.pacers {
			waiting := 0
			for lane, entries := range p.waiting {
				waiting += len(entries)
				for i, e := range entries {
					if int(e.lane) != lane || p.index[e.who] != e || i > 0 && entries[i-1].number >= e.number {
						t.Fatalf("a place is wrong: %+v", e)
					}
				}
			}
			check(t, "places", waiting, len(p.index))
		}
	}
	check(t, "passes", len(slots.passes), 0)
}
