#!/bin/sh
# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# Builds the documentation into the directory OUT: that of the tree, and in a directory
# of its name that of each released version, with the layouts of the tree. A menu leads
# from each to the others. HUGO is the tool, URL where the site will be, and what follows
# lists the versions, the newest first, as name=commit. With "serve" as OUT it serves the
# tree's on this machine:
#
#	build.sh OUT [v0.2.0=v0.2.0 v0.1.0=v0.1.0]
set -eu
out=$1 site=$(dirname "$(realpath "$0")")
shift
source=https://github.com/live-notify/live-notify-operator

# menu writes the menu of a version, which it is named after.
menu() {
	echo '{"menu": {"main": ['
	cat <<-END
		{"name": "Documentation", "pageRef": "/docs", "weight": 1}, {"name": "Search", "weight": 3, "params": {"type": "search"}},
		{"name": "GitHub", "url": "$source", "weight": 4, "params": {"icon": "github"}},
		{"identifier": "versions", "name": "Version: $1", "weight": 2},
	END
	# Hugo puts the path of the site in front.
	root=/ weight=1
	[ "$1" = main ] || root=/../
	shift
	for version in main "$@"; do
		name=${version%%=*} at=$root
		[ "$name" = main ] || at=$root$name/
		echo "{\"parent\": \"versions\", \"identifier\": \"version-$name\", \"name\": \"$name\", \"url\": \"$at\", \"weight\": $weight},"
		weight=$((weight + 1))
	done
	echo "{\"parent\": \"versions\", \"name\": \"What changed\", \"url\": \"$source/blob/main/CHANGELOG.md\", \"weight\": $weight}]}}"
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
hugo() { (cd "$1" && shift && "$HUGO" --config "hugo.yaml,$work/menu.json" "$@"); }

if [ "$out" = serve ]; then
	menu main >"$work/menu.json"
	hugo "$site" server --renderToMemory
	exit
fi
strict="--cleanDestinationDir --gc --panicOnWarning"
menu main "$@" >"$work/menu.json"
hugo "$site" $strict --baseURL "$URL" --destination "$out"
for version in "$@"; do
	name=${version%%=*} tree=$work/${version%%=*}
	mkdir -p "$tree/hack/site/node_modules"
	git archive --output "$work/docs.tar" "${version#*=}" docs README.md
	tar xf "$work/docs.tar" -C "$tree"
	for file in "$site"/*; do
		[ "${file##*/}" = node_modules ] || cp -r "$file" "$tree/hack/site"
	done
	for file in flexsearch/dist/flexsearch.bundle.min.js mermaid/dist/mermaid.min.js; do # which hugo.yaml has
		mkdir -p "$tree/hack/site/node_modules/${file%/*}"
		cp "$site/node_modules/$file" "$tree/hack/site/node_modules/$file"
	done
	# A tag has nothing to edit.
	menu "$name" "$@" >"$work/menu.json"
	HUGO_PARAMS_BRANCH=$name HUGO_PARAMS_EDITURL_ENABLE=false hugo "$tree/hack/site" $strict --baseURL "$URL$name/" --destination "$out/$name"
done
