// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// cloud is what must exist in the cloud for the samples to work.
type cloud struct {
	ingest, streaming []string // domains
	apps              []app
	subscribed        []app    // whose channel and user events are subscribed to
	accessKeys        []string // id:secret
	messageApps       []string // id=dataCenter
}

// app is an RTC application, and a channel whose events are subscribed to.
type app struct{ id, channel string }

func (s samples) cloud() cloud {
	var c cloud
	for _, obj := range s {
		domain, _, _ := unstructured.NestedString(obj.Object, "spec", "domainName")
		switch obj.GetKind() {
		case "LiveNotifyConfig":
			c.ingest = append(c.ingest, domain)
		case "LiveRecordNotifyConfig", "LiveSnapshotNotifyConfig", "LiveDetectNotifyConfig", "LiveAudioAuditNotifyConfig":
			if !slices.Contains(c.streaming, domain) {
				c.streaming = append(c.streaming, domain)
			}
		case "LiveRtcMPUEventSub", "LiveRtcEventSub":
			if a := appOf(obj); !slices.ContainsFunc(c.apps, func(b app) bool { return a.id == b.id }) {
				c.apps = append(c.apps, a)
			}
			if obj.GetKind() == "LiveRtcEventSub" {
				c.subscribed = append(c.subscribed, appOf(obj))
			}
		case "LiveMessageAppCallback":
			id, _, _ := unstructured.NestedString(obj.Object, "spec", "appID")
			center, _, _ := unstructured.NestedString(obj.Object, "spec", "dataCenter")
			c.messageApps = append(c.messageApps, id+"="+center)
		case "Secret":
			data, _, _ := unstructured.NestedStringMap(obj.Object, "stringData")
			if data["accessKeyID"] != "" {
				c.accessKeys = append(c.accessKeys, data["accessKeyID"]+":"+data["accessKeySecret"])
			}
		}
	}
	return c
}

func appOf(obj *unstructured.Unstructured) app {
	id, _, _ := unstructured.NestedString(obj.Object, "spec", "appID")
	channels, _, _ := unstructured.NestedStringSlice(obj.Object, "spec", "channelIDs")
	if channel, found, _ := unstructured.NestedString(obj.Object, "spec", "channelID"); found && channel != "*" {
		channels = append(channels, channel)
	}
	return app{id: id, channel: append(channels, "main-stage")[0]}
}

// flags tell the emulator what exists.
func (c cloud) flags() []string {
	var flags []string
	for _, key := range c.accessKeys {
		flags = append(flags, "--access-key", key)
	}
	for _, domain := range c.streaming {
		flags = append(flags, "--domain", domain+"=streaming")
	}
	for _, domain := range c.ingest {
		flags = append(flags, "--domain", domain+"=ingest")
		if len(c.streaming) > 0 {
			flags = append(flags, "--map", domain+"="+c.streaming[0])
		}
	}
	for _, a := range c.apps {
		flags = append(flags, "--app", a.id)
	}
	for _, a := range c.messageApps {
		flags = append(flags, "--message-app", a)
	}
	return flags
}
