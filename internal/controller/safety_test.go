// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// How a change, a campaign and a deletion fare at the size, or as often, as it is
// promised.

// player makes the passes of an object that are due, and no more.
func (d *driver) player(name string) func(span time.Duration) {
	due := d.clock.Now()
	return func(span time.Duration) {
		d.t.Helper()
		for end := d.clock.Now().Add(span); ; {
			if due.After(end) {
				d.clock.advance(end.Sub(d.clock.Now()))
				return
			}
			d.clock.advance(max(due.Sub(d.clock.Now()), 0))
			due = d.clock.Now().Add(max(d.pass(name), time.Millisecond))
		}
	}
}

// TestEachChangeThatFailsIsUndoneInTime: in each of 100 runs the roll-back is
// written within two counts of the failure that is one too many.
func TestEachChangeThatFailsIsUndoneInTime(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		var slowest time.Duration
		for seed := range 25 { // of each of four kinds
			random := rand.New(rand.NewPCG(uint64(seed), uint64(len(f.name))))
			most := 1 + random.Int32N(4)
			d, before := watching(t, f, guarded(10*time.Minute, most, v1alpha1.OnFailureRollBack))
			play := d.player("a")
			for range most {
				play(time.Duration(random.IntN(60_000)) * time.Millisecond)
				d.Expect(f.have(d.cloud)).NotTo(Equal(before), "seed %d: it was undone too soon", seed)
				d.fails(changedURL, 1)
			}
			took := time.Duration(0)
			for f.have(d.cloud) != before && took <= 2*plan.WatchEvery {
				play(time.Second)
				took += time.Second
			}
			d.Expect(f.have(d.cloud)).To(Equal(before), "seed %d", seed)
			d.Expect(took).To(BeNumerically("<=", 2*plan.WatchEvery), "seed %d", seed)
			slowest = max(slowest, took)
		}
		t.Logf("25 of 25 were undone, the slowest %s after the failure that was one too many", slowest)
	})
}

// TestNoOtherFailureUndoesAChange: of a receiver that failed before the change, or
// that is another one, nothing comes, in none of 100 runs.
func TestNoOtherFailureUndoesAChange(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		for seed := range 25 {
			random := rand.New(rand.NewPCG(uint64(seed), uint64(len(f.name))))
			d := simulated(t, f, emulator.Options{})
			d.create("a", guarded(time.Minute, 1, v1alpha1.OnFailureRollBack), rarely)
			d.settle("a")
			others := []string{"http://elsewhere.example.com/", changedURL + "/other", changedURL + "er", "http://hooks.example.com/notify"}
			d.fails(changedURL, 1+random.IntN(5)) // before
			d.fails(pickAny(random, others), 1+random.IntN(5))
			d.passes("a", 2*time.Minute)
			d.clock.advance(time.Duration(random.IntN(60_000)) * time.Millisecond)
			d.update("a", f.change)
			play := d.player("a")
			for range 10 {
				play(time.Duration(random.IntN(10_000)) * time.Millisecond)
				d.fails(pickAny(random, others), 1+random.IntN(5))
			}
			play(2 * time.Minute)
			d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonAccepted), "seed %d: %s", seed, changeAccepted(d.get("a")).Message)
			d.Expect(f.have(d.cloud)).To(Equal(f.want(d.get("a"), "")))
		}
	})
}

func pickAny(random *rand.Rand, from []string) string { return from[random.IntN(len(from))] }

// TestACampaignOfManySteps: a change reaches all objects, ten at a time, and the
// next one starts within 3 s of the end of a window.
func TestACampaignOfManySteps(t *testing.T) {
	t.Parallel()
	const window, most = time.Minute, 10
	n := 100
	if long {
		n = 1000
	}
	c := newCampaign(t, n, most, window)
	c.clock.stopped = c.clock.Now() // what this machine takes for it is no time of the campaign
	c.changeAll()
	c.catchUp()
	states, starts := map[string]v1alpha1.ChangeState{}, map[string]time.Time{}
	under, highest, accepted := 0, 0, 0
	began := c.clock.Now()
	for accepted < n {
		next := c.clock.Now().Add(time.Hour)
		for _, name := range c.names {
			if !c.clock.Now().Before(c.due[name]) {
				was := states[name]
				c.due[name] = c.clock.Now().Add(c.pass(name))
				is := c.changeState(name)
				if states[name] = is; is != was {
					c.wake()
				}
				if is.InFlight() && !was.InFlight() {
					starts[name] = c.clock.Now()
					under++
				}
				if was.InFlight() && !is.InFlight() {
					under--
					accepted++
					c.Expect(is).To(Equal(v1alpha1.ChangeAccepted))
				}
				highest = max(highest, under)
			}
			if c.due[name].Before(next) {
				next = c.due[name]
			}
		}
		c.Expect(highest).To(BeNumerically("<=", most))
		c.clock.advance(max(next.Sub(c.clock.Now()), time.Millisecond))
	}
	var order []time.Time
	for _, name := range c.names {
		order = append(order, starts[name])
	}
	slices.SortFunc(order, time.Time.Compare)
	slowest := time.Duration(0)
	for i := most; i < n; i++ {
		slowest = max(slowest, order[i].Sub(order[i-most])-window)
	}
	c.Expect(slowest).To(BeNumerically("<=", 3*time.Second))
	t.Logf("%d objects in %d steps took %s; at most %d were watched at once, and a step took at most %s more than its window",
		n, n/most, c.clock.Now().Sub(began).Round(time.Second), highest, slowest)
}

