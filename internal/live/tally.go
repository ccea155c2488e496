// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"time"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

// A family without totals has its records counted one by one, in time buckets
// without gaps over the window. A bucket is scanned whole, replaced and never
// added to, so that a repeat, a restart or an outage neither loses nor doubles
// anything. Each count scans from where records may have turned up since, which
// is where a bucket begins. The cost is that of the new records.
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
	// maxBucketPages and maxBucketRecords bound a bucket. Of one that has more,
	// the counts say "at least".
	maxBucketPages   = 100
	maxBucketRecords = 10_000
	// listPage is the most records that the cloud returns at once.
	listPage = 100
	// atOnce is how many buckets make it worth to try whether one page holds all
	// of their records.
	atOnce = 4
	// clockError is how far the clock of the cloud is known, and clockRange how
	// far two estimates of it may be apart.
	clockError = 2 * time.Second
	clockRange = 30 * time.Minute
)

// delivery is one record of a message that was sent to a receiver.
type delivery struct {
	id      string // of the message
	failed  bool
	as      Failure // what to say of it if it failed
	content *string
}

// newDelivery reads a record by its members. Any status but 2xx is a failure, and
// one that is no status of HTTP is no answer.
func newDelivery(kind string, id, at, url *string, status int64, content *string) delivery {
	d := delivery{id: value(id), content: content, failed: status < 200 || status > 299, as: Failure{
		Time: parseTime(value(at)), Type: kind, URL: bounded(url, maxURL), Reason: "no answer",
	}}
	if status >= 100 && status <= 999 {
		d.as.HTTPStatus, d.as.Reason = int32(status), "HTTP status "+strconv.FormatInt(status, 10)
	}
	return d
}

// fingerprint tells pages apart: by what they have of each record.
func fingerprint(page []delivery) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, d := range page {
		_, _ = fmt.Fprintln(&h, d.id, d.failed, d.as.Time.UnixNano(), d.as.URL)
	}
	return h.Sum64()
}

// reader returns a page, counted from 1, of the records in [start, end), and
// whether there are more.
type reader func(start, end time.Time, page int) (deliveries []delivery, more bool, err error)

// withList is a family whose records can only be listed.
type withList[C Config] struct {
	Family[C]

	operation Operation
	records   func(context.Context, turn) reader
}

// RecordsRate is the limit of the operation that Count calls, and how often it
// does so. Usually one page holds what is new.
func (f withList[C]) RecordsRate() (quota.Rate, float64) { return f.operation.rate(), 1 }

// Count counts the events that were sent since the counts before, and returns the
// counts of the whole window that ends now. With very many of them, or an error,
// the counts are Unfinished.
func (f withList[C]) Count(ctx context.Context, key string, q Query, before Counts) (Counts, error) {
	return countListed(q, before, f.client.Now, f.records(ctx, newTurn(quota.Records, key)))
}

// listed reads a page of records. A reply that does not say whether there are more, or
// says so and has none, says nothing.
func listed[R any](op Operation, more *bool, logs []*R, read func(*R) delivery) ([]delivery, bool, error) {
	if more == nil {
		return nil, false, malformed(op.Action, "the reply has no HasMore") // unknown is not the end
	}
	if *more && len(logs) == 0 {
		return nil, false, malformed(op.Action, "the reply has no record, and says that there are more")
	}
	deliveries, err := rows(op, logs, read)
	return deliveries, *more, err
}

// scan reads the records of [start, end) page by page. The end is fixed, so that
// pages do not shift under it.
type scan struct {
	query      Query
	start, end time.Time
	to         time.Time // the end of the window that it is of
	buckets    []Bucket  // several only if one page may hold the records of all
	pages      int       // read so far
	records    int
	seen       []uint64 // messages: hashes, sorted; odd if all deliveries failed
	last       *Failure
}

var seed = maphash.MakeSeed()

