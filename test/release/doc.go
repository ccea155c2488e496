// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package release tests what goreleaser makes of the command line: the archives, their
// checksums, and the manifest from which krew installs it. The tests have the build
// tag e2e, and read the directory E2E_RELEASE, which goreleaser wrote.
package release
