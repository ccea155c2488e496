// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// guarded gives a spec a guard.
func guarded(window time.Duration, maxFailures int32, onFailure v1alpha1.OnFailure) func(Object) {
	return func(o Object) {
		spec(o).Guard = &v1alpha1.GuardSpec{Window: metav1.Duration{Duration: window}, MaxFailures: maxFailures, OnFailure: onFailure}
	}
}

func rollBack(o Object) { guarded(10*time.Minute, 2, v1alpha1.OnFailureRollBack)(o) }

// changedURL is what f.change sets.
const changedURL = "http://hooks.example.com/changed"

// called adds callbacks to a URL that just ended.
func (d *driver) called(url string, n int, result string) {
	d.t.Helper()
	var records []emulator.CallbackRecord
	for i := range n {
		records = append(records, emulator.CallbackRecord{
			Time: d.clock.Now(), Domain: d.f.key, App: "live", Stream: fmt.Sprint("s", i), Type: "publish", URL: url, Description: "unexpected HTTP status 500", Result: result,
		})
	}
	d.cloud.AddRecords(d.f.planted(records))
}

func (d *driver) fails(url string, n int) { d.t.Helper(); d.called(url, n, emulator.ResultFailed) }

// changeAccepted returns the condition of an object; an empty one if it has none.
func changeAccepted(o Object) metav1.Condition {
	if c := meta.FindStatusCondition(statusOf(o).Conditions, v1alpha1.ConditionChangeAccepted); c != nil {
		return *c
	}
	return metav1.Condition{}
}

// watching returns a driver with an object whose change was just written, and what
// the cloud held before.
func watching(t tester, f fixture, guard func(Object)) (d *driver, before any) {
	t.Helper()
	d = simulated(t, f, emulator.Options{})
	d.secret(firstKey)
	before = f.want(d.create("a", f.sign, guard, rarely), f.keyed(firstKey))
	d.settle("a")
	d.passes("a", 2*time.Minute)
	d.Expect(changeAccepted(d.get("a")).Reason).To(BeEmpty(), "a creation is not watched")
	d.update("a", f.change)
	d.pass("a")
	d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonWatching))
	return d, before
}

func TestChangeIsAccepted(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d, _ := watching(t, f, rollBack)
		d.fails(changedURL, 1) // of 2
		d.passes("a", 9*time.Minute)
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonWatching))
		d.passes("a", 2*time.Minute)
		obj := d.get("a")
		d.Expect(changeAccepted(obj).Reason).To(Equal(v1alpha1.ReasonAccepted))
		d.Expect(changeAccepted(obj).Status).To(Equal(metav1.ConditionTrue))
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, f.keyed(firstKey))))
		d.Expect(statusOf(obj).Guard.Accepted).To(Equal(int64(1)))
		d.Expect(readyReason(obj)).To(Equal(v1alpha1.ReasonInSync))

		// What was accepted is what the next change goes back to.
		d.update("a", f.clear)
		d.pass("a")
		d.fails(changedURL, 2)
		d.passes("a", time.Minute)
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, f.keyed(firstKey))))
	})
}

