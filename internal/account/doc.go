// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package account turns a LiveAccount into a client of the cloud. An account is a
// unit: its client, credentials, request limits and breaker are its own, and no
// other account feels what becomes of them. Only accounts that the token service
// tells to be of one cloud account share the limits of that.
package account
