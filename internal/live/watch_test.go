// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"strconv"
	"testing"
	"time"
)

func TestWatchConcerns(t *testing.T) {
	w := &Watch{
		To:    []string{"https://Hooks.example.com:443/new", "http://root.example.com", "http://a.example.com/p?x=1"},
		Other: []string{"https://hooks.example.com/new?old=1", "http://gone.example.com/"},
	}
	for url, want := range map[string]bool{
		"https://hooks.example.com/new":                      true,
		"https://hooks.example.com/new?action=publish":       true,
		"https://hooks.example.com/new/more":                 false,
		"https://hooks.example.com/newer":                    false,
		"http://hooks.example.com/new":                       false,
		"https://hooks.example.com/new?old=1&action=publish": false,
		"http://root.example.com/?action=publish":            true,
		"http://root.example.com/elsewhere":                  false,
		"http://a.example.com/p?x=1&action=publish":          true,
		"http://a.example.com/p?x=10":                        false,
		"http://gone.example.com/?a=b":                       false,
		"":                                                   false,
	} {
		if got := w.concerns(url); got != want {
			t.Errorf("%q: got %t, want %t", url, got, want)
		}
	}
}

const watchedURL = "http://new.example.com/"

func TestWatchCountsWhatFailedSince(t *testing.T) {
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	end := since.Add(5 * time.Minute)
	at := func(d time.Duration, url string) Failure { return Failure{Time: since.Add(d), URL: url} }
	w := &Watch{Since: since, To: []string{watchedURL}}
	c := w.counts([]Failure{
		at(-time.Second, watchedURL), at(0, watchedURL), at(time.Minute, watchedURL), at(4*time.Minute+30*time.Second, watchedURL),
		at(time.Minute, "http://other.example.com/"),
	}, end)
	if c.Failed != 3 || len(c.Buckets) != 2 || c.Buckets[0].Failed != 2 || c.Buckets[1].Failed != 1 {
		t.Errorf("got %d failures in %+v, want 2 that are settled and 1 that is not", c.Failed, c.Buckets)
	}
	if !c.Buckets[1].Start.Equal(end.Add(-lateness)) {
		t.Errorf("the next count begins at %s", c.Buckets[1].Start)
	}
	if c.Last == nil || !c.Last.Time.Equal(since.Add(4*time.Minute+30*time.Second)) {
		t.Errorf("the last failure is %+v", c.Last)
	}
}

// TestWatchCountsWhatCannotBePlaced: a failure without a time or a URL is one, and is
// neither lost nor counted twice by the counts that come after.
func TestWatchCountsWhatCannotBePlaced(t *testing.T) {
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w := &Watch{Since: since, To: []string{watchedURL}, Other: []string{"http://old.example.com/"}}
	for name, tc := range map[string]struct {
		failure          Failure
		failed           int64
		buckets, settled int
	}{
		"no time":                     {Failure{URL: watchedURL}, 1, 1, 1},
		"no URL":                      {Failure{Time: since.Add(time.Second)}, 1, 2, 1},
		"neither":                     {Failure{}, 1, 1, 1},
		"no URL, before the change":   {Failure{Time: since.Add(-time.Second)}, 0, 2, 0},
		"no time, and the URL before": {Failure{URL: "http://old.example.com/"}, 0, 2, 0},
	} {
		c := w.counts([]Failure{tc.failure}, since.Add(5*time.Minute))
		if c.Failed != tc.failed || len(c.Buckets) != tc.buckets || int(c.Buckets[0].Failed) != tc.settled {
			t.Errorf("%s: got %d failures in %+v", name, c.Failed, c.Buckets)
		}
	}
}

// listOf reads a page of all the records of a span.
func listOf(records ...delivery) reader {
	return func(start, end time.Time, _ int) (page []delivery, _ bool, _ error) {
		for _, r := range records {
			if at := r.as.Time; at.IsZero() || !at.Before(start) && at.Before(end) {
				page = append(page, r)
			}
		}
		return page, false, nil
	}
}

