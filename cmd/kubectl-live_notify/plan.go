// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/internal/importing"
	"github.com/live-notify/live-notify-operator/internal/planning"
)

type planOptions struct {
	files
	selection
	showInSync, unmanaged bool
}

func (a *app) plan() *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan [-f FILE|DIR|- [-R]] [-k DIR] [TYPE/NAME ...]",
		Short: "Show what the operator would do now, without doing it",
		Example: "  # For the manifests of a directory, before they are applied:\n  " + a.name + " plan -f manifests/\n\n" +
			"  # For all objects of the cluster, as a comment of a pull request:\n  " + a.name + " plan -A -o markdown",
		ValidArgsFunction: a.completeObjects,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.doPlan(cmd.Context(), o, args) },
	}
	a.outputFlag(cmd, "jsonl", "markdown")
	o.flags(cmd)
	f := cmd.Flags()
	f.StringSliceVarP(&o.Filenames, "filename", "f", nil, "Manifests: a file, a directory, a URL, or - for stdin.")
	f.StringVarP(&o.Kustomize, "kustomize", "k", "", "Manifests of a kustomization.")
	f.BoolVarP(&o.Recursive, "recursive", "R", false, "Read directories of -f with all below.")
	f.BoolVar(&o.showInSync, "show-in-sync", false, "Show also what is in sync.")
	f.BoolVar(&o.unmanaged, "unmanaged", false, "Show also configured domains that no object names.")
	return cmd
}

// check refuses what does not go together.
func (o planOptions) check(args []string) error {
	switch {
	case o.given() && len(args) > 0:
		return usage("give manifests or TYPE/NAME, not both")
	case o.Kustomize != "" && (len(o.Filenames) > 0 || o.Recursive):
		return usage("give -f or -k, not both; -R goes with -f")
	case o.given() && o.all:
		return usage("-A is for objects of the cluster, and a manifest says its namespace itself: leave -A out")
	}
	return nil
}

func (a *app) doPlan(ctx context.Context, o planOptions, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	cluster, clouds, err := a.connect(ctx, !o.given())
	if err != nil {
		return err
	}
	m := &manifests{}
	var subjects []planning.Subject
	var warnings []string
	if o.given() {
		if m, err = unless(ctx, func() (*manifests, error) { return a.read(ctx, o.files, o.selector) }); err != nil {
			return err
		}
		subjects, warnings, err = m.subjects(ctx, cluster)
	} else {
		subjects, err = a.subjects(ctx, cluster, o.selection, args)
	}
	if err != nil {
		return err
	}
	p := &planning.Planner{Clouds: clouds, Keys: m.keys(cluster), Now: time.Now}
	if cluster != nil {
		warning, err := a.surround(ctx, cluster, p)
		if err != nil {
			return err
		}
		warnings = append(warnings, warning...)
		if a.account == "" {
			if warning, err = m.ahead(ctx, cluster, subjects); err != nil {
				return err
			}
			warnings = append(warnings, warning...)
		}
	} else if slices.ContainsFunc(subjects, func(s planning.Subject) bool { spec, _ := s.Object.Callback(); return spec.AccountRef != nil }) {
		warnings = append(warnings, "there is no cluster to read LiveAccounts from: the vendor's default credentials are used for all")
	}
	p.Policies = m.over(p.Policies)
	step, done := a.progress(len(subjects), "planning")
	p.Progress = step
	r, err := p.Plan(ctx, subjects)
	done()
	if err != nil {
		return err
	}
	for _, w := range warnings {
		r.Warn(w)
	}
	if o.unmanaged {
		if err := importing.Unmanaged(ctx, clouds, r, slices.Concat(subjects, p.Objects)); err != nil {
			return err
		}
	}
	if len(subjects) == 0 && !o.given() {
		a.nothing(cluster, o.selection, args)
	}
	return a.showPlan(r, o)
}

