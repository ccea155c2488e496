// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

// waiter returns a member that waits since so many seconds after noon.
func waiter(name string, seconds int) Member {
	return Member{Name: name, UID: types.UID(name), Ticket: 1, Generation: 1, Seen: noon.Add(time.Duration(seconds) * time.Second), State: v1alpha1.ChangeWaiting, Waits: true}
}

func watcher(name string) Member {
	return Member{Name: name, UID: types.UID(name), Ticket: 1, Generation: 1, State: v1alpha1.ChangeWatching, Current: true}
}

func noted(names ...string) (grants []v1alpha1.RolloutGrant) {
	for _, name := range names {
		grants = append(grants, v1alpha1.RolloutGrant{Name: name, UID: types.UID(name), Ticket: 1, Generation: 1})
	}
	return grants
}

func TestAsk(t *testing.T) {
	a, b, c := waiter("a", 1), waiter("b", 1), waiter("c", 0)
	cases := map[string]struct {
		rollout Rollout
		of      Member
		want    Refusal
		ahead   int
	}{
		"alone":                                 {Rollout{Max: 1, Members: []Member{a}}, a, Allowed, 0},
		"the oldest change first":               {Rollout{Max: 1, Members: []Member{a, b, c}}, c, Allowed, 0},
		"then by name":                          {Rollout{Max: 1, Members: []Member{a, b, c}}, a, NotInLine, 1},
		"the last one":                          {Rollout{Max: 1, Members: []Member{a, b, c}}, b, NotInLine, 2},
		"places for all":                        {Rollout{Max: 3, Members: []Member{a, b, c}}, b, Allowed, 2},
		"one is watched":                        {Rollout{Max: 1, Members: []Member{a, watcher("w")}}, a, Full, 0},
		"one is noted, and not yet written":     {Rollout{Max: 1, Members: []Member{a, b}, Granted: noted("b")}, a, Full, 0},
		"one is noted, and watched":             {Rollout{Max: 2, Members: []Member{a, watcher("w")}, Granted: noted("w")}, a, Allowed, 0},
		"the one that is noted is itself":       {Rollout{Max: 1, Members: []Member{a}, Granted: noted("a")}, a, Allowed, 0},
		"who is noted is not in the line":       {Rollout{Max: 2, Members: []Member{a, b, c}, Granted: noted("c")}, a, Allowed, 0},
		"paused":                                {Rollout{Max: 1, Paused: true, Members: []Member{a}}, a, Pausing, 0},
		"paused, though noted":                  {Rollout{Max: 1, Paused: true, Members: []Member{a}, Granted: noted("a")}, a, Pausing, 0},
		"halted by another":                     {Rollout{Max: 1, Members: []Member{a}, Halted: noted("b")}, a, Halting, 0},
		"halted by itself":                      {Rollout{Max: 1, Members: []Member{a}, Halted: noted("a")}, a, Allowed, 0},
		"who has another trouble holds up none": {Rollout{Max: 1, Members: []Member{{Name: "0", UID: "0", State: v1alpha1.ChangeWaiting}, a}}, a, Allowed, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, ahead := c.rollout.Ask(c.of)
			if got != c.want || ahead != c.ahead {
				t.Errorf("got %q with %d ahead, want %q with %d", got, ahead, c.want, c.ahead)
			}
		})
	}
}

// TestWhoIsNextIsAllowed: those who are woken are those who may start.
func TestWhoIsNextIsAllowed(t *testing.T) {
	var members []Member
	for i := range 50 {
		members = append(members, waiter(fmt.Sprintf("m-%02d", (i*37)%50), i%7))
	}
	members = append(members, watcher("w"))
	r := Rollout{Max: 8, Members: members, Granted: noted("w", "m-03")}
	next := r.Next()
	if len(next) != 6 {
		t.Fatalf("%d are next, want 6", len(next))
	}
	for _, m := range members {
		if m.Name == "w" || m.Name == "m-03" {
			continue
		}
		refusal, _ := r.Ask(m)
		if isNext := slices.ContainsFunc(next, func(n Member) bool { return n.UID == m.UID }); isNext != (refusal == Allowed) {
			t.Errorf("%s is next: %t, and is told %q", m.Name, isNext, refusal)
		}
	}
	for _, r := range []Rollout{{Max: 1, Paused: true, Members: members}, {Max: 9, Halted: noted("x"), Members: members}, {Max: 1, Members: members}} {
		if next := r.Next(); len(next) > 0 {
			t.Errorf("%+v is next, want nobody", next[0])
		}
	}
}

