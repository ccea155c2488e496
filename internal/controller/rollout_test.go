// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// campaign is a driver with objects under a LiveRolloutPolicy. It makes passes as
// the watches would.
type campaign struct {
	*driver
	names  []string
	policy string
	most   int // that are under way at once
	due    map[string]time.Time
	starts []string // changes that were written, in order
	breach []string
}

// newCampaign returns n objects in sync under a policy.
func newCampaign(t tester, n, most int, window time.Duration) *campaign {
	t.Helper()
	c := &campaign{driver: simulated(t, streamFixture(), emulator.Options{}), policy: "steps", most: most, due: map[string]time.Time{}}
	concurrent := intstr.FromInt32(int32(most))
	c.Expect(c.api.Create(c.ctx, &v1alpha1.LiveRolloutPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: c.policy},
		Spec: v1alpha1.LiveRolloutPolicySpec{
			MaxConcurrent: &concurrent, Guard: v1alpha1.GuardSpec{Window: metav1.Duration{Duration: window}},
		},
	})).To(Succeed())
	c.catchUp()
	c.names = c.fleet(n)
	return c
}

func (c *campaign) thePolicy() *v1alpha1.LiveRolloutPolicy {
	c.t.Helper()
	var p v1alpha1.LiveRolloutPolicy
	c.Expect(c.api.Get(c.ctx, client.ObjectKey{Namespace: c.namespace, Name: c.policy}, &p)).To(Succeed())
	return &p
}

func (c *campaign) edit(edit func(*v1alpha1.LiveRolloutPolicySpec)) {
	c.t.Helper()
	p := c.thePolicy()
	edit(&p.Spec)
	c.Expect(c.api.Update(c.ctx, p)).To(Succeed())
	c.review()
	clear(c.due) // a changed spec wakes all
}

// review makes a pass over the policy.
func (c *campaign) review() {
	c.t.Helper()
	for range 3 {
		c.catchUp()
		r := &rolloutReconciler{c.r.(*Reconciler).shared}
		result, err := r.Reconcile(c.ctx, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: c.namespace, Name: c.policy}})
		if err != nil && c.gate.revive() { // the process died
			c.restart()
			clear(c.due)
			continue
		}
		c.Expect(err).NotTo(HaveOccurred())
		if result.RequeueAfter == 0 {
			return
		}
	}
}

// step makes a pass over an object, and checks what is never to happen.
func (c *campaign) step(name string) {
	c.t.Helper()
	was, before := c.changeState(name), c.thePolicy()
	c.catchUp()
	wait, err := c.try(name)
	if died := c.gate.revive(); died || err != nil {
		wait = time.Second
		if died {
			c.restart()
			clear(c.due)
		}
	}
	c.due[name] = c.clock.Now().Add(wait)
	is := c.changeState(name)
	if !was.InFlight() && is.InFlight() {
		c.starts = append(c.starts, name)
		if slices.ContainsFunc(before.Status.Halted, func(h v1alpha1.RolloutGrant) bool { return h.Name != name }) {
			c.breach = append(c.breach, name+" started while the policy was halted")
		}
		if before.Spec.Paused {
			c.breach = append(c.breach, name+" started while the policy was paused")
		}
	}
	if n := c.underWay(); n > c.most {
		c.breach = append(c.breach, name+" is one too many")
	}
}

func (c *campaign) changeState(name string) v1alpha1.ChangeState {
	c.t.Helper()
	if c.gone(name) {
		return ""
	}
	if g := statusOf(c.get(name)).Guard; g != nil && g.Change != nil {
		return g.Change.State
	}
	return ""
}

// underWay returns how many changes are, by the status of the objects.
func (c *campaign) underWay() (n int) {
	for _, name := range c.names {
		if c.changeState(name).InFlight() && c.get(name).GetDeletionTimestamp().IsZero() {
			n++
		}
	}
	return n
}

