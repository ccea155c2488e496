// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
)

// configuration is what several objects may name, of which it belongs to one.
type configuration struct {
	kind *kind.Kind
	key  string
}

func (s Subject) configuration() configuration {
	return configuration{s.Kind, s.Kind.Key(s.Object)}
}

// is tells whether two subjects are one object.
func (s Subject) is(other Subject) bool {
	return s.Kind == other.Kind && s.Object.GetNamespace() == other.Object.GetNamespace() && s.Object.GetName() == other.Object.GetName()
}

// exists tells whether an object is in a cluster: one that is not has no UID yet.
func (s Subject) exists() bool { return s.Object.GetUID() != "" }

// winners returns the object that comes before each subject; nil for none. Those of
// the run count as they would be, the others of the cluster as they are.
func (p *Planner) winners(subjects []Subject) []kind.Object {
	rivals := map[configuration][]Subject{}
	for _, s := range subjects {
		rivals[s.configuration()] = append(rivals[s.configuration()], s)
	}
	in := map[configuration]int{}
	for of, list := range rivals {
		in[of] = len(list)
	}
	for _, s := range p.Objects {
		of := s.configuration()
		if n := in[of]; n > 0 && !slices.ContainsFunc(rivals[of][:n], s.is) {
			rivals[of] = append(rivals[of], s)
		}
	}
	winners := make([]kind.Object, len(subjects))
	for n, s := range subjects {
		winners[n] = p.winner(s, rivals[s.configuration()])
	}
	return winners
}

// winner returns which of the rivals of a cluster comes before a subject; nil for
// none. What is not in the cluster yet comes after all that is.
func (p *Planner) winner(s Subject, rivals []Subject) kind.Object {
	first := s
	mine, _ := p.cloudOf(s.Object)
	mine = mine.Of(s.Object)
	passed := false // the subject itself
	for _, rival := range rivals {
		if rival.is(s) {
			passed = true
			continue
		}
		if !rival.exists() {
			continue
		}
		// Copies of one manifest may have one UID: the first of them comes first.
		even := !passed && first.is(s) && !kind.Precedes(first.Object, rival.Object)
		if !first.exists() || kind.Precedes(rival.Object, first.Object) || even {
			if theirs, exists := p.cloudOf(rival.Object); kind.May(rival.Object, theirs, mine, exists, p.Now()) {
				first = rival
			}
		}
	}
	if first.is(s) {
		return nil
	}
	return first.Object
}

// contend blocks the new objects that another new one of the run comes before: the
// one that is applied first. Items are their plans without that.
func (p *Planner) contend(subjects []Subject, items []Item) {
	before := map[configuration][]int{}
	for n, s := range subjects {
		if s.exists() {
			continue
		}
		of := s.configuration()
		mine, _ := p.cloudOf(s.Object)
		for _, m := range before[of] {
			if items[n].Reason == v1alpha1.ReasonConflict || s.is(subjects[m]) || !p.mayFirst(subjects[m], items[m], mine) {
				continue
			}
			first := subjects[m].Object
			items[n] = newItem(s).blocked(v1alpha1.ReasonConflict, items[n].Key+" belongs to "+s.Kind.Name+" "+first.GetNamespace()+"/"+first.GetName()+
				", which comes first here. Keep one of the two: of objects that are created within one second, the operator may let the other come first.")
		}
		before[of] = append(before[of], n)
	}
}

// mayFirst tells whether a new object may have what is in a cloud, by what the
// operator would say of it: the rule is that of objects of the cluster.
func (p *Planner) mayFirst(s Subject, i Item, mine kind.Cloud) bool {
	created := s.Object.DeepCopyObject().(kind.Object)
	created.SetCreationTimestamp(metav1.NewTime(p.Now()))
	_, status := created.Callback()
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{Type: v1alpha1.ConditionReady, Reason: i.Reason})
	theirs, _ := p.cloudOf(s.Object)
	// Where the account does not exist, the reason says so.
	return kind.May(created, theirs, mine, true, p.Now())
}

// cloudOf returns the cloud of an object, and whether its account exists.
func (p *Planner) cloudOf(o kind.Object) (kind.Cloud, bool) {
	spec, _ := o.Callback()
	if spec.AccountRef == nil {
		return kind.Cloud{Host: p.Clouds.Host()}, true
	}
	for i := range p.Accounts {
		if a := &p.Accounts[i]; a.Namespace == o.GetNamespace() && a.Name == spec.AccountRef.Name {
			return kind.CloudOf(a), true
		}
	}
	return kind.Cloud{Account: types.NamespacedName{Namespace: o.GetNamespace(), Name: spec.AccountRef.Name}}, false
}
