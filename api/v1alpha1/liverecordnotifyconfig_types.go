// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// LiveRecordNotifyConfigSpec is the recording callback configuration of one
// main streaming domain (AddLiveRecordNotifyConfig).
type LiveRecordNotifyConfigSpec struct {
	CallbackSpec `json:",inline"`

	// domainName is the main streaming (playback) domain that the configuration
	// is for, such as live.example.com; not the ingest domain. Immutable. It
	// belongs to one object in the cluster: of several the oldest has it, and
	// the others are Ready False, reason Conflict.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?[.])+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",message="must be a domain name in lower case without scheme, port, wildcard or trailing dot, such as live.example.com"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="domainName cannot be changed; create another resource for another domain"
	DomainName string `json:"domainName"`

	// notifyURL is called with POST when a recording was written, and with
	// needStatusNotify also when its state changes. Starts with http:// or
	// https://.
	// +kubebuilder:validation:MaxLength=2083
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([^]/?#@:[]+|[[][0-9a-fA-F:.]+[]])(:[1-9][0-9]{0,4})?([/?#].*)?$')",message="must start with http:// or https:// followed by a host and at most a port number, without user name, such as https://hooks.example.com/live"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]*$')",message="must not hold spaces or characters outside ASCII; percent-encode them"
	NotifyURL string `json:"notifyURL"`

	// onDemandURL is asked with GET, when a stream starts, whether to record it;
	// for recording templates that record on demand. Starts with http:// or
	// https://. Absent, the default: nobody is asked.
	// +kubebuilder:validation:MaxLength=2083
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([^]/?#@:[]+|[[][0-9a-fA-F:.]+[]])(:[1-9][0-9]{0,4})?([/?#].*)?$')",message="must start with http:// or https:// followed by a host and at most a port number, without user name, such as https://hooks.example.com/live"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]*$')",message="must not hold spaces or characters outside ASCII; percent-encode them"
	// +optional
	OnDemandURL string `json:"onDemandURL,omitempty"`

	// needStatusNotify adds callbacks when a recording starts, pauses and
	// resumes. Default false.
	// +optional
	NeedStatusNotify bool `json:"needStatusNotify,omitempty"`

	// authentication turns on signed callbacks, with a key of 16 to 32 letters
	// and digits from a Secret. Without it, the default, callbacks are not
	// signed; removing it turns signing off.
	// +optional
	Authentication *AuthenticationSpec `json:"authentication,omitempty"`
}

// LiveRecordNotifyConfigObservation is the configuration as the cloud returned
// it.
type LiveRecordNotifyConfigObservation struct {
	// notifyURL in the cloud.
	// +optional
	NotifyURL string `json:"notifyURL,omitempty"`
	// onDemandURL in the cloud.
	// +optional
	OnDemandURL string `json:"onDemandURL,omitempty"`
	// needStatusNotify in the cloud.
	// +optional
	NeedStatusNotify bool `json:"needStatusNotify,omitempty"`
	// authenticationEnabled tells whether the cloud signs callbacks.
	// +optional
	AuthenticationEnabled bool `json:"authenticationEnabled,omitempty"`
}

// LiveRecordNotifyConfigStatus is the observed state of a
// LiveRecordNotifyConfig.
type LiveRecordNotifyConfigStatus struct {
	CallbackStatus `json:",inline"`

	// observed is the configuration as last read from the cloud; absent when
	// the cloud has none.
	// +optional
	Observed *LiveRecordNotifyConfigObservation `json:"observed,omitempty"`
}

// LiveRecordNotifyConfig keeps the recording callbacks of one main streaming
// domain of ApsaraVideo Live equal to its spec, and reports how the callbacks
// are being delivered.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=lrnc,categories=live
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
type LiveRecordNotifyConfig struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the wanted configuration.
	Spec LiveRecordNotifyConfigSpec `json:"spec"`
	// status is the observed state.
	// +optional
	Status LiveRecordNotifyConfigStatus `json:"status,omitempty"`
}

// Callback returns the parts of the object that all callback kinds share.
func (o *LiveRecordNotifyConfig) Callback() (*CallbackSpec, *CallbackStatus) {
	return &o.Spec.CallbackSpec, &o.Status.CallbackStatus
}

// LiveRecordNotifyConfigList is a list of LiveRecordNotifyConfigs.
// +kubebuilder:object:root=true
type LiveRecordNotifyConfigList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LiveRecordNotifyConfig `json:"items"`
}
