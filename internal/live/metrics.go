// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "live_notify_api_requests_total",
		Help: "Requests to the cloud API by operation and by the code of the reply: OK, a code of the cloud, Network, Timeout, MalformedReply, Canceled, or Other for a code that is not documented.",
	}, []string{"action", "code"})

	duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "live_notify_api_request_duration_seconds",
		Help:    "Time from sending a request to the cloud API to the end of the reply.",
		Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"action"})

	waits = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "live_notify_api_wait_seconds",
		Help:    "Time that a request waited for its turn within the account's quota, by operation and lane (user, new, sync, records).",
		Buckets: []float64{.001, .01, .05, .1, .25, .5, 1, 2.5},
	}, []string{"action", "lane"})

	deferred = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "live_notify_api_deferred_total",
		Help: "Requests that had no turn within a second, so that their object comes back when they have, by operation and lane.",
	}, []string{"action", "lane"})

	quota = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "live_notify_api_quota_limit",
		Help: "Requests per second that the operator allows itself, by account and operation.",
	}, []string{"account", "action"})

	stretches = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "live_notify_records_interval_stretch",
		Help: "By how much spec.records.interval is multiplied for all counts to fit into the quota, by account and operation; 1 if they fit as they are.",
	}, []string{"account", "action"})
)

// Collectors returns the metrics of all clients, for a registry.
func Collectors() []prometheus.Collector {
	return []prometheus.Collector{requests, duration, waits, deferred, quota, stretches}
}

// stretchOf returns what reports the stretch of an account's counts.
func stretchOf(account string, op operation) func(float64) {
	return stretches.WithLabelValues(account, op.action).Set
}

// observeWait counts the wait for a turn; err is what came of it.
func observeWait(op operation, lane Lane, d time.Duration, err error) {
	if _, later := errors.AsType[*Error](err); later {
		deferred.WithLabelValues(op.action, string(lane)).Inc()
		return
	}
	waits.WithLabelValues(op.action, string(lane)).Observe(d.Seconds())
}

func observeRequest(op operation, err error, d time.Duration) {
	code := "OK"
	if e, ok := errors.AsType[*Error](err); ok {
		code = e.label()
	} else if err != nil {
		code = "Canceled"
	}
	requests.WithLabelValues(op.action, code).Inc()
	duration.WithLabelValues(op.action).Observe(d.Seconds())
}
