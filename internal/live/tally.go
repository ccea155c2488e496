// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"cmp"
	"hash/maphash"
	"slices"
	"time"
)

// A family without totals has its records counted one by one, in time buckets
// over the window. Each count reads the records from lateness before the end of
// the count before, where a bucket begins, and replaces the buckets from there
// on: a repeat or a restart neither loses nor doubles anything. The cost is that
// of the new records.
const (
	// maxBuckets bounds the buckets of a window.
	maxBuckets = 60
	// lateness is how much later than its time a record may turn up. A callback
	// that times out is over 35 s after its first attempt: six attempts of 5 s,
	// 1 s apart.
	lateness = time.Minute
	// maxPages bounds the pages that are read at once. The rest is read soon
	// after, so that one busy application does not hold up the others.
	maxPages = 50
)

// delivery is one record of a message that was sent to a receiver.
type delivery struct {
	id     string // of the message
	failed bool
	as     Failure // what to say of it if it failed
}

// scan reads the records of [start, end) page by page. The end is fixed, so
// that pages do not shift under it.
type scan struct {
	start, end time.Time
	window     time.Duration // up to the end, that counts are for
	pages      int           // read so far
	buckets    []Bucket
	seen       map[uint64]message
	last       *Failure
	seed       maphash.Seed
}

// message is what is known of a message: the bucket that it counts in, and
// whether all its deliveries failed.
type message struct {
	bucket int
	failed bool
}

// newScan returns the scan of what is new since the counts before. A bucket
// begins at each multiple of a width, and where the next scan will.
func newScan(q Query, before Counts) *scan {
	s := &scan{start: q.Start, end: q.End, window: q.End.Sub(q.Start), seen: map[uint64]message{}, seed: maphash.MakeSeed()}
	if !before.End.IsZero() {
		s.start = latest(s.start, before.End.Add(-lateness))
	}
	starts := []time.Time{s.start, latest(s.start, s.end.Add(-lateness))}
	width := bucketWidth(s.window)
	for t := s.start.Truncate(width).Add(width); t.Before(s.end); t = t.Add(width) {
		starts = append(starts, t)
	}
	slices.SortFunc(starts, time.Time.Compare)
	for _, t := range slices.CompactFunc(starts, time.Time.Equal) {
		s.buckets = append(s.buckets, Bucket{Start: t})
	}
	return s
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// bucketWidth is such that a window, which may begin and end within a width,
// and the one more beginning have at most maxBuckets.
func bucketWidth(window time.Duration) time.Duration {
	return (window / (maxBuckets - 3)).Truncate(time.Second) + time.Second
}

// add takes in one record. The records of a message count once, and as a
// failure only if all of them failed.
func (s *scan) add(d delivery) {
	if !d.as.Time.Before(s.end) || d.as.Time.Before(s.start) {
		return
	}
	after, _ := slices.BinarySearchFunc(s.buckets, d.as.Time, func(b Bucket, t time.Time) int {
		return cmp.Or(b.Start.Compare(t), -1) // the first bucket that starts later
	})
	m := message{bucket: after - 1, failed: d.failed}
	if d.id != "" {
		id := maphash.String(s.seed, d.id)
		if known, ok := s.seen[id]; ok {
			if known.failed && !m.failed {
				s.buckets[known.bucket].Failed--
				s.seen[id] = message{bucket: known.bucket}
			}
			return
		}
		s.seen[id] = m
	}
	s.buckets[m.bucket].Total++
	if m.failed {
		s.buckets[m.bucket].Failed++
		if s.last == nil || d.as.Time.After(s.last.Time) {
			s.last = &d.as
		}
	}
}

// counts returns the counts of the window: what the scan read, in place of
// what was counted of that time before.
func (s *scan) counts(before Counts) Counts {
	c := Counts{End: s.end, Last: s.last}
	var buckets []Bucket
	for _, b := range before.Buckets {
		if b.Start.Before(s.start) {
			buckets = append(buckets, b)
		}
	}
	c.Buckets = s.compact(append(buckets, s.buckets...))
	for _, b := range c.Buckets {
		c.Failed += b.Failed
		c.Total += b.Total
	}
	if f := before.Last; c.Last == nil && c.Failed > 0 && f != nil && f.Time.Before(s.start) {
		c.Last = f
	}
	return c
}

// compact leaves out buckets without records, and those all of which is older
// than the window, and joins those of one width up to where the next scan
// begins.
func (s *scan) compact(buckets []Bucket) []Bucket {
	width := bucketWidth(s.window)
	oldest, next := s.end.Add(-s.window), s.end.Add(-lateness)
	var kept []Bucket
	for _, b := range buckets {
		cell := b.Start.Truncate(width)
		n := len(kept)
		switch {
		case b.Total == 0 || !cell.Add(width).After(oldest):
		case n > 0 && kept[n-1].Start.Truncate(width).Equal(cell) && (b.Start.Before(next) || !kept[n-1].Start.Before(next)):
			kept[n-1].Failed += b.Failed
			kept[n-1].Total += b.Total
		default:
			kept = append(kept, b)
		}
	}
	return kept
}

// countListed counts records that can only be listed. read returns a page,
// counted from 1, of those in [start, end), and whether there are more.
func countListed(q Query, before Counts, read func(start, end time.Time, page int) ([]delivery, bool, error)) (Counts, error) {
	s := before.unfinished
	if s != nil && s.window != q.End.Sub(q.Start) {
		s, before = nil, Counts{} // of another window
	}
	if s == nil {
		s = newScan(q, before)
	}
	for range maxPages {
		deliveries, more, err := read(s.start, s.end, s.pages+1)
		if err != nil {
			return Counts{}, err
		}
		s.pages++
		for _, d := range deliveries {
			s.add(d)
		}
		if !more {
			before.unfinished = nil
			return s.counts(before), nil
		}
	}
	before.unfinished = s
	return before, nil
}
