// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// A span that begins in the future is a mistake of the call, however it is given; one that
// only ends there ends now.
func TestSpansInTheFuture(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	for _, args := range [][]string{
		{"--from", at(24 * time.Hour), "--to", at(48 * time.Hour)}, {"--to", at(48 * time.Hour)}, {"--from", at(24 * time.Hour)}, {"--to", at(48 * time.Hour), "--since", "1h"},
	} {
		w.call(append([]string{"failures"}, args...)...).want(t, exitUsage, "the span begins in the future")
		w.call(append([]string{"replay", "lnc/push"}, args...)...).want(t, exitUsage, "the span begins in the future")
	}
	year := at(400 * 24 * time.Hour)[:4]
	for _, args := range [][]string{
		{"--from", at(-time.Hour), "--to", at(400 * 24 * time.Hour)}, {"--to", at(400 * 24 * time.Hour), "--since", fmt.Sprint(401 * 24 * time.Hour)},
	} {
		if got := w.call(append([]string{"failures"}, args...)...).want(t, exitYes, "No failed callback"); strings.Contains(got.err, "to "+year) {
			t.Errorf("got %s, want a span that ends now", got.err)
		}
	}
}
