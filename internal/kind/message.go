// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

var message = &Kind{
	Name: "LiveMessageAppCallback",
	Key: func(o Object) string {
		spec := o.(*v1alpha1.LiveMessageAppCallback).Spec
		return live.MessageKey(string(spec.DataCenter), spec.AppID)
	},
	Desired: func(o Object, _ live.Key) Config {
		spec := o.(*v1alpha1.LiveMessageAppCallback).Spec
		return live.MessageConfig{EventCallbackURL: spec.EventCallbackURL}
	},
	Observe: func(o Object, have Config) {
		o.(*v1alpha1.LiveMessageAppCallback).Status.Observed = observed(have, func(c live.MessageConfig) v1alpha1.LiveMessageAppCallbackObservation {
			return v1alpha1.LiveMessageAppCallbackObservation{EventCallbackURL: c.EventCallbackURL}
		})
	},
	Remote: func(c *live.Client) Remote { return typed[live.MessageConfig]{live.Message(c)} },
}
