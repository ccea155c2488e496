// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package monitoring tests what people watch the operator with: the alerts, their
// runbooks and the dashboard.
package monitoring
