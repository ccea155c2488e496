// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

func spec(o Object) kind.Spec {
	s, _ := kind.Shared(o)
	return s
}

func statusOf(o Object) kind.Status {
	_, s := kind.Shared(o)
	return s
}

func stalled(o Object) bool {
	return meta.IsStatusConditionTrue(statusOf(o).Conditions, v1alpha1.ConditionStalled)
}

func TestAdoption(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		t.Run("an identical configuration is adopted", func(t *testing.T) {
			d := driven(t, f, emulator.Options{})
			d.create("a")
			d.settle("a")
			// Let go of it, and look at it with other eyes.
			d.update("a", func(o Object) { spec(o).DeletionPolicy = v1alpha1.DeletionRetain })
			d.pass("a")
			d.remove("a")
			d.pass("a")
			d.Expect(d.gone("a")).To(BeTrue())
			d.expectEvent("a", v1alpha1.EventRetained)
			d.calls()

			want := f.want(d.create("b", d.readable), "")
			d.settle("b")
			d.Expect(d.get("b").GetFinalizers()).To(ConsistOf(v1alpha1.Finalizer))
			d.expectEvent("b", v1alpha1.EventAdopted)
			_, writes, _ := d.calls()
			d.Expect(writes).To(BeEmpty())
			d.remove("b")
			d.pass("b")
			d.Expect(f.have(d.cloud)).To(BeNil(), "what is adopted is deleted with the object: %v", want)
		})
		t.Run("another configuration is left alone", func(t *testing.T) {
			d := driven(t, f, emulator.Options{})
			f.edit(d.cloud)
			before := f.have(d.cloud)
			d.create("a")
			d.passes("a", 2*time.Hour)
			obj := d.get("a")
			d.Expect(reasonIn(obj, v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonExistingConfiguration))
			d.Expect(messageOf(obj, v1alpha1.ConditionReady)).To(ContainSubstring(f.edited))
			d.Expect(reasonIn(obj, v1alpha1.ConditionDrifted)).To(Equal(v1alpha1.ReasonDriftDetected))
			d.Expect(stalled(obj)).To(BeTrue())
			d.Expect(obj.GetFinalizers()).To(BeEmpty())
			d.remove("a")
			d.Expect(d.gone("a")).To(BeTrue())
			d.Expect(f.have(d.cloud)).To(Equal(before))
		})
		t.Run("Always replaces it", func(t *testing.T) {
			d := driven(t, f, emulator.Options{})
			f.edit(d.cloud)
			d.create("a")
			d.until("a", v1alpha1.ReasonExistingConfiguration)
			d.update("a", func(o Object) { spec(o).AdoptionPolicy = v1alpha1.AdoptAlways })
			obj := d.settle("a")
			d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, "")))
			d.Expect(stalled(obj)).To(BeFalse())
			d.expectEvent("a", v1alpha1.EventAdopted)
		})
		t.Run("one that turns up during the create is not overwritten", func(t *testing.T) {
			d := driven(t, f, emulator.Options{})
			f.edit(d.cloud)
			before := f.have(d.cloud)
			// The reply to the first read is from before it turned up; a Set
			// would overwrite it, so there the cloud is one that refuses.
			d.cloud.SetSwitches(emulator.Switches{StreamSetExists: true})
			d.cloud.Inject(emulator.Fault{Action: f.describe, Times: 1, Stale: true})
			d.create("a")
			d.until("a", v1alpha1.ReasonExistingConfiguration)
			d.Expect(f.have(d.cloud)).To(Equal(before))
			d.Expect(d.get("a").GetFinalizers()).To(BeEmpty())
		})
	})
}

