// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// OnFailure says what to do about a change whose callbacks fail.
// +kubebuilder:validation:Enum=RollBack;Report
type OnFailure string

// What to do about a change whose callbacks fail.
const (
	OnFailureRollBack OnFailure = "RollBack"
	OnFailureReport   OnFailure = "Report"
)

// GuardSpec watches a change of the spec or of the authentication key: the failed
// callbacks to the URLs of the new configuration are counted from the write on.
type GuardSpec struct {
	// window is for how long a change is watched after it was written: a duration
	// such as 10m, from 1m to 24h. Default 10m. With fewer than maxFailures until
	// then the change is accepted.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,6}([.][0-9]{1,3})?(h|m|s))+$') && duration(self) >= duration('1m') && duration(self) <= duration('24h')",message="must be a duration from 1m to 24h, such as 10m; leave the field out for 10m"
	// +kubebuilder:default="10m"
	// +optional
	Window metav1.Duration `json:"window,omitzero"`

	// maxFailures is how many failed callbacks make the change fail, 1 to 1000.
	// Default 1. They are counted every 30 seconds, as far as the quota of the
	// account allows.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +kubebuilder:default=1
	// +optional
	MaxFailures int32 `json:"maxFailures,omitempty"`

	// onFailure says what becomes of a change that fails. RollBack (the default)
	// writes the configuration before the change again, sets Ready False, reason
	// RolledBack, and tries nothing until the spec or the Secret changes or the
	// annotation live.alibabacloud.com/reconcile-requested-at asks for it. Report
	// leaves it and sets ChangeAccepted False, reason ChangeFailed. So does
	// RollBack where nothing changed but the key, or a field that the cloud never
	// shows: that cannot be undone.
	// +kubebuilder:default=RollBack
	// +optional
	OnFailure OnFailure `json:"onFailure,omitempty"`
}

// ChangeState is how far a change is.
// +kubebuilder:validation:Enum=Waiting;Writing;Watching;RollingBack;Accepted;RolledBack;ChangeFailed
type ChangeState string

// States of a change.
const (
	// ChangeWaiting: a LiveRolloutPolicy has not let it start.
	ChangeWaiting ChangeState = "Waiting"
	// ChangeWriting: it is being written.
	ChangeWriting ChangeState = "Writing"
	// ChangeWatching: it was written, and its callbacks are counted.
	ChangeWatching ChangeState = "Watching"
	// ChangeRollingBack: it failed, and the configuration before it is being written.
	ChangeRollingBack ChangeState = "RollingBack"
	// ChangeAccepted, ChangeRolledBack and ChangeFailed are how it ended.
	ChangeAccepted   ChangeState = "Accepted"
	ChangeRolledBack ChangeState = "RolledBack"
	ChangeFailed     ChangeState = "ChangeFailed"
)

// InFlight tells that a change is being written, watched or undone.
func (s ChangeState) InFlight() bool {
	return s == ChangeWriting || s == ChangeWatching || s == ChangeRollingBack
}

// Bad tells that a change ended badly.
func (s ChangeState) Bad() bool { return s == ChangeRolledBack || s == ChangeFailed }

// GuardStatus is what a guard knows. All of it survives a restart.
type GuardStatus struct {
	// previous is the configuration that was last accepted, and that a roll-back
	// writes. It never holds a key.
	// +optional
	Previous *AcceptedConfiguration `json:"previous,omitempty"`

	// change is the last change of the spec or of the key.
	// +optional
	Change *GuardedChange `json:"change,omitempty"`

	// ticket is the number of the last change that asked a LiveRolloutPolicy for
	// its turn. It never goes down.
	// +optional
	Ticket int64 `json:"ticket,omitempty"`

	// accepted, rolledBack and failed are how many changes ended so.
	// +optional
	Accepted int64 `json:"accepted,omitempty"`
	// +optional
	RolledBack int64 `json:"rolledBack,omitempty"`
	// +optional
	Failed int64 `json:"failed,omitempty"`
}

// AcceptedConfiguration is a configuration, without the key.
type AcceptedConfiguration struct {
	// revision of it, as in status.applied.
	Revision string `json:"revision"`

	// values of its fields that are set.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=field
	// +optional
	Values []ConfigurationValue `json:"values,omitempty"`

	// keySecretRef is where its authentication key was read from. Absent if its
	// callbacks were not signed.
	// +optional
	KeySecretRef *SecretKeyReference `json:"keySecretRef,omitempty"`
}

// ConfigurationValue is the value of a field.
type ConfigurationValue struct {
	// field of the spec.
	Field string `json:"field"`
	// value of it; of a list, its items with commas in between.
	Value string `json:"value"`
}

// GuardedChange is a change of the spec or of the key.
type GuardedChange struct {
	// state is how far it is.
	State ChangeState `json:"state"`

	// generation of the spec that it came with.
	Generation int64 `json:"generation"`

	// revision that it writes, as in status.applied.
	// +optional
	Revision string `json:"revision,omitempty"`

	// keyFingerprint of its key, as in status.applied.
	// +optional
	KeyFingerprint string `json:"keyFingerprint,omitempty"`

	// urls whose failed callbacks are counted.
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	URLs []string `json:"urls,omitempty"`

	// policy is the LiveRolloutPolicy that it waited for.
	// +optional
	Policy string `json:"policy,omitempty"`

	// seenTime is when the operator saw it first. It gives its place in line.
	SeenTime metav1.Time `json:"seenTime"`

	// writtenTime is when it was written, by the clock of the cloud.
	// +optional
	WrittenTime *metav1.Time `json:"writtenTime,omitempty"`

	// failed is the number of callbacks that failed since.
	// +optional
	Failed int64 `json:"failed,omitempty"`

	// settledTime is up to when no more records are to be expected, and
	// settledFailed how many of failed are from before.
	// +optional
	SettledTime *metav1.Time `json:"settledTime,omitempty"`
	// +optional
	SettledFailed int64 `json:"settledFailed,omitempty"`

	// lastFailure is the newest failed callback.
	// +optional
	LastFailure *CallbackFailure `json:"lastFailure,omitempty"`
}

// RolloutGrant lets a change start.
type RolloutGrant struct {
	// kind and name of the object.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// uid of the object.
	UID types.UID `json:"uid"`
	// ticket is the number of the change, as in the object's status.guard.
	Ticket int64 `json:"ticket"`
	// generation of the object's spec.
	// +optional
	Generation int64 `json:"generation,omitempty"`
}
