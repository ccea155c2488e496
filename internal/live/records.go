// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

// Query selects callback records.
type Query struct {
	Window time.Duration // up to now, by the clock of the cloud
	// AppName and StreamName narrow the records of a domain down; "" is all.
	AppName, StreamName string
	// Watch, if there is one, is what is counted instead of the window.
	Watch *Watch
}

// maxAge is how far back records may be asked for. The cloud has those of 7 days;
// the minute is for clocks and the way there.
const maxAge = 7*24*time.Hour - time.Minute

// span returns the window that ends now, in whole seconds.
func (q Query) span(now time.Time) (start, end time.Time) {
	end = now.UTC().Truncate(time.Second)
	if q.Watch != nil { // whether the start is part of it is not documented
		return latest(q.Watch.Since.Add(-time.Second), end.Add(-maxAge)).Truncate(time.Second), end
	}
	return end.Add(-max(min(q.Window, maxAge), time.Second)).Truncate(time.Second), end
}

// Counts are the callbacks of a window.
type Counts struct {
	End           time.Time // of the window
	Failed, Total int64
	AtLeast       bool     // there are more than were counted
	Last          *Failure // the newest failed one; nil if none failed

	// Buckets are the counts by time, for a family whose records are counted
	// incrementally: oldest first, without gaps, at most 60. With them the next
	// count goes on where this one ended, also after a restart.
	Buckets []Bucket
	// unfinished is the bucket that is to be gone on with.
	unfinished *scan
	watched    *watched // the same of a Watch
}

// Unfinished tells that there are more records than are read at once, or that an
// error came between: the counts are of what is up to End only, and counting is to
// be gone on with.
func (c Counts) Unfinished() bool { return c.unfinished != nil }

// Bucket are the callbacks from Start to the start of the next bucket, or to the
// end of the counts.
type Bucket struct {
	Start         time.Time
	Failed, Total int64
	AtLeast       bool // there are more than were counted
}

// Failure is one failed callback.
type Failure struct {
	Time                time.Time // zero if the cloud's time cannot be read
	Type                string    // in the cloud's words, such as publish_done
	URL                 string
	AppName, StreamName string
	HTTPStatus          int32  // 0 where the cloud does not record it
	Reason              string // the cloud's description
}

// Bounds of what is kept of a record, in bytes.
const (
	maxName   = 256
	maxReason = 300
)

// withTotals is a family whose records the cloud counts, too.
type withTotals[C Config] struct {
	Family[C]

	records Operation
	// list reads a page of the records of a domain, and how many match in all.
	list func(ctx context.Context, c *Client, t turn, q Span, size, number int32) (total *int32, records []record, err error)
}

// record is one of a list with totals, by its members.
type record struct{ at, kind, url, app, stream, reason, result, content, response, header *string }

// failure returns the record as that of a failure. Nothing of it is bounded.
func (r record) failure() Failure {
	return Failure{
		Time: parseTime(value(r.at)), Type: value(r.kind), URL: value(r.url),
		AppName: value(r.app), StreamName: value(r.stream), Reason: value(r.reason),
	}
}

// succeeded tells whether the record says that the callback did, in whatever spelling.
func (r record) succeeded() bool { return success.MatchString(strings.TrimSpace(value(r.result))) }

// RecordsRate is the limit of the operation that Count calls, and how often it
// usually does so.
func (f withTotals[C]) RecordsRate() (quota.Rate, float64) { return f.records.rate(), 2 }

// Count counts the callbacks of a domain in the window that ends now, with two or
// three requests, whatever the traffic.
func (f withTotals[C]) Count(ctx context.Context, domain string, q Query, before Counts) (Counts, error) {
	start, end := q.span(f.client.Now())
	return count(q, before, end, func(failedOnly bool, size, number int32) (p page, err error) {
		total, records, err := f.read(ctx, newTurn(quota.Records, domain), Span{start, end, q.AppName, q.StreamName, failedOnly}, size, number)
		for _, r := range records {
			p.records = append(p.records, r.failure())
		}
		p.total = total
		return p, err
	})
}

// read reads a page of the records of a domain, counted from 1, and how many match in
// all. A reply that contradicts the request, or itself, says nothing.
func (f withTotals[C]) read(ctx context.Context, t turn, q Span, size, number int32) (int32, []record, error) {
	all, records, err := f.list(ctx, f.client, t, q, size, number)
	switch {
	case err != nil:
		return 0, nil, err
	case !isTotal(all):
		return 0, nil, malformed(f.records.Action, noTotal) // unknown is not zero
	case int(*all) < len(records), len(records) == 0 && int64(number-1)*int64(size) < int64(*all):
		return 0, nil, malformed(f.records.Action, "the reply says that there are more or fewer records than it has")
	case q.FailedOnly && slices.ContainsFunc(records, record.succeeded):
		return 0, nil, malformed(f.records.Action, "the reply has callbacks that succeeded, and those that failed were asked for")
	}
	return *all, records, nil
}

