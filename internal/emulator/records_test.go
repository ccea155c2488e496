// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	stdcmp "cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
	"github.com/google/go-cmp/cmp"
)

// TestStreamRecords pages through planted records with the official client. The record n is n minutes old; the even
// ones failed, and every third is of another application.
func TestStreamRecords(t *testing.T) {
	clk := newSDKClock()
	c := newCloud(t, Options{Now: clk.now})
	var planted []CallbackRecord
	for n := 1; n <= 50; n++ {
		r := CallbackRecord{
			Domain: push, App: "live", Stream: fmt.Sprint(n), Type: "publish",
			Time: clk.now().Add(-time.Duration(n) * time.Minute),
		}
		if n%2 == 0 {
			r.Result = ResultFailed
		}
		if n%3 == 0 {
			r.App = "other"
		}
		planted = append(planted, r)
	}
	c.AddRecords(Records{Stream: planted})
	client := c.sdk()

	type page struct {
		Num, Size, Total, Pages int32
		Streams                 []string
	}
	minutesAgo := func(n int) *string {
		return new(clk.now().Add(-time.Duration(n) * time.Minute).Format(timeFormat))
	}
	cases := map[string]struct {
		request sdk.DescribeLiveStreamsNotifyRecordsRequest
		want    page
	}{
		"newest first, 20 on a page": {
			sdk.DescribeLiveStreamsNotifyRecordsRequest{},
			page{1, 20, 50, 3, numbers(1, 20)},
		},
		"the last page is shorter": {
			sdk.DescribeLiveStreamsNotifyRecordsRequest{PageNumber: new(int32(3))},
			page{3, 20, 50, 3, numbers(41, 50)},
		},
		"beyond the last page is nothing": {
			sdk.DescribeLiveStreamsNotifyRecordsRequest{PageNumber: new(int32(4))},
			page{4, 20, 50, 3, nil},
		},
		"a page of one, with the total of failures": {
			sdk.DescribeLiveStreamsNotifyRecordsRequest{Status: new("failed"), PageSize: new(int32(1))},
			page{1, 1, 25, 25, []string{"2"}},
		},
		"the second page of a filter": {
			sdk.DescribeLiveStreamsNotifyRecordsRequest{
				Status: new("success"), AppName: new("other"), PageSize: new(int32(3)), PageNumber: new(int32(2)),
			},
			page{2, 3, 8, 3, []string{"21", "27", "33"}},
		},
		"one stream": {
			sdk.DescribeLiveStreamsNotifyRecordsRequest{StreamName: new("7")},
			page{1, 20, 1, 1, []string{"7"}},
		},
		"a span includes its start and not its end": {
			sdk.DescribeLiveStreamsNotifyRecordsRequest{StartTime: minutesAgo(10), EndTime: minutesAgo(5)},
			page{1, 20, 5, 1, numbers(6, 10)},
		},
		"a span without records": {
			sdk.DescribeLiveStreamsNotifyRecordsRequest{StartTime: minutesAgo(200), EndTime: minutesAgo(100)},
			page{1, 20, 0, 0, nil},
		},
		"as many as a page may hold": {
			sdk.DescribeLiveStreamsNotifyRecordsRequest{PageSize: new(int32(500))},
			page{1, 500, 50, 1, numbers(1, 50)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.request.DomainName = new(push)
			if tc.request.StartTime == nil {
				tc.request.StartTime, tc.request.EndTime = minutesAgo(60), minutesAgo(0)
			}
			reply, err := client.DescribeLiveStreamsNotifyRecords(&tc.request)
			if err != nil {
				t.Fatal(err)
			}
			b := reply.Body
			got := page{Num: *b.PageNum, Size: *b.PageSize, Total: *b.TotalNum, Pages: *b.TotalPage}
			for _, r := range b.NotifyRecordsInfo.LiveStreamNotifyRecordsInfo {
				got.Streams = append(got.Streams, *r.StreamName)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("page (-want +got):\n%s", diff)
			}
		})
	}
}

// numbers lists the numbers between two, both included.
func numbers(first, last int) []string {
	var list []string
	for n := first; n <= last; n++ {
		list = append(list, fmt.Sprint(n))
	}
	return list
}

