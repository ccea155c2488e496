// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/account"
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
	changesTotalDesc = metricOf("live_notify_changes_total",
		"Changes that a guard has judged, by result: accepted, rolled_back or failed.", "result")
	rolloutObjectsDesc = prometheus.NewDesc("live_notify_rollout_objects",
		"Objects of a LiveRolloutPolicy by state: up_to_date, watching, waiting or failed.", []string{"namespace", "name", "state"}, nil)
	rolloutHaltedDesc = prometheus.NewDesc("live_notify_rollout_halted",
		"1 while a LiveRolloutPolicy is halted by a change that failed, else 0.", []string{"namespace", "name"}, nil)
	rolloutReadyDesc = prometheus.NewDesc("live_notify_rollout_ready",
		"The Ready condition of a LiveRolloutPolicy, which is in force: 1 True, 0 False, -1 Unknown.", []string{"namespace", "name"}, nil)
	deletionsHeldDesc = prometheus.NewDesc("live_notify_deletions_held",
		"Deleted objects that wait for their turn within the limit of deletions of their account.", []string{"account"}, nil)
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
	ownLimit    int // of deletions
	reconcilers []*Reconciler
}

// Collectors returns the metrics of objects without any object, for
// documentation.
func Collectors() []prometheus.Collector { return []prometheus.Collector{&objectMetrics{}} }

// Describe implements prometheus.Collector.
func (m *objectMetrics) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{callbacksInWindowDesc, readyDesc, notReadyDesc, callbacksHealthyDesc, driftTotalDesc,
		changesTotalDesc, rolloutObjectsDesc, rolloutHaltedDesc, rolloutReadyDesc, deletionsHeldDesc} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *objectMetrics) Collect(metrics chan<- prometheus.Metric) {
	if m.reader == nil {
		return // it is for documentation
	}
	held := m.limits()
	for _, r := range m.reconcilers {
		// Before the cache has started there are none, here as below.
		objects, _ := listed[kind.Object](context.Background(), m.reader, r.kind.NewList(), "")
		s := r.scrape(metrics)
		for _, o := range objects {
			if m.scope.has(o) {
				r.collect(o, s)
				m.hold(held, o)
			}
		}
	}
	m.collectRollouts(metrics)
	for label, n := range held {
		metrics <- prometheus.MustNewConstMetric(deletionsHeldDesc, prometheus.GaugeValue, n, label)
	}
}

// collectRollouts sends the series of the LiveRolloutPolicies.
func (m *objectMetrics) collectRollouts(metrics chan<- prometheus.Metric) {
	policies, _ := listed[*v1alpha1.LiveRolloutPolicy](context.Background(), m.reader, &v1alpha1.LiveRolloutPolicyList{}, "")
	for _, p := range policies {
		if !m.scope.hasNamespace(p.Namespace) {
			continue
		}
		for state, n := range map[string]int32{
			"up_to_date": p.Status.UpToDate, "watching": p.Status.Watching, "waiting": p.Status.Waiting, "failed": p.Status.Failed,
		} {
			metrics <- prometheus.MustNewConstMetric(rolloutObjectsDesc, prometheus.GaugeValue, float64(max(n, 0)), p.Namespace, p.Name, state)
		}
		halted := 0.0
		if meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionHalted) {
			halted = 1
		}
		metrics <- prometheus.MustNewConstMetric(rolloutHaltedDesc, prometheus.GaugeValue, halted, p.Namespace, p.Name)
		metrics <- prometheus.MustNewConstMetric(rolloutReadyDesc, prometheus.GaugeValue, gaugeOf(p.Status.Conditions, v1alpha1.ConditionReady), p.Namespace, p.Name)
	}
}

// limits returns a count of zero for each account that has a limit of deletions.
func (m *objectMetrics) limits() map[string]float64 {
	held := map[string]float64{}
	if m.ownLimit > 0 {
		held[account.OwnLabel] = 0
	}
	accounts, _ := listed[*v1alpha1.LiveAccount](context.Background(), m.reader, &v1alpha1.LiveAccountList{}, "")
	for _, a := range accounts {
		if a.Spec.MaxDeletionsPerHour > 0 && m.scope.hasNamespace(a.Namespace) {
			held[a.Namespace+"/"+a.Name] = 0
		}
	}
	return held
}

