// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// sent is a record in a store that behaves as the cloud's list does.
type sent struct {
	delivery
	visible time.Time // when it turns up in the list
}

// store is a list of records, of which each count sees those that are there, and
// the clocks of the cloud and of the operator.
type store struct {
	records   []sent
	now       time.Time // of the cloud
	ahead     time.Duration
	skew      time.Duration // that the operator knows of
	exclusive bool          // the list leaves out what is at its start
	failAt    int           // the page that is an error, counted down; 0 for none
	pages     int

	asked query // what found answers
	found []delivery
}

type query struct {
	start, end, now time.Time
	records         int
}

var errPage = errors.New("no page")

// clock is the cloud's time as the operator knows it.
func (s *store) clock() time.Time { return s.now.Add(s.ahead + s.skew) }

// read returns a page, the newest record first. The reply tells the cloud's time,
// in whole seconds.
func (s *store) read(start, end time.Time, page int) ([]delivery, bool, error) {
	s.pages++
	if s.failAt > 0 {
		if s.failAt--; s.failAt == 0 {
			return nil, false, errPage
		}
	}
	s.skew = s.now.Truncate(time.Second).Sub(s.now.Add(s.ahead))
	if q := (query{start, end, s.now, len(s.records)}); q != s.asked {
		s.asked, s.found = q, nil
		for _, r := range slices.Backward(s.records) {
			from := r.as.Time.After(start) || !s.exclusive && r.as.Time.Equal(start)
			if from && r.as.Time.Before(end) && !r.visible.After(s.now) {
				s.found = append(s.found, r.delivery)
			}
		}
	}
	from := min((page-1)*listPage, len(s.found))
	to := min(page*listPage, len(s.found))
	return s.found[from:to], to < len(s.found), nil
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *store) send(at time.Time, late time.Duration, failed bool) {
	id := fmt.Sprint("msg-", len(s.records))
	s.records = append(s.records, sent{
		delivery{id: id, failed: failed, as: Failure{Time: at, Reason: id}}, at.Add(late),
	})
}

// count counts once, and checks what holds for all counts.
func (s *store) count(t *testing.T, window time.Duration, before Counts) (Counts, error) {
	t.Helper()
	pages := s.pages
	c, err := countListed(Query{Window: window}, before, s.clock, s.read)
	bounded := len(c.Buckets) <= maxBuckets && s.pages-pages <= maxPages
	if u := c.unfinished; u != nil {
		bounded = bounded && len(u.messages) <= 2*maxBucketRecords+listPage && len(u.buckets) <= maxBuckets+4
	}
	if !bounded {
		t.Fatalf("%d buckets, %d pages, unfinished %v", len(c.Buckets), s.pages-pages, c.unfinished)
	}
	var sum Bucket
	for i, b := range c.Buckets {
		sum.Failed += b.Failed
		sum.Total += b.Total
		sum.AtLeast = sum.AtLeast || b.AtLeast
		if i > 0 && !b.Start.After(c.Buckets[i-1].Start) || !b.Start.Before(c.End) {
			t.Fatalf("buckets %v up to %s", c.Buckets, c.End)
		}
	}
	if sum != (Bucket{Failed: c.Failed, Total: c.Total, AtLeast: c.AtLeast}) {
		t.Fatalf("%+v of the buckets %v", c, c.Buckets)
	}
	return c, err
}

// poll counts until the counts are complete.
func (s *store) poll(t *testing.T, window time.Duration, before Counts) Counts {
	t.Helper()
	for range 1000 {
		var err error
		if before, err = s.count(t, window, before); err != nil {
			t.Fatal(err)
		}
		if !before.Unfinished() {
			return before
		}
	}
	t.Fatal("counting does not end")
	return Counts{}
}

// exact counts what the list holds of the time that counts are for.
func (s *store) exact(c Counts) (failed, total int64, last time.Time) {
	for _, r := range s.records {
		if len(c.Buckets) == 0 || r.as.Time.Before(c.Buckets[0].Start) || !r.as.Time.Before(c.End) || r.visible.After(s.now) {
			continue
		}
		total++
		if r.failed {
			failed++
			last = latest(last, r.as.Time)
		}
	}
	return failed, total, last
}

