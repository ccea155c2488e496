// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package image tests what the Dockerfile makes: who runs in an image, what it
// says of itself, and what is in it and what is not. The tests have the build tag
// e2e, and read archives that hack/images.sh wrote into the directory E2E_IMAGES,
// which is named for their version.
package image
