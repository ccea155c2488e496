// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
)

// TestSteps: what a guard and a policy make of a change is told as the operator does
// it: the own guard first, of the policies the oldest.
func TestSteps(t *testing.T) {
	guard := v1alpha1.GuardSpec{Window: metav1.Duration{Duration: 20 * time.Minute}, MaxFailures: 3}
	policy := func(name string, edit func(*v1alpha1.LiveRolloutPolicy)) v1alpha1.LiveRolloutPolicy {
		p := v1alpha1.LiveRolloutPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: name}, Spec: v1alpha1.LiveRolloutPolicySpec{Guard: guard}}
		p.Status.Watching, p.Status.Waiting = 1, 4
		if edit != nil {
			edit(&p)
		}
		return p
	}
	const watched = "It is watched for 20m; with 3 failed callbacks it is rolled back."
	for name, c := range map[string]struct {
		policies []v1alpha1.LiveRolloutPolicy
		own      *v1alpha1.GuardSpec
		want     []string
	}{
		"neither": {},
		"a guard": {own: &v1alpha1.GuardSpec{OnFailure: v1alpha1.OnFailureReport}, want: []string{"It is watched for 10m; with 1 failed callbacks that is reported."}},
		"a policy": {
			policies: []v1alpha1.LiveRolloutPolicy{policy("b", nil), policy("a", nil)},
			want:     []string{`LiveRolloutPolicy "a" lets 1 such changes be watched at once; 1 are, and 4 wait.`, watched},
		},
		"one that is paused": {
			policies: []v1alpha1.LiveRolloutPolicy{policy("a", func(p *v1alpha1.LiveRolloutPolicy) { p.Spec.Paused = true })},
			want:     []string{`It waits: LiveRolloutPolicy "a" is paused.`, watched},
		},
		"one that is halted": {
			policies: []v1alpha1.LiveRolloutPolicy{policy("a", func(p *v1alpha1.LiveRolloutPolicy) {
				p.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionHalted, Status: metav1.ConditionTrue}}
			})},
			want: []string{`It waits: LiveRolloutPolicy "a" is halted, since a change failed.`, watched},
		},
		"those of others": {policies: []v1alpha1.LiveRolloutPolicy{
			policy("a", func(p *v1alpha1.LiveRolloutPolicy) { p.Namespace = "other" }),
			policy("b", func(p *v1alpha1.LiveRolloutPolicy) { p.Spec.Kinds = []string{"LiveRecordNotifyConfig"} }),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			o := kind.All[0].New()
			o.SetNamespace("media")
			spec, _ := kind.Shared(o)
			spec.Guard = c.own
			got := (&Planner{Policies: c.policies}).steps(Subject{kind.All[0], o})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
