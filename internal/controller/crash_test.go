// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// scenario is something that happens to an object, and that the operator acts
// upon.
type scenario struct {
	name string
	of   func(fixture) bool // the kinds that it is for; nil for all
	// before is how things were; event is what happens.
	before, event func(*driver)
	// late: callbacks failed, which the usual counts tell of when they come.
	late bool
}

const switchURL = "http://hooks.example.com/other-switch"

func setSwitch(url string) func(*driver) {
	return func(d *driver) {
		d.update("a", func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.SwitchNotifyURL = url })
	}
}

func hasSwitch(f fixture) bool { return f.name == "LiveNotifyConfig" }

func scenarios() []scenario {
	signs := func(f fixture) bool { return f.signs }
	nothing := func(*driver) {}
	managed := func(d *driver) {
		d.create("a", d.f.sign, rarely)
		d.settle("a")
		d.clock.advance(2 * plan.Settling)
	}
	guardedly := func(d *driver) {
		d.create("a", d.f.sign, rarely, rollBack)
		d.settle("a")
		d.clock.advance(2 * plan.Settling)
		d.settle("a")
	}
	// failed is a change that was written, and whose callbacks fail.
	failed := func(d *driver) {
		guardedly(d)
		d.update("a", d.f.change)
		d.settle("a")
		d.fails(changedURL, 2)
		d.clock.advance(2 * time.Second)
		d.ask("a", "count") // so that when the usual counts come makes no difference
		d.pass("a")
	}
	// left is a configuration in the cloud that no object manages.
	left := func(d *driver) {
		managed(d)
		d.update("a", func(o Object) { spec(o).DeletionPolicy = v1alpha1.DeletionRetain })
		d.remove("a")
		d.pass("a")
		d.Expect(d.gone("a")).To(BeTrue())
		d.clock.advance(2 * plan.Settling)
	}
	// note replaces what the status says was applied.
	note := func(d *driver, applied *v1alpha1.Applied) {
		obj := d.get("a")
		before := obj.DeepCopyObject().(Object)
		statusOf(obj).Applied = applied
		d.Expect(d.api.Status().Patch(d.ctx, obj, client.MergeFrom(before))).To(Succeed())
	}
	var applied *v1alpha1.Applied
	claimed := func(o Object) { o.SetFinalizers([]string{v1alpha1.Finalizer}) }
	update := func(edit func(fixture) func(Object)) func(*driver) {
		return func(d *driver) { d.update("a", edit(d.f)) }
	}
	return []scenario{
		{name: "create", before: nothing, event: func(d *driver) { d.create("a", d.f.sign, rarely) }},
		{name: "update", before: managed, event: update(func(f fixture) func(Object) { return f.change })},
		{name: "clear a field", before: managed, event: update(func(f fixture) func(Object) { return f.clear })},
		{name: "clear switchNotifyURL", of: hasSwitch, before: managed, event: setSwitch("")},
		{name: "change switchNotifyURL", of: hasSwitch, before: managed, event: setSwitch(switchURL)},
		{name: "change under a guard", before: guardedly, event: update(func(f fixture) func(Object) { return f.change })},
		{name: "roll back", of: fixture.counts, late: true, before: failed, event: func(d *driver) { d.clock.advance(plan.WatchEvery) }},
		{name: "rotate the key", of: signs, before: managed, event: func(d *driver) { d.secret(secondKey) }},
		{name: "adopt an equal one", before: left, event: func(d *driver) { d.create("a", d.f.sign, rarely) }},
		{name: "replace another", before: func(d *driver) { left(d); d.f.edit(d.cloud) }, event: func(d *driver) {
			d.create("a", d.f.sign, rarely, func(o Object) { spec(o).AdoptionPolicy = v1alpha1.AdoptAlways })
		}},
		{name: "correct a field", before: managed, event: func(d *driver) { d.f.edit(d.cloud); d.clock.advance(10 * time.Minute) }},
		{name: "correct a removal", before: managed, event: func(d *driver) { d.f.erase(d.cloud); d.clock.advance(10 * time.Minute) }},
		{name: "start as a copy with the finalizer", before: nothing, event: func(d *driver) { d.create("a", d.f.sign, rarely, claimed) }},
		{name: "start with the status of another", event: func(d *driver) {
			d.create("a", d.f.sign, rarely, claimed)
			note(d, applied)
		}, before: func(d *driver) { // whose namespace was backed up
			managed(d)
			applied = statusOf(d.get("a")).Applied.DeepCopy()
			d.update("a", func(o Object) { o.SetFinalizers(nil) })
			d.remove("a")
		}},
		{name: "start with the status of versions before", event: func(d *driver) {
			d.restart()
			d.update("a", d.f.change)
		}, before: func(d *driver) {
			managed(d)
			now := statusOf(d.get("a")).Applied
			note(d, &v1alpha1.Applied{Revision: "0123456789abcdef0123456789abcdef", SecretVersion: now.SecretVersion, Time: now.Time})
		}},
		{name: "delete", before: managed, event: func(d *driver) { d.remove("a") }},
	}
}

