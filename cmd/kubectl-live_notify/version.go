// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/live-notify/live-notify-operator/internal/report"
	"github.com/live-notify/live-notify-operator/internal/version"
)

func (a *app) version() *cobra.Command {
	cmd := &cobra.Command{
		Use: "version", Short: "Print which build this is", Args: cobra.NoArgs,
		Example: "  " + a.name + " version -o json",
		RunE: func(*cobra.Command, []string) error {
			build := version.Get()
			if a.output == "table" || a.output == "wide" || a.output == "name" {
				if _, err := fmt.Fprintf(a.out, "live-notify %s (commit %s, %s, %s)\n", build.Version, build.Commit, build.GoVersion, build.Platform); err != nil {
					return errOutput
				}
				return nil
			}
			r := report.New[report.Build, struct{}]("Version")
			r.Summary = report.Build{Version: build.Version, Commit: build.Commit, GoVersion: build.GoVersion, Platform: build.Platform}
			return show(a, r, view[struct{}]{})
		},
	}
	a.outputFlag(cmd)
	return cmd
}
