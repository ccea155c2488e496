{{- /*
Copyright The live-notify-operator Authors.
SPDX-License-Identifier: Apache-2.0
*/ -}}
{{- define "type" -}}
{{- $type := . -}}
{{- if markdownShouldRenderType $type }}
### {{ $type.Name }}

{{ $type.Doc }}
{{- if $type.References }}

Used in
{{- range $i, $ref := $type.SortedReferences }}{{ if $i }},{{ end }} {{ markdownRenderTypeLink $ref }}{{ end }}.
{{- end }}
{{- if $type.EnumValues }}

| Value | Meaning |
| --- | --- |
{{- range $type.EnumValues }}
| `{{ .Name }}` | {{ template "text" .Doc }} |
{{- end }}
{{- else if $type.Members }}

| Field | Type | Default | Rules | Meaning |
| --- | --- | --- | --- | --- |
{{- range $type.Members }}
{{- if ne .Name "metadata" }}
| `{{ .Name }}` | {{ template "fieldType" .Type }} | {{ if and .Default (not (contains "{" .Default)) }}`{{ .Default }}`{{ end }} | {{ template "rules" . }} | {{ template "text" .Doc }} |
{{- end }}
{{- end }}
{{- end }}
{{ end -}}
{{- end -}}

{{- /* Kubernetes has no page on durations, Go has. */ -}}
{{- define "fieldType" -}}
{{- regexReplaceAll "\\(\\S+#duration-v1-meta\\)" (markdownRenderType .) "(https://pkg.go.dev/time#ParseDuration)" -}}
{{- end -}}

{{- /* A comment as one line of a table. */ -}}
{{- define "text" -}}
{{- markdownRenderFieldDoc . | replace "<br />" " " -}}
{{- end -}}

{{- /* Bounds and lists in short. CEL rules are left out: the comments say them in words. */ -}}
{{- define "rules" -}}
{{- $rules := list -}}
{{- if not (has "Optional: {}" .Validation) }}{{ $rules = append $rules "required" }}{{ end -}}
{{- range .Validation -}}
{{- if not (or (hasPrefix "Optional" .) (hasPrefix "Required" .) (hasPrefix "Enum" .) (hasPrefix "Type" .) (contains "XValidation" .)) -}}
{{- $rules = append $rules (hasPrefix "Pattern" . | ternary (printf "`%s`" .) (markdownRenderFieldDoc .)) -}}
{{- end -}}
{{- end -}}
{{- join ", " $rules -}}
{{- end -}}
