// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/live-notify/live-notify-operator/test/system"
)

// sample is what the operator's process has, and has asked the cloud for, at a
// time.
type sample struct {
	At         time.Time
	Process    int // how many were killed before
	Resident   float64
	Heap       float64
	Goroutines float64
	Files      float64
	// Reads and Records are the calls since the last sample that follow from the
	// intervals, Writes the others.
	Reads, Records, Writes int
}

// rest waits, at most until the end, and takes samples.
func (w *world) rest(ctx context.Context, d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end); {
		system.Pause(ctx, min(time.Second, time.Until(end)))
		if err := errors.Join(w.sample(ctx), ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// sample looks at the operator, and at the calls that it has made, if it is time
// to.
func (w *world) sample(ctx context.Context) error {
	if err := w.Alive(); err != nil {
		return err
	}
	if len(w.samples) > 0 && time.Since(w.samples[len(w.samples)-1].At) < sampling {
		return nil
	}
	s := sample{At: time.Now(), Process: w.kills}
	m, err := w.Metrics(ctx)
	if err != nil {
		return nil //nolint:nilerr // a process that was just started may not serve them yet
	}
	s.Resident = m.ResidentMiB()
	s.Heap = m.Sum("go_memstats_heap_inuse_bytes", nil) / (1 << 20)
	s.Goroutines = m.Sum("go_goroutines", nil)
	s.Files = m.Sum("process_open_fds", nil)
	for _, call := range w.Cloud.CallsSince(w.lastFrom) {
		w.lastFrom++
		switch {
		case system.IsRecords(call.Action):
			s.Records++
		case system.IsRead(call.Action):
			s.Reads++
		default:
			s.Writes++
		}
		if strings.HasPrefix(call.Code, "Throttling") && !call.Fault {
			w.refused++
		}
	}
	w.samples = append(w.samples, s)
	return nil
}

// word is how things are, in a line.
func (w *world) word() string {
	if len(w.samples) == 0 {
		return "no sample yet"
	}
	s := w.samples[len(w.samples)-1]
	reads, records, writes := total(w.samples)
	return fmt.Sprintf("process %d has %.0f MiB, %.0f goroutines, %.0f files; so far %d reads, %d record queries, %d writes, %d refused by the quota",
		s.Process+1, s.Resident, s.Goroutines, s.Files, reads, records, writes, w.refused)
}

// total adds up the calls of samples.
func total(samples []sample) (reads, records, writes int) {
	for _, s := range samples {
		reads, records, writes = reads+s.Reads, records+s.Records, writes+s.Writes
	}
	return reads, records, writes
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

// growths are those of the last process; nil if it did not live long enough to
// tell.
func growths(samples []sample) []growth {
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
	compare := func(figure string, factor, slack float64, of func(sample) float64) growth {
		median := func(part []sample) float64 {
			var values []float64
			for _, s := range part {
				values = append(values, of(s))
			}
			slices.Sort(values)
			return values[len(values)/2]
		}
		g := growth{Figure: figure, Early: median(samples[:third]), Late: median(samples[len(samples)-third:])}
		g.Most = g.Early*factor + slack
		return g
	}
	return []growth{
		compare("resident memory, MiB", 1.15, 10, func(s sample) float64 { return s.Resident }),
		compare("heap in use, MiB", 1.1, 5, func(s sample) float64 { return s.Heap }),
		compare("goroutines", 1.1, 5, func(s sample) float64 { return s.Goroutines }),
		compare("open files", 1.1, 5, func(s sample) float64 { return s.Files }),
		compare("reads per sample", 1.5, 10, func(s sample) float64 { return float64(s.Reads) }),
		compare("record queries per sample", 1.5, 10, func(s sample) float64 { return float64(s.Records) }),
	}
}