// wake lets the policy look at what has changed, and wakes those whose turn it is.
func (c *campaign) wake() {
	c.t.Helper()
	c.review()
	c.catchUp()
	policy := c.thePolicy()
	members, _, err := c.r.(*Reconciler).members(c.ctx, policy)
	c.Expect(err).NotTo(HaveOccurred())
	for _, m := range plan.RolloutOf(policy, members).Next() {
		delete(c.due, m.Name)
	}
}

// TestManyDeletionsAtOnce, with all that they need: as kubectl delete namespace does
// it. They go as the limit allows, and in the end all are gone.
func TestManyDeletionsAtOnce(t *testing.T) {
	t.Parallel()
	const perHour = 60
	n := 150
	if long {
		n = 500
	}
	d := simulated(t, streamFixture(), emulator.Options{})
	d.haveAccount("one")
	d.catchUp()
	of := func(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: "one"} }
	d.create("first", of)
	d.settle("first")
	d.hurry()
	names := d.fleet(n, of)
	d.limit("one", perHour)
	for _, name := range names {
		d.remove(name)
	}
	d.Expect(d.api.Delete(d.ctx, d.theAccount("one"))).To(Succeed())
	d.Expect(d.sweep(names, time.Hour)).To(Equal(n - perHour))
	d.Expect(readyReason(d.get(names[n-1]))).To(Equal(v1alpha1.ReasonDeletionHeld))
	d.Expect(messageOf(d.get(names[n-1]), v1alpha1.ConditionReady)).To(ContainSubstring("The turn of this one is at about 20"))
	hours := 1
	for left := n - perHour; left > 0; hours++ {
		d.Expect(hours).To(BeNumerically("<", 10), "%d are left", left)
		was := left
		left = d.sweep(names, time.Hour)
		d.Expect(was - left).To(BeNumerically("<=", perHour))
	}
	for _, name := range names {
		_, exists := d.cloud.StreamConfig(name + ".example.com")
		d.Expect(exists).To(BeFalse(), name)
	}
	t.Logf("%d removals with a limit of %d an hour took %d hours", n, perHour, hours)
}

// fewCampaigns is how many are played in the usual form.
const fewCampaigns = 20

// TestHistoriesOfCampaigns draws what happens to a campaign: changes, failures,
// crashes, an outage, a policy that is paused, resumed, replaced, Secrets and objects
// that go away. Whatever happens, no more are under way than may be, and none
// starts while another one that failed halts the policy, or while that is paused.
// In the end calm returns, and all objects are as their specs say.
func TestHistoriesOfCampaigns(t *testing.T) {
	played := 0
	rapid.Check(t, func(t *rapid.T) {
		if played >= fewCampaigns && !long {
			return
		}
		c := newCampaign(t, 4, rapid.IntRange(1, 2).Draw(t, "at once"), time.Minute)
		c.secret(firstKey)
		c.changeAll()
		for range rapid.IntRange(3, 12).Draw(t, "steps") {
			c.happens(t)
			clear(c.due) // whoever is woken for nothing asks for nothing
			c.play(pick(t, "for", time.Second, 5*time.Second, 35*time.Second, 2*time.Minute))
		}
		c.calm()
		played++ // not one that failed: rapid tries it again, and smaller ones
	})
}

