// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
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

// objectMetrics are the metrics of the objects in scope. A scrape makes them of
// the objects in the cache: nothing is kept, and the series of an object end with
// it.
type objectMetrics struct {
	scope       Scope
	reader      client.Reader
	reconcilers []*Reconciler
}

// Collectors returns the metrics of objects without any object, for
// documentation.
func Collectors() []prometheus.Collector { return []prometheus.Collector{&objectMetrics{}} }

// Describe implements prometheus.Collector.
func (m *objectMetrics) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{callbacksInWindowDesc, readyDesc, notReadyDesc, callbacksHealthyDesc, driftTotalDesc} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *objectMetrics) Collect(metrics chan<- prometheus.Metric) {
	for _, r := range m.reconcilers {
		list := r.kind.NewList()
		if err := m.reader.List(context.Background(), list, client.UnsafeDisableDeepCopy); err != nil {
			continue // the cache has not started
		}
		for _, o := range objects(list) {
			if m.scope.has(o) {
				r.collect(o, metrics)
			}
		}
	}
}

// collect sends the series of an object.
func (r *Reconciler) collect(o kind.Object, metrics chan<- prometheus.Metric) {
	send := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, kind, value, append([]string{r.kind.Name, o.GetNamespace(), o.GetName()}, labels...)...)
	}
	_, status := kind.Shared(o)
	send(readyDesc, prometheus.GaugeValue, gaugeOf(status.CallbackStatus, v1alpha1.ConditionReady))
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready != nil && ready.Status != metav1.ConditionTrue {
		send(notReadyDesc, prometheus.GaugeValue, 1, ready.Reason)
	}
	drifts := 0.0
	if status.Drift != nil {
		drifts = float64(status.Drift.Count)
	}
	send(driftTotalDesc, prometheus.CounterValue, drifts)
	if r.kind.Records == nil {
		return
	}
	send(callbacksHealthyDesc, prometheus.GaugeValue, gaugeOf(status.CallbackStatus, v1alpha1.ConditionCallbacksHealthy))
	counts, known := r.memories.shown(client.ObjectKeyFromObject(o))
	if c := status.Callbacks; !known && c != nil {
		counts, known = shownCounts{c.Failed, c.Total}, true
	}
	if known {
		send(callbacksInWindowDesc, prometheus.GaugeValue, float64(counts.failed), "failed")
		send(callbacksInWindowDesc, prometheus.GaugeValue, float64(max(counts.total-counts.failed, 0)), "success")
	}
}

// gaugeOf returns a condition as a number.
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

// reasonOf returns that of a condition; "" if there is none.
func reasonOf(status *v1alpha1.CallbackStatus, condition string) string {
	if c := meta.FindStatusCondition(status.Conditions, condition); c != nil {
		return c.Reason
	}
	return ""
}
