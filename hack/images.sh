#!/usr/bin/env bash
# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# Builds the images of the Dockerfile for this machine, once for each version
# named, and writes them as OCI archives:
#
#   hack/images.sh DIR VERSION...
#
# DIR/VERSION then has live-notify-operator.tar with the image
# localhost/live-notify-operator:VERSION, and live-emulator.tar likewise.
#
# Docker builds, where its daemon runs. Elsewhere buildah does, which needs root
# here and is installed where apt-get can. With buildah no image is pulled: bases
# are made on the spot, and what is to be proved is the Dockerfile on top of them.
set -euo pipefail
cd "$(dirname "$0")/.."

(($# >= 2)) || {
	echo "usage: hack/images.sh DIR VERSION..." >&2
	exit 2
}
dir=$1
shift

die() {
	echo "hack/images.sh: $*" >&2
	exit 1
}

install_buildah() {
	((EUID == 0)) || die "there is no docker daemon, and buildah is used as root only"
	if type -P buildah >/dev/null; then return; fi
	type -P apt-get >/dev/null || die "there is neither a docker daemon nor buildah"
	echo "installing buildah" >&2
	apt_get install --no-install-recommends buildah >&2 ||
		{ apt_get update && apt_get install --no-install-recommends buildah; } >&2 ||
		die "cannot install buildah"
}

apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null; }

# All that buildah writes is in a directory of its own, which goes at the end.
work=
cleanup() {
	local rc=$?
	[[ $work ]] || exit $rc
	# Parts of the machine are mounted there while a build runs.
	if grep -qF " $work/" /proc/self/mounts; then
		echo "hack/images.sh: something is still mounted in $work, which stays" >&2
		exit 1
	fi
	rm -rf "$work"
	exit $rc
}

# layer IMAGE COMMAND [FLAG...]: makes an image whose files the command writes to
# the directory that it is given; flags are those of "buildah config"
layer() {
	local image=$1 files=$2 container root
	shift 2
	container=$("${buildah[@]}" from scratch)
	root=$("${buildah[@]}" mount "$container")
	"$files" "$root"
	"${buildah[@]}" umount "$container" >/dev/null
	if (($#)); then "${buildah[@]}" config "$@" "$container"; fi
	"${buildah[@]}" commit --quiet --rm "$container" "$image" >/dev/null
}

# The builder is this machine: its programs, its Go and the caches of that are
# mounted into the build.
builder_files() {
	mkdir -p "$1"/{usr,etc/ssl,tmp}
	cp -P /bin /sbin /lib* "$1" # links into /usr
	chmod 1777 "$1/tmp"
}

# What distroless has and a static program may look for.
runtime_files() {
	mkdir -p "$1"/{etc/ssl/certs,tmp}
	printf '%s\n' 'root:x:0:0:root:/root:/sbin/nologin' 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >"$1/etc/passwd"
	printf '%s\n' 'root:x:0:' 'nonroot:x:65532:' >"$1/etc/group"
	cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/"
	chmod 1777 "$1/tmp"
}

# with_buildah VERSION: makes a store with the two bases, and says in tool and flags
# how to build in it. Each version has its own: buildah 1.28 takes a layer of
# labels from its cache also when the arguments in them have changed.
with_buildah() {
	local modules cache goroot
	modules=$(go env GOMODCACHE) cache=$(go env GOCACHE) goroot=$(go env GOROOT)
	mkdir -p "$modules" "$cache"
	buildah=(buildah --root "$work/$1/root" --runroot "$work/$1/run" --storage-driver vfs)
	layer localhost/builder builder_files --env PATH="$goroot/bin:/usr/bin" --env GOTOOLCHAIN=local \
		--env GOMODCACHE="$modules" --env GOCACHE="$cache" --env GOPROXY="$(go env GOPROXY)" --env GOSUMDB="$(go env GOSUMDB)"
	layer localhost/runtime runtime_files
	tool=("${buildah[@]}")
	flags=(--isolation chroot --pull-never --layers
		--build-arg BUILDER_IMAGE=localhost/builder --build-arg RUNTIME_IMAGE=localhost/runtime
		--volume /usr:/usr:ro --volume /etc/ssl:/etc/ssl:ro
		--volume "$modules:$modules" --volume "$cache:$cache")
	if [[ $goroot != /usr/* ]]; then flags+=(--volume "$goroot:$goroot:ro"); fi
}

tool=(docker) flags=()
if ! docker info >/dev/null 2>&1; then
	install_buildah
	work=$(mktemp -d)
	trap cleanup EXIT
	export TMPDIR=$work
fi

for version; do
	rm -rf "${dir:?}/$version"
	mkdir -p "$dir/$version"
	if [[ $work ]]; then with_buildah "$version"; fi
	make docker-build CONTAINER_TOOL="${tool[*]}" DOCKER_BUILD_FLAGS="${flags[*]}" VERSION="$version" \
		IMG="localhost/live-notify-operator:$version" EMULATOR_IMG="localhost/live-emulator:$version" >&2
	for name in live-notify-operator live-emulator; do
		if [[ $work ]]; then
			"${buildah[@]}" push --quiet "localhost/$name:$version" "oci-archive:$dir/$version/$name.tar:localhost/$name:$version"
		else
			docker save --output "$dir/$version/$name.tar" "localhost/$name:$version"
		fi
	done
done
