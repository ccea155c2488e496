// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// kstatusOf computes what kubectl, Flux and others that follow kstatus make of
// an object.
func kstatusOf(t *testing.T, obj Object) status.Status {
	t.Helper()
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		t.Fatal(err)
	}
	result, err := status.Compute(&unstructured.Unstructured{Object: raw})
	if err != nil {
		t.Fatal(err)
	}
	return result.Status
}

// TestErrorTable goes through the cloud's codes: what Ready says, whether a
// retry helps, when it is made, and what kstatus makes of it. The codes are those
// of the vendor's pages.
func TestErrorTable(t *testing.T) {
	type want struct {
		reason string
		status status.Status
	}
	unavailable := want{v1alpha1.ReasonCloudUnavailable, status.InProgressStatus}
	throttled := want{v1alpha1.ReasonThrottled, status.InProgressStatus}
	denied := want{v1alpha1.ReasonAccessDenied, status.FailedStatus}
	rejected := want{v1alpha1.ReasonRejected, status.FailedStatus}
	wrongType := want{v1alpha1.ReasonWrongDomainType, status.FailedStatus}
	noDomain := want{v1alpha1.ReasonDomainNotFound, status.FailedStatus}
	progressing := want{v1alpha1.ReasonProgressing, status.InProgressStatus}
	for code, c := range map[string]struct {
		status int
		want
	}{
		"InternalError":                   {500, unavailable},
		"ServiceUnavailable":              {503, unavailable},
		"SignatureNonceUsed":              {400, unavailable},
		"SomethingNew":                    {400, unavailable},
		"Throttling":                      {400, throttled},
		"Throttling.User":                 {400, throttled},
		"Throttling.Api":                  {400, throttled},
		"Forbidden":                       {401, denied},
		"Forbidden.RAM":                   {403, denied},
		"NoPermission":                    {403, denied},
		"OperationDenied":                 {403, denied},
		"InvalidIdentity.ServiceDisabled": {400, denied},
		"InvalidAccessKeyId.NotFound":     {404, denied},
		"InvalidAccessKeyId.Inactive":     {400, denied},
		"InvalidTimeStamp.Expired":        {400, unavailable},
		"SignatureDoesNotMatch":           {400, denied},
		"InvalidDomain.NotFound":          {404, noDomain},
		"CodeNotPushDomain":               {400, wrongType},
		"IllegalOperation":                {403, wrongType},
		"MissingParameter":                {400, rejected},
		"MissingParam":                    {404, rejected},
		"InvalidNotifyUrl.Malformed":      {400, rejected},
		"InvalidNotifyUrl.Unsafe":         {400, rejected},
		"CodeGetMainPlaybackDomainError":  {400, rejected},
		"InvalidApi.NotFound":             {404, rejected},
		"InvalidConfig.NotFound":          {404, progressing},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			f := recordFixture()
			d := driven(t, f, emulator.Options{})
			d.cloud.Inject(emulator.Fault{Action: f.writes[0], Code: code, Status: c.status, Message: "it failed"})
			d.create("a")
			wait := d.pass("a")
			obj := d.get("a")
			message := messageOf(obj, v1alpha1.ConditionReady)
			d.Expect(reasonIn(obj, v1alpha1.ConditionReady)).To(Equal(c.reason), message)
			d.Expect(message).To(And(ContainSubstring(code), Not(ContainSubstring("<operation>"))))
			if c.want == denied {
				d.Expect(message).To(ContainSubstring("live:" + f.writes[0]))
			}
			d.Expect(kstatusOf(t, obj)).To(Equal(c.want.status))
			d.Expect(stalled(obj)).To(Equal(c.want.status == status.FailedStatus))
			if c.want.status != status.FailedStatus {
				d.Expect(wait).To(BeNumerically("<=", 2*minRetry))
			}

			// Nothing but the first failure is written: the message is stable.
			before := statusOf(obj)
			d.passes("a", 20*time.Minute)
			_, writes, _ := d.calls()
			d.Expect(statusOf(d.get("a"))).To(Equal(before))
			if c.want.status == status.FailedStatus {
				d.Expect(len(writes)).To(BeNumerically("~", 7, 1), "15s, 30s, 1m ... 8m")
			} else {
				d.Expect(len(writes)).To(BeNumerically("~", 12, 4), "1s, 2s, 4s ... 5m")
			}
			if c.want.status == status.FailedStatus {
				d.expectEvent("a", v1alpha1.EventRejected)
			}

			d.cloud.ClearFaults()
			d.clock.advance(2 * maxStalled)
			obj = d.settle("a")
			d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, "")))
			d.Expect(kstatusOf(t, obj)).To(Equal(status.CurrentStatus))
			d.Expect(stalled(obj)).To(BeFalse())
		})
	}
}

