// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// statuses are the documented codes of the cloud with the HTTP status that each
// comes with.
var statuses = map[string]int{
	"ServiceUnavailable": 503, "InternalError": 500, "ServerError": 500, "SignatureNonceUsed": 400,

	"Throttling": 400, "Throttling.User": 400, "Throttling.Api": 400, "Rejected.Throttling": 400,

	"Forbidden": 401, "Forbidden.RAM": 403, "NoPermission": 403, "NoAuth": 403, "OperationDenied": 403,
	"InvalidIdentity.ServiceDisabled": 400, "InvalidAccessKeyId.NotFound": 404, "InvalidAccessKeyId.Inactive": 400,
	"InvalidTimeStamp.Format": 400, "InvalidTimeStamp.Expired": 400, "SignatureDoesNotMatch": 400,
	"InvalidSecurityToken.Expired": 400, "InvalidSecurityToken.Malformed": 400, "InvalidSecurityToken.MismatchWithAccessKey": 400,

	"InvalidConfig.NotFound": 404, "ConfigNotFound": 400, "CodeConfigNotFound": 400, "ResourceNotExist": 404,

	"ConfigAlreadyExists": 400, "CodeConfigAlreadyExists": 400, "ConfigExisted": 400,

	"InvalidDomain.NotFound": 404, "AppInfoNotExist": 404, "InvalidAppId": 400,

	"CodeNotPushDomain": 400, "IllegalOperation": 403,

	"InvalidParam": 400, "InputInvalid": 400, "MalformedParam": 400, "MissingParam": 404, "MissingParameter": 400, "MissingDomainName": 400,
	"InvalidNotifyUrl.Malformed": 400, "InvalidNotifyUrl.Unsafe": 400, "InvalidOnDemandUrl.Malformed": 400, "InvalidOnDemandUrl.Unsafe": 400,
	"InvalidStartTime.Malformed": 400, "InvalidEndTime.Malformed": 400, "InvalidEndTime.Mismatch": 400, "Duration.Exceed": 400,
	"CodeGetMainPlaybackDomainError": 400, "CodeGetPushbackDomainError": 400,
	"InvalidProduct.NotFound": 404, "InvalidApi.NotFound": 404, "InvalidProtocol.NeedSsl": 400,
}

// fault is something that goes wrong with one call.
type fault struct {
	name string
	fate
	// class is what the operator takes it for; "" if it notices nothing.
	class live.Class
	// extra is how many more writes to the cloud it justifies, besides what was
	// cut short.
	extra int
	// claims is how many more writes to the API server it justifies, besides
	// what was cut short and what tells people of it: what was thought to be
	// absent is claimed, and given back when it turns out to be another's.
	claims int
	// mends is how long after it is over all may still not be well.
	mends time.Duration
}

const (
	// soon is when a failure that may pass by itself is mended after it struck
	// once: a retry, and the read-back of what that writes.
	soon = 2*minRetry + plan.ReadBack + 2*plan.Settling
	// inTime is the same after it has lasted.
	inTime = maxRetry + maxRetry/4 + plan.ReadBack + 2*plan.Settling
	// looksEvery and countsEvery are the intervals of the resync and of the
	// counts.
	looksEvery  = 30 * time.Minute
	countsEvery = time.Hour + time.Minute
	// lasts is for how long a fault lasts that does.
	lasts = 10 * time.Minute
	// silence is for how long nothing is written in the end.
	silence = 2 * time.Hour
)

// coded is the fault of an error code of the cloud.
func coded(code string) fault {
	class, known := live.Codes()[code]
	if !known {
		class = live.Rejected // the Missing... codes are not listed one by one
	}
	f := fault{name: code, class: class, mends: soon}
	f.fault = emulator.Fault{Code: code, Status: statuses[code], Message: "It failed."}
	switch class {
	case live.Throttled:
		if code == "Throttling.User" { // the others come without a wait
			f.fault.RetryAfter = time.Millisecond // of the real clock, as the limiter's is
		}
	case live.NotFound, live.Exists:
		// No failure but an answer, and an untrue one: what is there is written
		// anew, or what is not is removed first.
		f.extra, f.claims, f.mends = 2, 2, looksEvery+time.Minute
	case live.Unavailable:
	default:
		f.mends = maxStalled + soon
	}
	return f
}

