// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// written returns an object that wrote another configuration than its spec asks for.
func written(name string) Subject {
	o := kind.All[0].New()
	o.SetNamespace("media")
	o.SetName(name)
	o.SetUID(types.UID(name))
	o.SetFinalizers([]string{v1alpha1.Finalizer})
	_, status := o.Callback()
	status.Applied = &v1alpha1.Applied{UID: o.GetUID(), Revision: live.RevisionFormat + "another"}
	return Subject{kind.All[0], o}
}

// played returns the plans of the changes of a run, where the cluster has other objects.
func (p *Planner) played(subjects ...Subject) []Item {
	p.Now = func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	p.understand()
	items, asking := make([]Item, len(subjects)), make([]*plan.Member, len(subjects))
	for n, s := range subjects {
		i := newItem(s)
		i.Change, i.Action = Update, string(plan.Apply)
		if !s.exists() {
			i.Change, i.Action = Create, string(plan.Create)
		}
		items[n], asking[n] = p.guarded(i, s, kind.Facts{Now: p.Now()})
	}
	p.takeTurns(p.all(subjects), items, asking)
	return items
}

// TestSteps: what a guard and a policy make of a change is told as the operator does
// it: the own guard first, of the policies the oldest.
func TestSteps(t *testing.T) {
	guard := v1alpha1.GuardSpec{Window: metav1.Duration{Duration: 20 * time.Minute}, MaxFailures: 3}
	policy := func(name string, edit func(*v1alpha1.LiveRolloutPolicy)) v1alpha1.LiveRolloutPolicy {
		p := v1alpha1.LiveRolloutPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: name}, Spec: v1alpha1.LiveRolloutPolicySpec{Guard: guard}}
		p.Status.Watching, p.Status.Waiting = 0, 4
		if edit != nil {
			edit(&p)
		}
		return p
	}
	const watched = "It is watched for 20m; with 3 failed callbacks it is rolled back."
	waits := func(why plan.Refusal) string { return plan.Waiting("a", why, 0).Message }
	for name, c := range map[string]struct {
		policies []v1alpha1.LiveRolloutPolicy
		own      *v1alpha1.GuardSpec
		blocked  string
		want     []string
	}{
		"neither": {},
		"a guard": {own: &v1alpha1.GuardSpec{OnFailure: v1alpha1.OnFailureReport}, want: []string{"It is watched for 10m; with 1 failed callback that is reported."}},
		"a policy": {
			policies: []v1alpha1.LiveRolloutPolicy{policy("b", nil), policy("a", nil)},
			want:     []string{`LiveRolloutPolicy "a" lets 1 such change be watched at once; 0 are, and 4 wait.`, watched},
		},
		"one that is paused": {
			policies: []v1alpha1.LiveRolloutPolicy{policy("a", func(p *v1alpha1.LiveRolloutPolicy) { p.Spec.Paused = true })},
			blocked:  waits(plan.Pausing), want: []string{watched},
		},
		"one that is halted": {
			policies: []v1alpha1.LiveRolloutPolicy{policy("a", func(p *v1alpha1.LiveRolloutPolicy) {
				p.Status.Halted = []v1alpha1.RolloutGrant{{Kind: "LiveNotifyConfig", Name: "x", UID: "x"}}
			})},
			blocked: waits(plan.Halting), want: []string{watched},
		},
		"those of others": {policies: []v1alpha1.LiveRolloutPolicy{
			policy("a", func(p *v1alpha1.LiveRolloutPolicy) { p.Namespace = "other" }),
			policy("b", func(p *v1alpha1.LiveRolloutPolicy) { p.Spec.Kinds = []string{"LiveRecordNotifyConfig"} }),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := written("one")
			spec, _ := kind.Shared(s.Object)
			spec.Guard = c.own
			got := (&Planner{Policies: c.policies}).played(s)[0]
			if diff := cmp.Diff(c.want, got.Notes); diff != "" {
				t.Error(diff)
			}
			if blocked := got.Change == Blocked; blocked != (c.blocked != "") || blocked && got.Message != c.blocked {
				t.Errorf("got %+v, want blocked with %q", got, c.blocked)
			}
		})
	}
}

