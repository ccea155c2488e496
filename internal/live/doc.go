// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package live is the client to the callback configuration of ApsaraVideo
// Live, and the only importer of its SDK. It speaks plain values: a
// configuration is a small comparable struct whose zero value means that the
// cloud holds none.
//
// Each family of callbacks ([Stream], [Record], [MPU]) offers Get, Put, Delete and
// Count. All of them reach the cloud through one function, call, which applies
// quota, timeout, metrics, error class and redaction. Every error that leaves
// the package is an [*Error], or a context's, and holds neither an
// authentication key nor a request URL.
//
// What the cloud does and does not document is in docs/cloud-api.md.
package live
