// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// LiveRtcMPUEventSubSpec is the subscription of one RTC application to
// mixed-stream relay (MPU) events (CreateRtcMPUEventSub).
// +kubebuilder:validation:XValidation:rule="!has(self.records) || !(has(self.records.appName) || has(self.records.streamName))",message="records.appName and records.streamName are for domains; the records of an RTC application cannot be narrowed down, remove them"
type LiveRtcMPUEventSubSpec struct {
	CallbackSpec `json:",inline"`

	// appID is the RTC application that the subscription is for. Immutable.
	// It belongs to one object in the cluster: of several the oldest has it, and
	// the others are Ready False, reason Conflict.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_-]+$')",message="must be the ID of an RTC application: up to 64 letters, digits, '_' and '-'"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="appID cannot be changed; create another resource for another application"
	AppID string `json:"appID"`

	// callbackURL is called with POST on each event. Starts with http:// or
	// https://; the cloud allows letters, digits and - _ ? % = # . / + : in it,
	// so no '&'.
	// +kubebuilder:validation:MaxLength=2083
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([^]/?#@:[]+|[[][0-9a-fA-F:.]+[]])(:[1-9][0-9]{0,4})?([/?#].*)?$')",message="must start with http:// or https:// followed by a host and at most a port number, without user name, such as https://hooks.example.com/mpu"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-A-Za-z0-9_?%=#./+:]*$')",message="must hold only letters, digits and - _ ? % = # . / + : as the cloud demands; percent-encode others, such as & as %26"
	CallbackURL string `json:"callbackURL"`

	// channelIDs are the channels whose events are sent, at most 20. Empty, the
	// default, means all channels. Their order means nothing.
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[A-Za-z0-9_-]+$')",message="must be a channel ID: up to 64 letters, digits, '_' and '-'"
	// +listType=set
	// +optional
	ChannelIDs []string `json:"channelIDs,omitempty"`
}

// LiveRtcMPUEventSubObservation is the subscription as the cloud returned it.
type LiveRtcMPUEventSubObservation struct {
	// subID is the ID that the cloud gave the subscription.
	// +optional
	SubID string `json:"subID,omitempty"`
	// callbackURL in the cloud.
	// +optional
	CallbackURL string `json:"callbackURL,omitempty"`
	// channelIDs in the cloud, sorted; empty means all channels.
	// +listType=atomic
	// +optional
	ChannelIDs []string `json:"channelIDs,omitempty"`
}

// LiveRtcMPUEventSubStatus is the observed state of a LiveRtcMPUEventSub.
type LiveRtcMPUEventSubStatus struct {
	CallbackStatus `json:",inline"`

	// observed is the subscription as last read from the cloud; absent when the
	// cloud has none.
	// +optional
	Observed *LiveRtcMPUEventSubObservation `json:"observed,omitempty"`
}

// LiveRtcMPUEventSub keeps the mixed-stream relay (MPU) event subscription of
// one RTC application of ApsaraVideo Live equal to its spec, and reports how
// the callbacks are being delivered.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=lmes,categories=live
// +kubebuilder:printcolumn:name="App",type=string,JSONPath=`.spec.appID`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Healthy",type=string,JSONPath=`.status.conditions[?(@.type=="CallbacksHealthy")].status`
// +kubebuilder:printcolumn:name="Failed",type=integer,JSONPath=`.status.callbacks.failed`
// +kubebuilder:printcolumn:name="Total",type=integer,JSONPath=`.status.callbacks.total`
// +kubebuilder:printcolumn:name="Window",type=string,JSONPath=`.status.callbacks.window`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="URL",type=string,priority=1,JSONPath=`.spec.callbackURL`
// +kubebuilder:printcolumn:name="Last failure",type=string,priority=1,JSONPath=`.status.callbacks.lastFailure.reason`
type LiveRtcMPUEventSub struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the wanted configuration.
	Spec LiveRtcMPUEventSubSpec `json:"spec"`
	// status is the observed state.
	// +optional
	Status LiveRtcMPUEventSubStatus `json:"status,omitempty"`
}

// Callback returns the parts of the object that all callback kinds share.
func (o *LiveRtcMPUEventSub) Callback() (*CallbackSpec, *CallbackStatus) {
	return &o.Spec.CallbackSpec, &o.Status.CallbackStatus
}

// LiveRtcMPUEventSubList is a list of LiveRtcMPUEventSubs.
// +kubebuilder:object:root=true
type LiveRtcMPUEventSubList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LiveRtcMPUEventSub `json:"items"`
}
