// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/account"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/words"
)

// Some changes and removals wait for others. Who waits is told for the whole of a run
// at once: by the rules of internal/plan, in the order in which the turns come.

// understand finds the policies that are in force.
func (p *Planner) understand() {
	byNamespace := map[string][]v1alpha1.LiveRolloutPolicy{}
	for _, policy := range p.Policies {
		if policy.CreationTimestamp.IsZero() { // it is not in the cluster yet
			policy.CreationTimestamp = metav1.NewTime(p.Now())
		}
		byNamespace[policy.Namespace] = append(byNamespace[policy.Namespace], policy)
	}
	p.inForce = map[string][]kind.Policy{}
	for namespace, policies := range byNamespace {
		p.inForce[namespace] = kind.Policies(policies)
	}
}

// policyOf returns the policy that counts for an object; nil for none.
func (p *Planner) policyOf(s Subject) *v1alpha1.LiveRolloutPolicy {
	if covering := kind.Covering(p.inForce[s.Object.GetNamespace()], s.Kind, s.Object); len(covering) > 0 {
		return covering[0].LiveRolloutPolicy
	}
	return nil
}

// guarded says what a guard makes of a write: one that failed before is not tried again,
// and another change is watched. It returns a member if a policy has to let that start.
func (p *Planner) guarded(i Item, s Subject, f kind.Facts) (Item, *plan.Member) {
	spec, status := kind.Shared(s.Object)
	guard, policy := spec.Guard, p.policyOf(s)
	if guard == nil && policy != nil {
		guard = &policy.Spec.Guard
	}
	if guard == nil || i.Change != Update {
		return i, nil
	}
	course := plan.Change // of what it owns again
	if kind.Wrote(s.Object) || kind.LostFinalizer(s.Object) {
		if status.Applied.Revision == "" {
			return i, nil
		}
		fingerprint := ""
		if f.Key != "" {
			fingerprint = kind.Fingerprint(s.Object, f.Key)
		}
		course = s.Kind.Standing(s.Object, fingerprint, f.Rotated).Course()
	}
	m := s.Kind.Member(s.Object)
	switch {
	case course == plan.Undone && m.State == v1alpha1.ChangeRolledBack:
		v := plan.RolledBack(*status.Guard.Change)
		return i.blocked(v.Reason, v.Message), nil
	case course != plan.Change || i.Action != string(plan.Apply):
		return i, nil
	}
	i.Notes = []string{watched(plan.GuardOf(*guard))}
	if policy == nil || m.State.InFlight() {
		return i, nil
	}
	if m.State != v1alpha1.ChangeWaiting { // it has yet to get in line
		m.State, m.Ticket, m.Seen = v1alpha1.ChangeWaiting, m.Ticket+1, f.Now.Truncate(time.Second)
	}
	m.Waits = true
	return i, &m
}

// watched says what a guard does.
func watched(g plan.Guard) string {
	then := "it is rolled back"
	if g.Report {
		then = "that is reported"
	}
	return fmt.Sprintf("It is watched for %s; with %s %s.", plan.Short(g.Window), words.Count(g.MaxFailures, "failed callback"), then)
}

// line is who a policy is for.
type line struct {
	policy  *v1alpha1.LiveRolloutPolicy
	members []plan.Member
	asking  map[types.UID]int // where in the run
}

// takeTurns blocks the changes whose turn has not come. What the objects of the run are
// goes by their plans, and the others of the cluster are as they say.
func (p *Planner) takeTurns(all []Subject, items []Item, asking []*plan.Member) {
	lines := map[*v1alpha1.LiveRolloutPolicy]*line{}
	seen := map[types.UID]bool{}
	for n, s := range all {
		seen[s.Object.GetUID()] = true
		policy := p.policyOf(s)
		if policy == nil {
			continue
		}
		l := lines[policy]
		if l == nil {
			l = &line{policy, nil, map[types.UID]int{}}
			lines[policy] = l
		}
		m := s.Kind.Member(s.Object)
		if n < len(items) {
			m.Waits = false
			if asking[n] != nil && items[n].Change == Update {
				m = *asking[n]
				l.asking[m.UID] = n
			}
		}
		l.members = append(l.members, m)
	}
	for _, l := range lines {
		l.answer(items, func(uid types.UID) bool { return seen[uid] })
	}
}

