{{- /*
Copyright The live-notify-operator Authors.
SPDX-License-Identifier: Apache-2.0
*/ -}}
# RAM policies

<!-- Generated from internal/live/operations.go by "make generate": edit that, or hack/refdocs. -->

What the operator may do in the cloud is for a RAM policy to say. Create one of these two as a custom policy, and attach it to
the RAM user or role whose credentials the operator uses. How it gets these is in [credentials.md](../credentials.md).

## Observe

For objects with `managementPolicy: Observe`. It allows no change.

```json
{{ .Observe }}
```

## Manage

For all objects.

```json
{{ .Manage }}
```

## The command line

`import` and `plan --unmanaged` list the domains of an account. They need this policy, and write nothing:

```json
{{ .Import }}
```

`failures` and `replay` read the records, and nothing else:

```json
{{ .Failures }}
```

`conformance` reads and writes the configurations of the domains that it is given:

```json
{{ .Conformance }}
```

`plan` without `--unmanaged` needs what Observe allows. `probe` calls no cloud.

## Narrower

In the second statement, `{{ .AnyDomain }}` stands for every domain. To allow single ones write
`acs:cdn:*:<account ID>:domain/<domain name>` for each. Its product is `cdn`, not `live`. In the third statement,
`{{ .AnyApp }}` stands for every application. To allow single ones write `acs:live::<account ID>:rtc/<application ID>` for
each.

The actions of the first statement can be granted for all resources or not at all. So no policy keeps the operator from
reading the configuration of other domains, or from writing the stream callbacks of any. Who manages which domain is for
[`spec.allowedDomains`](../liveaccount.md#allowed-domains) of a LiveAccount to restrict.

A kind that is not used needs no actions. In the table they are listed by kind: LiveNotifyConfig, LiveRecordNotifyConfig,
LiveRtcMPUEventSub, LiveSnapshotNotifyConfig, LiveDetectNotifyConfig, LiveAudioAuditNotifyConfig, LiveRtcEventSub,
LiveMessageAppCallback.

## Operations

The documented limits are per second unless it says otherwise, for each account and operation. The operator uses 80 percent
of them, or [the share that a LiveAccount says](../liveaccount.md#request-quota).

| RAM action | Writes | Resource | Documented limit |
| --- | --- | --- | --- |
{{- range .Operations }}
| `live:{{ .Action }}` | {{ if .Write }}yes{{ end }} | {{ if .OfDomain }}a domain{{ else if .OfApp }}an application{{ else }}`*`{{ end }} | {{ .Limit }} |
{{- end }}

No page of the vendor was found that names the resource of `UpdateRtcMPUEventSub`, `DescribeRtcMPUEventSub` and
`DeleteRtcMPUEventSub`. It is assumed to be that of `CreateRtcMPUEventSub`.

No page was found either for `DeleteLiveAudioAuditNotifyConfig`, which is assumed to be that of the Add, for
`DescribeLiveSnapshotConfig`, and for `DescribeLiveMessageApp`, which is assumed to be that of
`ModifyLiveMessageAppCallback`. If `DescribeLiveSnapshotConfig` is denied, a LiveSnapshotNotifyConfig works all the same; it
only cannot tell of other callbacks.
