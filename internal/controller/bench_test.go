// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// BenchmarkSteadyPass is a pass over an object that is in sync, with nothing due.
// Calls to the cloud come on top: BenchmarkCount of internal/live.
func BenchmarkSteadyPass(b *testing.B) {
	for _, f := range fixtures() {
		b.Run(f.name, func(b *testing.B) {
			d := simulated(b, f, emulator.Options{})
			d.secret(firstKey)
			d.create("a", d.f.sign)
			d.settle("a")
			d.pass("a") // which counts, if the last one did not
			d.calls()
			for b.Loop() {
				if _, err := d.try("a"); err != nil {
					b.Fatal(err)
				}
			}
			if reads, writes, records := d.calls(); len(reads)+len(writes)+len(records) > 0 {
				b.Fatalf("calls were made: %d reads, %d writes, %d of records", len(reads), len(writes), len(records))
			}
		})
	}
}
