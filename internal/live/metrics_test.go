// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"errors"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// TestRequestsSentAwayAreCounted: they did not wait, and would make the waits
// look shorter the longer the queue is.
func TestRequestsSentAwayAreCounted(t *testing.T) {
	op := operation{action: "OfThisTest", limit: 1}
	limits := NewLimits("of-this-test")
	for i := range 5 {
		start := time.Now()
		err := limits.wait(t.Context(), op, LaneSync)
		if _, later := errors.AsType[*Error](err); later != (i > 0) {
			t.Fatalf("request %d of 0.8 a second: %v", i, err)
		}
		observeWait(op, LaneSync, time.Since(start), err)
	}
	var sentAway, waited dto.Metric
	if err := deferred.WithLabelValues("OfThisTest", "sync").Write(&sentAway); err != nil {
		t.Fatal(err)
	}
	if err := waits.WithLabelValues("OfThisTest", "sync").(interface{ Write(*dto.Metric) error }).Write(&waited); err != nil {
		t.Fatal(err)
	}
	if got := sentAway.GetCounter().GetValue(); got != 4 {
		t.Errorf("got %v requests that were sent away, want 4", got)
	}
	if got := waited.GetHistogram().GetSampleCount(); got != 1 {
		t.Errorf("got %d requests that waited, want 1", got)
	}
}
