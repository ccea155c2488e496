# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# Compares what crdify leaves alone in two CRDs, of which the first is the one before:
# what is around the schemas, and the rules of CEL.

# What a CRD promises around its schemas: nothing of it may go.
def promises:
  .spec.names as $names
  | "group \(.spec.group)", "kind \($names.kind)", "list kind \($names.listKind)", "plural \($names.plural)", "singular \($names.singular)",
    "short name \($names.shortNames[]?)", "category \($names.categories[]?)",
    (.spec.versions[] | "version \(.name)" as $version
      | $version,
        (select(.served) | "\($version) that is served"),
        (select(.storage) | "\($version) that is stored, which the operator before needs,"),
        "\($version): subresource \(.subresources // {} | keys[])",
        (.additionalPrinterColumns[]? | "\($version): printer column \(.name) (\(.type) \(.jsonPath))"));

def rules($at): [getpath($at + ["x-kubernetes-validations"])[]?.rule];

# A rule less accepts more. Whether another rule does is not for a program to say.
. as [$old, $new]
| ([$old | promises] - [$new | promises] | .[] | "\(.) is gone"),
  ($new.spec.versions[] as {name: $version, schema: $schema}
    | $old.spec.versions[] | select(.name == $version) | .schema as $before
    | $schema | paths(objects) as $at | select($before | getpath($at) != null)
    | rules($at) - ($before | rules($at)) | .[]
    | "version \($version): \($at - ["openAPIV3Schema", "properties"] | join(".")): a rule is new or changed: \(.)")
| "\($old.metadata.name): \(.)"
