// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

// maxWatched bounds how many changes a policy lets be under way.
const maxWatched = 1000

// Member is an object that a policy selects.
type Member struct {
	Kind, Name string
	UID        types.UID
	Generation int64
	Ticket     int64
	State      v1alpha1.ChangeState // of its last change; "" for none
	Current    bool                 // that change is of the generation as it is
	Seen       time.Time            // when that change was seen first
	Waits      bool                 // it was told to wait, and nothing else keeps it
	Ready      bool                 // for its generation
}

// compare orders two members in the line: the oldest change first, then by name.
func (m Member) compare(other Member) int {
	return cmp.Or(m.Seen.Compare(other.Seen), cmp.Compare(m.Name, other.Name), cmp.Compare(m.Kind, other.Kind))
}

// Rollout is what decides whether a change may start.
type Rollout struct {
	Paused  bool
	Max     int                     // changes that are under way at once
	Granted []v1alpha1.RolloutGrant // noted as under way
	Halted  []v1alpha1.RolloutGrant // failed
	Members []Member
}

// RolloutOf returns what decides whether a change may start under a policy.
func RolloutOf(policy *v1alpha1.LiveRolloutPolicy, members []Member) Rollout {
	return Rollout{
		Paused: policy.Spec.Paused, Max: MaxConcurrent(policy.Spec.MaxConcurrent, len(members)),
		Granted: policy.Status.Granted, Halted: policy.Status.Halted, Members: members,
	}
}

// MaxConcurrent returns how many changes are under way at once, of so many objects.
func MaxConcurrent(concurrent *intstr.IntOrString, selected int) int {
	one := intstr.FromInt32(1)
	n, err := intstr.GetScaledValueFromIntOrPercent(intstr.ValueOrDefault(concurrent, one), selected, false)
	if err != nil { // the schema has no such thing
		return 1
	}
	return min(maxWatched, max(n, 1))
}

// Refusal says why a change may not start.
type Refusal string

// Refusals.
const (
	Allowed   Refusal = ""
	Pausing   Refusal = "it is paused"
	Halting   Refusal = "a change failed, and it is halted"
	Full      Refusal = "as many changes as it allows are being watched"
	NotInLine Refusal = "others are ahead"
)

// Ask says whether the change of a member may start, and how many are ahead of it
// in the line. One that is noted as under way already has asked before.
func (r Rollout) Ask(m Member) (refusal Refusal, ahead int) {
	for _, other := range r.Members {
		if other.Waits && other.UID != m.UID && other.compare(m) < 0 && !r.granted(other) {
			ahead++
		}
	}
	return r.answer(m, r.underWay(m.UID), ahead), ahead
}

// answer says whether the change of a member may start, when so many others are under
// way, and so many are ahead of it.
func (r Rollout) answer(m Member, underWay, ahead int) Refusal {
	switch free := r.Max - underWay; {
	case r.Paused:
		return Pausing
	case slices.ContainsFunc(r.Halted, func(h v1alpha1.RolloutGrant) bool { return h.UID != m.UID }):
		return Halting
	case free <= 0:
		return Full
	case ahead >= free:
		return NotInLine
	default:
		return Allowed
	}
}

// Answer is what a policy says to a change that asks.
type Answer struct {
	Refusal
	Ahead int
}

// Answers are what Ask says to the members that wait, if each asks in its turn: those
// that may start are under way when the next one asks. Asks tells who does; the others
// only keep their places in the line.
func (r Rollout) Answers(asks func(Member) bool) map[types.UID]Answer {
	tickets := make(map[types.UID]int64, len(r.Granted))
	for _, g := range r.Granted {
		tickets[g.UID] = g.Ticket
	}
	line := slices.DeleteFunc(slices.Clone(r.Members), func(m Member) bool { return !m.Waits })
	slices.SortFunc(line, Member.compare)
	answers := map[types.UID]Answer{}
	underWay, ahead := r.underWay(""), 0
	for _, m := range line {
		ticket, noted := tickets[m.UID]
		others := underWay
		if noted {
			others--
		}
		if asks(m) {
			answers[m.UID] = Answer{r.answer(m, others, ahead), ahead}
		}
		switch a, asked := answers[m.UID]; {
		case asked && a.Refusal == Allowed:
			underWay = others + 1
		case !noted || ticket != m.Ticket:
			ahead++
		}
	}
	return answers
}

