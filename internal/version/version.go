// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package version says which build of the operator this is.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// version and commit are set by the linker in "make build" and in the Dockerfile. A
// build without them says what the go command knows.
var version, commit string

// Info is which build this is.
type Info struct {
	Version, Commit, GoVersion, Platform string
}

// Get returns which build this is.
func Get() Info {
	build, _ := debug.ReadBuildInfo()
	return describe(version, commit, build)
}

func describe(version, commit string, build *debug.BuildInfo) Info {
	info := Info{version, commit, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	if build != nil {
		if info.Version == "" && build.Main.Version != "(devel)" { // as of "go install module@version"
			info.Version = build.Main.Version
		}
		for _, setting := range build.Settings {
			if info.Commit == "" && setting.Key == "vcs.revision" {
				info.Commit = setting.Value
			}
		}
	}
	if info.Version == "" {
		info.Version = "dev"
	}
	if info.Commit == "" {
		info.Commit = "unknown"
	}
	return info
}

// String returns the line that --version prints.
func (i Info) String() string {
	return fmt.Sprintf("live-notify-operator %s (commit %s, %s, %s)", i.Version, i.Commit, i.GoVersion, i.Platform)
}

// Collectors returns the metric of this package, for a registry.
func Collectors() []prometheus.Collector {
	info := Get()
	gauge := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "live_notify_build_info",
		Help: "Always 1; its labels say which build of the operator runs.",
	}, []string{"version", "commit", "go_version"})
	gauge.WithLabelValues(info.Version, info.Commit, info.GoVersion).Set(1)
	return []prometheus.Collector{gauge}
}
