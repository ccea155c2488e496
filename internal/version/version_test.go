// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package version

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func TestDescribe(t *testing.T) {
	built := func(version, revision string) *debug.BuildInfo {
		build := &debug.BuildInfo{Main: debug.Module{Version: version}}
		if revision != "" {
			build.Settings = []debug.BuildSetting{{Key: "vcs.revision", Value: revision}}
		}
		return build
	}
	cases := map[string]struct {
		version, commit string
		build           *debug.BuildInfo
		want            [2]string
	}{
		"the linker's word goes first":    {"v1.2.3", "abc", built("v9.9.9", "fff"), [2]string{"v1.2.3", "abc"}},
		"go install of a version":         {"", "", built("v1.2.3", ""), [2]string{"v1.2.3", "unknown"}},
		"go build in a checkout":          {"", "", built("v1.2.4-0.2026-abc", "abc"), [2]string{"v1.2.4-0.2026-abc", "abc"}},
		"go build without a repository":   {"", "", built("(devel)", ""), [2]string{"dev", "unknown"}},
		"a binary without any build info": {"", "", nil, [2]string{"dev", "unknown"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			info := describe(c.version, c.commit, c.build)
			if diff := cmp.Diff(c.want, [2]string{info.Version, info.Commit}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMetric(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(Collectors()...)
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || len(families[0].GetMetric()) != 1 {
		t.Fatalf("got %v, %v, want one series", families, err)
	}
	got := map[string]string{}
	for _, label := range families[0].GetMetric()[0].GetLabel() {
		got[label.GetName()] = label.GetValue()
	}
	info := Get()
	want := map[string]string{"version": info.Version, "commit": info.Commit, "go_version": runtime.Version()}
	if diff := cmp.Diff(want, got); diff != "" || families[0].GetMetric()[0].GetGauge().GetValue() != 1 {
		t.Errorf("got %v, %s", families, diff)
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
