// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// Object is an object of a callback kind.
type Object interface {
	client.Object
	// Callback returns the parts that all callback kinds share.
	Callback() (*v1alpha1.CallbackSpec, *v1alpha1.CallbackStatus)
}

// Config is a configuration in the cloud as plain values. Its zero value means
// that there is none. What its JSON leaves out, such as an authentication key,
// does not count when one configuration is told from another.
type Config[C any] interface {
	comparable
	// Diff names the fields of the spec in which have differs, in a fixed order.
	Diff(have C) []string
}

// Remote is a family of configurations in the cloud, each found by its key: a
// domain name or an application ID.
type Remote[C any] interface {
	// Get returns the configuration, or the zero value if it is certain that
	// there is none. After an error nothing is known.
	Get(ctx context.Context, lane live.Lane, key string) (C, error)
	// Put makes the cloud hold want where it held have.
	Put(ctx context.Context, lane live.Lane, key string, have, want C) error
	// Delete removes the configuration; absence is success.
	Delete(ctx context.Context, lane live.Lane, key string) error
	// Count counts the callbacks of a window. It may go on from the counts
	// before, for the same span, which are zero at first.
	Count(ctx context.Context, key string, q live.Query, before live.Counts) (live.Counts, error)
	// Pace notes that callbacks are counted at an interval, and returns by how
	// much that has to be stretched for the quota to suffice.
	Pace(key string, interval time.Duration) live.Pace
}

// Kind ties an API type to its family in the cloud. All that differs between
// kinds is here.
type Kind[O Object, C Config[C]] struct {
	Name    string
	New     func() O
	NewList func() client.ObjectList

	// Key of the configuration in the cloud. It never changes.
	Key func(O) string
	// OfDomain tells that the key is a domain, which accounts may restrict.
	OfDomain bool
	// AuthKey says how callbacks are signed. Nil for a kind that cannot sign.
	AuthKey func(O) *v1alpha1.AuthenticationSpec
	// MaxAuthKey is the most characters that the cloud takes for it.
	MaxAuthKey int

	// Desired returns the configuration that the spec asks for.
	Desired func(O, live.Key) C
	// Observed notes in the status what the cloud holds.
	Observed func(O, C)
	// Unread are the fields that the cloud never returns; nil if it returns all.
	Unread *Unread[O, C]

	Remote func(*live.Client) Remote[C]
}

// Unread are the fields of a configuration that the cloud never returns. What was
// last written to them is kept in the status.
type Unread[O Object, C Config[C]] struct {
	// Fields are their names in the spec.
	Fields []string
	// Set tells whether a configuration has any of them.
	Set func(C) bool
	// Applied notes in the status what was written to them.
	Applied func(O, C)
	// Recall completes what was read with what was last written, or while nothing
	// was, with what the spec says.
	Recall func(O, C) C
	// Foreign completes what was read of another's with values that it may have.
	Foreign func(C) C
}

// anyKind is a Kind, whatever its types.
type anyKind interface {
	setup(*shared) error
	object() client.Object
	usesAccount(context.Context, *shared, types.NamespacedName) (bool, error)
}

// kinds is the table of callback kinds.
var kinds = []anyKind{
	Kind[*v1alpha1.LiveNotifyConfig, live.StreamConfig]{
		Name:       "LiveNotifyConfig",
		New:        func() *v1alpha1.LiveNotifyConfig { return &v1alpha1.LiveNotifyConfig{} },
		NewList:    func() client.ObjectList { return &v1alpha1.LiveNotifyConfigList{} },
		Key:        func(o *v1alpha1.LiveNotifyConfig) string { return o.Spec.DomainName },
		OfDomain:   true,
		AuthKey:    func(o *v1alpha1.LiveNotifyConfig) *v1alpha1.AuthenticationSpec { return o.Spec.Authentication },
		MaxAuthKey: live.MaxStreamKey,
		Desired:    desiredStream,
		Observed:   observedStream,
		Unread: &Unread[*v1alpha1.LiveNotifyConfig, live.StreamConfig]{
			Fields: []string{live.SwitchField},
			Set:    func(c live.StreamConfig) bool { return c.SwitchNotifyURL != "" },
			Applied: func(o *v1alpha1.LiveNotifyConfig, c live.StreamConfig) {
				o.Status.AppliedSwitchNotifyURL = c.SwitchNotifyURL
			},
			Recall: recallStream,
			Foreign: func(have live.StreamConfig) live.StreamConfig {
				have.SwitchNotifyURL = unknown
				return have
			},
		},
		Remote: func(c *live.Client) Remote[live.StreamConfig] { return live.Stream{Client: c} },
	},
	Kind[*v1alpha1.LiveRecordNotifyConfig, live.RecordConfig]{
		Name:       "LiveRecordNotifyConfig",
		New:        func() *v1alpha1.LiveRecordNotifyConfig { return &v1alpha1.LiveRecordNotifyConfig{} },
		NewList:    func() client.ObjectList { return &v1alpha1.LiveRecordNotifyConfigList{} },
		Key:        func(o *v1alpha1.LiveRecordNotifyConfig) string { return o.Spec.DomainName },
		OfDomain:   true,
		AuthKey:    func(o *v1alpha1.LiveRecordNotifyConfig) *v1alpha1.AuthenticationSpec { return o.Spec.Authentication },
		MaxAuthKey: live.MaxRecordKey,
		Desired:    desiredRecord,
		Observed:   observedRecord,
		Remote:     func(c *live.Client) Remote[live.RecordConfig] { return live.Record{Client: c} },
	},
	Kind[*v1alpha1.LiveRtcMPUEventSub, live.MPUConfig]{
		Name:     "LiveRtcMPUEventSub",
		New:      func() *v1alpha1.LiveRtcMPUEventSub { return &v1alpha1.LiveRtcMPUEventSub{} },
		NewList:  func() client.ObjectList { return &v1alpha1.LiveRtcMPUEventSubList{} },
		Key:      func(o *v1alpha1.LiveRtcMPUEventSub) string { return o.Spec.AppID },
		Desired:  desiredMPU,
		Observed: observedMPU,
		Remote:   func(c *live.Client) Remote[live.MPUConfig] { return live.MPU{Client: c} },
	},
}