// in returns an object with a change in a state, which was seen first at a time.
func in(s Subject, state v1alpha1.ChangeState, seen time.Time) Subject {
	_, status := kind.Shared(s.Object)
	status.Guard = &v1alpha1.GuardStatus{Ticket: 1, Change: &v1alpha1.GuardedChange{State: state, SeenTime: metav1.NewTime(seen)}}
	if state == v1alpha1.ChangeWaiting {
		status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: v1alpha1.ReasonWaitingForRollout}}
	}
	return s
}

// newer returns n objects that are not in the cluster.
func newer(n int) (list []Subject) {
	for i := range n {
		o := kind.All[0].New()
		o.SetNamespace("media")
		o.SetName(fmt.Sprintf("new-%d", i))
		list = append(list, Subject{kind.All[0], o})
	}
	return list
}

// TestPlacesOfARun: objects that are to be created count for a percentage, and those of
// the cluster that are under way, or wait for longer, have their places.
func TestPlacesOfARun(t *testing.T) {
	long := time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		most    string
		cluster []Subject
		edit    func(a, b, c Subject, p *v1alpha1.LiveRolloutPolicyStatus) // of what the run changes, and of the policy
		run     []Subject                                                  // after a, b and c, which are changed
		want    string
	}{
		"by name":                 {most: "2", want: "~~!"},
		"as many as there may be": {most: "3", want: "~~~"},
		"one is under way":        {most: "2", cluster: []Subject{in(written("x"), v1alpha1.ChangeWatching, long)}, want: "~!!"},
		"one waits for longer":    {most: "2", cluster: []Subject{in(written("x"), v1alpha1.ChangeWaiting, long)}, want: "~!!"},
		"a part":                  {most: "50%", want: "~!!"},
		"a part of more":          {most: "50%", cluster: []Subject{written("x")}, want: "~~!"},
		"a part of new ones too":  {most: "50%", run: newer(3), want: "~~~"},
		"all of them":             {most: "100%", want: "~~~"},
		"what is noted has ended": {most: "1", want: "~!!", cluster: []Subject{in(written("x"), v1alpha1.ChangeAccepted, long)}, edit: func(_, _, _ Subject, p *v1alpha1.LiveRolloutPolicyStatus) {
			p.Granted = []v1alpha1.RolloutGrant{{Kind: "LiveNotifyConfig", Name: "x", UID: "x", Ticket: 1}}
		}},
		"what is noted of the last one is of before": {most: "1", want: "~!!", edit: func(_, _, c Subject, p *v1alpha1.LiveRolloutPolicyStatus) {
			in(c, v1alpha1.ChangeAccepted, long)
			p.Granted = []v1alpha1.RolloutGrant{{Kind: "LiveNotifyConfig", Name: "c", UID: "c", Ticket: 1}}
		}},
		"the one that halted it is changed": {most: "1", want: "~!!", edit: func(_, b, _ Subject, p *v1alpha1.LiveRolloutPolicyStatus) {
			in(b, v1alpha1.ChangeFailed, long).Object.SetGeneration(2)
			p.Halted = []v1alpha1.RolloutGrant{{Kind: "LiveNotifyConfig", Name: "b", UID: "b", Ticket: 1, Generation: 1}}
		}},
		"another one halts it": {most: "1", want: "!!!", cluster: []Subject{in(written("x"), v1alpha1.ChangeFailed, long)}, edit: func(_, _, _ Subject, p *v1alpha1.LiveRolloutPolicyStatus) {
			p.Halted = []v1alpha1.RolloutGrant{{Kind: "LiveNotifyConfig", Name: "x", UID: "x", Ticket: 1}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			most := intstr.Parse(c.most)
			p := &Planner{Objects: c.cluster, Policies: []v1alpha1.LiveRolloutPolicy{{
				ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "steps"}, Spec: v1alpha1.LiveRolloutPolicySpec{MaxConcurrent: &most},
			}}}
			run := append([]Subject{written("a"), written("b"), written("c")}, c.run...)
			if c.edit != nil {
				c.edit(run[0], run[1], run[2], &p.Policies[0].Status)
			}
			got := ""
			for _, i := range p.played(run...)[:3] {
				got += string(i.Change)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
