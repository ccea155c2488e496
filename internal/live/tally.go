// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"math"
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
//
// A message belongs to the bucket of its first delivery, and failed if all of its
// deliveries did. Those just before a scan are looked at for that, and those of its end
// are remembered by the scan after it. So a message counts once if its deliveries are
// within the time that retries take.
//
// A count ends where it was begun to end, and the records after that are for the next
// one: else it would run after a cloud that has more at each look.
const (
	// maxBuckets bounds the buckets of a window.
	maxBuckets = 60
	// lateness is how much later than its time a record may turn up. A callback
	// that times out is over 35 s after its first attempt: six attempts of 5 s,
	// 1 s apart.
	lateness = time.Minute
	// retries is how long after its first delivery a message may be delivered again.
	retries = 40 * time.Second
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
	// maxMoves bounds how often the end of a count is moved: when the first reply tells
	// the time, and once it is too old.
	maxMoves = 2
	// maxSaid and maxSaidURL, in bytes, bound what is kept of failures that differ in
	// more than the time.
	maxSaid    = 31
	maxSaidURL = 256
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
	read := f.records(ctx, newTurn(quota.Records, key))
	if q.Watch == nil {
		read = placed(f.operation, read)
	}
	return countListed(q, before, f.client.Now, read)
}

// placed refuses a page with a record that no bucket can hold.
func placed(op Operation, read reader) reader {
	return func(start, end time.Time, page int) ([]delivery, bool, error) {
		deliveries, more, err := read(start, end, page)
		if slices.ContainsFunc(deliveries, func(d delivery) bool { return d.as.Time.IsZero() }) {
			err = malformed(op.Action, "a record of the reply has no time that can be read")
		}
		return deliveries, more, err
	}
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

// course is what the scans of one count have in common.
type course struct {
	query   Query
	to      time.Time // the end of the window
	moves   int       // of the end
	begun   bool      // a page was read since
	settled *Failure  // the newest one that nothing can change any more
	said    []Failure // what there is to say of failures, but for the time
}

// scan reads the records of [start, end) page by page. The end is fixed, so that
// pages do not shift under it.
type scan struct {
	*course

	start, end time.Time
	lead       time.Time // from where on records are looked at
	buckets    []Bucket  // several only if one page may hold the records of all
	pages      []uint64  // read so far
	records    int
	earlier    []message // of the scan before
	messages   []message // by ID
	last       *Failure  // the newest of messages without an ID
}

// message is what is known of one. Very many are kept, so that it has little room.
type message struct {
	id    uint64 // a hash of it
	first uint32 // delivery, in seconds of Unix time
	more  uint16 // seconds to the last one
	said  uint8  // of the last one
	state state
}

// state is what became of a message.
type state uint8

const (
	failed   state = 1 << iota // all deliveries
	counted                    // in the bucket of the first one
	asFailed                   // so
)

func (m *message) is(s state) bool { return m.state&s != 0 }

// set makes a state so, or not.
func (m *message) set(s state, so bool) {
	if m.state &^= s; so {
		m.state |= s
	}
}

// last returns the second of the last delivery.
func (m *message) last() uint32 { return m.first + uint32(m.more) }

// instant returns the time of a second.
func instant(second uint32) time.Time { return time.Unix(int64(second), 0).UTC() }

// failure returns what there is to say of a message that failed.
func (c *course) failure(m *message) *Failure {
	f := c.said[m.said]
	f.Time = instant(m.last())
	return &f
}

// say notes what there is to say of a failure. Where there is very much, it is what was
// said last.
func (c *course) say(f Failure) uint8 {
	f.Time, f.URL = time.Time{}, Bound(f.URL, maxSaidURL)
	i := slices.Index(c.said, f)
	switch {
	case i >= 0:
		return uint8(i)
	case len(c.said) > maxSaid:
		c.said[maxSaid] = f
	default:
		c.said = append(c.said, f)
	}
	return uint8(len(c.said) - 1)
}

var seed = maphash.MakeSeed()

// take takes in a page, and tells whether it is another one than those before.
func (s *scan) take(page []delivery) bool {
	f := fingerprint(page)
	known := slices.Contains(s.pages, f)
	s.pages = append(s.pages, f)
	s.records += len(page)
	for _, d := range page {
		s.add(d)
	}
	return !known
}

// full tells whether no more is read. What is before the bucket has as much room as it.
func (s *scan) full() bool {
	times := 1
	if s.lead.Before(s.start) {
		times = 2
	}
	return len(s.pages) >= times*maxBucketPages || s.records >= times*maxBucketRecords
}

// add takes in one record.
func (s *scan) add(d delivery) {
	if d.as.Time.Before(s.lead) || !d.as.Time.Before(s.end) {
		return
	}
	if d.id == "" {
		s.addNameless(d)
		return
	}
	id, t := maphash.String(seed, d.id), uint32(d.as.Time.Unix())
	i, known := slices.BinarySearchFunc(s.messages, id, func(m message, id uint64) int { return cmp.Compare(m.id, id) })
	if !known {
		s.messages = slices.Insert(s.messages, i, message{id: id, first: t, state: failed})
	}
	m := &s.messages[i]
	last := max(m.last(), t)
	if d.failed && t == last {
		m.said = s.say(d.as)
	}
	m.first = min(m.first, t)
	m.more = uint16(min(last-m.first, math.MaxUint16))
	m.set(failed, m.is(failed) && d.failed)
}

// addNameless takes in the record of a message without an ID, which is its only one.
func (s *scan) addNameless(d delivery) {
	if d.as.Time.Before(s.start) {
		return
	}
	b := &s.buckets[holding(s.buckets, d.as.Time)]
	b.Total++
	if d.failed {
		b.Failed++
		s.last = later(s.last, &d.as)
	}
}

// holding returns which bucket a time is in, or was in; -1 if it is before all.
func holding(buckets []Bucket, at time.Time) int {
	after, _ := slices.BinarySearchFunc(buckets, at, func(b Bucket, t time.Time) int {
		return cmp.Or(b.Start.Compare(t), -1) // the first bucket that starts later
	})
	return after - 1
}

// later returns the later one of two failures; nil for none.
func later(a, b *Failure) *Failure {
	if a == nil || b != nil && b.Time.After(a.Time) {
		return b
	}
	return a
}

// sum adds the messages to the buckets that hold them, and corrects those of buckets
// before. It returns the newest that failed.
func (s *scan) sum(buckets []Bucket) (last *Failure) {
	for n := range s.messages {
		m := &s.messages[n]
		i := holding(buckets, instant(m.first))
		if i < 0 {
			continue
		}
		if m.is(failed) {
			last = later(last, s.failure(m))
		}
		switch b := &buckets[i]; {
		case m.is(asFailed) && !m.is(failed): // it arrived after all
			b.Failed--
		case m.is(counted) || instant(m.first).Before(s.start): // it counts already
		default:
			b.Total++
			if m.is(failed) {
				b.Failed++
			}
			m.set(counted, true)
		}
		m.set(asFailed, m.is(counted) && m.is(failed))
	}
	return last
}

// remembered returns the messages that may be delivered again later. Of very many
// none is, so that they may count twice.
func (s *scan) remembered() (kept []message) {
	forget := func(m *message) {
		if m.is(failed) {
			s.settled = later(s.settled, s.failure(m))
		}
	}
	for i := range s.messages {
		if m := &s.messages[i]; instant(m.last()).Before(s.end.Add(-retries)) {
			forget(m)
		} else {
			kept = append(kept, *m)
		}
	}
	if len(kept) <= maxBucketRecords {
		return kept
	}
	for i := range kept {
		forget(&kept[i])
	}
	return nil
}

// tally is one count: what was counted of the window so far, and the bucket that
// is being scanned.
type tally struct {
	Counts
	*course

	width time.Duration
	start time.Time // of the window
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
	c := &tally{Counts: before, width: bucketWidth(max(q.Window, 0))}
	c.resume(q, now)
	return c
}

// sound tells whether the buckets are such as were written here. They were in the
// hands of others.
func (c Counts) sound() bool {
	n := len(c.Buckets)
	return n == 0 || n <= maxBuckets && c.Buckets[n-1].Start.Before(c.End) &&
		slices.IsSortedFunc(c.Buckets, func(a, b Bucket) int { return a.Start.Compare(b.Start) })
}

// resume goes on with the scan of before, unless that is of no use any more: nothing
// was read of it, the window has left it behind, or the clock was wrong.
func (c *tally) resume(q Query, now time.Time) {
	s := c.unfinished
	if s == nil || s.lead.Before(now.Add(-maxAge)) {
		c.begin(&course{query: q}, now)
		return
	}
	start, end := q.span(now)
	switch gone := !s.end.After(start) || s.to.After(end.Add(clockError)); {
	case !s.begun:
		c.begin(s.course, now)
	case gone && s.moves < maxMoves:
		c.move(s.course, now)
	default:
		c.course = s.course
		c.start, _ = q.span(s.to)
	}
}

// move makes the window end at another time.
func (c *tally) move(of *course, now time.Time) {
	of.moves++
	c.begin(of, now)
}

// begin makes the window end now, and begins to scan.
func (c *tally) begin(of *course, now time.Time) {
	c.course = of
	c.start, c.to = c.query.span(now)
	c.begun, c.said, c.settled = false, nil, nil
	from := c.from()
	if c.Last != nil && c.Last.Time.Before(from) {
		c.settled = c.Last
	}
	lead := latest(from.Add(-retries), earliest(from, c.to.Add(-maxAge)))
	if c.unfinished = c.scan(from, c.to, lead, nil); len(c.unfinished.buckets) < atOnce {
		c.unfinished = c.scan(from, c.next(from), lead, nil)
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

// scan returns a scan of the buckets from start to end, that looks at records from lead
// on and knows the messages of the one before.
func (c *tally) scan(start, end, lead time.Time, earlier []message) *scan {
	s := &scan{course: c.course, start: start, end: end, lead: lead, earlier: earlier, messages: slices.Clone(earlier)}
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
	buckets = append(buckets, s.buckets...)
	last := s.sum(buckets)
	c.Buckets = c.compact(buckets)
	c.Failed, c.Total, c.AtLeast = 0, 0, false
	for _, b := range c.Buckets {
		c.Failed += b.Failed
		c.Total += b.Total
		c.AtLeast = c.AtLeast || b.AtLeast
	}
	c.settled = later(c.settled, s.last)
	c.Last = later(c.settled, last)
	if c.Last != nil && c.Last.Time.Before(c.Buckets[0].Start) {
		c.Last = nil // it is out of the window
	}
	if c.unfinished = nil; s.end.Before(c.to) {
		c.unfinished = c.scan(s.end, c.next(s.end), s.end, s.remembered())
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
		deliveries, more, err := read(s.lead.Add(-time.Second), s.end, len(s.pages)+1)
		if err != nil {
			return c.Counts, err
		}
		if t := now(); t.Add(clockError).Before(c.to) && c.moves < maxMoves {
			// By the clock of the reply, the end of the window is yet to come.
			c.move(c.course, t)
			continue
		}
		c.begun = true
		switch other := s.take(deliveries); {
		case more && len(s.buckets) > 1:
			c.unfinished = c.scan(s.start, c.next(s.start), s.lead, s.earlier)
		case more && other && !s.full():
		default:
			s.buckets[0].AtLeast = more
			if !c.done(s) {
				continue
			}
			if t := now(); t.Sub(c.to) > lateness && c.moves < maxMoves {
				c.move(c.course, t)
				continue
			}
			return c.Counts, nil
		}
	}
	return c.Counts, nil
}
