{{- /*
Copyright The live-notify-operator Authors.
SPDX-License-Identifier: Apache-2.0
*/ -}}
# Error codes

<!-- Generated from internal/live/errors.go and internal/plan/failed.go by "make generate": edit these, or hack/refdocs. -->

The code that the cloud answered with is in the message of the condition Ready, after the operation:

```sh
kubectl get lnc push-example-com -o jsonpath='{.status.conditions[?(@.type=="Ready")].message}'
```

Each code has a class, and what follows depends on the class alone. Conditions are explained in
[conditions.md](../conditions.md), symptoms in [troubleshooting.md](../troubleshooting.md).

## Classes

| Class | Ready | Stalled | Event | Tried again after | What to do |
| --- | --- | --- | --- | --- | --- |
{{- range .Classes }}
| {{ .Class }} | {{ .Ready }} `{{ .Reason }}` | {{ if .Stalled }}yes{{ else }}no{{ end }} | {{ with .Event }}`{{ . }}`{{ end }} | {{ .Retry }} | {{ .Message }} |
{{- end }}

An object is also tried again at once when its spec, its Secret or its LiveAccount changes. When the cloud says how
long to wait, the operator waits for that long in place of what the table has, which may be less.

Some errors show in another way:

- Reading or removing a configuration that is not there is no error, whichever of its codes the cloud says it with.
- `InvalidParam` of an operation on MPU subscriptions can also mean that there is none, or that there is one already. The
  operator reads to find out.
- The first two transient failures in a row of an object that is in sync leave its Ready as it is. Transient are the classes
  that are not Stalled.
- While an object is being deleted, errors that are Stalled, and those of class NoCredentials, have the reason
  `DeletionBlocked` and are Stalled. DomainNotFound is an exception: what belonged to a domain that is gone is gone too.
- Errors of the callback records make CallbacksHealthy `Unknown` with the reason `RecordsUnavailable`. They never touch Ready.

## Codes

| Code | Class | Ready | Stalled | Tried again after | What to do |
| --- | --- | --- | --- | --- | --- |
{{- range .Codes }}{{ template "code" . }}{{ end }}

Any other code is Throttled if it contains `Throttling`, Unavailable if the HTTP status is 500 or more, Rejected if it begins
with `Missing`, and else Unavailable. An error with the header `x-acs-retry-after` is Throttled whatever its code.

## Codes of the operator

Where the cloud sent no code, the message has one of these.

| Code | Class | Ready | Stalled | Tried again after | What to do |
| --- | --- | --- | --- | --- | --- |
{{- range .OwnCodes }}{{ template "code" . }}{{ end }}

{{- define "code" }}
| `{{ .Code }}` | {{ .Class }} | {{ .Ready }} `{{ .Reason }}` | {{ if .Stalled }}yes{{ else }}no{{ end }} | {{ .Retry }} | {{ .Message }} |
{{- end }}