// rows reads the records of a reply. A reply with one that is null says nothing.
func rows[R, T any](op Operation, list []*R, read func(*R) T) ([]T, error) {
	var all []T
	for _, r := range list {
		if r == nil {
			return nil, malformed(op.Action, "a record of the reply is null")
		}
		all = append(all, read(r))
	}
	return all, nil
}

// page is one page of records: how many match in all, and what there is to say of
// those on the page.
type page struct {
	total   int32
	records []Failure
}

// kept returns what is kept of a failure.
func (f Failure) kept() *Failure {
	return &Failure{
		Time: f.Time, HTTPStatus: f.HTTPStatus, Type: Bound(f.Type, maxID), URL: Bound(f.URL, maxURL),
		AppName: Bound(f.AppName, maxName), StreamName: Bound(f.StreamName, maxName), Reason: Clean(f.Reason, maxReason),
	}
}

// isTotal tells whether a reply says how many there are in all.
func isTotal[N int32 | int64](n *N) bool { return n != nil && *n >= 0 }

const noTotal = "the reply does not say how many there are in all"

// newestFirst tells that the records are in this order, beyond doubt.
func (p page) newestFirst() bool {
	n := len(p.records)
	return n > 1 && p.records[0].Time.After(p.records[n-1].Time) &&
		slices.IsSortedFunc(p.records, func(a, b Failure) int { return b.Time.Compare(a.Time) })
}

// last returns the number of the last page; 1 if this one is all.
func (p page) last() int32 {
	if len(p.records) == 0 {
		return 1
	}
	return min((p.total-1)/p.asked()+1, maxPageNumber)
}

// asked is the size of a page: less than was asked for if the cloud's own bound is.
func (p page) asked() int32 { return int32(min(len(p.records), recordsPage)) }

const (
	// recordsPage is how many failed records are looked at for the newest.
	recordsPage = 50
	// maxPageNumber is the highest that the cloud takes.
	maxPageNumber = 100_000
)

// count counts a domain's callbacks with two requests, whatever the traffic: the
// failed ones, and all. The order of records is not documented. Where there are
// more failures than fit a page, the page tells the order; unless it is newest
// first, a third request looks at the last page. A watch is about the failed ones
// alone, of which it looks at the newest two pages.
func count(q Query, before Counts, end time.Time, read func(failedOnly bool, size, number int32) (page, error)) (Counts, error) {
	failed, err := read(true, recordsPage, 1)
	if err != nil {
		return before, err
	}
	all, pages := failed, int32(maxWatchPages)
	if q.Watch == nil {
		if all, err = read(false, 1, 1); err != nil {
			return before, err
		}
		pages = 1
	}
	number := failed.last()
	if failed.newestFirst() {
		number = min(number, pages)
	}
	if number > 1 {
		more, err := read(true, failed.asked(), number)
		if err != nil {
			return before, err
		}
		failed.records = append(failed.records, more.records...)
	}
	if q.Watch != nil {
		c := q.Watch.counts(failed.records, end)
		c.AtLeast = int(failed.total) > len(failed.records)
		return c, nil
	}
	counts := Counts{End: end, Failed: int64(failed.total), Total: int64(max(all.total, failed.total))}
	if counts.Failed > 0 {
		counts.Last = newest(failed.records)
	}
	return counts, nil
}

// newest returns what is kept of the record with the latest time, the first of several;
// nil for none.
func newest(records []Failure) *Failure {
	if len(records) == 0 {
		return nil
	}
	return slices.MaxFunc(records, func(a, b Failure) int { return a.Time.Compare(b.Time) }).kept()
}

// elsewhere is the error of a reply that is about another domain than was asked for;
// nil if it names none, or the right one.
func elsewhere(op Operation, t turn, domain *string) error {
	return unlessAbout(op, "domain", t.key, domain)
}

// unlessAbout is the same for a thing of any kind.
func unlessAbout(op Operation, kind, asked string, named *string) error {
	if name := value(named); name != "" && !strings.EqualFold(name, asked) {
		return malformed(op.Action, "the reply is about another "+kind)
	}
	return nil
}

// formatTime writes a time as all requests carry it: UTC, whole seconds.
func formatTime(t time.Time) *string { return new(t.UTC().Format(time.RFC3339)) }

// parseTime returns the zero time for what it cannot read, or nobody else could.
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if t = t.UTC(); err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// inChina returns a time of UTC+8, which carries no mark of that, with one.
func inChina(s string) *string {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", s, time.FixedZone("", 8*60*60))
	if err != nil {
		return &s
	}
	return new(t.UTC().Format(time.RFC3339Nano))
}

// byTheMinute widens a span to whole minutes, by which the cloud may count its ends. An
// end in the future, which it may refuse, stays: what is cut there is for the next
// count to find, which goes back a minute.
func byTheMinute(start, end, now time.Time) (from, to time.Time) {
	to = end.Add(time.Minute - time.Nanosecond).Truncate(time.Minute)
	if to.After(now) {
		to = end
	}
	return start.Truncate(time.Minute), to
}
