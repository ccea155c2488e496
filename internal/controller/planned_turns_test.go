// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/planning"
)

// compareRun plans a run of some objects, lets the operator work on all objects in the
// order of their turns, until nothing is put off, and compares. Want has the signs of the run.
func (d *driver) compareRun(want string, all []string, run ...string) {
	d.t.Helper()
	d.calls()
	items := d.plannedRun(run...)
	_, writes, _ := d.calls()
	d.Expect(writes).To(BeEmpty(), "a plan writes nothing")
	got := ""
	for _, name := range run {
		got += string(items[name].Change)
	}
	d.Expect(got).To(Equal(want), "%+v", items)

	wrote := map[string]bool{}
	for range 5 {
		d.clock.advance(200 * time.Millisecond) // the limits of an account put off some
		for _, name := range all {
			if d.gone(name) {
				continue
			}
			d.catchUp()
			d.calls()
			_, _ = d.try(name)
			_, writes, _ := d.calls()
			wrote[name] = wrote[name] || len(writes) > 0
		}
	}
	for _, name := range run {
		item := items[name]
		writes := slices.Contains([]planning.Change{planning.Create, planning.Update, planning.Remove}, item.Change)
		d.Expect(wrote[name]).To(Equal(writes), "%s: %+v", name, item)
		if item.Change == planning.Blocked {
			d.Expect(readyReason(d.get(name))).To(Equal(item.Reason), "%+v", item)
			if item.Reason == v1alpha1.ReasonWaitingForRollout && len(run) == len(all) {
				d.Expect(messageOf(d.get(name), v1alpha1.ConditionReady)).To(Equal(item.Message))
			}
		}
	}
}

func reversed(names []string) []string {
	names = slices.Clone(names)
	slices.Reverse(names)
	return names
}

// twoAccepted is where the first two changes are accepted, while the others still wait.
func twoAccepted(c *campaign) {
	c.changeAll()
	c.play(20 * time.Second)
	for range 12 {
		c.clock.advance(10 * time.Second)
		c.step("o-000")
		c.step("o-001")
	}
	c.Expect(c.count(v1alpha1.ChangeAccepted)).To(Equal(2))
	c.review()
}

// oneRolledBack is where the first change was, and the others wait.
func oneRolledBack(c *campaign) {
	c.changeAll()
	c.play(20 * time.Second)
	c.failsOf("o-000")
	c.play(5 * time.Minute)
	c.Expect(c.changeState("o-000")).To(Equal(v1alpha1.ChangeRolledBack))
}

// turnState is one that objects under a policy can be in.
type turnState struct {
	arrange func(c *campaign)
	want    string                        // the signs of the run
	run     func(names []string) []string // nil for all
}

// turnStates are all that make a difference to who starts.
func turnStates() map[string]turnState {
	return map[string]turnState{
		"all change at once":     {func(c *campaign) { c.changeAll() }, "~~!!!!", nil},
		"given in another order": {func(c *campaign) { c.changeAll() }, "!!!!~~", reversed},
		"a part of them": {func(c *campaign) {
			c.edit(func(s *v1alpha1.LiveRolloutPolicySpec) { s.MaxConcurrent = new(intstr.FromString("50%")) })
			c.changeAll()
		}, "~~~!!!", nil},
		"two are watched": {func(c *campaign) { c.changeAll(); c.play(20 * time.Second) }, "==!!!!", nil},
		"one is watched, and is not of the run": {func(c *campaign) {
			c.update("o-000", c.f.change)
			c.play(20 * time.Second)
			c.changeAll()
		}, "~!!!!", func(names []string) []string { return names[1:] }},
		"one that is watched changes again": {func(c *campaign) {
			c.update("o-000", c.f.change)
			c.play(20 * time.Second)
			for _, name := range c.names {
				c.update(name, func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.NotifyURL = "http://hooks.example.com/again" })
			}
		}, "~~!!!!", nil},
		"two places come free":             {twoAccepted, "==~~!!", nil},
		"others have waited for longer":    {func(c *campaign) { twoAccepted(c); c.update("o-000", c.f.clear) }, "!", func(names []string) []string { return names[:1] }},
		"the policy is paused":             {func(c *campaign) { c.edit(func(s *v1alpha1.LiveRolloutPolicySpec) { s.Paused = true }); c.changeAll() }, "!!!!!!", nil},
		"it is halted":                     {oneRolledBack, "!=!!!!", nil},
		"the one that halted it is mended": {func(c *campaign) { oneRolledBack(c); c.update("o-000", c.f.clear); c.review() }, "!=~~!!", nil},
		"the spec of one that waits goes back": {func(c *campaign) {
			twoAccepted(c)
			c.update("o-002", func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.NotifyURL = "http://hooks.example.com/notify" })
		}, "===~~!", nil},
		"one has no key": {func(c *campaign) {
			c.changeAll()
			c.update("o-000", func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.Authentication = signature() })
		}, "!~~!!!", nil},
		"one is suspended": {func(c *campaign) {
			c.changeAll()
			c.update("o-001", func(o Object) { spec(o).Suspend = true })
		}, "~!~!!!", nil},
		"one only observes": {func(c *campaign) {
			c.changeAll()
			c.update("o-001", func(o Object) { spec(o).ManagementPolicy = v1alpha1.Observe })
		}, "~!~!!!", nil},
		"one is deleted": {func(c *campaign) { c.changeAll(); c.remove("o-000") }, "-~~!!!", nil},
		"what is watched is not selected any more": {func(c *campaign) {
			c.edit(func(s *v1alpha1.LiveRolloutPolicySpec) {
				s.Selector.MatchLabels = map[string]v1alpha1.LabelValue{"team": "media"}
			})
			for _, name := range c.names {
				c.update(name, func(o Object) { o.SetLabels(map[string]string{"team": "media"}) })
			}
			c.update("o-000", c.f.change)
			c.play(20 * time.Second)
			c.changeAll()
			c.update("o-000", func(o Object) { o.SetLabels(nil) })
			c.review()
		}, "=~~!!!", nil},
	}
}

