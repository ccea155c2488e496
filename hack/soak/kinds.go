// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// callback is an object of a callback kind.
type callback interface {
	client.Object
	Callback() (*v1alpha1.CallbackSpec, *v1alpha1.CallbackStatus)
}

// countedCallback is one of a kind with callback records.
type countedCallback interface {
	Counted() (*v1alpha1.CountedSpec, *v1alpha1.CountedStatus)
}

// kind is what the soak needs to know of one. What the cloud should hold is told
// here once more: the operator is not judged by its own idea of it.
type kind struct {
	name   string
	domain bool // the key is one
	list   func() client.ObjectList
	object func(name, key string) callback
	// changes change a field each; url is a new callback URL.
	changes []func(o callback, url string)
	// sign turns authentication on with a Secret, or off with "". Nil for a kind
	// that has none.
	sign func(o callback, secret string)
	// want is what the cloud should hold, have what it does; nil for nothing.
	want func(o callback, key string) any
	have func(s *emulator.Server, key string) any
	// add makes the key known to the cloud; edit and erase change what it holds.
	add         func(s *emulator.Server, account, key string)
	edit, erase func(s *emulator.Server, key string)
	// send makes the cloud send a callback. It may refuse.
	send func(s *emulator.Server, key string, n int)
}

const elsewhere = "http://elsewhere.example.com/"

func signature(secret string) *v1alpha1.AuthenticationSpec {
	if secret == "" {
		return nil
	}
	return &v1alpha1.AuthenticationSpec{KeySecretRef: v1alpha1.SecretKeyReference{Name: secret, Key: entry}}
}

// toggled is a URL that is set if it is not, and else cleared.
func toggled(now, url string) string {
	if now != "" {
		return ""
	}
	return url
}

var kinds = []*kind{streams(), recordings(), relays(), snapshots(), videoReviews(), audioReviews(), channels(), messages()}

