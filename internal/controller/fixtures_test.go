// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"slices"
	"testing"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// counts tells whether the cloud has callback records of the kind.
func (f fixture) counts() bool { return f.kind.Records != nil }

// forEachCountedKind runs a test for the kinds whose callbacks are counted.
func forEachCountedKind(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	counted := slices.DeleteFunc(fixtures(), func(f fixture) bool { return !f.counts() })
	forEach(t, counted, !testing.Short(), test)
}

// plainFixture is the fixture of a family that a main streaming domain has one
// configuration of, as the emulator keeps them.
func plainFixture[C any](
	name, operations string, get func(*emulator.Server, string) (C, bool), set func(*emulator.Server, string, C), erase func(*emulator.Server, string), edit func(*C),
) fixture {
	f := fixtureOf(name)
	f.prepare = func(s *emulator.Server) { s.AddDomain("", streamDomain, emulator.StreamingDomain) }
	f.sign = func(Object) {}
	f.have = func(s *emulator.Server) any {
		if c, ok := get(s, streamDomain); ok {
			return c
		}
		return nil
	}
	f.edit = func(s *emulator.Server) {
		c, _ := get(s, streamDomain)
		edit(&c)
		set(s, streamDomain, c)
	}
	f.erase = func(s *emulator.Server) { erase(s, streamDomain) }
	f.key = streamDomain
	f.describe = "Describe" + operations
	f.writes = []string{"Add" + operations, "Update" + operations}
	return f
}

func snapshotFixture() fixture {
	f := plainFixture("LiveSnapshotNotifyConfig", "LiveSnapshotNotifyConfig",
		(*emulator.Server).SnapshotConfig, (*emulator.Server).SetSnapshotConfig, (*emulator.Server).DeleteSnapshotConfig,
		func(c *emulator.SnapshotConfig) { c.NotifyURL = "http://elsewhere.example.com/" })
	spec := func(o Object) *v1alpha1.LiveSnapshotNotifyConfigSpec {
		return &o.(*v1alpha1.LiveSnapshotNotifyConfig).Spec
	}
	f.object = func() Object {
		return &v1alpha1.LiveSnapshotNotifyConfig{Spec: v1alpha1.LiveSnapshotNotifyConfigSpec{
			DomainName: streamDomain, NotifyURL: "http://hooks.example.com/snapshot",
		}}
	}
	f.sign, f.signs = func(o Object) { spec(o).Authentication = signature() }, true
	f.change = func(o Object) { spec(o).NotifyURL = "http://hooks.example.com/changed" }
	f.clear = func(o Object) { spec(o).NotifyURL = "http://hooks.example.com/cleared" } // it has no optional field
	f.want = func(o Object, key string) any {
		return emulator.SnapshotConfig{NotifyURL: spec(o).NotifyURL, Auth: key != "", AuthKey: key}
	}
	f.edited = "notifyURL"
	f.looks.create = 1 // for other callbacks
	return f
}

func detectFixture() fixture {
	f := plainFixture("LiveDetectNotifyConfig", "LiveDetectNotifyConfig",
		(*emulator.Server).DetectConfig, (*emulator.Server).SetDetectConfig, (*emulator.Server).DeleteDetectConfig,
		func(c *emulator.DetectConfig) { c.NotifyURL = "http://elsewhere.example.com/" })
	spec := func(o Object) *v1alpha1.LiveDetectNotifyConfigSpec { return &o.(*v1alpha1.LiveDetectNotifyConfig).Spec }
	f.object = func() Object {
		return &v1alpha1.LiveDetectNotifyConfig{Spec: v1alpha1.LiveDetectNotifyConfigSpec{
			DomainName: streamDomain, NotifyURL: "http://hooks.example.com/detect",
		}}
	}
	f.change = func(o Object) { spec(o).NotifyURL = "http://hooks.example.com/changed" }
	f.clear = func(o Object) { spec(o).NotifyURL = "http://hooks.example.com/cleared" }
	f.want = func(o Object, _ string) any { return emulator.DetectConfig{NotifyURL: spec(o).NotifyURL} }
	f.edited = "notifyURL"
	return f
}

func auditFixture() fixture {
	f := plainFixture("LiveAudioAuditNotifyConfig", "LiveAudioAuditNotifyConfig",
		(*emulator.Server).AuditConfig, (*emulator.Server).SetAuditConfig, (*emulator.Server).DeleteAuditConfig,
		func(c *emulator.AuditConfig) { c.CallbackURL = "http://elsewhere.example.com/" })
	spec := func(o Object) *v1alpha1.LiveAudioAuditNotifyConfigSpec {
		return &o.(*v1alpha1.LiveAudioAuditNotifyConfig).Spec
	}
	f.object = func() Object {
		return &v1alpha1.LiveAudioAuditNotifyConfig{Spec: v1alpha1.LiveAudioAuditNotifyConfigSpec{
			DomainName: streamDomain, CallbackURL: "http://hooks.example.com/audit",
			CallbackTemplate: `{"stream":{StreamName},"result":{Result}}`,
		}}
	}
	f.change = func(o Object) { spec(o).CallbackURL = "http://hooks.example.com/changed" }
	f.clear = func(o Object) { spec(o).CallbackTemplate = "" }
	f.want = func(o Object, _ string) any {
		return emulator.AuditConfig{CallbackURL: spec(o).CallbackURL, CallbackTemplate: spec(o).CallbackTemplate}
	}
	f.edited = "callbackURL"
	return f
}

