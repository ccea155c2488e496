// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"runtime"
	"runtime/debug"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// spending is what the operator called, counts of records left out.
type spending struct{ reads, writes, api int }

// spent adds up calls.
func spent(calls []string) (s spending) {
	for _, call := range calls {
		switch {
		case isRecords(call) || call == "k8s get":
		case !isCloud(call):
			s.api++
		case isRead(call):
			s.reads++
		default:
			s.writes++
		}
	}
	return s
}

// mostOf returns what one pass may spend at most, whatever it meets: a write that the
// cloud refuses as something exists, another over it with and without empty fields, a
// removal, a create, and the one that puts back what was there; and notes of what was
// about to be written.
func mostOf(f fixture) spending {
	return spending{reads: 3 + f.looks.create + f.looks.remove, writes: 6, api: 5}
}

// affords says that a scenario in which nothing goes wrong stays within its budget
// up to its last write.
func (d *driver) affords(s scenario, undisturbed ending) {
	d.t.Helper()
	calls := undisturbed.untilStable()
	for n := len(calls); n > 0; n-- {
		if call := calls[n-1]; !isRead(call) && call != "k8s get" {
			calls = calls[:n]
			break
		}
	}
	most := spending{reads: 3 + d.f.looks.create + d.f.looks.remove, writes: 1, api: 4}
	switch s.name {
	case "create":
		most.reads = 2 + d.f.looks.create
	case "clear switchNotifyURL": // which takes a removal
		most.writes = 3
	case "correct a removal": // which is looked at again before that is believed
		most.reads++
		most.writes += d.f.looks.byID
	}
	if spec(d.f.object()).AccountRef != nil { // whose finalizer is one more
		most.api++
	}
	if s.late { // its end is written a while later, after looks at the usual times
		most.reads += 4
	}
	if d.cloud.Switches() != (emulator.Switches{}) { // it is refused or keeps what it should not, so that another way is gone
		most.reads, most.writes = most.reads+2, 3
	}
	got := spent(calls)
	d.Expect(got.reads).To(BeNumerically("<=", most.reads), "reads of the cloud, %s: %v", s.name, calls)
	d.Expect(got.writes).To(BeNumerically("<=", most.writes), "writes to the cloud, %s: %v", s.name, calls)
	d.Expect(got.api).To(BeNumerically("<=", most.api), "writes to the API server, %s: %v", s.name, calls)
}

// TestSteadyPassesKeepNothing: what a pass takes, it gives back. Not parallel: the
// heap is everyone's.
func TestSteadyPassesKeepNothing(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // what the first only finalized
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for _, f := range fixtures() {
		t.Run(f.name, func(t *testing.T) {
			d := simulated(t, f, emulator.Options{})
			d.create("a")
			d.settle("a")
			passes := func(n int) {
				for range n {
					d.clock.advance(d.pass("a"))
					d.cloud.ResetCalls()
					d.gate.plan(nil)
				}
			}
			passes(20)
			before := heap()
			const n = 200
			passes(n)
			d.Expect(heap()-before).To(BeNumerically("<", n*1024), "bytes after %d passes", n)
		})
	}
}
