// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cli tests the built command line: how large it is, and what it does before
// it does anything.
package cli
