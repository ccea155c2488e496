#!/bin/sh
# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# Checks that the generated files are those that "make generate" would write
# now. It generates into a directory of its own and compares: the tree is left as
# it is, and whether anything is committed does not matter.
set -eu
cd "$(dirname "$0")/.."

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
make generate OUT="$fresh" >"$fresh/log" 2>&1 || {
	cat "$fresh/log" >&2
	exit 1
}
rm "$fresh/log"

stale=
for file in $(cd "$fresh" && find . -type f | sed 's|^\./||' | sort); do
	if ! diff -u "$file" "$fresh/$file" >&2; then
		stale="$stale $file"
	fi
done
for link in $(cd "$fresh" && find . -type l | sed 's|^\./||' | sort); do
	[ "$(readlink "$link")" = "$(readlink "$fresh/$link")" ] || stale="$stale $link"
done
# A kind that is gone leaves its CRD behind, and a page its file.
for file in config/crd/bases/* docs/reference/* charts/live-notify-operator/files/crds/*; do
	[ -e "$fresh/$file" ] || [ -L "$fresh/$file" ] || stale="$stale $file"
done

if [ -n "$stale" ]; then
	for file in $stale; do
		echo "stale: $file" >&2
	done
	echo "run: make generate (and delete files that it does not write any more)" >&2
	exit 1
fi
