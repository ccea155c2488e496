// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package receiver stands for somebody else's project: a receiver of callbacks, whose
// test runs it against an emulated cloud and the real operator. It is a module of its
// own, as that would be.
package receiver
