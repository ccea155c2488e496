# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# What is generated from all CRDs, which are the input: the file that $file names.

def header($more): "# Copyright The live-notify-operator Authors.\n# SPDX-License-Identifier: Apache-2.0\n\n# Generated from config/crd by \"make generate\".\($more)";
def list($indent): map("\($indent)- \(.)") | join("\n");

# Which fields say what an object configures, with the defaults of those that may be
# left out.
def key: with_entries(select(.key | IN("domainName", "appID", "channelID", "dataCenter")) | .value |= (.default // ""));

# Of the fields that callback kinds have in common the chart live-callbacks takes
# defaults.
def shared: ["accountRef", "adoptionPolicy", "deletionPolicy", "driftPolicy", "guard", "managementPolicy", "records", "resyncInterval", "suspend"];

# The fields of records that a kind takes: a rule of its spec refuses the others.
def fields: ([."x-kubernetes-validations"[]?.rule] | join(" ")) as $rules | .properties
  | with_entries(select(.key == "records") | .value |= (.properties | keys | map(select(. as $field | $rules | contains("self.records.\($field)") | not))));
def spec: .spec.versions[0].schema.openAPIV3Schema.properties.spec;
def callbacks: map(select(spec.properties.managementPolicy));

# What is behind a token that a text begins with.
def after($token): sub("^ +"; "") | select(startswith($token)) | .[($token | length):] | sub("^ +"; "");

# Parts with tokens between them, each with the text that is left.
def parts(part; $token; $key):
  def all: part as $one | ($one.rest | after($token) | all | {is: ([$one.is] + .is), rest}) // {is: [$one.is], rest: $one.rest};
  all | .is |= if length == 1 then .[0] else {($key): .} end;

# What a rule says, as JSON schema does: matches, of patterns without quotation marks
# and escapes, and has, with !, &&, || and parentheses. What only the template can judge
# is in a field called only. The API server has the others.
def either:
  def term:
    (after("!") | term | .is |= {not: (if .pattern then {type: "string"} + . else . end)}),
    (after("(") | either | .rest |= after(")") | select(.rest)),
    (after("has(self.") | capture("^(?<name>[^.)]*)\\)(?<rest>[\\s\\S]*)$") | {is: {required: [.name]}, rest}),
    (after("self.trim() != ''") | {is: {not: {pattern: "^\\s*$"}}, rest: .}),
    (after("duration(self) >= duration('") | capture("^(?<least>[^']*)'\\)(?<rest>[\\s\\S]*)$") | {is: {only: {least}}, rest}),
    (after("duration(self) <= duration('") | capture("^(?<most>[^']*)'\\)(?<rest>[\\s\\S]*)$") | {is: {only: {most}}, rest}),
    (after("size(self.") | capture("^(?<empty>[^.)]*)\\) == 0(?<rest>[\\s\\S]*)$") | {is: {only: {empty}}, rest}),
    (after("self.") | capture("^(?<field>[A-Za-z]+) != '(?<other>[^']*)'(?<rest>[\\s\\S]*)$") | {is: {only: {field, other}}, rest}),
    (after("self.findAll('") | capture("^(?<every>[^'\\\\]*)'\\)[.]all\\(p, p in (?<among>[^]]*\\])\\)(?<rest>[\\s\\S]*)$")
      | {is: {only: {every, among: .among | gsub("'"; "\"") | fromjson}}, rest}),
    (after("self.matches('") | capture("^(?<pattern>[^'\\\\]*)'\\)(?<rest>[\\s\\S]*)$") | {is: {pattern}, rest});
  parts(parts(term; "&&"; "allOf"); "||"; "anyOf");

# The rules of a field and of those below it that the schema of the values cannot say,
# with their words: the template judges by them.
def rules:
  def some: with_entries(select(.value | length > 0));
  {
    own: [."x-kubernetes-validations"[]? | select(.rule | contains("oldSelf") | not)
      | first(.rule | either | select(.rest | test("^ *$")) | .is) as $is
      | {is: $is, words: .message}
      | select([.is | .. | objects | has("only")] | any)],
    fields: (.properties // {} | map_values(rules) | some)
  } | some;

def kinds:
  header(""),
  (callbacks[] | spec.properties as $has
    | "\(.spec.names.plural):\n  defaults:\n\(shared | map(select($has[.])) | list("  "))\n  fields: \(spec | fields | tojson)\n  key: \($has | key | tojson)\n  kind: \(.spec.names.kind)\n  rules: \(spec | rules | tojson)");

def role($name; $resources; $verbs): "---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  labels:
    rbac.authorization.k8s.io/aggregate-to-\($name): \"true\"
  name: \($name)
rules:
- apiGroups:
  - live.alibabacloud.com
  resources:
\($resources | list("  "))
  verbs:
\($verbs | list("  "))";

def users:
  map(.spec.names.plural) as $all | ["create", "delete", "deletecollection", "patch", "update"] as $write
  | header(" Kubernetes adds these rules to its
# own roles view, edit and admin. A LiveAccount can learn Secrets of its namespace
# (docs/security.md): only admin may write one."),
    role("view"; $all; ["get", "list", "watch"]),
    role("edit"; $all - ["liveaccounts"]; $write),
    role("admin"; ["liveaccounts"]; $write);

# The kinds that Artifact Hub is to show.
def hub:
  .[] | .spec.versions[0] as $version
  | "    - kind: \(.spec.names.kind)
      version: \($version.name)
      name: \(.metadata.name)
      displayName: \(.spec.names.kind)
      description: \($version.schema.openAPIV3Schema.description | split(".")[0] | gsub("\\s+"; " "))";

# A field that may be left out may be null, too: it drops a default of the chart.
def nullable: .type |= (if type == "string" then [., "null"] else . end) | if .enum then .enum += [null] else . end;

# The JSON schema of a field of a CRD, with the rules that it can say.
def schema:
  with_entries(select(.key | IN("type", "description", "pattern", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "enum")))
  + if .items then {items: .items | schema} else {} end
  + if .["x-kubernetes-list-type"] == "set" then {uniqueItems: true} else {} end
  + if .properties then (.required // []) as $required
      | {properties: .properties | with_entries(.key as $name | .value |= (schema | if $required | index($name) then . else nullable end)), $required, additionalProperties: false}
    else {} end
  + ([.["x-kubernetes-validations"][]? | .rule | either | select(.rest | test("^ *$")) | .is | select([.. | objects | has("only")] | any | not)] | if . == [] then {} else {allOf: .} end);

# The schema of the values of live-callbacks, which refuses what the CRDs refuse, as far
# as JSON schema can say it; the template has the rest, with the words of the CRDs.
def values:
  [callbacks[] | {key: .spec.names.plural, value: spec | schema}] as $kinds
  | "[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?" as $text
  | "[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*" as $domain
  | def keyed($prefix; $value): {type: "object", patternProperties: {"^(\($prefix)/)?\($text)$": ({type: "string"} + $value | nullable)}, additionalProperties: false} | nullable;
  keyed($domain; {pattern: "^(\($text))?$"}) as $labels | keyed("[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?"; {}) as $annotations
  | {
      "$schema": "http://json-schema.org/draft-07/schema#", title: "Values of live-callbacks", type: "object", additionalProperties: false,
      properties: ({
        global: {type: "object"}, commonLabels: $labels, commonAnnotations: $annotations,
        defaults: {
          type: "object", additionalProperties: false,
          properties: [$kinds[].value.properties | with_entries(select(.key | IN(shared[])))] | add
        }
      } + ($kinds | map(.value |= {
        type: "array",
        items: (
          {type: "string", maxLength: 253, pattern: "^\($domain)$"} as $name
          | if .properties.domainName then .properties.name = ($name | nullable) else .properties.name = $name | .required += ["name"] end
          | .properties += {labels: $labels, annotations: $annotations})
      }) | from_entries))
    };

if $file == "kinds" then kinds elif $file == "users" then users elif $file == "hub" then hub else values end
