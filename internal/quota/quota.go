// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package quota shares out what is scarce: turns at a rate, workers, and
// patience with who does not answer.
//
// Limits give the requests of one account their turns, Slots give accounts their
// workers, and a Breaker keeps requests back from an endpoint that is down. None
// of them holds a worker: who has to wait is told for how long, in a Deferral.
package quota

import "time"

// Lane says on whose behalf a request is made.
type Lane int

// Lanes, the most urgent first.
const (
	// User: someone changed a spec or a Secret, or deleted an object.
	User Lane = iota
	// New: an object is converged for the first time. Thousands of these at once
	// do not hold up a person's edit.
	New
	// Sync: read-back, resync and the correction of drift.
	Sync
	// Records: callback records.
	Records
	// Least is for command lines, which share a quota with an operator.
	Least
)

// lanes is how many there are.
const lanes = int(Least) + 1

// String returns the lane's name, as in metrics.
func (l Lane) String() string {
	return [lanes]string{"user", "new", "sync", "records", "least"}[l.valid()]
}

// valid returns the lane; an unknown one is the least urgent.
func (l Lane) valid() Lane {
	if l < User || l > Least {
		return Least
	}
	return l
}

// Rate is an operation and how often an account may call it, as documented.
type Rate struct {
	Name      string
	PerSecond float64
}

// Deferral is a request that has no turn yet. Nothing was sent. It is no failure.
type Deferral struct {
	Name   string        // of the operation, if it is one that has no turn
	Wait   time.Duration // until it is worth to ask again
	Outage bool          // the endpoint does not answer
}

// Error says why, in words that stay the same.
func (d *Deferral) Error() string {
	if d.Outage {
		return "the endpoint does not answer: waiting until it does"
	}
	return d.Name + " waits for a turn within the account's request quota"
}
