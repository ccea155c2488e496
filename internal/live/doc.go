// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package live is the client to the callback configuration of ApsaraVideo
// Live, and the only importer of its SDK. It speaks plain values: a
// configuration is a small comparable struct whose zero value means that the
// cloud holds none.
//
// Each family of callbacks ([Stream], [Record], [MPU], [Snapshot], [Detect],
// [Audit], [Event], [Message]) offers Get, Put and Delete, and Count if the cloud
// keeps records of it. All of them reach the cloud through one function, call, which applies
// quota, breaker, credentials, timeout, metrics, error class and redaction. Every
// error that leaves the package is an [*Error], a [*quota.Deferral] or a context's.
//
// What enters from the cloud, from a token service or from a library passes one
// border: replies are bounded in bytes and in structure before they are decoded
// (transport.go), text is shown only as [Clean] or [Bound] returns it (text.go),
// and errors of libraries are told by their kind, never by their text.
//
// What the cloud does and does not document is in docs/cloud-api.md.
package live
