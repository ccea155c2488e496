// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"fmt"
	"testing"
	"time"
)

func newSlots(w *world, workers int) *Slots {
	s := NewSlots(workers)
	s.now = func() time.Time { return w.now }
	return s
}

// passOf lets a pass of an account run.
func passOf(t *testing.T, w *world, s *Slots, name string, took time.Duration) {
	t.Helper()
	leave, ok := s.Enter(name, true)
	if !ok {
		t.Fatalf("%s has no worker", name)
	}
	w.run(took)
	leave()
	leave() // a second time is none
}

// fill enters as often as it can.
func fill(s *Slots, name string) (leaves []func()) {
	for range 100 {
		leave, ok := s.Enter(name, true)
		if !ok {
			break
		}
		leaves = append(leaves, leave)
	}
	return leaves
}

func TestSlotsOfOneAccount(t *testing.T) {
	for _, c := range []struct{ workers, quick, slow, allSlow int }{
		{1, 1, 1, 1},
		{2, 1, 1, 1},
		{3, 1, 1, 1},
		{4, 2, 1, 2},
		{10, 5, 2, 5},
	} {
		t.Run(fmt.Sprint(c.workers, " workers"), func(t *testing.T) {
			w := newWorld(t)
			s := newSlots(w, c.workers)
			for _, name := range []string{"quick", "swift"} {
				passOf(t, w, s, name, time.Millisecond)
			}
			leaves := fill(s, "unknown")
			check(t, "one that is not known", len(leaves), c.slow)
			for _, leave := range leaves {
				leave()
			}
			var hung []func()
			for i := range 50 {
				hung = append(hung, fill(s, fmt.Sprint("hung", i))...)
			}
			check(t, "all that are hung", len(hung), c.allSlow)
			check(t, "one that is quick", len(fill(s, "quick")), c.quick)
			check(t, "another", len(fill(s, "swift")), c.quick)
			w.run(20 * time.Second)
			for _, leave := range hung {
				leave()
			}
			check(t, "under way", len(s.passes), 2*c.quick)
		})
	}
}

// TestSlotsForWhoIsAwaited: the passes that nobody waits for leave one worker of the
// account to one that a person waits for.
func TestSlotsForWhoIsAwaited(t *testing.T) {
	for workers, others := range map[int]int{1: 1, 2: 1, 4: 1, 10: 4} {
		w := newWorld(t)
		s := newSlots(w, workers)
		passOf(t, w, s, "a", time.Millisecond)
		entered := 0
		for range 20 {
			if _, ok := s.Enter("a", false); ok {
				entered++
			}
		}
		check(t, fmt.Sprint("others, of ", workers), entered, others)
		_, ok := s.Enter("a", true)
		check(t, fmt.Sprint("who is awaited, of ", workers), ok, others < max(1, workers/2))
	}
}

func TestSlotsKnowWhoIsSlow(t *testing.T) {
	w := newWorld(t)
	s := newSlots(w, 10)
	quick := func(what string, want bool) {
		t.Helper()
		leaves := fill(s, "a")
		check(t, what, len(leaves) == 5, want)
		for _, leave := range leaves {
			leave()
		}
	}
	passOf(t, w, s, "a", 100*time.Millisecond)
	quick("after one quick pass", true)
	leave, _ := s.Enter("a", true)
	w.run(1100 * time.Millisecond)
	check(t, "while a pass is hung", len(fill(s, "a")), 1)
	leave()

	for range 5 {
		passOf(t, w, s, "a", 15*time.Second)
	}
	quick("after slow passes", false)
	s = newSlots(w, 10)
	for range 5 {
		passOf(t, w, s, "a", 15*time.Second)
	}
	passOf(t, w, s, "a", 100*time.Millisecond)
	passOf(t, w, s, "a", 100*time.Millisecond)
	quick("after two quick passes", true)
	passOf(t, w, s, "a", 1100*time.Millisecond)
	quick("after one that was a little slow", false)
}

// Any number of accounts that hang leave the quick ones their workers: each of
// their passes starts at once.
func TestSlotsBesideHungAccounts(t *testing.T) {
	for _, workers := range []int{2, 3, 10} {
		w := newWorld(t)
		s := newSlots(w, workers)
		busy, made, waited := 0, 0, time.Duration(0)
		var again func(name string, took, pause time.Duration, asked time.Time)
		again = func(name string, took, pause time.Duration, asked time.Time) {
			retry := func() { w.after(100*time.Millisecond, func() { again(name, took, pause, asked) }) }
			if busy == workers {
				retry()
				return
			}
			leave, ok := s.Enter(name, true)
			if !ok {
				retry()
				return
			}
			busy++
			if took < time.Second && w.since() > time.Minute {
				made++
				waited = max(waited, w.now.Sub(asked))
			}
			w.after(took, func() {
				busy--
				leave()
				w.after(pause, func() { again(name, took, pause, w.now) })
			})
		}
		again("quick", 50*time.Millisecond, time.Second, w.now) // known before the others come
		w.run(time.Second)
		for i := range 60 {
			again(fmt.Sprint("hung", i), 15*time.Second, 0, w.now)
		}
		w.run(4 * time.Minute)
		if made < 150 || waited > 200*time.Millisecond {
			t.Errorf("%d workers: %d passes of the quick account, which waited up to %s", workers, made, waited)
		}
	}
}

func TestSlotsForgetIdleAccounts(t *testing.T) {
	w := newWorld(t)
	s := newSlots(w, 10)
	held, _ := s.Enter("held", true)
	for i := range 10 * maxAccounts {
		passOf(t, w, s, fmt.Sprint(i), time.Millisecond)
		if len(s.accounts) > maxAccounts+1 {
			t.Fatalf("%d accounts are remembered", len(s.accounts))
		}
	}
	if s.accounts["held"] == nil {
		t.Error("an account with a worker was forgotten")
	}
	held()
	s = newSlots(w, 10)
	for i := range maxAccounts - 1 {
		passOf(t, w, s, fmt.Sprint("old", i), time.Millisecond)
	}
	w.run(remembered)
	passOf(t, w, s, "recent", time.Millisecond)
	passOf(t, w, s, "new", time.Millisecond)
	check(t, "who is remembered", len(s.accounts), 2)
}
