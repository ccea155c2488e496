// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package leaders tests how the operator's replicas take over from each other:
// real processes, a real API server and its lease.
package leaders
