// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"
)

const (
	trafficInterval = time.Second
	appName         = "live"
	streamName      = "main-stage"
)

// request is one of the emulator's admin API: an event in the cloud.
type request struct {
	path string
	body map[string]any
}

// sendTraffic makes things happen in the cloud, for which it sends callbacks to
// whatever URLs are configured at that time. The emulator may refuse, because
// someone who plays with the demo removed a domain: the rest goes on.
func sendTraffic(ctx context.Context, emulatorURL string, c cloud) {
	say("sending traffic through the cloud: a stream starts or stops, and a recording is reported, every %s", trafficInterval)
	ticker := time.NewTicker(trafficInterval)
	defer ticker.Stop()
	for n := 0; ; n++ {
		for _, r := range round(n, c) {
			post(ctx, emulatorURL+"/_emulator/"+r.path, r.body)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// round is what happens in the nth interval: a stream starts or stops on each
// ingest domain, now and then with an exception; a recording starts or is
// written on each streaming domain, where a snapshot is taken and a review finds
// something; each application relays, and a user joins or leaves the channels that
// are subscribed to.
func round(n int, c cloud) []request {
	var requests []request
	for _, domain := range c.ingest {
		stream := map[string]any{"domain": domain, "app": appName, "stream": streamName}
		if n%2 == 0 {
			requests = append(requests, request{"streams/start", stream})
		} else {
			requests = append(requests, request{"streams/stop", stream})
		}
		if n%8 == 0 {
			exception := map[string]any{"domain": domain, "app": appName, "stream": streamName, "reason": "frame rate is zero"}
			requests = append(requests, request{"streams/fail", exception}, request{"streams/switch", stream})
		}
	}
	for _, domain := range c.streaming {
		event := []string{"record_started", "file_created"}[n%2]
		requests = append(requests, request{"recordings", map[string]any{"domain": domain, "app": appName, "stream": streamName, "event": event}})
		for _, path := range []string{"snapshots", "reviews/video", "reviews/audio"} {
			requests = append(requests, request{path, map[string]any{"domain": domain, "app": appName, "stream": streamName}})
		}
	}
	for _, a := range c.apps {
		requests = append(requests, request{"mpu-events", map[string]any{"appID": a.id, "channelID": a.channel, "count": 1}})
	}
	for _, a := range c.subscribed {
		tag := []string{"Join", "Leave"}[n%2]
		requests = append(requests, request{"events", map[string]any{"appID": a.id, "channelID": a.channel, "userID": "viewer", "tag": tag}})
	}
	return requests
}

func post(ctx context.Context, url string, body map[string]any) {
	text, err := json.Marshal(body)
	if err != nil {
		return
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return
	}
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_ = resp.Body.Close()
	}
}
