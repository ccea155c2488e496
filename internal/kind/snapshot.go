// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

var snapshot = &Kind{
	Name:     "LiveSnapshotNotifyConfig",
	Key:      func(o Object) string { return o.(*v1alpha1.LiveSnapshotNotifyConfig).Spec.DomainName },
	OfDomain: true,
	Authentication: func(o Object) *v1alpha1.AuthenticationSpec {
		return o.(*v1alpha1.LiveSnapshotNotifyConfig).Spec.Authentication
	},
	MaxAuthKey: live.MaxSnapshotKey,
	Desired: func(o Object, key live.Key) Config {
		spec := o.(*v1alpha1.LiveSnapshotNotifyConfig).Spec
		return live.SnapshotConfig{NotifyURL: spec.NotifyURL, Authentication: spec.Authentication != nil, AuthKey: key}
	},
	Observe: func(o Object, have Config) {
		status := &o.(*v1alpha1.LiveSnapshotNotifyConfig).Status
		status.Observed = observed(have, func(c live.SnapshotConfig) v1alpha1.LiveSnapshotNotifyConfigObservation {
			others := c.Applications()
			if c.OthersUnknown && status.Observed != nil { // then what was known is still the best
				others = status.Observed.OtherCallbacks
			}
			return v1alpha1.LiveSnapshotNotifyConfigObservation{NotifyURL: c.NotifyURL, AuthenticationEnabled: c.Authentication, OtherCallbacks: others}
		})
	},
	Remote: func(c *live.Client) Remote { return typed[live.SnapshotConfig]{live.NewSnapshot(c)} },
}
