// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"errors"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/live-notify/live-notify-operator/internal/quota"
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
		Help:    "Time that a request waited for its turn within the account's quota, by operation and lane (user, new, sync, records, least).",
		Buckets: []float64{.001, .01, .05, .1, .25, .5, 1, 2.5},
	}, []string{"action", "lane"})

	deferred = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "live_notify_api_deferred_total",
		Help: "Requests that had no turn soon, so that their object comes back when they have, by operation and lane.",
	}, []string{"action", "lane"})

	limits = gauge("live_notify_api_quota_limit",
		"Requests per second that the operator allows itself, by account and operation.", "account", "action")

	stretches = gauge("live_notify_interval_stretch",
		"By how much the intervals of regular requests are multiplied for all of them to fit into the quota, by account and operation; 1 if they fit as they are.", "account", "action")

	available = gauge("live_notify_account_available",
		"Whether the endpoint of an account answers: 1, or 0 while it is only probed.", "account")

	skews = gauge("live_notify_clock_skew_seconds",
		"By how much the clock of the cloud is ahead of ours, by account, by the Date of its last reply.", "account")
)

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

// Collectors returns the metrics of all clients, for a registry.
func Collectors() []prometheus.Collector {
	return []prometheus.Collector{requests, duration, waits, deferred, limits, stretches, available, skews}
}

// label returns the name of an account as a label.
func label(account string) string { return Bound(account, 512) }

// Report returns what shows the limits of an account in metrics.
func Report(account string) quota.Report {
	account = label(account)
	return quota.Report{
		Limit: func(action string, perSecond float64) {
			limits.WithLabelValues(account, action).Set(math.Round(perSecond*1000) / 1000)
		},
		Stretch: func(action string, factor float64) { stretches.WithLabelValues(account, action).Set(factor) },
	}
}

// Available returns what shows in metrics whether an account's endpoint answers.
func Available(account string) func(bool) {
	g := available.WithLabelValues(label(account))
	g.Set(1)
	return func(answers bool) {
		if answers {
			g.Set(1)
		} else {
			g.Set(0)
		}
	}
}

// ForgetAccount removes the series of an account.
func ForgetAccount(account string) {
	of := prometheus.Labels{"account": label(account)}
	for _, v := range []*prometheus.GaugeVec{limits, stretches, available, skews} {
		v.DeletePartialMatch(of)
	}
}

// observeWait counts the wait for a turn; err is what came of it.
func observeWait(op Operation, lane quota.Lane, d time.Duration, err error) {
	if _, later := errors.AsType[*quota.Deferral](err); later {
		deferred.WithLabelValues(op.Action, lane.String()).Inc()
		return
	}
	waits.WithLabelValues(op.Action, lane.String()).Observe(d.Seconds())
}

func observeRequest(action string, err error, d time.Duration) {
	code := "OK"
	if e, ok := errors.AsType[*Error](err); ok {
		code = e.label()
	} else if err != nil {
		code = "Canceled"
	}
	requests.WithLabelValues(action, code).Inc()
	duration.WithLabelValues(action).Observe(d.Seconds())
}
