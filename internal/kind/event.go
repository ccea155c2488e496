// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"k8s.io/utils/ptr"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/live"
)

var event = &Kind{
	Name: "LiveRtcEventSub",
	Key: func(o Object) string {
		spec := o.(*v1alpha1.LiveRtcEventSub).Spec
		return live.EventKey(spec.AppID, spec.ChannelID)
	},
	Desired: func(o Object, _ live.Key) Config {
		spec := o.(*v1alpha1.LiveRtcEventSub).Spec
		return live.EventConfig{
			CallbackURL: spec.CallbackURL, Events: live.JoinList(spec.Events), Users: live.JoinList(spec.Users),
		}
	},
	Observe: func(o Object, have Config) {
		status := &o.(*v1alpha1.LiveRtcEventSub).Status
		if have == nil && status.Observed != nil && Wrote(o) { // its ID is known until another is shown
			status.Observed = &v1alpha1.LiveRtcEventSubObservation{SubID: status.Observed.SubID}
			return
		}
		status.Observed = observed(have, func(c live.EventConfig) v1alpha1.LiveRtcEventSubObservation {
			return v1alpha1.LiveRtcEventSubObservation{
				SubID: c.SubID, CallbackURL: c.CallbackURL, Events: live.SplitList(c.Events), Users: live.SplitList(c.Users),
			}
		})
	},
	Remind: func(c *live.Client, o Object) {
		e := o.(*v1alpha1.LiveRtcEventSub)
		subID := ptr.Deref(e.Status.Observed, v1alpha1.LiveRtcEventSubObservation{}).SubID
		live.NewEvent(c).Remind(live.EventKey(e.Spec.AppID, e.Spec.ChannelID), subID)
	},
	Remote:  func(c *live.Client) Remote { return typed[live.EventConfig]{live.NewEvent(c)} },
	Records: func(c *live.Client) Records { return live.NewEvent(c) },
	Family:  callback.RTC,
}