// play makes passes over the objects and the policy for a span of time. Those whose
// turn it is are woken.
func (c *campaign) play(span time.Duration) {
	c.t.Helper()
	for end := c.clock.Now().Add(span); c.clock.Now().Before(end); {
		c.review()
		members, _, err := c.r.(*Reconciler).members(c.ctx, c.thePolicy())
		c.Expect(err).NotTo(HaveOccurred())
		for _, m := range plan.RolloutOf(c.thePolicy(), members).Next() {
			delete(c.due, m.Name)
		}
		next := end
		for _, name := range c.names {
			if c.gone(name) {
				continue
			}
			if !c.clock.Now().Before(c.due[name]) {
				c.step(name)
				c.review()
			}
			if c.due[name].Before(next) {
				next = c.due[name]
			}
		}
		c.Expect(c.breach).To(BeEmpty())
		c.clock.advance(max(min(next.Sub(c.clock.Now()), 5*time.Second), 100*time.Millisecond))
	}
}

// playUntil plays until the change of an object is in a state.
func (c *campaign) playUntil(name string, state v1alpha1.ChangeState) {
	c.t.Helper()
	for range 300 {
		if c.changeState(name) == state {
			return
		}
		c.play(time.Second)
	}
	c.t.Fatalf("%s is %s, want %s", name, c.changeState(name), state)
}

// changeAll changes all objects at once.
func (c *campaign) changeAll() {
	c.t.Helper()
	for _, name := range c.names {
		c.update(name, c.f.change)
		delete(c.due, name)
	}
}

// count returns how many objects are in a state.
func (c *campaign) count(states ...v1alpha1.ChangeState) (n int) {
	for _, name := range c.names {
		if slices.Contains(states, c.changeState(name)) {
			n++
		}
	}
	return n
}

func (c *campaign) failsOf(name string) {
	c.t.Helper()
	c.cloud.AddRecords(emulator.Records{Stream: []emulator.CallbackRecord{{
		Time: c.clock.Now(), Domain: name + ".example.com", URL: changedURL + "?action=publish", Type: "publish", Result: emulator.ResultFailed, Description: "unexpected HTTP status 500",
	}}})
}

func TestChangesGoInSteps(t *testing.T) {
	t.Parallel()
	c := newCampaign(t, 7, 2, time.Minute)
	c.changeAll()
	c.play(20 * time.Second)
	c.Expect(c.count(v1alpha1.ChangeWatching)).To(Equal(2))
	c.Expect(c.count(v1alpha1.ChangeWaiting)).To(Equal(5))
	waits := c.get("o-004")
	c.Expect(readyReason(waits)).To(Equal(v1alpha1.ReasonWaitingForRollout))
	c.Expect(messageOf(waits, v1alpha1.ConditionReady)).To(And(ContainSubstring(`"steps"`), ContainSubstring("as number 3 in line")))
	s := c.thePolicy().Status
	c.Expect([]int32{s.Selected, s.UpToDate, s.Watching, s.Waiting, s.Failed}).To(Equal([]int32{7, 0, 2, 5, 0}))

	c.play(4*time.Minute + 20*time.Second)
	c.Expect(c.count(v1alpha1.ChangeAccepted)).To(Equal(7))
	c.Expect(c.starts).To(Equal(c.names), "of one age, by name")
	c.play(time.Minute)
	s = c.thePolicy().Status
	c.Expect([]int32{s.Selected, s.UpToDate, s.Watching, s.Waiting, s.Failed}).To(Equal([]int32{7, 7, 0, 0, 0}))
	c.Expect(s.Granted).To(BeEmpty())
	for _, name := range c.names {
		have, _ := c.cloud.StreamConfig(name + ".example.com")
		c.Expect(have.NotifyURL).To(Equal(changedURL))
	}
}

