// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// running returns a driver whose operator works by itself.
func running(t *testing.T, f fixture, o emulator.Options) *driver {
	t.Helper()
	w := newWorld(t, o)
	f.prepare(w.cloud)
	w.run()
	return &driver{world: w, f: f}
}

// reaches waits until Ready has a reason.
func (d *driver) reaches(name string, reasons ...string) Object {
	d.t.Helper()
	var obj Object
	d.Eventually(func(g Gomega) {
		obj = d.get(name)
		g.Expect(reasons).To(ContainElement(reasonOf(obj, v1alpha1.ConditionReady)), messageOf(obj, v1alpha1.ConditionReady))
	}).WithTimeout(20 * time.Second).WithPolling(20 * time.Millisecond).Should(Succeed())
	return obj
}

func TestRunningOperatorFollowsEveryChange(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := running(t, f, emulator.Options{})
		cloudHolds := func(want any) {
			d.t.Helper()
			d.Eventually(func() any { return f.have(d.cloud) }).WithTimeout(10 * time.Second).WithPolling(10 * time.Millisecond).Should(Equal(want))
		}
		obj := d.create("a", f.sign)
		if f.signs {
			d.reaches("a", v1alpha1.ReasonAuthKeyUnavailable)
			d.secret(firstKey)
			cloudHolds(f.want(obj, firstKey))
			d.secret(secondKey)
		}
		cloudHolds(f.want(obj, f.keyed(secondKey)))
		d.reaches("a", v1alpha1.ReasonInSync)

		d.update("a", f.change)
		cloudHolds(f.want(d.get("a"), f.keyed(secondKey)))
		d.update("a", f.clear)
		cloudHolds(f.want(d.get("a"), f.keyed(secondKey)))

		d.nextSecond()
		b := d.create("b", f.change)
		d.reaches("b", v1alpha1.ReasonConflict)
		d.remove("a")
		cloudHolds(f.want(b, ""))
		d.remove("b")
		d.Eventually(func() bool { return d.gone("b") }).WithTimeout(10 * time.Second).Should(BeTrue())
		d.Expect(f.have(d.cloud)).To(BeNil())
	})
}

// TestKeyAppearsNowhere looks for authentication keys in all that leaves the
// operator, after it went through all that could make it say them.
func TestKeyAppearsNowhere(t *testing.T) {
	const canary, rotated = "Canary0123456789abcd", "Canary9876543210dcba"
	forEachSigningKind(t, func(t *testing.T, f fixture) {
		d := running(t, f, emulator.Options{})
		d.secret(canary)
		echo := "InvalidParam: the request NotifyAuthKey=" + canary + "&NotifyReqAuth=yes with key " + canary + " is bad"
		faults := []emulator.Fault{
			{Drop: true},
			{LoseReply: true},
			{Status: 400, Code: "InvalidParam", Message: echo},
			{Status: 400, Code: "SignatureDoesNotMatch", Message: "server string to sign is: POST%0A%2F%0ANotifyAuthKey%3D" + canary},
			{Status: 502, Body: "<html>" + echo + "</html>"},
			{Status: 200, Body: "{\"RequestId\": \"" + echo},
		}
		for _, action := range f.writes {
			for _, fault := range faults {
				fault.Action, fault.Times = action, 1
				d.cloud.Inject(fault)
			}
		}
		d.create("a", f.sign)
		// A terminal failure waits for a change.
		for i := range 12 {
			d.Eventually(func() string { return reasonOf(d.get("a"), v1alpha1.ConditionReady) }).WithTimeout(10 * time.Second).ShouldNot(BeEmpty())
			d.update("a", func(o Object) { spec(o).Records.UnhealthyThreshold = int32(i + 2) })
			d.secret([]string{canary, rotated}[i%2])
			d.reaches("a", v1alpha1.ReasonApplied, v1alpha1.ReasonInSync, v1alpha1.ReasonRejected, v1alpha1.ReasonAccessDenied, v1alpha1.ReasonCloudUnavailable, v1alpha1.ReasonProgressing)
		}
		d.cloud.ClearFaults()
		d.update("a", f.change)
		d.secret(rotated)
		d.Eventually(func() any { return f.have(d.cloud) }).WithTimeout(20 * time.Second).Should(Equal(f.want(d.get("a"), rotated)))
		d.Expect(strings.Join(actions(d.cloud.Calls()), " ")).To(ContainSubstring(f.writes[0]))

		// A malformed key, and a client whose access key is wrong.
		d.secret(canary + "!")
		d.reaches("a", v1alpha1.ReasonAuthKeyUnavailable)

		evidence := map[string]string{"log": logs.String(), "metrics": d.metrics()}
		for _, list := range []client.ObjectList{f.newList(), &eventsv1.EventList{}, &corev1.EventList{}} {
			d.Expect(d.api.List(d.ctx, list, client.InNamespace(d.namespace))).To(Succeed())
			raw, err := json.Marshal(list)
			d.Expect(err).NotTo(HaveOccurred())
			evidence[fmt.Sprintf("%T", list)] = string(raw)
		}
		for where, text := range evidence {
			d.Expect(text).NotTo(BeEmpty(), where)
			for _, secret := range []string{canary, rotated, keySecret} {
				d.Expect(strings.Contains(text, secret)).To(BeFalse(), "%s is in %s", secret, where)
			}
		}
		d.Expect(evidence["log"]).To(ContainSubstring("wrote to the cloud"), "the log that was searched is the operator's")
		d.Expect(evidence["metrics"]).To(ContainSubstring("live_notify_api_requests_total"))
	})
}