// surround tells a planner of the accounts and objects of the cluster, as far as they
// may be seen.
func (a *app) surround(ctx context.Context, c client.Client, p *planning.Planner) (warnings []string, err error) {
	if p.Accounts, err = accounts(ctx, c); err != nil {
		return nil, err
	}
	if p.Policies, err = a.policies(ctx, c, selection{all: true}); err != nil {
		if p.Policies, err = a.policies(ctx, c, selection{}); err != nil {
			warnings = append(warnings, "LiveRolloutPolicies may not be listed: what they make of a change is not told")
		}
	}
	if p.Objects, err = all(ctx, c, "", selection{all: true}); err == nil {
		return warnings, nil
	}
	p.Objects, err = all(ctx, c, namespaceOf(a), selection{})
	return append(warnings, "not all namespaces may be listed: an object elsewhere that comes first is not seen"), err
}

func namespaceOf(a *app) string {
	namespace, _ := a.namespace()
	return namespace
}

func (a *app) showPlan(r *planning.Report, o planOptions) error {
	if !o.showInSync {
		r.Items = slices.DeleteFunc(r.Items, func(i planning.Item) bool { return i.Change == planning.InSync })
	}
	if a.output == "markdown" {
		if _, err := fmt.Fprint(a.out, planning.Markdown(r)); err != nil {
			return errOutput
		}
	} else if err := show(a, r, a.planView()); err != nil {
		return err
	}
	s := r.Summary
	switch others := s.Create + s.Change + s.Remove + s.Blocked + s.Unknown + s.Unmanaged; {
	case others+s.InSync == 0 && o.given() && o.selector != "":
		fmt.Fprintln(a.err, "The manifests hold no object of the callback kinds with the labels of -l. Look at the labels, or leave -l out.")
	case others+s.InSync == 0 && o.given():
		fmt.Fprintln(a.err, "The manifests hold no object of the callback kinds. Are they the right files? -R reads the directories below, too.")
	case others == 0 && s.InSync > 0 && !o.showInSync:
		fmt.Fprintln(a.err, "Nothing is to be done: --show-in-sync shows what is in sync.")
	}
	fmt.Fprintln(a.err, planning.Line(r.Summary))
	switch {
	case r.Summary.Unknown > 0:
		return errTold
	case r.Summary.Changes():
		return errNo
	}
	return nil
}

// colours of the signs.
var colours = map[planning.Change]string{
	planning.Create: "32", planning.Update: "33", planning.Remove: "31", planning.Blocked: "35", planning.Unknown: "31",
}

func (a *app) planView() view[planning.Item] {
	coloured := a.colour(a.out)
	return view[planning.Item]{
		head: []string{"", "OBJECT", "KEY", "REASON"}, wide: []string{"ACTION", "MESSAGE"},
		row: func(i planning.Item) []string {
			sign := string(i.Change)
			reason := ""
			if i.Change == planning.Blocked || i.Change == planning.Unknown {
				reason = i.Reason
			}
			return []string{sign, strings.ToLower(i.Kind) + "/" + i.Name + " (" + orDash(i.Namespace) + ")", i.Key, reason, i.Action, i.Message}
		},
		below: func(i planning.Item) []string {
			var lines []string
			for _, f := range i.Fields {
				line := oneLine(fmt.Sprintf("%s: %s -> %s", f.Name, quoted(f.Have), quoted(f.Want)))
				if coloured && colours[i.Change] != "" {
					line = "\x1b[" + colours[i.Change] + "m" + line + "\x1b[0m"
				}
				lines = append(lines, line)
			}
			if i.Message != "" && (i.Change == planning.Blocked || i.Change == planning.Unknown) {
				lines = append(lines, oneLine(i.Message))
			}
			for _, note := range i.Notes {
				lines = append(lines, oneLine(note))
			}
			return lines
		},
		name: func(i planning.Item) string { return strings.ToLower(i.Kind) + "/" + i.Name },
	}
}

// quoted shows an empty value as such.
func quoted(s string) string {
	if s == "" {
		return "(empty)"
	}
	return s
}