func TestChangeThatFailsIsRolledBack(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d, before := watching(t, f, rollBack)
		d.fails(changedURL+"?action=publish", 1)
		d.passes("a", 31*time.Second)
		d.Expect(f.have(d.cloud)).NotTo(Equal(before))
		d.fails(changedURL+"?action=publish", 1)
		d.passes("a", 31*time.Second)
		d.Expect(f.have(d.cloud)).To(Equal(before))
		obj := d.get("a")
		for _, c := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionStalled, v1alpha1.ConditionChangeAccepted} {
			d.Expect(reasonIn(obj, c)).To(Equal(v1alpha1.ReasonRolledBack), c)
		}
		d.Expect(messageOf(obj, v1alpha1.ConditionReady)).To(ContainSubstring(changedURL))
		d.Expect(statusOf(obj).Guard.RolledBack).To(Equal(int64(1)))
		d.catchUp()
		d.Expect(gathered(t, &objectMetrics{reader: d.mgr.GetClient(), reconcilers: []*Reconciler{d.r.(*Reconciler)}}, "live_notify_changes_total")).
			To(ContainElement(HaveSuffix(`result="rolled_back"} 1`)))

		// It stays so, also for a new process; drift is held against it.
		d.restart()
		d.calls()
		d.passes("a", 30*time.Minute)
		d.Expect(f.have(d.cloud)).To(Equal(before))
		reads, writes, _ := d.calls()
		d.Expect(writes).To(BeEmpty())
		d.Expect(len(reads)).To(BeNumerically("<=", 5), "it is read as one in sync is")
		f.edit(d.cloud)
		d.passes("a", 11*time.Minute)
		d.Expect(f.have(d.cloud)).To(Equal(before))
		d.Expect(readyReason(d.get("a"))).To(Equal(v1alpha1.ReasonRolledBack))

		// Someone asks for another try.
		d.ask("a", "again")
		d.pass("a")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(d.get("a"), f.keyed(firstKey))))
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonWatching))
		d.passes("a", 11*time.Minute)
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonAccepted))
		d.Expect(readyReason(d.get("a"))).To(Equal(v1alpha1.ReasonInSync))
	})
}

// TestWhatHasNothingToDoWithAChange never undoes it.
func TestWhatHasNothingToDoWithAChange(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.create("a", rollBack)
		d.settle("a")
		d.fails(changedURL, 5) // before the change
		d.passes("a", 2*time.Minute)
		d.update("a", f.change)
		d.pass("a")
		for _, url := range []string{"http://elsewhere.example.com/", changedURL + "/other", changedURL + "x", "http://hooks.example.com/notify"} {
			d.fails(url, 5)
		}
		d.called(changedURL, 20, emulator.ResultSuccess)
		d.passes("a", 12*time.Minute)
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonAccepted), changeAccepted(d.get("a")).Message)
		d.Expect(f.have(d.cloud)).To(Equal(f.want(d.get("a"), "")))
	})
}

func TestReportLeavesTheChange(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d, _ := watching(t, f, guarded(10*time.Minute, 1, v1alpha1.OnFailureReport))
		d.fails(changedURL, 1)
		d.passes("a", 10*time.Minute)
		obj := d.get("a")
		d.Expect(changeAccepted(obj).Reason).To(Equal(v1alpha1.ReasonChangeFailed))
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, f.keyed(firstKey))))
		d.Expect(readyReason(obj)).To(Equal(v1alpha1.ReasonInSync))
	})
}

// TestKeyInWhatTheCloudSays: the cloud knows the key, and may show it where it does not
// belong. It never gets into a status or an event.
func TestKeyInWhatTheCloudSays(t *testing.T) {
	forEachSigningKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.secret(firstKey)
		d.create("a", f.sign, func(o Object) { spec(o).DriftPolicy = v1alpha1.DriftReport })
		d.settle("a")
		d.passes("a", 2*time.Minute)
		d.clock.advance(2 * plan.Settling)
		leak := "https://hooks.example.com/?k=" + firstKey
		switch f.kind.Name {
		case "LiveNotifyConfig":
			c, _ := d.cloud.StreamConfig(f.key)
			c.NotifyURL = leak
			d.cloud.SetStreamConfig(f.key, c)
		case "LiveRecordNotifyConfig":
			c, _ := d.cloud.RecordConfig(f.key)
			c.OnDemandURL = leak
			d.cloud.SetRecordConfig(f.key, c)
		default:
			c, _ := d.cloud.SnapshotConfig(f.key)
			c.NotifyURL = leak
			d.cloud.SetSnapshotConfig(f.key, c)
		}
		if f.counts() {
			d.cloud.AddRecords(d.f.planted([]emulator.CallbackRecord{{
				Time: d.clock.Now(), Domain: d.f.key, App: strings.ToUpper(firstKey), Stream: firstKey, Type: "publish",
				URL: "https://hooks.example.com/" + firstKey, Description: "unexpected HTTP status 500", Result: emulator.ResultFailed,
			}}))
		}
		d.ask("a", "now")
		d.passes("a", 20*time.Minute)
		d.Expect(meta.IsStatusConditionTrue(statusOf(d.get("a")).Conditions, v1alpha1.ConditionDrifted)).To(BeTrue())
		text, err := json.Marshal(d.get("a"))
		d.Expect(err).NotTo(HaveOccurred())
		d.Expect(strings.ToLower(string(text))).NotTo(ContainSubstring(firstKey))
		d.Expect(string(text)).To(ContainSubstring("(hidden)"))
		d.Expect(strings.Join(d.sim.told, "\n")).NotTo(ContainSubstring(firstKey))
	})
}

