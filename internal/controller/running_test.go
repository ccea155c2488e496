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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
		g.Expect(reasons).To(ContainElement(reasonIn(obj, v1alpha1.ConditionReady)), messageOf(obj, v1alpha1.ConditionReady))
	}).WithPolling(20 * time.Millisecond).Should(Succeed())
	return obj
}

func TestRunningOperatorFollowsEveryChange(t *testing.T) {
	forKindsInTurn(t, func(t *testing.T, f fixture) {
		d := running(t, f, emulator.Options{})
		cloudHolds := func(want any) {
			d.t.Helper()
			d.Eventually(func() any { return f.have(d.cloud) }).WithPolling(10 * time.Millisecond).Should(Equal(want))
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
		d.Eventually(func() bool { return d.gone("b") }).Should(BeTrue())
		d.Expect(f.have(d.cloud)).To(BeNil())
	})
}

// TestKeyAppearsNowhere looks for authentication keys in all that leaves the
// operator, after writes that hold one failed in every way, also in words that
// repeat it.
func TestKeyAppearsNowhere(t *testing.T) {
	keys := []string{"Canary0123456789abcd", "Canary9876543210dcba"}
	echo := func(key string) string {
		return "the request NotifyAuthKey=" + key + "&NotifyReqAuth=yes with key " + key + " is bad"
	}
	failures := map[string]func(key string) emulator.Fault{
		"dropped":           func(string) emulator.Fault { return emulator.Fault{Drop: true} },
		"rejected":          func(key string) emulator.Fault { return emulator.Fault{Code: "InvalidParam", Message: echo(key)} },
		"an unknown error":  func(key string) emulator.Fault { return emulator.Fault{Code: "New", Status: 500, Message: echo(key)} },
		"the key as a code": func(key string) emulator.Fault { return emulator.Fault{Code: key, Status: 400, Message: "?"} },
		"signed string": func(key string) emulator.Fault {
			return emulator.Fault{Code: "SignatureDoesNotMatch", Message: "server string to sign is: POST%0A%2F%0ANotifyAuthKey%3D" + key}
		},
		"HTML": func(key string) emulator.Fault {
			return emulator.Fault{Status: 502, Body: "<html>" + echo(key) + "</html>"}
		},
		"truncated": func(key string) emulator.Fault { return emulator.Fault{Body: `{"RequestId": "` + echo(key)} },
		"the key as a request ID": func(key string) emulator.Fault {
			return emulator.Fault{Status: 400, Body: `{"RequestId": "` + key + `", "Code": "InvalidParam", "Message": "?"}`}
		},
	}
	forSigningKindsInTurn(t, func(t *testing.T, f fixture) {
		d := served(t, f, emulator.Options{})
		d.secret(firstKey)
		d.create("a", f.sign)
		d.settle("a")
		n := 0
		for name, failure := range failures {
			key := keys[n%len(keys)]
			n++
			fault := failure(key)
			d.calls()
			fault.Action = f.writes[len(f.writes)-1]
			d.cloud.Inject(fault)
			d.secret(key)
			ready := func() metav1.ConditionStatus { return statusOf(d.get("a")).Conditions[0].Status }
			// Until it is said, which takes patience passes, and those between them
			// that are due to count callbacks only.
			for n := 0; n < 3*patience && (n < patience || ready() == metav1.ConditionTrue); n++ {
				d.clock.advance(d.pass("a"))
			}
			d.Expect(ready()).NotTo(Equal(metav1.ConditionTrue), name)
			met := false
			for _, call := range d.cloud.Calls() {
				met = met || call.Fault && call.Params["NotifyAuthKey"] == key
			}
			d.Expect(met).To(BeTrue(), "%s: no write with the key has failed", name)

			d.cloud.ClearFaults()
			d.clock.advance(maxStalled)
			d.settle("a")
			d.Expect(f.have(d.cloud)).To(Equal(f.want(d.get("a"), key)), name)
		}
		d.secret(keys[0] + "!")
		d.until("a", v1alpha1.ReasonAuthKeyUnavailable)
		d.expectEvent("a", v1alpha1.EventRejected)

		evidence := map[string]string{"log": logs.String(), "metrics": d.metrics()}
		for _, list := range []client.ObjectList{f.newList(), &eventsv1.EventList{}, &corev1.EventList{}} {
			d.Expect(d.api.List(d.ctx, list, client.InNamespace(d.namespace))).To(Succeed())
			raw, err := json.Marshal(list)
			d.Expect(err).NotTo(HaveOccurred())
			evidence[fmt.Sprintf("%T", list)] = string(raw)
		}
		for where, text := range evidence {
			d.Expect(text).NotTo(BeEmpty(), where)
			for _, secret := range append(keys, keySecret) {
				d.Expect(strings.Contains(text, secret)).To(BeFalse(), "%s is in %s: %s", secret, where, lineWith(text, secret))
			}
		}
		for _, where := range []string{"log", "*v1.EventList"} {
			d.Expect(evidence[where]).To(ContainSubstring("with key (hidden)"), "the words that repeat a key are in the %s", where)
		}
		d.Expect(evidence["metrics"]).To(ContainSubstring("live_notify_api_requests_total"))
	})
}

// metrics returns all metrics as text.
func (d *driver) metrics() string {
	d.t.Helper()
	var text strings.Builder
	for _, c := range append(Collectors(), live.Collectors()...) {
		if err := metrics.Registry.Register(c); err != nil && !strings.Contains(err.Error(), "duplicate") {
			d.t.Fatalf("registering: %v", err)
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
	w.share = live.DefaultQuotaShare
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
	}).WithPolling(5 * time.Millisecond).Should(BeTrue())
	// How many go before it is for the events of a busy machine to say; it is not
	// behind them all.
	d.Expect(before).To(BeNumerically("<", backlog*3/4), "new configurations were written before the edit")

	for i := range backlog {
		d.reaches(fmt.Sprint("new-", i), v1alpha1.ReasonInSync, v1alpha1.ReasonApplied)
	}
	for _, call := range d.cloud.Calls() {
		d.Expect(call.Code).To(BeEmpty(), "%s of %s", call.Action, call.Key)
	}
}

// lineWith returns the first line that holds a string, for the message of a
// failure; short, as one line may be a whole list of objects.
func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if i := strings.Index(line, part); i >= 0 {
			return line[max(0, i-600):min(len(line), i+200)]
		}
	}
	return ""
}
