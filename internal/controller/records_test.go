// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// receiver is a webhook receiver that fails what it is told to fail, and keeps
// count.
type receiver struct {
	*httptest.Server
	mu         sync.Mutex
	ok, failed int
	healthy    bool
}

func newReceiver(t *testing.T, fails func(*http.Request) bool) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.healthy && fails(req) {
			r.failed++
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		r.ok++
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) counts() (failed, total int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int64(r.failed), int64(r.failed + r.ok)
}

func (r *receiver) heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.healthy = true
}

// TestCountsAgreeWithTheReceiver runs streams through the cloud to a receiver
// that fails the stops of every third stream.
func TestCountsAgreeWithTheReceiver(t *testing.T) {
	t.Parallel()
	f := streamFixture()
	d := driven(t, f, emulator.Options{})
	hook := newReceiver(t, func(req *http.Request) bool {
		return req.URL.Query().Get("action") == "publish_done" && strings.HasSuffix(req.URL.Query().Get("id"), "-0")
	})
	d.create("a", func(o Object) {
		o.(*v1alpha1.LiveNotifyConfig).Spec.NotifyURL = hook.URL
		spec(o).Records.UnhealthyThreshold = 5
	})
	d.settle("a")
	d.expectCounts("a", hook, v1alpha1.ReasonNoFailures)

	d.streams(9)
	d.passes("a", 6*time.Minute)
	d.expectCounts("a", hook, v1alpha1.ReasonBelowThreshold)

	d.streams(12)
	d.passes("a", 6*time.Minute)
	d.expectCounts("a", hook, v1alpha1.ReasonFailuresAboveThreshold)
	d.expectEvent("a", v1alpha1.EventCallbacksFailing)
	last := statusOf(d.get("a")).Callbacks.LastFailure
	d.Expect(last).NotTo(BeNil())
	d.Expect(last.Type).To(Equal("publish_done"))
	d.Expect(last.URL).To(HavePrefix(hook.URL))
	d.Expect(last.AppName).To(Equal("live"))
	d.Expect(last.StreamName).To(HaveSuffix("-0"))
	d.Expect(last.Reason).NotTo(BeEmpty())

	d.Expect(d.series("a")).To(ContainElements(
		HaveSuffix(`,result="failed"} 7`),
		HaveSuffix(`,result="success"} 35`),
	))

	// Healthy again, and the failures leave the window.
	hook.heal()
	d.passes("a", 70*time.Minute)
	d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionCallbacksHealthy)).To(Equal(v1alpha1.ReasonNoFailures))
	d.Expect(statusOf(d.get("a")).Callbacks.Failed).To(BeZero())
	d.expectEvent("a", v1alpha1.EventCallbacksRecovered)

	d.remove("a")
	d.pass("a")
	d.pass("a")
	d.Expect(d.series("a")).To(BeEmpty(), "the series of a deleted object disappear")
}

// streams starts and stops n streams, of which every third is called *-0.
func (d *driver) streams(n int) {
	d.t.Helper()
	for i := range n {
		name := fmt.Sprintf("stream-%d-%d", d.clock.Now().UnixNano(), i%3)
		d.Expect(d.cloud.StartStream(ingestDomain, "live", name)).To(Succeed())
		d.cloud.Wait()
		d.Expect(d.cloud.StopStream(ingestDomain, "live", name)).To(Succeed())
	}
	d.cloud.Wait()
	d.clock.advance(time.Second) // a window ends before the second that it is counted in
}

func (d *driver) expectCounts(name string, hook *receiver, health string) {
	d.t.Helper()
	failed, total := hook.counts()
	obj := d.get(name)
	got := statusOf(obj).Callbacks
	d.Expect(got).NotTo(BeNil())
	d.Expect([]int64{got.Failed, got.Total}).To(Equal([]int64{failed, total}))
	d.Expect(reasonIn(obj, v1alpha1.ConditionCallbacksHealthy)).To(Equal(health))
}