// rarely leaves the counts of records out of most passes.
func rarely(o Object) {
	if _, ok := o.(kind.Counted); ok {
		s := spec(o)
		s.Records.Interval.Duration = time.Hour
	}
}

// ending is how a scenario ended.
type ending struct {
	state
	calls []string // all of them, to cloud and API server
}

// state is what the world looks like in the end.
type state struct {
	gone       bool
	cloud      any
	status     any // without times and versions
	finalizers []string
}

// writes returns the calls that change something, to the cloud or the API server.
func (e ending) writes(cloud bool) (writes []string) {
	for _, call := range e.calls {
		if isCloud(call) == cloud && !isRead(call) && call != "k8s get" {
			writes = append(writes, call)
		}
	}
	return writes
}

// untilStable returns the calls up to the last write, and one more.
func (e ending) untilStable() []string {
	last := 0
	for i, call := range e.calls {
		if !isRead(call) && call != "k8s get" {
			last = i
		}
	}
	return e.calls[:min(last+2, len(e.calls))]
}

// play plays a scenario through to its end. The calls of the operator from the
// event on meet their fate.
func (d *driver) play(s scenario, of func(n int, call string) fate) ending {
	d.t.Helper()
	d.gate.plan(nil)
	d.clean()
	if d.f.signs {
		d.secret(firstKey)
	}
	d.restart()
	s.before(d)
	d.gate.plan(of)
	s.event(d)
	d.endure("a")
	end := ending{state: state{gone: d.gone("a"), cloud: d.f.have(d.cloud)}, calls: d.gate.calls()}
	if !end.gone {
		obj := d.get("a")
		end.finalizers, end.status = obj.GetFinalizers(), timeless(fields(obj)["status"])
	}
	return end
}

// clean removes what another scenario left.
func (d *driver) clean() {
	d.t.Helper()
	if !d.gone("a") {
		d.update("a", func(o Object) { o.SetFinalizers(nil) })
		if !d.gone("a") {
			d.remove("a")
		}
	}
	d.cloud.Reset()
	d.asked, d.keys = nil, nil
}

// endure makes passes, each when it is due and in a new process after each
// death, until the object is stable: what the operator wanted is reached, and
// in the span after it nothing is written, neither to the cloud nor to the API
// server.
func (d *driver) endure(name string) {
	d.t.Helper()
	const silence = 22 * time.Minute // two resyncs
	calm, writes := time.Duration(0), 0
	for range 200 {
		if d.gone(name) {
			return
		}
		d.catchUp()
		wait, err := d.try(name)
		died := d.gate.revive()
		if died {
			d.restart()
		}
		if died || err != nil {
			wait = time.Second
		}
		d.clock.advance(wait)
		if now := len(ending{calls: d.gate.calls()}.writes(true)) + len(ending{calls: d.gate.calls()}.writes(false)); died || err != nil || now != writes {
			calm, writes = 0, now
			continue
		}
		if calm += wait; calm >= silence && !d.gone(name) && d.get(name).GetGeneration() == statusOf(d.get(name)).ObservedGeneration {
			return
		}
	}
	d.t.Fatalf("not stable: Ready is %s: %s", reasonIn(d.get(name), v1alpha1.ConditionReady), messageOf(d.get(name), v1alpha1.ConditionReady))
}

// timeless returns a status without what differs from one run to the next:
// times, versions, what the cloud names, and what was seen of the way there.
func timeless(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, inner := range v {
			switch name {
			case "lastTransitionTime", "time", "lastSyncTime", "observedTime", "subID", "secretVersion", "drift", "uid", "keyFingerprint", "settledFailed", "buckets",
				"ticket", "seenTime", "writtenTime", "settledTime", "generation":
			default:
				out[name] = timeless(inner)
			}
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, inner := range v {
			out = append(out, timeless(inner))
		}
		return out
	default:
		return v
	}
}

// guard has a violation noted for each write that the cloud accepts and nobody
// asked for: one without the claim of an object on it, or one that leaves the
// cloud with what no spec has ever asked for.
func (d *driver) guard(name string) (violations func() []string) {
	var found []string
	d.gate.after = func(action string) {
		obj := d.f.empty()
		err := d.api.Get(d.ctx, client.ObjectKey{Namespace: d.namespace, Name: name}, obj)
		have := d.f.have(d.cloud)
		switch {
		case err != nil:
			found = append(found, fmt.Sprintf("%s for an object that cannot be read: %v", action, err))
		case !slices.Contains(obj.GetFinalizers(), v1alpha1.Finalizer):
			found = append(found, action+" without a claim")
		case have != nil && !d.wasAsked(have):
			found = append(found, fmt.Sprintf("%s left what nobody asked for: %+v", action, have))
		}
	}
	return func() []string { return found }
}

