// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// Names of what traffic streams and records.
const (
	trafficApp    = "live"
	trafficStream = "demo"
)

// traffic makes callbacks happen at each interval until the context ends.
func traffic(ctx context.Context, emu *emulator.Server, every time.Duration) {
	if every <= 0 {
		return
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			oneRound(emu) //nolint:contextcheck // deliveries outlive the round; Close ends them
		case <-ctx.Done():
			return
		}
	}
}

// oneRound starts or stops a stream on each ingest domain, and makes one event for everything else. Domains and
// applications may come and go meanwhile, which is why errors do not matter.
func oneRound(emu *emulator.Server) {
	for _, domain := range emu.Domains(emulator.IngestDomain) {
		if err := emu.StopStream(domain, trafficApp, trafficStream); err != nil { // it was not online
			_ = emu.StartStream(domain, trafficApp, trafficStream)
		}
	}
	for _, domain := range emu.Domains(emulator.StreamingDomain) {
		_ = emu.Record(domain, trafficApp, trafficStream, "file_created")
		_ = emu.TakeSnapshot(domain, trafficApp, trafficStream)
		_ = emu.ReviewVideo(domain, trafficApp, trafficStream)
		_ = emu.ReviewAudio(domain, trafficApp, trafficStream)
	}
	for _, app := range emu.Apps() {
		_ = emu.EmitMPU(app, trafficStream, 1)
		_ = emu.EmitEvent(app, trafficStream, "viewer", "Join")
	}
	for _, app := range emu.MessageApps() {
		_ = emu.EmitMessageEvent(app.DataCenter, app.AppID, "viewer", emulator.MessageJoin)
	}
}