// agree fails the test unless the counts are those of the list, over the window.
func (s *store) agree(t *testing.T, window time.Duration, c Counts) {
	t.Helper()
	failed, total, last := s.exact(c)
	switch begin := c.End.Add(-window); {
	case c.AtLeast && c.Total <= total && c.Failed <= failed:
		return
	case c.AtLeast || c.Failed != failed || c.Total != total:
		t.Fatalf("counted %d of %d failed (at least: %t), want %d of %d", c.Failed, c.Total, c.AtLeast, failed, total)
	case failed > 0 && (c.Last == nil || !c.Last.Time.Equal(last.Truncate(time.Second))):
		t.Fatalf("last failure %v, want %s", c.Last, last)
	case failed == 0 && c.Last != nil:
		t.Fatalf("last failure %v of none", c.Last)
	case c.Buckets[0].Start.After(begin) && s.between(begin, c.Buckets[0].Start) > 0:
		t.Fatalf("the window begins at %s, the buckets at %s", begin, c.Buckets[0].Start)
	case begin.Sub(c.Buckets[0].Start) >= bucketWidth(window) && total > 0 && s.between(c.Buckets[0].Start.Add(bucketWidth(window)), begin) > 0:
		t.Fatalf("the window begins at %s, the buckets at %s", begin, c.Buckets[0].Start)
	}
	if age := s.now.Sub(c.End); age < -clockError || age > lateness+2*clockError {
		t.Fatalf("the counts end at %s, now is %s", c.End, s.now)
	}
}

func (s *store) between(start, end time.Time) (n int64) {
	for _, r := range s.records {
		if !r.as.Time.Before(start) && r.as.Time.Before(end) {
			n++
		}
	}
	return n
}

// reloaded returns counts as a restarted operator knows them.
func reloaded(c Counts) Counts {
	return Counts{End: c.End, Failed: c.Failed, Total: c.Total, AtLeast: c.AtLeast, Last: c.Last, Buckets: slices.Clone(c.Buckets)}
}

// sequential leaves a long test out of the short form: in one goroutine the race
// detector finds nothing.
func sequential(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("in one goroutine there is no race; the usual form has it")
	}
}

// TestTallyAgreesWithTheList sends records at random, some of them late, has polls
// fail, the operator restart, and its clock jump. Whenever a count is complete, it
// is exactly that of the list.
func TestTallyAgreesWithTheList(t *testing.T) {
	sequential(t)
	for _, window := range []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour, 167 * time.Hour} {
		for _, interval := range []time.Duration{30 * time.Second, 5 * time.Minute, 3 * time.Hour} {
			for seed := range uint64(4) {
				t.Run(fmt.Sprint(window, " each ", interval, ", ", seed), func(t *testing.T) {
					t.Parallel()
					random := rand.New(rand.NewPCG(seed, uint64(window+interval)))
					s := &store{now: epoch, exclusive: seed%2 == 1}
					var counts Counts
					complete := 0
					for range 120 {
						s.live(random, interval)
						if random.IntN(8) == 0 { // a new process, at another clock
							counts, s.skew = reloaded(counts), 0
						}
						if random.IntN(8) == 0 {
							s.ahead = time.Duration(random.IntN(28*60)-14*60) * time.Second
						}
						if random.IntN(4) == 0 {
							s.failAt = 1 + random.IntN(6)
						}
						resumed := counts.Unfinished()
						var err error
						counts, err = s.count(t, window, counts)
						s.failAt = 0
						if err != nil || counts.Unfinished() || resumed && counts.End.Before(s.now.Add(-clockError)) {
							continue // not complete, or up to the end of the poll before only
						}
						complete++
						s.agree(t, window, counts)
					}
					if complete < 30 {
						t.Errorf("%d counts were complete", complete)
					}
				})
			}
		}
	}
}

// live lets an interval pass, with some records in it, at times very many.
func (s *store) live(random *rand.Rand, interval time.Duration) {
	n := random.IntN(8)
	if random.IntN(20) == 0 {
		n = 600
	}
	if random.IntN(10) == 0 {
		interval *= 7 // an outage
	}
	for range n {
		at := s.now.Add(time.Duration(random.Int64N(int64(interval/time.Second))) * time.Second)
		s.send(at, time.Duration(random.IntN(36))*time.Second, random.IntN(3) == 0)
	}
	s.now = s.now.Add(interval + time.Duration(random.IntN(1000))*time.Millisecond)
}