// TestWhatTheCloudDoesNotHoldIsNotAccepted: a change that someone wrote over in the
// cloud, and that is left so, was not tried for the window.
func TestWhatTheCloudDoesNotHoldIsNotAccepted(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d, _ := watching(t, f, func(o Object) {
			rollBack(o)
			spec(o).DriftPolicy = v1alpha1.DriftReport
		})
		before := statusOf(d.get("a")).Guard.Previous
		d.clock.advance(2 * plan.Settling)
		f.edit(d.cloud)
		d.ask("a", "now")
		d.passes("a", time.Hour)
		d.Expect(meta.IsStatusConditionTrue(statusOf(d.get("a")).Conditions, v1alpha1.ConditionDrifted)).To(BeTrue())
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonWatching))
		d.Expect(statusOf(d.get("a")).Guard.Previous).To(Equal(before))
		d.update("a", func(o Object) { spec(o).DriftPolicy = v1alpha1.DriftCorrect })
		d.passes("a", time.Hour)
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonAccepted))
	})
}

func TestChangeOfTheKeyAloneCannotBeUndone(t *testing.T) {
	forEachSigningKind(t, func(t *testing.T, f fixture) {
		if !f.counts() {
			return
		}
		d := simulated(t, f, emulator.Options{})
		d.secret(firstKey)
		url := kindURL(d.create("a", f.sign, rollBack))
		d.settle("a")
		d.passes("a", 2*time.Minute)
		d.secret(secondKey)
		d.pass("a")
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonWatching))
		d.fails(url, 2)
		d.passes("a", 2*time.Minute)
		obj := d.get("a")
		d.Expect(changeAccepted(obj).Reason).To(Equal(v1alpha1.ReasonChangeFailed))
		d.Expect(changeAccepted(obj).Message).To(ContainSubstring("only the key changed"))
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, secondKey)))
		// A new key is a new change, and a new chance.
		d.secret(firstKey)
		d.pass("a")
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonWatching))
	})
}

// TestChangeOfAnUnreadableFieldCannotBeUndone: nobody can tell what the cloud held.
func TestChangeOfAnUnreadableFieldCannotBeUndone(t *testing.T) {
	t.Parallel()
	d := simulated(t, streamFixture(), emulator.Options{})
	d.create("a", rollBack)
	d.settle("a")
	d.passes("a", 2*time.Minute)
	d.update("a", func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.SwitchNotifyURL = changedURL })
	d.pass("a")
	d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonWatching))
	d.fails(changedURL, 2)
	d.passes("a", 2*time.Minute)
	obj := d.get("a")
	d.Expect(changeAccepted(obj).Reason).To(Equal(v1alpha1.ReasonChangeFailed))
	d.Expect(changeAccepted(obj).Message).To(ContainSubstring("only switchNotifyURL changed"))
	d.Expect(d.f.have(d.cloud)).To(Equal(d.f.want(obj, "")))
	d.Expect(readyReason(obj)).To(Equal(v1alpha1.ReasonInSync))
}

