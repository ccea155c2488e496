// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// families are those that count by domain.
var families = map[string]struct {
	domain, action string
	count          func(context.Context, *live.Client, live.Query) (live.Counts, error)
	records        func([]emulator.CallbackRecord) emulator.Records
}{
	"stream": {
		push, "DescribeLiveStreamsNotifyRecords",
		func(ctx context.Context, c *live.Client, q live.Query) (live.Counts, error) {
			return live.Stream{Client: c}.Count(ctx, push, q, live.Counts{})
		},
		func(r []emulator.CallbackRecord) emulator.Records { return emulator.Records{Stream: r} },
	},
	"record": {
		play, "DescribeLiveRecordNotifyRecords",
		func(ctx context.Context, c *live.Client, q live.Query) (live.Counts, error) {
			return live.Record{Client: c}.Count(ctx, play, q, live.Counts{})
		},
		func(r []emulator.CallbackRecord) emulator.Records { return emulator.Records{Record: r} },
	},
}

// sameCounts compares what families that count by domain count. The end of the
// window is the query's.
var sameCounts = cmp.Options{cmpopts.IgnoreUnexported(live.Counts{}), cmpopts.IgnoreFields(live.Counts{}, "End")}

func TestCount(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	at := func(ago time.Duration) time.Time { return now.Add(-ago) }
	const ok, failed = emulator.ResultSuccess, emulator.ResultFailed
	// many returns n callbacks within the last hour.
	many := func(n int, result string) []emulator.CallbackRecord {
		list := make([]emulator.CallbackRecord, n)
		for i := range list {
			list[i] = emulator.CallbackRecord{Time: at(time.Duration(i%3000+60) * time.Second), Result: result, URL: hook}
		}
		return list
	}
	cases := map[string]struct {
		records []emulator.CallbackRecord
		query   live.Query // of the last hour, where it says nothing else
		want    live.Counts
	}{
		"nothing":  {nil, live.Query{}, live.Counts{}},
		"all well": {many(7, ok), live.Query{}, live.Counts{Total: 7}},
		"one of each": {
			[]emulator.CallbackRecord{
				{Time: at(2 * time.Minute), Result: ok},
				{Time: at(3 * time.Minute), Result: failed, App: "app", Stream: "s1", Type: "t", URL: hook, Description: "unexpected HTTP status 500"},
			}, live.Query{},
			live.Counts{Failed: 1, Total: 2, Last: &live.Failure{
				Time: at(3 * time.Minute), Type: "t", URL: hook, AppName: "app", StreamName: "s1", Reason: "unexpected HTTP status 500",
			}},
		},
		"the newest failure of several": {
			[]emulator.CallbackRecord{
				{Time: at(9 * time.Minute), Result: failed, Stream: "older"},
				{Time: at(4 * time.Minute), Result: failed, Stream: "newest"},
				{Time: at(6 * time.Minute), Result: failed, Stream: "old"},
				{Time: at(time.Minute), Result: ok, Stream: "fine"},
			}, live.Query{},
			live.Counts{Failed: 3, Total: 4, Last: &live.Failure{Time: at(4 * time.Minute), StreamName: "newest", Reason: failed}},
		},
		"more than any page holds": {
			append(many(1700, ok), many(800, failed)...), live.Query{},
			live.Counts{Failed: 800, Total: 2500, Last: &live.Failure{Time: at(time.Minute), URL: hook, Reason: failed}},
		},
		"only the window": {
			[]emulator.CallbackRecord{
				{Time: at(3 * time.Hour), Result: failed}, {Time: at(2 * time.Hour), Result: failed, Stream: "s"}, {Time: at(30 * time.Minute), Result: failed},
			}, live.Query{Start: at(150 * time.Minute), End: at(time.Hour)},
			live.Counts{Failed: 1, Total: 1, Last: &live.Failure{Time: at(2 * time.Hour), StreamName: "s", Reason: failed}},
		},
		"the longest window": {
			[]emulator.CallbackRecord{{Time: at(166 * time.Hour), Result: failed}}, live.Query{Start: at(167 * time.Hour)},
			live.Counts{Failed: 1, Total: 1, Last: &live.Failure{Time: at(166 * time.Hour), Reason: failed}},
		},
		"by application": {
			[]emulator.CallbackRecord{
				{Time: at(2 * time.Minute), Result: failed, App: "a", Stream: "s"}, {Time: at(time.Minute), Result: failed, App: "b", Stream: "s"}, {Time: at(time.Minute), App: "a"},
			}, live.Query{AppName: "a"},
			live.Counts{Failed: 1, Total: 2, Last: &live.Failure{Time: at(2 * time.Minute), AppName: "a", StreamName: "s", Reason: failed}},
		},
		"by stream": {
			[]emulator.CallbackRecord{
				{Time: at(2 * time.Minute), Result: failed, App: "a", Stream: "s 1&x=%"}, {Time: at(time.Minute), Result: failed, App: "a", Stream: "s2"},
			}, live.Query{AppName: "a", StreamName: "s 1&x=%"},
			live.Counts{Failed: 1, Total: 1, Last: &live.Failure{Time: at(2 * time.Minute), AppName: "a", StreamName: "s 1&x=%", Reason: failed}},
		},
	}
	for name, tc := range cases {
		for family, f := range families {
			t.Run(name+", "+family, func(t *testing.T) {
				t.Parallel()
				c := newCloud(t, emulator.Switches{})
				records := append([]emulator.CallbackRecord{{Result: failed}}, tc.records...)
				for i := range records {
					records[i].Domain = f.domain
				}
				records[0].Domain = "other.example.com"
				c.AddRecords(f.records(records))
				q := tc.query
				if q.Start.IsZero() {
					q.Start = at(time.Hour)
				}
				if q.End.IsZero() {
					q.End = now.Add(2 * time.Second)
				}
				got, err := f.count(t.Context(), c.client, q)
				if err != nil {
					t.Fatal(err)
				}
				check(t, "end", got.End.Equal(q.End), true)
				if diff := cmp.Diff(tc.want, got, sameCounts); diff != "" {
					t.Errorf("counts (-want +got):\n%s", diff)
				}
				check(t, "calls", c.actions(), f.action+" "+f.action)
			})
		}
	}
}