// TestTallyOfClocksThatDiffer counts one failure each second, by a clock that is
// up to 14 minutes off. None is lost.
func TestTallyOfClocksThatDiffer(t *testing.T) {
	for _, ahead := range []time.Duration{0, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 14 * time.Minute, -5 * time.Minute, -14 * time.Minute} {
		t.Run(ahead.String(), func(t *testing.T) {
			s := &store{now: epoch, ahead: ahead, exclusive: true}
			var counts Counts
			for i := range 3 * 3600 {
				s.now = epoch.Add(time.Duration(i) * time.Second)
				s.send(s.now, 0, true)
				if i%300 != 299 {
					continue
				}
				counts = s.poll(t, time.Hour, counts)
				s.agree(t, time.Hour, counts)
				if i%3000 == 2999 { // a restart: what was known of the clock is lost
					counts, s.skew = reloaded(counts), 0
				}
			}
			if counts.Failed < 3600 || counts.Failed > 3600+int64(bucketWidth(time.Hour)/time.Second) {
				t.Errorf("%d failures, want 3600 and what is left of a bucket", counts.Failed)
			}
		})
	}
}

// TestTallyReadsOnlyWhatIsNew: the cost of a count is that of the new records, and
// of an application with few events it is one page.
func TestTallyReadsOnlyWhatIsNew(t *testing.T) {
	const window = 24 * time.Hour
	s := &store{now: epoch}
	for i := range 100_000 {
		s.send(epoch.Add(-window+time.Duration(i)*500*time.Millisecond), 0, i%10 == 0)
	}
	counts := s.poll(t, window, Counts{})
	if counts.Total != 100_000 || counts.Failed != 10_000 {
		t.Fatalf("got %d of %d failed", counts.Failed, counts.Total)
	}
	for _, c := range []Counts{counts, reloaded(counts)} {
		s.now = epoch.Add(5 * time.Minute)
		for i := range 200 {
			s.send(epoch.Add(time.Duration(i)*time.Second), 0, true)
		}
		s.pages = 0
		counts = s.poll(t, window, c)
		if s.pages > 5 {
			t.Errorf("%d pages for 200 new records", s.pages)
		}
		s.records = s.records[:100_000]
	}

	quiet := &store{now: epoch}
	quiet.send(epoch.Add(-time.Minute), 0, true)
	for counts = (Counts{}); quiet.now.Before(epoch.Add(time.Hour)); quiet.now = quiet.now.Add(5 * time.Minute) {
		quiet.pages = 0
		counts = quiet.poll(t, time.Hour, counts)
		if quiet.pages != 1 || counts.Total != 1 {
			t.Errorf("%d pages for %d records", quiet.pages, counts.Total)
		}
	}
}

// busy is a store with 400 pages in an hour, 7 in each bucket.
func busy() *store {
	s := &store{now: epoch}
	for i := range 400 * listPage {
		s.send(epoch.Add(-time.Duration(i)*90*time.Millisecond-time.Second), 0, i%100 == 0)
	}
	slices.Reverse(s.records)
	return s
}

// TestTallyGoesOnWhereItWas: more records than are read at once are read in
// several passes, each of the pages once.
func TestTallyGoesOnWhereItWas(t *testing.T) {
	s := busy()
	var counts Counts
	passes := 0
	for passes == 0 || counts.Unfinished() {
		before := counts.End
		counts, _ = s.count(t, time.Hour, counts)
		if passes++; !counts.End.After(before) {
			t.Fatalf("pass %d got no farther than %s", passes, before)
		}
		s.now = s.now.Add(time.Second)
	}
	if failed, total, _ := s.exact(counts); counts.Total != total || counts.Failed != failed {
		t.Errorf("got %d of %d failed, want %d of %d", counts.Failed, counts.Total, failed, total)
	}
	if passes > 10 || s.pages > 500 {
		t.Errorf("%d passes of %d pages", passes, s.pages)
	}
}

