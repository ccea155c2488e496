// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"strings"
	"time"
)

// Watch narrows a query down to what became of a change: the callbacks that failed
// since a time, to some URLs. A count of these takes two requests at most.
//
// The counts have one or two buckets: the second one begins where records may still
// turn up, and is where the next count is to begin. Counts without buckets are not
// complete; the next count goes on with them.
//
// A failure that has no time that can be read, or no URL, cannot be placed. It counts:
// it is of the time that was asked for, and what cannot be placed is not nothing. The
// next count begins where this one did then, so that it counts once.
type Watch struct {
	Since time.Time
	// To are the URLs of the new configuration, Other those of the one before. A
	// callback belongs to the one that is most like what was called.
	To, Other []string
}

// maxWatchPages bounds the requests of one count.
const maxWatchPages = 2

// watched is a count of listed records that is to be gone on with.
type watched struct {
	since, end time.Time
	pages      int
	failures   []attempted
	messages   map[string]int // where in failures a message is; -1 for one that arrived
	last       uint64         // the page before
}

// attempted is a failed message: its first delivery, and whether a later one arrived.
type attempted struct {
	Failure

	arrived bool
}

// maxWatched bounds the messages that a count looks at.
const maxWatched = 10_000

// concerns tells whether a callback was to one of the URLs.
func (w *Watch) concerns(url string) bool {
	mine := closest(url, w.To)
	return mine > 0 && mine >= closest(url, w.Other)
}

// closest returns how much of what was called is one of some URLs; 0 if it is none
// of them with what the cloud adds to it.
func closest(called string, urls []string) (length int) {
	called = canonical(called)
	for _, url := range urls {
		url = canonical(url)
		rest, ok := strings.CutPrefix(called, url)
		if ok && url != "" && (rest == "" || strings.ContainsRune("?&#", rune(rest[0])) || strings.HasSuffix(url, "?") || strings.HasSuffix(url, "&")) {
			length = max(length, len(url))
		}
	}
	return length
}

// counts returns those of the failures that concern the watch.
func (w *Watch) counts(failures []Failure, end time.Time) Counts {
	c := Counts{End: end}
	var mine []Failure
	placed := true
	for _, f := range failures {
		if at := f.Time; (at.IsZero() || !at.Before(w.Since)) && (f.URL == "" || w.concerns(f.URL)) {
			mine = append(mine, f)
			placed = placed && !at.IsZero()
		}
	}
	c.Failed, c.Total = int64(len(mine)), int64(len(mine))
	c.Last = newest(mine)
	c.Buckets = []Bucket{{Start: w.Since}}
	if split := edge(end); placed && split.After(w.Since) {
		c.Buckets = append(c.Buckets, Bucket{Start: split})
	}
	for _, f := range mine {
		b := &c.Buckets[len(c.Buckets)-1]
		if f.Time.Before(b.Start) {
			b = &c.Buckets[0]
		}
		b.Failed++
		b.Total++
	}
	return c
}

// list counts by a family whose records can only be listed. A message belongs to the
// time of its first delivery: those just before are looked at for that. A list
// that does not get on is not complete, whatever it claims.
func (w *Watch) list(before Counts, now func() time.Time, read reader) (Counts, error) {
	s := before.watched
	if s == nil || !s.since.Equal(w.Since) {
		s = &watched{since: w.Since, end: now().UTC().Truncate(time.Second), messages: map[string]int{}}
	}
	for range maxWatchPages {
		deliveries, more, err := read(s.since.Add(-retries-time.Second), s.end, s.pages+1)
		if err != nil {
			before.watched = s
			return before, err
		}
		page := fingerprint(deliveries)
		if more && s.pages > 0 && page == s.last {
			break
		}
		s.pages, s.last = s.pages+1, page
		for _, d := range deliveries {
			s.add(d)
		}
		if !more || s.full() {
			c := w.counts(s.failed(), s.end)
			c.AtLeast = more
			return c, nil
		}
	}
	c := w.counts(s.failed(), s.end)
	c.Buckets, c.AtLeast, c.watched = nil, true, s
	return c, nil
}

// full tells whether no more is looked at.
func (s *watched) full() bool { return len(s.messages) >= maxWatched || len(s.failures) >= maxWatched }

// add takes in a record. A message failed only if all of its deliveries did.
func (s *watched) add(d delivery) {
	at, known := s.messages[d.id]
	switch {
	case s.full():
	case d.id == "" && d.failed:
		s.failures = append(s.failures, attempted{Failure: d.as})
	case d.id == "" || known && at < 0:
	case !d.failed:
		if known {
			s.failures[at].arrived = true
		}
		s.messages[d.id] = -1
	case !known:
		s.messages[d.id] = len(s.failures)
		s.failures = append(s.failures, attempted{Failure: d.as})
	case s.failures[at].Time.IsZero() || !d.as.Time.IsZero() && d.as.Time.Before(s.failures[at].Time):
		s.failures[at].Failure = d.as
	}
}

// failed returns the messages that did not arrive.
func (s *watched) failed() (failures []Failure) {
	for _, f := range s.failures {
		if !f.arrived {
			failures = append(failures, f.Failure)
		}
	}
	return failures
}