func TestObserveNeverWrites(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.create("a", func(o Object) { spec(o).ManagementPolicy = v1alpha1.Observe })
		d.until("a", v1alpha1.ReasonObserved)
		d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionDrifted)).To(Equal(v1alpha1.ReasonDriftDetected))
		f.edit(d.cloud)
		d.passes("a", time.Hour)
		d.Expect(statusOf(d.get("a")).Drift.Fields).NotTo(BeEmpty())
		_, writes, _ := d.calls()
		d.Expect(writes).To(BeEmpty())
		d.Expect(d.get("a").GetFinalizers()).To(BeEmpty())

		// Manage, then observe again: the claim is given up, the cloud stays.
		d.update("a", func(o Object) {
			spec(o).ManagementPolicy, spec(o).AdoptionPolicy = v1alpha1.Manage, v1alpha1.AdoptAlways
		})
		want := f.want(d.settle("a"), "")
		d.update("a", func(o Object) { spec(o).ManagementPolicy = v1alpha1.Observe })
		d.until("a", v1alpha1.ReasonObserved)
		d.Expect(d.get("a").GetFinalizers()).To(BeEmpty())
		d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionDrifted)).To(Equal(v1alpha1.ReasonNoDrift))

		// A spec that is edited differs, and nothing has changed in the cloud.
		before := statusOf(d.get("a")).Drift.DeepCopy()
		d.update("a", f.change)
		d.pass("a")
		d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionDrifted)).To(Equal(v1alpha1.ReasonDriftDetected))
		d.Expect(statusOf(d.get("a")).Drift.Count).To(Equal(before.Count))

		// And manage once more, with another spec: what the cloud holds is ours.
		d.update("a", func(o Object) {
			f.change(o)
			spec(o).ManagementPolicy, spec(o).AdoptionPolicy = v1alpha1.Manage, v1alpha1.AdoptIfIdentical
		})
		d.Expect(f.have(d.cloud)).To(Equal(want))
		obj := d.settle("a")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, "")))
	})
}

func TestReportLeavesDriftUntilTheSpecChanges(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.create("a", func(o Object) { spec(o).DriftPolicy = v1alpha1.DriftReport })
		d.settle("a")
		d.clock.advance(plan.Settling)
		f.edit(d.cloud)
		before := f.have(d.cloud)
		d.until("a", v1alpha1.ReasonObserved)
		d.passes("a", time.Hour)
		obj := d.get("a")
		d.Expect(reasonIn(obj, v1alpha1.ConditionDrifted)).To(Equal(v1alpha1.ReasonDriftDetected))
		d.Expect(statusOf(obj).Drift.Count).To(Equal(int64(1)), "one change is counted once")
		d.Expect(statusOf(obj).Drift.Fields).To(ConsistOf(f.edited))

		// A change that asks nothing of the cloud does not undo it.
		d.update("a", func(o Object) { spec(o).ResyncInterval.Duration = 11 * time.Minute })
		d.passes("a", time.Minute)
		d.Expect(f.have(d.cloud)).To(Equal(before))

		d.update("a", f.clear)
		obj = d.settle("a")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, "")))
		d.Expect(reasonIn(obj, v1alpha1.ConditionDrifted)).To(Equal(v1alpha1.ReasonNoDrift))
	})
}

func TestSuspendMakesNoCalls(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.create("a")
		want := f.want(d.settle("a"), "")
		observed := statusOf(d.get("a")).LastSyncTime
		d.calls()
		d.update("a", func(o Object) {
			f.change(o)
			spec(o).Suspend = true
		})
		d.passes("a", 2*time.Hour)
		d.restart()
		d.passes("a", time.Hour)
		d.Expect(d.cloud.CallCount()).To(BeZero())
		obj := d.get("a")
		d.Expect(reasonIn(obj, v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonSuspended))
		d.Expect(observed).NotTo(BeNil())
		d.Expect(f.have(d.cloud)).To(Equal(want))

		d.update("a", func(o Object) { spec(o).Suspend = false })
		obj = d.settle("a")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, "")))

		want = f.have(d.cloud)
		d.update("a", func(o Object) { spec(o).Suspend = true })
		d.pass("a")
		d.calls()
		d.remove("a")
		d.pass("a")
		d.Expect(d.gone("a")).To(BeTrue())
		d.Expect(d.cloud.CallCount()).To(BeZero())
		d.Expect(f.have(d.cloud)).To(Equal(want))
		d.expectEvent("a", v1alpha1.EventRetained)
	})
}