// TestRollBackThatIsRefused is tried again like any write, and not told as done
// before it is.
func TestRollBackThatIsRefused(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d, before := watching(t, f, rollBack)
		for _, write := range f.writes {
			d.cloud.Inject(emulator.Fault{Action: write, Code: "Forbidden.RAM", Status: 403})
		}
		d.fails(changedURL, 2)
		d.passes("a", 31*time.Second)
		for range 20 { // also by passes that look at something else
			obj := d.get("a")
			d.Expect(readyReason(obj)).To(Equal(v1alpha1.ReasonAccessDenied))
			d.Expect(f.have(d.cloud)).NotTo(Equal(before))
			d.Expect(statusOf(obj).Guard.Previous).NotTo(BeNil())
			d.clock.advance(5 * time.Second)
			d.pass("a")
		}
		d.restart()
		d.pass("a")
		d.Expect(readyReason(d.get("a"))).To(Equal(v1alpha1.ReasonAccessDenied))
		d.cloud.ClearFaults()
		d.passes("a", 10*time.Minute)
		d.Expect(f.have(d.cloud)).To(Equal(before))
		d.Expect(readyReason(d.get("a"))).To(Equal(v1alpha1.ReasonRolledBack))
		d.Expect(statusOf(d.get("a")).Guard.RolledBack).To(Equal(int64(1)))
	})
}

func kindURL(o Object) string {
	switch o := o.(type) {
	case *v1alpha1.LiveNotifyConfig:
		return o.Spec.NotifyURL
	case *v1alpha1.LiveRecordNotifyConfig:
		return o.Spec.NotifyURL
	default:
		return ""
	}
}

// TestRollBackMeetsANewerSpec: what someone changed in the meantime is not undone.
func TestRollBackMeetsANewerSpec(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d, _ := watching(t, f, rollBack)
		d.fails(changedURL, 2)
		d.gate.plan(func(_ int, call string) fate { // the edit comes just before the roll-back is noted
			if slices.Contains(f.records, call) {
				return fate{hold: func() { d.update("a", f.clear) }}
			}
			return fate{}
		})
		d.clock.advance(plan.WatchEvery)
		d.pass("a")
		d.gate.plan(nil)
		d.passes("a", time.Minute)
		obj := d.get("a")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, f.keyed(firstKey))))
		d.Expect(changeAccepted(obj).Reason).To(Equal(v1alpha1.ReasonWatching))
		d.passes("a", 11*time.Minute)
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonAccepted))
	})
}

// TestTwoLeadersUndoAChangeOnce: a former leader and its successor see the failure at
// the same time, each with a cache that shows nothing of what the other does.
func TestTwoLeadersUndoAChangeOnce(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d, before := watching(t, f, rollBack)
		d.fails(changedURL, 2)
		d.clock.advance(plan.WatchEvery)
		d.catchUp()
		old := d.r
		d.restart()
		d.calls()
		for range 3 {
			for range 2 {
				d.r, old = old, d.r
				_, err := d.try("a")
				d.Expect(err).NotTo(HaveOccurred())
			}
			d.clock.advance(2 * time.Second)
		}
		_, writes, _ := d.calls()
		d.Expect(writes).To(HaveLen(1))
		d.passes("a", time.Minute)
		d.Expect(f.have(d.cloud)).To(Equal(before))
		d.Expect(statusOf(d.get("a")).Guard.RolledBack).To(Equal(int64(1)))
		d.Expect(readyReason(d.get("a"))).To(Equal(v1alpha1.ReasonRolledBack))
	})
}

// TestGuardThatComesWithTheChange goes back to what the object wrote before.
func TestGuardThatComesWithTheChange(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		before := f.want(d.create("a"), "")
		d.settle("a")
		d.passes("a", 2*time.Minute)
		d.update("a", func(o Object) { f.change(o); rollBack(o) })
		d.pass("a")
		d.fails(changedURL, 2)
		d.passes("a", time.Minute)
		d.Expect(f.have(d.cloud)).To(Equal(before))
		// Without the guard the spec is what counts.
		d.update("a", func(o Object) { spec(o).Guard = nil })
		obj := d.settle("a")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, "")))
		d.Expect(statusOf(obj).Guard).To(BeNil())
		d.Expect(changeAccepted(obj).Reason).To(BeEmpty())
	})
}

