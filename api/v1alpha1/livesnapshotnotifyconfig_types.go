// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// LiveSnapshotNotifyConfigSpec is the snapshot callback configuration of one main
// streaming domain (AddLiveSnapshotNotifyConfig).
type LiveSnapshotNotifyConfigSpec struct {
	CallbackSpec `json:",inline"`

	// domainName is the main streaming (playback) domain that the configuration is
	// for, such as live.example.com; not the ingest domain. Immutable. It belongs
	// to one object in the cluster, which is the one that owns the configuration
	// already, or else the oldest of those that may have it. One whose account
	// cannot be used, or does not have it, has no claim. The others are Ready
	// False, reason Conflict.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?[.])+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",message="must be a domain name in lower case without scheme, port, wildcard or trailing dot, such as live.example.com"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(^|[.])[0-9]+$')",message="must be a domain name, not an IP address: the last label of a domain is no number"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="domainName cannot be changed; create another resource for another domain"
	DomainName string `json:"domainName"`

	// notifyURL is called with POST when a snapshot was taken. An http:// or
	// https:// URL with a host that can exist and without user name, of at most
	// 500 characters.
	// +kubebuilder:validation:MaxLength=500
	// +kubebuilder:validation:XValidation:rule=`self.matches('^https?://([0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?([.][0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?)*|[[](([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,7}:|([0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){1,2}|([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){1,3}|([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){1,4}|([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){1,5}|[0-9A-Fa-f]{1,4}:(:[0-9A-Fa-f]{1,4}){1,6}|:(:[0-9A-Fa-f]{1,4}){1,7}|::)[]])(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?([/?#]([]-z|~!-$&-;=?-[]|%[0-9A-Fa-f]{2})*)?$') && self.matches('^https?://[^:/?#]{1,253}([:/?#]|$)') && (self.matches('^https?://((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([:/?#]|$)') || !self.matches('^https?://([^:/?#]*[.])?([0-9]+|0[xX][0-9A-Fa-f]*)([:/?#]|$)')) && !self.matches('[$][{(]|[{][{]') && !self.matches('^https?://((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]])([:/?#]|$)')`,messageExpression=`self == '' ? 'is empty; write a URL such as https://hooks.example.com/live' : self.matches('[$][{(]|[{][{]|[<>]') ? 'looks like a template that was not rendered, since it has $ before a bracket, two opening braces, < or >; write what it stands for, and a < or > that is meant as %3C or %3E' : self.matches('[{}]') ? 'must not hold { or }: in a URL the cloud puts nothing in place of {DomainName} and the like; write what it stands for, and a brace that is meant as %7B or %7D' : self != self.trim() ? 'must not begin or end with a space or a line break; remove it (in YAML, write the URL on the line of its field)' : !self.matches('^https?://') ? 'must start with http:// or https:// in lower case, such as https://hooks.example.com/live' : self.matches('^https?://[^/?#]*@') ? 'must not hold a user name or a password; remove what is before the @' : self.matches('^https?://[^/?#:[]*([^[:ascii:]]|%)') ? 'must have its host in ASCII, not percent-encoded; write a name in other letters in punycode, such as xn--fiq228c.example.com' : self.matches('[^]-~!-[]') && !self.matches('[^!-~]') ? 'must not hold a backslash; write /, or %5C where one is meant' : self.matches('^https?://[^/?#]*[/?#][!-~]*[^!-~]') ? 'must not hold spaces, line breaks or characters outside ASCII; percent-encode them' : self.matches('%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)') ? 'must have two hexadecimal digits behind each %, such as %20; write a % that is meant as %25' : self.matches('^https?://([^/?#:[]*|[[][^]]*[]]):') && !self.matches('^https?://([^/?#:[]*|[[][^]]*[]]):(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})([/?#]|$)') ? 'must have a port from 1 to 65535, or none; an IPv6 address goes in brackets' : self.matches('^https?://((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]])([:/?#]|$)') ? 'must have a host that can be called: no address in 0.0.0.0/8 or from 224.0.0.0 on is, no IPv6 address that is unspecified, multicast or link-local, and no IPv4 address that is written as IPv6; write that of the receiver' : 'must have a host that can exist: labels of 1 to 63 letters, digits and inner hyphens with single dots in between, such as hooks.example.com, or an IPv4 address, or an IPv6 address in brackets'`
	NotifyURL string `json:"notifyURL"`

	// authentication turns on signed callbacks, with a key of 16 to 32 letters
	// and digits from a Secret. Without it, the default, callbacks are not
	// signed; removing it turns signing off.
	// +optional
	Authentication *AuthenticationSpec `json:"authentication,omitempty"`
}

// LiveSnapshotNotifyConfigObservation is the configuration as the cloud returned
// it.
type LiveSnapshotNotifyConfigObservation struct {
	// notifyURL in the cloud.
	// +optional
	NotifyURL string `json:"notifyURL,omitempty"`
	// authenticationEnabled tells whether the cloud signs callbacks.
	// +optional
	AuthenticationEnabled bool `json:"authenticationEnabled,omitempty"`
	// otherCallbacks are the applications of the domain whose snapshot job has a
	// callback URL of its own, the older way, at most 20; * is all applications.
	// The cloud presumably calls both URLs: clear that of the job.
	// +listType=atomic
	// +optional
	OtherCallbacks []string `json:"otherCallbacks,omitempty"`
}

// LiveSnapshotNotifyConfigStatus is the observed state of a
// LiveSnapshotNotifyConfig.
type LiveSnapshotNotifyConfigStatus struct {
	CallbackStatus `json:",inline"`

	// observed is the configuration as last read from the cloud; absent when
	// the cloud has none.
	// +optional
	Observed *LiveSnapshotNotifyConfigObservation `json:"observed,omitempty"`
}

// LiveSnapshotNotifyConfig keeps the snapshot callbacks of one main streaming domain
// of ApsaraVideo Live equal to its spec. The cloud keeps no records of these
// callbacks, so none are counted.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=lsnc,categories=live
// +kubebuilder:printcolumn:name="Domain",type=string,JSONPath=`.spec.domainName`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="URL",type=string,priority=1,JSONPath=`.spec.notifyURL`
type LiveSnapshotNotifyConfig struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the wanted configuration.
	Spec LiveSnapshotNotifyConfigSpec `json:"spec"`
	// status is the observed state.
	// +optional
	// +kubebuilder:default={observedGeneration:-1}
	Status LiveSnapshotNotifyConfigStatus `json:"status,omitempty"`
}

// Callback returns the parts of the object that all callback kinds share.
func (o *LiveSnapshotNotifyConfig) Callback() (*CallbackSpec, *CallbackStatus) {
	return &o.Spec.CallbackSpec, &o.Status.CallbackStatus
}

// LiveSnapshotNotifyConfigList is a list of LiveSnapshotNotifyConfigs.
// +kubebuilder:object:root=true
type LiveSnapshotNotifyConfigList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LiveSnapshotNotifyConfig `json:"items"`
}
