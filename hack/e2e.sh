#!/usr/bin/env bash
# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# Brings up a cluster on this machine, builds the images, runs the end-to-end
# tests, and takes the cluster down again. CLUSTER is the program that does so,
# by its verbs up, load, status and down; arguments go to "go test".
set -euo pipefail
cd "$(dirname "$0")/.."
CLUSTER=${CLUSTER:-../shared/cluster/cluster}

cleanup() {
	local rc=$?
	# What this leaves in the images' store is written over by the next run.
	"$CLUSTER" down || rc=1
	exit $rc
}
trap cleanup EXIT

config=$("$CLUSTER" up)
export "${config?}" # KUBECONFIG=PATH
kubectl=$("$CLUSTER" status | sed -n 's/^kubectl  *//p')

# Two builds that differ in their version stand for two releases.
for version in e2e e2e-next; do
	make image PLATFORMS="linux/$(go env GOARCH)" VERSION="$version" >/dev/null
	"$CLUSTER" load bin/image/*.oci.tar
done

make e2e KUBECTL="$kubectl" TESTFLAGS="$*" \
	E2E_IMAGE=localhost/live-notify-operator:e2e E2E_NEXT_IMAGE=localhost/live-notify-operator:e2e-next \
	E2E_EMULATOR_IMAGE=localhost/live-emulator:e2e