// networkFaults are what may happen to a call whatever the cloud does.
func networkFaults() []fault {
	of := func(name string, f emulator.Fault) fault {
		return fault{name: name, fate: fate{fault: f}, class: live.Unavailable, mends: soon}
	}
	slow := of("latency", emulator.Fault{Latency: 2 * time.Millisecond})
	slow.class = ""
	// What was read as it used to be is written once more, at the worst, when
	// the cloud had its time to show the last write.
	stale := of("stale read", emulator.Fault{Stale: true})
	stale.class, stale.extra, stale.claims, stale.mends = "", 1, 2, looksEvery+time.Minute
	throttled := of("throttled without a wait", emulator.Fault{Code: "Throttling", Message: "Request was denied due to request throttling."})
	throttled.class = live.Throttled
	return []fault{
		slow, stale, throttled,
		of("connection dropped before", emulator.Fault{Drop: true}),
		of("reply lost", emulator.Fault{LoseReply: true}),
		of("truncated JSON", emulator.Fault{Body: `{"RequestId":"0A1B","LiveStreamsNotifyConfig":{"Notify`}),
		of("HTML page of a proxy", emulator.Fault{Status: http.StatusBadGateway, Body: "<html><body>502 Bad Gateway</body></html>"}),
	}
}

// apiFaults are what may happen to a call to the API server.
func apiFaults() []fault {
	of := func(name string, err error, lost bool) fault {
		return fault{name: name, fate: fate{err: err, lost: lost}, class: live.Unavailable, mends: soon}
	}
	resource := schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "things"}
	conflict := of("conflict", apierrors.NewConflict(resource, "a", errors.New("the object has been modified")), false)
	return []fault{
		conflict,
		of("timeout", apierrors.NewTimeoutError("the server did not answer", 1), false),
		of("500", apierrors.NewInternalError(errors.New("etcd leader changed")), false),
		of("429", apierrors.NewTooManyRequests("too many requests", 1), false),
		of("connection dropped before", &url.Error{Op: "Patch", URL: "https://10.0.0.1", Err: errors.New("EOF")}, false),
		of("reply lost", &url.Error{Op: "Patch", URL: "https://10.0.0.1", Err: context.DeadlineExceeded}, true),
	}
}

// perClass chooses codes: for each call those of a quarter of the classes, and of
// each class one, in turn.
type perClass struct {
	codes map[live.Class][]string
	next  map[string]int
	calls int
}

func newPerClass() *perClass {
	p := &perClass{codes: map[live.Class][]string{}, next: map[string]int{}}
	for code := range statuses {
		class := coded(code).class
		p.codes[class] = append(p.codes[class], code)
	}
	for _, codes := range p.codes {
		slices.Sort(codes)
	}
	return p
}

// meeting returns the fault as it is for a call: InvalidParam is how the cloud
// may say that there is no subscription.
func (f fault) meeting(call string) fault {
	if call == "DescribeRtcMPUEventSub" && f.name == "InvalidParam" {
		f = coded("InvalidConfig.NotFound")
		f.name, f.fault.Code, f.fault.Status = "InvalidParam", "InvalidParam", statuses["InvalidParam"]
	}
	return f
}

func (p *perClass) of(action string) (faults []fault) {
	p.calls++
	for i, class := range slices.Sorted(maps.Keys(p.codes)) {
		if (i+p.calls)%4 != 0 {
			continue
		}
		codes := p.codes[class]
		turn := action + string(class)
		faults = append(faults, coded(codes[p.next[turn]%len(codes)]))
		p.next[turn]++
	}
	return faults
}

