// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// An application that the cloud does not know is a no, also beside one that it knows.
func TestImportOfAnUnknownApplication(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.cloud.AddApp("", "app1")
	w.cloud.SetMPUSub("app1", emulator.MPUSub{CallbackURL: "https://hooks.example.com/mpu"})
	const says = "1 applications not found"
	w.call("import", "--app-id", "nosuch").want(t, exitNo, "0 imported", says, "no such application")
	w.call("import", "--app-id", "nosuch,app1", "-o", "table").want(t, exitNo, "1 imported", says)
	w.call("import", "--app-id", "app1").want(t, exitYes, "1 imported")
}

// A file that someone has edited stays, and is told; one that is the same is no matter.
func TestImportKeepsEditedFiles(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for _, domain := range []string{"a.example.com", "b.example.com"} {
		w.cloud.AddDomain("", domain, emulator.IngestDomain)
		w.cloud.SetStreamConfig(domain, emulator.StreamConfig{NotifyURL: "https://hooks.example.com/"})
	}
	dir := t.TempDir()
	w.call("import", "--output-dir", dir).want(t, exitYes)
	w.call("import", "--output-dir", dir).want(t, exitYes)
	path := filepath.Join(dir, "livenotifyconfigs-a-example-com.yaml")
	if err := os.WriteFile(path, []byte("edited"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{"--dry-run=true", "--dry-run=false"} {
		got := w.call("import", "--output-dir", dir, more).want(t, exitNo, path+" is there, and says something else")
		if strings.Contains(got.err, "b-example-com") {
			t.Errorf("got %s", got.err)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "edited" {
		t.Errorf("got %q, %v", text, err)
	}
}
