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
		at(time.Minute, "http://other.example.com/"), {URL: watchedURL},
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
