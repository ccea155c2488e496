// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DataCenter is where an interactive-messaging application lives.
// +kubebuilder:validation:Enum=cn-shanghai;ap-southeast-1
type DataCenter string

// Data centers.
const (
	Shanghai  DataCenter = "cn-shanghai"
	Singapore DataCenter = "ap-southeast-1"
)

// LiveMessageAppCallbackSpec is the event callback of one interactive-messaging
// application (ModifyLiveMessageAppCallback).
type LiveMessageAppCallbackSpec struct {
	CallbackSpec `json:",inline"`

	// dataCenter is where the application was created: cn-shanghai, the default, or
	// ap-southeast-1. Immutable.
	// +kubebuilder:default=cn-shanghai
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="dataCenter cannot be changed; create another resource for the application of another data center"
	// +optional
	DataCenter DataCenter `json:"dataCenter,omitempty"`

	// appID is the interactive-messaging application, up to 64 letters, digits, '_' and
	// '-', which exists already: the
	// operator neither creates nor deletes one. Immutable. With its data center it
	// belongs to one object in the cluster, which is the one that owns the
	// configuration already, or else the oldest of those that may have it. One
	// whose account cannot be used, or does not have it, has no claim. The others
	// are Ready False, reason Conflict.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_-]+$')",message="must be the ID of an interactive-messaging application: up to 64 letters, digits, '_' and '-'"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="appID cannot be changed; create another resource for another application"
	AppID string `json:"appID"`

	// eventCallbackURL is called with POST when users log on or off and join or
	// leave groups. An http:// or https:// URL with a host that can exist and
	// without user name, of at most 2083 characters; the cloud allows no port in it, and
	// no host but a public address or a name of the public DNS.
	// +kubebuilder:validation:MaxLength=2083
	// +kubebuilder:validation:XValidation:rule=`self.matches('^https?://([0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?([.][0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?)*)([/?#]([]-z|~!-$&-;=?-[]|%[0-9A-Fa-f]{2})*)?$') && self.matches('^https?://[^:/?#]{1,253}([:/?#]|$)') && (self.matches('^https?://((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([:/?#]|$)') || !self.matches('^https?://([^:/?#]*[.])?([0-9]+|0[xX][0-9A-Fa-f]*)([:/?#]|$)')) && !self.matches('[$][{(]|[{][{]') && !self.matches('^https?://((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]]|(10|127|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])|169[.]254|172[.](1[6-9]|2[0-9]|3[01])|192[.]168|192[.]0[.]0|198[.]1[89])[.][0-9.]+|[^./?#]+|[^/?#]*[.]([Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]|[Ll][Oo][Cc][Aa][Ll][Dd][Oo][Mm][Aa][Ii][Nn]|[Ll][Oo][Cc][Aa][Ll]|[Ii][Nn][Tt][Ee][Rr][Nn][Aa][Ll]|[Ss][Vv][Cc]|[Ii][Nn][Vv][Aa][Ll][Ii][Dd]|[Hh][Oo][Mm][Ee][.][Aa][Rr][Pp][Aa]))([:/?#]|$)')`,messageExpression=`self == '' ? 'is empty; write a URL such as https://hooks.example.com/live' : self.matches('[$][{(]|[{][{]|[<>]') ? 'looks like a template that was not rendered, since it has $ before a bracket, two opening braces, < or >; write what it stands for, and a < or > that is meant as %3C or %3E' : self.matches('[{}]') ? 'must not hold { or }: in a URL the cloud puts nothing in place of {DomainName} and the like; write what it stands for, and a brace that is meant as %7B or %7D' : self != self.trim() ? 'must not begin or end with a space or a line break; remove it (in YAML, write the URL on the line of its field)' : !self.matches('^https?://') ? 'must start with http:// or https:// in lower case, such as https://hooks.example.com/live' : self.matches('^https?://[^/?#]*@') ? 'must not hold a user name or a password; remove what is before the @' : self.matches('^https?://[^/?#:[]*([^[:ascii:]]|%)') ? 'must have its host in ASCII, not percent-encoded; write a name in other letters in punycode, such as xn--fiq228c.example.com' : self.matches('[^]-~!-[]') && !self.matches('[^!-~]') ? 'must not hold a backslash; write /, or %5C where one is meant' : self.matches('^https?://[^/?#]*[/?#][!-~]*[^!-~]') ? 'must not hold spaces, line breaks or characters outside ASCII; percent-encode them' : self.matches('%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)') ? 'must have two hexadecimal digits behind each %, such as %20; write a % that is meant as %25' : self.matches('^https?://[^/?#:[]*:') ? 'must have no port, which the cloud does not allow here: it calls port 80 with http:// and port 443 with https://' : self.matches('^https?://([0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?([.][0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?)*)([/?#]|$)') && self.matches('^https?://((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]]|(10|127|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])|169[.]254|172[.](1[6-9]|2[0-9]|3[01])|192[.]168|192[.]0[.]0|198[.]1[89])[.][0-9.]+|[^./?#]+|[^/?#]*[.]([Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]|[Ll][Oo][Cc][Aa][Ll][Dd][Oo][Mm][Aa][Ii][Nn]|[Ll][Oo][Cc][Aa][Ll]|[Ii][Nn][Tt][Ee][Rr][Nn][Aa][Ll]|[Ss][Vv][Cc]|[Ii][Nn][Vv][Aa][Ll][Ii][Dd]|[Hh][Oo][Mm][Ee][.][Aa][Rr][Pp][Aa]))([/?#]|$)') ? 'must have a public address, or a name of the public DNS: the cloud calls no private or reserved address, and no name of one label or below localhost, local, internal, svc and the like' : 'must have a host that can exist: labels of 1 to 63 letters, digits and inner hyphens with single dots in between, such as hooks.example.com, or an IPv4 address'`
	EventCallbackURL string `json:"eventCallbackURL"`
}