// granted tells whether the last change of a member is noted as under way.
func (r Rollout) granted(m Member) bool {
	return slices.ContainsFunc(r.Granted, func(g v1alpha1.RolloutGrant) bool { return g.UID == m.UID && g.Ticket == m.Ticket })
}

// underWay returns how many changes are, or are noted to be, but for that of one
// object.
func (r Rollout) underWay(but types.UID) int {
	n := 0
	noted := make(map[types.UID]bool, len(r.Granted))
	for _, g := range r.Granted {
		noted[g.UID] = true
		if g.UID != but {
			n++
		}
	}
	for _, m := range r.Members {
		if m.State.InFlight() && !noted[m.UID] && m.UID != but {
			n++
		}
	}
	return n
}

// Next returns the members whose turn it is, in order.
func (r Rollout) Next() []Member {
	free := r.Max - r.underWay("")
	if free <= 0 || r.Paused || len(r.Halted) > 0 {
		return nil
	}
	// A sorted list of the first ones: there are few, of very many.
	var first []Member
	for _, m := range r.Members {
		if !m.Waits || r.granted(m) || len(first) == free && m.compare(first[free-1]) >= 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(first, m, Member.compare)
		first = slices.Insert(first, at, m)
		first = first[:min(len(first), free)]
	}
	return first
}

// Review returns which of what is noted still is so. Absent tells of objects that
// the policy does not select any more, beyond doubt.
func (r Rollout) Review(absent func(types.UID) bool) (granted, halted []v1alpha1.RolloutGrant) {
	members := make(map[types.UID]Member, len(r.Members))
	for _, m := range r.Members {
		members[m.UID] = m
	}
	for _, g := range r.Granted {
		m, there := members[g.UID]
		done := m.Ticket > g.Ticket || m.Ticket == g.Ticket && !m.State.InFlight() && m.State != v1alpha1.ChangeWaiting
		if there && !done || !there && !absent(g.UID) {
			granted = append(granted, g)
		}
	}
	for _, h := range r.Halted {
		m, there := members[h.UID]
		// A cache of the past shows fewer tickets and generations, never more.
		changed := m.Ticket > h.Ticket || m.Generation > h.Generation ||
			m.Ticket == h.Ticket && !m.State.Bad() && !m.State.InFlight()
		if !r.Paused && (there && !changed || !there && !absent(h.UID)) {
			halted = append(halted, h)
		}
	}
	return granted, halted
}

// Sum counts the members in the status of their policy.
func (r Rollout) Sum(s *v1alpha1.LiveRolloutPolicyStatus) {
	s.Selected, s.UpToDate, s.Watching, s.Waiting, s.Failed = int32(len(r.Members)), 0, 0, 0, 0
	for _, m := range r.Members {
		switch {
		case m.State.InFlight():
			s.Watching++
		case m.State == v1alpha1.ChangeWaiting:
			s.Waiting++
		case m.State.Bad() && m.Current:
			s.Failed++
		case m.Ready:
			s.UpToDate++
		}
	}
}

// Waiting is the verdict on an object whose change waits for a policy.
func Waiting(policy string, why Refusal, ahead int) Verdict {
	return verdict(metav1.ConditionUnknown, v1alpha1.ReasonWaitingForRollout,
		"The change waits for LiveRolloutPolicy %q, as number %d in line: %s. Until then the cloud holds the configuration before it.", policy, ahead+1, why)
}