func TestRecordCountsAgreeWithTheReceiver(t *testing.T) {
	t.Parallel()
	d := driven(t, recordFixture(), emulator.Options{})
	n := 0
	hook := newReceiver(t, func(*http.Request) bool { n++; return n%4 == 0 })
	d.create("a", func(o Object) {
		o.(*v1alpha1.LiveRecordNotifyConfig).Spec.NotifyURL = hook.URL
		o.(*v1alpha1.LiveRecordNotifyConfig).Spec.OnDemandURL = ""
	})
	d.settle("a")
	for i := range 10 {
		d.Expect(d.cloud.Record(streamDomain, "live", fmt.Sprint("s", i), "file_created")).To(Succeed())
		d.cloud.Wait()
	}
	d.clock.advance(time.Second)
	d.passes("a", 6*time.Minute)
	d.expectCounts("a", hook, v1alpha1.ReasonFailuresAboveThreshold)
	d.Expect(statusOf(d.get("a")).Callbacks.LastFailure.Type).To(Equal("file_created"))
}

func TestRecordsThatCannotBeReadKeepTheCountsAndReady(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.create("a")
		d.settle("a")
		d.plant(3, 2)
		d.passes("a", 6*time.Minute)
		before := statusOf(d.get("a")).Callbacks
		d.Expect(before.Failed).To(Equal(int64(2)))

		for _, action := range f.records {
			d.cloud.Inject(emulator.Fault{Action: action, Status: 500, Code: "InternalError", Message: "records are down"})
		}
		d.plant(1, 1)
		d.passes("a", 11*time.Minute)
		obj := d.get("a")
		d.Expect(reasonIn(obj, v1alpha1.ConditionCallbacksHealthy)).To(Equal(v1alpha1.ReasonRecordsUnavailable))
		d.Expect(reasonIn(obj, v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonInSync))
		d.Expect(statusOf(obj).Callbacks).To(Equal(before))

		d.cloud.ClearFaults()
		d.update("a", f.change)
		d.pass("a")
		d.Expect(statusOf(d.get("a")).Callbacks.Failed).To(Equal(int64(3)), "what was mended is looked at soon")
	})
}

// TestTotalsAloneAreWrittenRarely: traffic without failures moves the metric at
// each poll, and the status every half hour.
func TestTotalsAloneAreWrittenRarely(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.create("a")
		d.settle("a")
		d.passes("a", time.Minute)
		versions := map[string]bool{}
		start := d.clock.Now()
		for range 24 {
			d.plant(1, 0)
			d.passes("a", 5*time.Minute)
			versions[d.get("a").GetResourceVersion()] = true
		}
		most := int(d.clock.Since(start)/totalsEvery) + 1
		d.Expect(most).To(BeNumerically("<", 12), "for less than 24 writes to mean something")
		d.Expect(len(versions)).To(And(BeNumerically(">", 1), BeNumerically("<=", most)))
	})
}

// plant adds callback records of now.
func (d *driver) plant(total, failed int) {
	var records []emulator.CallbackRecord
	for i := range total {
		r := emulator.CallbackRecord{Time: d.clock.Now().Add(-time.Second), Domain: d.f.key, App: "live", Stream: "s", Type: "publish"}
		if i < failed {
			r.Result, r.Description = emulator.ResultFailed, "http status 500"
		}
		records = append(records, r)
	}
	d.cloud.AddRecords(d.f.planted(records))
}

// TestCountsStretchToTheQuota: when all objects together ask for more than the
// quota for records, each is counted less often, in equal measure.
func TestCountsStretchToTheQuota(t *testing.T) {
	t.Parallel()
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.create("a")
		d.settle("a")
		const span, interval = 6 * time.Hour, 5 * time.Minute
		d.passes("a", 2*interval) // the first counts have more to read
		queries := func(span time.Duration) int {
			d.calls()
			d.passes("a", span)
			_, _, records := d.calls()
			return len(records)
		}
		alone := f.queries * int(span/interval)
		if got := queries(span); got < alone-2*f.queries || got > alone+2*f.queries {
			t.Fatalf("%d queries in %s, want about %d", got, span, alone)
		}

		// The harness allows 1000 times the documented queries a second, of which these
		// ask for twice as many.
		own := d.accounts.Last("", nil)
		rate, _ := f.kind.Records(own.Client).RecordsRate()
		const others = 20
		for i := range others {
			own.Limits.Stretch(rate, fmt.Sprint(i), 10*time.Hour, 36_000*2*boundless*rate.PerSecond/others)
		}
		const stretch = 2.25
		d.passes("a", interval) // what was due already
		want := float64(alone) / stretch
		if got := float64(queries(span)); math.Abs(got-want) > 2*float64(f.queries) {
			t.Errorf("%g queries in %s, want about %g", got, span, want)
		}
	})
}

