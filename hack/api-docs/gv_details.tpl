{{- /*
Copyright The live-notify-operator Authors.
SPDX-License-Identifier: Apache-2.0
*/ -}}
{{- /* The kinds come first, then what they are made of. */ -}}
{{- define "gvDetails" -}}
{{- $gv := . -}}
Group and version: `{{ $gv.GroupVersionString }}`. All kinds are namespaced and in the category `live`.

Kinds:
{{- range $i, $kind := $gv.SortedKinds }}{{ if $i }},{{ end }} {{ $gv.TypeForKind $kind | markdownRenderTypeLink }}{{ end }}.

## Kinds
{{ range $gv.SortedKinds }}{{ template "type" $gv.TypeForKind . }}{{ end }}
## Types
{{ range $gv.SortedTypes }}{{ if not .GVK }}{{ template "type" . }}{{ end }}{{ end }}
{{- end -}}
