// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
)

// TestRunningOperatorRollsOut: a campaign with a real API server and real watches.
// The second change fails; it is rolled back, and the third waits until that one
// was changed.
func TestRunningOperatorRollsOut(t *testing.T) {
	t.Parallel()
	d := running(t, streamFixture(), emulator.Options{})
	one := intstr.FromInt32(1)
	d.Expect(d.api.Create(d.ctx, &v1alpha1.LiveRolloutPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: "steps"},
		Spec:       v1alpha1.LiveRolloutPolicySpec{MaxConcurrent: &one, Guard: v1alpha1.GuardSpec{Window: metav1.Duration{Duration: time.Minute}}},
	})).To(Succeed())
	names := []string{"o-000", "o-001", "o-002"}
	for _, name := range names {
		d.cloud.AddDomain("", name+".example.com", emulator.IngestDomain)
		d.create(name, func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.DomainName = name + ".example.com" })
	}
	for _, name := range names {
		d.Eventually(func() any { g := statusOf(d.get(name)).Guard; return g != nil && g.Previous != nil }).
			WithPolling(50*time.Millisecond).Should(BeTrue(), "%s is accepted", name)
	}
	for _, name := range names {
		d.update(name, d.f.change)
		d.Eventually(func() int64 { return statusOf(d.get(name)).ObservedGeneration }).Should(Equal(int64(2)))
	}
	reaches := func(name string, state v1alpha1.ChangeState) {
		d.t.Helper()
		d.Eventually(func() string {
			g := statusOf(d.get(name)).Guard
			if g == nil || g.Change == nil {
				return "none"
			}
			return string(g.Change.State)
		}).WithPolling(20*time.Millisecond).Should(Equal(string(state)), name)
	}
	reaches("o-000", v1alpha1.ChangeWatching)
	reaches("o-001", v1alpha1.ChangeWaiting)
	reaches("o-002", v1alpha1.ChangeWaiting)
	d.Expect(readyReason(d.get("o-002"))).To(Equal(v1alpha1.ReasonWaitingForRollout))
	// The queue waits by the real clock; someone asks, and by the cloud's clock the window is over.
	d.clock.advance(61 * time.Second)
	d.ask("o-000", "1")
	reaches("o-000", v1alpha1.ChangeAccepted)
	reaches("o-001", v1alpha1.ChangeWatching)
	d.cloud.AddRecords(emulator.Records{Stream: []emulator.CallbackRecord{{
		Time: d.clock.Now().Add(time.Second), Domain: "o-001.example.com", URL: changedURL, Result: emulator.ResultFailed,
	}}})
	d.clock.advance(40 * time.Second)
	d.ask("o-001", "1")
	reaches("o-001", v1alpha1.ChangeRolledBack)
	d.reaches("o-001", v1alpha1.ReasonRolledBack)
	halted := func() string {
		var p v1alpha1.LiveRolloutPolicy
		d.Expect(d.api.Get(d.ctx, client.ObjectKey{Namespace: d.namespace, Name: "steps"}, &p)).To(Succeed())
		return fmt.Sprintf("%d halted, %d waiting, %d failed", len(p.Status.Halted), p.Status.Waiting, p.Status.Failed)
	}
	d.Eventually(halted).Should(Equal("1 halted, 1 waiting, 1 failed"))
	d.expectEvent("steps", v1alpha1.EventRolloutHalted)
	d.update("o-001", func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.NotifyURL = "http://hooks.example.com/notify" })
	d.reaches("o-001", v1alpha1.ReasonInSync)
	reaches("o-002", v1alpha1.ChangeWatching)
	d.expectEvent("steps", v1alpha1.EventRolloutResumed)

	// Another policy for the same objects: both say so at once, also the older one,
	// until one of them is gone.
	ready := func(name string) func() string {
		return func() string {
			var p v1alpha1.LiveRolloutPolicy
			d.Expect(d.api.Get(d.ctx, client.ObjectKey{Namespace: d.namespace, Name: name}, &p)).To(Succeed())
			if c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionReady); c != nil {
				return c.Reason
			}
			return ""
		}
	}
	second := &v1alpha1.LiveRolloutPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: "second"}}
	for _, k := range kind.All {
		if k.Records != nil { // the schema takes each kind that can be watched
			second.Spec.Kinds = append(second.Spec.Kinds, k.Name)
		}
	}
	d.Expect(d.api.Create(d.ctx, second)).To(Succeed())
	for _, name := range []string{"steps", "second"} {
		d.Eventually(ready(name)).Should(Equal(v1alpha1.ReasonOverlapping), name)
	}
	d.Expect(d.api.Delete(d.ctx, second)).To(Succeed())
	d.Eventually(ready("steps")).Should(Equal(v1alpha1.ReasonInForce))
}
