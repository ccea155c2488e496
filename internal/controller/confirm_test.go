// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// A single read that shows nothing, as reads may lag, is no drift: it changes nothing in
// the cloud, and nothing in the status. What stays away is corrected.
func TestASingleStaleReadIsNoDrift(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.create("a")
		d.settle("a")
		d.clock.advance(10 * time.Minute)
		d.calls()
		before := d.get("a")
		d.cloud.Inject(emulator.Fault{Action: f.describe, Stale: true, Times: 1})
		wait := d.pass("a")
		d.Expect(wait).To(BeNumerically("<=", plan.Confirming))
		d.Expect(d.get("a").GetResourceVersion()).To(Equal(before.GetResourceVersion()), "nothing is told")
		d.clock.advance(wait)
		d.passes("a", time.Minute)
		_, writes, _ := d.calls()
		d.Expect(writes).To(BeEmpty())
		d.Expect(statusOf(d.get("a")).Drift).To(BeNil())

		f.erase(d.cloud)
		d.clock.advance(10 * time.Minute)
		d.passes("a", time.Minute)
		d.Expect(f.have(d.cloud)).To(Equal(f.want(d.get("a"), "")))
		d.Expect(statusOf(d.get("a")).Drift.Count).To(Equal(int64(1)))
	})
}

// What is corrected is not left as it is: Drifted stays False.
func TestCorrectedDriftIsNotLeft(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.create("a")
		d.settle("a")
		drifted := func() any {
			return *meta.FindStatusCondition(statusOf(d.get("a")).Conditions, v1alpha1.ConditionDrifted)
		}
		before := drifted()
		f.edit(d.cloud)
		d.clock.advance(10 * time.Minute)
		d.passes("a", time.Minute)
		d.Expect(statusOf(d.get("a")).Drift.Count).To(Equal(int64(1)))
		d.Expect(drifted()).To(Equal(before), "also in between")
	})
}

// How often drift was corrected lately is not forgotten with the process.
func TestTheBrakeSurvivesARestart(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.create("a", func(o Object) { spec(o).ResyncInterval.Duration = time.Minute })
		d.settle("a")
		for {
			f.edit(d.cloud)
			wait := d.pass("a")
			if readyReason(d.get("a")) == v1alpha1.ReasonProgressing {
				break
			}
			d.clock.advance(wait)
		}
		d.calls()
		d.restart()
		d.lookNow()
		d.pass("a")
		_, writes, _ := d.calls()
		d.Expect(writes).To(BeEmpty())
		d.Expect(readyReason(d.get("a"))).To(Equal(v1alpha1.ReasonProgressing))
	})
}

// removes makes of an operation that creates the one that removes.
var removes = strings.NewReplacer("SetLive", "DeleteLive", "AddLive", "DeleteLive", "Create", "Delete")

// That the account has no such domain is asked twice before an object which wrote
// something there lets go of it; and then nothing is said to be removed.
func TestALostDomainIsAskedForTwice(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		code := "InvalidAppId"
		if f.kind.OfDomain {
			code = "InvalidDomain.NotFound"
		}
		d.create("a")
		d.settle("a")
		d.cloud.Inject(emulator.Fault{Code: code, Times: 1})
		d.remove("a")
		wait := d.pass("a")
		d.Expect(d.gone("a")).To(BeFalse())
		d.clock.advance(wait)
		d.passes("a", time.Minute)
		d.Expect(d.gone("a")).To(BeTrue())
		d.Expect(f.have(d.cloud)).To(BeNil(), "it was there")

		d.create("c")
		d.settle("c")
		d.cloud.Inject(emulator.Fault{Action: removes.Replace(f.writes[0]), Code: code})
		d.remove("c")
		d.passes("c", time.Minute)
		d.Expect(readyReason(d.get("c"))).To(Equal(v1alpha1.ReasonDeletionBlocked), "the cloud shows what it says there is not")
		d.cloud.ClearFaults()
		d.passes("c", 5*time.Minute)
		d.Expect(d.gone("c")).To(BeTrue())
		d.Expect(f.have(d.cloud)).To(BeNil())

		d.create("b")
		d.settle("b")
		d.cloud.Inject(emulator.Fault{Code: code})
		d.remove("b")
		d.passes("b", time.Minute)
		d.Expect(d.gone("b")).To(BeTrue())
	})
}
