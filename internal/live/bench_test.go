// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// BenchmarkCount is what a count of callbacks costs, its two requests through the
// vendor's SDK included, but without a network.
func BenchmarkCount(b *testing.B) {
	for _, failures := range []int{0, 50} {
		b.Run(fmt.Sprint(failures, " failures on the page"), func(b *testing.B) {
			body := fmt.Appendf(nil, `{"RequestId":"R","TotalNum":%d,"NotifyRecordsInfo":{"LiveStreamNotifyRecordsInfo":[`, failures)
			for i := range failures {
				if i > 0 {
					body = append(body, ',')
				}
				body = append(body, `{"NotifyTime":"2026-01-01T00:30:00Z","NotifyUrl":"http://hooks.example.com/","NotifyType":"publish","Description":"unexpected HTTP status 500"}`...)
			}
			c := wired(b, answered(http.StatusOK, http.Header{}, append(body, "]}}"...)))
			q := Query{Window: time.Hour}
			for b.Loop() {
				if counts, err := NewStream(c).Count(b.Context(), fuzzDomain, q, Counts{}); err != nil || counts.Failed != int64(failures) {
					b.Fatal(counts, err)
				}
			}
		})
	}
}
