// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

var detect = &Kind{
	Name:     "LiveDetectNotifyConfig",
	Key:      func(o Object) string { return o.(*v1alpha1.LiveDetectNotifyConfig).Spec.DomainName },
	OfDomain: true,
	Desired: func(o Object, _ live.Key) Config {
		spec := o.(*v1alpha1.LiveDetectNotifyConfig).Spec
		return live.DetectConfig{NotifyURL: spec.NotifyURL}
	},
	Observe: func(o Object, have Config) {
		o.(*v1alpha1.LiveDetectNotifyConfig).Status.Observed = observed(have, func(c live.DetectConfig) v1alpha1.LiveDetectNotifyConfigObservation {
			return v1alpha1.LiveDetectNotifyConfigObservation{NotifyURL: c.NotifyURL}
		})
	},
	Remote: func(c *live.Client) Remote { return typed[live.DetectConfig]{live.Detect(c)} },
}
