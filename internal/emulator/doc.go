// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package emulator is the callback plane of ApsaraVideo Live as one small program: it answers the cloud API that
// configures callbacks, really delivers callbacks to the configured URLs, and lists what became of them. It also is the
// token service, which tells callers who they are, and issues temporary access keys.
//
// A [Server] is an [net/http.Handler]. It serves the cloud API at / and an admin API below /_emulator/, which mirrors
// the Go methods of Server for use with curl.
//
// A call to the cloud API passes these stations; each is a file:
//
//	faults.go     an injected fault may delay, drop, answer or spoil the call
//	gateway.go    operation known? parameters there? too fast (quotas.go)?
//	authenticate.go    who calls (signature.go, legacy.go, nonces.go, sessions.go)?
//	stream.go, recording.go, mpu.go, mapping.go    one operation family each: a table of operations, and what they do
//	tokens.go, oidc.go    the token service; accounts.go and trust.go have what it knows
//	calls.go      what was called, and what the answer was
//
// Families keep their state in configs.go. Traffic made in callbacks.go is sent by sender.go, and its results end up
// in records.go, where the families read them.
//
// Where the documentation of the cloud is silent, the emulator decides, and says so in a comment that has the word
// undocumented in it; what is likely to differ from the real service is one of the [Switches].
package emulator