// allCodes returns the faults of all codes.
func allCodes() (faults []fault) {
	for code := range statuses {
		faults = append(faults, coded(code))
	}
	slices.SortFunc(faults, func(a, b fault) int { return strings.Compare(a.name, b.name) })
	return faults
}

func TestStatusesAreThoseOfAllCodes(t *testing.T) {
	for code := range live.Codes() {
		if statuses[code] == 0 {
			t.Errorf("%s is missing", code)
		}
	}
}

// recovery is how an object came to rest.
type recovery struct {
	ending
	tells int           // changes of conditions that were written
	rest  time.Time     // of the last write
	took  time.Duration // until then
}

// recover makes passes, each when it is due, until nothing was written for
// long: neither to the cloud nor to the API server.
func (d *driver) recover(name string) (r recovery) {
	d.t.Helper()
	writes := func() int {
		e := ending{calls: d.gate.calls()}
		return len(e.writes(true)) + len(e.writes(false))
	}
	var calm time.Duration
	was, before, start := 0, d.told(name), d.clock.Now()
	r.rest = start
	for range 400 {
		if d.gone(name) || calm >= silence {
			r.state, r.calls, r.took = d.state(name), d.gate.calls(), r.rest.Sub(start)
			return r
		}
		d.catchUp()
		d.hurry()
		wait, err := d.try(name)
		if err != nil {
			wait = time.Second
		}
		d.letTurnsPass(name)
		now := d.clock.Now()
		d.clock.advance(wait)
		calm += wait
		if tells := d.told(name); tells != before {
			r.tells, before = r.tells+1, tells
		}
		if made := writes(); made != was {
			was, calm, r.rest = made, 0, now
		} else if err != nil {
			calm = 0
		}
	}
	d.t.Fatalf("not stable: Ready is %s: %s; %v", reasonIn(d.get(name), v1alpha1.ConditionReady), messageOf(d.get(name), v1alpha1.ConditionReady), d.gate.calls())
	return r
}

// told returns what an object's status tells to people.
func (d *driver) told(name string) string {
	if d.gone(name) {
		return ""
	}
	obj := d.get(name)
	var told strings.Builder
	for _, c := range statusOf(obj).Conditions {
		fmt.Fprintf(&told, "%s %s %s %s %d\n", c.Type, c.Status, c.Reason, c.Message, c.ObservedGeneration)
	}
	told.Write(stored(reflect.ValueOf(obj).Elem().FieldByName("Status").FieldByName("Observed").Interface()))
	return told.String()
}

// letTurnsPass waits until the limiter, whose clock is the real one, has
// forgotten that it was throttled.
func (d *driver) letTurnsPass(name string) {
	if !d.gone(name) && strings.Contains(messageOf(d.get(name), v1alpha1.ConditionReady), "LocalQuota") {
		time.Sleep(5 * time.Millisecond)
	}
}

// state is what the world looks like now.
func (d *driver) state(name string) state {
	d.t.Helper()
	s := state{gone: d.gone(name), cloud: d.f.have(d.cloud)}
	if !s.gone {
		obj := d.get(name)
		s.finalizers, s.status = obj.GetFinalizers(), timeless(fields(obj)["status"])
	}
	return s
}

// faulty is a driver that lets a scenario happen and something go wrong.
type faulty struct {
	*driver
	cases, passes int
	late          bool // as the scenario says
}

// disturbed returns a faulty driver. Its objects are seldom looked at, so that a
// long silence is soon over.
func disturbed(d *driver) *faulty {
	object := d.f.object
	d.f.object = func() Object {
		obj := object()
		spec(obj).ResyncInterval.Duration = looksEvery
		return obj
	}
	return &faulty{driver: d}
}

