// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// figures are what one run of the scenario measured.
type figures struct {
	Mode     string
	Objects  int
	QPSScale float64
	Throttle string

	Converge         []converged
	InSyncSeconds    float64 // from the first object until all were read back
	ThrottledReplies int
	BacklogEdit      latency
	IdleEdit         latency
	Steady           *steady `json:",omitempty"`
	Restart          *restarted
	Failing          *rejects `json:",omitempty"`
	ResidentMiB      float64
}

// converged is how long the writes of a kind took, beside what the quota share
// of 80 % allows.
type converged struct {
	Kind                         string
	Writes                       int
	Seconds, BoundSeconds, Ratio float64
}

// latency is from an edit to the write in the cloud.
type latency struct {
	Samples              int
	P50Millis, P99Millis float64
	MaxMillis            float64
}

type steady struct {
	Minutes                                 float64
	ReadsPerObjectHour, ReadsByInterval     float64
	RecordsPerObjectHour, RecordsByInterval float64
	CloudWrites                             int
	APIServerWrites                         float64
	CPUPercent                              float64 // of one core
	CPUMillisPerReconcile                   float64
}

type restarted struct {
	Reads           int // of configurations, in the first minute
	ReadsByInterval float64
	Refused         int     // replies that were errors
	EditSeconds     float64 // until a spec that changed meanwhile was written
	NewSeconds      float64 // until an object that was created meanwhile was
}

type rejects struct {
	Objects, FirstWrites, CallsInNextMinute int
	QuotaPercent                            float64
	Edit                                    latency
}

// medians returns figures each of which is the median of those of the runs; the
// lower one of an even number.
func medians(runs []*figures) *figures {
	var values []reflect.Value
	for _, f := range runs {
		values = append(values, reflect.ValueOf(f))
	}
	return medianOf(values).Interface().(*figures)
}

// medianOf takes the median of each number in values of the same shape. What is
// no number is that of the first.
func medianOf(values []reflect.Value) reflect.Value {
	first := values[0]
	result := reflect.New(first.Type()).Elem()
	of := func(part func(reflect.Value) reflect.Value) reflect.Value {
		var parts []reflect.Value
		for _, v := range values {
			parts = append(parts, part(v))
		}
		return medianOf(parts)
	}
	switch {
	case first.CanInt():
		slices.SortFunc(values, func(a, b reflect.Value) int { return cmp.Compare(a.Int(), b.Int()) })
		return values[(len(values)-1)/2]
	case first.CanFloat():
		slices.SortFunc(values, func(a, b reflect.Value) int { return cmp.Compare(a.Float(), b.Float()) })
		return values[(len(values)-1)/2]
	case first.Kind() == reflect.Struct:
		for i := range first.NumField() {
			result.Field(i).Set(of(func(v reflect.Value) reflect.Value { return v.Field(i) }))
		}
		return result
	case first.Kind() == reflect.Slice:
		for i := range first.Len() {
			result = reflect.Append(result, of(func(v reflect.Value) reflect.Value { return v.Index(i) }))
		}
		return result
	case first.Kind() == reflect.Pointer && !first.IsNil():
		result = reflect.New(first.Type().Elem())
		result.Elem().Set(of(reflect.Value.Elem))
		return result
	default:
		return first
	}
}

func quantiles(samples []time.Duration) latency {
	slices.Sort(samples)
	at := func(q float64) float64 {
		// The nearest rank: the least sample that so many are not above.
		i := min(int(q*float64(len(samples))), len(samples)-1)
		return float64(samples[i].Microseconds()) / 1000
	}
	return latency{Samples: len(samples), P50Millis: at(.5), P99Millis: at(.99), MaxMillis: at(1)}
}

func (l latency) String() string {
	return fmt.Sprintf("%.1f / %.1f / %.1f ms (%d edits)", l.P50Millis, l.P99Millis, l.MaxMillis, l.Samples)
}

// table shows the runs side by side.
func table(runs []*figures) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := func(name string, cell func(*figures) string) {
		cells := []string{name}
		for _, f := range runs {
			cells = append(cells, cell(f))
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	first := runs[0]
	row(fmt.Sprintf("%d objects, limits x %g, %s", first.Objects, first.QPSScale, first.Throttle), func(f *figures) string { return f.Mode })
	for i, c := range first.Converge {
		row("converge "+c.Kind, func(f *figures) string {
			c := f.Converge[i]
			return fmt.Sprintf("%d writes in %.1f s = %.3f x bound of %.1f s", c.Writes, c.Seconds, c.Ratio, c.BoundSeconds)
		})
	}
	row("all read back after", func(f *figures) string { return fmt.Sprintf("%.1f s", f.InSyncSeconds) })
	row("throttled replies until then", func(f *figures) string { return fmt.Sprint(f.ThrottledReplies) })
	row("edit to cloud write, backlog (p50/p99/max)", func(f *figures) string { return f.BacklogEdit.String() })
	row("edit to cloud write, idle (p50/p99/max)", func(f *figures) string { return f.IdleEdit.String() })
	if first.Steady != nil {
		row(fmt.Sprintf("steady %.1f min: reads per object and hour", first.Steady.Minutes), func(f *figures) string {
			return fmt.Sprintf("%.2f (intervals: %.2f)", f.Steady.ReadsPerObjectHour, f.Steady.ReadsByInterval)
		})
		row("  record queries per object and hour", func(f *figures) string {
			return fmt.Sprintf("%.2f (intervals: %.2f)", f.Steady.RecordsPerObjectHour, f.Steady.RecordsByInterval)
		})
		row("  writes to cloud / API server", func(f *figures) string {
			return fmt.Sprintf("%d / %.0f", f.Steady.CloudWrites, f.Steady.APIServerWrites)
		})
		row("  CPU", func(f *figures) string {
			return fmt.Sprintf("%.1f %% of a core, %.2f ms per reconcile", f.Steady.CPUPercent, f.Steady.CPUMillisPerReconcile)
		})
	}
	row("restart: configuration reads in 1 min", func(f *figures) string {
		return fmt.Sprintf("%d (intervals: %.0f), %d refused", f.Restart.Reads, f.Restart.ReadsByInterval, f.Restart.Refused)
	})
	row("  changed / new object written after", func(f *figures) string {
		return fmt.Sprintf("%s / %s", after(f.Restart.EditSeconds), after(f.Restart.NewSeconds))
	})
	if first.Failing != nil {
		row(fmt.Sprintf("%d rejected objects: writes, calls a minute later", first.Failing.Objects), func(f *figures) string {
			return fmt.Sprintf("%d (%.2f %% of 30 min of quota), %d", f.Failing.FirstWrites, f.Failing.QuotaPercent, f.Failing.CallsInNextMinute)
		})
		row("  edit to cloud write beside them", func(f *figures) string { return f.Failing.Edit.String() })
	}
	row("resident memory", func(f *figures) string { return fmt.Sprintf("%.0f MiB", f.ResidentMiB) })
	_ = w.Flush() // into a strings.Builder
	return text.String()
}

// after is a time since a start that may not have come.
func after(seconds float64) string {
	if seconds == 0 {
		return "not within 1 min"
	}
	return fmt.Sprintf("%.2f s", seconds)
}
