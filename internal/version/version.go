// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package version says which build a program is. What the linker sets in "make
// build" and in the Dockerfile are the variables of prometheus/common/version.
package version

import (
	"fmt"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	collector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
)

// Of returns the version: that of the linker, or of "go install module@version", or
// dev.
func Of() string {
	if version.Version != "" {
		return version.Version
	}
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "" && build.Main.Version != "(devel)" {
		return build.Main.Version
	}
	return "dev"
}

// Commit returns the revision that was built; "unknown" if nobody knows.
func Commit() string { return version.GetRevision() }

// GoVersion and Platform are what the program was built with, and for.
var (
	GoVersion = version.GoVersion
	Platform  = version.GoOS + "/" + version.GoArch
)

// Line returns what --version prints of a program.
func Line(program string) string {
	return fmt.Sprintf("%s %s (commit %s, %s, %s)", program, Of(), Commit(), GoVersion, Platform)
}

// Collectors returns the metric live_notify_build_info, for a registry.
func Collectors() []prometheus.Collector {
	version.Version = Of()
	return []prometheus.Collector{collector.NewCollector("live_notify")}
}
