// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package livetest

// Within bounds the first read of all objects, which tests need not wait for.
var Within = within
