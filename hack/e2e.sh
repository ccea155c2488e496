#!/usr/bin/env bash
# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# Builds the images of the Dockerfile and tests what is in them, brings up a
# new cluster on this machine, runs the end-to-end tests there, and removes the
# cluster. CLUSTER is the program that does so, by its verbs up, load, status and
# down --purge, and keeps what a cluster holds in CLUSTER_DIR; arguments go to
# "go test".
set -euo pipefail
cd "$(dirname "$0")/.."
CLUSTER=${CLUSTER:-../shared/cluster/cluster}

# Two builds that differ in their version stand for two releases.
hack/images.sh bin/images e2e e2e-next
for version in e2e e2e-next; do
	make test-image IMAGES="bin/images/$version"
done

# Objects that someone left in another cluster of this machine are none of the
# tests' business. The path is short, as it becomes part of the paths of sockets.
CLUSTER_DIR=$(mktemp -d /tmp/e2e-XXXXXX)
export CLUSTER_DIR

cleanup() {
	local rc=$?
	"$CLUSTER" down --purge || rc=1
	exit $rc
}
trap cleanup EXIT

config=$("$CLUSTER" up)
export "${config?}" # KUBECONFIG=PATH
kubectl=$("$CLUSTER" status | sed -n 's/^kubectl  *//p')

"$CLUSTER" load bin/images/e2e/*.tar bin/images/e2e-next/live-notify-operator.tar

make e2e KUBECTL="$kubectl" TESTFLAGS="$*" \
	E2E_IMAGE=localhost/live-notify-operator:e2e E2E_NEXT_IMAGE=localhost/live-notify-operator:e2e-next \
	E2E_EMULATOR_IMAGE=localhost/live-emulator:e2e
