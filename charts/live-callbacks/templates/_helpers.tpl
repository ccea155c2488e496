{{- /*
Copyright The live-notify-operator Authors.
SPDX-License-Identifier: Apache-2.0
*/ -}}

{{- /* Says which entry it is: its list, its place there, and what it is of. */}}
{{- define "callbacks.entry" -}}
{{- $of := list }}
{{- range $field, $_ := .fields }}
{{- with get $.entry $field }}
{{- $of = append $of (printf "%s: %s" $field .) }}
{{- end }}
{{- end }}
{{- with .entry.name }}
{{- $of = prepend $of (printf "name: %s" .) }}
{{- end }}
{{- printf "%s[%d] (%s)" .plural .place (join ", " $of) }}
{{- end }}