// add takes in one record. The records that a bucket has of a message count once,
// and as a failure only if all of them failed.
func (s *scan) add(d delivery) {
	s.records++
	if !d.as.Time.Before(s.end) || d.as.Time.Before(s.start) {
		return
	}
	after, _ := slices.BinarySearchFunc(s.buckets, d.as.Time, func(b Bucket, t time.Time) int {
		return cmp.Or(b.Start.Compare(t), -1) // the first bucket that starts later
	})
	b := &s.buckets[after-1]
	if d.id != "" {
		id := (maphash.String(seed, d.id) + uint64(after)<<1) &^ 1
		i, _ := slices.BinarySearch(s.seen, id)
		switch known := i < len(s.seen) && s.seen[i]&^1 == id; {
		case known && s.seen[i] != id && !d.failed:
			s.seen[i] = id
			b.Failed--
			return
		case known:
			return
		case d.failed:
			id |= 1
		}
		s.seen = slices.Insert(s.seen, i, id)
	}
	b.Total++
	if d.failed {
		b.Failed++
		if s.last == nil || d.as.Time.After(s.last.Time) {
			s.last = &d.as
		}
	}
}

// tally is one count: what was counted of the window so far, and the bucket that
// is being scanned.
type tally struct {
	Counts

	query     Query
	width     time.Duration
	start, to time.Time // of the window
}

// newTally returns the count that goes on from the counts before. Until the first
// reply, the clock may be behind the one that these were made by.
func newTally(q Query, before Counts, now time.Time) *tally {
	s := before.unfinished
	switch {
	case s != nil && s.query != q, before.End.Sub(now) > clockRange, !before.sound():
		before = Counts{}
	case before.End.After(now):
		now = before.End
	}
	c := &tally{Counts: before, query: q, width: bucketWidth(max(q.Window, 0))}
	c.begin(now)
	return c
}

// sound tells whether the buckets are such as were written here. They were in the
// hands of others.
func (c Counts) sound() bool {
	n := len(c.Buckets)
	return n == 0 || n <= maxBuckets && c.Buckets[n-1].Start.Before(c.End) &&
		slices.IsSortedFunc(c.Buckets, func(a, b Bucket) int { return a.Start.Compare(b.Start) })
}

// begin makes the window end now, and goes on with the scan of before if that is
// still good: a bucket that takes longer to read than the window takes to move on
// would never be done. One of the last minute is finished as part of the window of then;
// records that turned up in between are for the next count to find.
func (c *tally) begin(now time.Time) {
	c.start, c.to = c.query.span(now)
	from := c.from()
	if s := c.unfinished; s != nil && s.end.After(c.start) && !s.start.Before(c.to.Add(-maxAge)) && s.start.Before(c.to) {
		if s.pages > 0 && !s.to.After(c.to) {
			if s.end.After(edge(s.to)) {
				c.start, c.to = c.query.span(s.to)
			}
			return
		}
		if s.start.Equal(c.End) { // all before it was counted
			from = s.start
		}
	}
	if c.unfinished = c.scan(from, c.to); len(c.unfinished.buckets) < atOnce {
		c.unfinished = c.scan(from, c.next(from))
	}
}

// from returns where to begin to scan: with the bucket that holds the first moment
// of which records may have turned up since the last count.
func (c *tally) from() time.Time {
	unsettled := edge(earliest(c.End, c.to))
	for _, b := range slices.Backward(c.Buckets) {
		if !b.Start.After(unsettled) {
			return latest(b.Start, c.start)
		}
	}
	return c.start
}

func earliest(a, b time.Time) time.Time { return slices.MinFunc([]time.Time{b, a}, time.Time.Compare) }

func latest(a, b time.Time) time.Time { return slices.MaxFunc([]time.Time{b, a}, time.Time.Compare) }

// edge is from where on the count after one will scan: a bucket begins there.
func edge(to time.Time) time.Time { return to.Add(-lateness) }

// next returns the end of the bucket that begins at a time.
func (c *tally) next(t time.Time) time.Time {
	end := earliest(t.Truncate(c.width).Add(c.width), c.to)
	if e := edge(c.to); e.After(t) {
		end = earliest(end, e)
	}
	return end
}