// TestPlacesInLine: changes that come at once each say their own place soon after, as
// nothing moves them for long.
func TestPlacesInLine(t *testing.T) {
	t.Parallel()
	d := simulated(t, streamFixture(), emulator.Options{})
	names := d.fleet(4)
	d.pausedPolicy()
	for _, name := range names {
		d.update(name, d.f.change)
	}
	last := slices.Clone(names)
	slices.Reverse(last)
	d.sweep(last, 20*time.Second) // who is last comes first
	for n, name := range names {
		d.Expect(messageOf(d.get(name), v1alpha1.ConditionReady)).To(ContainSubstring(fmt.Sprintf("as number %d in line", n+1)), name)
	}
}

// TestWhatWasBeforeAPolicy: a change waits under a policy that came after the object was
// last read. What was before it is read, and held against drift.
func TestWhatWasBeforeAPolicy(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.create("a")
		before := d.f.want(d.settle("a"), "")
		d.pausedPolicy()
		d.update("a", f.change)
		d.until("a", v1alpha1.ReasonWaitingForRollout)
		d.Expect(statusOf(d.get("a")).Guard.Previous).NotTo(BeNil())
		d.clock.advance(2 * plan.Settling)
		f.edit(d.cloud)
		d.passes("a", 15*time.Minute)
		d.Expect(f.have(d.cloud)).To(Equal(before))
		d.Expect(readyReason(d.get("a"))).To(Equal(v1alpha1.ReasonWaitingForRollout))
		d.calls()
		d.passes("a", time.Hour)
		reads, _, _ := d.calls()
		d.Expect(len(reads)).To(BeNumerically("<=", 10), "it is read as one in sync is")
	})
}

// pausedPolicy creates a policy that lets no change start.
func (d *driver) pausedPolicy() {
	d.t.Helper()
	d.Expect(d.api.Create(d.ctx, &v1alpha1.LiveRolloutPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: "steps"},
		Spec:       v1alpha1.LiveRolloutPolicySpec{Paused: true, Guard: v1alpha1.GuardSpec{Window: metav1.Duration{Duration: time.Minute}}},
	})).To(Succeed())
}

// TestAKeyWaitsForItsTurn: a new key is not written before its turn, whatever else
// happens meanwhile.
func TestAKeyWaitsForItsTurn(t *testing.T) {
	forEachSigningKind(t, func(t *testing.T, f fixture) {
		if !f.counts() {
			return
		}
		d := simulated(t, f, emulator.Options{})
		d.secret(firstKey)
		before := d.f.want(d.create("a", f.sign), firstKey)
		d.settle("a")
		d.passes("a", 2*time.Minute)
		d.pausedPolicy()
		d.calls()
		d.secret(secondKey)
		d.until("a", v1alpha1.ReasonWaitingForRollout)
		d.passes("a", 20*time.Minute)
		d.update("a", f.change)
		d.passes("a", 20*time.Minute)
		_, writes, _ := d.calls()
		d.Expect(writes).To(BeEmpty())
		d.Expect(f.have(d.cloud)).To(Equal(before))
		d.Expect(readyReason(d.get("a"))).To(Equal(v1alpha1.ReasonWaitingForRollout))

		// Drift is corrected with the key before, which the cloud shows.
		f.edit(d.cloud)
		d.passes("a", 20*time.Minute)
		d.Expect(f.have(d.cloud)).To(Equal(before))

		var policy v1alpha1.LiveRolloutPolicy
		d.Expect(d.api.Get(d.ctx, client.ObjectKey{Namespace: d.namespace, Name: "steps"}, &policy)).To(Succeed())
		policy.Spec.Paused = false
		d.Expect(d.api.Update(d.ctx, &policy)).To(Succeed())
		d.passes("a", 20*time.Minute)
		d.Expect(f.have(d.cloud)).To(Equal(f.want(d.get("a"), secondKey)))
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonAccepted))
	})
}