// prepare brings the scenario to where its event has just happened. The calls
// from there on meet their fate.
func (d *faulty) prepare(s scenario, of func(n int, call string) fate) {
	d.t.Helper()
	d.late = s.late
	d.gate.plan(nil)
	d.clean()
	d.cloud.ClearFaults()
	if d.f.signs {
		d.secret(firstKey)
	}
	d.restart()
	s.before(d.driver)
	d.gate.plan(of)
	s.event(d.driver)
}

// once plays a scenario in which something happens to call i alone.
func (d *faulty) once(s scenario, i int, f fate) recovery {
	d.t.Helper()
	d.prepare(s, func(n int, _ string) fate {
		if n == i {
			return f
		}
		return fate{}
	})
	return d.done(d.recover("a"))
}

func (d *faulty) done(r recovery) recovery {
	d.cases++
	d.passes += len(d.gate.began)
	return r
}

// expectStable says what holds after a fault, given how the scenario ends
// without one: the same state, no further write than those that the fault
// gives reason for, and all of it in time.
func (d *faulty) expectStable(got, undisturbed recovery, f fault, where string) {
	d.t.Helper()
	d.Expect(got.state).To(Equal(undisturbed.state), where)
	if d.late {
		f.mends = max(f.mends, countsEvery)
	}
	if struck := d.gate.struck(); struck.call != "" { // the times of resyncs differ, so an outage may meet no call
		d.Expect(min(got.took-undisturbed.took, got.rest.Sub(struck.when))).To(BeNumerically("<=", f.mends), where)
	}
	again := ending{calls: d.gate.cut()}
	// After each failure the status says once more what is about to be written, which
	// changes nothing; and a removal whose reply was lost is made once more.
	met := len(d.gate.met)
	d.Expect(len(got.writes(true))).To(BeNumerically("<=", len(undisturbed.writes(true))+len(again.writes(true))+f.extra+met+d.f.looks.byID),
		"writes to the cloud, %s: %v", where, got.calls)
	d.Expect(len(got.writes(false))).To(BeNumerically("<=", len(undisturbed.writes(false))+len(again.writes(false))+max(0, got.tells-undisturbed.tells)+f.claims+met),
		"writes to the API server, %s: %v", where, got.calls)
}

// eachCall calls visit for each call of each scenario.
func (d *faulty) eachCall(visit func(s scenario, i int, call string, undisturbed recovery)) {
	d.t.Helper()
	d.eachCallOf(func(string) bool { return true }, visit)
}

// eachCallOf calls visit for each call of each scenario that is chosen by its name.
func (d *faulty) eachCallOf(chosen func(name string) bool, visit func(s scenario, i int, call string, undisturbed recovery)) {
	d.t.Helper()
	for _, s := range scenarios() {
		if s.of != nil && !s.of(d.f) || !chosen(s.name) {
			continue
		}
		d.prepare(s, nil)
		undisturbed := d.recover("a")
		d.Expect(undisturbed.calls).NotTo(BeEmpty(), s.name)
		d.affords(s, undisturbed.ending)
		for i, call := range undisturbed.untilStable() {
			visit(s, i, call, undisturbed)
		}
	}
}

// lies tells of a fault that makes the cloud say what is not so, in a way that
// nobody could know better: a removal that is said to have been done already.
func lies(s scenario, call string, f fault) bool {
	return s.name == "delete" && ((f.class == live.DomainNotFound || f.class == live.WrongDomainType) && !isRecords(call) ||
		f.class == live.NotFound && (isRead(call) || strings.HasPrefix(call, "Modify"))) // which says it of the application
}

func isRecords(action string) bool {
	return strings.HasSuffix(action, "Records") || strings.HasSuffix(action, "Record") || action == "ListEventSubEvent"
}

// inTurn leaves out all but one of some faults, which the operator cannot tell
// apart: they are of one class, and nothing was done.
func inTurn(faults []fault, turn int, alike ...string) []fault {
	chosen := alike[turn%len(alike)]
	return slices.DeleteFunc(faults, func(f fault) bool { return f.name != chosen && slices.Contains(alike, f.name) })
}