// TestBusyFirstBucket: a bucket that is not read in one pass leaves the status as the
// API server takes it, and Ready alone.
func TestBusyFirstBucket(t *testing.T) {
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{QPSScale: 1000})
		const n = 7_000 // of 100 a page, more than the pages of a pass
		records := make([]emulator.CallbackRecord, n)
		for i := range records {
			records[i] = emulator.CallbackRecord{
				Time: d.clock.Now().Add(-166 * time.Hour), Domain: f.key, App: "live", Stream: fmt.Sprint("s", i), Type: "publish", URL: changedURL, Result: emulator.ResultFailed,
			}
		}
		d.create("a")
		d.settle("a")
		d.cloud.AddRecords(f.planted(records))
		d.update("a", func(o Object) { spec(o).Records.Window.Duration = 167 * time.Hour })
		d.passes("a", 2*time.Minute)
		obj := d.get("a")
		d.Expect(readyReason(obj)).To(Equal(v1alpha1.ReasonInSync), messageOf(obj, v1alpha1.ConditionReady))
		d.Expect(statusOf(obj).Callbacks.Failed).To(BeEquivalentTo(n))
	})
}

// TestCountInManyPasses: what is done of a count that takes many passes is in the status
// for a restart, and is not written with each of them.
func TestCountInManyPasses(t *testing.T) {
	forEachListedKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{QPSScale: 1000})
		const n = 24_000 // of 100 a page, 50 pages a pass
		records := make([]emulator.CallbackRecord, n)
		for i := range records {
			records[i] = emulator.CallbackRecord{
				Time: d.clock.Now().Add(-time.Hour + time.Duration(i)*140*time.Millisecond), Domain: f.key, App: "live", Stream: fmt.Sprint("s", i), URL: changedURL, Result: emulator.ResultFailed,
			}
		}
		d.create("a", rarely)
		d.settle("a")
		d.passes("a", 2*time.Minute)
		d.cloud.AddRecords(f.planted(records))
		d.update("a", func(o Object) { spec(o).Records.Window.Duration = 2 * time.Hour })
		versions, partial := map[string]bool{}, false
		for range 15 {
			d.pass("a")
			d.clock.advance(goOn)
			versions[d.get("a").GetResourceVersion()] = true
			partial = partial || statusOf(d.get("a")).Callbacks.Failed < n
		}
		d.Expect(statusOf(d.get("a")).Callbacks.Failed).To(BeEquivalentTo(n))
		d.Expect(partial).To(BeTrue(), "what is done is in the status")
		d.Expect(len(versions)).To(BeNumerically("<=", 3), "the generation, the progress and the counts")
	})
}

// TestNoFailureAmongTheFirst: that no callback failed is said of those that were counted.
func TestNoFailureAmongTheFirst(t *testing.T) {
	forEachListedKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{QPSScale: 1000})
		d.create("a")
		d.settle("a")
		d.cloud.Inject(emulator.Fault{Action: f.records[0], Body: fmt.Sprintf(
			`{"RequestId":"R","HasMore":true,"Logs":[{"MsgId":"m","MessageId":"m","Time":%q,"HTTPCode":"200","Code":200}]}`, f.listedTime(d.clock.Now()))})
		d.passes("a", 10*time.Minute)
		d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionCallbacksHealthy)).To(Equal(v1alpha1.ReasonNoFailures))
		d.Expect(messageOf(d.get("a"), v1alpha1.ConditionCallbacksHealthy)).To(Equal("No callback failed in the last 1h, of those that were counted. There are more."))
	})
}