// scan returns a scan of the buckets from start to end.
func (c *tally) scan(start, end time.Time) *scan {
	s := &scan{query: c.query, start: start, end: end, to: c.to}
	for t := start; t.Before(end); t = c.next(t) {
		s.buckets = append(s.buckets, Bucket{Start: t})
	}
	return s
}

// done puts what was scanned in the place of what was counted of that time and
// later, and goes on with the next bucket. It tells whether there is none.
func (c *tally) done(s *scan) bool {
	var buckets []Bucket
	for i, b := range c.Buckets {
		if !c.until(c.Buckets, i).After(s.start) {
			buckets = append(buckets, b)
		}
	}
	c.End = s.end
	c.Buckets = c.compact(append(buckets, s.buckets...))
	c.Failed, c.Total, c.AtLeast = 0, 0, false
	for _, b := range c.Buckets {
		c.Failed += b.Failed
		c.Total += b.Total
		c.AtLeast = c.AtLeast || b.AtLeast
	}
	if s.last != nil {
		c.Last = s.last
	} else if c.Last != nil && (c.Last.Time.Before(c.Buckets[0].Start) || !c.Last.Time.Before(s.start)) {
		c.Last = nil // it is out of the window, or failed no more
	}
	if c.unfinished = nil; s.end.Before(c.to) {
		c.unfinished = c.scan(s.end, c.next(s.end))
	}
	return c.unfinished == nil
}

// until returns where a bucket ends.
func (c *tally) until(buckets []Bucket, i int) time.Time {
	if i+1 < len(buckets) {
		return buckets[i+1].Start
	}
	return c.End
}

// compact drops the buckets that are older than the window, and joins those that
// the next count will not scan again: of one cell of the grid, and empty ones.
func (c *tally) compact(buckets []Bucket) []Bucket {
	oldest, settled := c.End.Add(-c.to.Sub(c.start)), edge(c.to)
	var kept []Bucket
	for i, b := range buckets {
		n := len(kept) - 1
		switch {
		case !c.until(buckets, i).After(oldest):
		case n >= 0 && b.Start.Before(settled) && c.joins(kept[n], b):
			kept[n].Failed += b.Failed
			kept[n].Total += b.Total
			kept[n].AtLeast = kept[n].AtLeast || b.AtLeast
		default:
			kept = append(kept, b)
		}
	}
	return kept
}

// joins tells whether two buckets become one.
func (c *tally) joins(a, b Bucket) bool {
	none := a.Total+b.Total == 0 && !a.AtLeast && !b.AtLeast
	return none || a.Start.Truncate(c.width).Equal(b.Start.Truncate(c.width))
}

// bucketWidth is such that a window has at most maxBuckets: one that begins and one
// that ends within a cell, the one that begins where the next count will, and the
// rest.
func bucketWidth(window time.Duration) time.Duration {
	return (window / (maxBuckets - 4)).Truncate(time.Second) + time.Second
}

// countListed counts records that can only be listed. With an error it returns
// what is counted so far, which the next count goes on from.
func countListed(q Query, before Counts, now func() time.Time, read reader) (Counts, error) {
	if q.Watch != nil {
		return q.Watch.list(before, now, read)
	}
	c := newTally(q, before, now())
	for range maxPages {
		s := c.unfinished
		// The start may be exclusive; what is before it is left out.
		deliveries, more, err := read(s.start.Add(-time.Second), s.end, s.pages+1)
		if err != nil {
			return c.Counts, err
		}
		if t := now(); t.Add(clockError).Before(c.to) {
			// By the clock of the reply, the end of the window is yet to come.
			c.unfinished = nil
			c.begin(t)
			continue
		}
		s.pages++
		for _, d := range deliveries {
			s.add(d)
		}
		switch {
		case more && len(s.buckets) > 1:
			c.unfinished = c.scan(s.start, c.next(s.start))
		case more && s.pages < maxBucketPages && s.records < maxBucketRecords:
		default:
			s.buckets[0].AtLeast = more
			if !c.done(s) {
				continue
			}
			if t := now(); t.Sub(c.to) > lateness {
				c.begin(t)
				continue
			}
			return c.Counts, nil
		}
	}
	return c.Counts, nil
}
