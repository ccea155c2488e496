// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/test/system"
)

// sample is what the operator's process has, and has asked the cloud for, at a
// time.
type sample struct {
	At         time.Time
	Process    int // how many were killed or stopped before
	Resident   float64
	Heap       float64
	Goroutines float64
	Files      float64
	// Reads and Records are the calls since the last sample that follow from the
	// intervals. Those of hostile accounts are not among them.
	Reads, Records int
	Span           time.Duration // since the last sample; 0 for the usual time
	// Drift, RolledBack and Accepted are what the process says that it has met.
	Drift, RolledBack, Accepted float64
}

// rate is how many of its calls there would have been in the usual time.
func (s sample) rate(n int) float64 {
	return float64(n) * float64(sampling) / float64(cmp.Or(s.Span, sampling))
}

// rest waits, at most until the end, and takes samples.
func (w *world) rest(ctx context.Context, d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		system.Pause(ctx, min(time.Second, time.Until(end)))
		w.sample(ctx)
		system.Check(ctx.Err())
	}
}

// sample looks at the operator, and at the calls that it has made, if it is time
// to.
func (w *world) sample(ctx context.Context) {
	switch i := slices.IndexFunc(w.processes, (*system.Operator).Ended); {
	case i >= 0:
		w.lost(ctx, i)
	case !w.leaderOut.IsZero():
		w.succeeded(ctx)
	case len(w.samples) == 0 || time.Since(w.samples[len(w.samples)-1].At) >= sampling:
		w.measure(ctx)
	}
}

// measure takes a sample, unless the process was just started and may not serve its
// metrics yet.
func (w *world) measure(ctx context.Context) {
	s := sample{At: time.Now(), Process: w.Changes}
	if len(w.samples) > 0 { // which is longer on a busy machine
		s.Span = s.At.Sub(w.samples[len(w.samples)-1].At)
	}
	m, err := w.Metrics(ctx)
	if err != nil {
		return
	}
	s.Resident = m.ResidentMiB()
	s.Heap = m.Sum("go_memstats_heap_inuse_bytes", nil) / (1 << 20)
	s.Goroutines = m.Sum("go_goroutines", nil)
	s.Files = m.Sum("process_open_fds", nil)
	of := func(metric, result string) float64 { // of accounts that are not hostile
		return m.Sum(metric, func(l map[string]string) bool { return l["namespace"] == namespace && l["result"] == result })
	}
	s.Drift = of("live_notify_drift_total", "")
	s.RolledBack, s.Accepted = of("live_notify_changes_total", "rolled_back"), of("live_notify_changes_total", "accepted")
	for _, call := range w.Cloud.CallsSince(w.looked) {
		w.look(call, &s)
	}
	w.samples = append(w.samples, s)
	w.paces(ctx)
}

// look adds a call to a sample. It is an error if an account was let at what is
// another's.
func (w *world) look(call emulator.Call, s *sample) {
	w.looked++
	owner, owned := w.owners[call.Key]
	done := call.Status == http.StatusOK && !call.Fault
	if done && (owned && call.Account != owner || call.Action == "AssumeRole") {
		w.violate("%s of %s, which is of %q, was done for %q", call.Action, call.Key, owner, call.Account)
	}
	if isHostile(call.Account) {
		w.HostileCalls++
		return
	}
	switch {
	case system.IsRecords(call.Action):
		s.Records++
		w.Records++
	case system.IsRead(call.Action):
		s.Reads++
		w.Reads++
	default:
		w.Writes++
	}
	if strings.HasPrefix(call.Code, "Throttling") && !call.Fault {
		w.Throttled++
	}
}

// paces fails the soak if the policy has let more changes start than it may.
func (w *world) paces(ctx context.Context) {
	p := w.readPolicy(ctx)
	n, most := len(p.Status.Granted), p.Spec.MaxConcurrent.IntValue()
	if most == w.Concurrent { // it is 1000 in the calm
		w.UnderWay = max(w.UnderWay, n)
	}
	if n > most {
		w.violate("%d changes are under way, of which the policy allows %d", n, most)
	}
}

