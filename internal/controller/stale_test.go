// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// TestCacheFromThePast starts the operator on every state that the API server
// has been in, as a new process may see it that asks a server which lags
// behind. While it lags, no write of the past reaches the cloud; then all is as
// it was.
func TestCacheFromThePast(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		f = d.f
		d.secret(firstKey)
		d.create("a", f.sign, rarely)
		d.settle("a")
		d.clock.advance(2 * plan.Settling)
		d.update("a", f.change)
		d.settle("a")
		d.clock.advance(2 * plan.Settling)
		d.remove("a")
		d.until404("a")
		d.clock.advance(2 * plan.Settling)
		d.secret(secondKey)
		d.create("a", f.sign, rarely, f.clear)
		d.settle("a")
		want := f.want(d.get("a"), f.keyed(secondKey))
		uid := d.get("a").GetUID()
		d.endure("a")

		for past := range d.sim.revision() {
			d.calls()
			d.sim.rewind(past)
			d.restart()
			for range 10 {
				wait, err := d.try("a")
				if err != nil {
					wait = time.Second
				}
				d.clock.advance(max(wait, time.Minute))
				d.Expect(f.have(d.cloud)).To(Equal(want), "on a cache of revision %d", past)
			}
			_, writes, _ := d.calls()
			d.Expect(writes).To(BeEmpty(), "on a cache of revision %d", past)
			d.endure("a")
			d.Expect(d.get("a").GetUID()).To(Equal(uid))
			d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonInSync))
			d.Expect(f.have(d.cloud)).To(Equal(want), "after a cache of revision %d", past)
		}
	})
}

// until404 makes passes until the object is gone.
func (d *driver) until404(name string) {
	d.t.Helper()
	for range 30 {
		if d.gone(name) {
			return
		}
		d.clock.advance(d.pass(name))
	}
	d.t.Fatalf("%s is still there", name)
}

// TestOwnWritesAreSeen: a pass that does not see yet what the one before it
// wrote to the API server would take its own write for another's.
func TestOwnWritesAreSeen(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		f = d.f
		d.create("a", rarely, func(o Object) { spec(o).DriftPolicy = v1alpha1.DriftReport })
		first := d.settle("a").DeepCopyObject().(Object)
		d.clock.advance(2 * plan.Settling)

		// There and back, and the second change comes before the status that the
		// first led to.
		d.update("a", f.change)
		d.sim.catchUp()
		d.gate.plan(func(_ int, call string) fate {
			if call != "k8s patch status" {
				return fate{}
			}
			d.gate.fate = nil
			return fate{hold: func() {
				d.update("a", func(o Object) { restore(o, first) })
				d.sim.catchUp()
			}}
		})
		_, err := d.try("a")
		d.Expect(err).NotTo(HaveOccurred())
		for range 5 {
			wait, err := d.try("a")
			d.Expect(err).NotTo(HaveOccurred())
			d.clock.advance(wait)
		}
		d.Expect(statusOf(d.get("a")).Drift).To(BeNil(), "nobody but the operator wrote")
		d.endure("a")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(first, "")))
		d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonInSync))
	})
}

// restore gives an object the spec of another.
func restore(o, from Object) {
	reflect.ValueOf(o).Elem().FieldByName("Spec").Set(reflect.ValueOf(from.DeepCopyObject()).Elem().FieldByName("Spec"))
}

// TestMissedEvents: a change that no event told of is found when the object is
// next due.
func TestMissedEvents(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		for what, change := range map[string]func(*driver){
			"spec":   func(d *driver) { d.update("a", d.f.change) },
			"Secret": func(d *driver) { d.secret(secondKey) },
			"cloud":  func(d *driver) { d.f.edit(d.cloud) },
		} {
			d := simulated(t, f, emulator.Options{})
			d.secret(firstKey)
			d.create("a", d.f.sign, rarely)
			d.settle("a")
			d.clock.advance(2 * plan.Settling)
			wait := d.pass("a")
			change(d)
			d.clock.advance(wait) // nobody came before
			d.Expect(wait).To(BeNumerically("<=", 10*time.Minute), what)
			d.endure("a")
			key := d.keys[len(d.keys)-1]
			d.Expect(d.f.have(d.cloud)).To(Equal(d.f.want(d.get("a"), d.f.keyed(key))), fmt.Sprint("after a change of the ", what))
		}
	})
}

// TestStatusIsNotInherited: an object that takes the name of another, in the
// middle of a pass over that, starts without a status. Else it would be InSync
// with what was removed, and own what it never wrote.
func TestStatusIsNotInherited(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		f = d.f
		d.create("a", func(o Object) { spec(o).ManagementPolicy = v1alpha1.Observe })
		d.gate.plan(func(_ int, call string) fate {
			if call != "k8s patch status" {
				return fate{}
			}
			d.gate.fate = nil
			return fate{hold: func() {
				d.remove("a")
				d.create("a")
			}}
		})
		d.pass("a")
		d.Expect(statusOf(d.get("a")).Conditions).To(BeEmpty())
		d.endure("a")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(d.get("a"), "")))
	})
}