// TestTallyInterrupted: an error at any page, with or without a restart, loses
// nothing, doubles nothing, and has few pages read again.
func TestTallyInterrupted(t *testing.T) {
	sequential(t)
	for _, page := range []int{1, 2, 3, 7, 8, 9, 10, 49, 50, 51, 52, 101} {
		for _, restart := range []bool{false, true} {
			s := busy()
			s.failAt = page
			var counts Counts
			var err error
			for err == nil {
				counts, err = s.count(t, time.Hour, counts)
			}
			if !counts.Unfinished() || page > 12 && counts.Total == 0 {
				t.Fatalf("page %d: what was counted did not come with the error: %+v", page, counts)
			}
			if failed, total, _ := s.exact(counts); len(counts.Buckets) > 0 && (counts.Total != total || counts.Failed != failed) {
				t.Fatalf("page %d: so far %d of %d failed, want %d of %d", page, counts.Failed, counts.Total, failed, total)
			}
			if restart {
				counts = reloaded(counts)
			}
			counts = s.poll(t, time.Hour, counts)
			s.agree(t, time.Hour, counts)
			// One attempt at once, and where the process is new, the two buckets of
			// which nothing is known any more.
			if most := 470 + 2*8; s.pages > most {
				t.Errorf("page %d, restart %t: %d pages, want at most %d", page, restart, s.pages, most)
			}
		}
	}
}

// TestTallyAfterAnOutage: an outage in the middle of a scan, as long as it may be,
// does not hold up the counts after it.
func TestTallyAfterAnOutage(t *testing.T) {
	sequential(t)
	for _, outage := range []time.Duration{time.Second, 70 * time.Second, 100 * time.Minute, 30 * time.Hour, 200 * time.Hour} {
		const window = 167 * time.Hour
		s := &store{now: epoch}
		for i := range 60_000 {
			s.send(epoch.Add(-window+time.Duration(i)*10*time.Second), 0, i%100 == 0)
		}
		counts, err := s.count(t, window, Counts{})
		if err != nil || !counts.Unfinished() {
			t.Fatalf("got %v, unfinished: %t", err, counts.Unfinished())
		}
		for range 3 {
			s.failAt = 1
			if counts, err = s.count(t, window, counts); !errors.Is(err, errPage) {
				t.Fatal(err)
			}
			s.now = s.now.Add(outage / 3)
		}
		s.send(s.now.Add(-time.Second), 0, true)
		counts = s.poll(t, window, counts)
		s.agree(t, window, counts)
	}
}

// TestTallyOfAnotherQuery: what was half done for another query is of no use.
func TestTallyOfAnotherQuery(t *testing.T) {
	s := busy()
	counts, _ := s.count(t, time.Hour, Counts{})
	counts = s.poll(t, 30*time.Minute, counts)
	s.agree(t, 30*time.Minute, counts)
}

// TestTallyOfMoreWithoutEnd: a list that claims to have more for ever costs a
// bounded number of pages, is said to be at least as much, and ends.
func TestTallyOfMoreWithoutEnd(t *testing.T) {
	sequential(t)
	for name, page := range map[string]int{"full pages": listPage, "pages of one record": 1, "empty pages": 0, "very large pages": 5000} {
		t.Run(name, func(t *testing.T) {
			s, n := &store{now: epoch}, 0
			read := func(_, end time.Time, _ int) ([]delivery, bool, error) {
				s.pages++
				var list []delivery
				for range page {
					n++
					list = append(list, delivery{id: fmt.Sprint(n), failed: true, as: Failure{Time: end.Add(-time.Second)}})
				}
				return list, true, nil
			}
			var counts Counts
			for poll := range 4 {
				s.pages = 0
				for pass := 0; pass == 0 || counts.Unfinished(); pass++ {
					var err error
					pages := s.pages
					counts, err = countListed(Query{Window: time.Hour}, counts, s.clock, read)
					if err != nil || s.pages-pages > maxPages || len(counts.Buckets) > maxBuckets {
						t.Fatalf("%d pages, %d buckets, %v", s.pages-pages, len(counts.Buckets), err)
					}
					if u := counts.unfinished; u != nil && len(u.messages) > 2*maxBucketRecords+page {
						t.Fatalf("%d records are kept", len(u.messages))
					}
				}
				if most := []int{maxBuckets * maxBucketPages, 10 * maxBucketPages}[min(poll, 1)]; s.pages > most {
					t.Errorf("poll %d read %d pages", poll, s.pages)
				}
				if !counts.AtLeast || !counts.End.Equal(s.now) {
					t.Errorf("at least: %t, up to %s", counts.AtLeast, counts.End)
				}
				s.now = s.now.Add(5 * time.Minute)
			}
			// When it comes to its senses, so do the counts, as the window passes.
			for range 14 {
				s.now = s.now.Add(5 * time.Minute)
				counts = s.poll(t, time.Hour, counts)
			}
			if counts.AtLeast || counts.Total != 0 || counts.Last != nil {
				t.Errorf("an hour later: %+v", counts)
			}
		})
	}
}

