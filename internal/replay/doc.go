// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package replay delivers callbacks again that a receiver missed, each at most once:
// a journal notes each before it is sent, and what came of it after.
//
// What was noted as about to be sent, and has no outcome, may have been taken: the
// program was killed, or the answer was lost. Such a callback is in doubt. It is
// never sent again by the same journal, and always told: whether to send it is for
// someone who can look at the receiver.
package replay