// TestAnswersAreThoseOfAsk: who asks for many at once is told what each would be told in
// its turn.
func TestAnswersAreThoseOfAsk(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		r := Rollout{Max: 1 + random.IntN(4), Paused: random.IntN(10) == 0}
		asking := map[types.UID]bool{}
		for n := range random.IntN(12) {
			m := waiter(fmt.Sprintf("m-%02d", n), random.IntN(3))
			if random.IntN(4) == 0 {
				m = watcher(m.Name)
			}
			switch grant := noted(m.Name)[0]; random.IntN(6) {
			case 0:
				grant.Ticket = 0 // of a change before
				fallthrough
			case 1:
				r.Granted = append(r.Granted, grant)
			}
			if random.IntN(20) == 0 {
				r.Halted = append(r.Halted, noted(m.Name)...)
			}
			asking[m.UID] = m.Waits && random.IntN(3) > 0
			r.Members = append(r.Members, m)
		}
		random.Shuffle(len(r.Members), func(i, j int) { r.Members[i], r.Members[j] = r.Members[j], r.Members[i] })
		got := r.Answers(func(m Member) bool { return asking[m.UID] })

		line := slices.SortedFunc(slices.Values(r.Members), Member.compare)
		for _, m := range line {
			if !asking[m.UID] {
				continue
			}
			refusal, ahead := r.Ask(m)
			if want := (Answer{refusal, ahead}); got[m.UID] != want {
				t.Fatalf("%s is told %+v, want %+v: %+v", m.Name, got[m.UID], want, r)
			}
			delete(got, m.UID)
			if refusal == Allowed {
				of := slices.IndexFunc(r.Members, func(o Member) bool { return o.UID == m.UID })
				r.Members[of].State, r.Members[of].Waits = v1alpha1.ChangeWriting, false
			}
		}
		if len(got) > 0 {
			t.Fatalf("who does not ask is answered: %+v", got)
		}
	}
}

func TestMaxConcurrent(t *testing.T) {
	for value, want := range map[string]int{"1": 1, "10": 10, "1000": 1000, "10%": 20, "100%": 200, "1%": 2, "": 1} {
		v := intstr.Parse(value)
		if got := MaxConcurrent(&v, 200); got != want {
			t.Errorf("%s of 200: got %d, want %d", value, got, want)
		}
	}
	percent := intstr.FromString("10%")
	if got := MaxConcurrent(&percent, 3); got != 1 {
		t.Errorf("10%% of 3: got %d, want at least 1", got)
	}
	if got := MaxConcurrent(&percent, 100_000); got != 1000 {
		t.Errorf("10%% of 100000: got %d, want at most 1000", got)
	}
	if got := MaxConcurrent(nil, 9); got != 1 {
		t.Errorf("by default: got %d, want 1", got)
	}
}

func TestReview(t *testing.T) {
	of := func(ticket, generation int64, state v1alpha1.ChangeState) []Member {
		return []Member{{Name: "a", UID: "a", Ticket: ticket, Generation: generation, State: state}}
	}
	cases := map[string]struct {
		members         []Member
		paused, absent  bool
		granted, halted bool // still
	}{
		"waits with it":                     {members: of(1, 1, v1alpha1.ChangeWaiting), granted: true, halted: false},
		"is written":                        {members: of(1, 1, v1alpha1.ChangeWriting), granted: true, halted: true},
		"is watched":                        {members: of(1, 1, v1alpha1.ChangeWatching), granted: true, halted: true},
		"is undone":                         {members: of(1, 1, v1alpha1.ChangeRollingBack), granted: true, halted: true},
		"was undone":                        {members: of(1, 1, v1alpha1.ChangeRolledBack), granted: false, halted: true},
		"failed":                            {members: of(1, 1, v1alpha1.ChangeFailed), granted: false, halted: true},
		"failed, and changed since":         {members: of(1, 2, v1alpha1.ChangeFailed), granted: false, halted: false},
		"failed, and is tried again":        {members: of(2, 1, v1alpha1.ChangeWaiting), granted: false, halted: false},
		"was accepted":                      {members: of(1, 1, v1alpha1.ChangeAccepted), granted: false, halted: false},
		"came to nothing":                   {members: of(1, 1, ""), granted: false, halted: false},
		"the cache is of before":            {members: of(0, 0, ""), granted: true, halted: true},
		"the cache does not show it":        {granted: true, halted: true},
		"it is gone":                        {absent: true, granted: false, halted: false},
		"failed, and the policy is paused":  {members: of(1, 1, v1alpha1.ChangeRolledBack), paused: true, granted: false, halted: false},
		"watched, and the policy is paused": {members: of(1, 1, v1alpha1.ChangeWatching), paused: true, granted: true, halted: false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := Rollout{Max: 1, Paused: c.paused, Granted: noted("a"), Halted: noted("a"), Members: c.members}
			granted, halted := r.Review(func(types.UID) bool { return c.absent })
			if (len(granted) == 1) != c.granted || (len(halted) == 1) != c.halted {
				t.Errorf("granted %t, halted %t; want %t, %t", len(granted) == 1, len(halted) == 1, c.granted, c.halted)
			}
		})
	}
}

// crowd returns a rollout of n objects, half of which wait.
func crowd(n int) Rollout {
	r := Rollout{Max: 10}
	for i := range n {
		m := waiter(fmt.Sprintf("object-%05d", i*7919%n), i/2)
		if i%2 == 0 {
			m.State, m.Waits, m.Ready = "", false, true
		}
		r.Members = append(r.Members, m)
	}
	return r
}

func BenchmarkWhoseTurn(b *testing.B) {
	r := crowd(10_000)
	me := r.Members[9_999]
	for b.Loop() {
		r.Ask(me)
	}
}

func BenchmarkNext(b *testing.B) {
	r := crowd(10_000)
	for b.Loop() {
		r.Next()
	}
}
