// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package importing turns the callback configurations of a cloud account into
// manifests: it lists the domains, reads each, and writes down what exists. It
// changes nothing in the cloud. Keys stay in memory.
package importing
