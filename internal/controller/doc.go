// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controller keeps the cloud equal to the callback kinds, and reports
// what becomes of their callbacks.
//
// One [Reconciler] serves all kinds; what differs between them is in the table of
// internal/kind. A reader starts with Reconcile in reconciler.go, which names the
// steps of a pass in order:
//
//	claim -> account -> observe -> compare -> write if needed -> counts if due -> one status patch if changed
//
// What to do with what was observed, and what an error means, is decided in
// internal/plan, which is pure. sync.go acts on it, claim.go says who may, delete.go
// removes, records.go counts; outcome.go turns what came of a pass into conditions
// and events, schedule.go into the time of the next one, and memory.go is what is kept
// of an object in between.
package controller