// TestMoreWithoutEnd: a list that claims to have more for ever is counted up to a bound
// and judged, and then waits for its interval.
func TestMoreWithoutEnd(t *testing.T) {
	forEachListedKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{QPSScale: 1000})
		d.create("a", func(o Object) { // whose window the one message does not leave meanwhile
			spec(o).Records.Interval.Duration, spec(o).Records.Window.Duration = 5*time.Minute, 6*time.Hour
		})
		d.settle("a")
		at := d.clock.Now().Add(-time.Minute)
		d.cloud.Inject(emulator.Fault{Action: f.records[0], Body: fmt.Sprintf(
			`{"RequestId":"R","HasMore":true,"Logs":[{"MsgId":"m","MessageId":"m","Time":%q,"HTTPCode":"500","Code":500}]}`, f.listedTime(at))})
		d.passes("a", 10*time.Minute)
		d.calls()
		versions, start := map[string]bool{}, d.clock.Now()
		for range 5 {
			d.passes("a", 5*time.Minute)
			versions[d.get("a").GetResourceVersion()] = true
		}
		_, _, records := d.calls()
		obj := d.get("a")
		polls := int(d.clock.Since(start)/(5*time.Minute)) + 1
		d.Expect(len(records)).To(BeNumerically("<=", polls*20), "%d polls", polls)
		d.Expect(len(versions)).To(BeNumerically("<=", 2))
		d.Expect(statusOf(obj).Callbacks.AtLeast).To(BeTrue())
		d.Expect(reasonIn(obj, v1alpha1.ConditionCallbacksHealthy)).To(Equal(v1alpha1.ReasonFailuresAboveThreshold))

		d.cloud.ClearFaults()
		d.cloud.Inject(emulator.Fault{Action: f.records[0], Body: `{"RequestId":"R","Count":0,"HasMore":true,"Logs":[]}`})
		d.passes("a", 30*time.Minute)
		d.calls()
		d.passes("a", 30*time.Minute)
		_, _, records = d.calls()
		d.Expect(len(records)).To(BeNumerically("<=", 10), "with backoff")
		d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionCallbacksHealthy)).To(Equal(v1alpha1.ReasonRecordsUnavailable))
	})
}

// forEachListedKind is for the kinds whose records can only be listed.
func forEachListedKind(t *testing.T, run func(t *testing.T, f fixture)) {
	t.Helper()
	forEachCountedKind(t, func(t *testing.T, f fixture) {
		if f.queries > 1 {
			t.Skip("it has totals")
		}
		run(t, f)
	})
}

// listedTime returns a time as the list of records has it.
func (f fixture) listedTime(at time.Time) string {
	if f.kind.Name == "LiveRtcEventSub" {
		return at.UTC().Add(8 * time.Hour).Format("2006-01-02 15:04:05.000")
	}
	return at.UTC().Format(time.RFC3339)
}

// The credentials of a URL that the cloud recorded are not in the status, also of an
// object that has no key.
func TestCredentialsOfRecordedURLsAreHidden(t *testing.T) {
	d := driven(t, recordFixture(), emulator.Options{})
	d.create("a", func(o Object) { o.(*v1alpha1.LiveRecordNotifyConfig).Spec.Authentication = nil })
	d.settle("a")
	d.cloud.AddRecords(emulator.Records{Record: []emulator.CallbackRecord{{
		Time: d.clock.Now().Add(-time.Second), Domain: d.f.key, App: "live", Stream: "s", Type: "file_created", Result: emulator.ResultFailed,
		URL: "https://me:pass@hooks.example.com/", Description: "no answer of https://me:pass@hooks.example.com/",
	}}})
	d.passes("a", 6*time.Minute)
	last := statusOf(d.get("a")).Callbacks.LastFailure
	d.Expect(last.URL).To(Equal("https://(hidden)@hooks.example.com/"))
	d.Expect(last.Reason).NotTo(ContainSubstring("pass"))
}