// TestGoingBackByHandIsNoChangeToWatch, and mends what was rolled back.
func TestGoingBackByHandIsNoChangeToWatch(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d, before := watching(t, f, rollBack)
		d.fails(changedURL, 2)
		d.passes("a", time.Minute)
		d.Expect(readyReason(d.get("a"))).To(Equal(v1alpha1.ReasonRolledBack))
		d.calls()
		d.update("a", func(o Object) {
			was := f.object()
			f.sign(was)
			copySpec(o, was)
			rollBack(o)
			rarely(o)
		})
		obj := d.settle("a")
		_, writes, _ := d.calls()
		d.Expect(writes).To(BeEmpty())
		d.Expect(f.have(d.cloud)).To(Equal(before))
		d.Expect(changeAccepted(obj).Status).To(Equal(metav1.ConditionTrue))
		d.Expect(meta.FindStatusCondition(statusOf(obj).Conditions, v1alpha1.ConditionStalled)).To(BeNil())
	})
}

func copySpec(to, from Object) {
	switch to := to.(type) {
	case *v1alpha1.LiveNotifyConfig:
		to.Spec = from.(*v1alpha1.LiveNotifyConfig).Spec
	case *v1alpha1.LiveRecordNotifyConfig:
		to.Spec = from.(*v1alpha1.LiveRecordNotifyConfig).Spec
	case *v1alpha1.LiveRtcMPUEventSub:
		to.Spec = from.(*v1alpha1.LiveRtcMPUEventSub).Spec
	case *v1alpha1.LiveRtcEventSub:
		to.Spec = from.(*v1alpha1.LiveRtcEventSub).Spec
	}
}

// TestGuardCostsNothingWhenNothingChanges, and two requests each 30 s while it
// watches.
func TestGuardCostsNothingWhenNothingChanges(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d, _ := watching(t, f, rollBack)
		d.calls()
		play := d.player("a")
		for range 10 {
			play(plan.WatchEvery)
			_, writes, records := d.calls()
			d.Expect(writes).To(BeEmpty())
			d.Expect(len(records)).To(BeNumerically("<=", 2), "in %s", plan.WatchEvery)
		}
		d.passes("a", 10*time.Minute)
		d.settle("a")
		d.passes("a", 5*time.Minute)
		d.calls()
		version := d.get("a").GetResourceVersion()
		d.passes("a", 50*time.Minute)
		_, writes, records := d.calls()
		d.Expect(writes).To(BeEmpty())
		d.Expect(len(records)).To(BeNumerically("<=", 5), "the count of each hour alone")
		d.Expect(d.get("a").GetResourceVersion()).To(Equal(version))
	})
}

// TestAdoptionIsNotedAtOnce as what to go back to: a later pass that nothing calls for
// has nothing to note.
func TestAdoptionIsNotedAtOnce(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.create("a", func(o Object) { spec(o).DeletionPolicy = v1alpha1.DeletionRetain })
		d.settle("a")
		d.remove("a")
		d.pass("a")
		d.create("b", d.readable, rollBack, rarely)
		obj := d.settle("b")
		d.expectEvent("b", v1alpha1.EventAdopted)
		d.Expect(statusOf(obj).Guard.Previous).NotTo(BeNil())
		d.passes("b", 2*time.Minute) // the first count
		version := d.get("b").GetResourceVersion()
		d.passes("b", 3*time.Hour)
		d.Expect(d.get("b").GetResourceVersion()).To(Equal(version))
	})
}

// TestRecordsThatCannotBeReadAcceptNothing.
func TestRecordsThatCannotBeReadAcceptNothing(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d, _ := watching(t, f, rollBack)
		d.cloud.Inject(emulator.Fault{Action: f.records[0], Code: "InternalError", Status: 500})
		d.passes("a", 15*time.Minute)
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonWatching))
		d.cloud.ClearFaults()
		d.passes("a", 2*time.Minute)
		d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonAccepted))
	})
}