// hold counts an object whose removal waits.
func (m *objectMetrics) hold(held map[string]float64, o kind.Object) {
	_, status := o.Callback()
	if label := removesFrom(o); label != "" && reasonOf(status, v1alpha1.ConditionReady) == v1alpha1.ReasonDeletionHeld {
		held[label]++
	}
}

// scrape sends the series of the objects of a kind. They share their labels, which
// with many objects would be most of the memory that a scrape takes.
type scrape struct {
	metrics    chan<- prometheus.Metric
	kind       *dto.LabelPair
	namespaces map[string]*dto.LabelPair
}

func (r *Reconciler) scrape(metrics chan<- prometheus.Metric) scrape {
	return scrape{metrics, label("kind", r.kind.Name), map[string]*dto.LabelPair{}}
}

// send sends one of the series of an object.
type send func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, more ...*dto.LabelPair)

// of returns what sends the series of an object.
func (s scrape) of(o kind.Object) send {
	namespace := s.namespaces[o.GetNamespace()]
	if namespace == nil {
		namespace = label("namespace", o.GetNamespace())
		s.namespaces[o.GetNamespace()] = namespace
	}
	labels := []*dto.LabelPair{s.kind, label("name", o.GetName()), namespace}
	return func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, more ...*dto.LabelPair) {
		if kind == prometheus.CounterValue {
			value = max(value, 0) // a status may have been restored from anything
		}
		s.metrics <- &series{desc, append(slices.Clip(labels), more...), kind, value}
	}
}

// series is one of an object, in one scrape. It implements prometheus.Metric.
type series struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair // by name
	kind   prometheus.ValueType
	value  float64
}

// Desc implements prometheus.Metric.
func (s *series) Desc() *prometheus.Desc { return s.desc }

// Write implements prometheus.Metric.
func (s *series) Write(m *dto.Metric) error {
	m.Label = s.labels
	if s.kind == prometheus.CounterValue {
		m.Counter = &dto.Counter{Value: &s.value}
	} else {
		m.Gauge = &dto.Gauge{Value: &s.value}
	}
	return nil
}

func label(name, value string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &value} }

// The values of the label "result".
var (
	resultFailed     = label("result", "failed")
	resultSuccess    = label("result", "success")
	resultAccepted   = label("result", "accepted")
	resultRolledBack = label("result", "rolled_back")
)

// collect sends the series of an object.
func (r *Reconciler) collect(o kind.Object, s scrape) {
	defer survive("metrics")
	send := s.of(o)
	_, status := kind.Shared(o)
	send(readyDesc, prometheus.GaugeValue, gaugeOf(status.Conditions, v1alpha1.ConditionReady))
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready != nil && ready.Status != metav1.ConditionTrue {
		send(notReadyDesc, prometheus.GaugeValue, 1, label("reason", ready.Reason))
	}
	send(driftTotalDesc, prometheus.CounterValue, float64(ptr.Deref(status.Drift, v1alpha1.Drift{}).Count))
	if r.kind.Records == nil {
		return
	}
	if g := status.Guard; g != nil {
		send(changesTotalDesc, prometheus.CounterValue, float64(g.Accepted), resultAccepted)
		send(changesTotalDesc, prometheus.CounterValue, float64(g.RolledBack), resultRolledBack)
		send(changesTotalDesc, prometheus.CounterValue, float64(g.Failed), resultFailed)
	}
	send(callbacksHealthyDesc, prometheus.GaugeValue, gaugeOf(status.Conditions, v1alpha1.ConditionCallbacksHealthy))
	counts := r.memories.shown(client.ObjectKeyFromObject(o))
	if c := status.Callbacks; counts == nil && c != nil {
		counts = &shownCounts{c.Failed, c.Total}
	}
	if counts != nil {
		total := max(counts.total, 0)
		failed := min(max(counts.failed, 0), total)
		send(callbacksInWindowDesc, prometheus.GaugeValue, float64(failed), resultFailed)
		send(callbacksInWindowDesc, prometheus.GaugeValue, float64(total-failed), resultSuccess)
	}
}

// gaugeOf returns a condition as a number.
func gaugeOf(conditions []metav1.Condition, condition string) float64 {
	switch c := meta.FindStatusCondition(conditions, condition); {
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
