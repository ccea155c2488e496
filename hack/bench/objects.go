// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

const namespace = "default"

// family is a kind of objects and what the cloud documents for it.
type family struct {
	kind                 string
	create, update, read string  // actions
	writes, reads        float64 // documented requests per second
	countRequests        float64 // per count
	records              string
	short                string              // the beginning of names
	key                  func(string) string // what the cloud calls the one of an object of this name
	add                  func(s *emulator.Server, account, name string)
	object               func(name string, spec v1alpha1.CallbackSpec) client.Object
	edit                 func(obj client.Object, url string)
	status               func(client.Object) *v1alpha1.CallbackStatus
	list                 func() client.ObjectList
}

// families are in the order of -mix. The limits are those of docs/cloud-api.md,
// told again here since a benchmark must not measure the operator by its own
// idea of them.
var families = [...]family{
	{
		kind: "LiveNotifyConfig", short: "push", key: ofDomain, writes: 15, reads: 1000.0 / 60, countRequests: 2,
		create: "SetLiveStreamsNotifyUrlConfig", update: "SetLiveStreamsNotifyUrlConfig",
		read: "DescribeLiveStreamsNotifyUrlConfig", records: "DescribeLiveStreamsNotifyRecords",
		add: func(s *emulator.Server, account, name string) {
			s.AddDomain(account, name+".example.com", emulator.IngestDomain)
		},
		object: func(name string, spec v1alpha1.CallbackSpec) client.Object {
			o := &v1alpha1.LiveNotifyConfig{ObjectMeta: named(name)}
			o.Spec.CallbackSpec, o.Spec.DomainName, o.Spec.NotifyURL = spec, name+".example.com", hook
			return o
		},
		edit: func(o client.Object, url string) { o.(*v1alpha1.LiveNotifyConfig).Spec.NotifyURL = url },
		status: func(o client.Object) *v1alpha1.CallbackStatus {
			return &o.(*v1alpha1.LiveNotifyConfig).Status.CallbackStatus
		},
		list: func() client.ObjectList { return &v1alpha1.LiveNotifyConfigList{} },
	},
	{
		kind: "LiveRecordNotifyConfig", short: "live", key: ofDomain, writes: 30, reads: 50, countRequests: 2,
		create: "AddLiveRecordNotifyConfig", update: "UpdateLiveRecordNotifyConfig",
		read: "DescribeLiveRecordNotifyConfig", records: "DescribeLiveRecordNotifyRecords",
		add: func(s *emulator.Server, account, name string) {
			s.AddDomain(account, name+".example.com", emulator.StreamingDomain)
		},
		object: func(name string, spec v1alpha1.CallbackSpec) client.Object {
			o := &v1alpha1.LiveRecordNotifyConfig{ObjectMeta: named(name)}
			o.Spec.CallbackSpec, o.Spec.DomainName, o.Spec.NotifyURL = spec, name+".example.com", hook
			return o
		},
		edit: func(o client.Object, url string) { o.(*v1alpha1.LiveRecordNotifyConfig).Spec.NotifyURL = url },
		status: func(o client.Object) *v1alpha1.CallbackStatus {
			return &o.(*v1alpha1.LiveRecordNotifyConfig).Status.CallbackStatus
		},
		list: func() client.ObjectList { return &v1alpha1.LiveRecordNotifyConfigList{} },
	},
	{
		kind: "LiveRtcMPUEventSub", short: "app", key: ofApp, writes: 50, reads: 50, countRequests: 1,
		create: "CreateRtcMPUEventSub", update: "UpdateRtcMPUEventSub",
		read: "DescribeRtcMPUEventSub", records: "ListRtcMPUEventSubRecord",
		add: func(s *emulator.Server, account, name string) { s.AddApp(account, name) },
		object: func(name string, spec v1alpha1.CallbackSpec) client.Object {
			o := &v1alpha1.LiveRtcMPUEventSub{ObjectMeta: named(name)}
			o.Spec.CallbackSpec, o.Spec.AppID, o.Spec.CallbackURL = spec, name, hook
			return o
		},
		edit: func(o client.Object, url string) { o.(*v1alpha1.LiveRtcMPUEventSub).Spec.CallbackURL = url },
		status: func(o client.Object) *v1alpha1.CallbackStatus {
			return &o.(*v1alpha1.LiveRtcMPUEventSub).Status.CallbackStatus
		},
		list: func() client.ObjectList { return &v1alpha1.LiveRtcMPUEventSubList{} },
	},
	{
		kind: "LiveSnapshotNotifyConfig", short: "shot", key: ofDomain, writes: 30, reads: 30,
		create: "AddLiveSnapshotNotifyConfig", update: "UpdateLiveSnapshotNotifyConfig", read: "DescribeLiveSnapshotNotifyConfig",
		add: func(s *emulator.Server, account, name string) {
			s.AddDomain(account, name+".example.com", emulator.StreamingDomain)
		},
		object: func(name string, spec v1alpha1.CallbackSpec) client.Object {
			o := &v1alpha1.LiveSnapshotNotifyConfig{ObjectMeta: named(name)}
			o.Spec.CallbackSpec, o.Spec.DomainName, o.Spec.NotifyURL = spec, name+".example.com", hook
			return o
		},
		edit: func(o client.Object, url string) { o.(*v1alpha1.LiveSnapshotNotifyConfig).Spec.NotifyURL = url },
		status: func(o client.Object) *v1alpha1.CallbackStatus {
			return &o.(*v1alpha1.LiveSnapshotNotifyConfig).Status.CallbackStatus
		},
		list: func() client.ObjectList { return &v1alpha1.LiveSnapshotNotifyConfigList{} },
	},
	{
		kind: "LiveDetectNotifyConfig", short: "video", key: ofDomain, writes: 30, reads: 50,
		create: "AddLiveDetectNotifyConfig", update: "UpdateLiveDetectNotifyConfig", read: "DescribeLiveDetectNotifyConfig",
		add: func(s *emulator.Server, account, name string) {
			s.AddDomain(account, name+".example.com", emulator.StreamingDomain)
		},
		object: func(name string, spec v1alpha1.CallbackSpec) client.Object {
			o := &v1alpha1.LiveDetectNotifyConfig{ObjectMeta: named(name)}
			o.Spec.CallbackSpec, o.Spec.DomainName, o.Spec.NotifyURL = spec, name+".example.com", hook
			return o
		},
		edit: func(o client.Object, url string) { o.(*v1alpha1.LiveDetectNotifyConfig).Spec.NotifyURL = url },
		status: func(o client.Object) *v1alpha1.CallbackStatus {
			return &o.(*v1alpha1.LiveDetectNotifyConfig).Status.CallbackStatus
		},
		list: func() client.ObjectList { return &v1alpha1.LiveDetectNotifyConfigList{} },
	},
	{
		kind: "LiveAudioAuditNotifyConfig", short: "audio", key: ofDomain, writes: 10, reads: 10,
		create: "AddLiveAudioAuditNotifyConfig", update: "UpdateLiveAudioAuditNotifyConfig", read: "DescribeLiveAudioAuditNotifyConfig",
		add: func(s *emulator.Server, account, name string) {
			s.AddDomain(account, name+".example.com", emulator.StreamingDomain)
		},
		object: func(name string, spec v1alpha1.CallbackSpec) client.Object {
			o := &v1alpha1.LiveAudioAuditNotifyConfig{ObjectMeta: named(name)}
			o.Spec.CallbackSpec, o.Spec.DomainName, o.Spec.CallbackURL = spec, name+".example.com", hook
			return o
		},
		edit: func(o client.Object, url string) { o.(*v1alpha1.LiveAudioAuditNotifyConfig).Spec.CallbackURL = url },
		status: func(o client.Object) *v1alpha1.CallbackStatus {
			return &o.(*v1alpha1.LiveAudioAuditNotifyConfig).Status.CallbackStatus
		},
		list: func() client.ObjectList { return &v1alpha1.LiveAudioAuditNotifyConfigList{} },
	},
	{
		kind: "LiveRtcEventSub", short: "rtc", key: ofApp, writes: 100, reads: 50, countRequests: 1,
		create: "CreateEventSub", update: "UpdateEventSub", read: "ListEventSub", records: "ListEventSubEvent",
		add: func(s *emulator.Server, account, name string) { s.AddApp(account, name) },
		object: func(name string, spec v1alpha1.CallbackSpec) client.Object {
			o := &v1alpha1.LiveRtcEventSub{ObjectMeta: named(name)}
			o.Spec.CallbackSpec, o.Spec.AppID, o.Spec.ChannelID, o.Spec.CallbackURL = spec, name, "*", hook
			o.Spec.Events = []v1alpha1.RtcEvent{v1alpha1.UserEvent}
			return o
		},
		edit: func(o client.Object, url string) { o.(*v1alpha1.LiveRtcEventSub).Spec.CallbackURL = url },
		status: func(o client.Object) *v1alpha1.CallbackStatus {
			return &o.(*v1alpha1.LiveRtcEventSub).Status.CallbackStatus
		},
		list: func() client.ObjectList { return &v1alpha1.LiveRtcEventSubList{} },
	},
	{
		kind: "LiveMessageAppCallback", short: "chat", key: ofApp, writes: 50, reads: 50,
		create: "ModifyLiveMessageAppCallback", update: "ModifyLiveMessageAppCallback", read: "DescribeLiveMessageApp",
		add: func(s *emulator.Server, account, name string) {
			_ = s.AddMessageApp(emulator.MessageApp{Account: account, AppID: name}) // the names that members gives are fine
		},
		object: func(name string, spec v1alpha1.CallbackSpec) client.Object {
			o := &v1alpha1.LiveMessageAppCallback{ObjectMeta: named(name)}
			o.Spec.CallbackSpec, o.Spec.DataCenter, o.Spec.AppID, o.Spec.EventCallbackURL = spec, "cn-shanghai", name, hook
			return o
		},
		edit: func(o client.Object, url string) { o.(*v1alpha1.LiveMessageAppCallback).Spec.EventCallbackURL = url },
		status: func(o client.Object) *v1alpha1.CallbackStatus {
			return &o.(*v1alpha1.LiveMessageAppCallback).Status.CallbackStatus
		},
		list: func() client.ObjectList { return &v1alpha1.LiveMessageAppCallbackList{} },
	},
}

