// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RtcEvent is a sort of events of an RTC application.
// +kubebuilder:validation:Enum=ChannelEvent;UserEvent
type RtcEvent string

// Sorts of events.
const (
	ChannelEvent RtcEvent = "ChannelEvent"
	UserEvent    RtcEvent = "UserEvent"
)

// LiveRtcEventSubSpec is the subscription to the channel and user events of one
// channel, or of all channels, of one RTC application (CreateEventSub).
// +kubebuilder:validation:XValidation:rule="!has(self.records) || !(has(self.records.appName) || has(self.records.streamName))",message="records.appName and records.streamName are for domains; the records of an RTC application cannot be narrowed down, remove them"
// +kubebuilder:validation:XValidation:rule="!has(self.users) || size(self.users) == 0 || self.channelID != '*'",message="users are for a single channel: set channelID to a channel other than *, or remove users"
// +kubebuilder:validation:XValidation:rule="size(self.callbackURL) + 2 * size(self.callbackURL.findAll('[^-._~0-9A-Za-z]')) + (has(self.users) ? 14 * size(self.users) + self.users.map(u, size(u) + 2 * size(u.findAll('[^-._~0-9A-Za-z]'))).sum() : 0) <= 7000",message="callbackURL and users are too long together: the cloud is called with all of them in one request, where each character other than a letter, a digit and - . _ ~ takes three, and together they may take 7000; shorten the URL, or list fewer users"
type LiveRtcEventSubSpec struct {
	CallbackSpec `json:",inline"`
	CountedSpec  `json:",inline"`

	// appID is the RTC application that the subscription is for: up to 64 letters,
	// digits, '_' and '-'. Immutable.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_-]+$')",message="must be the ID of an RTC application: up to 64 letters, digits, '_' and '-'"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="appID cannot be changed; create another resource for another application"
	AppID string `json:"appID"`

	// channelID is the channel whose events are sent, up to 64 letters, digits, '_' and
	// '-'; *, the default, is all
	// channels. Immutable. A channel of an application belongs to one object in
	// the cluster, which is the one that owns the configuration already, or else
	// the oldest of those that may have it. One whose account cannot be used, or
	// does not have it, has no claim. The others are Ready False, reason Conflict.
	// An application has at most 20 subscriptions.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([*]|[A-Za-z0-9_-]+)$')",message="must be a channel ID: up to 64 letters, digits, '_' and '-'; or * for all channels"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="channelID cannot be changed; create another resource for another channel"
	// +kubebuilder:default="*"
	// +optional
	ChannelID string `json:"channelID,omitempty"`

	// events are which events are sent: ChannelEvent when a channel opens or
	// closes, UserEvent when a user joins, leaves, publishes and so on. At least
	// one. A channel that is open keeps the events of before until it has been
	// closed for 20 minutes.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	// +listType=set
	Events []RtcEvent `json:"events"`

	// users are the users whose events are sent, at most 50, each an ID of up to 64
	// characters of ASCII without blanks and commas. Empty, the default,
	// means all users. Only with a channelID other than *. Their order means
	// nothing.
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:XValidation:rule=`self.matches('^[!-+--~]+$') && !self.matches('[$][(]|[{}<>]|%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)')`,messageExpression=`self.matches('[$][(]|[{}<>]|%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)') ? 'looks like a template that was not rendered, since it has $ before a parenthesis, a brace, <, > or a % without two hexadecimal digits behind it; write what it stands for' : "must be a user ID: up to 64 characters of ASCII, without blanks and commas"`
	// +listType=set
	// +optional
	Users []string `json:"users,omitempty"`

	// callbackURL is called with POST on each event. An http:// or https:// URL
	// with a host that can exist and without user name, of at most 2083 characters.
	// +kubebuilder:validation:MaxLength=2083
	// +kubebuilder:validation:XValidation:rule=`self.matches('^https?://([0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?([.][0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?)*|[[](([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,7}:|([0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){1,2}|([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){1,3}|([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){1,4}|([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){1,5}|[0-9A-Fa-f]{1,4}:(:[0-9A-Fa-f]{1,4}){1,6}|:(:[0-9A-Fa-f]{1,4}){1,7}|::)[]])(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?([/?#]([]-z|~!-$&-;=?-[]|%[0-9A-Fa-f]{2})*)?$') && self.matches('^https?://[^:/?#]{1,253}([:/?#]|$)') && (self.matches('^https?://((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([:/?#]|$)') || !self.matches('^https?://([^:/?#]*[.])?([0-9]+|0[xX][0-9A-Fa-f]*)([:/?#]|$)')) && !self.matches('[$][{(]|[{][{]') && !self.matches('^https?://((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]])([:/?#]|$)')`,messageExpression=`self == '' ? 'is empty; write a URL such as https://hooks.example.com/live' : self.matches('[$][{(]|[{][{]|[<>]') ? 'looks like a template that was not rendered, since it has $ before a bracket, two opening braces, < or >; write what it stands for, and a < or > that is meant as %3C or %3E' : self.matches('[{}]') ? 'must not hold { or }: in a URL the cloud puts nothing in place of {DomainName} and the like; write what it stands for, and a brace that is meant as %7B or %7D' : self != self.trim() ? 'must not begin or end with a space or a line break; remove it (in YAML, write the URL on the line of its field)' : !self.matches('^https?://') ? 'must start with http:// or https:// in lower case, such as https://hooks.example.com/live' : self.matches('^https?://[^/?#]*@') ? 'must not hold a user name or a password; remove what is before the @' : self.matches('^https?://[^/?#:[]*([^[:ascii:]]|%)') ? 'must have its host in ASCII, not percent-encoded; write a name in other letters in punycode, such as xn--fiq228c.example.com' : self.matches('[^]-~!-[]') && !self.matches('[^!-~]') ? 'must not hold a backslash; write /, or %5C where one is meant' : self.matches('^https?://[^/?#]*[/?#][!-~]*[^!-~]') ? 'must not hold spaces, line breaks or characters outside ASCII; percent-encode them' : self.matches('%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)') ? 'must have two hexadecimal digits behind each %, such as %20; write a % that is meant as %25' : self.matches('^https?://([^/?#:[]*|[[][^]]*[]]):') && !self.matches('^https?://([^/?#:[]*|[[][^]]*[]]):(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})([/?#]|$)') ? 'must have a port from 1 to 65535, or none; an IPv6 address goes in brackets' : self.matches('^https?://((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]])([:/?#]|$)') ? 'must have a host that can be called: no address in 0.0.0.0/8 or from 224.0.0.0 on is, no IPv6 address that is unspecified, multicast or link-local, and no IPv4 address that is written as IPv6; write that of the receiver' : 'must have a host that can exist: labels of 1 to 63 letters, digits and inner hyphens with single dots in between, such as hooks.example.com, or an IPv4 address, or an IPv6 address in brackets'`
	CallbackURL string `json:"callbackURL"`
}

