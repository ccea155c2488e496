// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package crd holds the CRDs of this version, for programs that have to know them
// without a cluster.
package crd

import "embed"

// Bases are the CRDs, as controller-gen writes them.
//
//go:embed bases/*.yaml
var Bases embed.FS
