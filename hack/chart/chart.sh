#!/bin/sh
# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# Writes what the charts have of config, and the roles of those who write objects, into
# the tree OUT, which has the CRDs. GOJQ is the tool. A chart can only read files of its
# own directory: it has links.
set -eu
out=$1 operator=charts/live-notify-operator callbacks=charts/live-callbacks
write() { "$GOJQ" --yaml-input --slurp --raw-output --arg file "$1" --from-file hack/chart/files.jq "$out"/config/crd/bases/*.yaml; }

mkdir -p "$out/$operator/files/crds" "$out/$callbacks/files"
write users >"$out/config/rbac/users.yaml"
write kinds >"$out/$callbacks/files/kinds.yaml"
write values >"$out/$callbacks/values.schema.json"

# In Chart.yaml it is the list between two annotations.
write hub >"$out/$operator/kinds"
awk -v kinds="$out/$operator/kinds" '
	/artifacthub.io\/crdsExamples:/ { listed = 0 }
	!listed
	/artifacthub.io\/crds:/ { listed = 1; while ((getline line <kinds) > 0) print line }
' $operator/Chart.yaml >"$out/$operator/Chart.yaml.new"
mv "$out/$operator/Chart.yaml.new" "$out/$operator/Chart.yaml"
rm "$out/$operator/kinds"

cd "$out/$operator/files"
for file in prometheus/rules.yaml prometheus/dashboard.json rbac/users.yaml rbac/role.yaml admission/deletion-protection.yaml admission/statuses.yaml; do
	ln -sf "../../../config/$file" .
done
ln -sf ../values.yaml .
cd crds
for crd in ../../../../config/crd/bases/*.yaml; do
	ln -sf "$crd" .
done
