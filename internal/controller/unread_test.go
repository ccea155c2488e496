// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// TestUnreadIsNotTakenForOld: a write of switchNotifyURL that failed may have
// arrived, or in part. The cloud never tells, so that the URL of before has to be
// written again if the spec asks for it once more.
func TestUnreadIsNotTakenForOld(t *testing.T) {
	const set, remove = "SetLiveStreamsNotifyUrlConfig", "DeleteLiveStreamsNotifyUrlConfig"
	failures := map[string]struct {
		url   string // that the write would have set
		fault emulator.Fault
	}{
		"the reply is lost":            {switchURL, emulator.Fault{Action: set, LoseReply: true}},
		"the connection is dropped":    {switchURL, emulator.Fault{Action: set, Drop: true}},
		"a proxy replies":              {switchURL, emulator.Fault{Action: set, Status: 502, Body: "<html>502 Bad Gateway</html>"}},
		"it is rejected":               {switchURL, emulator.Fault{Action: set, Code: "InvalidNotifyUrl.Unsafe"}},
		"the second half is denied":    {"", emulator.Fault{Action: remove, Code: "Forbidden.RAM", Status: 403}},
		"the second half is throttled": {"", emulator.Fault{Action: remove, Code: "Throttling.User"}},
	}
	before := map[string]func(*driver){
		"of a configuration in sync": func(d *driver) {
			d.settle("a")
			d.clock.advance(2 * plan.Settling)
		},
		"of a new object": func(*driver) {},
	}
	forEachKind(t, func(t *testing.T, f fixture) {
		if !hasSwitch(f) {
			return
		}
		for what, prepare := range before {
			for failure, c := range failures {
				for _, a := range awkward {
					d := simulated(t, f, emulator.Options{Switches: a.switches})
					was := d.create("a", rarely).(*v1alpha1.LiveNotifyConfig).Spec.SwitchNotifyURL
					d.catchUp()
					prepare(d)
					d.cloud.Inject(c.fault)
					setSwitch(c.url)(d)
					d.catchUp()
					d.pass("a")
					d.cloud.ClearFaults()
					setSwitch(was)(d)
					for range 20 {
						d.catchUp()
						d.clock.advance(max(d.pass("a"), time.Second))
					}
					where := failure + ", " + what
					d.Expect(d.f.have(d.cloud)).To(Equal(d.f.want(d.get("a"), "")), where)
					d.Expect(reasonIn(d.get("a"), v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonInSync), where)
					d.Expect(statusOf(d.get("a")).Drift).To(BeNil(), where)
					d.Expect(statusOf(d.get("a")).Applied.Revision).NotTo(BeEmpty(), where)
				}
			}
		}
	})
}
