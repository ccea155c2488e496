#!/bin/sh
# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# Compares the CRDs of the tree in the working directory with those of a commit, or
# without one, of the last release before the commit that is checked out.
# Pre-releases promise nothing.
set -eu
base=${1:-} crds=config/crd/bases
in_git() { git -c 'safe.directory=*' "$@"; }
release() { in_git describe --tags --match 'v*' --exclude '*-*' "$@" 2>/dev/null; }
nothing() { echo "crdcheck: nothing to compare with: $*" && exit 0; }

if [ -z "$base" ]; then
	in_git rev-parse HEAD >/dev/null 2>&1 || nothing "not a git repository"
	from=HEAD
	release --exact-match >/dev/null && from=HEAD^
	base=$(release --abbrev=0 "$from") || {
		[ "$(in_git rev-parse --is-shallow-repository)" = true ] &&
			nothing "the clone is shallow and has no release; git fetch --tags --unshallow"
		nothing "no release yet"
	}
fi
before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
in_git archive --output "$before/crds.tar" "$base" "$crds"
tar xf "$before/crds.tar" -C "$before"
echo "crdcheck: comparing with $base"
export GOFLAGS='' GOWORK=off
${CRDCHECK:-go -C $(dirname "$(realpath "$0")") run .} "$before/$crds" "$PWD/$crds"