// TestTallyEnds although the cloud claims to have more at each look, and time goes by
// with each page: it does not run after the end of the window.
func TestTallyEnds(t *testing.T) {
	sequential(t)
	for _, window := range []time.Duration{10 * time.Minute, time.Hour} {
		for _, each := range []time.Duration{64 * time.Millisecond, time.Second} {
			s, n := &store{now: epoch}, 0
			var counts Counts
			for pass := 0; pass == 0 || counts.Unfinished(); pass++ {
				var err error
				counts, err = countListed(Query{Window: window}, counts, s.clock, func(_, end time.Time, _ int) ([]delivery, bool, error) {
					s.pages++
					n++
					s.now = s.now.Add(each)
					return []delivery{{id: fmt.Sprint(n), failed: true, as: Failure{Time: end.Add(-time.Second)}}}, true, nil
				})
				if s.now = s.now.Add(time.Second); err != nil || s.pages > (maxMoves+1)*maxBuckets*maxBucketPages {
					t.Fatalf("window %s, a page each %s: %d pages, and no end; %v", window, each, s.pages, err)
				}
			}
			if !counts.AtLeast || counts.Failed == 0 {
				t.Errorf("window %s, a page each %s: %d failed, at least: %t", window, each, counts.Failed, counts.AtLeast)
			}
		}
	}
}

// TestTallyOfOnePageForEver: a list that repeats what it had does not get on, and is
// not asked for more of it.
func TestTallyOfOnePageForEver(t *testing.T) {
	for _, ids := range [][]string{{"a"}, {"a", "b"}, {""}, nil} {
		s := &store{now: epoch}
		var counts Counts
		for pass := 0; pass == 0 || counts.Unfinished(); pass++ {
			counts, _ = countListed(Query{Window: time.Hour}, counts, s.clock, func(_, _ time.Time, page int) (list []delivery, _ bool, _ error) {
				s.pages++
				for i := range min(len(ids), 1) {
					list = append(list, delivery{id: ids[(i+page)%len(ids)], failed: true, as: Failure{Time: epoch.Add(-time.Minute)}})
				}
				return list, true, nil
			})
		}
		if most := 1 + maxBuckets*(len(ids)+1); !counts.AtLeast || s.pages > most && len(ids) > 0 {
			t.Errorf("%q: %d pages, want at most %d; at least: %t", ids, s.pages, most, counts.AtLeast)
		}
	}
}

// TestTallyOfABusyBucket: a bucket with more records than the bound says so, and
// only that one.
func TestTallyOfABusyBucket(t *testing.T) {
	s := &store{now: epoch}
	for i := range 15_000 {
		s.send(epoch.Add(-30*time.Minute), 0, i%2 == 0)
	}
	s.send(epoch.Add(-50*time.Minute), 0, true)
	s.send(epoch.Add(-10*time.Minute), 0, true)
	counts := s.poll(t, time.Hour, Counts{})
	if !counts.AtLeast || counts.Total != maxBucketRecords+2 || counts.Failed != maxBucketRecords/2+2 {
		t.Errorf("got %d of %d failed, at least: %t", counts.Failed, counts.Total, counts.AtLeast)
	}
	if counts.Last == nil || !counts.Last.Time.Equal(epoch.Add(-10*time.Minute)) {
		t.Errorf("last failure %v", counts.Last)
	}
	s.now = s.now.Add(29 * time.Minute)
	if counts = s.poll(t, time.Hour, counts); !counts.AtLeast {
		t.Error("the bucket is still in the window")
	}
	s.now = s.now.Add(4 * time.Minute)
	if counts = s.poll(t, time.Hour, counts); counts.AtLeast || counts.Total != 1 {
		t.Errorf("without the bucket: %d of %d failed, at least: %t", counts.Failed, counts.Total, counts.AtLeast)
	}
}

