// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// newBreaker returns a breaker on a clock of its own.
func newBreaker(w *world) (b *Breaker, reports *[]bool) {
	reports = new([]bool)
	b = NewBreaker(func(available bool) { *reports = append(*reports, available) })
	b.now = func() time.Time { return w.now }
	b.jitter = func() time.Duration { return 300 * time.Millisecond }
	return b, reports
}

// call makes a call that takes a moment.
func call(t *testing.T, w *world, b *Breaker, key string, answer Answer) {
	t.Helper()
	w.run(time.Millisecond)
	done, err := b.Enter(key)
	if err != nil {
		t.Fatalf("a call of %s does not pass: %v", key, err)
	}
	w.run(time.Millisecond)
	done(answer)
	done(Answered) // a second time is none
}

// held tells for how long nothing may be sent; 0 if it may.
func held(t *testing.T, b *Breaker) time.Duration {
	t.Helper()
	err := b.Ready()
	if err == nil {
		return 0
	}
	d, ok := errors.AsType[*Deferral](err)
	if !ok || !d.Outage || d.Wait <= 0 {
		t.Fatalf("Ready: %#v", err)
	}
	check(t, "text", err.Error(), "the endpoint does not answer: waiting until it does")
	return d.Wait
}

func TestBreakerOpens(t *testing.T) {
	for _, c := range []struct {
		name  string
		calls string // keys; upper case is answered, ! before it is unsaid
		open  bool
	}{
		{"the only key", "aaaaa", true},
		{"one call less", "aaaa", false},
		{"two keys, both", "ababa", true},
		{"two keys, one", "Baaaaaaaaa", false},
		{"two keys, the second at last", "Baaaaaaaaab", true},
		{"three keys", "abcab", true},
		{"three keys, two of them", "Cababababab", false},
		{"three of many", "ABCDEFGHIJabcab", true},
		{"two of many", "ABCDEFGHIJababababab", false},
		{"one broken domain, others answer", "aaaaBaaaaCaaaaDaaaaBaaaaC", false},
		{"answers in between", "abcdAabcdAabcd", false},
		{"cancelled calls say nothing", "ab!a!b!c!d!acd", false},
		{"nor do they break the row", "ab!aca!bb", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			b, reports := newBreaker(w)
			unsaid := false
			for i, key := range c.calls {
				switch {
				case key == '!':
					unsaid = true
					continue
				case unsaid:
					call(t, w, b, string(key), Unsaid)
				case key < 'a':
					call(t, w, b, string(key+'a'-'A'), Answered)
				default:
					call(t, w, b, string(key), Unanswered)
				}
				unsaid = false
				if last := i == len(c.calls)-1; !last && held(t, b) > 0 {
					t.Fatalf("open after %q", c.calls[:i+1])
				}
			}
			check(t, "open", held(t, b) > 0, c.open)
			check(t, "reported", len(*reports) == 1 && !(*reports)[0], c.open)
		})
	}
}

// A key that has not come for long is none that there is.
func TestBreakerForgetsKeys(t *testing.T) {
	w := newWorld(t)
	b, _ := newBreaker(w)
	call(t, w, b, "other", Answered)
	w.run(memory - time.Second)
	for range 10 {
		call(t, w, b, "a", Unanswered)
	}
	check(t, "while the other is there", held(t, b), 0)
	w.run(2 * time.Second)
	call(t, w, b, "a", Unanswered)
	check(t, "when it is not", held(t, b) > 0, true)
}

func TestBreakerIsBounded(t *testing.T) {
	w := newWorld(t)
	b, _ := newBreaker(w)
	for i := range 10_000 {
		answer := Unanswered
		if i%5 == 4 {
			answer = Answered
		}
		call(t, w, b, fmt.Sprint(i), answer)
	}
	if len(b.failed) > manyKeys || len(b.recent) > manyKeys {
		t.Errorf("remembers %d and %d keys", len(b.failed), len(b.recent))
	}
}

// open returns a breaker that has just opened.
func open(t *testing.T, w *world) (b *Breaker, reports *[]bool) {
	t.Helper()
	b, reports = newBreaker(w)
	for range maxUnanswered {
		call(t, w, b, "a", Unanswered)
	}
	if held(t, b) == 0 {
		t.Fatal("it is not open")
	}
	return b, reports
}

