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

	"github.com/live-notify/live-notify-operator/internal/failures"
	"github.com/live-notify/live-notify-operator/internal/planning"
	"github.com/live-notify/live-notify-operator/internal/report"
	"github.com/live-notify/live-notify-operator/internal/words"
)

// recordFlags select callback records.
type recordFlags struct {
	since       time.Duration
	from, to    string
	typed       string
	app, stream string
	url, reason string
}

func (r *recordFlags) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.DurationVar(&r.since, "since", time.Hour, "How far back, such as 1h; the cloud has records of 7 days.")
	f.StringVar(&r.from, "from", "", "From when on, as 2026-01-02T15:04:05Z, in place of --since.")
	f.StringVar(&r.to, "to", "", "Until when; default now.")
	f.StringVar(&r.typed, "type", "", "Only callbacks of this type, such as publish_done.")
	f.StringVar(&r.app, "app", "", "Only of streams of this application (AppName).")
	f.StringVar(&r.stream, "stream", "", "Only of streams of this name.")
	f.StringVar(&r.url, "url", "", "Only to URLs that match, such as '*hooks.example.com*'.")
	f.StringVar(&r.reason, "reason", "", "Only for reasons that match, such as '*timeout*'.")
}

// query returns what the flags select.
func (r *recordFlags) query(cmd *cobra.Command) (failures.Query, error) {
	q := failures.Query{Type: r.typed, App: r.app, Stream: r.stream, URL: r.url, Reason: r.reason}
	if err := q.Check(); err != nil {
		return q, usage("%s", err)
	}
	now, err := time.Now(), error(nil)
	if q.To = now; r.to != "" {
		if q.To, err = time.Parse(time.RFC3339, r.to); err != nil {
			return q, usage("--to %q: want a time such as 2026-01-02T15:04:05Z", r.to)
		}
	}
	if r.from != "" {
		if cmd.Flags().Changed("since") {
			return q, usage("give --since or --from, not both")
		}
		if q.From, err = time.Parse(time.RFC3339, r.from); err != nil {
			return q, usage("--from %q: want a time such as 2026-01-02T15:04:05Z", r.from)
		}
	} else {
		q.From = q.To.Add(-r.since)
	}
	switch {
	case q.From.After(now):
		return q, usage("the span begins in the future, of which nothing is recorded")
	case !q.From.Before(q.To):
		return q, usage("the span is empty: it has to begin before it ends")
	case now.Sub(q.To) > 7*24*time.Hour:
		return q, usage("the cloud keeps records for 7 days: nothing is left of this span")
	case q.To.After(now):
		q.To = now // more is not known yet
	}
	// Records have whole seconds, and the end is exclusive.
	q.From, q.To = q.From.Truncate(time.Second), q.To.Truncate(time.Second).Add(time.Second)
	return q, nil
}

type failuresOptions struct {
	selection
	recordFlags
	groupBy              string
	limit                int
	content, watch, fail bool
}

func (a *app) failures() *cobra.Command {
	var o failuresOptions
	cmd := &cobra.Command{
		Use:   "failures [TYPE/NAME ...]",
		Short: "List failed callbacks from the cloud's records, newest first",
		Example: "  # Of the last hour, of all objects:\n  " + a.name + " failures -A\n\n" +
			"  # What goes wrong at one domain, most frequent first:\n  " + a.name + " failures lnc/push-example-com --since 24h --group-by reason",
		ValidArgsFunction: a.completeObjects,
		RunE: func(cmd *cobra.Command, args []string) error {
			q, err := o.query(cmd)
			if err != nil {
				return err
			}
			return a.doFailures(cmd.Context(), o, q, args)
		},
	}
	o.selection.flags(cmd)
	o.recordFlags.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.groupBy, "group-by", "", "Count by one of "+strings.Join(failures.GroupBy, ", ")+".")
	f.IntVar(&o.limit, "limit", 100, "How many to show; 0 for all.")
	f.BoolVar(&o.content, "content", false, "Add the content of callbacks, which may hold tokens.")
	f.BoolVarP(&o.watch, "watch", "w", false, "Go on with those that come.")
	f.BoolVar(&o.fail, "fail", false, "Exit with 1 if there is any.")
	a.outputFlag(cmd, "jsonl")
	return cmd
}

