// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// configuration is what several objects may name, of which it belongs to one.
type configuration struct {
	kind *kind.Kind
	key  string
}

func (s Subject) configuration() configuration {
	return configuration{s.Kind, s.Kind.Key(s.Object)}
}

// exists tells whether an object is in a cluster: one that is not has no UID yet.
func (s Subject) exists() bool { return s.Object.GetUID() != "" }

// contend blocks the items of objects that another one comes before. All are the objects of the run, as they
// would be, and then the others of the cluster; items are the plans without that.
func (p *Planner) contend(all []Subject, items []Item) {
	rivals := map[configuration][]int{}
	for n, s := range all {
		of := s.configuration()
		if _, named := rivals[of]; named || n < len(items) {
			rivals[of] = append(rivals[of], n)
		}
	}
	for _, of := range rivals {
		if len(of) > 1 {
			p.settle(all, of, items)
		}
	}
}

// settle finds out who has what several objects name, and then who else is refused it.
func (p *Planner) settle(all []Subject, of []int, items []Item) {
	run := 0 // how many of those are
	judged := make([]Subject, len(of))
	for n, one := range of {
		if judged[n] = all[one]; one < len(items) {
			judged[n] = p.judged(all[one], items[one])
			run++
		}
	}
	for _, owners := range []bool{true, false} {
		first := make([]int, run)
		for n := range first {
			first[n] = p.first(judged, n)
		}
		for n, comes := range first {
			switch i := &items[of[n]]; {
			case comes != n:
				*i = i.lost(judged[n], judged[comes])
			case owners && i.owns(judged[n]):
				own(judged[n].Object)
			}
		}
	}
}

// bequeath gives what objects own that are being deleted to their heirs: the operator does
// that before the heirs come to it. All are the objects of the run, and then the others.
func (p *Planner) bequeath(ctx context.Context, all []Subject, run int) {
	rivals := map[configuration][]int{}
	for n, s := range all {
		of := s.configuration()
		if _, named := rivals[of]; named || n < run {
			rivals[of] = append(rivals[of], n)
		}
	}
	for n, s := range all {
		of := rivals[s.configuration()]
		if len(of) < 2 || s.Object.GetDeletionTimestamp().IsZero() {
			continue
		}
		if cloud, err := p.Clouds.Of(ctx, s.Object.GetNamespace(), refOf(s.Object), s.Kind.Domain(s.Object)); err == nil {
			s = p.moved(s, cloud)
		}
		if !kind.Wrote(s.Object) {
			continue
		}
		if heir := p.heir(ctx, all, of, s); heir >= 0 {
			all[heir] = all[heir].inheriting(s)
			all[n] = s.disowned()
		}
	}
}

// heir returns which of some objects takes over what an owner wrote that is being deleted:
// the first that writes to the same cloud account; -1 if none does.
func (p *Planner) heir(ctx context.Context, all []Subject, of []int, owner Subject) int {
	_, status := owner.Object.Callback()
	a, heir := status.Applied, -1
	mine, _ := p.cloudOf(owner.Object)
	for _, n := range of {
		o := all[n].Object
		if !kind.Inherits(o) || heir >= 0 && !precedes(all[n], all[heir], false) {
			continue
		}
		theirs, _ := p.cloudOf(o)
		same := accountName(o) == a.Account && (a.Account == "" || o.GetNamespace() == owner.Object.GetNamespace())
		if !same && (theirs.ID == "" || theirs.ID != a.AccountID || !theirs.SameEndpoint(mine)) {
			continue
		}
		_, err := p.Clouds.Of(ctx, o.GetNamespace(), refOf(o), all[n].Kind.Domain(o))
		if _, unavailable := errors.AsType[*plan.Unavailable](err); !unavailable {
			heir = n
		}
	}
	return heir
}

// inheriting returns an heir as it is once it owns what another object wrote. One that is
// not in the cluster yet is, by then.
func (s Subject) inheriting(owner Subject) Subject {
	if kind.Wrote(s.Object) {
		return s
	}
	o := s.Object.DeepCopyObject().(kind.Object)
	if o.GetUID() == "" {
		o.SetUID("heir of " + owner.Object.GetUID())
	}
	controllerutil.AddFinalizer(o, v1alpha1.Finalizer)
	_, from := owner.Object.Callback()
	_, status := o.Callback()
	status.Applied = from.Applied.DeepCopy()
	status.Applied.UID, status.Applied.Account = o.GetUID(), accountName(o)
	if s.Kind.Recall != nil {
		s.Kind.Wrote(o, s.Kind.Recall(owner.Object, nil))
	}
	return Subject{s.Kind, o}
}

