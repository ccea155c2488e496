// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is the API of live-notify-operator: the callback (webhook)
// configuration of ApsaraVideo Live as Kubernetes resources.
//
// The callback kinds ([LiveNotifyConfig], [LiveRecordNotifyConfig],
// [LiveSnapshotNotifyConfig], [LiveDetectNotifyConfig], [LiveAudioAuditNotifyConfig],
// [LiveRtcMPUEventSub], [LiveRtcEventSub], [LiveMessageAppCallback]) each own one
// configuration in the cloud and share [CallbackSpec] and [CallbackStatus]. Those
// whose callbacks the cloud keeps records of also share [CountedSpec] and
// [CountedStatus]. A [LiveAccount] says whose cloud it is.
// Condition types and reasons, and what each of them means, are in
// conditions.go.
//
// +kubebuilder:object:generate=true
// +groupName=live.alibabacloud.com
package v1alpha1
