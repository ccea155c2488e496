// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package overview

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/planning"
)

func TestOf(t *testing.T) {
	stream := kind.All[0]
	subject := func(name string, conditions ...metav1.Condition) planning.Subject {
		o := stream.New()
		o.SetName(name)
		_, status := kind.Shared(o)
		status.Conditions = conditions
		return planning.Subject{Kind: stream, Object: o}
	}
	is := func(kind, status, reason string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: metav1.ConditionStatus(status), Reason: reason, Message: reason}
	}
	inSync := is(v1alpha1.ConditionReady, "True", v1alpha1.ReasonInSync)
	policy := v1alpha1.LiveRolloutPolicy{ObjectMeta: metav1.ObjectMeta{Name: "p"}}
	stopped := *policy.DeepCopy()
	stopped.Status.Conditions = []metav1.Condition{is(v1alpha1.ConditionHalted, "True", v1alpha1.ReasonFailedChange)}
	got := Of([]planning.Subject{
		subject("right", inSync),
		subject("watched", inSync, is(v1alpha1.ConditionChangeAccepted, "Unknown", v1alpha1.ReasonWatching)),
		subject("accepted", inSync, is(v1alpha1.ConditionChangeAccepted, "True", v1alpha1.ReasonAccepted)),
		subject("failed", inSync, is(v1alpha1.ConditionChangeAccepted, "False", v1alpha1.ReasonChangeFailed)),
		subject("waiting", is(v1alpha1.ConditionReady, "Unknown", v1alpha1.ReasonWaitingForRollout)),
		subject("held", is(v1alpha1.ConditionReady, "False", v1alpha1.ReasonDeletionHeld)),
		subject("undone", is(v1alpha1.ConditionReady, "False", v1alpha1.ReasonRolledBack), is(v1alpha1.ConditionStalled, "True", v1alpha1.ReasonRolledBack)),
		subject("new"),
		subject("suspended", is(v1alpha1.ConditionReady, "Unknown", v1alpha1.ReasonSuspended),
			is(v1alpha1.ConditionCallbacksHealthy, "False", v1alpha1.ReasonFailuresAboveThreshold)),
	}, []v1alpha1.LiveRolloutPolicy{policy, stopped})
	var lines []string
	for _, i := range got.Items {
		lines = append(lines, i.Problem+" "+i.Name+" "+i.Reason)
	}
	want := []string{
		"Halted p FailedChange", "Stalled undone RolledBack", "NotReady held DeletionHeld", "Failing failed ChangeFailed",
		"Unknown new ", "Unknown waiting WaitingForRollout", "Suspended suspended Suspended", "Watching watched Watching",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Summary{Objects: 9, Right: 2, Stalled: 1, NotReady: 1, Failing: 1, Unknown: 2, Suspended: 1, Watching: 1, Halted: 1}, got.Summary); diff != "" {
		t.Error(diff)
	}
}