// disowned returns an object as it is once it owns nothing.
func (s Subject) disowned() Subject {
	o := s.Object.DeepCopyObject().(kind.Object)
	_, status := o.Callback()
	status.Applied = nil
	return Subject{s.Kind, o}
}

func refOf(o kind.Object) *v1alpha1.AccountReference {
	spec, _ := o.Callback()
	return spec.AccountRef
}

// accountName returns the LiveAccount that an object refers to; "" for the operator's own.
func accountName(o kind.Object) string {
	return ptr.Deref(refOf(o), v1alpha1.AccountReference{}).Name
}

// judged is an object of a run as it is once the operator has looked at it; new, if it is
// not in the cluster.
func (p *Planner) judged(s Subject, i Item) Subject {
	o, now := s.Object.DeepCopyObject().(kind.Object), metav1.NewTime(p.Now())
	if !s.exists() {
		o.SetCreationTimestamp(now)
	}
	_, status := o.Callback()
	status.ObservedGeneration = max(o.GetGeneration(), 1)
	if i.Action != "" { // it was read
		status.LastSyncTime = &now
	}
	if i.Reason != "" {
		meta.SetStatusCondition(&status.Conditions, metav1.Condition{Type: v1alpha1.ConditionReady, Reason: i.Reason})
	}
	return Subject{s.Kind, o}
}

// owns tells whether the object has what it names once its plan is done.
func (i Item) owns(s Subject) bool {
	spec, _ := s.Object.Callback()
	return (i.Change == Create || i.Change == Update || i.Change == InSync) && spec.ManagementPolicy != v1alpha1.Observe && s.Object.GetDeletionTimestamp().IsZero()
}

// own makes an object one that wrote something.
func own(o kind.Object) {
	if _, status := o.Callback(); !kind.Wrote(o) {
		o.SetFinalizers([]string{v1alpha1.Finalizer})
		status.Applied = &v1alpha1.Applied{UID: o.GetUID(), Revision: live.RevisionFormat}
	}
}

// first returns which of some rivals comes before one of them, which may be itself.
func (p *Planner) first(rivals []Subject, one int) int {
	first := one
	mine, _ := p.cloudOf(rivals[one].Object)
	mine = mine.Of(rivals[one].Object)
	for n, rival := range rivals {
		if n == one || !precedes(rival, rivals[first], n < first) {
			continue
		}
		theirs, exists := p.cloudOf(rival.Object)
		exists = exists || !rival.exists() // where the account of a new one does not exist, the reason says so
		if kind.May(rival.Object, theirs, mine, exists, p.Now()) {
			first = n
		}
	}
	return first
}

// precedes tells whether a comes before b, as it does in the run or not. What is in the
// cluster comes before what is not, unless that has written something. Copies of one
// manifest may have one UID.
func precedes(a, b Subject, inRun bool) bool {
	switch owns := kind.Wrote(a.Object); {
	case owns != kind.Wrote(b.Object):
		return owns
	case a.exists() != b.exists():
		return a.exists()
	case !a.exists():
		return inRun
	default:
		return kind.Precedes(a.Object, b.Object) || inRun && !kind.Precedes(b.Object, a.Object)
	}
}

// lost is the plan for an object that another one comes before.
func (i Item) lost(s, to Subject) Item {
	if !s.Object.GetDeletionTimestamp().IsZero() {
		return newItem(s).retained()
	}
	message := i.Key + " belongs to " + s.Kind.Name + " " + to.Object.GetNamespace() + "/" + to.Object.GetName() + ", which comes first"
	if !to.exists() {
		message += " here. Keep one of the two: of objects that are created within one second, the operator may let the other come first"
	}
	return newItem(s).blocked(v1alpha1.ReasonConflict, message+".")
}

// cloudOf returns the cloud of an object, and whether its account exists.
func (p *Planner) cloudOf(o kind.Object) (kind.Cloud, bool) {
	spec, _ := o.Callback()
	if spec.AccountRef == nil {
		return kind.Cloud{Host: p.Clouds.Host()}.Of(o), true // the operator knows whose its own account is
	}
	if a := p.account(o); a != nil {
		return kind.CloudOf(a), true
	}
	return kind.Cloud{Account: types.NamespacedName{Namespace: o.GetNamespace(), Name: spec.AccountRef.Name}}, false
}

// account returns the LiveAccount that an object refers to; nil for none.
func (p *Planner) account(o kind.Object) *v1alpha1.LiveAccount {
	spec, _ := o.Callback()
	for i := range p.Accounts {
		if a := &p.Accounts[i]; spec.AccountRef != nil && a.Namespace == o.GetNamespace() && a.Name == spec.AccountRef.Name {
			return a
		}
	}
	return nil
}
