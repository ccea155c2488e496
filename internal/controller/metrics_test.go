// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

// notReadyReasons returns the reasons of the series that an object has of
// live_notify_not_ready.
func notReadyReasons(t *testing.T, namespace string) []string {
	t.Helper()
	text, err := testutil.CollectAndFormat(notReadyGauge, expfmt.TypeTextPlain, "live_notify_not_ready")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		if _, rest, ok := strings.Cut(line, `namespace="`+namespace+`",reason="`); ok {
			found = append(found, strings.TrimSpace(rest))
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
		observeMetrics(kind, obj, &obj.Status.CallbackStatus)
		if got := notReadyReasons(t, namespace); !slices.Equal(got, step.want) {
			t.Errorf("%s: got series of %q, want %q", step.reason, got, step.want)
		}
	}
	forgetMetrics(kind, types.NamespacedName{Namespace: namespace, Name: "a"})
	if got := notReadyReasons(t, namespace); len(got) != 0 {
		t.Errorf("the object is gone: got series of %q", got)
	}
	if _, remembered := reasons.Load(seriesOwner{kind, types.NamespacedName{Namespace: namespace, Name: "a"}}); remembered {
		t.Error("the object is gone, but not its reason")
	}
}
