// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/test/system"
)

// bench is a system in which the operator is measured in one mode.
type bench struct {
	*system.System
	cfg  config
	mode mode
}

// startSystem starts all but the operator, whose own account is that of the first
// of the keys; without any there is one.
func startSystem(ctx context.Context, cfg config, m mode, keys ...emulator.AccessKey) (*bench, error) {
	if len(keys) == 0 {
		keys = []emulator.AccessKey{{ID: "bench", Secret: "bench-secret"}}
	}
	s, err := system.Start(ctx, emulator.Options{
		AccessKeys: keys, QPSScale: cfg.scale, Throttle: cfg.throttle,
	})
	return &bench{System: s, cfg: cfg, mode: m}, err
}

func (s *bench) startOperator(ctx context.Context, flags ...string) error {
	return s.StartOperator(ctx, append(s.flags("--pprof-bind-address", s.cfg.pprof), flags...)...)
}

// flags are those of each operator, and more.
func (s *bench) flags(more ...string) []string {
	share := int(math.Round(float64(s.mode.share) * s.cfg.scale))
	return append([]string{"--quota-share-percent", fmt.Sprint(share)}, more...)
}

func (s *bench) stop() {
	if err := s.Stop(); err != nil {
		system.Say("stopping: %v", err)
	}
}