func (w *world) violate(format string, args ...any) {
	w.Violations = append(w.Violations, fmt.Sprintf(format, args...))
}

// word is how things are, in a line.
func (w *world) word() string {
	if len(w.samples) == 0 {
		return "no sample yet"
	}
	s := w.samples[len(w.samples)-1]
	return fmt.Sprintf("process %d has %.0f MiB, %.0f goroutines, %.0f files; so far %d reads, %d record queries, %d writes, %d throttled, %d violations",
		s.Process+1, s.Resident, s.Goroutines, s.Files, w.Reads, w.Records, w.Writes, w.Throttled, len(w.Violations))
}

// counted adds up what a counter of each process says. An object that is deleted takes
// its part with it, so that this is the least.
func counted(samples []sample, of func(sample) float64) (sum int) {
	for i, s := range samples {
		before := 0.
		if i > 0 && samples[i-1].Process == s.Process {
			before = of(samples[i-1])
		}
		sum += int(max(0, of(s)-before))
	}
	return sum
}

// life is what a process had when it began and when it ended to be at work.
type life struct {
	Process    int
	Minutes    float64
	Begin, End sample
}

func lives(samples []sample) (all []life) {
	for _, s := range samples {
		if len(all) == 0 || all[len(all)-1].Process != s.Process {
			all = append(all, life{Process: s.Process, Begin: s})
		}
		l := &all[len(all)-1]
		l.End, l.Minutes = s, s.At.Sub(l.Begin.At).Minutes()
	}
	return all
}

// growth compares what a figure was early on, and what it was in the end.
type growth struct {
	Figure      string
	Early, Late float64 // medians of the first and the last third
	Most        float64 // that Late may be
}

// warmUp is how long after its start a process is not looked at: caches and pools
// fill.
const warmUp = time.Minute

// judged is how long the last process lives at least, if the soak is longer.
const judged = warmUp + 2*time.Minute

// usual is how many calls there are in a sample, if there is nothing but what the
// intervals call for.
type usual struct{ Reads, Records float64 }

// growths are those of the last process; nil if it did not live long enough to
// tell. Where calls went wrong early on, there were fewer than the intervals call for.
func growths(samples []sample, calls usual) []growth {
	if len(samples) == 0 {
		return nil
	}
	last := samples[len(samples)-1].Process
	first := slices.IndexFunc(samples, func(s sample) bool { return s.Process == last })
	born := samples[first].At
	samples = slices.DeleteFunc(slices.Clone(samples[first:]), func(s sample) bool { return s.At.Sub(born) < warmUp })
	third := len(samples) / 3
	if third < 3 {
		return nil
	}
	compare := func(figure string, factor, slack, least float64, of func(sample) float64) growth {
		median := func(part []sample) float64 {
			var values []float64
			for _, s := range part {
				values = append(values, of(s))
			}
			slices.Sort(values)
			return values[len(values)/2]
		}
		g := growth{Figure: figure, Early: median(samples[:third]), Late: median(samples[len(samples)-third:])}
		g.Most = max(g.Early, least)*factor + slack
		return g
	}
	return []growth{
		compare("resident memory, MiB", 1.15, 10, 0, func(s sample) float64 { return s.Resident }),
		compare("heap in use, MiB", 1.1, 5, 0, func(s sample) float64 { return s.Heap }),
		compare("goroutines", 1.1, 5, 0, func(s sample) float64 { return s.Goroutines }),
		compare("open files", 1.1, 5, 0, func(s sample) float64 { return s.Files }),
		compare("reads per sample", 1.5, 10, calls.Reads, func(s sample) float64 { return s.rate(s.Reads) }),
		compare("record queries per sample", 1.5, 10, calls.Records, func(s sample) float64 { return s.rate(s.Records) }),
	}
}
