// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind_test

import (
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
)

// TestNotUnderstood: what a schema of before let in is refused with the field and what
// is in it.
func TestNotUnderstood(t *testing.T) {
	for name, c := range map[string]struct {
		spec v1alpha1.LiveRolloutPolicySpec
		want []string
	}{
		"a key to match": {
			v1alpha1.LiveRolloutPolicySpec{Selector: v1alpha1.ObjectSelector{MatchLabels: map[string]v1alpha1.LabelValue{"team": "a", "a-.b/x": "c"}}},
			[]string{"spec.selector.matchLabels", `"a-.b/x"`},
		},
		"a value to match": {
			v1alpha1.LiveRolloutPolicySpec{Selector: v1alpha1.ObjectSelector{MatchLabels: map[string]v1alpha1.LabelValue{"team": "-"}}},
			[]string{"spec.selector.matchLabels", `"-"`},
		},
		"a key of an expression": {
			v1alpha1.LiveRolloutPolicySpec{Selector: v1alpha1.ObjectSelector{MatchExpressions: []v1alpha1.LabelExpression{
				{Key: "a..b/x", Operator: metav1.LabelSelectorOpExists},
			}}},
			[]string{"spec.selector.matchExpressions[0]", `"a..b/x"`},
		},
		"an operator": {
			v1alpha1.LiveRolloutPolicySpec{Selector: v1alpha1.ObjectSelector{MatchExpressions: []v1alpha1.LabelExpression{{Key: "a", Operator: "Is"}}}},
			[]string{"spec.selector.matchExpressions[0].operator", `"Is"`},
		},
		"a kind": {v1alpha1.LiveRolloutPolicySpec{Kinds: []string{"LiveAccount"}}, []string{"spec.kinds", `"LiveAccount"`}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := kind.Understood(&v1alpha1.LiveRolloutPolicy{Spec: c.spec})
			for _, want := range c.want {
				g.Expect(err).To(MatchError(ContainSubstring(want)))
			}
		})
	}
}
