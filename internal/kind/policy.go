// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

// Policy is a LiveRolloutPolicy as the operator understands it.
type Policy struct {
	*v1alpha1.LiveRolloutPolicy

	selector labels.Selector
}

// Understood returns a policy whose selector and kinds can be; false for another.
func Understood(p *v1alpha1.LiveRolloutPolicy) (Policy, bool) {
	selector, err := p.Spec.Selector.Selector()
	if err != nil || slices.ContainsFunc(p.Spec.Kinds, func(name string) bool { return Watchable(name) == nil }) {
		return Policy{}, false
	}
	return Policy{p, selector}, true
}

// Watchable returns a kind whose changes can be watched; nil if there is none.
func Watchable(name string) *Kind {
	if i := slices.IndexFunc(All, func(k *Kind) bool { return k.Name == name && k.Records != nil }); i >= 0 {
		return All[i]
	}
	return nil
}

// Covers tells whether the policy is for an object of its namespace, if no older one
// is.
func (p Policy) Covers(k *Kind, o client.Object) bool {
	return k.Records != nil && (len(p.Spec.Kinds) == 0 || slices.Contains(p.Spec.Kinds, k.Name)) && p.selector.Matches(labels.Set(o.GetLabels()))
}

// Policies returns those of a namespace that are in force, the one that counts first.
func Policies(all []v1alpha1.LiveRolloutPolicy) []Policy {
	var found []Policy
	for i := range all {
		if p, ok := Understood(&all[i]); ok && all[i].DeletionTimestamp.IsZero() {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b Policy) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return found
}