// TestTallyBuckets: at most 60, whatever the window and the times of polls.
func TestTallyBuckets(t *testing.T) {
	sequential(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		window := time.Minute + time.Duration(random.Int64N(int64(166*time.Hour/time.Millisecond)))*time.Millisecond
		if random.IntN(3) == 0 {
			window = time.Minute + time.Duration(random.IntN(600))*time.Second
		}
		s := &store{now: epoch.Add(time.Duration(random.IntN(1e6)) * time.Second)}
		var counts Counts
		for range 12 {
			s.now = s.now.Add(time.Duration(1+random.Int64N(int64(window/time.Second)/10+60)) * time.Second)
			var err error
			for first := true; first || counts.Unfinished(); first = false {
				counts, err = countListed(Query{Window: window}, counts, s.clock, func(start, end time.Time, _ int) ([]delivery, bool, error) {
					var list []delivery
					step := end.Sub(start)/120 + 1
					for at := start; at.Before(end); at = at.Add(step) {
						list = append(list, delivery{as: Failure{Time: at}})
					}
					return list, false, nil
				})
				if err != nil || len(counts.Buckets) > maxBuckets {
					t.Fatalf("window %s: %d buckets, %v", window, len(counts.Buckets), err)
				}
			}
		}
	}
}

// TestTallyOfForeignBuckets: what a status says that was tampered with, or was
// written by a clock of another year, is not gone on with.
func TestTallyOfForeignBuckets(t *testing.T) {
	s := &store{now: epoch}
	s.send(epoch.Add(-10*time.Minute), 0, true)
	many := make([]Bucket, 500)
	for i := range many {
		many[i].Start = epoch.Add(-time.Hour + time.Duration(i)*time.Second)
	}
	at := func(ago time.Duration) Bucket { return Bucket{Start: epoch.Add(-ago), Total: 7} }
	for name, before := range map[string]Counts{
		"an end in another year": {End: epoch.AddDate(1, 0, 0), Buckets: []Bucket{at(time.Hour)}},
		"out of order":           {End: epoch, Buckets: []Bucket{at(time.Minute), at(time.Hour)}},
		"behind the end":         {End: epoch.Add(-30 * time.Minute), Buckets: []Bucket{at(time.Hour), at(time.Minute)}},
		"too many":               {End: epoch, Buckets: many},
		"no end":                 {Buckets: []Bucket{at(time.Hour)}},
		"no buckets":             {End: epoch.Add(-time.Minute), Total: 5, Failed: 5},
		"long ago":               {End: epoch.AddDate(-1, 0, 0), Buckets: []Bucket{{Start: epoch.AddDate(-1, 0, -1), Total: 7}}},
	} {
		t.Run(name, func(t *testing.T) {
			counts := s.poll(t, time.Hour, before)
			s.agree(t, time.Hour, counts)
			if counts.Total != 1 || counts.Failed != 1 {
				t.Errorf("got %d of %d failed", counts.Failed, counts.Total)
			}
		})
	}
}

// TestTallyOfAFirstCountByAWrongClock: what failed before the first reply says
// nothing of where the window begins.
func TestTallyOfAFirstCountByAWrongClock(t *testing.T) {
	s := &store{now: epoch, ahead: 14 * time.Minute, failAt: 1}
	s.send(epoch.Add(-55*time.Minute), 0, true)
	counts, err := s.count(t, time.Hour, Counts{})
	if !errors.Is(err, errPage) {
		t.Fatal(err)
	}
	counts = s.poll(t, time.Hour, counts)
	s.agree(t, time.Hour, counts)
	if counts.Failed != 1 {
		t.Errorf("got %+v", counts)
	}
}

// TestTallyOfAnyWindow: also one that no schema allows.
func TestTallyOfAnyWindow(t *testing.T) {
	for _, window := range []time.Duration{-time.Hour, 0, time.Nanosecond, time.Second, 1500 * time.Millisecond, 400 * time.Hour} {
		s := &store{now: epoch}
		s.send(epoch.Add(-time.Second), 0, true)
		if counts := s.poll(t, window, s.poll(t, window, Counts{})); counts.Failed != 1 {
			t.Errorf("%s: got %+v", window, counts)
		}
	}
}

