// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// An import that cannot be confirmed, or is not, writes nothing at all; and a directory
// that cannot be made is told before the account is read.
func TestImportWritesNothingBeforeItMay(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	w.cloud.SetStreamConfig("push.example.com", emulator.StreamConfig{NotifyURL: "https://hooks.example.com/", Auth: true, AuthKey: streamKey})
	dir := filepath.Join(t.TempDir(), "out")
	nothing := func(what string) {
		t.Helper()
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: there is a directory, or %v", what, err)
		}
	}
	args := []string{"import", "--kind", "lnc", "--keys-to-cluster", "--output-dir", dir}
	w.call(args...).want(t, exitUsage, "--yes", "Nothing was done")
	nothing("without a terminal")
	w.callBy(callOptions{terminal: true, in: strings.NewReader("n\n")}, args...).want(t, exitNo, "Nothing was done")
	nothing("with a no")
	w.call(append(args, "--dry-run")...).want(t, exitYes, "1 Secret in namespace", "(new)")
	nothing("in a dry run")
	got := w.call("import", "--kind", "lnc", "--keys-to-cluster")
	if got.want(t, exitUsage, "--yes"); got.out != "" {
		t.Errorf("stdout has:\n%s", got.out)
	}
	w.callBy(callOptions{terminal: true, in: strings.NewReader("y\n")}, args...).want(t, exitYes, "Wrote 1 Secret.")
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("got %v, %v, want one file", files, err)
	}
	again := []string{"import", "--kind", "lnc", "--keys-to-cluster", "--dry-run"}
	w.call(again...).want(t, exitYes, "(same)")
	w.cloud.SetStreamConfig("push.example.com", emulator.StreamConfig{NotifyURL: "https://hooks.example.com/", Auth: true, AuthKey: streamKey + "2"})
	w.call(again...).want(t, exitYes, "(replaces another key)")
	file := w.file("file", "")
	w.cloud.Inject(emulator.Fault{Code: "Forbidden.RAM", Status: http.StatusForbidden}) // nobody asks
	w.call("import", "--output-dir", filepath.Join(file, "below")).want(t, exitUsage, "--output-dir")
	w.call("import", "--output-dir", "/proc/live-notify").want(t, exitUsage, "--output-dir")
}