// happens draws what happens next.
func (c *campaign) happens(t *rapid.T) {
	c.t.Helper()
	left := slices.DeleteFunc(slices.Clone(c.names), c.gone)
	name := rapid.SampledFrom(left).Draw(t, "object")
	url := fmt.Sprintf("http://hooks.example.com/%d", rapid.IntRange(0, 3).Draw(t, "URL"))
	edit := func(edit func(*v1alpha1.LiveNotifyConfig)) {
		c.update(name, func(o Object) { edit(o.(*v1alpha1.LiveNotifyConfig)) })
	}
	switch pick(t, "happens", "change", "change all", "fail", "fail", "pause", "resume", "replace", "crash", "restart", "outage", "sign", "rotate", "drop Secret", "delete", "ask") {
	case "change":
		edit(func(o *v1alpha1.LiveNotifyConfig) { o.Spec.NotifyURL = url })
	case "change all":
		for _, name = range left {
			edit(func(o *v1alpha1.LiveNotifyConfig) { o.Spec.NotifyURL = url })
		}
	case "fail":
		if i := slices.IndexFunc(left, func(name string) bool { return c.changeState(name) == v1alpha1.ChangeWatching }); i >= 0 {
			name = left[i]
		}
		have, _ := c.cloud.StreamConfig(name + ".example.com")
		c.failsAt(name, have.NotifyURL)
	case "pause":
		c.edit(func(s *v1alpha1.LiveRolloutPolicySpec) { s.Paused = true })
	case "resume":
		c.edit(func(s *v1alpha1.LiveRolloutPolicySpec) { s.Paused = false })
	case "replace":
		c.replace(left)
	case "crash":
		at := rapid.IntRange(0, 30).Draw(t, "at call")
		after := rapid.Bool().Draw(t, "after it")
		c.gate.plan(func(n int, _ string) fate { return fate{dieBefore: n == at && !after, dieAfter: n == at && after} })
	case "restart":
		c.restart()
	case "outage":
		c.cloud.ClearFaults()
		c.cloud.Inject(emulator.Fault{Action: pick(t, "of", "SetLiveStreamsNotifyUrlConfig", "DescribeLiveStreamsNotifyRecords"), Code: "InternalError", Status: 500, Times: 5})
	case "sign":
		edit(func(o *v1alpha1.LiveNotifyConfig) { o.Spec.Authentication = signature() })
	case "rotate":
		c.secret(rapid.SampledFrom([]string{firstKey, secondKey}).Draw(t, "key"))
	case "drop Secret":
		c.drop(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: signature().KeySecretRef.Name}})
	case "delete":
		if len(left) > 2 {
			c.remove(name)
		}
	case "ask":
		c.ask(name, url)
	}
}

// failsAt adds a callback of an object that failed.
func (c *campaign) failsAt(name, url string) {
	c.t.Helper()
	c.cloud.AddRecords(emulator.Records{Stream: []emulator.CallbackRecord{{
		Time: c.clock.Now(), Domain: name + ".example.com", URL: url, Type: "publish", Result: emulator.ResultFailed,
	}}})
}

// replace deletes the policy, and makes another one of its name after some objects
// have seen that.
func (c *campaign) replace(seen []string) {
	c.t.Helper()
	was := c.thePolicy()
	c.Expect(c.api.Delete(c.ctx, was)).To(Succeed())
	for _, name := range seen[:len(seen)/2] {
		c.catchUp()
		if _, err := c.try(name); err != nil && c.gate.revive() {
			c.restart()
		}
	}
	c.Expect(c.api.Create(c.ctx, &v1alpha1.LiveRolloutPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: c.policy}, Spec: was.Spec,
	})).To(Succeed())
	c.review()
}

// calm ends all trouble, and waits until everything is as it is to be.
func (c *campaign) calm() {
	c.t.Helper()
	c.cloud.ClearFaults()
	c.gate.plan(nil)
	c.secret(secondKey)
	for _, name := range c.names {
		if !c.gone(name) && c.get(name).GetDeletionTimestamp().IsZero() {
			c.update(name, func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.NotifyURL = "http://hooks.example.com/last" })
		}
	}
	c.edit(func(s *v1alpha1.LiveRolloutPolicySpec) { s.Paused = true })
	c.play(time.Second)
	c.edit(func(s *v1alpha1.LiveRolloutPolicySpec) { s.Paused = false })
	c.play(20 * time.Minute)
	for _, name := range c.names {
		if c.gone(name) {
			continue
		}
		obj := c.get(name)
		c.Expect(readyReason(obj)).To(Equal(v1alpha1.ReasonInSync), "%s: %s", name, messageOf(obj, v1alpha1.ConditionReady))
		have, _ := c.cloud.StreamConfig(name + ".example.com")
		c.Expect(have.NotifyURL).To(Equal("http://hooks.example.com/last"), name)
		c.Expect(c.changeState(name)).To(BeElementOf(v1alpha1.ChangeAccepted, v1alpha1.ChangeState("")), name)
	}
	s := c.thePolicy().Status
	c.Expect(s.Granted).To(BeEmpty())
	c.Expect(s.Halted).To(BeEmpty())
}
