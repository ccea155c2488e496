// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

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

func (s *bench) startOperator(ctx context.Context) error {
	share := int(math.Round(float64(s.mode.share) * s.cfg.scale))
	return s.StartOperator(ctx, "--quota-share-percent", fmt.Sprint(share), "--pprof-bind-address", s.cfg.pprof)
}

func (s *bench) stop() {
	if err := s.Stop(); err != nil {
		system.Say("stopping: %v", err)
	}
}

// process is what the operator's process has used.
type process struct {
	cpu        time.Duration
	resident   float64 // MiB
	apiWrites  float64 // requests that change something, to the API server
	reconciles float64
}

// process reads the operator's metrics.
func (s *bench) process(ctx context.Context) (process, error) {
	m, err := s.Metrics(ctx)
	if err != nil {
		return process{}, err
	}
	return process{
		cpu:       time.Duration(m.Sum("process_cpu_seconds_total", nil) * float64(time.Second)),
		resident:  m.ResidentMiB(),
		apiWrites: m.APIServerWrites(),
		reconciles: m.Sum("controller_runtime_reconcile_total", func(l map[string]string) bool {
			return strings.HasPrefix(l["controller"], "Live")
		}),
	}, nil
}
