// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package failures lists failed callbacks from the records of the cloud, newest
// first, whatever order the cloud has them in.
package failures