func (a *app) doFailures(ctx context.Context, o failuresOptions, q failures.Query, args []string) error {
	if o.limit < 0 {
		return usage("--limit must not be negative")
	}
	if err := oneOf("group-by", o.groupBy, failures.GroupBy...); o.groupBy != "" && err != nil {
		return err
	}
	c, clouds, err := a.connect(ctx, true)
	if err != nil {
		return err
	}
	subjects, err := a.subjects(ctx, c, o.selection, args)
	if err != nil {
		return err
	}
	q.Limit, q.WithContent, q.WithResponse, q.Keys = o.limit, o.content, a.output != "table", planning.KeysFrom(secretsOf(c))
	if o.groupBy != "" {
		q.Limit = 0
	}
	r, err := failures.List(ctx, clouds, subjects, q)
	if err != nil {
		return err
	}
	if o.watch {
		return a.watchFailures(ctx, r, q, func(q failures.Query) (*failures.Report, error) { return failures.List(ctx, clouds, subjects, q) })
	}
	return a.showFailures(c, r, o, subjects, args)
}

func (a *app) showFailures(c client.Client, r *failures.Report, o failuresOptions, subjects []planning.Subject, args []string) error {
	if o.groupBy != "" {
		r.Summary.Groups = failures.Grouped(r.Items, o.groupBy)
		r.Items, r.Summary.Shown = []failures.Item{}, 0
	}
	var err error
	if o.groupBy != "" && a.output != "json" && a.output != "yaml" {
		err = a.showGroups(r, o.groupBy)
	} else {
		err = show(a, r, failuresView())
	}
	if err != nil {
		return err
	}
	most := ""
	if r.Summary.AtLeast {
		most = "at least "
	}
	switch {
	case len(r.Errors) > 0:
	case len(subjects) == 0:
		a.nothing(c, o.selection, args)
	case r.Summary.Failed == 0:
		fmt.Fprintf(a.err, "No failed callback of %s that is asked for, from %s to %s. Look further back with --since, or select more.\n",
			words.Count(len(subjects), "object"), r.Summary.From.Format(time.RFC3339), r.Summary.To.Format(time.RFC3339))
	case o.groupBy == "":
		fmt.Fprintf(a.err, "%s of %s%s shown.\n", thousands(r.Summary.Shown), most, thousands(r.Summary.Failed))
	}
	switch {
	case len(r.Errors) > 0:
		return errTold
	case o.fail && r.Summary.Failed > 0:
		return errNo
	}
	return nil
}

func groupsView(by string) view[failures.Group] {
	return view[failures.Group]{
		head: []string{"FAILED", "LAST", strings.ToUpper(by)},
		row: func(g failures.Group) []string {
			return []string{thousands(g.Failed), g.Last.Format(time.RFC3339), orDash(g.Value)}
		},
		name: func(g failures.Group) string { return g.Value },
	}
}

func (a *app) showGroups(r *failures.Report, by string) error {
	grouped := report.New[struct{}, failures.Group](r.Kind)
	grouped.Items, grouped.Warnings, grouped.Errors = r.Summary.Groups, r.Warnings, r.Errors
	return show(a, grouped, groupsView(by))
}

// every is how often new failures are looked for.
const every = 10 * time.Second

// watchFailures shows what there is, oldest first, and goes on with what comes.
func (a *app) watchFailures(ctx context.Context, r *failures.Report, q failures.Query, list func(failures.Query) (*failures.Report, error)) error {
	shown := map[string]bool{}
	for {
		slices.Reverse(r.Items)
		r.Items = slices.DeleteFunc(r.Items, func(i failures.Item) bool { return shown[i.Delivery] })
		v := failuresView()
		if len(shown) > 0 {
			v.bare = true
		}
		for _, i := range r.Items {
			shown[i.Delivery] = true
		}
		if len(r.Items) > 0 || len(r.Errors) > 0 {
			if err := show(a, r, v); err != nil {
				return err
			}
		}
		if err := a.sleep(ctx, every); err != nil {
			return err
		}
		// A record may come late by a minute.
		q.From, q.To = q.To.Add(-time.Minute), time.Now().Truncate(time.Second).Add(time.Second)
		var err error
		if r, err = list(q); err != nil {
			return err
		}
	}
}

func failuresView() view[failures.Item] {
	return view[failures.Item]{
		head: []string{"TIME", "OBJECT", "TYPE", "STREAM", "URL", "REASON"}, wide: []string{"ANSWER", "DELIVERY"},
		row: func(i failures.Item) []string {
			reason := i.Reason
			if i.HTTPStatus != 0 {
				reason = fmt.Sprintf("HTTP status %d", i.HTTPStatus)
			}
			return []string{
				i.Time.Format(time.RFC3339), strings.ToLower(i.Kind) + "/" + i.Name, i.Type, orDash(strings.Trim(i.App+"/"+i.Stream, "/")), i.URL, reason,
				orDash(i.Response), i.Delivery,
			}
		},
		name: func(i failures.Item) string { return i.Delivery },
	}
}

// many returns how many of something there are, as people read it.
func many(n int, noun string) string { return thousands(n) + " " + words.Plural(n, noun) }

// thousands writes a number as people read it.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
