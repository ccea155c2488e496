// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// asAssumed is the cloud as the operator takes it to be.
const asAssumed = "as assumed"

// openPoints are the behaviours of the cloud that its documentation leaves
// open, each on its own and all of the awkward ones at once.
var openPoints = map[string]emulator.Switches{
	asAssumed:                                    {},
	"stream Describe: object missing":            {StreamDescribeAbsent: emulator.AbsentMissing},
	"stream Describe: not found":                 {StreamDescribeAbsent: emulator.AbsentNotFound},
	"stream Set keeps omitted fields":            {StreamSetMerges: true},
	"stream Set refuses an existing one":         {StreamSetExists: true},
	"stream Delete of nothing: not found":        {StreamDeleteAbsentNotFound: true},
	"stream Describe returns the key as number":  {StreamKeyAsNumber: true},
	"record Update keeps omitted fields":         {RecordUpdateMerges: true},
	"MPU Describe of nothing: invalid parameter": {MPUDescribeAbsentInvalid: true},
	"snapshot Describe of nothing: not found":    {SnapshotDescribeNotFound: true},
	"snapshot Update keeps omitted fields":       {SnapshotUpdateMerges: true},
	"snapshot Delete of nothing: not found":      {SnapshotDeleteNotFound: true},
	"detect Delete of nothing: not found":        {DetectDeleteNotFound: true},
	"audit Describe of nothing: not found":       {AuditDescribeNotFound: true},
	"audit Update keeps omitted fields":          {AuditUpdateMerges: true},
	"audit Update keeps empty fields":            {AuditUpdateMerges: true, AuditUpdateKeepsEmpty: true},
	"audit Delete of nothing: not found":         {AuditDeleteNotFound: true},
	"event List of nothing: not found":           {EventListNotFound: true},
	"event times count by the minute":            {EventTimesByMinute: true},
	"message Modify keeps an omitted callback":   {MessageOmittedKept: true},
	"reads lag writes by some seconds":           {ReadDelay: 8 * time.Second},
	"any key is accepted":                        {AcceptAnyKey: true},
	"everything at once": {
		StreamDescribeAbsent: emulator.AbsentNotFound, StreamSetMerges: true, StreamDeleteAbsentNotFound: true, StreamKeyAsNumber: true,
		RecordUpdateMerges: true, MPUDescribeAbsentInvalid: true, ReadDelay: 8 * time.Second,
		SnapshotDescribeNotFound: true, SnapshotUpdateMerges: true, SnapshotDeleteNotFound: true, DetectDeleteNotFound: true,
		AuditDescribeNotFound: true, AuditUpdateMerges: true, AuditDeleteNotFound: true, EventListNotFound: true, EventTimesByMinute: true,
		MessageOmittedKept: true,
	},
}

// families are the kinds that a behaviour is of, by the first word of its name.
var families = map[string]string{
	"stream": "LiveNotifyConfig", "record": "LiveRecordNotifyConfig", "MPU": "LiveRtcMPUEventSub", "snapshot": "LiveSnapshotNotifyConfig",
	"detect": "LiveDetectNotifyConfig", "audit": "LiveAudioAuditNotifyConfig", "event": "LiveRtcEventSub", "message": "LiveMessageAppCallback",
}

// TestEveryOpenPointConverges takes an object through its life under each
// behaviour: the cloud ends equal to the spec, by few writes, and then there is
// silence.
func TestEveryOpenPointConverges(t *testing.T) {
	// All digits, with a leading zero.
	const numeric, other = "0123456789012345", "9876543210987654"
	for name, switches := range openPoints {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachKind(t, func(t *testing.T, f fixture) {
				if family, _, _ := strings.Cut(name, " "); families[family] != "" && families[family] != f.name {
					return // it is of another kind
				}
				d := driven(t, f, emulator.Options{Switches: switches})
				key := ""
				if f.signs {
					key = numeric
					d.secret(key)
				}
				step := func(what string, maxWrites int, change func()) {
					t.Helper()
					change()
					d.settle("a")
					// Silence, also where the cloud showed an old state for a while.
					d.passes("a", 90*time.Second)
					obj := d.get("a")
					d.Expect(reasonIn(obj, v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonInSync), what)
					d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, key)), what)
					_, writes, _ := d.calls()
					d.Expect(len(writes)).To(BeNumerically("<=", maxWrites), "%s: %v", what, writes)
					d.passes("a", 90*time.Second)
					_, writes, _ = d.calls()
					d.Expect(writes).To(BeEmpty(), what)
				}
				often := func(o Object) { spec(o).ResyncInterval.Duration = time.Minute }
				step("create", 1, func() { d.create("a", f.sign, often) })
				step("update", 3, func() { d.update("a", f.change) })
				step("clear", 3, func() { d.update("a", f.clear) })
				if f.signs {
					step("rotate the key", 3, func() { key = other; d.secret(key) })
				}
				step("edit in the cloud", 3, func() { f.edit(d.cloud); d.passes("a", 2*time.Minute) })
				step("erase in the cloud", 1+f.looks.byID, func() { f.erase(d.cloud); d.passes("a", 2*time.Minute) })
				d.Expect(statusOf(d.get("a")).Drift.Count).To(Equal(int64(2)), "only what others did is drift")

				d.remove("a")
				for range 10 {
					d.clock.advance(d.pass("a"))
					if d.gone("a") {
						break
					}
				}
				d.Expect(d.gone("a")).To(BeTrue())
				d.Expect(f.have(d.cloud)).To(BeNil())
				_, writes, _ := d.calls()
				d.Expect(writes).To(HaveLen(1))
			})
		})
	}
}

