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

// report is what the soak did, and what it found.
type report struct {
	Minutes                      float64 // in all
	Objects, Accounts, Hostile   int
	Changes, Stops, Kills        int     // of the process that is at work; ours of them
	LeaderlessSeconds            float64 // at most
	Losses                       int     // of processes that ended by themselves
	Samples                      int
	Done                         map[string]int
	Reads, Records, Writes       int // calls to the cloud
	HostileCalls, Throttled      int
	Drifts, RolledBack, Accepted int     // at least
	Concurrent, UnderWay         int     // changes that the policy allowed, and let be under way at most
	Callbacks, FailedCallbacks   int64   // that receivers got
	Counted                      int     // objects whose counts were compared
	APIWrites                    float64 // in the calm
	SettledSeconds               float64
	Lives                        []life
	Growth                       []growth
	Secrets, Events              int
	LogMiB                       float64
	LoggedErrors                 int
	Violations                   []string
}

// String shows the figures, and the violations last.
func (r *report) String() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("minutes", "%.0f", r.Minutes)
	row("objects, accounts, of which hostile", "%d, %d, %d", r.Objects, r.Accounts, r.Hostile)
	events, faults := 0, 0
	for _, what := range slices.Sorted(maps.Keys(r.Done)) {
		row("  "+what, "%d", r.Done[what])
		if strings.HasPrefix(what, "fault: ") {
			faults += r.Done[what]
		} else {
			events += r.Done[what]
		}
	}
	row("events, faults", "%d, %d", events, faults)
	row("ends of the process at work, of which stopped, killed", "%d, %d, %d", r.Changes, r.Stops, r.Kills)
	row("processes that ended by themselves", "%d", r.Losses)
	row("without a leader at most", "%.0f s", r.LeaderlessSeconds)
	row("reads, record queries, writes", "%d, %d, %d", r.Reads, r.Records, r.Writes)
	row("calls for hostile accounts", "%d", r.HostileCalls)
	row("calls that the cloud throttled", "%d", r.Throttled)
	row("drifts that were found, at least", "%d", r.Drifts)
	row("watched changes accepted, rolled back, at least", "%d, %d", r.Accepted, r.RolledBack)
	row("changes that the policy let be under way", "%d (at most %d)", r.UnderWay, r.Concurrent)
	row("callbacks that receivers got, refused", "%d, %d", r.Callbacks, r.FailedCallbacks)
	row("objects whose failures were compared", "%d", r.Counted)
	row("requests that change something, in the calm", "%.0f", r.APIWrites)
	row("all was well after", "%.0f s", r.SettledSeconds)
	for _, l := range r.Lives {
		row(fmt.Sprintf("process %d, for %.0f minutes", l.Process+1, l.Minutes), "%.0f to %.0f MiB, %.0f to %.0f goroutines, %.0f to %.0f files",
			l.Begin.Resident, l.End.Resident, l.Begin.Goroutines, l.End.Goroutines, l.Begin.Files, l.End.Files)
	}
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