func TestBreakerProbes(t *testing.T) {
	const jitter = 300 * time.Millisecond
	w := newWorld(t)
	b, reports := open(t, w)
	check(t, "until the first probe", held(t, b), probing+jitter)
	if _, err := b.Enter("b"); err == nil {
		t.Fatal("a call passes at once")
	}
	w.run(probing)
	check(t, "ready for a probe", held(t, b), 0)
	probe, err := b.Enter("b")
	check(t, "the probe", err, nil)
	w.run(2 * time.Second)
	check(t, "while it is under way", held(t, b), 3*time.Second+jitter)
	w.run(4 * time.Second)
	check(t, "still", held(t, b), 4*time.Second+jitter)
	probe(Unanswered) // after 6 seconds: the next one may start
	check(t, "after a long probe", held(t, b), 0)
	call(t, w, b, "c", Unanswered)
	check(t, "after a short one, from its start", held(t, b), probing-time.Millisecond+jitter)
	w.run(probing)
	call(t, w, b, "a", Unsaid)
	if held(t, b) == 0 {
		t.Error("a cancelled probe leads to another at once")
	}
	w.run(probing)
	check(t, "reports", fmt.Sprint(*reports), "[false]")
	call(t, w, b, "a", Answered)
	check(t, "closed", held(t, b), 0)
	check(t, "reports", fmt.Sprint(*reports), "[false true]")
	for range maxUnanswered - 1 {
		call(t, w, b, "a", Unanswered)
	}
	check(t, "a new row", held(t, b), 0)
}

// However many ask, one call in five seconds passes.
func TestBreakerLetsOneThrough(t *testing.T) {
	w := newWorld(t)
	b, _ := open(t, w)
	b.jitter = NewBreaker(nil).jitter
	passed := 0
	var again func(key string)
	again = func(key string) {
		done, err := b.Enter(key)
		if d, ok := errors.AsType[*Deferral](err); ok {
			if d.Wait > probing+time.Second {
				t.Errorf("told to wait %s", d.Wait)
			}
			w.after(d.Wait, func() { again(key) })
			return
		}
		passed++
		w.after(time.Second, func() {
			done(Unanswered)
			again(key)
		})
	}
	for i := range 500 {
		again(fmt.Sprint(i))
	}
	w.run(10 * time.Minute)
	if passed < 100 || passed > 120 {
		t.Errorf("%d calls passed in ten minutes, want 120 at most", passed)
	}
}

func TestBreakerGivesUpALostProbe(t *testing.T) {
	w := newWorld(t)
	b, _ := open(t, w)
	w.run(probing)
	lost, err := b.Enter("a")
	check(t, "the probe", err, nil)
	w.run(lostProbe - time.Second)
	if held(t, b) == 0 {
		t.Error("another probe while one is under way")
	}
	w.run(time.Second)
	second, err := b.Enter("b")
	check(t, "another", err, nil)
	lost(Unanswered)
	w.run(probing)
	if held(t, b) == 0 {
		t.Error("the lost probe ended the one that is under way")
	}
	second(Unanswered)
	check(t, "the next", held(t, b), 0)
}

// Calls from before the outage end in it; they open nothing that has been closed.
func TestBreakerIgnoresWhatIsOver(t *testing.T) {
	w := newWorld(t)
	b, reports := newBreaker(w)
	var old []func(Answer)
	for range 2 * maxUnanswered {
		done, _ := b.Enter("a")
		old = append(old, done)
	}
	w.run(time.Second)
	for _, done := range old[:maxUnanswered] {
		done(Unanswered)
	}
	w.run(probing)
	call(t, w, b, "a", Answered)
	for _, done := range old[maxUnanswered:] {
		done(Unanswered)
	}
	check(t, "held", held(t, b), 0)
	check(t, "reports", fmt.Sprint(*reports), "[false true]")
}

// Who got no answer is told the wait of all others, while there is an outage.
func TestBreakerTellsWhenToTryAgain(t *testing.T) {
	w := newWorld(t)
	b, _ := newBreaker(w)
	for range maxUnanswered - 1 {
		call(t, w, b, "a", Unanswered)
	}
	check(t, "before it is known", b.Outage(), 0)
	call(t, w, b, "a", Unanswered)
	if got := b.Outage(); got < probing || got > probing+time.Second {
		t.Errorf("in an outage: got %s, want %s and the jitter", got, probing)
	}
	w.run(2 * probing)
	call(t, w, b, "a", Answered)
	check(t, "after it", b.Outage(), 0)
}

func TestBreakerReportMayPanicOrBeAbsent(t *testing.T) {
	w := newWorld(t)
	b, _ := newBreaker(w)
	b.report = func(bool) { panic("report") }
	for i := range maxUnanswered {
		func() {
			defer func() { check(t, "panics", recover() != nil, i == maxUnanswered-1) }()
			call(t, w, b, "a", Unanswered)
		}()
	}
	check(t, "open", held(t, b) > 0, true)
	b.report = nil
	w.run(probing)
	call(t, w, b, "a", Answered)
	check(t, "closed", held(t, b), 0)
}
