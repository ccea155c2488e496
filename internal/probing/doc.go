// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package probing sends a receiver one callback as the cloud would, and looks at
// what it does with wrong ones. The cloud's own way to the receiver is not tested.
package probing
