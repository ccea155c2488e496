{{- /*
Copyright The live-notify-operator Authors.
SPDX-License-Identifier: Apache-2.0
*/ -}}
{{- define "gvList" -}}
# API reference

<!-- Generated from api/ by "make generate": edit the comments there. -->

{{- range . }}

{{ template "gvDetails" . }}
{{- end }}
{{ end -}}