// readRequests is how many requests it takes to read a configuration.
func (f *family) readRequests() float64 {
	if f.kind == "LiveSnapshotNotifyConfig" {
		return 2 // one tells who else is told of snapshots
	}
	return 1
}

// shares are the percentages of -mix, in the order of families.
type shares [len(families)]int

const hook = "https://hooks.example.com/live"

func named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

// kindNames lists the kinds.
func kindNames() string {
	var names []string
	for _, f := range families {
		names = append(names, f.kind)
	}
	return strings.Join(names, ", ")
}

// member is one object and the family it is of.
type member struct {
	family    *family
	namespace string
	name      string
}

// key is what the cloud knows it by.
func (m member) key() string { return m.family.key(m.name) }

func ofDomain(name string) string { return name + ".example.com" }
func ofApp(name string) string    { return name }

// members returns n objects in the proportions of mix, of the kinds in turn. What
// rounding leaves over is of the first.
func members(prefix string, n int, mix shares) []member {
	var all []member
	rest := n
	for i := range families[1:] {
		rest -= n * mix[i+1] / 100
	}
	for i := range families {
		share := n * mix[i] / 100
		if i == 0 {
			share = rest
		}
		for j := range share {
			all = append(all, member{&families[i], namespace, fmt.Sprintf("%s-%s-%d", prefix, families[i].short, j)})
		}
	}
	return all
}

// create makes the object, and first what it refers to in the cloud.
func (s *bench) create(ctx context.Context, m member) error {
	m.family.add(s.Cloud, m.account(), m.name)
	spec := v1alpha1.CallbackSpec{ResyncInterval: metav1.Duration{Duration: s.cfg.resync}}
	if m.account() != "" {
		spec.AccountRef = &v1alpha1.AccountReference{Name: accountName}
	}
	return s.API.Create(ctx, m.object(spec))
}

// account is the cloud account of the object, "" for the operator's own. Each
// other one has a namespace of its name.
func (m member) account() string {
	if m.namespace == namespace {
		return ""
	}
	return m.namespace
}

func (m member) object(spec v1alpha1.CallbackSpec) client.Object {
	o := m.family.object(m.name, spec)
	o.SetNamespace(m.namespace)
	return o
}

// edit changes the callback URL.
func (s *bench) edit(ctx context.Context, m member, url string) error {
	before := m.object(v1alpha1.CallbackSpec{})
	after := before.DeepCopyObject().(client.Object)
	m.family.edit(after, url)
	return s.API.Patch(ctx, after, client.MergeFrom(before))
}
