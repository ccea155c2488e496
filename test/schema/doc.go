// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package schema has the manifests that the CRDs refuse, and what is said of each: for
// the tests of the schemas themselves, of what stands in for an API server where there
// is none, and of the command line.
package schema
