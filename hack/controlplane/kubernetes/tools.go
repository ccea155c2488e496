// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package kubernetes pins the programs of the control plane that the tests and
// the demo run against. It is a module of its own so that nothing of it reaches
// the operator's dependencies. The replace lines of go.mod are those of the
// Kubernetes module, with its staging folders replaced by the modules published
// with the same release: to move to another release, change those versions and
// run "go mod tidy" here.
package kubernetes

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
