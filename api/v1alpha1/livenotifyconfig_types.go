// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// LiveNotifyConfigSpec is the stream-ingest callback configuration of one
// ingest domain (SetLiveStreamsNotifyUrlConfig).
// +kubebuilder:validation:XValidation:rule="has(self.notifyURL) || has(self.exceptionNotifyURL) || has(self.switchNotifyURL)",message="set at least one of notifyURL, exceptionNotifyURL and switchNotifyURL; to remove the configuration from the cloud, delete the resource"
// +kubebuilder:validation:XValidation:rule="(has(self.notifyURL) ? size(self.notifyURL) + 2 * size(self.notifyURL.findAll('[^-._~0-9A-Za-z]')) : 0) + (has(self.exceptionNotifyURL) ? size(self.exceptionNotifyURL) + 2 * size(self.exceptionNotifyURL.findAll('[^-._~0-9A-Za-z]')) : 0) + (has(self.switchNotifyURL) ? size(self.switchNotifyURL) + 2 * size(self.switchNotifyURL.findAll('[^-._~0-9A-Za-z]')) : 0) <= 7000",message="notifyURL, exceptionNotifyURL and switchNotifyURL are too long together: the cloud is called with all of them in one request, where each character other than a letter, a digit and - . _ ~ takes three, and together they may take 7000; shorten them"
type LiveNotifyConfigSpec struct {
	CallbackSpec `json:",inline"`
	CountedSpec  `json:",inline"`

	// domainName is the ingest (push) domain that the configuration is for, such
	// as push.example.com; not the playback domain. Immutable. It belongs to one
	// object in the cluster, which is the one that owns the configuration already,
	// or else the oldest of those that may have it. One whose account cannot be
	// used, or does not have it, has no claim. The others are Ready False, reason
	// Conflict.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?[.])+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",message="must be a domain name in lower case without scheme, port, wildcard or trailing dot, such as push.example.com"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(^|[.])[0-9]+$')",message="must be a domain name, not an IP address: the last label of a domain is no number"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="domainName cannot be changed; create another resource for another domain"
	DomainName string `json:"domainName"`

	// notifyURL is called with GET when a stream starts (publish) or stops
	// (publish_done). An http:// or https:// URL with a host that can exist and
	// without user name, of at most 2083 characters. Absent, the default: nobody is
	// called. At least one
	// of the three URLs is needed.
	// +kubebuilder:validation:MaxLength=2083
	// +kubebuilder:validation:XValidation:rule=`self.matches('^https?://([0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?([.][0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?)*|[[](([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,7}:|([0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){1,2}|([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){1,3}|([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){1,4}|([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){1,5}|[0-9A-Fa-f]{1,4}:(:[0-9A-Fa-f]{1,4}){1,6}|:(:[0-9A-Fa-f]{1,4}){1,7}|::)[]])(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?([/?#]([]-z|~!-$&-;=?-[]|%[0-9A-Fa-f]{2})*)?$') && self.matches('^https?://[^:/?#]{1,253}([:/?#]|$)') && (self.matches('^https?://((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([:/?#]|$)') || !self.matches('^https?://([^:/?#]*[.])?([0-9]+|0[xX][0-9A-Fa-f]*)([:/?#]|$)')) && !self.matches('[$][{(]|[{][{]') && !self.matches('^https?://((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]])([:/?#]|$)')`,messageExpression=`self == '' ? 'is empty; write a URL such as https://hooks.example.com/live, or leave the field out' : self.matches('[$][{(]|[{][{]|[<>]') ? 'looks like a template that was not rendered, since it has $ before a bracket, two opening braces, < or >; write what it stands for, and a < or > that is meant as %3C or %3E' : self.matches('[{}]') ? 'must not hold { or }: in a URL the cloud puts nothing in place of {DomainName} and the like; write what it stands for, and a brace that is meant as %7B or %7D' : self != self.trim() ? 'must not begin or end with a space or a line break; remove it (in YAML, write the URL on the line of its field)' : !self.matches('^https?://') ? 'must start with http:// or https:// in lower case, such as https://hooks.example.com/live' : self.matches('^https?://[^/?#]*@') ? 'must not hold a user name or a password; remove what is before the @' : self.matches('^https?://[^/?#:[]*([^[:ascii:]]|%)') ? 'must have its host in ASCII, not percent-encoded; write a name in other letters in punycode, such as xn--fiq228c.example.com' : self.matches('[^]-~!-[]') && !self.matches('[^!-~]') ? 'must not hold a backslash; write /, or %5C where one is meant' : self.matches('^https?://[^/?#]*[/?#][!-~]*[^!-~]') ? 'must not hold spaces, line breaks or characters outside ASCII; percent-encode them' : self.matches('%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)') ? 'must have two hexadecimal digits behind each %, such as %20; write a % that is meant as %25' : self.matches('^https?://([^/?#:[]*|[[][^]]*[]]):') && !self.matches('^https?://([^/?#:[]*|[[][^]]*[]]):(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})([/?#]|$)') ? 'must have a port from 1 to 65535, or none; an IPv6 address goes in brackets' : self.matches('^https?://((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]])([:/?#]|$)') ? 'must have a host that can be called: no address in 0.0.0.0/8 or from 224.0.0.0 on is, no IPv6 address that is unspecified, multicast or link-local, and no IPv4 address that is written as IPv6; write that of the receiver' : 'must have a host that can exist: labels of 1 to 63 letters, digits and inner hyphens with single dots in between, such as hooks.example.com, or an IPv4 address, or an IPv6 address in brackets'`
	// +optional
	NotifyURL string `json:"notifyURL,omitempty"`

	// exceptionNotifyURL is called with POST on stream exceptions. A URL as notifyURL.
	// Absent, the default: nobody is called.
	// +kubebuilder:validation:MaxLength=2083
	// +kubebuilder:validation:XValidation:rule=`self.matches('^https?://([0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?([.][0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?)*|[[](([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,7}:|([0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){1,2}|([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){1,3}|([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){1,4}|([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){1,5}|[0-9A-Fa-f]{1,4}:(:[0-9A-Fa-f]{1,4}){1,6}|:(:[0-9A-Fa-f]{1,4}){1,7}|::)[]])(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?([/?#]([]-z|~!-$&-;=?-[]|%[0-9A-Fa-f]{2})*)?$') && self.matches('^https?://[^:/?#]{1,253}([:/?#]|$)') && (self.matches('^https?://((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([:/?#]|$)') || !self.matches('^https?://([^:/?#]*[.])?([0-9]+|0[xX][0-9A-Fa-f]*)([:/?#]|$)')) && !self.matches('[$][{(]|[{][{]') && !self.matches('^https?://((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]])([:/?#]|$)')`,messageExpression=`self == '' ? 'is empty; write a URL such as https://hooks.example.com/live, or leave the field out' : self.matches('[$][{(]|[{][{]|[<>]') ? 'looks like a template that was not rendered, since it has $ before a bracket, two opening braces, < or >; write what it stands for, and a < or > that is meant as %3C or %3E' : self.matches('[{}]') ? 'must not hold { or }: in a URL the cloud puts nothing in place of {DomainName} and the like; write what it stands for, and a brace that is meant as %7B or %7D' : self != self.trim() ? 'must not begin or end with a space or a line break; remove it (in YAML, write the URL on the line of its field)' : !self.matches('^https?://') ? 'must start with http:// or https:// in lower case, such as https://hooks.example.com/live' : self.matches('^https?://[^/?#]*@') ? 'must not hold a user name or a password; remove what is before the @' : self.matches('^https?://[^/?#:[]*([^[:ascii:]]|%)') ? 'must have its host in ASCII, not percent-encoded; write a name in other letters in punycode, such as xn--fiq228c.example.com' : self.matches('[^]-~!-[]') && !self.matches('[^!-~]') ? 'must not hold a backslash; write /, or %5C where one is meant' : self.matches('^https?://[^/?#]*[/?#][!-~]*[^!-~]') ? 'must not hold spaces, line breaks or characters outside ASCII; percent-encode them' : self.matches('%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)') ? 'must have two hexadecimal digits behind each %, such as %20; write a % that is meant as %25' : self.matches('^https?://([^/?#:[]*|[[][^]]*[]]):') && !self.matches('^https?://([^/?#:[]*|[[][^]]*[]]):(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})([/?#]|$)') ? 'must have a port from 1 to 65535, or none; an IPv6 address goes in brackets' : self.matches('^https?://((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]])([:/?#]|$)') ? 'must have a host that can be called: no address in 0.0.0.0/8 or from 224.0.0.0 on is, no IPv6 address that is unspecified, multicast or link-local, and no IPv4 address that is written as IPv6; write that of the receiver' : 'must have a host that can exist: labels of 1 to 63 letters, digits and inner hyphens with single dots in between, such as hooks.example.com, or an IPv4 address, or an IPv6 address in brackets'`
	// +optional
	ExceptionNotifyURL string `json:"exceptionNotifyURL,omitempty"`

	// switchNotifyURL is called with POST when a dual-stream domain switches
	// between main and backup stream. The cloud never returns it, so a change
	// made to it elsewhere cannot be found; it is written when this spec
	// changes. Removing it replaces the whole configuration in the cloud,
	// which is without callbacks for the moment in between. A URL as notifyURL.
	// Absent, the default: nobody is called.
	// +kubebuilder:validation:MaxLength=2083
	// +kubebuilder:validation:XValidation:rule=`self.matches('^https?://([0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?([.][0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?)*|[[](([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,7}:|([0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){1,2}|([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){1,3}|([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){1,4}|([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){1,5}|[0-9A-Fa-f]{1,4}:(:[0-9A-Fa-f]{1,4}){1,6}|:(:[0-9A-Fa-f]{1,4}){1,7}|::)[]])(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?([/?#]([]-z|~!-$&-;=?-[]|%[0-9A-Fa-f]{2})*)?$') && self.matches('^https?://[^:/?#]{1,253}([:/?#]|$)') && (self.matches('^https?://((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([:/?#]|$)') || !self.matches('^https?://([^:/?#]*[.])?([0-9]+|0[xX][0-9A-Fa-f]*)([:/?#]|$)')) && !self.matches('[$][{(]|[{][{]') && !self.matches('^https?://((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]])([:/?#]|$)')`,messageExpression=`self == '' ? 'is empty; write a URL such as https://hooks.example.com/live, or leave the field out' : self.matches('[$][{(]|[{][{]|[<>]') ? 'looks like a template that was not rendered, since it has $ before a bracket, two opening braces, < or >; write what it stands for, and a < or > that is meant as %3C or %3E' : self.matches('[{}]') ? 'must not hold { or }: in a URL the cloud puts nothing in place of {DomainName} and the like; write what it stands for, and a brace that is meant as %7B or %7D' : self != self.trim() ? 'must not begin or end with a space or a line break; remove it (in YAML, write the URL on the line of its field)' : !self.matches('^https?://') ? 'must start with http:// or https:// in lower case, such as https://hooks.example.com/live' : self.matches('^https?://[^/?#]*@') ? 'must not hold a user name or a password; remove what is before the @' : self.matches('^https?://[^/?#:[]*([^[:ascii:]]|%)') ? 'must have its host in ASCII, not percent-encoded; write a name in other letters in punycode, such as xn--fiq228c.example.com' : self.matches('[^]-~!-[]') && !self.matches('[^!-~]') ? 'must not hold a backslash; write /, or %5C where one is meant' : self.matches('^https?://[^/?#]*[/?#][!-~]*[^!-~]') ? 'must not hold spaces, line breaks or characters outside ASCII; percent-encode them' : self.matches('%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)') ? 'must have two hexadecimal digits behind each %, such as %20; write a % that is meant as %25' : self.matches('^https?://([^/?#:[]*|[[][^]]*[]]):') && !self.matches('^https?://([^/?#:[]*|[[][^]]*[]]):(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})([/?#]|$)') ? 'must have a port from 1 to 65535, or none; an IPv6 address goes in brackets' : self.matches('^https?://((0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[]((0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]])([:/?#]|$)') ? 'must have a host that can be called: no address in 0.0.0.0/8 or from 224.0.0.0 on is, no IPv6 address that is unspecified, multicast or link-local, and no IPv4 address that is written as IPv6; write that of the receiver' : 'must have a host that can exist: labels of 1 to 63 letters, digits and inner hyphens with single dots in between, such as hooks.example.com, or an IPv4 address, or an IPv6 address in brackets'`
	// +optional
	SwitchNotifyURL string `json:"switchNotifyURL,omitempty"`

	// authentication turns on signed callbacks, with a key of 16 to 64 letters
	// and digits from a Secret. Without it, the default, callbacks are not
	// signed; removing it turns signing off.
	// +optional
	Authentication *AuthenticationSpec `json:"authentication,omitempty"`
}