// A plan of many objects lets as many of them change as the operator does, and the same
// ones, where that lets them ask in the order of the line.
func TestThePlanOfARunIsWhatAPolicyLetsThrough(t *testing.T) {
	ownKey(t)
	for name, s := range turnStates() {

		t.Run(name, func(t *testing.T) {
			c := newCampaign(t, 6, 2, time.Minute)
			s.arrange(c)
			run := c.names
			if s.run != nil {
				run = s.run(c.names)
			}
			c.compareRun(s.want, c.names, run...)
		})
	}
}

// A plan of many deletions lets as many begin as the limit of their account does.
func TestThePlanOfARunIsWhatALimitLetsGo(t *testing.T) {
	ownKey(t)
	all := func(d *driver, names []string) {
		for _, name := range names {
			d.remove(name)
		}
	}
	held := func(d *driver, names []string) {
		all(d, names)
		d.sweep(names, time.Minute)
	}
	for name, s := range map[string]struct {
		arrange func(d *driver, names []string)
		want    string
		from    int // the first of the run
	}{
		"all are deleted":         {all, "--!!!!", 0},
		"others are ahead":        {all, "!!!!", 2},
		"one more may go":         {all, "-!!!!", 1},
		"the turns come":          {func(d *driver, names []string) { held(d, names); d.clock.advance(time.Hour) }, "--!!", 2},
		"their turns are to come": {held, "!!!!", 2},
		"the limit is raised":     {func(d *driver, names []string) { held(d, names); d.limit("one", 5) }, "---!", 2},
		"the limit is lifted":     {func(d *driver, names []string) { held(d, names); d.limit("one", 0) }, "----", 2},
		"one retains": {func(d *driver, names []string) {
			d.update("o-000", func(o Object) { spec(o).DeletionPolicy = v1alpha1.DeletionRetain })
			all(d, names)
		}, "=--!!!", 0},
		"one observes": {func(d *driver, names []string) {
			d.update("o-001", func(o Object) { spec(o).ManagementPolicy = v1alpha1.Observe })
			all(d, names)
		}, "-=-!!!", 0},
		"one is taken over": {func(d *driver, names []string) {
			d.clock.advance(2 * time.Second)
			d.create("heir", func(o Object) {
				spec(o).AccountRef = &v1alpha1.AccountReference{Name: "one"}
				o.(*v1alpha1.LiveNotifyConfig).Spec.DomainName = "o-000.example.com"
			})
			all(d, names)
		}, "=--!!!", 0},
		"one has begun": {func(d *driver, names []string) {
			d.remove("o-005")
			d.cloud.Inject(emulator.Fault{Action: "DeleteLiveStreamsNotifyUrlConfig", Code: "InternalError", Status: 500, Times: 1})
			d.pass("o-005")
			d.clock.advance(time.Minute)
			all(d, names[:5])
		}, "-!!!!-", 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := simulated(t, streamFixture(), emulator.Options{})
			d.haveAccount("one")
			d.catchUp()
			names := d.fleet(6, func(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: "one"} })
			d.hurry()
			d.limit("one", 2)
			s.arrange(d, names)
			d.compareRun(s.want, names, names[s.from:]...)
		})
	}
}

// Of an object with several problems, one of which may be that another object comes
// first, a plan names the one that the operator names in the end.
func TestThePlanNamesTheProblemThatTheOperatorDoes(t *testing.T) {
	ownKey(t)
	of := func(account string) func(Object) {
		return func(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: account} }
	}
	problems := map[string]func(Object){
		"none":                   func(Object) {},
		"an account":             of("one"),
		"no account":             of("nobody"),
		"an account without key": of("keyless"),
		"suspended":              func(o Object) { spec(o).Suspend = true },
		"suspended, no account":  func(o Object) { of("nobody")(o); spec(o).Suspend = true },
		"no key":                 func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.Authentication = signature() },
		"observes":               func(o Object) { spec(o).ManagementPolicy = v1alpha1.Observe },
		"no key, no account": func(o Object) {
			of("nobody")(o)
			o.(*v1alpha1.LiveNotifyConfig).Spec.Authentication = signature()
		},
	}
	for first, a := range problems {
		for second, b := range problems {
			for order, names := range map[string][]string{"the first is seen first": {"a", "b"}, "the second is": {"b", "a"}} {
				t.Run(first+", then "+second+", "+order, func(t *testing.T) {
					d := simulated(t, streamFixture(), emulator.Options{})
					d.haveAccount("one")
					d.haveAccount("keyless")
					d.Expect(d.api.Delete(d.ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: "access-keyless"}})).To(Succeed())
					d.create("a", a)
					d.clock.advance(2 * time.Second)
					d.create("b", b)
					items := d.plannedRun("a", "b")
					for range 4 {
						for _, name := range names {
							d.pass(name)
						}
						d.clock.advance(time.Second)
					}
					for _, name := range names {
						if item := items[name]; item.Change == planning.Blocked {
							d.Expect(readyReason(d.get(name))).To(Equal(item.Reason), "%s: %+v", name, item)
						} else {
							d.Expect(readyReason(d.get(name))).To(BeElementOf(v1alpha1.ReasonApplied, v1alpha1.ReasonInSync, v1alpha1.ReasonProgressing), "%s: %+v", name, item)
						}
					}
				})
			}
		}
	}
}
