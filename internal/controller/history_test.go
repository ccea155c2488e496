// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// TestNobodyWritesWhoMayNot goes through random histories of two objects with
// one key. After each pass the calls are looked at: one who observes, is
// suspended or has lost has written nothing, and the latter two have not read
// either. In the end, with all of that undone, the cloud holds the spec of the
// winner.
func TestNobodyWritesWhoMayNot(t *testing.T) {
	const steps = 120
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		random := rand.New(rand.NewPCG(7, uint64(len(f.name))))
		names := []string{"a", "b"}
		toggles := []func(Object){
			func(o Object) { spec(o).Suspend = !spec(o).Suspend },
			func(o Object) {
				spec(o).ManagementPolicy = other(spec(o).ManagementPolicy, v1alpha1.Manage, v1alpha1.Observe)
			},
			func(o Object) {
				spec(o).DriftPolicy = other(spec(o).DriftPolicy, v1alpha1.DriftCorrect, v1alpha1.DriftReport)
			},
			func(o Object) {
				spec(o).AdoptionPolicy = other(spec(o).AdoptionPolicy, v1alpha1.AdoptIfIdentical, v1alpha1.AdoptAlways)
			},
			func(o Object) {
				spec(o).DeletionPolicy = other(spec(o).DeletionPolicy, v1alpha1.DeletionDelete, v1alpha1.DeletionRetain)
			},
			f.change, f.clear,
		}
		var story []string
		for range steps {
			name := names[random.IntN(len(names))]
			switch step := random.IntN(12); {
			case d.gone(name):
				d.nextSecond()
				d.create(name)
				story = append(story, "create "+name)
			case step == 0:
				d.remove(name)
				story = append(story, "delete "+name)
			case step == 1:
				f.edit(d.cloud)
				story = append(story, "edit the cloud")
			case step == 2:
				f.erase(d.cloud)
				story = append(story, "erase the cloud")
			case step == 3:
				d.restart()
				story = append(story, "restart")
			case step == 4:
				d.cloud.Inject(emulator.Fault{Times: 1, LoseReply: true})
				story = append(story, "lose a reply")
			default:
				i := random.IntN(len(toggles))
				if d.get(name).GetDeletionTimestamp().IsZero() {
					d.update(name, toggles[i])
					story = append(story, fmt.Sprint("change ", i, " of ", name))
				}
			}
			if name = names[random.IntN(len(names))]; !d.gone(name) {
				story = append(story, "pass "+name)
				d.passAllowed(name, names, story)
			}
			d.clock.advance(time.Duration(random.IntN(400)) * time.Second)
		}

		// Calm returns.
		d.cloud.ClearFaults()
		for _, name := range names {
			if d.gone(name) || !d.get(name).GetDeletionTimestamp().IsZero() {
				continue
			}
			d.update(name, func(o Object) {
				spec(o).Suspend, spec(o).ManagementPolicy, spec(o).AdoptionPolicy = false, v1alpha1.Manage, v1alpha1.AdoptAlways
				spec(o).DriftPolicy = v1alpha1.DriftCorrect
			})
		}
		for range 4 {
			for _, name := range names {
				d.passes(name, 11*time.Minute)
			}
		}
		var winner Object
		for _, name := range names {
			if !d.gone(name) && (winner == nil || precedes(d.get(name), winner)) {
				winner = d.get(name)
			}
		}
		if winner != nil {
			d.Expect(reasonOf(winner, v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonInSync), "%v", story)
			d.Expect(f.have(d.cloud)).To(Equal(f.want(winner, "")), "%v", story)
		}
	})
}

// passAllowed makes a pass and checks that it made only the calls that the
// object may.
func (d *driver) passAllowed(name string, names, story []string) {
	d.t.Helper()
	before := d.get(name)
	loses := false
	for _, rival := range names {
		loses = loses || rival != name && !d.gone(rival) && precedes(d.get(rival), before)
	}
	d.calls()
	d.pass(name)
	reads, writes, records := d.calls()
	switch {
	case loses || spec(before).Suspend:
		d.Expect(append(append(reads, writes...), records...)).To(BeEmpty(), "%v", story)
	case spec(before).ManagementPolicy == v1alpha1.Observe:
		d.Expect(writes).To(BeEmpty(), "%v", story)
	}
}

// other returns the one of two values that v is not.
func other[T comparable](v, a, b T) T {
	if v == a {
		return b
	}
	return a
}
