// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// sent is a record in a store that behaves as the cloud's list does.
type sent struct {
	delivery
	visible time.Time // when it turns up in the list
}

// store is a list of records, of which each count sees those that are there.
type store struct {
	records []sent
	now     time.Time
	pages   int

	asked query // what found answers
	found []delivery
}

type query struct {
	start, end, now time.Time
	records         int
}

// read returns a page, the newest record first.
func (s *store) read(start, end time.Time, page int) ([]delivery, bool, error) {
	s.pages++
	if q := (query{start, end, s.now, len(s.records)}); q != s.asked {
		s.asked, s.found = q, nil
		for _, r := range slices.Backward(s.records) {
			if !r.as.Time.Before(start) && r.as.Time.Before(end) && !r.visible.After(s.now) {
				s.found = append(s.found, r.delivery)
			}
		}
	}
	from := min((page-1)*mpuPage, len(s.found))
	to := min(page*mpuPage, len(s.found))
	return s.found[from:to], to < len(s.found), nil
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *store) send(at time.Time, late time.Duration, failed bool) {
	id := fmt.Sprint("msg-", len(s.records))
	s.records = append(s.records, sent{
		delivery{id: id, failed: failed, as: Failure{Time: at, Reason: id}}, at.Add(late),
	})
}

// poll counts until the counts are complete.
func (s *store) poll(t *testing.T, window time.Duration, before Counts) Counts {
	t.Helper()
	q := Query{Start: s.now.Add(-window), End: s.now}
	for range 1000 {
		var err error
		if before, err = countListed(q, before, s.read); err != nil {
			t.Fatal(err)
		}
		if !before.Unfinished() {
			return before
		}
	}
	t.Fatal("counting does not end")
	return Counts{}
}

// reloaded returns counts as a restarted operator knows them.
func reloaded(c Counts) Counts {
	return Counts{End: c.End, Failed: c.Failed, Total: c.Total, Last: c.Last, Buckets: slices.Clone(c.Buckets)}
}

// TestTallyAgreesWithARecount sends records at random, some of them late, and
// compares each incremental count with one from scratch. They may differ by
// what is in the bucket that is leaving the window.
func TestTallyAgreesWithARecount(t *testing.T) {
	for _, window := range []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour, 167 * time.Hour} {
		for _, interval := range []time.Duration{30 * time.Second, 5 * time.Minute, 3 * time.Hour} {
			t.Run(fmt.Sprint(window, " each ", interval), func(t *testing.T) {
				random := rand.New(rand.NewPCG(1, uint64(window+interval)))
				s := &store{now: epoch}
				var counts Counts
				for range 120 {
					for range random.IntN(8) {
						at := s.now.Add(time.Duration(random.Int64N(int64(interval/time.Second))) * time.Second)
						s.send(at, time.Duration(random.IntN(36))*time.Second, random.IntN(3) == 0)
					}
					s.now = s.now.Add(interval)
					counts = s.poll(t, window, counts)
					if random.IntN(5) == 0 {
						counts = reloaded(counts)
					}
					if len(counts.Buckets) > maxBuckets {
						t.Fatalf("%d buckets", len(counts.Buckets))
					}
					exact := s.poll(t, window, Counts{})
					leaving := s.between(s.now.Add(-window-bucketWidth(window)), s.now.Add(-window))
					if extra := counts.Total - exact.Total; extra < 0 || extra > leaving {
						t.Fatalf("total %d, recounted %d, of the leaving bucket at most %d", counts.Total, exact.Total, leaving)
					}
					if counts.Failed < exact.Failed {
						t.Fatalf("failed %d, recounted %d", counts.Failed, exact.Failed)
					}
					if exact.Last != nil && (counts.Last == nil || !counts.Last.Time.Equal(exact.Last.Time)) {
						t.Fatalf("last failure %v, recounted %v", counts.Last, exact.Last)
					}
				}
			})
		}
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
}

func TestTallyGoesOnWhereItWas(t *testing.T) {
	s := &store{now: epoch}
	for i := range 3 * maxPages * mpuPage {
		s.send(epoch.Add(-time.Duration(i)*100*time.Millisecond-time.Second), 0, false)
	}
	q := Query{Start: s.now.Add(-time.Hour), End: s.now}
	var counts Counts
	passes := 0
	for passes == 0 || counts.Unfinished() {
		counts, _ = countListed(q, counts, s.read)
		passes++
		s.now = s.now.Add(time.Minute)
		s.send(s.now.Add(-time.Second), 0, true) // does not shift the pages
		q = Query{Start: s.now.Add(-time.Hour), End: s.now}
	}
	if passes != 3 || s.pages != 3*maxPages {
		t.Errorf("%d passes of %d pages", passes, s.pages)
	}
	if want := int64(3 * maxPages * mpuPage); counts.Total != want || counts.Failed != 0 || !counts.End.Equal(epoch) {
		t.Errorf("got %d of %d failed up to %s", counts.Failed, counts.Total, counts.End)
	}
	// Another window starts afresh.
	counts, _ = countListed(q, Counts{unfinished: &scan{window: time.Minute}}, s.read)
	if !counts.Unfinished() || counts.unfinished.window != time.Hour {
		t.Error("a scan for another window was gone on with")
	}
}

func TestTallyCountsAMessageOnce(t *testing.T) {
	q := Query{Start: epoch, End: epoch.Add(time.Hour)}
	at := func(s int) Failure { return Failure{Time: epoch.Add(time.Duration(s) * time.Second)} }
	for name, c := range map[string]struct {
		deliveries    []delivery
		failed, total int64
	}{
		"the same record twice":                {[]delivery{{"a", true, at(1)}, {"a", true, at(1)}}, 1, 1},
		"a failed attempt and one that worked": {[]delivery{{"a", true, at(1)}, {"a", false, at(9)}}, 0, 1},
		"the other way round":                  {[]delivery{{"a", false, at(9)}, {"a", true, at(1)}}, 0, 1},
		"messages without an ID":               {[]delivery{{"", true, at(1)}, {"", true, at(1)}}, 2, 2},
		"records outside the span":             {[]delivery{{"a", true, at(-1)}, {"b", true, at(3600)}}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := countListed(q, Counts{}, func(time.Time, time.Time, int) ([]delivery, bool, error) { return c.deliveries, false, nil })
			if err != nil || got.Failed != c.failed || got.Total != c.total {
				t.Errorf("got %d of %d failed, %v; want %d of %d", got.Failed, got.Total, err, c.failed, c.total)
			}
		})
	}
}
