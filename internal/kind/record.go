// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/live"
)

var record = &Kind{
	Name:     "LiveRecordNotifyConfig",
	Key:      func(o Object) string { return o.(*v1alpha1.LiveRecordNotifyConfig).Spec.DomainName },
	OfDomain: true,
	Authentication: func(o Object) *v1alpha1.AuthenticationSpec {
		return o.(*v1alpha1.LiveRecordNotifyConfig).Spec.Authentication
	},
	MaxAuthKey: live.MaxRecordKey,
	Desired: func(o Object, key live.Key) Config {
		spec := o.(*v1alpha1.LiveRecordNotifyConfig).Spec
		return live.RecordConfig{
			NotifyURL:        spec.NotifyURL,
			OnDemandURL:      spec.OnDemandURL,
			NeedStatusNotify: spec.NeedStatusNotify,
			Authentication:   spec.Authentication != nil,
			AuthKey:          key,
		}
	},
	Observe: func(o Object, have Config) {
		o.(*v1alpha1.LiveRecordNotifyConfig).Status.Observed = observed(have, func(c live.RecordConfig) v1alpha1.LiveRecordNotifyConfigObservation {
			return v1alpha1.LiveRecordNotifyConfigObservation{
				NotifyURL:             c.NotifyURL,
				OnDemandURL:           c.OnDemandURL,
				NeedStatusNotify:      c.NeedStatusNotify,
				AuthenticationEnabled: c.Authentication,
			}
		})
	},
	Remote:  func(c *live.Client) Remote { return typed[live.RecordConfig]{live.NewRecord(c)} },
	Records: func(c *live.Client) Records { return live.NewRecord(c) },
	Family:  callback.Record,
}