func actions(calls []emulator.Call) []string {
	var names []string
	for _, c := range calls {
		names = append(names, c.Action)
	}
	return names
}

// metrics returns all metrics as text.
func (d *driver) metrics() string {
	d.t.Helper()
	var text strings.Builder
	for _, c := range append(Collectors(), live.Collectors()...) {
		if err := metrics.Registry.Register(c); err != nil && !strings.Contains(err.Error(), "duplicate") {
			d.t.Fatal(err)
		}
	}
	families, err := metrics.Registry.Gather()
	d.Expect(err).NotTo(HaveOccurred())
	for _, f := range families {
		text.WriteString(f.String())
	}
	return text.String()
}

// TestAnEditGoesBeforeTheBacklog edits an object while many new ones wait for
// the cloud's quota, which is never exceeded.
func TestAnEditGoesBeforeTheBacklog(t *testing.T) {
	t.Parallel()
	const backlog = 60
	f := streamFixture()
	w := newWorld(t, emulator.Options{QPSScale: 1})
	f.prepare(w.cloud)
	own, err := live.NewClient(live.Options{
		Endpoint: w.endpoint, Credentials: w.credentials(keyID, keySecret), Limits: live.NewLimits(w.namespace),
	})
	w.Expect(err).NotTo(HaveOccurred())
	w.own = own
	w.run()
	d := &driver{world: w, f: f}
	d.create("edited")
	d.reaches("edited", v1alpha1.ReasonInSync)
	for i := range backlog {
		domain := fmt.Sprintf("push-%d.example.com", i)
		d.cloud.AddDomain("", domain, emulator.IngestDomain)
		d.create(fmt.Sprint("new-", i), func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.DomainName = domain })
	}
	d.cloud.ResetCalls()
	d.update("edited", f.change)
	var before int
	d.Eventually(func() bool {
		before = 0
		for _, call := range d.cloud.Calls() {
			if call.Action == f.writes[0] {
				if call.Key == ingestDomain {
					return true
				}
				before++
			}
		}
		return false
	}).WithTimeout(30 * time.Second).WithPolling(5 * time.Millisecond).Should(BeTrue())
	d.Expect(before).To(BeNumerically("<", backlog/4), "new configurations were written before the edit")

	for i := range backlog {
		d.reaches(fmt.Sprint("new-", i), v1alpha1.ReasonInSync, v1alpha1.ReasonApplied)
	}
	for _, call := range d.cloud.Calls() {
		d.Expect(call.Code).To(BeEmpty(), "%s of %s", call.Action, call.Key)
	}
}
