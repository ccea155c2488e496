// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

var (
	callbacksInWindowDesc = metricOf("live_notify_window_callbacks",
		"Callbacks in spec.records.window up to the last poll, by result: success or failed.", "result")
	readyDesc = metricOf("live_notify_ready",
		"The Ready condition: 1 True, 0 False, -1 Unknown.")
	notReadyDesc = metricOf("live_notify_not_ready",
		"1 while the Ready condition is not True, with its reason. An object that is Ready has no such series.", "reason")
	callbacksHealthyDesc = metricOf("live_notify_callbacks_healthy",
		"The CallbacksHealthy condition: 1 True, 0 False, -1 Unknown.")
	driftTotalDesc = metricOf("live_notify_drift_total",
		"How often the cloud was found changed behind the operator's back.")
)

// metricOf describes a metric of which each object has a series.
func metricOf(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"kind", "namespace", "name"}, labels...), nil)
}

// Collectors returns the metrics of this package, for a registry.
func Collectors() []prometheus.Collector { return []prometheus.Collector{&perObject} }

// perObject are the metrics of the objects of all kinds.
var perObject objectMetrics

// objectMetrics keeps one record for each object, of which a scrape makes its
// series: a fifth of the memory that a vector for each metric takes, and all
// series of an object end at once.
type objectMetrics struct {
	mu sync.Mutex
	of map[owner]*record
}

// owner is an object that has series.
type owner struct {
	kind string
	name types.NamespacedName
}

// record is what the series of an object say.
type record struct {
	labels          []*dto.LabelPair // of all its series
	ready, healthy  float64
	reason          string // for which it is not ready; "" if it is
	drifts          float64
	counted         bool // once, at least
	failed, success float64
}

// change changes the record of an object.
func (m *objectMetrics) change(kind string, obj client.Object, change func(*record)) {
	o := owner{kind, client.ObjectKeyFromObject(obj)}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.of[o]
	if !ok {
		if m.of == nil {
			m.of = map[owner]*record{}
		}
		// In the order of the names of labels, as a registry wants them.
		r = &record{ready: -1, healthy: -1, labels: []*dto.LabelPair{
			label("kind", &o.kind), label("name", &o.name.Name), label("namespace", &o.name.Namespace),
		}}
		m.of[o] = r
	}
	change(r)
}

// forget drops the series of an object that is gone.
func (m *objectMetrics) forget(kind string, name types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, owner{kind, name})
}

// Describe implements prometheus.Collector.
func (m *objectMetrics) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{callbacksInWindowDesc, readyDesc, notReadyDesc, callbacksHealthyDesc, driftTotalDesc} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *objectMetrics) Collect(metrics chan<- prometheus.Metric) {
	for _, r := range m.records() {
		metrics <- series{desc: readyDesc, labels: r.labels, value: r.ready}
		metrics <- series{desc: callbacksHealthyDesc, labels: r.labels, value: r.healthy}
		metrics <- series{desc: driftTotalDesc, labels: r.labels, value: r.drifts, counter: true}
		if r.reason != "" {
			metrics <- series{desc: notReadyDesc, labels: r.with("reason", r.reason), value: 1}
		}
		if r.counted {
			metrics <- series{desc: callbacksInWindowDesc, labels: r.with("result", "failed"), value: r.failed}
			metrics <- series{desc: callbacksInWindowDesc, labels: r.with("result", "success"), value: r.success}
		}
	}
}

// records returns copies, so that nobody waits for a slow scrape.
func (m *objectMetrics) records() []record {
	m.mu.Lock()
	defer m.mu.Unlock()
	records := make([]record, 0, len(m.of))
	for _, r := range m.of {
		records = append(records, *r)
	}
	return records
}

// with returns the labels of the object and another one, whose name comes after
// theirs.
func (r record) with(name, value string) []*dto.LabelPair {
	return append(slices.Clip(r.labels), label(name, &value))
}

func label(name string, value *string) *dto.LabelPair {
	return &dto.LabelPair{Name: &name, Value: value}
}

// series is a series of an object, at the time of a scrape.
type series struct {
	desc    *prometheus.Desc
	labels  []*dto.LabelPair
	value   float64
	counter bool
}

// Desc implements prometheus.Metric.
func (s series) Desc() *prometheus.Desc { return s.desc }

// Write implements prometheus.Metric.
func (s series) Write(out *dto.Metric) error {
	out.Label = s.labels
	if s.counter {
		out.Counter = &dto.Counter{Value: &s.value}
	} else {
		out.Gauge = &dto.Gauge{Value: &s.value}
	}
	return nil
}

// observeStatus sets the series that the conditions say.
func observeStatus(kind string, obj client.Object, status *v1alpha1.CallbackStatus) {
	perObject.change(kind, obj, func(r *record) {
		r.ready = gaugeOf(status, v1alpha1.ConditionReady)
		r.healthy = gaugeOf(status, v1alpha1.ConditionCallbacksHealthy)
		r.reason = ""
		if c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); c != nil && c.Status != metav1.ConditionTrue {
			r.reason = c.Reason
		}
	})
}

func gaugeOf(status *v1alpha1.CallbackStatus, condition string) float64 {
	switch c := meta.FindStatusCondition(status.Conditions, condition); {
	case c == nil || c.Status == metav1.ConditionUnknown:
		return -1
	case c.Status == metav1.ConditionTrue:
		return 1
	default:
		return 0
	}
}

func observeCounts(kind string, obj client.Object, counts live.Counts) {
	perObject.change(kind, obj, func(r *record) {
		r.counted = true
		r.failed, r.success = float64(counts.Failed), float64(max(counts.Total-counts.Failed, 0))
	})
}

func countDrift(kind string, obj client.Object) {
	perObject.change(kind, obj, func(r *record) { r.drifts++ })
}
