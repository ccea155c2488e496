// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

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
	add                  func(*emulator.Server, string)
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
		kind: "LiveNotifyConfig", writes: 15, reads: 1000.0 / 60, countRequests: 2,
		create: "SetLiveStreamsNotifyUrlConfig", update: "SetLiveStreamsNotifyUrlConfig",
		read: "DescribeLiveStreamsNotifyUrlConfig", records: "DescribeLiveStreamsNotifyRecords",
		add: func(s *emulator.Server, name string) { s.AddDomain("", name+".example.com", emulator.IngestDomain) },
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
		kind: "LiveRecordNotifyConfig", writes: 30, reads: 50, countRequests: 2,
		create: "AddLiveRecordNotifyConfig", update: "UpdateLiveRecordNotifyConfig",
		read: "DescribeLiveRecordNotifyConfig", records: "DescribeLiveRecordNotifyRecords",
		add: func(s *emulator.Server, name string) { s.AddDomain("", name+".example.com", emulator.StreamingDomain) },
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
		kind: "LiveRtcMPUEventSub", writes: 50, reads: 50, countRequests: 1,
		create: "CreateRtcMPUEventSub", update: "UpdateRtcMPUEventSub",
		read: "DescribeRtcMPUEventSub", records: "ListRtcMPUEventSubRecord",
		add: func(s *emulator.Server, name string) { s.AddApp("", name) },
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
}

const hook = "https://hooks.example.com/live"

func named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

// member is one object and the family it is of.
type member struct {
	family *family
	name   string
}

// key is what the cloud knows it by.
func (m member) key() string {
	if m.family.countRequests == 1 {
		return m.name
	}
	return m.name + ".example.com"
}

// members returns n objects in the proportions of mix, of the kinds in turn.
func members(prefix string, n int, mix [3]int) []member {
	var all []member
	for i := range families {
		share := n * mix[i] / 100
		if i == 0 {
			share = n - n*mix[1]/100 - n*mix[2]/100 // what rounding left over, too
		}
		for j := range share {
			all = append(all, member{&families[i], fmt.Sprintf("%s-%s-%d", prefix, [...]string{"push", "live", "app"}[i], j)})
		}
	}
	return all
}

// create makes the object, and first what it refers to in the cloud.
func (s *bench) create(ctx context.Context, m member) error {
	m.family.add(s.Cloud, m.name)
	spec := v1alpha1.CallbackSpec{ResyncInterval: metav1.Duration{Duration: s.cfg.resync}}
	return s.API.Create(ctx, m.family.object(m.name, spec))
}

// edit changes the callback URL.
func (s *bench) edit(ctx context.Context, m member, url string) error {
	before := m.family.object(m.name, v1alpha1.CallbackSpec{})
	after := before.DeepCopyObject().(client.Object)
	m.family.edit(after, url)
	return s.API.Patch(ctx, after, client.MergeFrom(before))
}
