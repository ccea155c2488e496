// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/live"
)

var stream = &Kind{
	Name:     "LiveNotifyConfig",
	Key:      func(o Object) string { return o.(*v1alpha1.LiveNotifyConfig).Spec.DomainName },
	OfDomain: true,
	Ingest:   true,
	Authentication: func(o Object) *v1alpha1.AuthenticationSpec {
		return o.(*v1alpha1.LiveNotifyConfig).Spec.Authentication
	},
	MaxAuthKey: live.MaxStreamKey,
	Desired: func(o Object, key live.Key) Config {
		spec := o.(*v1alpha1.LiveNotifyConfig).Spec
		return live.StreamConfig{
			NotifyURL:          spec.NotifyURL,
			ExceptionNotifyURL: spec.ExceptionNotifyURL,
			SwitchNotifyURL:    spec.SwitchNotifyURL,
			Authentication:     spec.Authentication != nil,
			AuthKey:            key,
		}
	},
	Observe: func(o Object, have Config) {
		o.(*v1alpha1.LiveNotifyConfig).Status.Observed = observed(have, func(c live.StreamConfig) v1alpha1.LiveNotifyConfigObservation {
			return v1alpha1.LiveNotifyConfigObservation{
				NotifyURL:             c.NotifyURL,
				ExceptionNotifyURL:    c.ExceptionNotifyURL,
				AuthenticationEnabled: c.Authentication,
			}
		})
	},
	Recall: func(o Object, have Config) Config {
		c := as[live.StreamConfig](have)
		c.SwitchNotifyURL = o.(*v1alpha1.LiveNotifyConfig).Status.AppliedSwitchNotifyURL
		return c
	},
	Wrote: func(o Object, c Config) {
		o.(*v1alpha1.LiveNotifyConfig).Status.AppliedSwitchNotifyURL = as[live.StreamConfig](c).SwitchNotifyURL
	},
	Remote:  func(c *live.Client) Remote { return typed[live.StreamConfig]{live.NewStream(c)} },
	Records: func(c *live.Client) Records { return live.NewStream(c) },
	Family:  callback.Stream,
}