// LiveNotifyConfigObservation is the configuration as the cloud returned it.
type LiveNotifyConfigObservation struct {
	// notifyURL in the cloud.
	// +optional
	NotifyURL string `json:"notifyURL,omitempty"`
	// exceptionNotifyURL in the cloud.
	// +optional
	ExceptionNotifyURL string `json:"exceptionNotifyURL,omitempty"`
	// authenticationEnabled tells whether the cloud signs callbacks.
	// +optional
	AuthenticationEnabled bool `json:"authenticationEnabled,omitempty"`
}

// LiveNotifyConfigStatus is the observed state of a LiveNotifyConfig.
type LiveNotifyConfigStatus struct {
	CallbackStatus `json:",inline"`
	CountedStatus  `json:",inline"`

	// observed is the configuration as last read from the cloud; absent when
	// the cloud has none.
	// +optional
	Observed *LiveNotifyConfigObservation `json:"observed,omitempty"`

	// appliedSwitchNotifyURL is the switchNotifyURL that the operator last
	// wrote, since the cloud does not return it. Absent if it wrote none.
	// +optional
	AppliedSwitchNotifyURL string `json:"appliedSwitchNotifyURL,omitempty"`
}

// LiveNotifyConfig keeps the stream-ingest callbacks of one ingest domain of
// ApsaraVideo Live equal to its spec, and reports how the callbacks are being
// delivered.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=lnc,categories=live
// +kubebuilder:printcolumn:name="Domain",type=string,JSONPath=`.spec.domainName`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Healthy",type=string,JSONPath=`.status.conditions[?(@.type=="CallbacksHealthy")].status`
// +kubebuilder:printcolumn:name="Failed",type=integer,JSONPath=`.status.callbacks.failed`
// +kubebuilder:printcolumn:name="Total",type=integer,JSONPath=`.status.callbacks.total`
// +kubebuilder:printcolumn:name="Window",type=string,JSONPath=`.status.callbacks.window`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="URL",type=string,priority=1,JSONPath=`.spec.notifyURL`
// +kubebuilder:printcolumn:name="Last failure",type=string,priority=1,JSONPath=`.status.callbacks.lastFailure.reason`
type LiveNotifyConfig struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the wanted configuration.
	Spec LiveNotifyConfigSpec `json:"spec"`
	// status is the observed state.
	// +optional
	// +kubebuilder:default={observedGeneration:-1}
	Status LiveNotifyConfigStatus `json:"status,omitempty"`
}

// Callback returns the parts of the object that all callback kinds share.
func (o *LiveNotifyConfig) Callback() (*CallbackSpec, *CallbackStatus) {
	return &o.Spec.CallbackSpec, &o.Status.CallbackStatus
}

// Counted returns the parts that the kinds share whose callbacks are counted.
func (o *LiveNotifyConfig) Counted() (*CountedSpec, *CountedStatus) {
	return &o.Spec.CountedSpec, &o.Status.CountedStatus
}

// LiveNotifyConfigList is a list of LiveNotifyConfigs.
// +kubebuilder:object:root=true
type LiveNotifyConfigList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LiveNotifyConfig `json:"items"`
}