// Recordings that go to VOD count like those that go to OSS.
func TestCountAllStorage(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	c.AddRecords(emulator.Records{Record: []emulator.CallbackRecord{
		{Domain: play, Storage: "oss"}, {Domain: play, Storage: "vod", Result: emulator.ResultFailed},
	}})
	got, err := live.Record{Client: c.client}.Count(t.Context(), play, lastHour(), live.Counts{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "failed", got.Failed, 1)
	check(t, "total", got.Total, 2)
}

// A reply without the total is no zero, in neither of the two requests.
func TestCountWithoutTotal(t *testing.T) {
	t.Parallel()
	withoutTotal(t, `{"RequestId":"REQ-1","NotifyRecordsInfo":{"LiveStreamNotifyRecordsInfo":[{"NotifyType":"publish"}]},"CallbackList":[{"NotifyType":"file_created"}]}`)
}

// Less than none is no total either.
func TestCountNegativeTotal(t *testing.T) {
	t.Parallel()
	withoutTotal(t, `{"RequestId":"REQ-1","TotalNum":-1}`)
}

func withoutTotal(t *testing.T, without string) {
	t.Helper()
	for family, f := range families {
		for request, faults := range map[string][]emulator.Fault{
			"for failures": {{Body: without, Times: 1}},
			"for all":      {{Latency: time.Nanosecond, Times: 1}, {Body: without, Times: 1}},
		} {
			t.Run(request+", "+family, func(t *testing.T) {
				t.Parallel()
				c := newCloud(t, emulator.Switches{})
				for _, fault := range faults {
					c.Inject(fault)
				}
				got, err := f.count(t.Context(), c.client, lastHour())
				failure(t, err, live.Unavailable, malformed)
				if diff := cmp.Diff(live.Counts{}, got, cmpopts.IgnoreUnexported(live.Counts{})); diff != "" {
					t.Errorf("counts (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// Odd records do not spoil the counts.
func TestCountOddRecords(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		records string
		want    live.Counts
	}{
		"a time that is none":   {`[{"NotifyTime":"yesterday","StreamName":"s"}]`, live.Counts{Failed: 3, Total: 3, Last: &live.Failure{StreamName: "s"}}},
		"no fields at all":      {`[{}]`, live.Counts{Failed: 3, Total: 3, Last: &live.Failure{}}},
		"records that are null": {`[null,{"StreamName":"s"},null]`, live.Counts{Failed: 3, Total: 3, Last: &live.Failure{StreamName: "s"}}},
		"no records":            {`[]`, live.Counts{Failed: 3, Total: 3}},
		"records missing":       {`null`, live.Counts{Failed: 3, Total: 3}},
		"another time zone": {
			`[{"NotifyTime":"2026-01-02T11:04:05+08:00"},{"NotifyTime":"2026-01-02T03:04:04Z"}]`,
			live.Counts{Failed: 3, Total: 3, Last: &live.Failure{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := against(t, body(200, `{"RequestId":"REQ-1","Code":0,"Msg":"ok","TotalNum":3,"CallbackList":`+tc.records+
				`,"NotifyRecordsInfo":{"LiveStreamNotifyRecordsInfo":`+tc.records+`}}`))
			for family, f := range families {
				got, err := f.count(t.Context(), c, lastHour())
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tc.want, got, sameCounts); diff != "" {
					t.Errorf("counts of the %s family (-want +got):\n%s", family, diff)
				}
			}
		})
	}
}

// What the receiver knows to have refused is what Count says.
func TestCountAgreesWithDeliveries(t *testing.T) {
	t.Parallel()
	receiver := serve(t, func(w http.ResponseWriter, r *http.Request) {
		// Ingest callbacks name the stream in the query, those of recordings in
		// the path, which is the test's doing.
		if strings.HasPrefix(r.URL.Query().Get("id"), "bad") || r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	c := newCloud(t, emulator.Switches{})
	streams, recordings := live.Stream{Client: c.client}, live.Record{Client: c.client}
	if err := streams.Put(t.Context(), live.LaneUser, push, live.StreamConfig{}, live.StreamConfig{NotifyURL: receiver, Authentication: true, AuthKey: key}); err != nil {
		t.Fatal(err)
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 6 {
		do(c.StartStream(push, "app", fmt.Sprintf("good-%d", i)))
	}
	for i := range 3 {
		do(c.StartStream(push, "app", fmt.Sprintf("bad-%d", i)))
		do(c.StopStream(push, "app", fmt.Sprintf("bad-%d", i)))
	}
	have := live.RecordConfig{}
	for path, n := range map[string]int{"/good": 5, "/bad": 2} {
		want := live.RecordConfig{NotifyURL: receiver + path}
		do(recordings.Put(t.Context(), live.LaneUser, play, have, want))
		for range n {
			do(c.Record(play, "app", "s", "file_created"))
		}
		c.Wait()
		have = want
	}
	c.Wait()

	got, err := streams.Count(t.Context(), push, lastHour(), live.Counts{})
	do(err)
	check(t, "failed ingest callbacks", got.Failed, 6)
	check(t, "all ingest callbacks", got.Total, 12)
	if got.Last == nil || !strings.HasPrefix(got.Last.StreamName, "bad-") || !strings.HasPrefix(got.Last.URL, receiver) || got.Last.Time.IsZero() {
		t.Errorf("last failed ingest callback: got %+v", got.Last)
	}
	got, err = recordings.Count(t.Context(), play, lastHour(), live.Counts{})
	do(err)
	check(t, "failed recording callbacks", got.Failed, 2)
	check(t, "all recording callbacks", got.Total, 7)
	if got.Last == nil || got.Last.Type != "file_created" || !strings.Contains(got.Last.Reason, "500") {
		t.Errorf("last failed recording callback: got %+v", got.Last)
	}
}
