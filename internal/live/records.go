// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import "time"

// Query selects callback records.
type Query struct {
	Start, End time.Time // whole seconds; at most 7 days back
	// AppName and StreamName narrow the records of a domain down; "" is all.
	AppName, StreamName string
}

// start and end as the API takes them.
func (q Query) start() *string { return formatTime(q.Start) }
func (q Query) end() *string   { return formatTime(q.End) }

// Counts are the callbacks of a window.
type Counts struct {
	End           time.Time // of the window
	Failed, Total int64
	Last          *Failure // the newest failed one; nil if none failed

	// Buckets are the counts by time, for a family whose records are counted
	// incrementally, oldest first; at most 60. With them the next count goes on
	// where this one ended, also after a restart.
	Buckets []Bucket
	// unfinished is a scan that is to be gone on with.
	unfinished *scan
}

// Unfinished tells that there are more records than are read at once: the other
// fields are those of the count before, and counting is to be gone on with soon.
func (c Counts) Unfinished() bool { return c.unfinished != nil }

// Bucket are the callbacks from Start to the start of the next bucket, or to the
// end of the window.
type Bucket struct {
	Start         time.Time
	Failed, Total int64
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

// page is one page of records: how many match in all, and those on the page.
type page struct {
	total   *int32
	records []Failure
}

func (p page) known() bool { return p.total != nil && *p.total >= 0 }

const (
	statusAny    = ""
	statusFailed = "failed"

	// recordsPage is how many failed records are looked at for the newest. The
	// order of records is not documented; while they fit into one page the
	// newest is found whatever it is.
	recordsPage = 50
)

// requestsOfCount is how many requests a count of a domain's callbacks takes.
const requestsOfCount = 2

// count counts a domain's callbacks with two requests, whatever the traffic:
// the failed ones, and all.
func count(op operation, q Query, read func(status string, size int32) (page, error)) (Counts, error) {
	failed, err := read(statusFailed, recordsPage)
	if err != nil {
		return Counts{}, err
	}
	all, err := read(statusAny, 1)
	if err != nil {
		return Counts{}, err
	}
	if !failed.known() || !all.known() {
		// Unknown is not zero.
		return Counts{}, &Error{Class: Unavailable, Action: op.action, Code: codeMalformed, Message: "the reply has no TotalNum"}
	}
	counts := Counts{End: q.End, Failed: int64(*failed.total), Total: int64(*all.total)}
	if counts.Failed > 0 {
		counts.Last = newest(failed.records)
	}
	return counts, nil
}

// newest returns the record with the latest time, the first of several; nil
// for none.
func newest(records []Failure) *Failure {
	var last *Failure
	for i := range records {
		if last == nil || records[i].Time.After(last.Time) {
			last = &records[i]
		}
	}
	return last
}

// formatTime writes a time as all requests carry it: UTC, whole seconds.
func formatTime(t time.Time) *string {
	s := t.UTC().Format(time.RFC3339)
	return &s
}

// parseTime returns the zero time for what it cannot read.
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