// channel is the one whose events the fixture is for.
const channel = "room-1"

func eventFixture() fixture {
	f := fixtureOf("LiveRtcEventSub")
	spec := func(o Object) *v1alpha1.LiveRtcEventSubSpec { return &o.(*v1alpha1.LiveRtcEventSub).Spec }
	f.prepare = func(s *emulator.Server) { s.AddApp("", appID) }
	f.object = func() Object {
		return &v1alpha1.LiveRtcEventSub{Spec: v1alpha1.LiveRtcEventSubSpec{
			AppID: appID, ChannelID: channel, CallbackURL: "http://hooks.example.com/event",
			Events: []v1alpha1.RtcEvent{v1alpha1.UserEvent, v1alpha1.ChannelEvent}, Users: []string{"two", "one"},
		}}
	}
	f.sign = func(Object) {}
	f.change = func(o Object) { spec(o).CallbackURL = "http://hooks.example.com/changed" }
	f.clear = func(o Object) { spec(o).Users = nil }
	f.want = func(o Object, _ string) any {
		sub := emulator.EventSub{ChannelID: spec(o).ChannelID, CallbackURL: spec(o).CallbackURL, Users: spec(o).Users}
		for _, e := range spec(o).Events {
			sub.Events = append(sub.Events, string(e))
		}
		return plainEvent(sub)
	}
	f.have = func(s *emulator.Server) any {
		switch subs := s.EventSubs(appID); len(subs) {
		case 0:
			return nil
		case 1:
			return plainEvent(subs[0])
		default: // more than there may be
			return subs
		}
	}
	f.edit = func(s *emulator.Server) {
		subs := s.EventSubs(appID)
		if len(subs) == 0 {
			subs = []emulator.EventSub{{ChannelID: channel, Events: []string{"UserEvent"}}}
		}
		subs[0].CallbackURL = "http://elsewhere.example.com/"
		s.SetEventSubs(appID, subs)
	}
	f.erase = func(s *emulator.Server) { s.SetEventSubs(appID, nil) }
	f.key = live.EventKey(appID, channel)
	f.describe = "ListEventSub"
	f.writes = []string{"CreateEventSub", "UpdateEventSub"}
	f.records, f.queries = []string{"ListEventSubEvent"}, 1
	f.planted = func(records []emulator.CallbackRecord) emulator.Records {
		var planted []emulator.EventRecord
		for _, r := range records {
			code := 200
			if r.Result == emulator.ResultFailed {
				code = 500
			}
			planted = append(planted, emulator.EventRecord{Time: r.Time, AppID: appID, URL: r.URL, Code: code})
		}
		return emulator.Records{Event: planted}
	}
	f.edited = "callbackURL"
	f.looks.create, f.looks.remove = 1, 1 // list and match first
	f.looks.byID = 1
	return f
}

// plainEvent returns a subscription without what the cloud gives it. An empty list is
// none, whichever it is.
func plainEvent(sub emulator.EventSub) any {
	return fmt.Sprintf("%s to %s of %q of %q", sub.ChannelID, sub.CallbackURL, slices.Sorted(slices.Values(sub.Events)), slices.Sorted(slices.Values(sub.Users)))
}

func messageFixture() fixture {
	f := fixtureOf("LiveMessageAppCallback")
	spec := func(o Object) *v1alpha1.LiveMessageAppCallbackSpec { return &o.(*v1alpha1.LiveMessageAppCallback).Spec }
	center := string(v1alpha1.Singapore)
	f.prepare = func(s *emulator.Server) {
		if err := s.AddMessageApp(emulator.MessageApp{DataCenter: center, AppID: appID, AppKey: appKey}); err != nil {
			panic(err)
		}
	}
	f.object = func() Object {
		return &v1alpha1.LiveMessageAppCallback{Spec: v1alpha1.LiveMessageAppCallbackSpec{
			DataCenter: v1alpha1.Singapore, AppID: appID, EventCallbackURL: "http://hooks.example.com/message",
		}}
	}
	f.sign = func(Object) {}
	f.change = func(o Object) { spec(o).EventCallbackURL = "http://hooks.example.com/changed" }
	f.clear = func(o Object) { spec(o).EventCallbackURL = "http://hooks.example.com/cleared" }
	f.want = func(o Object, _ string) any { return spec(o).EventCallbackURL }
	f.have = func(s *emulator.Server) any {
		if app, _ := s.MessageApp(center, appID); app.EventCallbackURL != "" {
			return app.EventCallbackURL
		}
		return nil
	}
	set := func(s *emulator.Server, url string) {
		if err := s.SetMessageCallback(center, appID, url); err != nil {
			panic(err)
		}
	}
	f.edit = func(s *emulator.Server) { set(s, "http://elsewhere.example.com/") }
	f.erase = func(s *emulator.Server) { set(s, "") }
	f.key = live.MessageKey(center, appID)
	f.describe = "DescribeLiveMessageApp"
	f.writes = []string{"ModifyLiveMessageAppCallback"}
	f.edited = "eventCallbackURL"
	f.looks.create = 1 // what it would overwrite
	return f
}

// appKey is what the cloud shows of a messaging application and nobody else may.
const appKey = "messageAppKey0123456789"