// LiveMessageAppCallbackObservation is the event callback as the cloud returned it.
type LiveMessageAppCallbackObservation struct {
	// eventCallbackURL in the cloud.
	// +optional
	EventCallbackURL string `json:"eventCallbackURL,omitempty"`
}

// LiveMessageAppCallbackStatus is the observed state of a
// LiveMessageAppCallback.
type LiveMessageAppCallbackStatus struct {
	CallbackStatus `json:",inline"`

	// observed is the event callback as last read from the cloud; absent when
	// the cloud has none.
	// +optional
	Observed *LiveMessageAppCallbackObservation `json:"observed,omitempty"`
}

// LiveMessageAppCallback keeps the event callback of one interactive-messaging
// application of ApsaraVideo Live equal to its spec. Deleting it clears the callback
// and leaves the application. The cloud keeps no records of these callbacks, so none
// are counted.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=lmac,categories=live
// +kubebuilder:printcolumn:name="App",type=string,JSONPath=`.spec.appID`
// +kubebuilder:printcolumn:name="Data center",type=string,JSONPath=`.spec.dataCenter`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="URL",type=string,priority=1,JSONPath=`.spec.eventCallbackURL`
type LiveMessageAppCallback struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the wanted configuration.
	Spec LiveMessageAppCallbackSpec `json:"spec"`
	// status is the observed state.
	// +optional
	// +kubebuilder:default={observedGeneration:-1}
	Status LiveMessageAppCallbackStatus `json:"status,omitempty"`
}

// Callback returns the parts of the object that all callback kinds share.
func (o *LiveMessageAppCallback) Callback() (*CallbackSpec, *CallbackStatus) {
	return &o.Spec.CallbackSpec, &o.Status.CallbackStatus
}

// LiveMessageAppCallbackList is a list of LiveMessageAppCallbacks.
// +kubebuilder:object:root=true
type LiveMessageAppCallbackList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LiveMessageAppCallback `json:"items"`
}
