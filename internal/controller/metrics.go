// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

var objectLabels = []string{"kind", "namespace", "name"}

var (
	callbacksInWindow = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "live_notify_window_callbacks",
		Help: "Callbacks in spec.records.window up to the last poll, by result: success or failed.",
	}, append(objectLabels, "result"))

	readyGauge = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "live_notify_ready",
		Help: "The Ready condition: 1 True, 0 False, -1 Unknown.",
	}, objectLabels)

	notReadyGauge = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "live_notify_not_ready",
		Help: "1 while the Ready condition is not True, with its reason. An object that is Ready has no such series.",
	}, append(objectLabels, "reason"))

	healthyGauge = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "live_notify_callbacks_healthy",
		Help: "The CallbacksHealthy condition: 1 True, 0 False, -1 Unknown.",
	}, objectLabels)

	driftTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "live_notify_drift_total",
		Help: "How often the cloud was found changed behind the operator's back.",
	}, objectLabels)
)

// Collectors returns the metrics of this package, for a registry.
func Collectors() []prometheus.Collector {
	return []prometheus.Collector{callbacksInWindow, readyGauge, notReadyGauge, healthyGauge, driftTotal}
}

func observeMetrics(kind string, obj client.Object, status *v1alpha1.CallbackStatus) {
	labels := []string{kind, obj.GetNamespace(), obj.GetName()}
	readyGauge.WithLabelValues(labels...).Set(gaugeOf(status, v1alpha1.ConditionReady))
	observeReason(status, labels)
	healthyGauge.WithLabelValues(labels...).Set(gaugeOf(status, v1alpha1.ConditionCallbacksHealthy))
	driftTotal.WithLabelValues(labels...) // so that a rate sees the first drift
}

// reasons are those of the series of notReadyGauge, by object: to find a series
// without its reason costs a search through all.
var reasons sync.Map // of seriesOwner to string

// seriesOwner is an object that has series.
type seriesOwner struct {
	kind string
	name types.NamespacedName
}

// observeReason sees to it that an object has one series of notReadyGauge at
// most. Passes over one object do not overlap.
func observeReason(status *v1alpha1.CallbackStatus, labels []string) {
	owner := seriesOwner{labels[0], types.NamespacedName{Namespace: labels[1], Name: labels[2]}}
	reason := ""
	if c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); c != nil && c.Status != metav1.ConditionTrue {
		reason = c.Reason
	}
	if before, ok := reasons.Load(owner); ok && before != reason {
		notReadyGauge.DeleteLabelValues(append(labels, before.(string))...)
		reasons.Delete(owner)
	}
	if reason != "" {
		notReadyGauge.WithLabelValues(append(labels, reason)...).Set(1)
		reasons.Store(owner, reason)
	}
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
	set := func(result string, n int64) {
		callbacksInWindow.WithLabelValues(kind, obj.GetNamespace(), obj.GetName(), result).Set(float64(n))
	}
	set("failed", counts.Failed)
	set("success", max(counts.Total-counts.Failed, 0))
}

func countDrift(kind string, obj client.Object) {
	driftTotal.WithLabelValues(kind, obj.GetNamespace(), obj.GetName()).Inc()
}

// forgetMetrics drops the series of an object that is gone.
func forgetMetrics(kind string, name types.NamespacedName) {
	labels := prometheus.Labels{"kind": kind, "namespace": name.Namespace, "name": name.Name}
	callbacksInWindow.DeletePartialMatch(labels)
	readyGauge.DeletePartialMatch(labels)
	notReadyGauge.DeletePartialMatch(labels)
	reasons.Delete(seriesOwner{kind, name})
	healthyGauge.DeletePartialMatch(labels)
	driftTotal.DeletePartialMatch(labels)
}
