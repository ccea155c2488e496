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
	CountedSpec  `json:",inline"`

	// appID is the RTC application that the subscription is for: up to 64 letters,
	// digits, '_' and '-'. Immutable. It
	// belongs to one object in the cluster, which is the one that owns the
	// configuration already, or else the oldest of those that may have it. One
	// whose account cannot be used, or does not have it, has no claim. The others
	// are Ready False, reason Conflict.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_-]+$')",message="must be the ID of an RTC application: up to 64 letters, digits, '_' and '-'"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="appID cannot be changed; create another resource for another application"
	AppID string `json:"appID"`

	// callbackURL is called with POST on each event. An http:// or https:// URL
	// with a host that can exist and without user name, of at most 2083 characters; the cloud allows letters,
	// digits and - _ ? % = # . / + : in it, so no '&' and no IPv6 address.
	// +kubebuilder:validation:MaxLength=2083
	// +kubebuilder:validation:XValidation:rule=`self.matches('^https?://([0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?([.][0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?)*)(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?([/?#]([-A-Za-z0-9_?=#./+:]|%[0-9A-Fa-f]{2})*)?$') && self.matches('^https?://[^:/?#]{1,253}([:/?#]|$)') && (self.matches('^https?://((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([:/?#]|$)') || !self.matches('^https?://([^:/?#]*[.])?([0-9]+|0[xX][0-9A-Fa-f]*)([:/?#]|$)')) && !self.matches('[$][{(]|[{][{]') && !self.matches('^https?://((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]])([:/?#]|$)')`,messageExpression=`self == '' ? 'is empty; write a URL such as https://hooks.example.com/live' : self.matches('[$][{(]|[{][{]|[<>]') ? 'looks like a template that was not rendered, since it has $ before a bracket, two opening braces, < or >; write what it stands for, and a < or > that is meant as %3C or %3E' : self.matches('[{}]') ? 'must not hold { or }: in a URL the cloud puts nothing in place of {DomainName} and the like; write what it stands for, and a brace that is meant as %7B or %7D' : self != self.trim() ? 'must not begin or end with a space or a line break; remove it (in YAML, write the URL on the line of its field)' : !self.matches('^https?://') ? 'must start with http:// or https:// in lower case, such as https://hooks.example.com/live' : self.matches('^https?://[^/?#]*@') ? 'must not hold a user name or a password; remove what is before the @' : self.matches('^https?://[^/?#:[]*([^[:ascii:]]|%)') ? 'must have its host in ASCII, not percent-encoded; write a name in other letters in punycode, such as xn--fiq228c.example.com' : !self.matches('^[-A-Za-z0-9_?%=#./+:]*$') ? 'must hold only letters, digits and - _ ? % = # . / + : as the cloud demands; percent-encode others, such as & as %26' : self.matches('%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)') ? 'must have two hexadecimal digits behind each %, such as %20; write a % that is meant as %25' : self.matches('^https?://([^/?#:[]*|[[][^]]*[]]):') && !self.matches('^https?://([^/?#:[]*|[[][^]]*[]]):(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})([/?#]|$)') ? 'must have a port from 1 to 65535, or none' : self.matches('^https?://((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]])([:/?#]|$)') ? 'must have a host that can be called: no address in 0.0.0.0/8 or from 224.0.0.0 on is, no IPv6 address that is unspecified, multicast or link-local, and no IPv4 address that is written as IPv6; write that of the receiver' : 'must have a host that can exist: labels of 1 to 63 letters, digits and inner hyphens with single dots in between, such as hooks.example.com, or an IPv4 address'`
	CallbackURL string `json:"callbackURL"`

	// channelIDs are the channels whose events are sent, at most 20, each an ID of up
	// to 64 letters, digits, '_' and '-'. Empty, the
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
	CountedStatus  `json:",inline"`

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
	// +kubebuilder:default={observedGeneration:-1}
	Status LiveRtcMPUEventSubStatus `json:"status,omitempty"`
}

// Callback returns the parts of the object that all callback kinds share.
func (o *LiveRtcMPUEventSub) Callback() (*CallbackSpec, *CallbackStatus) {
	return &o.Spec.CallbackSpec, &o.Status.CallbackStatus
}

// Counted returns the parts that the kinds share whose callbacks are counted.
func (o *LiveRtcMPUEventSub) Counted() (*CountedSpec, *CountedStatus) {
	return &o.Spec.CountedSpec, &o.Status.CountedStatus
}

// LiveRtcMPUEventSubList is a list of LiveRtcMPUEventSubs.
// +kubebuilder:object:root=true
type LiveRtcMPUEventSubList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LiveRtcMPUEventSub `json:"items"`
}
