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

{{- /* The seconds of a duration such as 1h30m. */}}
{{- define "callbacks.seconds" -}}
{{- $all := 0.0 }}
{{- range regexFindAll "[0-9.]+[hms]" . -1 }}
{{- $unit := get (dict "h" 3600.0 "m" 60.0 "s" 1.0) (substr (int (sub (len .) 1)) (len .) .) }}
{{- $all = addf $all (mulf $unit (substr 0 (int (sub (len .) 1)) . | float64)) }}
{{- end }}
{{- $all }}
{{- end }}

{{- /*
Says whether a value is as files/kinds.yaml has it: JSON schema, with "only" for what
that cannot say.
*/}}
{{- define "callbacks.holds" -}}
{{- $holds := true }}
{{- $of := .of }}
{{- with .is.pattern }}{{ $holds = regexMatch . $of }}{{ end }}
{{- range .is.required }}{{ $holds = and $holds (hasKey $of .) }}{{ end }}
{{- range .is.allOf }}{{ $holds = and $holds (include "callbacks.holds" (dict "is" . "of" $of)) }}{{ end }}
{{- with .is.anyOf }}
{{- $holds = false }}
{{- range . }}{{ $holds = or $holds (include "callbacks.holds" (dict "is" . "of" $of)) }}{{ end }}
{{- end }}
{{- with .is.not }}{{ $holds = not (include "callbacks.holds" (dict "is" . "of" $of)) }}{{ end }}
{{- with .is.only }}
{{- with .least }}{{ $holds = ge (include "callbacks.seconds" $of | float64) (include "callbacks.seconds" . | float64) }}{{ end }}
{{- with .most }}{{ $holds = le (include "callbacks.seconds" $of | float64) (include "callbacks.seconds" . | float64) }}{{ end }}
{{- with .empty }}{{ $holds = empty (get $of .) }}{{ end }}
{{- with .field }}{{ $holds = and (hasKey $of .) (ne (get $of .) $.is.only.other) }}{{ end }}
{{- with .every }}
{{- range regexFindAll . $of -1 }}{{ $holds = and $holds (has . $.is.only.among) }}{{ end }}
{{- end }}
{{- end }}
{{- if $holds }}true{{ end }}
{{- end }}

{{- /* Refuses a value that breaks a rule of its CRD, and those below it, in the CRD's words. */}}
{{- define "callbacks.judge" -}}
{{- range .rules.own }}
{{- if not (include "callbacks.holds" (dict "is" .is "of" $.of)) }}
{{- fail (printf "\n%s: %s%s" $.this $.at .words) }}
{{- end }}
{{- end }}
{{- range $field, $rules := .rules.fields }}
{{- if hasKey $.of $field }}
{{- include "callbacks.judge" (dict "rules" $rules "of" (get $.of $field) "at" (printf "%s%s " ($.at | replace " " "/") $field) "this" $.this) }}
{{- end }}
{{- end }}
{{- end }}
