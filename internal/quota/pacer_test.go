// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

var (
	read = Rate{"DescribeThings", 15}
	tens = Rate{"TenASecond", 10}
)

// Under a backlog the quota is used, and no more, in any window, at every share,
// by callers who come late.
func TestPacerUsesTheQuotaAndNoMore(t *testing.T) {
	for _, limit := range []float64{0.5, 1, 5, 15, 80} {
		for _, share := range []float64{0.01, 0.04, 0.3, 0.8, 1, 1.5} {
			t.Run(fmt.Sprintf("%g a second, share %g", limit, share), func(t *testing.T) {
				w := newWorld(t)
				l, rate, pace := w.limits(share, Report{}), Rate{"x", limit}, limit*share
				var used turns
				for i := range 30 {
					w.loop(l, rate, Sync, fmt.Sprint(i), w.note(&used))
				}
				span := max(time.Minute, seconds(1_500/pace))
				w.run(span)
				if got := float64(len(used)) / span.Seconds(); got < 0.995*pace || got > pace*1.01+2/span.Seconds() {
					t.Errorf("%g turns a second, want %g", got, pace)
				}
				most := int(pace+1e-9) + 1
				if share <= 1 {
					most = min(most, max(1, int(limit)))
				}
				if got := used.within(time.Second); got > most {
					t.Errorf("%d turns in a second, want at most %d", got, most)
				}
				if got := used.within(seconds(0.899 / pace)); pace < 1 && got > 1 {
					t.Errorf("%d turns within a spacing", got)
				}
			})
		}
	}
}

// A limit below one in a second is kept in its own window.
func TestPacerKeepsSlowLimits(t *testing.T) {
	w := newWorld(t)
	l, rate := w.limits(1, Report{}), Rate{"x", 0.1}
	var used turns
	for i := range 20 {
		w.loop(l, rate, Sync, fmt.Sprint(i), w.note(&used))
	}
	w.run(time.Hour)
	check(t, "turns in ten seconds", used.within(10*time.Second), 1)
}

func TestPacerSavesUpNothing(t *testing.T) {
	w := newWorld(t)
	l := w.limits(0.8, Report{})
	check(t, "the first", w.wait(l, read, Sync, "a"), 0)
	w.run(time.Hour)
	var used turns
	for i := range 100 {
		w.loop(l, read, New, fmt.Sprint(i), w.note(&used))
	}
	w.run(990 * time.Millisecond)
	if len(used) > 12 {
		t.Errorf("%d turns in the first second after an hour of rest", len(used))
	}
}

// Operations do not wait for each other.
func TestPacerIsPerOperation(t *testing.T) {
	w := newWorld(t)
	l := w.limits(0.01, Report{})
	for i := range 5 {
		check(t, "wait", w.wait(l, Rate{fmt.Sprint(i), 15}, Sync, "a"), 0)
	}
}

// order lets everybody ask at one moment, and returns in which order they have
// their turns.
func order(w *world, l *Limits, rate Rate, asks ...ask) (got []string) {
	for _, a := range asks {
		w.request(l, rate, a.lane, a.key, func() { got = append(got, a.key) })
	}
	w.run(time.Hour)
	return got
}

type ask struct {
	lane Lane
	key  string
}