// TestFaultAtEveryCall lets each call of each scenario go wrong once, in each
// way that it can. In the short form error codes, and what is alike, take turns;
// each of them meets each operation in TestFaultThatLasts.
func TestFaultAtEveryCall(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := disturbed(simulated(t, f, emulator.Options{}))
		classes := newPerClass()
		d.eachCall(func(s scenario, i int, call string, undisturbed recovery) {
			if !f.plays(i) {
				return
			}
			faults := apiFaults()
			switch {
			case isCloud(call) && long:
				faults = append(networkFaults(), allCodes()...)
			case isCloud(call):
				faults = append(inTurn(networkFaults(), i, "connection dropped before", "truncated JSON", "HTML page of a proxy"), classes.of(call)...)
			case !long:
				faults = inTurn(faults, i, "timeout", "500", "429", "connection dropped before")
			}
			for _, f := range faults {
				f = f.meeting(call)
				if lies(s, call, f) {
					continue
				}
				where := fmt.Sprintf("%s: %s meets call %d, %s, of %v", s.name, f.name, i, call, undisturbed.calls)
				got := d.once(s, i, f.fate)
				if isRecords(d.gate.struck().call) { // a resync may have come before a count, or after it
					f.mends = countsEvery
				}
				d.expectStable(got, undisturbed, f, where)
			}
		})
		t.Logf("%d cases, %d passes", d.cases, d.passes)
	})
}

// TestFaultWithRealAPIServer is a sample of the faults on a real API server, so
// that what is simulated agrees with it.
func TestFaultWithRealAPIServer(t *testing.T) {
	forKindsInTurn(t, func(t *testing.T, f fixture) {
		d := disturbed(served(t, f, emulator.Options{}))
		update := func(name string) bool { return long || name == "update" }
		d.eachCallOf(update, func(s scenario, i int, call string, undisturbed recovery) {
			if !f.plays(i) {
				return
			}
			faults := []fault{apiFaults()[i%len(apiFaults())]}
			if isCloud(call) {
				faults = []fault{networkFaults()[i%len(networkFaults())]}
			}
			for _, f := range faults {
				where := fmt.Sprintf("%s: %s meets call %d, %s, of %v", s.name, f.name, i, call, undisturbed.calls)
				got := d.once(s, i, f.fate)
				if isRecords(d.gate.struck().call) {
					f.mends = countsEvery
				}
				d.expectStable(got, undisturbed, f, where)
			}
		})
		t.Logf("%d cases, %d passes", d.cases, d.passes)
	})
}

// ofApplication tells of a write to which an application belongs: what is not found
// is that.
func ofApplication(call string) bool {
	return call == "ModifyLiveMessageAppCallback" || call == "CreateEventSub"
}

// blame returns what Ready says while a fault of a call lasts.
func blame(s scenario, call string, f fault) string {
	class := f.class
	if class == live.NotFound && ofApplication(call) {
		class = live.DomainNotFound
	}
	r := plan.ErrorTable()[class]
	if s.name == "delete" && !r.Transient {
		return v1alpha1.ReasonDeletionBlocked
	}
	return r.Reason
}

// TestFaultThatLasts lets each call of each scenario, and all later ones to the
// same operation, meet each error code for a while. Status tells of it, and all
// is well when it is over. In the usual form a code meets each operation once, and
// each kind plays an eighth of the codes.
func TestFaultThatLasts(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := disturbed(simulated(t, f, emulator.Options{}))
		met := map[string]bool{}
		d.eachCall(func(s scenario, i int, call string, undisturbed recovery) {
			if !isCloud(call) {
				return
			}
			kind := f
			for n, f := range append(networkFaults(), allCodes()...) {
				if !kind.plays(n) {
					continue
				}
				once := f.name + " " + call
				if met[once] && !long {
					continue
				}
				f = f.meeting(call)
				if f.class == "" || call == "DescribeLiveSnapshotConfig" || lies(s, call, f) || f.class == live.NotFound && (isRead(call) || strings.HasPrefix(call, "Delete") || strings.HasPrefix(call, "Update")) {
					continue // nothing that could be told of
				}
				met[once] = true
				d.lasting(s, i, call, f, undisturbed)
			}
		})
		t.Logf("%d cases, %d passes", d.cases, d.passes)
	})
}

