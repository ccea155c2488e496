#!/usr/bin/env bash
# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# The CLUSTER of hack/e2e.sh, in kind:
#
#   CLUSTER=hack/kind.sh NODE=kindest/node:v1.36.1 hack/e2e.sh
#
# It needs docker, and kubectl on the PATH; kind itself is built from source. Without
# NODE, kind takes its own version of Kubernetes.
set -euo pipefail

name=live-notify-e2e
kubeconfig=${TMPDIR:-/tmp}/$name.kubeconfig
kind() { GOFLAGS= GOWORK=off go run sigs.k8s.io/kind@v0.32.0 "$@"; }

case ${1:-} in
up)
	kind create cluster --name "$name" --kubeconfig "$kubeconfig" --wait 5m ${NODE:+--image "$NODE"} >&2
	echo "KUBECONFIG=$kubeconfig"
	;;
load)
	shift
	for archive in "$@"; do kind load image-archive "$archive" --name "$name" >&2; done
	;;
status) echo "kubectl $(type -P kubectl)" ;;
down) kind delete cluster --name "$name" --kubeconfig "$kubeconfig" >&2 ;;
*)
	echo "usage: hack/kind.sh up|load ARCHIVE...|status|down" >&2
	exit 2
	;;
esac
