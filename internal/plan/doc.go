// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package plan says what is to be done about a configuration, and why. It is pure:
// it takes what was observed and returns a value. The loop acts on that value, and
// a command line can print it, so that the two cannot disagree.
//
// [Decide] answers for what was observed, [Failed] for an error of the cloud.
package plan
