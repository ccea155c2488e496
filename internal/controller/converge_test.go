// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

const (
	firstKey  = "0123456789abcdef"
	secondKey = "fedcba9876543210"
)

// driven returns a driver for a world whose API server is the real one in the long
// form. In the usual form the kinds take turns at it: one of them meets it in each
// test. The others have a simulated one, which costs a tenth. Those that show that
// the two agree are always served by the real one.
func driven(t tester, f fixture, o emulator.Options) *driver {
	t.Helper()
	test := strings.TrimSuffix(t.Name(), "/"+f.name)
	if long || slices.Index(kind.All, f.kind) == whoseTurn(test, len(kind.All)) {
		return served(t, f, o)
	}
	return simulated(t, f, o)
}

// served returns a driver for a world whose API server is the real one.
func served(t tester, f fixture, o emulator.Options) *driver {
	t.Helper()
	w := newWorld(t, o)
	f.prepare(w.cloud)
	return w.drive(f)
}

func TestCreateConvergesWithTwoReadsAndOneWrite(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.secret(firstKey)
		obj := d.create("a", f.sign)

		d.pass("a")
		d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonApplied))
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, f.keyed(firstKey))))
		got := d.settle("a")
		d.Expect(got.GetFinalizers()).To(ConsistOf(v1alpha1.Finalizer))

		reads, writes, _ := d.calls()
		d.Expect(len(reads)).To(BeNumerically("<=", 2+f.looks.create), "reads: %v", reads)
		d.Expect(writes).To(HaveLen(1))
		d.expectEvent("a", v1alpha1.EventApplied)
	})
}

func TestSpecChangesReachTheCloud(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.create("a")
		d.settle("a")
		for _, edit := range []func(Object){f.change, f.clear} {
			d.update("a", edit)
			obj := d.settle("a")
			d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, "")))
			d.Expect(reasonIn(obj, v1alpha1.ConditionDrifted)).To(Equal(v1alpha1.ReasonNoDrift))
			_, status := obj.Callback()
			d.Expect(status.Drift).To(BeNil(), "a change of the spec is no drift")
		}
	})
}

func TestDeleteRemovesTheConfiguration(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.create("a")
		d.settle("a")
		d.calls()

		d.remove("a")
		d.pass("a")
		d.Expect(d.gone("a")).To(BeTrue())
		d.Expect(f.have(d.cloud)).To(BeNil())
		reads, writes, _ := d.calls()
		d.Expect(reads).To(HaveLen(1 + f.looks.remove))
		d.Expect(writes).To(HaveLen(1))
		d.expectEvent("a", v1alpha1.EventDeleted)
	})
}

func TestDriftIsCorrectedAndCounted(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		want := f.want(d.create("a"), "")
		d.settle("a")
		for i, spoil := range []func(*emulator.Server){f.edit, f.erase} {
			d.clock.advance(plan.Settling)
			spoil(d.cloud)
			d.passes("a", 11*time.Minute)
			d.Expect(f.have(d.cloud)).To(Equal(want))
			obj := d.settle("a")
			_, status := obj.Callback()
			d.Expect(status.Drift).NotTo(BeNil())
			d.Expect(status.Drift.Count).To(Equal(int64(i + 1)))
			d.Expect(status.Drift.Fields).To(ContainElement(f.edited))
			d.Expect(reasonIn(obj, v1alpha1.ConditionDrifted)).To(Equal(v1alpha1.ReasonNoDrift))
		}
		d.expectEvent("a", v1alpha1.EventDriftDetected)
		d.expectEvent("a", v1alpha1.EventDriftCorrected)
	})
}

func TestSteadyObject(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.create("a")
		d.settle("a")
		d.passes("a", time.Minute)
		before := d.get("a").GetResourceVersion()
		d.calls()

		d.passes("a", 2*time.Hour)
		reads, writes, records := d.calls()
		d.Expect(len(slices.DeleteFunc(reads, func(a string) bool { return a != f.describe }))).To(BeNumerically("~", 12, 1), "one read each 10m")
		d.Expect(writes).To(BeEmpty())
		d.Expect(d.get("a").GetResourceVersion()).To(Equal(before), "a steady object is not written")
		if !f.counts() {
			d.Expect(records).To(BeEmpty())
			return
		}
		more := 2
		if f.queries == 1 { // a count now and then begins a bucket, which is a query of its own
			more = 8
		}
		d.Expect(len(records)).To(BeNumerically("~", 24*f.queries, more), "%d queries each 5m", f.queries)
	})
}

func TestRestartReadsNothingThatIsNotDue(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.create("a")
		d.settle("a")
		d.calls()
		d.restart()
		d.pass("a")
		d.Expect(d.cloud.CallCount()).To(BeZero())

		d.update("a", f.change)
		d.restart()
		d.pass("a")
		_, writes, _ := d.calls()
		d.Expect(writes).To(HaveLen(1), "a spec that changed while the operator was down is written at once")
	})
}

func TestErrorsAreNeverAbsence(t *testing.T) {
	for name, fault := range map[string]emulator.Fault{
		"server error":       {Status: 500, Code: "InternalError", Message: "failed"},
		"denied":             {Status: 403, Code: "Forbidden", Message: "no"},
		"domain gone":        {Status: 404, Code: "InvalidDomain.NotFound", Message: "no such domain"},
		"throttled":          {Status: 400, Code: "Throttling.User", Message: "slow down"},
		"dropped":            {Drop: true},
		"an HTML error page": {Status: 502, Body: "<html>Bad Gateway</html>"},
		"truncated":          {Status: 200, Body: `{"RequestId":"1","Live`},
		"no object":          {Status: 200, Body: `null`},
		"an unknown 404":     {Status: 404, Code: "SomethingNew", Message: "?"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachKind(t, func(t *testing.T, f fixture) {
				d := driven(t, f, emulator.Options{})
				fault := fault
				fault.Action = f.describe
				d.cloud.Inject(fault)
				d.create("a")
				d.passes("a", 5*time.Minute)
				_, writes, _ := d.calls()
				d.Expect(writes).To(BeEmpty())
				d.Expect(d.get("a").GetFinalizers()).To(BeEmpty(), "nothing was claimed")
				ready := reasonIn(d.get("a"), v1alpha1.ConditionReady)
				d.Expect(ready).NotTo(BeElementOf("", v1alpha1.ReasonInSync, v1alpha1.ReasonApplied))

				d.cloud.ClearFaults()
				d.clock.advance(maxStalled)
				obj := d.settle("a")
				d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, "")))
			})
		})
	}
}

// TestStatusThatWasNotWrittenIsWrittenSoon: what a pass found out is told by the
// next one, even if by then nothing is due.
func TestStatusThatWasNotWrittenIsWrittenSoon(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.create("a")
		d.pass("a")
		d.clock.advance(plan.ReadBack) // the next count may come before
		d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonApplied))
		lost := errors.New("connection refused")
		d.gate.plan(func(_ int, call string) fate {
			if call == "k8s patch status" {
				d.gate.fate = nil
				return fate{err: lost}
			}
			return fate{}
		})
		d.sim.catchUp()
		_, err := d.try("a")
		d.Expect(err).To(MatchError(lost))
		d.clock.advance(minRetry)
		d.pass("a")
		d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonInSync))
	})
}