// TestNoDetourPastAGuard: an object that stopped to manage and comes back with another
// spec has a change like any other.
func TestNoDetourPastAGuard(t *testing.T) {
	observe := func(policy v1alpha1.ManagementPolicy) func(Object) {
		return func(o Object) { spec(o).ManagementPolicy = policy }
	}
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		before := f.want(d.create("a", rollBack, rarely), "")
		d.settle("a")
		d.passes("a", 2*time.Minute)
		d.update("a", observe(v1alpha1.Observe))
		d.passes("a", time.Minute)
		d.update("a", func(o Object) { observe(v1alpha1.Manage)(o); f.change(o) })
		d.passes("a", 10*time.Second)
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonWatching))
		d.fails(changedURL, 2)
		d.passes("a", 2*time.Minute)
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonRolledBack))
		d.Expect(f.have(d.cloud)).To(Equal(before))

		// What was rolled back is tried again, and watched again.
		d.update("a", observe(v1alpha1.Observe))
		d.passes("a", time.Minute)
		d.update("a", observe(v1alpha1.Manage))
		d.passes("a", 10*time.Second)
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonWatching))
		d.fails(changedURL, 2)
		d.passes("a", 2*time.Minute)
		d.Expect(f.have(d.cloud)).To(Equal(before))

		// Under a policy it waits for its turn.
		d.pausedPolicy()
		d.update("a", func(o Object) { observe(v1alpha1.Observe)(o); spec(o).Guard = nil })
		d.passes("a", time.Minute)
		d.update("a", observe(v1alpha1.Manage))
		d.passes("a", 20*time.Minute)
		d.Expect(readyReason(d.get("a"))).To(Equal(v1alpha1.ReasonWaitingForRollout))
		d.Expect(f.have(d.cloud)).To(Equal(before))
	})
}

func TestAFailedChangeHaltsTheOthers(t *testing.T) {
	t.Parallel()
	c := newCampaign(t, 6, 1, time.Minute)
	c.changeAll()
	c.play(90 * time.Second)
	c.Expect(c.changeState("o-000")).To(Equal(v1alpha1.ChangeAccepted))
	c.Expect(c.changeState("o-001")).To(Equal(v1alpha1.ChangeWatching))
	c.failsOf("o-001")
	c.play(10 * time.Minute)
	c.Expect(c.changeState("o-001")).To(Equal(v1alpha1.ChangeRolledBack))
	c.Expect(c.count(v1alpha1.ChangeWaiting)).To(Equal(4))
	p := c.thePolicy()
	c.Expect(meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionHalted)).To(BeTrue())
	c.Expect(c.sim.told).To(ContainElement(ContainSubstring("no other change starts")))
	c.Expect(messageOf(c.get("o-002"), v1alpha1.ConditionReady)).To(ContainSubstring("halted"))

	// Drift of those that wait is corrected meanwhile, to what was before.
	have, _ := c.cloud.StreamConfig("o-003.example.com")
	before := have
	have.NotifyURL = "http://elsewhere.example.com/"
	c.cloud.SetStreamConfig("o-003.example.com", have)
	c.play(11 * time.Minute)
	have, _ = c.cloud.StreamConfig("o-003.example.com")
	c.Expect(have).To(Equal(before))

	// To pause and resume is to go on.
	c.edit(func(s *v1alpha1.LiveRolloutPolicySpec) { s.Paused = true })
	c.play(time.Minute)
	c.Expect(c.count(v1alpha1.ChangeWaiting)).To(Equal(4))
	c.edit(func(s *v1alpha1.LiveRolloutPolicySpec) { s.Paused = false })
	c.play(75 * time.Second)
	c.Expect(c.count(v1alpha1.ChangeAccepted)).To(Equal(2))

	// The next one fails too; this time it is changed.
	c.failsOf("o-003")
	c.play(time.Minute)
	c.Expect(c.changeState("o-003")).To(Equal(v1alpha1.ChangeRolledBack))
	c.Expect(c.count(v1alpha1.ChangeWaiting)).To(Equal(2))
	c.update("o-003", func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.NotifyURL = "http://hooks.example.com/mended" })
	delete(c.due, "o-003")
	c.play(6 * time.Minute)
	c.Expect(c.count(v1alpha1.ChangeAccepted)).To(Equal(5))
	c.Expect(c.count(v1alpha1.ChangeRolledBack)).To(Equal(1), "o-001 was not changed")
}

