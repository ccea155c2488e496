// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

var audit = &Kind{
	Name:     "LiveAudioAuditNotifyConfig",
	Key:      func(o Object) string { return o.(*v1alpha1.LiveAudioAuditNotifyConfig).Spec.DomainName },
	OfDomain: true,
	Desired: func(o Object, _ live.Key) Config {
		spec := o.(*v1alpha1.LiveAudioAuditNotifyConfig).Spec
		return live.AuditConfig{CallbackURL: spec.CallbackURL, CallbackTemplate: spec.CallbackTemplate}
	},
	Observe: func(o Object, have Config) {
		o.(*v1alpha1.LiveAudioAuditNotifyConfig).Status.Observed = observed(have, func(c live.AuditConfig) v1alpha1.LiveAudioAuditNotifyConfigObservation {
			return v1alpha1.LiveAudioAuditNotifyConfigObservation{CallbackURL: c.CallbackURL, CallbackTemplate: c.CallbackTemplate}
		})
	},
	Remote: func(c *live.Client) Remote { return typed[live.AuditConfig]{live.Audit(c)} },
}