// lasting plays a scenario in which a fault lasts from call i on.
func (d *faulty) lasting(s scenario, i int, call string, f fault, undisturbed recovery) {
	d.t.Helper()
	where := fmt.Sprintf("%s: %s lasts from call %d, %s, of %v", s.name, f.name, i, call, undisturbed.calls)
	d.prepare(s, func(n int, what string) fate {
		if n < i || what != call {
			return fate{}
		}
		return f.fate
	})
	span := lasts
	if f.fault.RetryAfter > 0 {
		span = 20 * time.Second // it is tried as often as the cloud allows
	}
	changes := d.endures("a", span)
	for range 6 { // until a resync or a count makes the call
		if d.gate.struck().call == "" {
			changes += d.endures("a", lasts)
			if d.gate.struck().call != "" { // maybe at the end of that, and Ready is patient
				changes += d.endures("a", time.Minute)
			}
		}
	}
	if isRecords(call) {
		if !d.gone("a") {
			d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionCallbacksHealthy)).To(Equal(v1alpha1.ReasonRecordsUnavailable), where)
			d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonInSync), where)
		}
		f.mends = countsEvery
	} else {
		// A write whose reply is lost is done, as a look at the cloud tells. For an
		// update that is refused there is another way.
		if isRead(call) || !f.fault.LoseReply && (f.class != live.Exists || !strings.HasPrefix(call, "Update")) {
			d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionReady)).To(Equal(blame(s, call, f)), "%s: %s", where, messageOf(d.get("a"), v1alpha1.ConditionReady))
			d.Expect(messageOf(d.get("a"), v1alpha1.ConditionReady)).To(ContainSubstring(call+": "), where)
		}
		if f.mends == soon {
			f.mends = inTime
		}
	}
	d.gate.heal(stroke{d.clock.Now(), call})
	got := d.recover("a")
	got.tells += changes
	if f.class == live.Exists { // each time the claim is given back
		f.claims += len(d.gate.met)
	}
	d.expectStable(d.done(got), undisturbed, f, where)
}

// endures makes passes for a time, and returns how often what is told changed.
func (d *driver) endures(name string, span time.Duration) (tells int) {
	d.t.Helper()
	before := d.told(name)
	for until := d.clock.Now().Add(span); d.clock.Now().Before(until) && !d.gone(name); {
		d.catchUp()
		d.hurry()
		wait, err := d.try(name)
		if err != nil {
			wait = time.Second
		}
		if d.woken.Swap(false) {
			wait = 0
		}
		d.letTurnsPass(name)
		d.clock.advance(min(max(wait, time.Millisecond), until.Sub(d.clock.Now())))
		if now := d.told(name); now != before {
			tells, before = tells+1, now
		}
	}
	return tells
}

// TestOutageOfTheAPIServer: from each call on, nothing but the cache answers for
// half a minute. Meanwhile nothing is written to the cloud that was not about
// to be.
func TestOutageOfTheAPIServer(t *testing.T) {
	const outage = 30 * time.Second
	forEachKind(t, func(t *testing.T, f fixture) {
		d := disturbed(simulated(t, f, emulator.Options{}))
		down := fault{name: "outage", fate: fate{err: &url.Error{Op: "Get", URL: "https://10.0.0.1", Err: errors.New("connection refused")}}, mends: soon}
		d.eachCall(func(s scenario, i int, call string, undisturbed recovery) {
			if !f.plays(i) {
				return
			}
			where := fmt.Sprintf("%s: down from call %d, %s, of %v", s.name, i, call, undisturbed.calls)
			var since time.Time
			d.prepare(s, func(n int, call string) fate {
				if n == i {
					since = d.clock.Now()
				}
				if isCloud(call) || n < i || d.clock.Since(since) >= outage {
					return fate{}
				}
				return down.fate
			})
			d.expectStable(d.done(d.recover("a")), undisturbed, down, where)
		})
		t.Logf("%d cases, %d passes", d.cases, d.passes)
	})
}