func TestTallyCountsAMessageOnce(t *testing.T) {
	at := func(s int) Failure { return Failure{Time: epoch.Add(time.Duration(s) * time.Second)} }
	for name, c := range map[string]struct {
		deliveries    []delivery
		failed, total int64
	}{
		"the same record twice":                {[]delivery{{id: "a", failed: true, as: at(1)}, {id: "a", failed: true, as: at(1)}}, 1, 1},
		"a failed attempt and one that worked": {[]delivery{{id: "a", failed: true, as: at(1)}, {id: "a", failed: false, as: at(9)}}, 0, 1},
		"the other way round":                  {[]delivery{{id: "a", failed: false, as: at(9)}, {id: "a", failed: true, as: at(1)}}, 0, 1},
		"messages without an ID":               {[]delivery{{id: "", failed: true, as: at(1)}, {id: "", failed: true, as: at(1)}}, 2, 2},
		"records outside the span":             {[]delivery{{id: "a", failed: true, as: at(-1)}, {id: "b", failed: true, as: at(3600)}, {id: "c", failed: true, as: at(1e6)}}, 0, 0},
		"times that cannot be read":            {[]delivery{{id: "a", failed: true, as: Failure{}}, {id: "b", failed: false, as: Failure{}}}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			now := func() time.Time { return epoch.Add(time.Hour) }
			got, err := countListed(Query{Window: time.Hour}, Counts{}, now, func(time.Time, time.Time, int) ([]delivery, bool, error) { return c.deliveries, false, nil })
			if err != nil || got.Failed != c.failed || got.Total != c.total {
				t.Errorf("got %d of %d failed, %v; want %d of %d", got.Failed, got.Total, err, c.failed, c.total)
			}
		})
	}
}

// TestTallyOfTheLastFailure: it is of a message that counts as failed.
func TestTallyOfTheLastFailure(t *testing.T) {
	row := func(id string, failed bool, s int) delivery {
		return delivery{id: id, failed: failed, as: Failure{Time: epoch.Add(time.Duration(s) * time.Second), Reason: id}}
	}
	arrived := []delivery{row("a", true, 40), row("a", false, 45)}
	failed := []delivery{row("b", true, 20), row("b", true, 25)}
	for name, c := range map[string]struct {
		rows []delivery
		last *Failure
	}{
		"of one that arrived":            {arrived, nil},
		"of an older one":                {slices.Concat(arrived, failed), &Failure{Time: epoch.Add(25 * time.Second), Reason: "b"}},
		"of an older one that has no ID": {slices.Concat(arrived, []delivery{row("", true, 10)}), &Failure{Time: epoch.Add(10 * time.Second)}},
	} {
		for order, reverse := range []bool{false, true} {
			if reverse {
				slices.Reverse(c.rows)
			}
			for _, ago := range []time.Duration{time.Minute, 10 * time.Minute, 59 * time.Minute} {
				s := &store{now: epoch.Add(ago)}
				for _, r := range c.rows {
					s.records = append(s.records, sent{delivery: r})
				}
				counts := s.poll(t, time.Hour, Counts{})
				if got := counts.Last; (got == nil) != (c.last == nil) || got != nil && *got != *c.last || (counts.Failed > 0) != (c.last != nil) {
					t.Errorf("%s, order %d, %s ago: got %+v of %d", name, order, ago, got, counts.Failed)
				}
			}
		}
	}
}

// TestTallyOfMessagesInSeveralBuckets delivers messages at random up to three times
// within half a minute. Each counts once, in the bucket of its first delivery, whatever
// buckets the others are in, also if the operator restarts or a page is lost.
func TestTallyOfMessagesInSeveralBuckets(t *testing.T) {
	sequential(t)
	for _, window := range []time.Duration{10 * time.Minute, time.Hour} {
		for seed := range uint64(6) {
			random := rand.New(rand.NewPCG(seed, uint64(window)))
			s := &store{now: epoch, exclusive: seed%2 == 1}
			var counts Counts
			for poll := range 60 {
				s.deliver(random, 30*time.Second)
				if random.IntN(4) == 0 {
					counts = reloaded(counts)
				}
				if random.IntN(4) == 0 {
					s.failAt = 1 + random.IntN(4)
				}
				var err error
				counts, err = s.count(t, window, counts)
				s.failAt = 0
				if err != nil || counts.Unfinished() {
					continue
				}
				failed, total := s.distinct(counts)
				if counts.Failed != failed || counts.Total != total || failed > 0 && counts.Last == nil {
					t.Fatalf("window %s, seed %d, poll %d: got %d of %d failed, want %d of %d", window, seed, poll, counts.Failed, counts.Total, failed, total)
				}
			}
		}
	}
}

