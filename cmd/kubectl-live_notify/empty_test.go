// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// A list that is empty says why, and what to try, whichever verb it is of.
func TestEmptyLists(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	const none, labels = "There is no object of the callback kinds in namespace ", "with the labels of -l in namespace "
	for args, says := range map[string]string{
		"plan": none, "failures": none, "status": none, "plan lnc": "There is no object of the type that is named in namespace ",
		"plan -l a=b": labels, "failures -l a=b": labels, "status -l a=b": labels, "replay -l a=b --yes": labels, "suspend -l a=b --yes": labels,
		"resume -l a=b --yes": labels, "reconcile -l a=b": labels,
		"plan -A -l a=b": "with the labels of -l in this cluster. Look at the labels", "failures -A -l a=b": "with the labels of -l in this cluster.",
	} {
		got := w.call(strings.Fields(args)...)
		if got.code == exitUnknown {
			t.Errorf("%s: got %d", args, got.code)
		}
		if got.want(t, got.code, says); strings.Contains(args, "-A") == strings.Contains(got.err, "with -A") {
			t.Errorf("%s: got %s", args, got.err)
		}
	}
	bare := between(t, "/apis", http.StatusNotFound)
	for _, verb := range []string{"plan", "failures", "status"} {
		w.call(verb, "--server", bare, "--cache-dir", t.TempDir()).want(t, exitYes, "The cluster has none of the callback kinds: install the CRDs")
	}
	w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	w.call("import").want(t, exitYes, "have no callback configuration. Is it the right account?")
	w.call("import", "--kind", "lnc").want(t, exitYes, "None of these domains has a callback configuration of these kinds.")
	w.call("import", "--domain", "nosuch.*").want(t, exitYes, "The account has no domain that matches --domain.")
}

// Objects that are in sync, and failures that there are none of, are no empty answer.
func TestNothingToTell(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	w.call("plan").want(t, exitYes, "Nothing is to be done: --show-in-sync shows what is in sync.", "1 in sync")
	w.call("failures").want(t, exitYes, "No failed callback of 1 object that is asked for, from ", "Look further back with --since")
	w.call("replay", "lnc/push", "--yes").want(t, exitYes, "No failed callback is recorded that is asked for.")
}
