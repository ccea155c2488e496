{{- /*
Copyright The live-notify-operator Authors.
SPDX-License-Identifier: Apache-2.0
*/ -}}

{{- /*
Every template includes this first. In Helm null takes a default away, and so does a
key with nothing behind it: of lists, resources and labels none are left then, and all
else has its default again.
*/}}
{{- define "lno.fill" -}}
{{- include "lno.filled" (dict "values" .Values "defaults" (.Files.Get "files/values.yaml" | fromYaml)) }}
{{- end }}

{{- define "lno.filled" -}}
{{- range $key, $default := .defaults }}
{{- $value := index $.values $key }}
{{- $free := has $key (list "resources" "labels") }}
{{- if kindIs "invalid" $value }}
{{- $_ := set $.values $key ($free | ternary dict (kindIs "slice" $default | ternary list $default)) }}
{{- else if and (kindIs "map" $default) (not $free) }}
{{- include "lno.filled" (dict "values" $value "defaults" $default) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "lno.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /*
The longest suffix of a name that may have 63, "-metrics-reader", leaves 48. A release
may have dots and a digit in front, which the name of a Service may not.
*/}}
{{- define "lno.fullname" -}}
{{- $name := .Values.fullnameOverride }}
{{- if not $name }}
{{- $of := default .Chart.Name .Values.nameOverride }}
{{- $name = contains $of .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $of) }}
{{- end }}
{{- $name = replace "." "-" $name }}
{{- if regexMatch "^[0-9]" $name }}
{{- $name = printf "lno-%s" $name }}
{{- end }}
{{- regexReplaceAll "-+$" (trunc 48 $name) "" }}
{{- end }}

{{- define "lno.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (printf "%s-manager" (include "lno.fullname" .)) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "lno.commonLabels" -}}
app.kubernetes.io/part-of: live-notify-operator
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "lno.selectorLabels" -}}
app.kubernetes.io/name: {{ include "lno.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "lno.labels" -}}
{{ include "lno.selectorLabels" . }}
{{ include "lno.commonLabels" . }}
{{- end }}

{{- define "lno.emulatorSelectorLabels" -}}
app.kubernetes.io/name: live-emulator
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "lno.emulatorLabels" -}}
{{ include "lno.emulatorSelectorLabels" . }}
{{ include "lno.commonLabels" . }}
{{- end }}

{{- /* Takes a dict of the root and an image. */}}
{{- define "lno.image" -}}
{{- with .root.Values.global.imageRegistry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ default .root.Chart.AppVersion .image.tag }}
{{- end }}
{{- end }}

{{- define "lno.imagePullSecrets" -}}
{{- $all := list }}
{{- range concat .Values.global.imagePullSecrets .Values.imagePullSecrets }}
{{- if kindIs "string" . }}
{{- $all = append $all (dict "name" .) }}
{{- else }}
{{- $all = append $all . }}
{{- end }}
{{- end }}
{{- with $all }}
imagePullSecrets:
{{ uniq . | toYaml }}
{{- end }}
{{- end }}

{{- /* The Secret with the certificate of the metrics, if there is one. */}}
{{- define "lno.metricsSecret" -}}
{{- with .Values.metrics.certificate }}
{{- if .existingSecret }}
{{- .existingSecret }}
{{- else if .certManager.enabled }}
{{- include "lno.fullname" $ }}-metrics-certificate
{{- end }}
{{- end }}
{{- end }}