// deliver lets an interval pass, with some messages in it.
func (s *store) deliver(random *rand.Rand, interval time.Duration) {
	from := s.now
	for i := range random.IntN(120) {
		at := from.Add(time.Duration(random.Int64N(int64(interval/time.Second))) * time.Second)
		for range 1 + random.IntN(3) {
			s.records = append(s.records, sent{
				delivery{id: fmt.Sprint(from.Unix(), "-", i), failed: random.IntN(3) > 0, as: Failure{Time: at}}, at,
			})
			at = at.Add(time.Duration(random.IntN(15)) * time.Second)
		}
	}
	slices.SortStableFunc(s.records, func(a, b sent) int { return a.as.Time.Compare(b.as.Time) })
	s.now = s.now.Add(interval)
}

// distinct counts the messages whose first delivery is of the time that counts are for.
func (s *store) distinct(c Counts) (failed, total int64) {
	all := map[string]bool{} // whether it failed
	for _, r := range s.records {
		if !r.as.Time.Before(c.End) {
			break
		}
		before, known := all[r.id]
		if !known && r.as.Time.Before(c.Buckets[0].Start) {
			before = false
			all[r.id] = false
			total--
		} else if !known {
			before = true
		}
		all[r.id] = before && r.failed
	}
	for _, f := range all {
		total++
		if f {
			failed++
		}
	}
	return failed, total
}

// TestTallyForgetsAFailureThatWorked: a failure whose message turned out to be
// delivered, once its bucket is scanned again, is no last failure either.
func TestTallyForgetsAFailureThatWorked(t *testing.T) {
	s := &store{now: epoch}
	s.send(epoch.Add(-10*time.Second), 0, true)
	counts := s.poll(t, time.Hour, Counts{})
	if counts.Failed != 1 || counts.Last == nil {
		t.Fatalf("got %+v", counts)
	}
	worked := s.records[0]
	worked.failed, worked.as.Time, worked.visible = false, epoch.Add(-9*time.Second), epoch.Add(time.Second)
	s.records = append(s.records, worked)
	s.now = epoch.Add(30 * time.Second)
	counts = s.poll(t, time.Hour, counts)
	if counts.Failed != 0 || counts.Total != 1 || counts.Last != nil {
		t.Errorf("got %+v", counts)
	}
}

// TestUnfinishedCountsAreSmall: what is kept of a bucket between two passes is little,
// whatever an endpoint makes up: hundreds of objects of one tenant may be in the middle of
// one. Not parallel: the heap is everyone's.
func TestUnfinishedCountsAreSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("what the race detector takes is not ours; the usual form measures it")
	}
	const objects, most = 20, 450 << 10
	now := epoch
	var kept []Counts
	base := memory()
	for range objects {
		var counts Counts
		made := 0
		for passes := 0; passes < 4 && (passes == 0 || counts.Unfinished()); passes++ {
			counts, _ = countListed(Query{Window: time.Hour}, counts, func() time.Time { return now }, func(_, end time.Time, _ int) ([]delivery, bool, error) {
				if made >= 19_900 { // just before the bucket would be full
					return nil, false, errPage
				}
				var page []delivery
				for range listPage {
					made++
					id := fmt.Sprintf("%d-%s", made, strings.Repeat("m", 200))
					page = append(page, delivery{id: id, failed: true, as: Failure{Time: end.Add(-time.Second), URL: "https://" + id + strings.Repeat("u", 2000), Reason: id}})
				}
				return page, true, nil
			})
		}
		if !counts.Unfinished() {
			t.Fatal("the count is finished")
		}
		kept = append(kept, counts)
	}
	taken := (memory() - base) / objects
	t.Logf("%d KiB for each", taken>>10)
	if taken > most {
		t.Errorf("%d KiB are kept for each, want %d at most", taken>>10, most>>10)
	}
	runtime.KeepAlive(kept)
}

// memory returns the size of the heap after a collection.
func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
