// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// ask asks for a look at an object now.
func (d *driver) ask(name, value string) {
	d.t.Helper()
	d.update(name, func(o Object) {
		o.SetAnnotations(map[string]string{v1alpha1.AnnotationReconcileRequestedAt: value})
	})
}

func TestRequestReadsNow(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		want := f.want(d.create("a"), "")
		d.settle("a")
		d.passes("a", 3*time.Minute)
		f.edit(d.cloud)
		d.calls()

		d.ask("a", "one")
		d.pass("a")
		reads, _, records := d.calls()
		d.Expect(reads).NotTo(BeEmpty(), "the configuration is read now")
		d.Expect(len(records) > 0).To(Equal(f.counts()), "the records are read now")
		d.Expect(f.have(d.cloud)).To(Equal(want), "and what drifted is mended")
		d.Expect(statusOf(d.get("a")).LastHandledReconcileAt).To(Equal("one"))

		// Done is done: also for a process that knows nothing of it.
		d.settle("a")
		d.restart()
		before := d.get("a").GetResourceVersion()
		d.calls()
		d.pass("a")
		reads, writes, records := d.calls()
		d.Expect(append(append(reads, writes...), records...)).To(BeEmpty())
		d.Expect(d.get("a").GetResourceVersion()).To(Equal(before))
	})
}

func TestRequestTriesAgainWhatIsStalled(t *testing.T) {
	f := streamFixture()
	d := simulated(t, f, emulator.Options{})
	d.cloud.Inject(emulator.Fault{Action: f.describe, Code: "Forbidden.RAM", Status: 403, Times: 3})
	d.create("a")
	for range 3 {
		d.clock.advance(d.pass("a"))
	}
	d.Expect(readyReason(d.get("a"))).To(Equal(v1alpha1.ReasonAccessDenied))
	d.restart()
	d.pass("a") // a new process tries once
	d.cloud.Inject(emulator.Fault{Action: f.describe, Code: "Forbidden.RAM", Status: 403, Times: 1})
	d.ask("a", strings.Repeat("long", 200))
	d.pass("a")
	d.Expect(statusOf(d.get("a")).LastHandledReconcileAt).To(HaveLen(128), "a try that failed is one")
	d.ask("a", "again")
	d.settle("a")
	d.Expect(statusOf(d.get("a")).LastHandledReconcileAt).To(Equal("again"))
}

func TestRequestOfOneSuspendedMakesNoCall(t *testing.T) {
	d := simulated(t, streamFixture(), emulator.Options{})
	d.create("a", func(o Object) { spec(o).Suspend = true })
	d.ask("a", "one")
	d.pass("a")
	reads, writes, records := d.calls()
	d.Expect(append(append(reads, writes...), records...)).To(BeEmpty())
	d.Expect(statusOf(d.get("a")).LastHandledReconcileAt).To(Equal("one"))
}

func TestWatchPassesRequests(t *testing.T) {
	d := simulated(t, streamFixture(), emulator.Options{})
	was := d.create("a")
	is := was.DeepCopyObject().(Object)
	passes := d.r.(*Reconciler).worthALook().Update
	NewWithT(t).Expect(passes(event.UpdateEvent{ObjectOld: was, ObjectNew: is})).To(BeFalse())
	is.SetAnnotations(map[string]string{v1alpha1.AnnotationReconcileRequestedAt: "one"})
	NewWithT(t).Expect(passes(event.UpdateEvent{ObjectOld: was, ObjectNew: is})).To(BeTrue())
	is.SetAnnotations(map[string]string{"example.com/other": "one"})
	NewWithT(t).Expect(passes(event.UpdateEvent{ObjectOld: was, ObjectNew: is})).To(BeFalse())
}

// TestWatchPassesWhatAnAccountIsKnownToBe: only then an object may come before one of
// another account.
func TestWatchPassesWhatAnAccountIsKnownToBe(t *testing.T) {
	passes := func(change func(*v1alpha1.LiveAccount)) bool {
		was := &v1alpha1.LiveAccount{}
		is := was.DeepCopy()
		change(is)
		return accountChanges.Update(event.UpdateEvent{ObjectOld: was, ObjectNew: is})
	}
	verified := func(status metav1.ConditionStatus) func(*v1alpha1.LiveAccount) {
		return func(a *v1alpha1.LiveAccount) {
			a.Status.AccountID = "1"
			a.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionVerified, Status: status}}
		}
	}
	g := NewWithT(t)
	g.Expect(passes(func(*v1alpha1.LiveAccount) {})).To(BeFalse())
	g.Expect(passes(verified(metav1.ConditionUnknown))).To(BeFalse())
	g.Expect(passes(verified(metav1.ConditionTrue))).To(BeTrue())
	g.Expect(passes(func(a *v1alpha1.LiveAccount) { a.Generation++ })).To(BeTrue())
}