// wasAsked tells whether a spec has ever asked for a configuration.
func (d *driver) wasAsked(have any) bool {
	for _, obj := range d.asked {
		for _, key := range append([]string{""}, d.keys...) {
			if d.f.want(obj, key) == have {
				return true
			}
		}
	}
	return false
}

// awkward are the behaviours of the cloud under which a write takes several, and the
// kinds that they are of; none for all.
var awkward = map[string]struct {
	switches emulator.Switches
	of       []string
}{
	asAssumed: {},
	"writes keep omitted fields": {emulator.Switches{
		StreamDescribeAbsent: emulator.AbsentNotFound, StreamSetMerges: true, RecordUpdateMerges: true, StreamDeleteAbsentNotFound: true,
		MPUDescribeAbsentInvalid: true,
	}, []string{"LiveNotifyConfig", "LiveRecordNotifyConfig", "LiveRtcMPUEventSub"}},
	"Set refuses an existing one": {emulator.Switches{StreamSetExists: true}, []string{"LiveNotifyConfig"}},
}

// plays tells whether a kind plays the nth case of an enumeration. One loop serves
// all kinds: in the usual form they take turns, so that each plays an eighth of the
// cases, and all kinds together all of them; in the long form each kind plays all.
func (f fixture) plays(n int) bool {
	every := len(kind.All)
	if long {
		every = 1
	}
	return (n+slices.Index(kind.All, f.kind))%every == 0
}

// TestCrashAtEveryCall lets the operator die before and after each call that it
// makes in each scenario. The next process reaches the same end. It repeats at
// most the writes of the pass that was cut short.
func TestCrashAtEveryCall(t *testing.T) {
	t.Run("real API server", func(t *testing.T) {
		forKindsInTurn(t, func(t *testing.T, f fixture) {
			crashEverywhere(t, served(t, f, emulator.Options{}), func(s scenario) bool {
				return long || s.name == "create" || s.name == "update" || s.name == "delete"
			})
		})
	})
	for _, name := range slices.Sorted(maps.Keys(awkward)) {
		t.Run(name, func(t *testing.T) {
			of := slices.DeleteFunc(fixtures(), func(f fixture) bool { return awkward[name].of != nil && !slices.Contains(awkward[name].of, f.name) })
			forEach(t, of, !testing.Short(), func(t *testing.T, f fixture) {
				crashEverywhere(t, simulated(t, f, emulator.Options{Switches: awkward[name].switches}), func(scenario) bool { return true })
			})
		})
	}
}

func crashEverywhere(t *testing.T, d *driver, chosen func(scenario) bool) {
	crashes := 0
	for _, s := range scenarios() {
		if s.of != nil && !s.of(d.f) || !chosen(s) {
			continue
		}
		undisturbed := d.play(s, nil)
		d.Expect(undisturbed.calls).NotTo(BeEmpty(), s.name)
		d.affords(s, undisturbed)
		for i, call := range undisturbed.untilStable() {
			for j, after := range []bool{false, true} {
				if !d.f.plays(2*i + j) {
					continue
				}
				crashes++
				where := fmt.Sprintf("%s: dies before call %d, %s, of %v", s.name, i, call, undisturbed.calls)
				if after {
					where = fmt.Sprintf("%s: dies after call %d, %s, of %v", s.name, i, call, undisturbed.calls)
				}
				violations := d.guard("a")
				end := d.play(s, func(n int, _ string) fate {
					return fate{dieBefore: n == i && !after, dieAfter: n == i && after}
				})
				d.gate.after = nil
				d.Expect(violations()).To(BeEmpty(), where)
				d.Expect(cmp.Diff(undisturbed.state, end.state, cmp.AllowUnexported(state{}))).To(BeEmpty(), where)
				// What was written up to the crash may be written once more.
				done := ending{calls: undisturbed.calls[:i+1]}
				again := 0
				if d.cloud.Switches().StreamSetExists && hasSwitch(d.f) {
					again = 2 // what cannot be read is written for certain by a Delete and a Set
				}
				for _, cloud := range []bool{true, false} {
					if !cloud {
						again++ // what is about to be written is noted again, which changes nothing
					}
					d.Expect(len(end.writes(cloud))).To(BeNumerically("<=", len(undisturbed.writes(cloud))+len(done.writes(cloud))+again),
						"%s: %v", where, end.calls)
				}
			}
		}
	}
	t.Logf("%s: %d crashes", d.f.name, crashes)
}
