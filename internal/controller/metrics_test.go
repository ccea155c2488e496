// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
)

// seriesOf returns the lines of a scrape that are about one object.
func seriesOf(t tester, metrics prometheus.Collector, kind, namespace, name string) (lines []string) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics)
	families, err := registry.Gather()
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, family := range families {
		var text strings.Builder
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatalf("%v", err)
		}
		for line := range strings.Lines(text.String()) {
			if strings.Contains(line, fmt.Sprintf(`{kind=%q,name=%q,namespace=%q`, kind, name, namespace)) {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return lines
}

// notReadyReasons returns the reasons of the series that an object has of
// live_notify_not_ready.
func notReadyReasons(t *testing.T, metrics prometheus.Collector, kind, namespace, name string) (found []string) {
	t.Helper()
	for _, line := range seriesOf(t, metrics, kind, namespace, name) {
		if _, rest, ok := strings.Cut(line, `,reason="`); ok {
			found = append(found, rest)
		}
	}
	return found
}

// scraped returns the metrics of one object, as a cache shows it.
func scraped(t *testing.T, f fixture) (*objectMetrics, Object, func()) {
	t.Helper()
	d := simulated(t, f, emulator.Options{})
	d.create("a")
	obj := d.get("a")
	r := d.r.(*Reconciler)
	metrics := &objectMetrics{reader: r.Client, reconcilers: []*Reconciler{r}}
	return metrics, obj, func() {
		now := d.get("a")
		patched := now.DeepCopyObject().(Object)
		*statusOf(patched).CallbackStatus = *statusOf(obj).CallbackStatus.DeepCopy()
		if counted := statusOf(obj).CountedStatus; counted != nil {
			*statusOf(patched).CountedStatus = *counted.DeepCopy()
		}
		d.Expect(d.api.Status().Patch(d.ctx, patched, client.MergeFrom(now))).To(Succeed())
		d.catchUp()
	}
}

// TestAnObjectIsNotReadyForOneReasonAtATime: an alert that names a reason ends
// with it.
func TestAnObjectIsNotReadyForOneReasonAtATime(t *testing.T) {
	f := streamFixture()
	metrics, obj, write := scraped(t, f)
	for _, step := range []struct {
		status metav1.ConditionStatus
		reason string
		want   []string
	}{
		{metav1.ConditionUnknown, v1alpha1.ReasonProgressing, []string{`Progressing"} 1`}},
		{metav1.ConditionFalse, v1alpha1.ReasonAccessDenied, []string{`AccessDenied"} 1`}},
		{metav1.ConditionTrue, v1alpha1.ReasonInSync, nil},
		{metav1.ConditionFalse, v1alpha1.ReasonDeletionBlocked, []string{`DeletionBlocked"} 1`}},
	} {
		statusOf(obj).Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: step.status, Reason: step.reason}}
		write()
		if got := notReadyReasons(t, metrics, f.name, obj.GetNamespace(), "a"); !slices.Equal(got, step.want) {
			t.Errorf("%s: got series of %q, want %q", step.reason, got, step.want)
		}
	}
}

// TestSeriesAreAsARegistryWantsThem: a series out of order, or one twice, would
// fail the whole scrape.
func TestSeriesAreAsARegistryWantsThem(t *testing.T) {
	f := streamFixture()
	metrics, obj, write := scraped(t, f)
	statusOf(obj).Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonRejected}}
	statusOf(obj).Drift = &v1alpha1.Drift{Count: 1}
	statusOf(obj).Callbacks = &v1alpha1.Callbacks{Failed: 2, Total: 5}
	write()
	got := seriesOf(t, metrics, f.name, obj.GetNamespace(), "a")
	labels := fmt.Sprintf(`kind="LiveNotifyConfig",name="a",namespace=%q`, obj.GetNamespace())
	want := []string{
		`live_notify_callbacks_healthy{` + labels + `} -1`,
		`live_notify_drift_total{` + labels + `} 1`,
		`live_notify_not_ready{` + labels + `,reason="Rejected"} 1`,
		`live_notify_ready{` + labels + `} 0`,
		`live_notify_window_callbacks{` + labels + `,result="failed"} 2`,
		`live_notify_window_callbacks{` + labels + `,result="success"} 3`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// series returns the lines of a scrape that are about an object of a driver.
func (d *driver) series(name string) []string {
	r := d.r.(*Reconciler)
	return seriesOf(d.t, &objectMetrics{reader: r.Client, reconcilers: []*Reconciler{r}}, d.f.name, d.namespace, name)
}

// gathered returns the lines of a metric.
func gathered(t tester, metrics prometheus.Collector, name string) (lines []string) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics)
	families, err := registry.Gather()
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		var text strings.Builder
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatalf("%v", err)
		}
		for line := range strings.Lines(text.String()) {
			if !strings.HasPrefix(line, "#") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return lines
}

// TestUncountedKindsHaveNoSeriesOfCounts: an object whose callbacks the cloud keeps no
// records of has neither conditions nor series of them.
func TestUncountedKindsHaveNoSeriesOfCounts(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.create("a")
		d.settle("a")
		d.passes("a", 2*time.Hour)
		obj := d.get("a")
		_, status := obj.Callback()
		var conditions []string
		for _, c := range status.Conditions {
			conditions = append(conditions, c.Type)
		}
		r := d.r.(*Reconciler)
		var names []string
		for _, line := range seriesOf(t, &objectMetrics{reader: r.Client, reconcilers: []*Reconciler{r}}, f.name, obj.GetNamespace(), "a") {
			name, _, _ := strings.Cut(line, "{")
			names = append(names, name)
		}
		wantConditions := []string{v1alpha1.ConditionDrifted, v1alpha1.ConditionReady}
		wantNames := []string{"live_notify_drift_total", "live_notify_ready"}
		if f.counts() {
			wantConditions = append(wantConditions, v1alpha1.ConditionCallbacksHealthy)
			wantNames = append(wantNames, "live_notify_callbacks_healthy", "live_notify_window_callbacks", "live_notify_window_callbacks")
		}
		d.Expect(conditions).To(ConsistOf(wantConditions))
		d.Expect(names).To(ConsistOf(wantNames))
	})
}

// TestCountsAreNeverNegative: a status may have been restored from anything. No metric
// and no message of it has fewer than none.
func TestCountsAreNeverNegative(t *testing.T) {
	f := streamFixture()
	d, _ := watching(t, f, rollBack)
	obj := d.get("a")
	before := obj.DeepCopyObject().(Object)
	_, s := kind.Shared(obj)
	s.Guard.Accepted, s.Guard.RolledBack, s.Guard.Failed = -1, -2, -3
	s.Guard.Change.Failed, s.Guard.Change.SettledFailed = -9, -9
	s.Drift = &v1alpha1.Drift{Count: -4, Fields: []string{"notifyURL"}}
	s.Callbacks = &v1alpha1.Callbacks{Failed: -5, Total: -6}
	d.Expect(d.api.Status().Patch(d.ctx, obj, client.MergeFrom(before))).To(Succeed())
	d.restart()
	d.catchUp()
	for _, line := range d.series("a") {
		if strings.Contains(line, "_total{") || strings.Contains(line, "window_callbacks{") {
			d.Expect(line).To(HaveSuffix(" 0"))
		}
	}
	d.fails(changedURL, 1) // of 2
	d.passes("a", time.Minute)
	d.Expect(messageOf(d.get("a"), v1alpha1.ConditionChangeAccepted)).To(ContainSubstring("1 callback failed so far"))
	_, s = kind.Shared(d.get("a"))
	d.Expect(s.Guard.Failed).To(BeZero())
}
