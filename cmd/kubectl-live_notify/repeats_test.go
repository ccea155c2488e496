// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// A receiver that is being debugged says what it was sent, and what it wanted.
func TestProbeHidesWhatAReceiverRepeats(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push-probe.example.com")
	var signatures []string
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		got, wanted := r.Header.Get(callback.SignatureHeader), "one"
		if at := r.Header.Get(callback.TimestampHeader); at != "" {
			wanted = callback.Signature("push-probe.example.com", at, streamKey)
			signatures = append(signatures, wanted, got)
		}
		fmt.Fprintf(rw, "hello %s expected %s, got %s %x", streamKey, wanted, got, streamKey)
	}))
	defer srv.Close()
	for _, format := range []string{"wide", "json", "yaml", "jsonl"} {
		got := w.call("probe", "lnc/push", "--url", srv.URL, "--yes", "--verify", "-o", format).want(t, exitNo, "hello (hidden) expected (hidden), got")
		for _, s := range signatures {
			if s != "" && shows(got.out+got.err, s) {
				t.Errorf("-o %s shows a signature:\n%s", format, got.out)
			}
		}
	}
}

// shows tells whether a text has a signature, or the half of it.
func shows(text, signature string) bool { return strings.Contains(text, signature[:len(signature)/2]) }
