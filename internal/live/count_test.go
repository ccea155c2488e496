// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

// families are those that count by domain.
var families = map[string]struct {
	domain, action string
	count          func(context.Context, *live.Client, live.Query) (live.Counts, error)
	deliveries     func(context.Context, *live.Client, live.Span) ([]live.Delivery, int, error)
	records        func([]emulator.CallbackRecord) emulator.Records
}{
	"stream": {
		push, "DescribeLiveStreamsNotifyRecords",
		func(ctx context.Context, c *live.Client, q live.Query) (live.Counts, error) {
			return live.NewStream(c).Count(ctx, push, q, live.Counts{})
		},
		func(ctx context.Context, c *live.Client, q live.Span) ([]live.Delivery, int, error) {
			return live.NewStream(c).Deliveries(ctx, push, q, 1)
		},
		func(r []emulator.CallbackRecord) emulator.Records { return emulator.Records{Stream: r} },
	},
	"record": {
		play, "DescribeLiveRecordNotifyRecords",
		func(ctx context.Context, c *live.Client, q live.Query) (live.Counts, error) {
			return live.NewRecord(c).Count(ctx, play, q, live.Counts{})
		},
		func(ctx context.Context, c *live.Client, q live.Span) ([]live.Delivery, int, error) {
			return live.NewRecord(c).Deliveries(ctx, play, q, 1)
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
		query   live.Query
		want    live.Counts
	}{
		"nothing":  {nil, lastHour, live.Counts{}},
		"all well": {many(7, ok), lastHour, live.Counts{Total: 7}},
		"one of each": {
			[]emulator.CallbackRecord{
				{Time: at(2 * time.Minute), Result: ok},
				{Time: at(3 * time.Minute), Result: failed, App: "app", Stream: "s1", Type: "t", URL: hook, Description: "unexpected HTTP status 500"},
			}, lastHour,
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
			}, lastHour,
			live.Counts{Failed: 3, Total: 4, Last: &live.Failure{Time: at(4 * time.Minute), StreamName: "newest", Reason: failed}},
		},
		"more than any page holds": {
			append(many(1700, ok), many(800, failed)...), lastHour,
			live.Counts{Failed: 800, Total: 2500, Last: &live.Failure{Time: at(time.Minute), URL: hook, Reason: failed}},
		},
		"only the window": {
			[]emulator.CallbackRecord{
				{Time: at(3 * time.Hour), Result: failed}, {Time: at(2 * time.Hour), Result: failed, Stream: "s"}, {Time: at(30 * time.Minute), Result: failed},
			}, live.Query{Window: time.Hour + 59*time.Minute},
			live.Counts{Failed: 1, Total: 1, Last: &live.Failure{Time: at(30 * time.Minute), Reason: failed}},
		},
		"the longest window": {
			[]emulator.CallbackRecord{{Time: at(166 * time.Hour), Result: failed}}, live.Query{Window: 167 * time.Hour},
			live.Counts{Failed: 1, Total: 1, Last: &live.Failure{Time: at(166 * time.Hour), Reason: failed}},
		},
		"by application": {
			[]emulator.CallbackRecord{
				{Time: at(2 * time.Minute), Result: failed, App: "a", Stream: "s"}, {Time: at(time.Minute), Result: failed, App: "b", Stream: "s"}, {Time: at(time.Minute), App: "a"},
			}, live.Query{Window: time.Hour, AppName: "a"},
			live.Counts{Failed: 1, Total: 2, Last: &live.Failure{Time: at(2 * time.Minute), AppName: "a", StreamName: "s", Reason: failed}},
		},
		"by stream": {
			[]emulator.CallbackRecord{
				{Time: at(2 * time.Minute), Result: failed, App: "a", Stream: "s 1&x=%"}, {Time: at(time.Minute), Result: failed, App: "a", Stream: "s2"},
			}, live.Query{Window: time.Hour, AppName: "a", StreamName: "s 1&x=%"},
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
				got, err := f.count(t.Context(), c.client, tc.query)
				if err != nil {
					t.Fatal(err)
				}
				if got.End.Before(now) || got.End.Nanosecond() != 0 || got.End.After(time.Now()) {
					t.Errorf("the window ends at %s", got.End)
				}
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
	at := time.Now().Add(-time.Minute)
	c.AddRecords(emulator.Records{Record: []emulator.CallbackRecord{
		{Time: at, Domain: play, Storage: "oss"}, {Time: at, Domain: play, Storage: "vod", Result: emulator.ResultFailed},
	}})
	got, err := live.NewRecord(c.client).Count(t.Context(), play, lastHour, live.Counts{})
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
				got, err := f.count(t.Context(), c.client, lastHour)
				failure(t, err, live.Unavailable, malformed)
				if diff := cmp.Diff(live.Counts{}, got, cmpopts.IgnoreUnexported(live.Counts{})); diff != "" {
					t.Errorf("counts (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// A list does not say how many there are in all: nobody knows where it ends.
func TestListWithoutTotal(t *testing.T) {
	t.Parallel()
	for list, read := range map[string]func(ctx context.Context, c *live.Client) error{
		"deliveries of a stream": func(ctx context.Context, c *live.Client) error {
			_, _, err := live.NewStream(c).Deliveries(ctx, push, live.Span{}, 1)
			return err
		},
		"deliveries of a recording": func(ctx context.Context, c *live.Client) error {
			_, _, err := live.NewRecord(c).Deliveries(ctx, play, live.Span{}, 1)
			return err
		},
		"domains": func(ctx context.Context, c *live.Client) error {
			_, _, err := c.Domains(ctx, live.IngestType, 1)
			return err
		},
	} {
		for what, body := range map[string]string{
			"none":     `{"RequestId":"REQ-1"}`,
			"negative": `{"RequestId":"REQ-1","TotalNum":-1,"TotalCount":-1}`,
		} {
			t.Run(list+", "+what, func(t *testing.T) {
				t.Parallel()
				c := newCloud(t, emulator.Switches{})
				c.Inject(emulator.Fault{Body: body, Times: 1})
				failure(t, read(t.Context(), c.client), live.Unavailable, malformed)
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
		"a time that is none": {`[{"NotifyTime":"yesterday","StreamName":"s"}]`, live.Counts{Failed: 3, Total: 3, Last: &live.Failure{StreamName: "s"}}},
		"no fields at all":    {`[{}]`, live.Counts{Failed: 3, Total: 3, Last: &live.Failure{}}},
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
				got, err := f.count(t.Context(), c, lastHour)
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

// A reply that contradicts itself, or what was asked for, says nothing, whatever it is
// about: counts, a watch of a change, or a list.
func TestCountOfContradictions(t *testing.T) {
	t.Parallel()
	watch := live.Query{Watch: &live.Watch{Since: time.Now().Add(-time.Minute), To: []string{hook}}}
	for name, reply := range map[string]string{
		"a total and no records":                 `"TotalNum":5,"L":[]`,
		"a total and records that are not there": `"TotalNum":5,"L":null`,
		"more records than the total":            `"TotalNum":0,"L":[{"NotifyResult":"failed"},{"NotifyResult":"failed"}]`,
		"one record more than the total":         `"TotalNum":1,"L":[{},{}]`,
		"a record that is null":                  `"TotalNum":3,"L":[{"NotifyResult":"failed"},null,{"NotifyResult":"failed"}]`,
		"a success among failures":               `"TotalNum":2,"L":[{"NotifyResult":"failed"},{"NotifyResult":"success"}]`,
		"a success in another spelling":          `"TotalNum":1,"L":[{"NotifyResult":" OK"}]`,
	} {
		for family, f := range families {
			t.Run(name+", "+family, func(t *testing.T) {
				t.Parallel()
				list := strings.Replace(reply, `"L"`, `"CallbackList"`, 1)
				if family == "stream" {
					list = strings.Replace(reply, `"L":`, `"NotifyRecordsInfo":{"LiveStreamNotifyRecordsInfo":`, 1) + "}"
				}
				c := against(t, body(200, `{"RequestId":"R",`+list+`}`))
				for _, q := range []live.Query{lastHour, watch} {
					_, err := f.count(t.Context(), c, q)
					failure(t, err, live.Unavailable, malformed)
				}
				_, _, err := f.deliveries(t.Context(), c, live.Span{FailedOnly: true})
				failure(t, err, live.Unavailable, malformed)
			})
		}
	}
}

// The order of records is not documented. Whichever it is, and however many there
// are on a page, the newest failure is found, with a third request at most; in no
// order at all it is that of the pages that were looked at.
func TestCountFindsTheNewest(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	for _, order := range []string{"newest first", "oldest first", "shuffled", "all at one time"} {
		for _, n := range []int{1, 2, 49, 50, 51, 99, 100, 101, 151, 1234} {
			for _, most := range []int{500, 20} { // what the cloud makes of the size of a page
				t.Run(fmt.Sprint(n, " ", order, ", pages of ", most), func(t *testing.T) {
					t.Parallel()
					records := make([]time.Time, n)
					for i := range records {
						records[i] = now.Add(-time.Duration(i+60) * time.Second)
					}
					switch order {
					case "oldest first":
						slices.Reverse(records)
					case "shuffled":
						rand.New(rand.NewPCG(1, uint64(n))).Shuffle(n, func(i, j int) { records[i], records[j] = records[j], records[i] })
					case "all at one time":
						for i := range records {
							records[i] = now.Add(-time.Minute)
						}
					}
					for family, f := range families {
						list := &listing{records: records, most: most}
						got, err := f.count(t.Context(), against(t, list.ServeHTTP), lastHour)
						if err != nil {
							t.Fatal(err)
						}
						if got.Failed != int64(n) || got.Total != int64(n) || got.AtLeast {
							t.Errorf("%s: got %d of %d failed", family, got.Failed, got.Total)
						}
						if got.Last == nil || !got.Last.Time.Equal(list.newest) || order != "shuffled" && !got.Last.Time.Equal(now.Add(-time.Minute)) {
							t.Errorf("%s: last failure %v, the newest that was shown is %s", family, got.Last, list.newest)
						}
						want := 2
						if n > min(most, 50) && order != "newest first" {
							want = 3
						}
						check(t, family+": requests", list.requests, want)
					}
				})
			}
		}
	}
}

// listing is a list of failed callbacks in an order of its own.
type listing struct {
	records  []time.Time
	most     int
	requests int
	newest   time.Time // of the failures that were shown
}

// ServeHTTP answers a request with a page.
func (l *listing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.requests++
	number := func(name string) int {
		n, _ := strconv.Atoi(r.URL.Query().Get(name))
		return n
	}
	size := min(number("PageSize"), l.most)
	from := min((max(number("PageNumber"), 1)-1)*size, len(l.records))
	var page []string
	for _, at := range l.records[from:min(from+size, len(l.records))] {
		page = append(page, `{"NotifyTime":"`+at.Format(time.RFC3339)+`"}`)
		if r.URL.Query().Get("Status") == "failed" && at.After(l.newest) {
			l.newest = at
		}
	}
	list := "[" + strings.Join(page, ",") + "]"
	_, _ = fmt.Fprintf(w, `{"RequestId":"R","TotalNum":%d,"CallbackList":%s,"NotifyRecordsInfo":{"LiveStreamNotifyRecordsInfo":%s}}`, len(l.records), list, list)
}

// What a record says is bounded, and says no key.
func TestCountIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x y ", 5_000)
	record := `{"NotifyTime":"9999-12-31T23:59:59-23:59","NotifyUrl":"` + long + `","NotifyType":"` + long + `","AppName":"` + long + `","StreamName":"` + long + `","Description":"` + key + " " + long + `"}`
	for family, f := range families {
		body := `{"RequestId":"R","TotalNum":2147483647,"CallbackList":[` + record + `]}`
		if family == "stream" {
			body = `{"RequestId":"R","TotalNum":2147483647,"NotifyRecordsInfo":{"LiveStreamNotifyRecordsInfo":[` + record + `]}}`
		}
		got, err := f.count(t.Context(), against(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, body) }), lastHour)
		if err != nil {
			t.Fatal(err)
		}
		last := got.Last
		if n := len(last.URL) + len(last.Type) + len(last.AppName) + len(last.StreamName) + len(last.Reason); n > 2083+64+2*256+300 || !last.Time.IsZero() {
			t.Errorf("%d bytes are kept, at %s", n, last.Time)
		}
		if strings.Contains(last.Reason, key) {
			t.Errorf("the key is in %q", last.Reason)
		}
	}
}

// A count that fails keeps what was counted before.
func TestCountFailsAndKeepsWhatWas(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	c.Inject(emulator.Fault{Code: "InternalError", Status: 500})
	before := live.Counts{End: time.Now(), Failed: 1, Total: 2, Last: &live.Failure{Reason: "r"}}
	got, err := live.NewStream(c.client).Count(t.Context(), push, lastHour, before)
	check(t, "class", live.ClassOf(err), live.Unavailable)
	check(t, "counts", got, before)
}

// What the receiver knows to have refused is what Count says.
func TestCountAgreesWithDeliveries(t *testing.T) {
	t.Parallel()
	receiver := listen(t, func(w http.ResponseWriter, r *http.Request) {
		// Ingest callbacks name the stream in the query, those of recordings in
		// the path, which is the test's doing.
		if strings.HasPrefix(r.URL.Query().Get("id"), "bad") || r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	c := newCloud(t, emulator.Switches{})
	c.behind.Store(int64(time.Minute)) // what the cloud sends, it sends a minute ago
	streams, recordings := live.NewStream(c.client), live.NewRecord(c.client)
	if err := streams.Put(t.Context(), quota.User, push, live.StreamConfig{}, live.StreamConfig{NotifyURL: receiver, Authentication: true, AuthKey: key}, false); err != nil {
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
		do(recordings.Put(t.Context(), quota.User, play, have, want, true))
		for range n {
			do(c.Record(play, "app", "s", "file_created"))
		}
		c.Wait()
		have = want
	}
	c.Wait()
	c.behind.Store(0)
	_, err := streams.Get(t.Context(), quota.Sync, push) // tells the client the cloud's time
	do(err)

	got, err := streams.Count(t.Context(), push, lastHour, live.Counts{})
	do(err)
	check(t, "failed ingest callbacks", got.Failed, 6)
	check(t, "all ingest callbacks", got.Total, 12)
	if got.Last == nil || !strings.HasPrefix(got.Last.StreamName, "bad-") || !strings.HasPrefix(got.Last.URL, receiver) || got.Last.Time.IsZero() {
		t.Errorf("last failed ingest callback: got %+v", got.Last)
	}
	got, err = recordings.Count(t.Context(), play, lastHour, live.Counts{})
	do(err)
	check(t, "failed recording callbacks", got.Failed, 2)
	check(t, "all recording callbacks", got.Total, 7)
	if got.Last == nil || got.Last.Type != "file_created" || !strings.Contains(got.Last.Reason, "500") {
		t.Errorf("last failed recording callback: got %+v", got.Last)
	}
}