{{- define "lno.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "lno.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
  - ALL
{{- end }}

{{- /*
Says whether spec.endpoint of a LiveAccount may be so: its rule is made of patterns, of
which it must match the first two, the third or else not the fourth, and none behind.
*/}}
{{- define "lno.isEndpoint" -}}
{{- $crd := fromYaml (.root.Files.Get "files/crds/live.alibabacloud.com_liveaccounts.yaml") }}
{{- $field := (index $crd.spec.versions 0).schema.openAPIV3Schema.properties.spec.properties.endpoint }}
{{- $matches := list }}
{{- range regexFindAll "self[.]matches[(]'[^']*'" (index $field "x-kubernetes-validations" 0).rule -1 }}
{{- $matches = append $matches (regexMatch (trimPrefix "self.matches('" . | trimSuffix "'") $.endpoint) }}
{{- end }}
{{- if and (index $matches 0) (index $matches 1) (or (index $matches 2) (not (index $matches 3))) (not (has true (slice $matches 4))) -}}
true
{{- end }}
{{- end }}

{{- /* What a schema can only refuse without saying why. */}}
{{- define "lno.validate" -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" (include "lno.fullname" .)) }}
{{- fail (printf "nameOverride or fullnameOverride makes %q of the names of all objects, which may have lower-case letters, digits and hyphens only, with no hyphen in front" (include "lno.fullname" .)) }}
{{- end }}
{{- with .Values }}
{{- if and .rrsa.enabled (not (and .rrsa.roleARN .rrsa.oidcProviderARN)) }}
{{- fail "rrsa.enabled needs rrsa.roleARN and rrsa.oidcProviderARN" }}
{{- end }}
{{- if and (not .rrsa.enabled) (or .rrsa.roleARN .rrsa.oidcProviderARN) }}
{{- fail "rrsa.roleARN and rrsa.oidcProviderARN have no effect without rrsa.enabled: set it" }}
{{- end }}
{{- if and .rrsa.enabled .credentials.existingSecret }}
{{- fail "rrsa.enabled and credentials.existingSecret exclude each other: an access key would be used in place of the role" }}
{{- end }}
{{- if and .emulator.enabled .rrsa.enabled }}
{{- fail "emulator.enabled and rrsa.enabled exclude each other: the emulated cloud takes its own access key" }}
{{- end }}
{{- if and .emulator.enabled .credentials.existingSecret }}
{{- fail "emulator.enabled and credentials.existingSecret exclude each other: the emulated cloud takes its own access key" }}
{{- end }}
{{- range $name := list "endpoint" "stsEndpoint" }}
{{- $endpoint := get $.Values $name }}
{{- if and $.Values.emulator.enabled $endpoint }}
{{- fail (printf "emulator.enabled and %s exclude each other: the emulated cloud is the endpoint" $name) }}
{{- end }}
{{- if and $endpoint (not (include "lno.isEndpoint" (dict "root" $ "endpoint" $endpoint))) }}
{{- fail (printf "%s must be host or host:port, optionally with https:// in front and nothing behind, such as live.aliyuncs.com; its host must be one that can exist and be called, and its port one from 1 to 65535" $name) }}
{{- end }}
{{- if and (hasPrefix "http://" $endpoint) (not $.Values.allowInsecureEndpoints) }}
{{- fail (printf "%s is http://, which sends keys in clear: use https://, or set allowInsecureEndpoints" $name) }}
{{- end }}
{{- end }}
{{- if and .metrics.enabled (eq (int .metrics.port) 8081) }}
{{- fail "metrics.port is 8081, which is the port of the probes: choose another" }}
{{- end }}
{{- if and .metrics.readerRole.subjects (not .metrics.readerRole.create) }}
{{- fail "metrics.readerRole.subjects has no effect without metrics.readerRole.create" }}
{{- end }}
{{- range .metrics.readerRole.subjects }}
{{- if and (eq .kind "ServiceAccount") (not .namespace) }}
{{- fail (printf "metrics.readerRole.subjects has the ServiceAccount %s without a namespace" .name) }}
{{- end }}
{{- if and (eq .kind "ServiceAccount") (not (regexMatch "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$" .name)) }}
{{- fail (printf "metrics.readerRole.subjects has the ServiceAccount %q, a name that none can have: lower-case letters, digits, hyphens and dots" .name) }}
{{- end }}
{{- end }}
{{- $own := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/part-of" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart" }}
{{- $maps := dict "commonLabels" .commonLabels "podLabels" .podLabels "serviceMonitor.labels" .serviceMonitor.labels "prometheusRule.labels" .prometheusRule.labels "grafanaDashboard.labels" .grafanaDashboard.labels }}
{{- range $name, $labels := $maps }}
{{- range $label := keys (default dict $labels) | sortAlpha }}
{{- if has $label $own }}
{{- fail (printf "%s has %s, which the chart sets itself" $name $label) }}
{{- end }}
{{- end }}
{{- end }}
{{- if hasKey (default dict .podAnnotations) "kubectl.kubernetes.io/default-container" }}
{{- fail "podAnnotations has kubectl.kubernetes.io/default-container, which the chart sets itself" }}
{{- end }}
{{- if and .podDisruptionBudget.enabled (ne (toString .podDisruptionBudget.minAvailable) "") (ne (toString .podDisruptionBudget.maxUnavailable) "") }}
{{- fail "podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavailable exclude each other: set one" }}
{{- end }}
{{- if and .serviceMonitor.enabled (not .metrics.enabled) }}
{{- fail "serviceMonitor.enabled needs metrics.enabled" }}
{{- end }}
{{- if and (or .metrics.certificate.existingSecret .metrics.certificate.certManager.enabled) (not (and .metrics.enabled .metrics.secure)) }}
{{- fail "metrics.certificate has no effect without metrics.enabled and metrics.secure" }}
{{- end }}
{{- if and .metrics.certificate.existingSecret .metrics.certificate.certManager.enabled }}
{{- fail "metrics.certificate.existingSecret and metrics.certificate.certManager.enabled exclude each other" }}
{{- end }}
{{- if and .oidc.namespaces (not .oidc.enabled) }}
{{- fail "oidc.namespaces has no effect without oidc.enabled: set it" }}
{{- end }}
{{- if and .oidc.enabled .watchNamespaces }}
{{- range .oidc.namespaces }}
{{- if not (has . $.Values.watchNamespaces) }}
{{- fail (printf "oidc.namespaces has %s, which is not one of watchNamespaces" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (not .serviceAccount.create) (not .serviceAccount.name) }}
{{- fail "serviceAccount.create: false needs serviceAccount.name: the default account of the namespace is everyone's" }}
{{- end }}
{{- end }}
{{- end }}

{{- /*
Whether the operator may write statuses for all that the policy asks: by the role for
objects of the whole cluster, or by the permission for the policy.
*/}}
{{- define "lno.writesStatuses" -}}
{{- if or (not .Values.watchNamespaces) (and .Values.rbac.create .Values.rbac.seeOtherOperators) }}true{{ end }}
{{- end }}
