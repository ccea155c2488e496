{{- /*
Copyright The live-notify-operator Authors.
SPDX-License-Identifier: Apache-2.0
*/ -}}
# Metrics

<!-- Generated from Collectors() of internal/controller, internal/live and internal/version by "make generate": edit these, or hack/refdocs. -->

`make demo` prints an address to see them at:

```sh
curl -s http://127.0.0.1:<port>/metrics | grep ^live_notify_
```

The operator serves them at `/metrics` of `--metrics-bind-address`, beside those of controller-runtime and of the Go runtime.
With `--metrics-secure`, the default, that is over TLS and for those alone who may `get` the non-resource URL `/metrics` in
the cluster. The series of an object disappear with it. Counters begin at zero when the operator starts.
{{ range . }}
## {{ .Title }}

| Metric | Type | Labels | Meaning |
| --- | --- | --- | --- |
{{- range .Metrics }}
| `{{ .Name }}` | {{ .Kind }} | {{ range $i, $label := .Labels }}{{ if $i }}, {{ end }}`{{ $label }}`{{ end }} | {{ .Help }} |
{{- end }}
{{ end -}}
