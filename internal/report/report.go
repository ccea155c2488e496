// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package report is the form in which the command line answers: one object with a
// summary, items, warnings and errors, the same for every verb. It knows no
// terminal.
package report

import "slices"

// APIVersion is that of every report. Fields are added within a version; none is
// removed, and none changes its meaning.
const APIVersion = "live.alibabacloud.com/cli/v1"

// Report is what a verb found out: S sums it up, and each I is one line of it.
type Report[S, I any] struct {
	// APIVersion is live.alibabacloud.com/cli/v1.
	APIVersion string `json:"apiVersion"`
	// Kind of the report, such as Plan.
	Kind string `json:"kind"`
	// Summary is what scripts look at first.
	Summary S `json:"summary"`
	// Items are the lines, in an order that is the same each time.
	Items []I `json:"items"`
	// Warnings do not change the exit code.
	Warnings []string `json:"warnings"`
	// Errors are what could not be found out, or done. Any makes the exit code 3, but for
	// an import that goes on without it: that is 1.
	Errors []Problem `json:"errors"`
}

// Problem is something that could not be found out or done.
type Problem struct {
	// Object that it is about, as kind/namespace/name, or a domain; empty for all.
	Object string `json:"object,omitempty"`
	// Reason in one word, such as AccessDenied.
	Reason string `json:"reason"`
	// Message says what happened, and what to do.
	Message string `json:"message"`
}

// New returns an empty report. Its lists are empty and not null, for those who
// read it.
func New[S, I any](kind string) *Report[S, I] {
	return &Report[S, I]{APIVersion: APIVersion, Kind: kind, Items: []I{}, Warnings: []string{}, Errors: []Problem{}}
}

// Warn adds a warning, once.
func (r *Report[S, I]) Warn(message string) {
	if !slices.Contains(r.Warnings, message) {
		r.Warnings = append(r.Warnings, message)
	}
}

// Fail adds an error.
func (r *Report[S, I]) Fail(p Problem) { r.Errors = append(r.Errors, p) }