// TestNothingDeadlocks when what a change depends on goes away in the middle of it.
func TestNothingDeadlocks(t *testing.T) {
	t.Parallel()
	cases := map[string]func(c *campaign){
		"the object that is watched is deleted": func(c *campaign) { c.remove("o-000"); delete(c.due, "o-000") },
		"the policy does not select it any more": func(c *campaign) {
			c.edit(func(s *v1alpha1.LiveRolloutPolicySpec) {
				s.Selector = v1alpha1.ObjectSelector{MatchExpressions: []v1alpha1.LabelExpression{{Key: "odd", Operator: metav1.LabelSelectorOpDoesNotExist}}}
			})
			c.update("o-000", func(o Object) { o.SetLabels(map[string]string{"odd": "yes"}) })
			delete(c.due, "o-000")
		},
		"it only observes": func(c *campaign) {
			c.update("o-000", func(o Object) { spec(o).ManagementPolicy = v1alpha1.Observe })
			delete(c.due, "o-000")
		},
		"the one that is next has no key": func(c *campaign) {
			c.update("o-001", func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.Authentication = signature() })
			delete(c.due, "o-001")
		},
		"the one that is next is suspended": func(c *campaign) {
			c.update("o-001", func(o Object) { spec(o).Suspend = true })
			delete(c.due, "o-001")
		},
		"the spec goes back": func(c *campaign) {
			c.update("o-001", func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.NotifyURL = "http://hooks.example.com/notify" })
			delete(c.due, "o-001")
		},
	}
	for name, happens := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCampaign(t, 4, 1, time.Minute)
			c.changeAll()
			c.play(20 * time.Second)
			c.Expect(c.changeState("o-000")).To(Equal(v1alpha1.ChangeWatching))
			happens(c)
			c.play(6 * time.Minute)
			for _, name := range []string{"o-002", "o-003"} {
				c.Expect(c.changeState(name)).To(Equal(v1alpha1.ChangeAccepted), name)
			}
			c.Expect(c.thePolicy().Status.Granted).To(BeEmpty())
		})
	}
	t.Run("the policy is deleted", func(t *testing.T) {
		t.Parallel()
		c := newCampaign(t, 4, 1, time.Minute)
		c.changeAll()
		c.play(20 * time.Second)
		c.Expect(c.api.Delete(c.ctx, c.thePolicy())).To(Succeed())
		for _, name := range c.names {
			c.pass(name) // the deletion wakes it
			c.Expect(statusOf(c.get(name)).Guard).To(BeNil())
			have, _ := c.cloud.StreamConfig(name + ".example.com")
			c.Expect(have.NotifyURL).To(Equal(changedURL))
		}
	})
}

// TestTheOlderPolicyCounts where two select one object, and both say so.
func TestTheOlderPolicyCounts(t *testing.T) {
	t.Parallel()
	c := newCampaign(t, 3, 1, time.Minute)
	c.clock.advance(time.Minute)
	c.Expect(c.api.Create(c.ctx, &v1alpha1.LiveRolloutPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: "a-newer-one"},
		Spec:       v1alpha1.LiveRolloutPolicySpec{MaxConcurrent: new(intstr.FromString("100%")), Guard: v1alpha1.GuardSpec{}},
	})).To(Succeed())
	c.changeAll()
	c.play(20 * time.Second)
	c.Expect(c.count(v1alpha1.ChangeWatching)).To(Equal(1))
	for name, selected := range map[string]int32{"a-newer-one": 0, "steps": 3} {
		c.policy = name
		c.review()
		p := c.thePolicy()
		ready := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionReady)
		c.Expect(ready.Reason).To(Equal(v1alpha1.ReasonOverlapping), name)
		c.Expect(p.Status.Selected).To(Equal(selected), name)
	}
	c.policy = "steps"
	c.Expect(messageOf(c.get("o-001"), v1alpha1.ConditionReady)).To(ContainSubstring(`"steps"`))
}

