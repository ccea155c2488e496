// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/internal/conformance"
)

type conformanceOptions struct {
	conformance.Options
	yes    string
	dryRun bool
}

func (a *app) conformance() *cobra.Command {
	var o conformanceOptions
	cmd := &cobra.Command{
		Use:   "conformance --ingest-domain D",
		Short: "Find out how the real cloud behaves where its documentation leaves it open",
		Long: "Find out how the real cloud behaves where its documentation leaves it open. It writes to the domains, takes a copy first, and restores it in any case.\n\n" +
			"Use domains that nobody needs: while it runs their callbacks go nowhere, and switchNotifyURL, which cannot be read, is lost.",
		Example: "  # Without any write:\n  " + a.name + " conformance --ingest-domain push-test.example.com --read-only\n\n" +
			"  # All of it, as a table for an issue:\n  " + a.name + " conformance --ingest-domain push-test.example.com -o markdown",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doConformance(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.Ingest, "ingest-domain", "", "Ingest domain to try on.")
	f.StringVar(&o.Streaming, "streaming-domain", "", "Main streaming domain to try on.")
	f.StringVar(&o.AppID, "app-id", "", "RTC application to try on.")
	f.StringSliceVar(&o.Points, "point", nil, "Only these points: "+strings.Join(conformance.Points(), ", ")+".")
	f.BoolVar(&o.ReadOnly, "read-only", false, "Write nothing; fewer points can be tried.")
	dryRunFlag(cmd, &o.dryRun, "Say what would be tried.")
	f.StringVar(&o.yes, "yes", "", "The ingest domain once more, in place of typing it.")
	a.outputFlag(cmd, "markdown", "emulator-flags")
	return cmd
}

func (a *app) doConformance(ctx context.Context, o conformanceOptions) error {
	if o.Ingest == "" {
		return usage("--ingest-domain: name a domain that nobody needs")
	}
	for _, p := range o.Points {
		if err := oneOf("point", p, conformance.Points()...); err != nil {
			return err
		}
	}
	cluster, clouds, err := a.connect(ctx, false)
	if err != nil {
		return err
	}
	if cluster != nil {
		if err := a.free(ctx, cluster, o); err != nil {
			return err
		}
	}
	account, err := clouds.Default(ctx)
	if err != nil {
		return err
	}
	if err := a.consent(ctx, o); err != nil {
		return err
	}
	if o.dryRun {
		return a.showConformance(conformance.Foretell(o.Options))
	}
	o.Sleep, o.Patience = a.sleep, clouds.Patience
	o.Restoring = func() {
		fmt.Fprintln(a.err, "Interrupted: what was there before is being restored, which may take two minutes. To interrupt again would leave it undone.")
	}
	r, err := conformance.Run(ctx, account.Client, o.Options)
	if shown := a.showConformance(r); shown != nil && err == nil {
		return shown
	}
	if e, ok := errors.AsType[*conformance.Error](err); ok {
		for _, line := range e.Was {
			fmt.Fprintln(a.err, line)
		}
		err = because(e.Cause, "%s", e.Message)
	}
	if !o.ReadOnly && r.Summary.Restored {
		fmt.Fprintln(a.err, "What was there before is there again: it was read.")
	}
	switch {
	case err != nil:
		return err
	case len(r.Errors) > 0:
		return errTold
	case r.Summary.Unknown > 0:
		return errNo
	}
	return nil
}

// free refuses a domain that an object of the cluster manages.
func (a *app) free(ctx context.Context, c client.Client, o conformanceOptions) error {
	subjects, err := all(ctx, c, "", selection{all: true})
	if err != nil {
		return err
	}
	for _, s := range subjects {
		if key := s.Kind.Key(s.Object); key == o.Ingest || key == o.Streaming || key == o.AppID {
			return usage("%s is managed by %s: use another one", key, referred(s.Kind.Name, s.Object.GetNamespace(), s.Object.GetName()))
		}
	}
	return nil
}

// consent has the domain typed, where something is written.
func (a *app) consent(ctx context.Context, o conformanceOptions) error {
	if o.ReadOnly {
		return nil
	}
	fmt.Fprintf(a.err, "Conformance writes to %s for about a minute. Callbacks go nowhere meanwhile, and a switchNotifyURL, which cannot be read, is lost.\n",
		strings.Trim(o.Ingest+" "+o.Streaming, " "))
	switch {
	case o.dryRun, o.yes == o.Ingest:
		return nil
	case o.yes != "":
		return usage("--yes names another domain than --ingest-domain. Nothing was done")
	}
	typed, err := a.ask(ctx, "Type the ingest domain to go on:")
	if err != nil {
		return err
	}
	if typed != o.Ingest {
		fmt.Fprintln(a.err, "Nothing was done.")
		return errNo
	}
	return nil
}

func conformanceView() view[conformance.Item] {
	return view[conformance.Item]{
		head: []string{"POINT", "BRANCH", "CAME", "OPERATOR"}, wide: []string{"SENT", "EMULATOR FLAG"},
		row: func(i conformance.Item) []string {
			return []string{i.Point, i.Branch, i.Came, i.Operator, i.Sent, orDash(i.EmulatorFlag)}
		},
		name: func(i conformance.Item) string { return i.Point },
	}
}

func (a *app) showConformance(r *conformance.Report) error {
	text := ""
	switch a.output {
	case "markdown":
		text = conformance.Markdown(r)
	case "emulator-flags":
		text = conformance.EmulatorFlags(r)
	default:
		return show(a, r, conformanceView())
	}
	if _, err := fmt.Fprint(a.out, text); err != nil {
		return errOutput
	}
	return nil
}