// TestSwitchURLAlone is about a configuration that always reads as if there
// were none.
func TestSwitchURLAlone(t *testing.T) {
	t.Parallel()
	f := streamFixture()
	d := driven(t, f, emulator.Options{})
	set := func(url string) func(Object) {
		return func(o Object) {
			o.(*v1alpha1.LiveNotifyConfig).Spec.NotifyURL, o.(*v1alpha1.LiveNotifyConfig).Spec.ExceptionNotifyURL = "", ""
			o.(*v1alpha1.LiveNotifyConfig).Spec.SwitchNotifyURL = url
		}
	}
	for _, url := range []string{"http://hooks.example.com/one", "http://hooks.example.com/two"} {
		if url == "http://hooks.example.com/one" {
			d.create("a", set(url))
		} else {
			d.update("a", set(url))
		}
		obj := d.settle("a")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, "")))
		d.passes("a", time.Hour)
		_, writes, _ := d.calls()
		d.Expect(writes).To(HaveLen(1))
	}
	d.remove("a")
	d.pass("a")
	d.Expect(d.gone("a")).To(BeTrue())
	d.Expect(f.have(d.cloud)).To(BeNil(), "it is removed though it cannot be seen")
}

// TestAdoptionWithASwitchURL: what cannot be read is no difference, so that an
// object equal in the rest is adopted, and written.
func TestAdoptionWithASwitchURL(t *testing.T) {
	t.Parallel()
	f := streamFixture()
	d := driven(t, f, emulator.Options{})
	want, _ := f.want(f.object(), "").(emulator.StreamConfig)
	there := want
	there.SwitchNotifyURL = "http://elsewhere.example.com/"
	d.cloud.SetStreamConfig(ingestDomain, there)
	d.create("a")
	d.settle("a")
	d.Expect(f.have(d.cloud)).To(Equal(want))
	_, writes, _ := d.calls()
	d.Expect(writes).To(HaveLen(1))
	d.expectEvent("a", v1alpha1.EventAdopted)
	d.Expect(statusOf(d.get("a")).Drift).To(BeNil())
}

// TestClearedSwitchURL: clearing what cannot be read removes the configuration
// first, as the cloud might keep an omitted field.
func TestClearedSwitchURL(t *testing.T) {
	t.Parallel()
	for _, merges := range []bool{false, true} {
		f := streamFixture()
		d := driven(t, f, emulator.Options{Switches: emulator.Switches{StreamSetMerges: merges}})
		d.create("a")
		d.settle("a")
		d.update("a", func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.SwitchNotifyURL = "" })
		obj := d.settle("a")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, "")))
	}
}

// TestReplacedSwitchURL: where a write keeps omitted fields, a URL that cannot be
// read must not outlive the configuration that it was in.
func TestReplacedSwitchURL(t *testing.T) {
	t.Parallel()
	for _, merges := range []bool{false, true} {
		f := streamFixture()
		d := simulated(t, f, emulator.Options{Switches: emulator.Switches{StreamSetMerges: merges}})
		d.cloud.SetStreamConfig(ingestDomain, emulator.StreamConfig{
			NotifyURL: "http://elsewhere.example.com/", ExceptionNotifyURL: "http://elsewhere.example.com/", SwitchNotifyURL: "http://elsewhere.example.com/",
		})
		d.create("a", func(o Object) {
			spec(o).AdoptionPolicy = v1alpha1.AdoptAlways
			o.(*v1alpha1.LiveNotifyConfig).Spec.SwitchNotifyURL = ""
		})
		obj := d.settle("a")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, "")))
	}
}

// TestMoreThanSwitchURL: a configuration that always reads as if there were none
// is there all the same, and a cloud that refuses to write over one says so.
func TestMoreThanSwitchURL(t *testing.T) {
	t.Parallel()
	for _, exists := range []bool{false, true} {
		f := streamFixture()
		d := simulated(t, f, emulator.Options{Switches: emulator.Switches{StreamSetExists: exists}})
		full := d.f.object()
		d.create("a", func(o Object) {
			s := &o.(*v1alpha1.LiveNotifyConfig).Spec
			s.NotifyURL, s.ExceptionNotifyURL = "", ""
		})
		d.settle("a")
		d.update("a", func(o Object) { restore(o, full) })
		obj := d.settle("a")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, "")))
	}
}