// TestOneWorkerAtATimeNotesAStart: who finds another worker at it asks the API server
// nothing, comes back in a moment, and leaves the place as it is.
func TestOneWorkerAtATimeNotesAStart(t *testing.T) {
	t.Parallel()
	c := newCampaign(t, 2, 2, time.Minute)
	c.changeAll()
	granting, policy := &c.r.(*Reconciler).granting, c.thePolicy()
	granting.Store(policy.UID, true)
	c.Expect(c.pass("o-000")).To(BeNumerically("<", time.Second))
	c.Expect(c.thePolicy().ResourceVersion).To(Equal(policy.ResourceVersion))
	c.Expect(c.changeState("o-000").InFlight()).To(BeFalse())

	granting.Delete(policy.UID)
	for _, name := range []string{"o-000", "o-001"} {
		c.step(name)
		c.Expect(c.changeState(name).InFlight()).To(BeTrue(), name)
	}
	_, taken := granting.Load(policy.UID)
	c.Expect(taken).To(BeFalse())
}

// TestTwoLeadersLetNoMoreThrough: two processes, each with a cache that shows
// nothing of what the other does, work on objects whose turn it may be.
func TestTwoLeadersLetNoMoreThrough(t *testing.T) {
	t.Parallel()
	c := newCampaign(t, 8, 2, time.Minute)
	c.changeAll()
	c.catchUp()
	old := c.r
	c.restart()
	for range 5 {
		for i, name := range c.names {
			if i%2 == 0 {
				c.r, old = old, c.r
			}
			_, err := c.try(name)
			c.Expect(err).NotTo(HaveOccurred())
			c.Expect(c.underWay()).To(BeNumerically("<=", 2))
		}
		c.clock.advance(2 * time.Second)
	}
	c.catchUp()
	c.play(time.Second)
	c.Expect(c.underWay()).To(Equal(2))
}

// TestCrashOfACampaign lets the operator die before and after each call that it
// makes in a campaign. It comes to its end all the same, and never lets too many
// through.
func TestCrashOfACampaign(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, die func(n int, call string) fate) int {
		c := newCampaign(t, 3, 1, time.Minute)
		c.gate.plan(die)
		c.changeAll()
		c.playUntil("o-001", v1alpha1.ChangeWatching)
		c.play(5 * time.Second)
		c.failsOf("o-001")
		c.playUntil("o-001", v1alpha1.ChangeRolledBack)
		c.play(2 * time.Minute)
		// Who dies before it is in the line does not come first.
		c.Expect(c.count(v1alpha1.ChangeAccepted) + c.count(v1alpha1.ChangeWaiting)).To(Equal(2))
		have, _ := c.cloud.StreamConfig("o-001.example.com")
		c.Expect(have.NotifyURL).To(Equal("http://hooks.example.com/notify"))
		c.Expect(statusOf(c.get("o-001")).Guard.RolledBack).To(Equal(int64(1)))
		return len(c.gate.calls())
	}
	calls := run(t, nil)
	step := 1
	if !long {
		step = max(calls/12, 1)
	}
	for i := 0; i < calls; i += step {
		for _, after := range []bool{false, true} {
			run(t, func(n int, _ string) fate { return fate{dieBefore: n == i && !after, dieAfter: n == i && after} })
		}
	}
	t.Logf("%d calls", calls)
}
