// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// newPacer returns a pacer of ten turns a second, the first of which is taken.
func newPacer(t *testing.T) *pacer {
	t.Helper()
	p := &pacer{report: func(time.Duration) {}}
	p.setPace(tenth, false)
	if later, err := p.wait(t.Context(), LaneUser); later != 0 || err != nil {
		t.Fatalf("the first turn is in %s: %v", later, err)
	}
	return p
}

const tenth = 100 * time.Millisecond

// grants runs requests side by side; each comes back when it is told to. It
// returns when each had its turn.
func grants(t *testing.T, p *pacer, lane Lane, n int) []time.Duration {
	start := time.Now()
	var mu sync.Mutex
	var at []time.Duration
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			for {
				later, err := p.wait(t.Context(), lane)
				if err != nil {
					t.Error(err)
				}
				if later == 0 {
					break
				}
				time.Sleep(later)
			}
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(start))
		})
	}
	group.Wait()
	return at
}

func TestPacerUsesTheQuotaAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(t)
		const n = 300
		at := grants(t, p, LaneNew, n)
		for i, turn := range at[1:] {
			if turn-at[i] < tenth {
				t.Fatalf("turns at %s and %s", at[i], turn)
			}
		}
		if last, want := at[n-1], n*tenth; last > want*105/100 {
			t.Errorf("%d turns took %s, which the quota allows in %s", n, last, want)
		}
	})
}

func TestPacerLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(t)
		var mu sync.Mutex
		var order []Lane
		enter := func(lane Lane) {
			go func() {
				if later, err := p.wait(t.Context(), lane); later == 0 && err == nil {
					mu.Lock()
					defer mu.Unlock()
					order = append(order, lane)
				}
			}()
			synctest.Wait()
		}
		for _, lane := range []Lane{LaneRecords, LaneSync, LaneSync, LaneNew, LaneUser, LaneUser} {
			enter(lane)
		}
		time.Sleep(2 * maxWait)
		synctest.Wait()
		want := []Lane{LaneUser, LaneUser, LaneNew, LaneSync, LaneSync, LaneRecords}
		if !slices.Equal(order, want) {
			t.Errorf("got %v, want %v", order, want)
		}
	})
}

// TestPacerDelaysAnEditByOneRequest: however many of a lower lane wait, a higher
// one waits for at most one of them.
func TestPacerDelaysAnEditByOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(t)
		done := make(chan struct{})
		go func() {
			grants(t, p, LaneNew, 50)
			close(done)
		}()
		for range 20 {
			time.Sleep(130 * time.Millisecond)
			start := time.Now()
			later, err := p.wait(t.Context(), LaneUser)
			if took := time.Since(start); later != 0 || err != nil || took > 2*tenth {
				t.Fatalf("an edit waited for %s (%s, %v)", took, later, err)
			}
		}
		<-done
	})
}

func TestPacerStarvesNoLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(t)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range 5 { // more than the quota allows, for ever
			group.Go(func() {
				for ctx.Err() == nil {
					if later, _ := p.wait(ctx, LaneUser); later > 0 {
						time.Sleep(later)
					}
				}
			})
		}
		at := grants(t, p, LaneRecords, 10)
		cancel()
		group.Wait()
		if last, most := at[len(at)-1], 10*(fairness+2)*tenth+maxPromise; last > most {
			t.Errorf("ten records queries took %s, want at most %s", last, most)
		}
	})
}

func TestPacerSlowsDownAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(t)
		p.slow(3 * time.Second)
		start := time.Now()
		grants(t, p, LaneUser, 1)
		if took := time.Since(start); took < 3*time.Second {
			t.Errorf("the next turn was after %s, the cloud asked for 3s", took)
		}
		if p.spacing != 150*time.Millisecond {
			t.Errorf("the spacing is %s", p.spacing)
		}
		for range 50 {
			p.slow(0)
		}
		if p.spacing != tenth*maxSlowdown {
			t.Errorf("the spacing is %s", p.spacing)
		}
		for range 20 {
			time.Sleep(recovery)
			grants(t, p, LaneUser, 1)
		}
		if p.spacing != tenth {
			t.Errorf("after %s the spacing is still %s", 20*recovery, p.spacing)
		}
	})
}

func TestPacerForgetsWhoHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(t)
		ctx, cancel := context.WithCancel(t.Context())
		for range 5 {
			go func() { _, _ = p.wait(ctx, LaneUser) }()
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		start := time.Now()
		if later, err := p.wait(t.Context(), LaneSync); later != 0 || err != nil {
			t.Fatal(later, err)
		}
		if took := time.Since(start); took > tenth {
			t.Errorf("waited for %s behind requests that have gone", took)
		}
	})
}

func TestPacerPromisesEachAnotherTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(t)
		seen := map[time.Duration]bool{}
		var group sync.WaitGroup
		for range 10 { // fill the queue
			group.Go(func() { _, _ = p.wait(t.Context(), LaneUser) })
		}
		synctest.Wait()
		for range 100 {
			later, err := p.wait(t.Context(), LaneUser)
			if err != nil || later <= maxWait || later > 12*time.Second || seen[later] {
				t.Fatalf("promised %s, %v", later, err)
			}
			seen[later] = true
		}
		group.Wait()
	})
}

// TestPacerLetsAPersonGoAhead: an edit does not wait for a background request
// that was just before it, and the quota is kept all the same.
func TestPacerLetsAPersonGoAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(t)
		p.spare = true
		time.Sleep(tenth)
		for range 3 { // a background request, and an edit right behind it
			for _, lane := range []Lane{LaneSync, LaneUser} {
				start := time.Now()
				if later, err := p.wait(t.Context(), lane); later != 0 || err != nil || time.Since(start) != 0 {
					t.Fatalf("%s: waited %s, later %s: %v", lane, time.Since(start), later, err)
				}
			}
			start := time.Now()
			if _, err := p.wait(t.Context(), LaneSync); err != nil || time.Since(start) != 2*tenth {
				t.Fatalf("the turn that was taken early is not made up for: %s, %v", time.Since(start), err)
			}
			time.Sleep(tenth)
		}
	})
}

// TestPacerLetsNobodyGoAhead: not one of a lower lane, not the second edit, and
// not while the cloud throttles.
func TestPacerLetsNobodyGoAhead(t *testing.T) {
	for name, prepare := range map[string]func(*pacer) Lane{
		"lower lane":    func(*pacer) Lane { return LaneNew },
		"no room":       func(p *pacer) Lane { p.spare = false; return LaneUser },
		"throttled":     func(p *pacer) Lane { p.slow(0); return LaneUser },
		"a second edit": func(p *pacer) Lane { _, _ = p.wait(t.Context(), LaneUser); return LaneUser },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPacer(t)
				p.spare = true
				lane := prepare(p)
				start := time.Now()
				if _, err := p.wait(t.Context(), lane); err != nil || time.Since(start) < tenth {
					t.Errorf("waited %s: %v", time.Since(start), err)
				}
			})
		})
	}
}