// TestHangAtEveryCall lets each call to the cloud hang for as long as the client
// waits, with its work done or not.
func TestHangAtEveryCall(t *testing.T) {
	const timeout = 2 * time.Second // of the real clock: a busy machine must not make other calls fail
	forEachKind(t, func(t *testing.T, f fixture) {
		for _, s := range scenarios() {
			if s.of != nil && !s.of(f) {
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				d := disturbed(simulated(t, f, emulator.Options{}))
				d.prepare(s, nil)
				undisturbed := d.recover("a")
				d.timeout = timeout
				d.restart()
				hung := map[string]bool{}
				for i, call := range undisturbed.untilStable() {
					for j, hang := range []fault{
						{name: "hang with the work done", fate: fate{hang: true}, mends: soon},
						{name: "hang with nothing done", fate: fate{hang: true, fault: emulator.Fault{Drop: true}}, mends: soon},
					} {
						once := call + hang.name
						if !isCloud(call) || hung[once] && !long || !f.plays(2*i+j) {
							continue
						}
						hung[once] = true
						where := fmt.Sprintf("%s: %s at call %d, %s, of %v", s.name, hang.name, i, call, undisturbed.calls)
						got := d.once(s, i, hang.fate)
						if isRecords(d.gate.struck().call) {
							hang.mends = time.Hour
						}
						d.expectStable(got, undisturbed, hang, where)
					}
				}
			})
		}
	})
}

// interruption is something of the cluster that an object needs and that goes
// away in the middle of a pass.
type interruption struct {
	name       string
	of         func(fixture) bool // nil for all kinds
	away, back func(*faulty)
	// reason is what Ready says meanwhile; removed what it says of an object that
	// is being deleted, "" if that can do without.
	reason, removed string
}

func interruptions() []interruption {
	signs := func(f fixture) bool { return f.signs }
	return []interruption{
		{
			name: "no Secret with the key", of: signs, reason: v1alpha1.ReasonAuthKeyUnavailable,
			away: func(d *faulty) { d.drop(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "key"}}) },
			back: func(d *faulty) { d.secret(d.keys[len(d.keys)-1]) },
		},
		{
			name: "a key that is malformed", of: signs, reason: v1alpha1.ReasonAuthKeyUnavailable,
			away: func(d *faulty) {
				d.secret("too short")
				d.keys = d.keys[:len(d.keys)-1]
			},
			back: func(d *faulty) { d.secret(d.keys[len(d.keys)-1]) },
		},
		{
			name: "no LiveAccount", reason: v1alpha1.ReasonAccountNotReady,
			away: func(d *faulty) { d.drop(&v1alpha1.LiveAccount{ObjectMeta: metav1.ObjectMeta{Name: "one"}}) },
			back: func(d *faulty) { d.haveAccount("one") },
		},
		{
			name: "no Secret of the LiveAccount", reason: v1alpha1.ReasonAccountNotReady,
			away: func(d *faulty) { d.drop(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "access-one"}}) },
			back: func(d *faulty) { d.haveAccount("one") },
		},
	}
}

