// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

// TestRequestsSentAwayAreCounted: they did not wait, and would make the waits
// look shorter the longer the queue is.
func TestRequestsSentAwayAreCounted(t *testing.T) {
	t.Parallel()
	op := Operation{Action: "OfThisTest"}
	observeWait(op, quota.Sync, 0, nil)
	for range 4 {
		observeWait(op, quota.Sync, 0, &quota.Deferral{})
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

// seriesOf returns the series of an account.
func seriesOf(t *testing.T, account string) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(Collectors()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := strings.TrimPrefix(f.GetName(), "live_notify_")
			for _, l := range m.GetLabel() {
				if l.GetName() == "account" && l.GetValue() == account {
					series[name] = m.GetGauge().GetValue()
				}
			}
		}
	}
	return series
}

// What an account has in metrics goes with it. A name that is no UTF-8, as an
// access key in UTF-16 has been, is one all the same.
func TestSeriesOfAnAccount(t *testing.T) {
	t.Parallel()
	for name, shown := range map[string]string{"ns/of-this-test": "ns/of-this-test", "key \xff\xfet\x00****": "key \ufffd\ufffdt\ufffd****"} {
		report, answers := Report(name), Available(name)
		report.Limit("A", 7.49999)
		report.Stretch("A", 1.25)
		answers(false)
		c := wired(t, answered(200, http.Header{"Date": {"Fri, 02 Jan 1970 00:00:00 GMT"}}, []byte(`{"RequestId":"R"}`)))
		c.options.Account = name
		if _, err := NewStream(c).Get(t.Context(), quota.User, "d"); err != nil {
			t.Fatal(err)
		}
		got := seriesOf(t, shown)
		want := map[string]float64{"api_quota_limit": 7.5, "interval_stretch": 1.25, "account_available": 0, "clock_skew_seconds": -maxSkew.Seconds()}
		for series, value := range want {
			if have, ok := got[series]; !ok || have != value {
				t.Errorf("%s of %q: got %v (%t), want %v", series, name, have, ok, value)
			}
		}
		answers(true)
		if got := seriesOf(t, shown)["account_available"]; got != 1 {
			t.Errorf("got %v, want 1 of an account that answers", got)
		}
		ForgetAccount(name)
		if left := seriesOf(t, shown); len(left) > 0 {
			t.Errorf("left are %v", left)
		}
	}
}