// TestThrottledComesBackWhenTold: however often it is sent away, the wait is that
// which was asked for, and no backoff on top.
func TestThrottledComesBackWhenTold(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.cloud.Inject(emulator.Fault{Action: f.writes[0], Code: "Throttling.User", RetryAfter: 700 * time.Millisecond})
		d.create("a")
		for range 6 {
			// The operation is slowed down too, so the turn may be a little later.
			d.Eventually(func() string {
				wait := d.pass("a")
				d.Expect(wait).To(BeNumerically("<", 2*time.Second))
				d.clock.advance(wait)
				return reasonIn(d.get("a"), v1alpha1.ConditionReady)
			}).Should(Equal(v1alpha1.ReasonThrottled))
		}
		d.cloud.ClearFaults()
		d.Eventually(func() string {
			d.clock.advance(d.pass("a"))
			return reasonIn(d.get("a"), v1alpha1.ConditionReady)
		}).WithPolling(50 * time.Millisecond).Should(Equal(v1alpha1.ReasonInSync))
	})
}

// TestExistsAndDoesNotShow: a configuration that the cloud says it has, and does not
// show, is not replaced unasked.
func TestExistsAndDoesNotShow(t *testing.T) {
	t.Parallel()
	f := recordFixture()
	d := driven(t, f, emulator.Options{})
	d.cloud.Inject(emulator.Fault{Action: f.writes[0], Code: "ConfigAlreadyExists", Status: 400, Message: "it failed"})
	d.create("a")
	d.pass("a")
	d.Expect(readyReason(d.get("a"))).To(Equal(v1alpha1.ReasonProgressing))
	obj := d.until("a", v1alpha1.ReasonExistingConfiguration)
	d.Expect(messageOf(obj, v1alpha1.ConditionReady)).To(And(ContainSubstring("ConfigAlreadyExists"), ContainSubstring("adoptionPolicy: Always")))
	d.Expect(kstatusOf(t, obj)).To(Equal(status.FailedStatus))
	d.Expect(kind.Wrote(obj)).To(BeFalse())
}

// TestKstatus reads the states of an object as others do.
func TestKstatus(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		expect := func(want status.Status) {
			d.t.Helper()
			d.Expect(kstatusOf(t, d.get("a"))).To(Equal(want), messageOf(d.get("a"), v1alpha1.ConditionReady))
		}
		d.create("a")
		d.pass("a")
		expect(status.CurrentStatus) // Applied
		d.settle("a")
		expect(status.CurrentStatus)

		d.update("a", f.change)
		expect(status.InProgressStatus) // not seen yet
		d.settle("a")
		expect(status.CurrentStatus)

		d.update("a", func(o Object) { spec(o).Suspend = true })
		d.pass("a")
		expect(status.InProgressStatus)
		d.update("a", func(o Object) { spec(o).Suspend = false })
		d.settle("a")

		d.clock.advance(plan.Settling)
		d.update("a", func(o Object) { spec(o).DriftPolicy = v1alpha1.DriftReport })
		d.settle("a")
		f.edit(d.cloud)
		d.until("a", v1alpha1.ReasonObserved)
		expect(status.CurrentStatus) // reported by Drifted, as was asked for

		d.nextSecond()
		loser := d.create("b")
		d.pass("b")
		d.Expect(kstatusOf(t, d.get(loser.GetName()))).To(Equal(status.FailedStatus))

		d.remove("b") // it would be the heir
		d.pass("b")
		d.cloud.Inject(emulator.Fault{Code: "Forbidden", Status: 401, Message: "no"})
		d.remove("a")
		d.pass("a")
		d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonDeletionBlocked))
		expect(status.TerminatingStatus)
	})
}

