// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import "time"

// settling is how long after a write the cloud may still show the state before.
const settling = 60 * time.Second

// situation is all that the decision about a configuration depends on.
type situation struct {
	observe bool          // managementPolicy is Observe
	claimed bool          // the object has the finalizer
	exists  bool          // the cloud holds a configuration
	ours    bool          // which is the one that this object last applied
	diff    []string      // the fields in which it differs from the spec
	changed bool          // the spec asks for something else than was last applied
	pending bool          // so it does, or the key
	age     time.Duration // since the last write; negative if there was none
	adopt   bool          // adoptionPolicy is Always
	report  bool          // driftPolicy is Report
	braked  bool          // too many corrections of late
}

// recent tells whether the cloud may still show the state before the last
// write.
func (s situation) recent() bool { return s.age >= 0 && s.age < settling }

// action is what to do about a configuration.
type action string

const (
	// settle: the cloud holds the spec.
	settle action = "settle"
	// adoptEqual: it does without our doing; claim it.
	adoptEqual action = "adoptEqual"
	// report: it differs, and is left so.
	report action = "report"
	// refuse: it holds something that is not ours to replace.
	refuse action = "refuse"
	// await: a write was accepted but does not show yet.
	await action = "await"
	// yield: someone keeps reverting us; leave it for now.
	yield action = "yield"
	// create, replace, apply and correct write the spec.
	create  action = "create"
	replace action = "replace"
	apply   action = "apply"
	correct action = "correct"
)

// decide says what to do. The order of the rules matters: a rule may rely on
// those above it not having applied.
func decide(s situation) action {
	same := len(s.diff) == 0
	switch {
	case s.observe && same:
		return settle
	case s.observe:
		return report
	case s.claimed && same && s.changed && s.recent():
		// What was read may be the state before the last write, which was
		// another: a spec changed there and back.
		return apply
	case s.claimed && same:
		return settle
	case same && s.exists:
		return adoptEqual
	case !s.claimed && !s.exists:
		return create
	case !s.claimed && (s.adopt || s.ours):
		return replace
	case !s.claimed:
		return refuse
	case s.pending:
		return apply
	case s.recent():
		return await
	case s.report:
		return report
	case s.braked:
		return yield
	default:
		return correct
	}
}