// Objects returns an empty object of each callback kind.
func Objects() []client.Object {
	var objects []client.Object
	for _, k := range kinds {
		objects = append(objects, k.object())
	}
	return objects
}

func (k Kind[O, C]) object() client.Object { return k.New() }

func desiredStream(o *v1alpha1.LiveNotifyConfig, key live.Key) live.StreamConfig {
	return live.StreamConfig{
		NotifyURL:          o.Spec.NotifyURL,
		ExceptionNotifyURL: o.Spec.ExceptionNotifyURL,
		SwitchNotifyURL:    o.Spec.SwitchNotifyURL,
		Authentication:     o.Spec.Authentication != nil,
		AuthKey:            key,
	}
}

func observedStream(o *v1alpha1.LiveNotifyConfig, have live.StreamConfig) {
	o.Status.Observed = nil
	if have != (live.StreamConfig{}) {
		o.Status.Observed = &v1alpha1.LiveNotifyConfigObservation{
			NotifyURL:             have.NotifyURL,
			ExceptionNotifyURL:    have.ExceptionNotifyURL,
			AuthenticationEnabled: have.Authentication,
		}
	}
}

// unknown stands for a SwitchNotifyURL that may be any.
const unknown = "unknown"

// recallStream fills in SwitchNotifyURL, which the cloud never returns, with
// what was last written. A configuration that was removed has lost it too; but
// one of a SwitchNotifyURL alone always reads as if there were none.
func recallStream(o *v1alpha1.LiveNotifyConfig, have live.StreamConfig) live.StreamConfig {
	readable := desiredStream(o, "")
	readable.SwitchNotifyURL = ""
	gone := have == live.StreamConfig{} && readable != live.StreamConfig{}
	switch {
	case gone:
	case o.Status.Applied == nil:
		have.SwitchNotifyURL = o.Spec.SwitchNotifyURL
	case o.Status.Applied.Revision == "" && o.Spec.ManagementPolicy != v1alpha1.Observe:
		have.SwitchNotifyURL = unknown
	default:
		have.SwitchNotifyURL = o.Status.AppliedSwitchNotifyURL
	}
	return have
}

func desiredRecord(o *v1alpha1.LiveRecordNotifyConfig, key live.Key) live.RecordConfig {
	return live.RecordConfig{
		NotifyURL:        o.Spec.NotifyURL,
		OnDemandURL:      o.Spec.OnDemandURL,
		NeedStatusNotify: o.Spec.NeedStatusNotify,
		Authentication:   o.Spec.Authentication != nil,
		AuthKey:          key,
	}
}

func observedRecord(o *v1alpha1.LiveRecordNotifyConfig, have live.RecordConfig) {
	o.Status.Observed = nil
	if have != (live.RecordConfig{}) {
		o.Status.Observed = &v1alpha1.LiveRecordNotifyConfigObservation{
			NotifyURL:             have.NotifyURL,
			OnDemandURL:           have.OnDemandURL,
			NeedStatusNotify:      have.NeedStatusNotify,
			AuthenticationEnabled: have.Authentication,
		}
	}
}

func desiredMPU(o *v1alpha1.LiveRtcMPUEventSub, _ live.Key) live.MPUConfig {
	return live.MPUConfig{CallbackURL: o.Spec.CallbackURL, ChannelIDs: live.JoinChannels(o.Spec.ChannelIDs)}
}

func observedMPU(o *v1alpha1.LiveRtcMPUEventSub, have live.MPUConfig) {
	o.Status.Observed = nil
	if have != (live.MPUConfig{}) {
		o.Status.Observed = &v1alpha1.LiveRtcMPUEventSubObservation{
			SubID: have.SubID, CallbackURL: have.CallbackURL, ChannelIDs: have.Channels(),
		}
	}
}