// keyIn creates a Secret like that of d.secret under another name.
func (d *driver) keyIn(name, value string) {
	d.t.Helper()
	d.Expect(d.api.Create(d.ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: name}, Data: map[string][]byte{"key": []byte(value)},
	})).To(Succeed())
}

// TestRollBackOfAURLAndAKey: where both change at once, the key before is written again
// with the URL before if it can still be used, and else the key of now. Where neither
// can, nothing is told as done, and it is done once one of them is there.
func TestRollBackOfAURLAndAKey(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		if !f.signs {
			t.Skip("its callbacks are not signed")
		}
		for name, c := range map[string]struct {
			lost []string // Secrets
			back string   // one that comes back
			key  string   // what the cloud then has
		}{
			"both are there":                {key: firstKey},
			"the key before is gone":        {lost: []string{"key"}, key: secondKey},
			"both are gone, one comes back": {lost: []string{"key", "other"}, back: "other", key: secondKey},
		} {
			t.Run(name, func(t *testing.T) {
				d := simulated(t, f, emulator.Options{})
				d.secret(firstKey)
				d.keyIn("other", secondKey)
				before := d.create("a", f.sign, rollBack, rarely)
				d.settle("a")
				d.passes("a", 2*time.Minute)
				d.update("a", func(o Object) {
					f.change(o)
					f.kind.KeyRef(o).Name = "other"
				})
				d.pass("a")
				for _, name := range c.lost {
					d.drop(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}})
				}
				d.fails(changedURL, 2)
				d.passes("a", time.Minute)
				if c.back != "" {
					obj := d.get("a")
					d.Expect(readyReason(obj)).To(Equal(v1alpha1.ReasonAuthKeyUnavailable))
					d.Expect(changeAccepted(obj).Reason).To(Equal(v1alpha1.ReasonChangeFailed))
					d.Expect(changeAccepted(obj).Message).To(ContainSubstring("not in the cloud yet"))
					d.keyIn(c.back, secondKey)
					d.passes("a", time.Hour)
				}
				for range 2 {
					obj := d.get("a")
					d.Expect(readyReason(obj)).To(Equal(v1alpha1.ReasonRolledBack))
					d.Expect(changeAccepted(obj).Reason).To(Equal(v1alpha1.ReasonRolledBack))
					d.Expect(f.have(d.cloud)).To(Equal(f.want(before, c.key)))
					d.restart()
					d.passes("a", time.Hour)
				}
			})
		}
	})
}

// TestRollBackThatIsNotKnownAnyMore: what was to be written again is spoilt before that
// was done. Then the change is left, and told so.
func TestRollBackThatIsNotKnownAnyMore(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d, _ := watching(t, f, rollBack)
		d.fails(changedURL, 2)
		for _, action := range f.writes {
			d.cloud.Inject(emulator.Fault{Action: action, Code: "Throttling.User", Status: 400})
		}
		d.passes("a", time.Minute)
		d.Expect(statusOf(d.get("a")).Guard.Change.State).To(Equal(v1alpha1.ChangeRollingBack))
		obj := d.get("a")
		before := obj.DeepCopyObject().(Object)
		statusOf(obj).Guard.Previous.Revision = live.RevisionFormat + "spoilt"
		d.Expect(d.api.Status().Patch(d.ctx, obj, client.MergeFrom(before))).To(Succeed())
		d.cloud.ClearFaults()
		d.passes("a", time.Hour)
		obj = d.get("a")
		d.Expect(readyReason(obj)).To(Equal(v1alpha1.ReasonInSync))
		d.Expect(changeAccepted(obj).Reason).To(Equal(v1alpha1.ReasonChangeFailed))
		d.Expect(changeAccepted(obj).Message).To(ContainSubstring("is not known"))
		d.Expect(statusOf(obj).Guard.Failed).To(Equal(int64(1)))
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, f.keyed(firstKey))))
	})
}
