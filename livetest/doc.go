// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package livetest lets the tests of other projects run against an emulated
// ApsaraVideo Live and the real controllers of live-notify-operator, without a
// cluster, an account or the internet.
//
//   - [Start] starts the cloud in the process of the test. It really sends the
//     callbacks that are configured, and keeps records of them.
//   - [CRDs] are the resource definitions, for envtest.
//   - [RunOperator] runs the controllers between an API server of the test and
//     the cloud.
//
// Everything stops with the test, and tests may run in parallel: each has a cloud of
// its own, and those that share an API server run their operators in different
// namespaces, with [InNamespaces].
package livetest
