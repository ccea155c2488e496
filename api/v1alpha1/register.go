// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of the types in this package.
var GroupVersion = schema.GroupVersion{Group: "live.alibabacloud.com", Version: "v1alpha1"}

// AddToScheme adds the types of this package to a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&LiveNotifyConfig{}, &LiveNotifyConfigList{},
		&LiveRecordNotifyConfig{}, &LiveRecordNotifyConfigList{},
		&LiveRtcMPUEventSub{}, &LiveRtcMPUEventSubList{},
		&LiveSnapshotNotifyConfig{}, &LiveSnapshotNotifyConfigList{},
		&LiveDetectNotifyConfig{}, &LiveDetectNotifyConfigList{},
		&LiveAudioAuditNotifyConfig{}, &LiveAudioAuditNotifyConfigList{},
		&LiveRtcEventSub{}, &LiveRtcEventSubList{},
		&LiveMessageAppCallback{}, &LiveMessageAppCallbackList{},
		&LiveAccount{}, &LiveAccountList{},
		&LiveRolloutPolicy{}, &LiveRolloutPolicyList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
