// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// steady returns what passes over an object that is in sync, with nothing due, and
// what tells whether a call was made.
func steady(t testing.TB, f fixture) (pass func(), calls func() int) {
	d := simulated(t, f, emulator.Options{})
	d.secret(firstKey)
	d.create("a", d.f.sign)
	d.settle("a")
	d.pass("a") // which counts, if the last one did not
	d.calls()
	pass = func() {
		if _, err := d.try("a"); err != nil {
			t.Fatal(err)
		}
	}
	return pass, func() int {
		reads, writes, records := d.calls()
		return len(reads) + len(writes) + len(records)
	}
}

// BenchmarkSteadyPass is a pass over an object that is in sync, with nothing due.
// Calls to the cloud come on top: BenchmarkCount of internal/live.
func BenchmarkSteadyPass(b *testing.B) {
	for _, f := range fixtures() {
		b.Run(f.name, func(b *testing.B) {
			pass, calls := steady(b, f)
			for b.Loop() {
				pass()
			}
			if n := calls(); n > 0 {
				b.Fatalf("%d calls were made", n)
			}
		})
	}
}

// TestAllocationsOfASteadyPass bounds what such a pass allocates, which no machine
// makes more or less of.
func TestAllocationsOfASteadyPass(t *testing.T) {
	for _, f := range fixtures() {
		pass, calls := steady(t, f)
		if n := testing.AllocsPerRun(100, pass); n > maxAllocations {
			t.Errorf("%s: %v allocations, more than %d", f.name, n, maxAllocations)
		}
		if n := calls(); n > 0 {
			t.Errorf("%s: %d calls were made", f.name, n)
		}
	}
}

// maxAllocations bounds the allocations of a pass, those of the simulated API server
// among them. They were 146 to 267 when this was written.
const maxAllocations = 300
