// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// A flag that is given and empty is a mistake, of whichever verb it is: it would count
// as not given.
func TestEmptyFlags(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for _, args := range [][]string{
		{"plan", "-f", ""}, {"plan", "--filename="}, {"plan", "-k", ""}, {"plan", "-f", "a.yaml,"}, {"plan", "-l", ""}, {"plan", "--account", ""},
		{"import", "--domain", ""}, {"import", "--app-id", ""}, {"import", "--kind", ""}, {"import", "--output-dir", ""}, {"import", "--key-secret", ""},
		{"failures", "--url", ""}, {"failures", "--from", ""}, {"replay", "-f", ""}, {"replay", "lnc/x", "--to-url", ""}, {"replay", "lnc/x", "--journal="},
		{"probe", "lnc/x", "--key-from", ""}, {"suspend", "lnc", "-l", ""}, {"conformance", "--ingest-domain", "", "--read-only"}, {"status", "--context", ""},
	} {
		w.call(args...).want(t, exitUsage, "is given and empty: give it a value, or leave it out")
	}
}

// A kubeconfig that is named and not there is no "no cluster", however it is named; and
// what goes on without a cluster says so.
func TestKubeconfigThatIsNotThere(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	manifest := w.file("push.yaml", manifestOf("push.example.com", "https://hooks.example.com/a", ""))
	missing := filepath.Join(t.TempDir(), "missing")
	calls := [][]string{{"plan", "-f", manifest}, {"import"}, {"plan"}}
	for _, args := range calls {
		w.call(append(args, "--kubeconfig", missing)...).want(t, exitUnknown, "does not exist")
	}
	t.Setenv("KUBECONFIG", missing)
	for _, args := range calls {
		w.call(args...).want(t, exitUnknown, "KUBECONFIG names does not exist")
	}
	t.Setenv("KUBECONFIG", missing+string(filepath.ListSeparator)+kubeconfig) // as kubectl takes it
	w.call("plan", "-f", manifest).want(t, exitNo, "1 to create")
	withoutCluster(t)
	w.call("plan", "-f", manifest).want(t, exitNo, "1 to create", "No cluster is configured: this goes on without one.")
}