func TestOldestObjectWins(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.create("a")
		d.settle("a")
		d.nextSecond()
		d.create("b", f.change)
		want := f.have(d.cloud)
		d.calls()
		d.passes("b", 2*time.Hour)
		d.Expect(d.cloud.CallCount()).To(BeZero(), "a loser makes no call")
		b := d.get("b")
		d.Expect(reasonIn(b, v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonConflict))
		d.Expect(messageOf(b, v1alpha1.ConditionReady)).To(ContainSubstring(d.namespace + "/a"))
		d.Expect(b.GetFinalizers()).To(BeEmpty())
		d.expectEvent("b", v1alpha1.EventConflict)
		d.Expect(f.have(d.cloud)).To(Equal(want))

		d.remove("a")
		d.pass("a")
		d.Expect(d.gone("a")).To(BeTrue())
		b = d.settle("b")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(b, "")))
		d.Expect(stalled(b)).To(BeFalse())
	})
}

func TestWarIsNotFoughtInAHotLoop(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.create("a", func(o Object) { spec(o).ResyncInterval.Duration = time.Minute })
		d.settle("a")
		d.calls()
		start := d.clock.Now()
		var said []string
		for d.clock.Now().Sub(start) < time.Hour {
			f.edit(d.cloud)
			wait := d.pass("a")
			if obj := d.get("a"); reasonIn(obj, v1alpha1.ConditionReady) == v1alpha1.ReasonProgressing {
				said = append(said, messageOf(obj, v1alpha1.ConditionReady))
			}
			d.clock.advance(wait)
		}
		_, writes, _ := d.calls()
		d.Expect(len(writes)).To(And(BeNumerically(">", 2*plan.MaxCorrections), BeNumerically("<=", 6*plan.MaxCorrections+1)), "%d corrections each 10m", plan.MaxCorrections)
		d.Expect(said).To(ContainElement(ContainSubstring("keeps changing " + f.edited)))
	})
}

func TestAuthenticationKey(t *testing.T) {
	forEachSigningKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.create("a", f.sign)
		d.pass("a")
		d.expectKeyUnavailable("does not exist")
		d.secret("")
		d.pass("a")
		d.expectKeyUnavailable("is empty")
		d.secret("short")
		d.pass("a")
		d.expectKeyUnavailable("has 5 characters")
		d.secret(firstKey + "\n")
		d.pass("a")
		d.expectKeyUnavailable("line break")
		_, writes, _ := d.calls()
		d.Expect(writes).To(BeEmpty())

		d.secret(firstKey)
		obj := d.settle("a")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, firstKey)))

		d.secret(secondKey)
		d.pass("a")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, secondKey)), "a new key is written at once")
		obj = d.settle("a")
		d.Expect(statusOf(obj).Drift).To(BeNil(), "a rotation is no drift")

		d.secret("bad key")
		d.pass("a")
		d.expectKeyUnavailable("")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, secondKey)), "the cloud keeps what it has")

		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: "key"}}
		d.Expect(d.api.Delete(d.ctx, secret)).To(Succeed())
		d.pass("a")
		d.expectKeyUnavailable("does not exist")
		d.secret(secondKey)
		d.pass("a")
		d.Expect(readyReason(d.get("a"))).To(Equal(v1alpha1.ReasonInSync), "the same key is back")
	})
}

func (d *driver) expectKeyUnavailable(message string) {
	d.t.Helper()
	obj := d.get("a")
	d.Expect(reasonIn(obj, v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonAuthKeyUnavailable))
	d.Expect(messageOf(obj, v1alpha1.ConditionReady)).To(ContainSubstring(message))
	d.Expect(stalled(obj)).To(BeTrue())
}

// readable leaves out what the cloud never returns, and so never compares.
func (d *driver) readable(o Object) {
	if lnc, ok := o.(*v1alpha1.LiveNotifyConfig); ok {
		lnc.Spec.SwitchNotifyURL = ""
	}
}

// nextSecond waits until objects are created in a later second: their age has
// no finer grain.
func (d *driver) nextSecond() {
	if d.sim != nil {
		d.clock.advance(time.Second)
		return
	}
	start := time.Now().Truncate(time.Second)
	d.Eventually(func() time.Time { return time.Now().Truncate(time.Second) }).Should(BeTemporally(">", start))
}