func streams() *kind {
	spec := func(o callback) *v1alpha1.LiveNotifyConfigSpec { return &o.(*v1alpha1.LiveNotifyConfig).Spec }
	return &kind{
		name: "LiveNotifyConfig", domain: true,
		list: func() client.ObjectList { return &v1alpha1.LiveNotifyConfigList{} },
		object: func(name, key string) callback {
			o := &v1alpha1.LiveNotifyConfig{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
			o.Spec.DomainName = key
			return o
		},
		changes: []func(callback, string){
			func(o callback, url string) { spec(o).NotifyURL = url },
			func(o callback, url string) { spec(o).ExceptionNotifyURL = toggled(spec(o).ExceptionNotifyURL, url) },
			func(o callback, url string) { spec(o).SwitchNotifyURL = toggled(spec(o).SwitchNotifyURL, url) },
		},
		sign: func(o callback, secret string) { spec(o).Authentication = signature(secret) },
		want: func(o callback, key string) any {
			s := spec(o)
			return emulator.StreamConfig{
				NotifyURL: s.NotifyURL, ExceptionNotifyURL: s.ExceptionNotifyURL, SwitchNotifyURL: s.SwitchNotifyURL,
				Auth: s.Authentication != nil, AuthKey: key,
			}
		},
		have: func(s *emulator.Server, key string) any {
			if c, ok := s.StreamConfig(key); ok {
				return c
			}
			return nil
		},
		add: func(s *emulator.Server, account, key string) { s.AddDomain(account, key, emulator.IngestDomain) },
		edit: func(s *emulator.Server, key string) {
			c, _ := s.StreamConfig(key)
			c.NotifyURL = elsewhere
			s.SetStreamConfig(key, c)
		},
		erase: func(s *emulator.Server, key string) { s.DeleteStreamConfig(key) },
		send: func(s *emulator.Server, key string, n int) {
			if n%2 == 0 {
				_ = s.StartStream(key, "live", "s")
			} else {
				_ = s.StopStream(key, "live", "s")
			}
		},
	}
}

func recordings() *kind {
	spec := func(o callback) *v1alpha1.LiveRecordNotifyConfigSpec {
		return &o.(*v1alpha1.LiveRecordNotifyConfig).Spec
	}
	return &kind{
		name: "LiveRecordNotifyConfig", domain: true,
		list: func() client.ObjectList { return &v1alpha1.LiveRecordNotifyConfigList{} },
		object: func(name, key string) callback {
			o := &v1alpha1.LiveRecordNotifyConfig{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
			o.Spec.DomainName = key
			return o
		},
		changes: []func(callback, string){
			func(o callback, url string) { spec(o).NotifyURL = url },
			func(o callback, url string) { spec(o).OnDemandURL = toggled(spec(o).OnDemandURL, url) },
			func(o callback, _ string) { spec(o).NeedStatusNotify = !spec(o).NeedStatusNotify },
		},
		sign: func(o callback, secret string) { spec(o).Authentication = signature(secret) },
		want: func(o callback, key string) any {
			s := spec(o)
			return emulator.RecordConfig{
				NotifyURL: s.NotifyURL, OnDemandURL: s.OnDemandURL, NeedStatusNotify: s.NeedStatusNotify,
				Auth: s.Authentication != nil, AuthKey: key,
			}
		},
		have: func(s *emulator.Server, key string) any {
			if c, ok := s.RecordConfig(key); ok {
				return c
			}
			return nil
		},
		add: func(s *emulator.Server, account, key string) { s.AddDomain(account, key, emulator.StreamingDomain) },
		edit: func(s *emulator.Server, key string) {
			c, _ := s.RecordConfig(key)
			c.NotifyURL = elsewhere
			s.SetRecordConfig(key, c)
		},
		erase: func(s *emulator.Server, key string) { s.DeleteRecordConfig(key) },
		send: func(s *emulator.Server, key string, n int) {
			_ = s.Record(key, "live", "s", []string{"record_started", "file_created"}[n%2])
		},
	}
}

func relays() *kind {
	spec := func(o callback) *v1alpha1.LiveRtcMPUEventSubSpec { return &o.(*v1alpha1.LiveRtcMPUEventSub).Spec }
	return &kind{
		name: "LiveRtcMPUEventSub",
		list: func() client.ObjectList { return &v1alpha1.LiveRtcMPUEventSubList{} },
		object: func(name, key string) callback {
			o := &v1alpha1.LiveRtcMPUEventSub{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
			o.Spec.AppID = key
			return o
		},
		changes: []func(callback, string){
			func(o callback, url string) { spec(o).CallbackURL = url },
			func(o callback, _ string) {
				if len(spec(o).ChannelIDs) > 0 {
					spec(o).ChannelIDs = nil
				} else {
					spec(o).ChannelIDs = []string{"two", "one"}
				}
			},
		},
		want: func(o callback, _ string) any {
			return emulator.MPUSub{CallbackURL: spec(o).CallbackURL, ChannelIDs: strings.Join(slices.Sorted(slices.Values(spec(o).ChannelIDs)), ",")}
		},
		have: func(s *emulator.Server, key string) any {
			if sub, ok := s.MPUSub(key); ok {
				channels := strings.FieldsFunc(sub.ChannelIDs, func(r rune) bool { return r == ',' })
				slices.Sort(channels)
				return emulator.MPUSub{CallbackURL: sub.CallbackURL, ChannelIDs: strings.Join(channels, ",")}
			}
			return nil
		},
		add: func(s *emulator.Server, account, key string) { s.AddApp(account, key) },
		edit: func(s *emulator.Server, key string) {
			sub, _ := s.MPUSub(key)
			sub.CallbackURL = elsewhere
			s.SetMPUSub(key, sub)
		},
		erase: func(s *emulator.Server, key string) { s.DeleteMPUSub(key) },
		send:  func(s *emulator.Server, key string, _ int) { _ = s.EmitMPU(key, "one", 1) },
	}
}

// objectMeta is the metadata of an object of the soak.
func objectMeta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

// plain is a kind of a main streaming domain, as the emulator keeps its configurations.
func plain[C any](
	k kind, get func(*emulator.Server, string) (C, bool), set func(*emulator.Server, string, C), erase func(*emulator.Server, string), edit func(*C),
) *kind {
	k.domain = true
	k.have = func(s *emulator.Server, key string) any {
		if c, ok := get(s, key); ok {
			return c
		}
		return nil
	}
	k.add = func(s *emulator.Server, account, key string) { s.AddDomain(account, key, emulator.StreamingDomain) }
	k.edit = func(s *emulator.Server, key string) {
		c, _ := get(s, key)
		edit(&c)
		set(s, key, c)
	}
	k.erase = erase
	return &k
}

func snapshots() *kind {
	spec := func(o callback) *v1alpha1.LiveSnapshotNotifyConfigSpec {
		return &o.(*v1alpha1.LiveSnapshotNotifyConfig).Spec
	}
	return plain(kind{
		name: "LiveSnapshotNotifyConfig",
		list: func() client.ObjectList { return &v1alpha1.LiveSnapshotNotifyConfigList{} },
		object: func(name, key string) callback {
			return &v1alpha1.LiveSnapshotNotifyConfig{ObjectMeta: objectMeta(name), Spec: v1alpha1.LiveSnapshotNotifyConfigSpec{DomainName: key}}
		},
		changes: []func(callback, string){func(o callback, url string) { spec(o).NotifyURL = url }},
		sign:    func(o callback, secret string) { spec(o).Authentication = signature(secret) },
		want: func(o callback, key string) any {
			return emulator.SnapshotConfig{NotifyURL: spec(o).NotifyURL, Auth: spec(o).Authentication != nil, AuthKey: key}
		},
		send: func(s *emulator.Server, key string, _ int) { _ = s.TakeSnapshot(key, "live", "s") },
	}, (*emulator.Server).SnapshotConfig, (*emulator.Server).SetSnapshotConfig, (*emulator.Server).DeleteSnapshotConfig,
		func(c *emulator.SnapshotConfig) { c.NotifyURL = elsewhere })
}

func videoReviews() *kind {
	spec := func(o callback) *v1alpha1.LiveDetectNotifyConfigSpec {
		return &o.(*v1alpha1.LiveDetectNotifyConfig).Spec
	}
	return plain(kind{
		name: "LiveDetectNotifyConfig",
		list: func() client.ObjectList { return &v1alpha1.LiveDetectNotifyConfigList{} },
		object: func(name, key string) callback {
			return &v1alpha1.LiveDetectNotifyConfig{ObjectMeta: objectMeta(name), Spec: v1alpha1.LiveDetectNotifyConfigSpec{DomainName: key}}
		},
		changes: []func(callback, string){func(o callback, url string) { spec(o).NotifyURL = url }},
		want:    func(o callback, _ string) any { return emulator.DetectConfig{NotifyURL: spec(o).NotifyURL} },
		send:    func(s *emulator.Server, key string, _ int) { _ = s.ReviewVideo(key, "live", "s") },
	}, (*emulator.Server).DetectConfig, (*emulator.Server).SetDetectConfig, (*emulator.Server).DeleteDetectConfig,
		func(c *emulator.DetectConfig) { c.NotifyURL = elsewhere })
}

func audioReviews() *kind {
	spec := func(o callback) *v1alpha1.LiveAudioAuditNotifyConfigSpec {
		return &o.(*v1alpha1.LiveAudioAuditNotifyConfig).Spec
	}
	return plain(kind{
		name: "LiveAudioAuditNotifyConfig",
		list: func() client.ObjectList { return &v1alpha1.LiveAudioAuditNotifyConfigList{} },
		object: func(name, key string) callback {
			return &v1alpha1.LiveAudioAuditNotifyConfig{ObjectMeta: objectMeta(name), Spec: v1alpha1.LiveAudioAuditNotifyConfigSpec{DomainName: key}}
		},
		changes: []func(callback, string){
			func(o callback, url string) { spec(o).CallbackURL = url },
			func(o callback, _ string) {
				spec(o).CallbackTemplate = toggled(spec(o).CallbackTemplate, `{"r":{Result}}`)
			},
		},
		want: func(o callback, _ string) any {
			return emulator.AuditConfig{CallbackURL: spec(o).CallbackURL, CallbackTemplate: spec(o).CallbackTemplate}
		},
		send: func(s *emulator.Server, key string, _ int) { _ = s.ReviewAudio(key, "live", "s") },
	}, (*emulator.Server).AuditConfig, (*emulator.Server).SetAuditConfig, (*emulator.Server).DeleteAuditConfig,
		func(c *emulator.AuditConfig) { c.CallbackURL = elsewhere })
}

// subscription is what can be compared of one to RTC events.
type subscription struct{ channel, url, events, users string }

func channels() *kind {
	spec := func(o callback) *v1alpha1.LiveRtcEventSubSpec { return &o.(*v1alpha1.LiveRtcEventSub).Spec }
	const channel = "one"
	return &kind{
		name: "LiveRtcEventSub",
		list: func() client.ObjectList { return &v1alpha1.LiveRtcEventSubList{} },
		object: func(name, key string) callback {
			return &v1alpha1.LiveRtcEventSub{ObjectMeta: objectMeta(name), Spec: v1alpha1.LiveRtcEventSubSpec{
				AppID: key, ChannelID: channel, Events: []v1alpha1.RtcEvent{v1alpha1.UserEvent},
			}}
		},
		changes: []func(callback, string){
			func(o callback, url string) { spec(o).CallbackURL = url },
			func(o callback, _ string) {
				if len(spec(o).Users) > 0 {
					spec(o).Users = nil
				} else {
					spec(o).Users = []string{"two", "one"}
				}
			},
		},
		want: func(o callback, _ string) any {
			return subscription{channel, spec(o).CallbackURL, "UserEvent", strings.Join(slices.Sorted(slices.Values(spec(o).Users)), ",")}
		},
		have: func(s *emulator.Server, key string) any {
			subs := s.EventSubs(key)
			if len(subs) > 1 {
				return len(subs) // which nobody wants
			}
			for _, sub := range subs {
				return subscription{
					sub.ChannelID, sub.CallbackURL, strings.Join(slices.Sorted(slices.Values(sub.Events)), ","), strings.Join(slices.Sorted(slices.Values(sub.Users)), ","),
				}
			}
			return nil
		},
		add: func(s *emulator.Server, account, key string) { s.AddApp(account, key) },
		edit: func(s *emulator.Server, key string) {
			subs := slices.Clone(s.EventSubs(key))
			if len(subs) == 0 {
				subs = []emulator.EventSub{{ChannelID: channel, Events: []string{"UserEvent"}}}
			}
			subs[0].CallbackURL = elsewhere
			s.SetEventSubs(key, subs)
		},
		erase: func(s *emulator.Server, key string) { s.SetEventSubs(key, nil) },
		send:  func(s *emulator.Server, key string, _ int) { _ = s.EmitEvent(key, channel, "one", "Join") },
	}
}

func messages() *kind {
	spec := func(o callback) *v1alpha1.LiveMessageAppCallbackSpec {
		return &o.(*v1alpha1.LiveMessageAppCallback).Spec
	}
	const center = "cn-shanghai"
	return &kind{
		name: "LiveMessageAppCallback",
		list: func() client.ObjectList { return &v1alpha1.LiveMessageAppCallbackList{} },
		object: func(name, key string) callback {
			return &v1alpha1.LiveMessageAppCallback{ObjectMeta: objectMeta(name), Spec: v1alpha1.LiveMessageAppCallbackSpec{DataCenter: center, AppID: key}}
		},
		changes: []func(callback, string){
			// The cloud takes no port, so that these callbacks go to no receiver.
			func(o callback, url string) {
				spec(o).EventCallbackURL = "http://hooks.example.com" + url[strings.LastIndex(url, "/"):]
			},
		},
		want: func(o callback, _ string) any { return spec(o).EventCallbackURL },
		have: func(s *emulator.Server, key string) any {
			if app, _ := s.MessageApp(center, key); app.EventCallbackURL != "" {
				return app.EventCallbackURL
			}
			return nil
		},
		add: func(s *emulator.Server, account, key string) {
			_ = s.AddMessageApp(emulator.MessageApp{DataCenter: center, AppID: key, Account: account}) // it is well named
		},
		edit:  func(s *emulator.Server, key string) { _ = s.SetMessageCallback(center, key, elsewhere) },
		erase: func(s *emulator.Server, key string) { _ = s.SetMessageCallback(center, key, "") },
		send:  func(s *emulator.Server, key string, n int) { _ = s.EmitMessageEvent(center, key, "one", 1+n) },
	}
}
