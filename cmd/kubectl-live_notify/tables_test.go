// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/internal/conformance"
	"github.com/live-notify/live-notify-operator/internal/failures"
	"github.com/live-notify/live-notify-operator/internal/importing"
	"github.com/live-notify/live-notify-operator/internal/overview"
	"github.com/live-notify/live-notify-operator/internal/planning"
	"github.com/live-notify/live-notify-operator/internal/preflight"
	"github.com/live-notify/live-notify-operator/internal/probing"
	"github.com/live-notify/live-notify-operator/internal/replay"
	"github.com/live-notify/live-notify-operator/internal/report"
)

// tableOf prints one item as a table.
func tableOf[I any](t *testing.T, i I, v view[I]) string {
	t.Helper()
	r := report.New[struct{}, I]("Test")
	r.Items = []I{i}
	var b bytes.Buffer
	if err := write(&b, "wide", r, v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A long text of someone else keeps a table in its columns, whichever it is; what people
// copy stays whole, and JSON has all of it.
func TestLongTextsInTables(t *testing.T) {
	long, name := strings.Repeat("é\tof a receiver\n", 2000), strings.Repeat("n", 250)
	now := time.Now()
	failed := failures.Item{Time: now, Kind: "LiveNotifyConfig", Name: name, Type: long, App: long, Stream: long, URL: long, Reason: long, Response: long, Delivery: "d"}
	a := newApp("live-notify", nil, nil, nil)
	for verb, text := range map[string]string{
		"status":   tableOf(t, overview.Item{Kind: "LiveNotifyConfig", Name: name, Key: name, Reason: long, Message: long}, statusView()),
		"failures": tableOf(t, failed, failuresView()),
		"replay":   tableOf(t, replay.Item{Item: failed, To: long, Message: long}, replayView()),
		"probe":    tableOf(t, probing.Item{Case: "signed", Message: long, Certificate: long, Answer: long, TLS: long}, probeView()),
		"import":   tableOf(t, importing.Item{Kind: "LiveNotifyConfig", Key: name, Name: name, Message: long}, importView()),
		"plan":     tableOf(t, planning.Item{Kind: "LiveNotifyConfig", Name: name, Key: name, Reason: long, Action: long, Message: long}, a.planView()),
		"check":    tableOf(t, preflight.Item{Check: "credentials", Message: long}, checkView()),
		"groups":   tableOf(t, failures.Group{Failed: 1, Last: now, Value: long}, groupsView("reason")),
		"conform":  tableOf(t, conformance.Item{Point: "p", Branch: long, Came: long, Operator: long, Sent: long, EmulatorFlag: long}, conformanceView()),
	} {
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(lines) != 2 {
			t.Fatalf("%s: got %d lines", verb, len(lines))
		}
		if n := len(lines[1]); n > 1500 {
			t.Errorf("%s: a row has %d bytes", verb, n)
		}
		if strings.Contains(verb, "status") && !strings.Contains(lines[1], name+" ") {
			t.Errorf("%s: the name is cut", verb)
		}
	}
	if got := fitted(long, "REASON", false); len(got) > maxCell || strings.ContainsAny(got, "\t\n") || !strings.HasSuffix(got, "…") {
		t.Errorf("got %q", got)
	}
}
