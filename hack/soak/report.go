// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// report is what the soak found.
type report struct {
	Objects, Kills, Samples int
	Done                    map[string]int
	Reads, Records, Writes  int   // calls to the cloud
	Callbacks               int64 // that receivers got
	SettledSeconds          float64
	Growth                  []growth
	Secrets, Events         int
	LogMiB                  float64
	LoggedErrors            int
	Violations              []string
}

func (r *report) violate(format string, args ...any) {
	r.Violations = append(r.Violations, fmt.Sprintf(format, args...))
}

// String shows the figures, and the violations last.
func (r *report) String() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("objects", "%d", r.Objects)
	events, faults := 0, 0
	for _, what := range slices.Sorted(maps.Keys(r.Done)) {
		row("  "+what, "%d", r.Done[what])
		if strings.HasPrefix(what, "fault: ") {
			faults += r.Done[what]
		} else {
			events += r.Done[what]
		}
	}
	row("events, faults, kills", "%d, %d, %d", events, faults, r.Kills)
	row("reads, record queries, writes", "%d, %d, %d", r.Reads, r.Records, r.Writes)
	row("callbacks that receivers got", "%d", r.Callbacks)
	row("all was well after", "%.0f s", r.SettledSeconds)
	for _, g := range r.Growth {
		row(g.Figure+", early and late", "%.1f, %.1f (at most %.1f)", g.Early, g.Late, g.Most)
	}
	if r.Growth == nil {
		row("growth", "not judged: the last process did not live long enough")
	}
	row("secrets that were looked for", "%d, in %.1f MiB of log, %d events and all objects", r.Secrets, r.LogMiB, r.Events)
	row("errors in the log", "%d", r.LoggedErrors)
	row("violations", "%d", len(r.Violations))
	_ = w.Flush() // into a strings.Builder
	for _, v := range r.Violations {
		fmt.Fprintln(&text, "  "+v)
	}
	return text.String()
}
