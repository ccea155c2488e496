// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package manifest defaults and validates manifests of the callback kinds with the
// CRDs of this version, as the API server would: for where there is none.
package manifest
