// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the operator in a whole cluster: installed by its chart, or
// by kustomize, run by a kubelet, upgraded, killed and removed. The tests have the
// build tag e2e, and a cluster to themselves: the one that KUBECONFIG names.
// hack/e2e.sh brings one up for them.
package e2e
