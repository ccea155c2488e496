// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

const app = "app-1"

// TestMPUCountReadsOnlyWhatIsNew: with a million records in the window and 200
// since the last count, which is all that a restarted operator knows of, the new ones are
// read, and those of the last 100 s before: four pages, and one that is not full for each
// of three buckets.
func TestMPUCountReadsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	const million = 1_000_000
	const window = 167 * time.Hour
	c := newCloud(t, emulator.Switches{})
	c.AddApp("", app)
	now := time.Now().Truncate(time.Second)
	last := now.Add(-5 * time.Minute)
	const step = (window - time.Hour) / million
	records := make([]emulator.MPURecord, 0, million+200)
	for i := range million {
		records = append(records, emulator.MPURecord{AppID: app, Time: last.Add(-time.Duration(million-i) * step)})
	}
	for i := range 200 {
		code := 200
		if i%10 == 0 {
			code = 503
		}
		records = append(records, emulator.MPURecord{AppID: app, Time: last.Add(time.Duration(i) * time.Second), HTTPCode: code, CallbackURL: hook})
	}
	c.AddRecords(emulator.Records{MPU: records})

	// The records of the last minute before are read again.
	var again int64
	for _, r := range records[:million] {
		if !r.Time.Before(last.Add(-time.Minute)) {
			again++
		}
	}
	before := live.Counts{End: last, Total: million, Buckets: []live.Bucket{
		{Start: last.Add(-time.Hour), Total: million - again}, {Start: last.Add(-time.Minute), Total: again},
	}}
	got, err := live.NewMPU(c.client).Count(t.Context(), app, live.Query{Window: window}, before)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "total", got.Total, int64(million+200))
	check(t, "failed", got.Failed, int64(20))
	check(t, "status of the last failure", got.Last.HTTPStatus, int32(503))
	check(t, "URL of the last failure", got.Last.URL, hook)
	check(t, "time of the last failure", got.Last.Time.Equal(last.Add(190*time.Second)), true)
	if n := c.CallCount(); n > 7 {
		t.Errorf("%d pages were read", n)
	}
}

// A page of which something is not known, or that says that there are more and has
// nothing, says nothing.
func TestMPUCountOfContradictions(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]string{
		"a record that is null":        `"HasMore":false,"Logs":[{"MsgId":"m","HTTPCode":"200","Time":"2026-01-01T00:00:00Z"},null]`,
		"a record without a time":      `"HasMore":false,"Logs":[{"MsgId":"m","HTTPCode":"500"}]`,
		"a time that cannot be read":   `"HasMore":false,"Logs":[{"MsgId":"m","HTTPCode":"500","Time":"yesterday"}]`,
		"more, and no record":          `"Count":0,"HasMore":true,"Logs":[]`,
		"more, and no list of records": `"Count":0,"HasMore":true`,
	} {
		c := against(t, body(200, `{"RequestId":"REQ-1",`+page+`}`))
		if _, err := live.NewMPU(c).Count(t.Context(), app, lastHour, live.Counts{}); err == nil {
			t.Errorf("%s: was counted", name)
		} else {
			failure(t, err, live.Unavailable, malformed)
		}
	}
}

func TestMPUPutNeverOverwrites(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	c.AddApp("", app)
	c.SetMPUSub(app, emulator.MPUSub{SubID: "Sub-1", CallbackURL: hook})
	err := live.NewMPU(c.client).Put(t.Context(), quota.User, app, live.MPUConfig{}, live.MPUConfig{CallbackURL: hook + "/other"}, false)
	check(t, "class", live.ClassOf(err), live.Exists)
	sub, _ := c.MPUSub(app)
	check(t, "URL", sub.CallbackURL, hook)
}

// Where the reply to a write means one thing or another, and the look that would
// tell fails, the failure to look is what is told: it may pass by itself.
func TestMPUUnknownIsNotTerminal(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(*cloud) error{
		"delete of nothing": func(c *cloud) error {
			return live.NewMPU(c.client).Delete(t.Context(), quota.User, app)
		},
		"create where there is one": func(c *cloud) error {
			c.SetMPUSub(app, emulator.MPUSub{CallbackURL: hook})
			return live.NewMPU(c.client).Put(t.Context(), quota.User, app, live.MPUConfig{}, live.MPUConfig{CallbackURL: hook2}, false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, emulator.Switches{})
			c.AddApp("", app)
			c.Inject(emulator.Fault{Action: "DescribeRtcMPUEventSub", Code: "InternalError", Status: 500})
			check(t, "class", live.ClassOf(call(c)), live.Unavailable)
		})
	}
}