func TestRecordRecords(t *testing.T) {
	clk := newSDKClock()
	c := newCloud(t, Options{Now: clk.now})
	at := clk.now().Add(-time.Minute)
	c.AddRecords(Records{Record: []CallbackRecord{
		{Domain: play, Time: at, App: "a", Stream: "s", Type: "file_created", URL: "http://u", Content: "{}", Response: "r"},
		{Domain: play, Time: at.Add(time.Second), Stream: "vod", Storage: "vod"},
	}})
	cases := map[string]struct {
		storage *string
		want    []string
	}{
		"only OSS unsaid": {nil, []string{"s"}},
		"OSS":             {new("oss"), []string{"s"}},
		"VOD":             {new("vod"), []string{"vod"}},
		"all":             {new("all"), []string{"vod", "s"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			reply, err := c.sdk().DescribeLiveRecordNotifyRecords(&sdk.DescribeLiveRecordNotifyRecordsRequest{
				DomainName: new(play), StorageType: tc.storage, PageSize: new(int64(10)), PageNumber: new(int64(1)),
				StartTime: new(at.Format(timeFormat)), EndTime: new(clk.now().Format(timeFormat)),
			})
			if err != nil {
				t.Fatal(err)
			}
			if *reply.Body.Code != 0 || *reply.Body.Msg != "ok" || int(*reply.Body.TotalNum) != len(tc.want) {
				t.Errorf("body is %v", reply.Body)
			}
			var got []string
			for _, r := range reply.Body.CallbackList {
				got = append(got, *r.StreamName)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("streams (-want +got):\n%s", diff)
			}
		})
	}

	got := c.post("DescribeLiveRecordNotifyRecords", "DomainName", play, "PageSize", "1", "PageNumber", "1",
		"StartTime", at.Format(timeFormat), "EndTime", clk.now().Format(timeFormat))
	list, _ := got.body["CallbackList"].([]any)
	want := []any{map[string]any{
		"DomainName": play, "AppName": "a", "StreamName": "s", "NotifyType": "file_created",
		"NotifyTime": at.Format(timeFormat), "NotifyUrl": "http://u", "NotifyContent": "{}", "NotifyResult": "success",
		"Description": "success", "NotifyResponse": "r", "NotifyHeader": "", "StorageType": "oss",
	}}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

// TestMPURecords pages through records that have no total.
func TestMPURecords(t *testing.T) {
	clk := newSDKClock()
	c := newCloud(t, Options{Now: clk.now})
	c.SetMPUSub(appID, MPUSub{SubID: "Sub-1", CallbackURL: "http://u"})
	var planted []MPURecord
	for n := 1; n <= 5; n++ {
		planted = append(planted, MPURecord{
			AppID: appID, MsgID: fmt.Sprint(n), Time: clk.now().Add(-time.Duration(n) * time.Minute),
			Data: `{"n":1}`, Cost: 1500 * time.Microsecond,
		})
	}
	planted[4].SubID, planted[4].HTTPCode = "Sub-0", 500
	c.AddRecords(Records{MPU: planted})

	type page struct {
		Count   int64
		HasMore bool
		IDs     []string
	}
	cases := map[string]struct {
		number, size int32
		sub          *string
		want         page
	}{
		"the first page":                 {1, 2, nil, page{2, true, numbers(1, 2)}},
		"the second page":                {2, 2, nil, page{2, true, numbers(3, 4)}},
		"the last page":                  {3, 2, nil, page{1, false, numbers(5, 5)}},
		"beyond the last page":           {4, 2, nil, page{0, false, nil}},
		"a page that holds exactly all":  {1, 5, nil, page{5, false, numbers(1, 5)}},
		"of one subscription":            {1, 100, new("Sub-0"), page{1, false, numbers(5, 5)}},
		"more of one subscription":       {2, 2, new("Sub-1"), page{2, false, numbers(3, 4)}},
		"of a subscription that was not": {1, 2, new("Sub-2"), page{0, false, nil}},
	}
	client := c.sdk()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			reply, err := client.ListRtcMPUEventSubRecord(&sdk.ListRtcMPUEventSubRecordRequest{
				AppId: new(appID), PageNo: new(tc.number), PageSize: new(tc.size), SubId: tc.sub,
				StartTime: new(clk.now().Add(-time.Hour).Format(timeFormat)), EndTime: new(clk.now().Format(timeFormat)),
			})
			if err != nil {
				t.Fatal(err)
			}
			got := page{Count: *reply.Body.Count, HasMore: *reply.Body.HasMore}
			for _, m := range reply.Body.Logs {
				got.IDs = append(got.IDs, *m.MsgId)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("page (-want +got):\n%s", diff)
			}
		})
	}

	got := c.post("ListRtcMPUEventSubRecord", "AppId", appID, "PageNo", "1", "PageSize", "1",
		"StartTime", clk.now().Add(-time.Hour).Format(timeFormat), "EndTime", clk.now().Format(timeFormat))
	want := []any{map[string]any{
		"AppId": appID, "SubId": "Sub-1", "MsgId": "1", "Data": `{"n":1}`, "CallbackUrl": "http://u",
		"Time": clk.now().Add(-time.Minute).Format(timeFormat), "Cost": 1.0, "HTTPCode": "200",
	}}
	if diff := cmp.Diff(want, got.body["Logs"]); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// TestRecordsQueriesRefuse holds the queries of all families to their bounds.