// drop deletes an object, if it is there.
func (d *driver) drop(obj client.Object) {
	d.t.Helper()
	obj.SetNamespace(d.namespace)
	if err := d.api.Get(d.ctx, client.ObjectKeyFromObject(obj), obj); apierrors.IsNotFound(err) {
		return
	}
	if len(obj.GetFinalizers()) > 0 { // as someone does who cannot wait
		obj.SetFinalizers(nil)
		d.Expect(d.api.Update(d.ctx, obj)).To(Succeed())
	}
	d.Expect(client.IgnoreNotFound(d.api.Delete(d.ctx, obj))).To(Succeed())
}

// haveAccount makes a LiveAccount and its Secret, unless they are there.
func (d *driver) haveAccount(name string) {
	d.t.Helper()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: "access-" + name},
		Data:       map[string][]byte{"accessKeyID": []byte(keyID), "accessKeySecret": []byte(keySecret)},
	}
	d.Expect(client.IgnoreAlreadyExists(d.api.Create(d.ctx, secret))).To(Succeed())
	account := &v1alpha1.LiveAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: name},
		Spec: v1alpha1.LiveAccountSpec{
			Endpoint: d.endpoint, QuotaSharePercent: 100,
			Credentials: v1alpha1.LiveCredentials{AccessKeySecretRef: &v1alpha1.LocalSecretReference{Name: secret.Name}},
		},
	}
	d.Expect(client.IgnoreAlreadyExists(d.api.Create(d.ctx, account))).To(Succeed())
}

// TestGoneInTheMiddle takes away what an object needs, just before each call of
// each scenario, and gives it back later. While it is away, nothing is written
// but what was begun before. In the usual form each operation of a scenario is
// interrupted once, and each kind plays an eighth of the calls.
func TestGoneInTheMiddle(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		object := f.object
		f.object = func() Object {
			obj := object()
			spec(obj).AccountRef = &v1alpha1.AccountReference{Name: "one"}
			return obj
		}
		for _, what := range interruptions() {
			if what.of != nil && !what.of(f) {
				continue
			}
			t.Run(what.name, func(t *testing.T) {
				t.Parallel()
				d := disturbed(simulated(t, f, emulator.Options{}))
				d.haveAccount("one")
				interrupted := map[string]bool{}
				d.eachCall(func(s scenario, i int, call string, undisturbed recovery) {
					if once := s.name + call; (!interrupted[once] || long) && f.plays(i) {
						interrupted[once] = true
						d.interrupt(what, s, i, call, undisturbed)
					}
				})
				t.Logf("%d cases, %d passes", d.cases, d.passes)
			})
		}
	})
}

// interrupt plays a scenario that is interrupted before call i.
func (d *faulty) interrupt(what interruption, s scenario, i int, call string, undisturbed recovery) {
	d.t.Helper()
	where := fmt.Sprintf("%s: %s from call %d, %s, of %v", s.name, what.name, i, call, undisturbed.calls)
	pass := -1
	d.prepare(s, func(n int, _ string) fate {
		if n != i {
			return fate{}
		}
		pass = len(d.gate.began)
		return fate{hold: func() {
			what.away(d)
			d.woken.Store(true)
		}}
	})
	changes := d.endures("a", lasts)
	for range 6 { // until a resync or a count makes the call
		if pass < 0 {
			changes += d.endures("a", lasts)
		}
	}
	reason := what.reason
	if s.name == "delete" {
		reason = what.removed
	}
	if reason != "" && !d.gone("a") && pass >= 0 {
		d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionReady)).To(Equal(reason), where)
	}
	if pass > 0 && len(d.gate.began) > pass {
		after := ending{calls: d.gate.calls()[d.gate.began[pass]:]}
		if reason != "" {
			d.Expect(after.writes(true)).To(BeEmpty(), "while it is away, %s", where)
		}
	}
	d.gate.heal(stroke{d.clock.Now(), call})
	what.back(d)
	got := d.recover("a")
	got.tells += changes
	// The key, or the account, is another one now, and is written as such.
	anew := fault{extra: 3, claims: 2, mends: maxStalled + soon}
	d.expectStable(d.done(got), undisturbed, anew, where)
}
