// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controlplane provides the programs of a Kubernetes control plane
// (kube-apiserver, kube-controller-manager, kubectl, etcd) to the tests and the
// demo, without downloading binaries: they are built with the Go toolchain from
// the versions pinned in hack/controlplane/kubernetes, once, and kept in the
// user's cache directory. Assets is the whole of it; "go run ./hack/controlplane"
// is the same from a shell.
package controlplane