// answer lets those that ask do so. Absent tells of objects that are there, and that
// the policy is not for any more.
func (l *line) answer(items []Item, absent func(types.UID) bool) {
	r := plan.RolloutOf(l.policy, l.members)
	r.Granted, r.Halted = r.Review(absent)
	asks := func(m plan.Member) bool { _, ok := l.asking[m.UID]; return ok }
	for uid, a := range r.Answers(asks) {
		i := &items[l.asking[uid]]
		if a.Refusal != plan.Allowed {
			v := plan.Waiting(l.policy.Name, a.Refusal, a.Ahead)
			*i = i.blocked(v.Reason, v.Message)
			continue
		}
		s := l.policy.Status
		i.Notes = slices.Insert(i.Notes, 0, fmt.Sprintf("LiveRolloutPolicy %q lets %s be watched at once; %d are, and %d wait.",
			l.policy.Name, words.Count(r.Max, "such change"), s.Watching, s.Waiting))
	}
}

// moved returns an object that refers to another cloud account than it wrote to as a
// new one there, as the operator sees it.
func (p *Planner) moved(s Subject, cloud *account.Account) Subject {
	_, status := s.Object.Callback()
	a := status.Applied
	if a == nil || !kind.SignedBy(s.Object, a) || a.Account == cloud.Name {
		return s
	}
	if la := p.account(s.Object); la != nil && la.Name == cloud.Name && a.AccountID != "" && kind.CloudOf(la).ID == a.AccountID {
		return s
	}
	s.Object = s.Object.DeepCopyObject().(kind.Object)
	_, status = s.Object.Callback()
	status.Applied = nil
	if s.Kind.Wrote != nil {
		s.Kind.Wrote(s.Object, nil)
	}
	return s
}

// removal is the plan for an object that is being deleted, whose account cannot be used
// if there is an error.
func (p *Planner) removal(i Item, s Subject, err error) Item {
	if !kind.Wrote(s.Object) || kind.Retained(s.Object) != "" {
		return i.retained()
	}
	if u, ok := errors.AsType[*plan.Unavailable](err); ok {
		v := plan.Blocked(u.Verdict())
		return i.blocked(v.Reason, v.Message)
	}
	if err != nil {
		return i.failed(err)
	}
	_, status := s.Object.Callback()
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	if p.account(s.Object) == nil && ready != nil && ready.Reason == v1alpha1.ReasonDeletionHeld {
		return i.blocked(ready.Reason, ready.Message) // by a limit that is not known here
	}
	i.Change, i.Action = Remove, "delete"
	return i
}

// retained is the plan for an object that leaves what is in the cloud.
func (i Item) retained() Item {
	i.Change, i.Action, i.Message = InSync, "retain", "It is being deleted; what is in the cloud stays."
	return i
}

// holdRemovals blocks the removals that would be too many for the limit of their
// account. Those of the other objects of the cluster have turns too.
func (p *Planner) holdRemovals(all []Subject, items []Item) {
	waiting := map[*v1alpha1.LiveAccount][]int{}
	for n, s := range all {
		if a := p.account(s.Object); a != nil && kind.AwaitsRemoval(s.Object) && (n >= len(items) || items[n].Change == Remove) {
			waiting[a] = append(waiting[a], n)
		}
	}
	now := p.Now()
	for a, line := range waiting {
		limit := plan.DeletionsOf(a)
		if limit == nil {
			continue
		}
		slices.SortFunc(line, func(a, b int) int { return kind.DeletedBefore(all[a].Object, all[b].Object) })
		for ahead, n := range line {
			if n < len(items) && limit.Turn(now, ahead).After(now) {
				v := limit.Held(now, ahead)
				items[n] = items[n].blocked(v.Reason, v.Message)
			}
		}
	}
}
