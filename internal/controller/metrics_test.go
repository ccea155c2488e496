// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// seriesOf returns the lines of a scrape that are about one object.
func seriesOf(t tester, kind, namespace, name string) (lines []string) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(Collectors()...)
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
func notReadyReasons(t *testing.T, kind, namespace, name string) (found []string) {
	t.Helper()
	for _, line := range seriesOf(t, kind, namespace, name) {
		if _, rest, ok := strings.Cut(line, `,reason="`); ok {
			found = append(found, rest)
		}
	}
	return found
}

// TestAnObjectIsNotReadyForOneReasonAtATime: an alert that names a reason ends
// with it.
func TestAnObjectIsNotReadyForOneReasonAtATime(t *testing.T) {
	const kind, namespace = "LiveNotifyConfig", "one-reason"
	obj := &v1alpha1.LiveNotifyConfig{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "a"}}
	for _, step := range []struct {
		status metav1.ConditionStatus
		reason string
		want   []string
	}{
		{metav1.ConditionUnknown, v1alpha1.ReasonProgressing, []string{`Progressing"} 1`}},
		{metav1.ConditionFalse, v1alpha1.ReasonAccessDenied, []string{`AccessDenied"} 1`}},
		{metav1.ConditionFalse, v1alpha1.ReasonAccessDenied, []string{`AccessDenied"} 1`}},
		{metav1.ConditionTrue, v1alpha1.ReasonInSync, nil},
		{metav1.ConditionFalse, v1alpha1.ReasonDeletionBlocked, []string{`DeletionBlocked"} 1`}},
	} {
		obj.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: step.status, Reason: step.reason}}
		observeStatus(kind, obj, &obj.Status.CallbackStatus)
		if got := notReadyReasons(t, kind, namespace, "a"); !slices.Equal(got, step.want) {
			t.Errorf("%s: got series of %q, want %q", step.reason, got, step.want)
		}
	}
	perObject.forget(kind, types.NamespacedName{Namespace: namespace, Name: "a"})
	if got := notReadyReasons(t, kind, namespace, "a"); len(got) != 0 {
		t.Errorf("the object is gone: got series of %q", got)
	}
}

// TestSeriesAreAsARegistryWantsThem: a series out of order, or one twice, would
// fail the whole scrape.
func TestSeriesAreAsARegistryWantsThem(t *testing.T) {
	obj := &v1alpha1.LiveNotifyConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "registry", Name: "b"}}
	obj.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonRejected}}
	for _, kind := range []string{"LiveNotifyConfig", "LiveRecordNotifyConfig"} {
		observeStatus(kind, obj, &obj.Status.CallbackStatus)
		observeCounts(kind, obj, live.Counts{Failed: 2, Total: 5})
		countDrift(kind, obj)
	}
	got := seriesOf(t, "LiveNotifyConfig", "registry", "b")
	want := []string{
		`live_notify_callbacks_healthy{kind="LiveNotifyConfig",name="b",namespace="registry"} -1`,
		`live_notify_drift_total{kind="LiveNotifyConfig",name="b",namespace="registry"} 1`,
		`live_notify_not_ready{kind="LiveNotifyConfig",name="b",namespace="registry",reason="Rejected"} 1`,
		`live_notify_ready{kind="LiveNotifyConfig",name="b",namespace="registry"} 0`,
		`live_notify_window_callbacks{kind="LiveNotifyConfig",name="b",namespace="registry",result="failed"} 2`,
		`live_notify_window_callbacks{kind="LiveNotifyConfig",name="b",namespace="registry",result="success"} 3`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
