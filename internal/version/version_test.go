// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package version

import (
	"os"
	"os/exec"
	"regexp"
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

// flags are those of the linker in what make would run.
var flags = regexp.MustCompile(`-ldflags '([^']*)'`)

// TestMake proves that the Makefile names the variables above as the linker knows
// them: it links a small program as make would link each of ours, and asks it.
func TestMake(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("no make")
	}
	want := "line v1.2.3-test (commit 0123abcd, " + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	for _, target := range []string{"build", "cli"} {
		plan := exec.CommandContext(t.Context(), "make", "--dry-run", target, "VERSION=v1.2.3-test", "COMMIT=0123abcd")
		plan.Dir = "../.."
		plan.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
		out, err := plan.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		links := flags.FindAllSubmatch(out, -1)
		if len(links) == 0 {
			t.Fatalf("make %s tells the linker nothing:\n%s", target, out)
		}
		for _, link := range links {
			out, err := exec.CommandContext(t.Context(), "go", "run", "-ldflags", string(link[1]), "./testdata/line").CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != want {
				t.Errorf("make %s: got %q, %v, want %q", target, got, err, want)
			}
		}
	}
}
