#!/bin/sh
# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# Compares the CRDs of the tree in the working directory with those of a commit, or
# without one, of the last release before the commit that is checked out, and names each
# change that would break an object, a client or a script that works with those.
# Pre-releases promise nothing. CRDIFY and GOJQ are the tools:
#
#	make verify-crds BASE=v0.1.0
set -eu
base=${1:-} crds=config/crd/bases here=$(dirname "$(realpath "$0")")
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
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
in_git archive --output "$work/crds.tar" "$base" "$crds"
tar xf "$work/crds.tar" -C "$work"
echo "crdcheck: comparing with $base"

# crdify takes every other rule for breaking, one that is gone too: around.jq judges them.
without_rules() { "$GOJQ" --yaml-input 'walk(if type == "object" then del(.["x-kubernetes-validations"]) else . end)' "$1" >"$2"; }
for before in "$work/$crds"/*.yaml; do
	name=$(basename "$before")
	if [ ! -e "$crds/$name" ]; then
		echo "$name: the CRD is gone"
		continue
	fi
	"$GOJQ" --yaml-input --slurp --raw-output --from-file "$here/around.jq" "$before" "$crds/$name"
	without_rules "$before" "$work/before"
	without_rules "$crds/$name" "$work/now"
	# It fails if there is a change, which it then reports, and if it cannot tell.
	"$CRDIFY" --config "$here/crdify.yaml" --output json "file://$work/before" "file://$work/now" >"$work/report" || [ -s "$work/report" ]
	"$GOJQ" --raw-output --arg name "$name" '
		(.crdValidation[]? | .errors[]?),
		(.sameVersionValidation[]?, .servedVersionValidation[]? | .version as $version
			| .propertyComparisons[] | .property as $property | .comparisonResults[] | "version \($version): \($property): \(.errors[]?)")
		| "\($name): \(. | gsub("\\s+"; " "))"' "$work/report"
done >"$work/breaks"
[ -s "$work/breaks" ] || { echo "crdcheck: no breaking change" && exit 0; }
cat "$work/breaks"
echo "crdcheck: $(wc -l <"$work/breaks" | tr -d ' ') breaking changes: docs/upgrading.md says what may change, and how" >&2
exit 1
