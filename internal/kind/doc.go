// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package kind is the table of the callback kinds: it ties each API type to its
// family of configurations in the cloud. It is pure. All that differs between
// kinds is in their files here, one for each; [All] is the table.
package kind
