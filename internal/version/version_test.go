// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package version

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestMetric(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(Collectors()...)
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || len(families[0].GetMetric()) != 1 {
		t.Fatalf("got %v, %v, want one series", families, err)
	}
	series := families[0].GetMetric()[0]
	for _, label := range series.GetLabel() {
		if label.GetName() == "version" && label.GetValue() == "" {
			t.Error("the version is empty")
		}
	}
	if name := families[0].GetName(); name != "live_notify_build_info" || series.GetGauge().GetValue() != 1 {
		t.Errorf("%s is %v", name, series)
	}
}

// TestMake has make build the operator and asks the program. It proves that the
// Makefile names the variables above as the linker knows them.
func TestMake(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("no make")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "live-notify-operator")
	build := exec.CommandContext(t.Context(), "make", bin, "BINARY="+bin, "VERSION=v1.2.3-test", "COMMIT=0123abcd")
	build.Dir = root
	build.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), bin, "--version").CombinedOutput()
	want := "live-notify-operator v1.2.3-test (commit 0123abcd, " + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	if got := strings.TrimSpace(string(out)); err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}
