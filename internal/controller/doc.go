// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controller keeps the cloud equal to the callback kinds, and reports
// what becomes of their callbacks.
//
// One [Reconciler] serves all kinds; what differs between them is a [Kind], and
// kinds.go is the table of these. A reader starts with Reconcile in
// reconciler.go, which names the steps of a pass in order:
//
//	claim -> account -> observe -> compare -> write if needed -> counts if due -> one status patch if changed
//
// What to do with what was observed is decided in pure functions: decide.go for
// the cloud, outcome.go for errors, schedule.go for the time of the next pass.
package controller
