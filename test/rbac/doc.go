// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rbac tests that the operator is granted what it uses, and uses what
// it is granted: the real program, with the identity of its ServiceAccount, does
// all that it can do, and the audit log of a real API server tells what it asked
// for.
package rbac