// LiveRtcEventSubObservation is the subscription as the cloud returned it.
type LiveRtcEventSubObservation struct {
	// subID is the ID that the cloud gave the subscription. It stays while the cloud
	// does not show what the object wrote.
	// +optional
	SubID string `json:"subID,omitempty"`
	// callbackURL in the cloud.
	// +optional
	CallbackURL string `json:"callbackURL,omitempty"`
	// events in the cloud, sorted.
	// +listType=atomic
	// +optional
	Events []string `json:"events,omitempty"`
	// users in the cloud, sorted; empty means all users.
	// +listType=atomic
	// +optional
	Users []string `json:"users,omitempty"`
}

// LiveRtcEventSubStatus is the observed state of a
// LiveRtcEventSub.
type LiveRtcEventSubStatus struct {
	CallbackStatus `json:",inline"`
	CountedStatus  `json:",inline"`

	// observed is the subscription as last read from the cloud; absent when
	// the cloud has none.
	// +optional
	Observed *LiveRtcEventSubObservation `json:"observed,omitempty"`
}

// LiveRtcEventSub keeps a subscription to the channel and user events of one RTC
// application of ApsaraVideo Live equal to its spec, and reports how the callbacks
// are being delivered.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=les,categories=live
// +kubebuilder:printcolumn:name="App",type=string,JSONPath=`.spec.appID`
// +kubebuilder:printcolumn:name="Channel",type=string,JSONPath=`.spec.channelID`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Healthy",type=string,JSONPath=`.status.conditions[?(@.type=="CallbacksHealthy")].status`
// +kubebuilder:printcolumn:name="Failed",type=integer,JSONPath=`.status.callbacks.failed`
// +kubebuilder:printcolumn:name="Total",type=integer,JSONPath=`.status.callbacks.total`
// +kubebuilder:printcolumn:name="Window",type=string,JSONPath=`.status.callbacks.window`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="URL",type=string,priority=1,JSONPath=`.spec.callbackURL`
// +kubebuilder:printcolumn:name="Last failure",type=string,priority=1,JSONPath=`.status.callbacks.lastFailure.reason`
type LiveRtcEventSub struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the wanted configuration.
	Spec LiveRtcEventSubSpec `json:"spec"`
	// status is the observed state.
	// +optional
	// +kubebuilder:default={observedGeneration:-1}
	Status LiveRtcEventSubStatus `json:"status,omitempty"`
}

// Callback returns the parts of the object that all callback kinds share.
func (o *LiveRtcEventSub) Callback() (*CallbackSpec, *CallbackStatus) {
	return &o.Spec.CallbackSpec, &o.Status.CallbackStatus
}

// Counted returns the parts that the kinds share whose callbacks are counted.
func (o *LiveRtcEventSub) Counted() (*CountedSpec, *CountedStatus) {
	return &o.Spec.CountedSpec, &o.Status.CountedStatus
}

// LiveRtcEventSubList is a list of LiveRtcEventSubs.
// +kubebuilder:object:root=true
type LiveRtcEventSubList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LiveRtcEventSub `json:"items"`
}
