// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package planning says what the operator would do now about objects, without
// doing it: it reads the cloud and asks internal/plan, as the loop does. Nothing is
// written, to neither side.
package planning