// TestOneLogLinePerCloudWrite counts the lines about an object.
func TestOneLogLinePerCloudWrite(t *testing.T) {
	forKindsInTurn(t, func(t *testing.T, f fixture) {
		d := running(t, f, emulator.Options{})
		lines := func() (found []string) {
			for line := range strings.Lines(logs.String()) {
				if strings.Contains(line, fmt.Sprintf(`"namespace": %q`, d.namespace)) {
					found = append(found, line)
				}
			}
			return found
		}
		d.create("a")
		d.reaches("a", v1alpha1.ReasonInSync)
		d.Expect(lines()).To(HaveLen(1), "%s", lines())
		d.Expect(lines()[0]).To(And(
			ContainSubstring("wrote to the cloud"), ContainSubstring(`"name": "a"`), ContainSubstring(f.writes[0]),
			ContainSubstring("requestID"), ContainSubstring(f.edited),
		))
		d.update("a", func(o Object) { spec(o).ResyncInterval.Duration = 11 * time.Minute })
		d.Eventually(func() int64 { return d.get("a").GetGeneration() }).Should(Equal(int64(2)))
		d.Eventually(func() int64 { return statusOf(d.get("a")).ObservedGeneration }).Should(Equal(int64(2)))
		d.Expect(lines()).To(HaveLen(1), "a pass that writes nothing says nothing: %s", lines())
	})
}

// TestOutageKeepsNobodyWaiting: while the endpoint answers nobody, who asked whether it is
// back comes again as soon as all others, however often that failed, and so what was
// edited meanwhile is written within seconds of its return.
func TestOutageKeepsNobodyWaiting(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.create("a")
		d.settle("a")
		d.cloud.Inject(emulator.Fault{Drop: true})
		d.update("a", f.change)
		var most time.Duration
		for start := d.clock.Now(); d.clock.Since(start) < 2*time.Minute; {
			wait := d.pass("a")
			if d.clock.Since(start) > 30*time.Second { // by then it is known
				most = max(most, wait)
			}
			d.clock.advance(wait)
		}
		d.Expect(most).To(BeNumerically("<=", 6*time.Second), "5 s between two probes, and the jitter")
		d.cloud.ClearFaults()
		since := d.clock.Now()
		for d.clock.Since(since) < 7*time.Second && readyReason(d.get("a")) != v1alpha1.ReasonApplied {
			d.clock.advance(d.pass("a"))
		}
		d.Expect(f.have(d.cloud)).To(Equal(f.want(d.get("a"), "")))
	})
}

// TestOutageSaysWhatCame: an object that was never looked at while others were, and so
// only knows that nothing is sent, says what comes in place of an answer.
func TestOutageSaysWhatCame(t *testing.T) {
	t.Parallel()
	for fault, want := range map[emulator.Fault]string{
		{Body: "<html>a proxy</html>"}: "MalformedReply: HTTP 200 with a body that is not a reply of the API",
		{Drop: true}:                   "Network: ",
	} {
		d := simulated(t, streamFixture(), emulator.Options{})
		names := d.fleet(5)
		d.cloud.Inject(fault)
		for _, name := range names {
			d.update(name, d.f.change)
		}
		d.sweep(names, 30*time.Second)
		d.cloud.AddDomain("", "late.example.com", emulator.IngestDomain)
		d.create("late", func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.DomainName = "late.example.com" })
		d.pass("late")
		d.Expect(messageOf(d.get("late"), v1alpha1.ConditionReady)).To(And(ContainSubstring("NoAnswer"), ContainSubstring("The last was "+want)))
	}
}
