// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// Policy is a LiveRolloutPolicy as the operator understands it.
type Policy struct {
	*v1alpha1.LiveRolloutPolicy

	selector labels.Selector
}

// Understood returns a policy whose selector and kinds can be; an error says of another
// what cannot.
func Understood(p *v1alpha1.LiveRolloutPolicy) (Policy, error) {
	selector, err := p.Spec.Selector.Selector()
	if err != nil {
		return Policy{}, unfit(err)
	}
	for _, name := range p.Spec.Kinds {
		if Watchable(name) == nil {
			return Policy{}, fmt.Errorf("spec.kinds: the cloud keeps no callback records of %q, unlike of LiveNotifyConfig", live.Bound(name, maxShown))
		}
	}
	return Policy{p, selector}, nil
}

// unfit says in our own words which values a selector cannot have.
func unfit(err error) error {
	all := []error{err}
	if list, ok := errors.AsType[utilerrors.Aggregate](err); ok {
		all = list.Errors()
	}
	var said []string
	for _, e := range all {
		if f, ok := errors.AsType[*field.Error](e); ok {
			said = append(said, fmt.Sprintf("%s cannot be %q", f.Field, live.Bound(fmt.Sprint(f.BadValue), maxShown)))
		}
	}
	if len(said) == 0 {
		return errors.New("spec.selector is malformed")
	}
	return errors.New(strings.Join(said, "; "))
}

// maxShown bounds a value of a selector in a message, in bytes.
const maxShown = 200

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
		if p, err := Understood(&all[i]); err == nil && all[i].DeletionTimestamp.IsZero() {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b Policy) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return found
}

// Covering returns those of some policies of a namespace that are for an object of it,
// the one that counts first.
func Covering(policies []Policy, k *Kind, o client.Object) (found []Policy) {
	for _, p := range policies {
		if p.Covers(k, o) {
			found = append(found, p)
		}
	}
	return found
}

// Member is an object as its policy sees it.
func (k *Kind) Member(o Object) plan.Member {
	_, status := Shared(o)
	ready := cmp.Or(meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady), &metav1.Condition{})
	m := plan.Member{Kind: k.Name, Name: o.GetName(), UID: o.GetUID(), Generation: o.GetGeneration()}
	m.Ready = status.ObservedGeneration == o.GetGeneration() && ready.Status == metav1.ConditionTrue
	if g := status.Guard; g != nil {
		m.Ticket = g.Ticket
		if c := g.Change; c != nil {
			m.State, m.Seen, m.Current = c.State, c.SeenTime.Time, c.Generation == o.GetGeneration()
		}
	}
	if !o.GetDeletionTimestamp().IsZero() {
		m.State, m.Ready = "", false // nothing of it will be written
	}
	m.Waits = m.State == v1alpha1.ChangeWaiting && ready.Reason == v1alpha1.ReasonWaitingForRollout
	return m
}
