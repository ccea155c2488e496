// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package replay_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/internal/failures"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/planning"
	"github.com/live-notify/live-notify-operator/internal/replay"
)

// A publish is not sent again once the stream has stopped, also within one second, and
// also if it was recorded late, after its tries.
func TestAStoppedStreamStaysStopped(t *testing.T) {
	const second = 1_700_000_000
	content := func(action, at string) string {
		if at == "" {
			return `{"action":"` + action + `","id":"s"}`
		}
		return `{"action":"` + action + `","id":"s","time":` + at + `}`
	}
	unix := func(after int) string { return fmt.Sprintf(`"%d"`, second+after) }
	for name, tc := range map[string]struct {
		start, stop string // the time in the content
		later       int    // seconds from the record of the start to that of the stop
		want        string
	}{
		"it stopped later":                          {unix(0), unix(2), 2, replay.Skipped},
		"it stopped before":                         {unix(0), unix(-2), -2, replay.Pending},
		"in the same second":                        {unix(0), unix(0), 0, replay.Skipped},
		"in the same second, nobody says when":      {"", "", 0, replay.Skipped},
		"in the same second, one says when":         {unix(0), "", 0, replay.Skipped},
		"in the same second, and no number":         {`"now"`, `"now"`, 0, replay.Skipped},
		"recorded in one second, stopped before":    {unix(0), unix(-1), 0, replay.Pending},
		"recorded in one second, as numbers":        {fmt.Sprint(second), fmt.Sprint(second - 1), 0, replay.Pending},
		"recorded in one second, stopped after":     {unix(-1), unix(0), 0, replay.Skipped},
		"recorded late, after the stop was":         {unix(-20), unix(-10), -10, replay.Skipped},
		"the stop is recorded late, of what is old": {unix(0), unix(-10), 10, replay.Pending},
		"before, nobody says when":                  {"", "", -1, replay.Pending},
		"later, nobody says when":                   {"", "", 1, replay.Skipped},
	} {
		t.Run(name, func(t *testing.T) {
			k := kind.All[0]
			stop := live.Delivery{Content: content("publish_done", tc.stop)}
			stop.Type, stop.AppName, stop.StreamName, stop.Time = "publish_done", "app", "s", time.Unix(int64(second+tc.later), 0)
			c := replay.Candidate{
				Subject: planning.Subject{Kind: k, Object: k.New()}, Records: []live.Delivery{stop},
				Failed: []failures.Item{{Time: time.Unix(second, 0), Type: "publish", App: "app", Stream: "s", Delivery: "d", URL: "https://hooks.example.com", Content: content("publish", tc.start)}},
			}
			for _, superseded := range []bool{false, true} {
				want := tc.want
				if superseded {
					want = replay.Pending
				}
				items := replay.Select([]replay.Candidate{c}, func(string, string) replay.State { return "" }, replay.Options{IncludeSuperseded: superseded})
				if len(items) != 1 || items[0].Result != want {
					t.Errorf("superseded %t: got %+v, want %s", superseded, items, want)
				}
			}
		})
	}
}
