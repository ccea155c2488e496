// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// fleet makes n objects, each of its own domain, in sync.
func (d *driver) fleet(n int, edit ...func(Object)) (names []string) {
	d.t.Helper()
	for i := range n {
		name := fmt.Sprintf("o-%03d", i)
		domain := name + ".example.com"
		d.cloud.AddDomain("", domain, emulator.IngestDomain)
		d.create(name, append(edit, rarely, func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.DomainName = domain })...)
		names = append(names, name)
	}
	for _, name := range names {
		d.settle(name)
	}
	return names
}

// sweep makes passes over all objects, each when it is due, for a span of time,
// and returns how many of them there are in the end.
func (d *driver) sweep(names []string, span time.Duration) (left int) {
	d.t.Helper()
	due := map[string]time.Time{}
	for end := d.clock.Now().Add(span); d.clock.Now().Before(end); {
		next := end
		for _, name := range names {
			if d.gone(name) {
				continue
			}
			if !d.clock.Now().Before(due[name]) {
				wait := d.pass(name)
				due[name] = d.clock.Now().Add(wait)
			}
			if due[name].Before(next) {
				next = due[name]
			}
		}
		d.clock.advance(max(next.Sub(d.clock.Now()), time.Millisecond))
	}
	for _, name := range names {
		if !d.gone(name) {
			left++
		}
	}
	return left
}

func (d *driver) theAccount(name string) *v1alpha1.LiveAccount {
	d.t.Helper()
	var a v1alpha1.LiveAccount
	d.Expect(d.api.Get(d.ctx, client.ObjectKey{Namespace: d.namespace, Name: name}, &a)).To(Succeed())
	return &a
}

func (d *driver) limit(name string, perHour int32) {
	d.t.Helper()
	a := d.theAccount(name)
	a.Spec.MaxDeletionsPerHour = perHour
	d.Expect(d.api.Update(d.ctx, a)).To(Succeed())
	d.catchUp()
}

func TestDeletionsBeyondTheLimitWait(t *testing.T) {
	t.Parallel()
	d := simulated(t, streamFixture(), emulator.Options{})
	d.haveAccount("one")
	d.catchUp()
	names := d.fleet(8, func(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: "one"} })
	d.hurry()
	d.limit("one", 3)
	for _, name := range names {
		d.remove(name)
	}
	d.Expect(d.sweep(names, 50*time.Minute)).To(Equal(5))
	held := d.get("o-003")
	d.Expect(readyReason(held)).To(Equal(v1alpha1.ReasonDeletionHeld))
	d.Expect(messageOf(held, v1alpha1.ConditionReady)).To(And(ContainSubstring(`LiveAccount "one"`), ContainSubstring("allows 3 removals an hour")))
	metrics := &objectMetrics{reader: d.mgr.GetClient(), reconcilers: []*Reconciler{d.r.(*Reconciler)}}
	d.catchUp()
	d.Expect(gathered(t, metrics, "live_notify_deletions_held")).To(ConsistOf(fmt.Sprintf(`live_notify_deletions_held{account="%s/one"} 5`, d.namespace)))

	// A new process knows what the one before has removed.
	d.restart()
	d.catchUp()
	d.Expect(d.sweep(names, 9*time.Minute)).To(Equal(5))
	d.Expect(d.sweep(names, 3*time.Minute)).To(Equal(2))

	// Who does not want the cloud changed need not wait.
	d.update("o-007", func(o Object) { spec(o).DeletionPolicy = v1alpha1.DeletionRetain })
	d.pass("o-007")
	d.Expect(d.gone("o-007")).To(BeTrue())

	// A limit that is raised, or lifted, takes effect.
	d.limit("one", 0)
	d.pass("o-006")
	d.Expect(d.gone("o-006")).To(BeTrue())
	d.Expect(d.sweep(names, time.Second)).To(BeZero())
	d.catchUp()
	d.Expect(gathered(t, metrics, "live_notify_deletions_held")).To(BeEmpty())
}

// TestARemovalIsCountedOnce, however often it is tried.
func TestARemovalIsCountedOnce(t *testing.T) {
	t.Parallel()
	d := simulated(t, streamFixture(), emulator.Options{})
	d.haveAccount("one")
	d.catchUp()
	d.fleet(1, func(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: "one"} })
	d.hurry()
	d.limit("one", 2)
	d.cloud.Inject(emulator.Fault{Action: "DeleteLiveStreamsNotifyUrlConfig", Code: "InternalError", Status: 500, Times: 4})
	d.remove("o-000")
	for range 10 {
		if d.gone("o-000") {
			break
		}
		d.clock.advance(d.pass("o-000"))
		d.restart()
		d.catchUp()
	}
	d.Expect(d.gone("o-000")).To(BeTrue())
	d.Expect(d.theAccount("one").Status.Deletions).To(HaveLen(1))
	d.Expect(d.theAccount("one").Status.Deletions[0].Count).To(Equal(int32(1)))
}

func TestDeletionsFromTheOwnAccount(t *testing.T) {
	t.Parallel()
	for name, inMemory := range map[string]bool{"counted in a Lease": false, "counted in memory": true} {
		t.Run(name, func(t *testing.T) {
			d := simulated(t, streamFixture(), emulator.Options{})
			d.deletions = DeletionOptions{PerHour: 2, Namespace: d.namespace}
			if inMemory {
				d.deletions.Namespace = ""
			}
			d.restart()
			names := d.fleet(5)
			for _, name := range names {
				d.remove(name)
			}
			if inMemory { // what was before this process is not known
				d.Expect(d.sweep(names, 59*time.Minute)).To(Equal(5))
				d.Expect(d.sweep(names, 3*time.Minute)).To(Equal(3))
				return
			}
			d.Expect(d.sweep(names, 30*time.Minute)).To(Equal(3))
			d.restart()
			d.Expect(d.sweep(names, 29*time.Minute)).To(Equal(3), "a restart forgets nothing")
			d.Expect(d.sweep(names, 3*time.Minute)).To(Equal(1))

			// Counts that someone spoilt are taken to be used up.
			var lease coordinationv1.Lease
			d.Expect(d.api.Get(d.ctx, client.ObjectKey{Namespace: d.namespace, Name: DeletionsLease}, &lease)).To(Succeed())
			lease.Annotations[deletionsAnnotation] = "["
			d.Expect(d.api.Update(d.ctx, &lease)).To(Succeed())
			d.Expect(d.sweep(names, 62*time.Minute)).To(Equal(1))
		})
	}
}

// TestTwoLeadersShareALimit: a former leader and its successor remove at the same
// time.
func TestTwoLeadersShareALimit(t *testing.T) {
	t.Parallel()
	d := simulated(t, streamFixture(), emulator.Options{})
	d.haveAccount("one")
	d.catchUp()
	names := d.fleet(6, func(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: "one"} })
	d.hurry()
	d.limit("one", 3)
	for _, name := range names {
		d.remove(name)
	}
	old := d.r
	d.restart()
	d.catchUp()
	for range 4 {
		for i, name := range names { // on caches that see nothing of what either does
			if i%2 == 0 {
				d.r, old = old, d.r
			}
			_, err := d.try(name)
			d.Expect(err).NotTo(HaveOccurred())
		}
		d.clock.advance(10 * time.Second)
		d.sim.catchUp()
	}
	left := 0
	for _, name := range names {
		if !d.gone(name) {
			left++
		}
	}
	d.Expect(left).To(Equal(3))
}
