{{- /*
Copyright The live-notify-operator Authors.
SPDX-License-Identifier: Apache-2.0
*/ -}}
{{.}}