func TestPacerLanes(t *testing.T) {
	w := newWorld(t)
	l := w.limits(1, Report{})
	got := order(w, l, tens, ask{Sync, "first"},
		ask{Least, "f"}, ask{Records, "e"}, ask{Sync, "c"}, ask{Sync, "d"}, ask{New, "b"}, ask{User, "a"}, ask{-1, "g"}, ask{7, "h"})
	// The turn of Records in the cycle comes before the rest of its betters.
	if want := []string{"first", "a", "b", "c", "d", "e", "f", "g", "h"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPacerMovesUpWhoBecomesUrgent(t *testing.T) {
	w := newWorld(t)
	l := w.limits(1, Report{})
	check(t, "a turn", w.wait(l, tens, Sync, "first"), 0)
	check(t, "a", w.wait(l, tens, Sync, "a"), 100*time.Millisecond)
	check(t, "b", w.wait(l, tens, Sync, "b"), 200*time.Millisecond)
	check(t, "c", w.wait(l, tens, Sync, "c"), 300*time.Millisecond)
	check(t, "c again", w.wait(l, tens, Sync, "c"), 300*time.Millisecond)
	check(t, "c is edited", w.wait(l, tens, User, "c"), 100*time.Millisecond)
	check(t, "c in a lower lane", w.wait(l, tens, Records, "c"), 100*time.Millisecond)
	check(t, "a moves", w.wait(l, tens, Sync, "a"), 200*time.Millisecond)
	check(t, "a in a higher lane", w.wait(l, tens, New, "a"), 200*time.Millisecond)
	check(t, "b in that too, behind a, who came first", w.wait(l, tens, New, "b"), 300*time.Millisecond)
	w.now = w.now.Add(100 * time.Millisecond)
	check(t, "b before its time", w.wait(l, tens, Sync, "b"), 200*time.Millisecond)
	check(t, "c has its turn", w.wait(l, tens, User, "c"), 0)
	check(t, "c once more", w.wait(l, tens, Sync, "c"), 300*time.Millisecond)
}

// Who is late blocks nobody, has its turn when it comes, and loses its place when
// it does not.
func TestPacerDoesNotWaitForTheLate(t *testing.T) {
	w := newWorld(t)
	l := w.limits(0.8, Report{})
	rate := Rate{"x", 12.5} // ten
	check(t, "a turn", w.wait(l, rate, Sync, "first"), 0)
	check(t, "late", w.wait(l, rate, Sync, "late"), 100*time.Millisecond)
	check(t, "b", w.wait(l, rate, Sync, "b"), 200*time.Millisecond)
	check(t, "c", w.wait(l, rate, Sync, "c"), 300*time.Millisecond)
	w.run(200 * time.Millisecond)
	check(t, "b comes in time", w.wait(l, rate, Sync, "b"), 0)
	check(t, "d must not take the turn of who is late", w.wait(l, rate, Sync, "d"), 200*time.Millisecond)
	w.run(100 * time.Millisecond)
	check(t, "c comes in time", w.wait(l, rate, Sync, "c"), 0)
	check(t, "the late one comes", w.wait(l, rate, Sync, "late"), 0)
	w.run(100 * time.Millisecond)
	check(t, "d comes in time", w.wait(l, rate, Sync, "d"), 0)

	check(t, "gone", w.wait(l, rate, Sync, "gone"), 100*time.Millisecond)
	check(t, "e", w.wait(l, rate, Sync, "e"), 200*time.Millisecond)
	w.run(200*time.Millisecond + patience)
	check(t, "e just comes in time", w.wait(l, rate, Sync, "e"), 0)
	w.run(time.Second)
	check(t, "f", w.wait(l, rate, Sync, "f"), 0)
	check(t, "places", len(l.pacers[rate].index), 0)
}

// Whatever the lanes above do, the i-th that waits in a lane has its turn within
// ten turns for each that is before it, and itself. And an edit is held up by one
// of them at most.
func TestPacerStarvesNoLane(t *testing.T) {
	w := newWorld(t)
	l, tens := w.limits(0.8, Report{}), Rate{"x", 12.5}
	var used turns
	lane := map[int]Lane{}
	for i := range 40 { // more than the quota allows
		w.loop(l, tens, User, fmt.Sprint("user", i), w.note(&used))
	}
	w.run(3 * time.Second)
	start := len(used)
	for _, lower := range []Lane{New, Sync, Records, Least} {
		for i := range 20 {
			w.request(l, tens, lower, fmt.Sprint(lower, i), func() {
				lane[len(used)] = lower
				used = append(used, w.now)
				if n := len(used) - start; n > 10*(i+1) {
					t.Errorf("%s %d had the %d-th turn", lower, i, n)
				}
			})
		}
	}
	w.run(time.Minute)
	check(t, "turns of lower lanes", len(lane), 80)
	for turn := range lane {
		if _, ok := lane[turn+1]; ok {
			t.Errorf("turns %d and %d went to lower lanes", turn, turn+1)
		}
	}
}

// Edits among resyncs that wait, whatever the share: each waits for no more than
// the turn under way, and one of another lane.
func TestPacerLetsEditsGoFirst(t *testing.T) {
	for _, n := range []int{200, 1_000} { // resyncs
		for _, share := range []float64{0.8, 0.3, 0.04, 0.02, 0.01} {
			for _, throttled := range []int{0, 1, 10} {
				w := newWorld(t)
				l := w.limits(share, Report{})
				for i := range n {
					w.loop(l, read, Sync, fmt.Sprint(i), func() {})
				}
				w.run(3 * time.Second)
				var worst time.Duration
				for i := range 10 {
					const asked = 2 * time.Second
					bound, turns := time.Duration(0), time.Duration(1)
					for range throttled {
						l.Slow(read, asked)
						bound, turns = asked, 2
					}
					w.run(100 * time.Millisecond)
					start, limit := w.now, bound+turns*l.pacers[read].pace()+50*time.Millisecond
					done := false
					w.request(l, read, User, fmt.Sprint("edit", i), func() {
						done = true
						worst = max(worst, w.now.Sub(start))
						if took := w.now.Sub(start); took > limit {
							t.Errorf("%d resyncs, share %g, throttled %d times: an edit waited %s, want at most %s", n, share, throttled, took, limit)
						}
					})
					w.run(limit + 17*time.Second)
					if !done {
						t.Errorf("%d resyncs, share %g, throttled %d times: an edit still waits", n, share, throttled)
					}
				}
			}
		}
	}
}

// Ten thousand that come at once all have their turn, as fast as the quota allows,
// and ask no more than once a minute, and when they are due.
func TestPacerManyKeys(t *testing.T) {
	const n = 10_000
	w := newWorld(t)
	l := w.limits(0.8, Report{})
	var used turns
	asked, got := 0, make([]int, n)
	for i := range n {
		w.request(l, read, Lane(1+i%3), fmt.Sprint(i), func() {
			got[i]++
			used = append(used, w.now)
		})
	}
	pace := 15 * 0.8
	ideal := seconds(n / pace)
	ask := l.now
	l.now = func() time.Time { asked++; return ask() }
	w.run(ideal + ideal/200)
	check(t, "turns", len(used), n)
	for i, times := range got {
		if times != 1 {
			t.Errorf("%d had %d turns", i, times)
		}
	}
	if most := 3 * n * int(ideal/maxWait+2); asked > most { // the clock is read twice in each Take
		t.Errorf("%d looks at the clock, want at most %d", asked, most)
	}
	check(t, "places", len(l.pacers[read].index), 0)
}

// Callers of all kinds: some give up, some are late, the cloud throttles, the
// share changes. The windows hold, and who stays has its turn.
func TestPacerWindowsHoldWhateverComes(t *testing.T) {
	for seed := range uint64(30) {
		w := newWorld(t)
		w.random.Uint64()
		for range seed {
			w.random.Uint64()
		}
		share := []float64{0.05, 0.3, 0.8, 1}[seed%4]
		rate := Rate{"x", []float64{0.5, 2, 15, 80}[w.random.IntN(4)]}
		l := w.limits(share, Report{})
		var used turns
		waiting := map[string]time.Time{}
		for i := range 150 {
			key := fmt.Sprint(i)
			w.after(seconds(w.random.Float64()*20), func() {
				if i%7 == 0 { // asks once, and never comes back
					if w.wait(l, rate, Lane(i%lanes), key) == 0 {
						used = append(used, w.now)
					}
					return
				}
				waiting[key] = w.now
				w.request(l, rate, Lane(i%lanes), key, func() {
					used = append(used, w.now)
					delete(waiting, key)
				})
			})
		}
		if seed%3 == 0 {
			w.after(5*time.Second, func() { l.Slow(rate, 3*time.Second) })
			w.after(6*time.Second, func() { l.SetShare(share / 2) })
		}
		w.run(10*time.Minute + seconds(4*150/(rate.PerSecond*share)))
		check(t, "who still waits", len(waiting), 0)
		most := min(max(1, int(rate.PerSecond)), int(rate.PerSecond*share)+1)
		if got := used.within(time.Second); got > most {
			t.Errorf("seed %d: %d turns in a second, want at most %d", seed, got, most)
		}
	}
}

// A person's request takes its turn a little early where the share leaves room,
// and what it took is made up for.
func TestPacerLetsAPersonGoAhead(t *testing.T) {
	for _, c := range []struct {
		name  string
		share float64
		lane  Lane
		slow  bool
		want  bool
	}{
		{"a person", 0.8, User, false, true},
		{"a lower lane", 0.8, New, false, false},
		{"no room", 0.95, User, false, false},
		{"throttled", 0.8, User, true, false},
		{"a long time ahead", 0.05, User, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			l := w.limits(c.share, Report{})
			if c.slow {
				l.Slow(read, 0)
				w.run(time.Second)
			}
			check(t, "a background request", w.wait(l, read, Sync, "a"), 0)
			check(t, "at once", w.wait(l, read, c.lane, "b") == 0, c.want)
			if !c.want {
				return
			}
			spacing := l.pacers[read].spacing
			check(t, "a second person", w.wait(l, read, User, "c"), spacing)
			l.Forget("c")
			check(t, "background", w.wait(l, read, Sync, "d"), 2*spacing)
		})
	}
}

func TestPacerSlowsDownAndRecovers(t *testing.T) {
	var paces []float64
	w := newWorld(t)
	l := w.limits(1, Report{Limit: func(name string, perSecond float64) {
		check(t, "name", name, tens.Name)
		paces = append(paces, math.Round(perSecond*100)/100)
	}})
	check(t, "a turn", w.wait(l, tens, Sync, "a"), 0)
	l.Slow(tens, 3*time.Second)
	check(t, "a wait that the cloud asked for", w.wait(l, tens, Sync, "a"), 3*time.Second)
	check(t, "an edit goes first then", w.wait(l, tens, User, "b"), 3*time.Second)
	check(t, "before who came first", w.wait(l, tens, Sync, "a"), 3150*time.Millisecond)
	l.Slow(tens, 0)
	check(t, "a wait that is not shortened", w.wait(l, tens, User, "b"), 3*time.Second)
	l.SetShare(0.5) // keeps what throttling has lowered
	for range 20 {
		l.Slow(tens, 0)
	}
	l.SetShare(1)
	check(t, "the longest spacing", l.pacers[tens].pace(), time.Second)
	for range 30 {
		w.run(recovery)
		l.tell(tens)
	}
	check(t, "the spacing in the end", l.pacers[tens].pace(), 100*time.Millisecond)
	check(t, "paces", fmt.Sprint(paces), "[10 6.67 4.44 2.22 1.48 0.99 0.66 0.5 1 1.82 3.08 4.71 6.4 7.8 8.77 9.34 9.66 9.83 10]")
}

func TestPacerForgets(t *testing.T) {
	w := newWorld(t)
	l := w.limits(1, Report{})
	check(t, "a turn", w.wait(l, tens, Sync, "a"), 0)
	check(t, "b", w.wait(l, tens, Sync, "b"), 100*time.Millisecond)
	check(t, "c", w.wait(l, tens, Sync, "c"), 200*time.Millisecond)
	l.Forget("b")
	l.Forget("nobody")
	check(t, "c moves", w.wait(l, tens, Sync, "c"), 100*time.Millisecond)
}

// Take waits for a turn that is near, and looks again when it has waited.
func TestTakeHasPatience(t *testing.T) {
	w := newWorld(t)
	l := w.limits(1, Report{})
	check(t, "a turn", w.wait(l, tens, Sync, "a"), 0)
	if err := l.Take(t.Context(), tens, Sync, "a", 100*time.Millisecond); err != nil || w.since() != 100*time.Millisecond {
		t.Errorf("%v after %s", err, w.since())
	}
	// An edit comes while it waits.
	l.sleep = func(ctx context.Context, wait time.Duration) error {
		w.now = w.now.Add(wait)
		return l.Take(ctx, tens, User, "b", 0)
	}
	err := l.Take(t.Context(), tens, Sync, "a", 150*time.Millisecond)
	d, _ := errors.AsType[*Deferral](err)
	if d == nil || d.Wait != 100*time.Millisecond {
		t.Errorf("got %v", err)
	}
	check(t, "text", err.Error(), "TenASecond waits for a turn within the account's request quota")
}

func TestTakeEndsWithItsContext(t *testing.T) {
	w := newWorld(t)
	l := w.limits(1, Report{})
	l.sleep = Sleep
	check(t, "a turn", w.wait(l, tens, Sync, "a"), 0)
	ctx, cancel := context.WithCancel(t.Context())
	rest := l.now
	looked := 0
	l.now = func() time.Time { // while it looks for its turn
		if looked++; looked == 2 {
			cancel()
		}
		return rest()
	}
	if err := l.Take(ctx, tens, Sync, "b", time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := l.Take(ctx, tens, Sync, "c", time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	check(t, "the place is kept, and none was given", w.wait(l, tens, Sync, "d"), 200*time.Millisecond)
}

// With the clock and timer of the machine: eleven requests take no less than their
// spacings.
func TestTakeWithATimer(t *testing.T) {
	l := NewLimits(1, Report{})
	start := time.Now()
	for range 11 {
		if err := l.Take(t.Context(), Rate{"x", 200}, Sync, "a", time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took < 50*time.Millisecond {
		t.Errorf("took %s", took)
	}
}

// A report that panics loses no turn, and leaves no lock behind.
func TestReportMayPanic(t *testing.T) {
	w := newWorld(t)
	calls := 0
	report := Report{
		Limit:   func(string, float64) { calls++; panic("limit") },
		Stretch: func(string, float64) { calls++; panic("stretch") },
	}
	shared, l := w.limits(1, report), w.limits(1, report)
	l.Join(shared)
	panics := func(do func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Error("the report was not called")
			}
		}()
		do()
	}
	take := func() { w.wait(l, tens, Sync, "a") }
	panics(take) // of its own
	panics(take) // of the shared ones
	check(t, "the first turn", w.wait(l, tens, Sync, "a"), 0)
	panics(func() { l.Slow(tens, 0) })
	panics(take)
	check(t, "a turn after throttling", w.wait(l, tens, Sync, "a"), 150*time.Millisecond)
	panics(func() { l.SetShare(0.5) })
	panics(func() { l.Stretch(tens, "a", time.Minute, 1) })
	panics(func() { l.Stretch(tens, "a", time.Minute, 1) })
	check(t, "stretch", l.Stretch(tens, "a", time.Minute, 1), 1)
	check(t, "a turn after all that", w.wait(l, tens, Sync, "a"), 150*time.Millisecond)
	check(t, "reports", calls, 7)
}