func TestRecordsQueriesRefuse(t *testing.T) {
	const stream, record, mpu = "DescribeLiveStreamsNotifyRecords", "DescribeLiveRecordNotifyRecords",
		"ListRtcMPUEventSubRecord"
	day := func(c *cloud, n int, seconds int) string {
		return c.now().AddDate(0, 0, n).Add(time.Duration(seconds) * time.Second).Format(timeFormat)
	}
	cases := map[string]struct {
		name, value      string
		offset           int // days from now, instead of the value
		seconds          int // and seconds
		stream, rec, mpu string
	}{
		"nothing at all":            {},
		"a start without time":      {name: "StartTime", value: "2026-01-01", stream: "InvalidStartTime.Malformed", rec: "InvalidStartTime.Malformed", mpu: "InvalidParam"},
		"an end in another format":  {name: "EndTime", value: "1767323045", stream: "InvalidEndTime.Malformed", rec: "InvalidEndTime.Malformed", mpu: "InvalidParam"},
		"an end before the start":   {name: "EndTime", offset: -3, stream: "InvalidEndTime.Mismatch", rec: "InvalidEndTime.Mismatch", mpu: "InvalidParam"},
		"nothing: 7 days":           {name: "StartTime", offset: -7},
		"more than 7 days":          {name: "StartTime", offset: -7, seconds: -1, stream: "Duration.Exceed", rec: "Duration.Exceed", mpu: "InvalidParam"},
		"a page of none":            {name: "PageSize", value: "0", stream: "InvalidParam", rec: "InvalidParam", mpu: "InvalidParam"},
		"nothing: a page of 100":    {name: "PageSize", value: "100"},
		"a page of 101":             {name: "PageSize", value: "101", mpu: "InvalidParam"},
		"a page of 501":             {name: "PageSize", value: "501", stream: "InvalidParam", rec: "InvalidParam", mpu: "InvalidParam"},
		"a page of words":           {name: "PageSize", value: "ten", stream: "InvalidParam", rec: "InvalidParam", mpu: "InvalidParam"},
		"page 0":                    {name: "PageNumber", value: "0", stream: "InvalidParam", rec: "InvalidParam"},
		"page 100001":               {name: "PageNumber", value: "100001", stream: "InvalidParam", rec: "InvalidParam"},
		"page 0 of relay events":    {name: "PageNo", value: "0", mpu: "InvalidParam"},
		"a status of neither":       {name: "Status", value: "ok", stream: "InvalidParam", rec: "InvalidParam"},
		"a storage there is not":    {name: "StorageType", value: "s3", rec: "InvalidParam"},
		"a domain, an app unknown":  {name: "key", value: "unknown", stream: "InvalidDomain.NotFound", rec: "InvalidDomain.NotFound", mpu: "InvalidAppId"},
		"nothing: an end to come":   {name: "EndTime", offset: 1},
		"a start with fractions":    {name: "StartTime", value: "2026-01-01T00:00:00.000Z", stream: "InvalidStartTime.Malformed", rec: "InvalidStartTime.Malformed", mpu: "InvalidParam"},
		"an end with fractions":     {name: "EndTime", value: "2026-01-02T03:04:05,5Z", stream: "InvalidEndTime.Malformed", rec: "InvalidEndTime.Malformed", mpu: "InvalidParam"},
		"an hour of one digit":      {name: "StartTime", value: "2026-01-01T3:00:00Z", stream: "InvalidStartTime.Malformed", rec: "InvalidStartTime.Malformed", mpu: "InvalidParam"},
		"a start with milliseconds": {name: "StartTime", value: "2026-01-01T00:00:00.000", stream: "InvalidStartTime.Malformed", rec: "InvalidStartTime.Malformed", mpu: "InvalidParam"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{Now: newClock().now})
			if tc.value == "" {
				tc.value = day(c, tc.offset, tc.seconds)
			}
			call := func(action, keyParam, key string) string {
				params := map[string]string{
					keyParam: key, "StartTime": day(c, -2, 0), "EndTime": day(c, 0, 0),
					"PageSize": "10", "PageNumber": "1", "PageNo": "1",
				}
				switch tc.name {
				case "":
				case "key":
					params[keyParam] = tc.value
				default:
					params[tc.name] = tc.value
				}
				var pairs []string
				for name, value := range params {
					pairs = append(pairs, name, value)
				}
				return c.post(action, pairs...).code()
			}
			got := []string{call(stream, "DomainName", push), call(record, "DomainName", play), call(mpu, "AppId", appID)}
			if diff := cmp.Diff([]string{tc.stream, tc.rec, tc.mpu}, got); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRecordsOrder pages through records in each order, and finds each record once.
func TestRecordsOrder(t *testing.T) {
	clk := newClock()
	c := newCloud(t, Options{Now: clk.now})
	var planted []CallbackRecord
	for n := 1; n <= 40; n++ {
		at := clk.now().Add(-time.Duration(n) * time.Minute)
		planted = append(planted, CallbackRecord{Domain: push, Stream: fmt.Sprint(n), Time: at})
	}
	c.AddRecords(Records{Stream: planted})
	for i := range planted {
		planted[i].Domain = play
	}
	c.AddRecords(Records{Record: planted})
	queries := map[string]func(page string) []any{
		"stream": func(page string) []any {
			a := c.post("DescribeLiveStreamsNotifyRecords", "DomainName", push, "PageSize", "7", "PageNumber", page,
				"StartTime", clk.now().Add(-time.Hour).Format(timeFormat), "EndTime", clk.now().Format(timeFormat))
			list, _ := dig(a.body, "NotifyRecordsInfo", "LiveStreamNotifyRecordsInfo").([]any)
			return list
		},
		"record": func(page string) []any {
			a := c.post("DescribeLiveRecordNotifyRecords", "DomainName", play, "PageSize", "7", "PageNumber", page,
				"StartTime", clk.now().Add(-time.Hour).Format(timeFormat), "EndTime", clk.now().Format(timeFormat))
			list, _ := a.body["CallbackList"].([]any)
			return list
		},
	}
	newest, oldest := numbers(1, 40), numbers(1, 40)
	slices.Reverse(oldest)
	for _, order := range []string{"", OrderNewest, OrderOldest, OrderShuffled} {
		for family, query := range queries {
			t.Run(order+"/"+family, func(t *testing.T) {
				c.SetSwitches(Switches{RecordsOrder: order})
				var got []string
				for page := 1; page <= 7; page++ {
					for _, r := range query(fmt.Sprint(page)) {
						got = append(got, dig(r, "StreamName").(string))
					}
				}
				switch want := newest; order {
				case OrderShuffled:
					if slices.Equal(got, newest) || slices.Equal(got, oldest) {
						t.Error("they are sorted")
					}
					slices.SortFunc(got, func(a, b string) int {
						return stdcmp.Or(stdcmp.Compare(len(a), len(b)), stdcmp.Compare(a, b)) // as numbers
					})
					if diff := cmp.Diff(newest, got); diff != "" {
						t.Errorf("all records (-want +got):\n%s", diff)
					}
				case OrderOldest:
					want = oldest
					fallthrough
				default:
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("records (-want +got):\n%s", diff)
					}
				}
			})
		}
	}
}

// TestLargestPage asks for more than a page may hold.
func TestLargestPage(t *testing.T) {
	clk := newClock()
	cases := map[string]struct {
		switches    Switches
		size        string
		stream, mpu []any // code, how many records, PageSize
	}{
		"the documented one":            {Switches{}, "100", []any{"", 60, 100.0}, []any{"", 60, nil}},
		"more than the documented":      {Switches{}, "501", []any{"InvalidParam", 0, nil}, []any{"InvalidParam", 0, nil}},
		"more is clamped":               {Switches{ClampPageSize: true}, "501", []any{"", 60, 500.0}, []any{"", 60, nil}},
		"a lower one":                   {Switches{MaxPageSize: 50}, "50", []any{"", 50, 50.0}, []any{"", 50, nil}},
		"more than a lower one":         {Switches{MaxPageSize: 50}, "51", []any{"InvalidParam", 0, nil}, []any{"InvalidParam", 0, nil}},
		"more than a lower one, so cut": {Switches{MaxPageSize: 50, ClampPageSize: true}, "100", []any{"", 50, 50.0}, []any{"", 50, nil}},
		"one that is higher":            {Switches{MaxPageSize: 1000}, "501", []any{"InvalidParam", 0, nil}, []any{"InvalidParam", 0, nil}},
		"none is not cut":               {Switches{ClampPageSize: true}, "0", []any{"InvalidParam", 0, nil}, []any{"InvalidParam", 0, nil}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{Now: clk.now, Switches: tc.switches})
			for n := range 60 {
				at := clk.now().Add(-time.Duration(n+1) * time.Second)
				c.AddRecords(Records{Stream: []CallbackRecord{{Domain: push, Time: at}}, MPU: []MPURecord{{AppID: appID, Time: at}}})
			}
			from, to := clk.now().Add(-time.Hour).Format(timeFormat), clk.now().Format(timeFormat)
			look := func(a answer, list any) []any {
				items, _ := list.([]any)
				return []any{a.code(), len(items), a.body["PageSize"]}
			}
			stream := c.post("DescribeLiveStreamsNotifyRecords", "DomainName", push, "PageSize", tc.size,
				"StartTime", from, "EndTime", to)
			mpu := c.post("ListRtcMPUEventSubRecord", "AppId", appID, "PageSize", tc.size, "PageNo", "1",
				"StartTime", from, "EndTime", to)
			got := [][]any{
				look(stream, dig(stream.body, "NotifyRecordsInfo", "LiveStreamNotifyRecordsInfo")),
				look(mpu, mpu.body["Logs"]),
			}
			if diff := cmp.Diff([][]any{tc.stream, tc.mpu}, got); diff != "" {
				t.Errorf("pages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMandatoryParametersOfQueries(t *testing.T) {
	c := newCloud(t, Options{})
	got := []string{
		c.post("DescribeLiveStreamsNotifyRecords", "DomainName", push).code(),
		c.post("DescribeLiveRecordNotifyRecords", "DomainName", play, "StartTime", "", "EndTime", "").code(),
		c.post("ListRtcMPUEventSubRecord", "AppId", appID, "StartTime", "", "EndTime", "", "PageSize", "1").code(),
	}
	if diff := cmp.Diff([]string{"MissingStartTime", "MissingPageSize", "MissingPageNo"}, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

// TestRecordsAreSortedAndPruned adds records in any order, and lets time pass.
func TestRecordsAreSortedAndPruned(t *testing.T) {
	clk := newClock()
	start := clk.now()
	at := func(hours int) MPURecord {
		return MPURecord{AppID: appID, Time: start.Add(time.Duration(hours) * time.Hour), MsgID: fmt.Sprint(hours)}
	}
	var r records[MPURecord]
	r.add(start, []MPURecord{at(-10), at(-30), at(-20)})
	r.add(start, []MPURecord{at(-25), at(-5), at(-35)})
	r.add(start, []MPURecord{at(-7 * 24), at(-7*24 - 1)})
	ids := func() []string {
		items, _ := r.page(appID, query[MPURecord]{
			from: start.AddDate(-1, 0, 0), to: start.AddDate(1, 0, 0), now: clk.now(), size: 100, number: 1,
		})
		var list []string
		for _, m := range slices.Backward(items) {
			list = append(list, m.MsgID)
		}
		return list
	}
	want := []string{"-168", "-35", "-30", "-25", "-20", "-10", "-5"}
	if diff := cmp.Diff(want, ids()); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	clk.advance(7*24*time.Hour - 24*time.Hour)
	if diff := cmp.Diff([]string{"-20", "-10", "-5"}, ids()); diff != "" {
		t.Errorf("records six days later (-want +got):\n%s", diff)
	}
}

// BenchmarkMillionRecords plants a million relay events, and then reads the last page of them.
func BenchmarkMillionRecords(b *testing.B) {
	for b.Loop() {
		s := New(Options{})
		now := time.Now()
		planted := make([]MPURecord, 1_000_000)
		for i := range planted {
			planted[i] = MPURecord{AppID: appID, Time: now.Add(-time.Duration(i) * time.Millisecond)}
		}
		s.AddRecords(Records{MPU: planted})
		items, total := s.mpuRecords.page(appID, query[MPURecord]{
			from: now.Add(-time.Hour), to: now.Add(time.Second), now: now, size: 100, number: 10_000,
		})
		if len(items) != 100 || total != 1_000_000 {
			b.Fatal(len(items), total)
		}
		s.Close()
	}
}
