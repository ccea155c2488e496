// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gitops tests what GitOps tools make of the kinds: the health check for
// Argo CD, kstatus for Flux, and the samples that write many domains from one
// template.
package gitops
