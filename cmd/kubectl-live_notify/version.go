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
			if a.output == "table" || a.output == "wide" || a.output == "name" {
				if _, err := fmt.Fprintln(a.out, version.Line("live-notify")); err != nil {
					return errOutput
				}
				return nil
			}
			r := report.New[report.Build, struct{}]("Version")
			r.Summary = report.Build{Version: version.Of(), Commit: version.Commit(), GoVersion: version.GoVersion, Platform: version.Platform}
			return show(a, r, view[struct{}]{})
		},
	}
	a.outputFlag(cmd)
	return cmd
}