// TestWatchCountsAMessageOnce, also one whose deliveries lie on both sides of where the
// next count begins. One that was sent before the change is none of it.
func TestWatchCountsAMessageOnce(t *testing.T) {
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	end := since.Add(5 * time.Minute)
	sent := func(id string, failed bool, at time.Time) delivery {
		return delivery{id: id, failed: failed, as: Failure{Time: at, URL: watchedURL}}
	}
	records := listOf(
		sent("before", true, since.Add(-2*time.Second)), sent("before", true, since.Add(4*time.Second)),
		sent("a", true, edge(end).Add(3*time.Second)), sent("a", true, edge(end).Add(-3*time.Second)),
		sent("b", true, edge(end).Add(-3*time.Second)), sent("b", false, edge(end).Add(3*time.Second)),
		sent("", true, time.Time{}),
	)
	w, failed := &Watch{Since: since, To: []string{watchedURL}}, int64(0)
	for _, until := range []time.Time{end, end.Add(30 * time.Second)} {
		c, err := w.list(Counts{}, func() time.Time { return until }, records)
		if err != nil {
			t.Fatal(err)
		}
		if failed+c.Failed != 2 {
			t.Errorf("up to %s: %d failed, want a and the one without a time", until, failed+c.Failed)
		}
		for _, b := range c.Buckets[:len(c.Buckets)-1] {
			failed += b.Failed
		}
		w = &Watch{Since: c.Buckets[len(c.Buckets)-1].Start, To: w.To}
	}

	w = &Watch{Since: since, To: []string{watchedURL}}
	records = listOf(sent("a", true, edge(end).Add(3*time.Second)), sent("a", true, edge(end).Add(-3*time.Second)))
	c, _ := w.list(Counts{}, func() time.Time { return end }, records)
	w.Since = c.Buckets[1].Start
	later, _ := w.list(Counts{}, func() time.Time { return end }, records)
	if c.Buckets[0].Failed != 1 || later.Failed != 0 {
		t.Errorf("got %+v and then %+v", c.Buckets, later)
	}
}

// TestWatchOfMoreWithoutEnd: the failures of a list that shows the same page for ever
// count, and nothing says that these are all. What is kept of it does not grow.
func TestWatchOfMoreWithoutEnd(t *testing.T) {
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, id := range []string{"", "a"} {
		var c Counts
		w := &Watch{Since: since, To: []string{watchedURL}}
		for range 10 {
			var err error
			c, err = w.list(c, func() time.Time { return since.Add(time.Minute) }, func(time.Time, time.Time, int) ([]delivery, bool, error) {
				return []delivery{{id: id, failed: true, as: Failure{Time: since.Add(time.Second), URL: watchedURL}}}, true, nil
			})
			if err != nil || c.Failed != 1 || len(c.Buckets) > 0 {
				t.Fatalf("got %d failures in %d buckets, %v; want 1 and nothing complete", c.Failed, len(c.Buckets), err)
			}
		}
	}
}

// TestWatchListsTwoPagesAtOnce, goes on where it ended, and takes a message for
// failed only if none of its deliveries arrived.
func TestWatchListsTwoPagesAtOnce(t *testing.T) {
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return since.Add(2 * time.Minute) }
	var asked []int
	read := func(_, _ time.Time, page int) ([]delivery, bool, error) {
		asked = append(asked, page)
		d := delivery{id: strconv.Itoa(page), failed: true, as: Failure{Time: since.Add(time.Second), URL: watchedURL}}
		again := d
		again.failed = page != 3
		return []delivery{d, again}, page < 5, nil
	}
	w := &Watch{Since: since, To: []string{watchedURL}}
	var c Counts
	for i, want := range []int64{2, 3, 4} {
		var err error
		if c, err = w.list(c, now, read); err != nil {
			t.Fatal(err)
		}
		if c.Failed != want || (len(c.Buckets) > 0) != (i == 2) {
			t.Errorf("count %d: got %d in %d buckets, want %d", i, c.Failed, len(c.Buckets), want)
		}
	}
	if len(asked) != 5 {
		t.Errorf("asked for the pages %v, want each once", asked)
	}
}
