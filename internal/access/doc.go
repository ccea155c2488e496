// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package access opens cloud accounts, and makes calls to them, for a person at a
// command line: with this person's permissions in the cluster, a small share of
// the cloud's limits, and patience, where the operator would come back later.
package access
