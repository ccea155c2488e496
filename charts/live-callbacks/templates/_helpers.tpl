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

{{- /*
Merges the fields of own into those of defaults, and returns JSON. As in Helm, null in
either is no value: in own it drops what is in defaults.
*/}}
{{- define "callbacks.merged" -}}
{{- $merged := deepCopy (default dict .defaults) }}
{{- range $field, $value := default dict .own }}
{{- if kindIs "map" $value }}
{{- $before := get $merged $field }}
{{- $_ := set $merged $field (dict "defaults" (kindIs "map" $before | ternary $before dict) "own" $value | include "callbacks.merged" | fromJson) }}
{{- else if kindIs "invalid" $value }}
{{- $_ := unset $merged $field }}
{{- else }}
{{- $_ := set $merged $field $value }}
{{- end }}
{{- end }}
{{- toJson $merged }}
{{- end }}
