// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// LiveNotifyConfigSpec is the stream-ingest callback configuration of one
// ingest domain (SetLiveStreamsNotifyUrlConfig).
// +kubebuilder:validation:XValidation:rule="has(self.notifyURL) || has(self.exceptionNotifyURL) || has(self.switchNotifyURL)",message="set at least one of notifyURL, exceptionNotifyURL and switchNotifyURL; to remove the configuration from the cloud, delete the resource"
type LiveNotifyConfigSpec struct {
	CallbackSpec `json:",inline"`

	// domainName is the ingest (push) domain that the configuration is for,
	// such as push.example.com; not the playback domain. Immutable. It belongs
	// to one object in the cluster: of several the oldest has it, and the others
	// are Ready False, reason Conflict.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?[.])+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",message="must be a domain name in lower case without scheme, port, wildcard or trailing dot, such as push.example.com"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="domainName cannot be changed; create another resource for another domain"
	DomainName string `json:"domainName"`

	// notifyURL is called with GET when a stream starts (publish) or stops
	// (publish_done). Starts with http:// or https://. Absent, the default:
	// nobody is called. At least one of the three URLs is needed.
	// +kubebuilder:validation:MaxLength=2083
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([^]/?#@:[]+|[[][0-9a-fA-F:.]+[]])(:[1-9][0-9]{0,4})?([/?#].*)?$')",message="must start with http:// or https:// followed by a host and at most a port number, without user name, such as https://hooks.example.com/live"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]*$')",message="must not hold spaces or characters outside ASCII; percent-encode them"
	// +optional
	NotifyURL string `json:"notifyURL,omitempty"`

	// exceptionNotifyURL is called with POST on stream exceptions. Starts with
	// http:// or https://. Absent, the default: nobody is called.
	// +kubebuilder:validation:MaxLength=2083
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([^]/?#@:[]+|[[][0-9a-fA-F:.]+[]])(:[1-9][0-9]{0,4})?([/?#].*)?$')",message="must start with http:// or https:// followed by a host and at most a port number, without user name, such as https://hooks.example.com/live"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]*$')",message="must not hold spaces or characters outside ASCII; percent-encode them"
	// +optional
	ExceptionNotifyURL string `json:"exceptionNotifyURL,omitempty"`

	// switchNotifyURL is called with POST when a dual-stream domain switches
	// between main and backup stream. The cloud never returns it, so a change
	// made to it elsewhere cannot be found; it is written when this spec
	// changes. Removing it replaces the whole configuration in the cloud,
	// which is without callbacks for the moment in between. Starts with http://
	// or https://. Absent, the default: nobody is called.
	// +kubebuilder:validation:MaxLength=2083
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([^]/?#@:[]+|[[][0-9a-fA-F:.]+[]])(:[1-9][0-9]{0,4})?([/?#].*)?$')",message="must start with http:// or https:// followed by a host and at most a port number, without user name, such as https://hooks.example.com/live"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]*$')",message="must not hold spaces or characters outside ASCII; percent-encode them"
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
	Status LiveNotifyConfigStatus `json:"status,omitempty"`
}

// Callback returns the parts of the object that all callback kinds share.
func (o *LiveNotifyConfig) Callback() (*CallbackSpec, *CallbackStatus) {
	return &o.Spec.CallbackSpec, &o.Status.CallbackStatus
}

// LiveNotifyConfigList is a list of LiveNotifyConfigs.
// +kubebuilder:object:root=true
type LiveNotifyConfigList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LiveNotifyConfig `json:"items"`
}
