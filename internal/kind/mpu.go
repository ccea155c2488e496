// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/live"
)

var mpu = &Kind{
	Name: "LiveRtcMPUEventSub",
	Key:  func(o Object) string { return o.(*v1alpha1.LiveRtcMPUEventSub).Spec.AppID },
	Desired: func(o Object, _ live.Key) Config {
		spec := o.(*v1alpha1.LiveRtcMPUEventSub).Spec
		return live.MPUConfig{CallbackURL: spec.CallbackURL, ChannelIDs: live.JoinList(spec.ChannelIDs)}
	},
	Observe: func(o Object, have Config) {
		o.(*v1alpha1.LiveRtcMPUEventSub).Status.Observed = observed(have, func(c live.MPUConfig) v1alpha1.LiveRtcMPUEventSubObservation {
			return v1alpha1.LiveRtcMPUEventSubObservation{
				SubID: c.SubID, CallbackURL: c.CallbackURL, ChannelIDs: live.SplitList(c.ChannelIDs),
			}
		})
	},
	Remote:  func(c *live.Client) Remote { return typed[live.MPUConfig]{live.NewMPU(c)} },
	Records: func(c *live.Client) Records { return live.NewMPU(c) },
	Family:  callback.MPU,
}
