// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ManagementPolicy says whether the operator may write to the cloud.
// +kubebuilder:validation:Enum=Manage;Observe
type ManagementPolicy string

// Management policies.
const (
	Manage  ManagementPolicy = "Manage"
	Observe ManagementPolicy = "Observe"
)

// AdoptionPolicy says what becomes of a configuration that is in the cloud
// already.
// +kubebuilder:validation:Enum=IfIdentical;Always
type AdoptionPolicy string

// Adoption policies.
const (
	AdoptIfIdentical AdoptionPolicy = "IfIdentical"
	AdoptAlways      AdoptionPolicy = "Always"
)

// DriftPolicy says what to do when the cloud was changed behind the operator's
// back.
// +kubebuilder:validation:Enum=Correct;Report
type DriftPolicy string

// Drift policies.
const (
	DriftCorrect DriftPolicy = "Correct"
	DriftReport  DriftPolicy = "Report"
)

// DeletionPolicy says what becomes of the configuration in the cloud when the
// object is deleted.
// +kubebuilder:validation:Enum=Delete;Retain
type DeletionPolicy string

// Deletion policies.
const (
	DeletionDelete DeletionPolicy = "Delete"
	DeletionRetain DeletionPolicy = "Retain"
)

// CallbackSpec is what the specs of all callback kinds have in common.
type CallbackSpec struct {
	// accountRef names the LiveAccount, in the same namespace, whose cloud
	// holds the configuration. Without it the operator uses its own
	// credentials, which is the default. Naming another account removes nothing from the old one; in
	// the new one adoptionPolicy decides, as for a new object.
	// +optional
	AccountRef *AccountReference `json:"accountRef,omitempty"`

	// managementPolicy says whether the operator may write. Manage (the
	// default) makes the cloud equal to this spec. Observe never writes: it
	// reports in status how the cloud differs, and what is counted. An object
	// that changes to Observe leaves the configuration in the cloud when it is
	// deleted.
	// +kubebuilder:default=Manage
	// +optional
	ManagementPolicy ManagementPolicy `json:"managementPolicy,omitempty"`

	// suspend true stops all calls to the cloud for this object; its status
	// keeps the last values and Ready says Suspended. Deleting a suspended
	// object leaves the configuration in the cloud. Default false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// adoptionPolicy says what to do when the cloud already holds a
	// configuration that this object did not write and that differs from this
	// spec. IfIdentical (the default) stops with Ready False, reason
	// ExistingConfiguration, and names the differing fields; Always replaces
	// it, with an event that names what was replaced. A configuration equal to
	// this spec is adopted either way.
	// +kubebuilder:default=IfIdentical
	// +optional
	AdoptionPolicy AdoptionPolicy `json:"adoptionPolicy,omitempty"`

	// driftPolicy says what to do when someone changed the configuration in
	// the cloud. Correct (the default) writes this spec again, though not more
	// than 5 times within 10 minutes; Report only sets the condition Drifted,
	// until this spec changes.
	// +kubebuilder:default=Correct
	// +optional
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`

	// deletionPolicy says what becomes of the configuration in the cloud when
	// this object is deleted: Delete (the default) removes it, so that no more
	// callbacks are sent; Retain leaves it as it is. It can be changed while
	// the object is being deleted: Retain lets go of one whose configuration
	// cannot be removed.
	// +kubebuilder:default=Delete
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// resyncInterval is how often the configuration is read back from the
	// cloud to find drift: a duration such as 10m or 1h30m, from 1m to 24h.
	// Default 10m. A change of this spec is written at once and does not wait
	// for it. Each read takes requests of the account's quota.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,6}([.][0-9]{1,3})?(h|m|s))+$') && duration(self) >= duration('1m') && duration(self) <= duration('24h')",message="must be a duration from 1m to 24h, such as 10m or 1h30m; leave the field out for 10m"
	// +kubebuilder:default="10m"
	// +optional
	ResyncInterval metav1.Duration `json:"resyncInterval,omitzero"`
}

// CountedSpec is what the specs of the callback kinds add whose callbacks the cloud
// keeps records of.
type CountedSpec struct {
	// records says which callback records are counted, and how often. Default: all of
	// the last hour, every 5 minutes.
	// +kubebuilder:default={}
	// +optional
	Records RecordsSpec `json:"records,omitzero"`

	// guard watches a change of this spec or of the authentication key after it was
	// written, and undoes it when callbacks fail. Default: nobody watches, unless a
	// LiveRolloutPolicy selects this object. A creation, an adoption and the
	// correction of drift are not watched.
	// +optional
	Guard *GuardSpec `json:"guard,omitempty"`
}

// AccountReference names a LiveAccount in the namespace of the object.
type AccountReference struct {
	// name of the LiveAccount, at most 253 characters.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="must be the name of a LiveAccount in the same namespace: lower-case letters, digits, '-' and '.'; leave accountRef out for the operator's own account"
	Name string `json:"name"`
}

// RecordsSpec says which callback records are counted, and how often.
type RecordsSpec struct {
	// window is the span, up to now, that the counts in status are for: a
	// duration such as 1h or 24h, from 1m to 167h, as the cloud keeps records
	// for 7 days. Default 1h. A failure makes the object unhealthy until it is
	// older than this.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,6}([.][0-9]{1,3})?(h|m|s))+$') && duration(self) >= duration('1m') && duration(self) <= duration('167h')",message="must be a duration from 1m to 167h, such as 1h; the cloud keeps records for 7 days; leave the field out for 1h"
	// +kubebuilder:default="1h"
	// +optional
	Window metav1.Duration `json:"window,omitzero"`

	// interval is how often the counts are refreshed: a duration such as 30s
	// or 5m, from 30s to 24h. Default 5m. Failures are noticed no sooner than
	// this, and each refresh takes requests of the account's quota.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,6}([.][0-9]{1,3})?(h|m|s))+$') && duration(self) >= duration('30s') && duration(self) <= duration('24h')",message="must be a duration from 30s to 24h, such as 5m; leave the field out for 5m"
	// +kubebuilder:default="5m"
	// +optional
	Interval metav1.Duration `json:"interval,omitzero"`

	// unhealthyThreshold is the number of failed callbacks in the window from
	// which CallbacksHealthy is False, with an event. At least 1, which is the
	// default: a single failure counts.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:default=1
	// +optional
	UnhealthyThreshold int32 `json:"unhealthyThreshold,omitempty"`

	// appName counts only callbacks of streams of this application (AppName,
	// the first part of a stream's path), at most 256 characters. For the kinds
	// that belong to a domain. Default: all. It has no influence on which
	// callbacks are sent.
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule=`self.matches('^[!-~]+$') && !self.matches('[$][(]|[{}<>]|%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)')`,messageExpression=`self.matches('[$][(]|[{}<>]|%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)') ? 'looks like a template that was not rendered, since it has $ before a parenthesis, a brace, <, > or a % without two hexadecimal digits behind it; write what it stands for' : "must be an application name in ASCII without spaces; leave the field out to count all"`
	// +optional
	AppName string `json:"appName,omitempty"`

	// streamName counts only callbacks of streams of this name (StreamName, the
	// last part of a stream's path), at most 256 characters. For the kinds that
	// belong to a domain. Default: all. It has no influence on which callbacks
	// are sent.
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule=`self.matches('^[!-~]+$') && !self.matches('[$][(]|[{}<>]|%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)')`,messageExpression=`self.matches('[$][(]|[{}<>]|%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)') ? 'looks like a template that was not rendered, since it has $ before a parenthesis, a brace, <, > or a % without two hexadecimal digits behind it; write what it stands for' : "must be a stream name in ASCII without spaces; leave the field out to count all"`
	// +optional
	StreamName string `json:"streamName,omitempty"`
}

// SecretKeyReference names an entry of a Secret in the namespace of the object.
type SecretKeyReference struct {
	// name of the Secret, at most 253 characters.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="must be the name of a Secret in the same namespace: lower-case letters, digits, '-' and '.'"
	Name string `json:"name"`

	// key is the entry of the Secret that holds the value: up to 253 letters, digits,
	// '-', '_' and '.'.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[.]?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$')",message="must be an entry of the Secret's data: letters, digits, '-', '_' and '.', but not '.' alone, and no '..' in front"
	Key string `json:"key"`
}

// AuthenticationSpec turns on the signature that the cloud adds to callbacks:
// the headers ALI-LIVE-TIMESTAMP and ALI-LIVE-SIGNATURE.
type AuthenticationSpec struct {
	// keySecretRef names the Secret entry that holds the key with which
	// callbacks are signed. A changed Secret is written to the cloud at once;
	// the cloud uses a new key for streams that start afterwards, so a receiver
	// has to accept the old key too for as long as streams last. While the
	// Secret, its entry or a well-formed key is missing, nothing is written and
	// Ready is False, reason AuthKeyUnavailable.
	KeySecretRef SecretKeyReference `json:"keySecretRef"`
}

// CallbackStatus is what the statuses of all callback kinds have in common.
// Nothing in it moves without a fact moving.
type CallbackStatus struct {
	// observedGeneration is the generation of the spec that this status is for. It is -1
	// before the first one, so that no tool takes an object without conditions for ready.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the object: Ready, Drifted and, while no retry will help,
	// Stalled. A kind whose callbacks are counted has CallbacksHealthy, too, and
	// with a guard ChangeAccepted.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation
	// live.alibabacloud.com/reconcile-requested-at that the operator has done what
	// it asks for; of a long one the first 128 bytes.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// lastSyncTime is when the configuration was last read from the cloud, as
	// of the last time this status was written. An object that stays as it is
	// is read more often than this says.
	// +optional
	LastSyncTime *metav1.Time `json:"lastSyncTime,omitempty"`

	// applied is what this object has written to the cloud, or is about to write.
	// +optional
	Applied *Applied `json:"applied,omitempty"`

	// drift tells of changes made behind the operator's back.
	// +optional
	Drift *Drift `json:"drift,omitempty"`
}

// CountedStatus is what the statuses of the callback kinds add whose callbacks the
// cloud keeps records of.
type CountedStatus struct {
	// callbacks are the counts from the cloud's callback records.
	// +optional
	Callbacks *Callbacks `json:"callbacks,omitempty"`

	// guard tells of the last change, and of the configuration that was accepted
	// before, while spec.guard or a LiveRolloutPolicy watches changes.
	// +optional
	Guard *GuardStatus `json:"guard,omitempty"`
}

// Applied is what this object has written to the cloud, or is about to write. It
// is written before the first request of a change and again after it: together
// with the finalizer it is the proof that the configuration in the cloud is this
// object's.
type Applied struct {
	// uid of the object that wrote. The applied of another object, as in a
	// restored status, proves nothing.
	// +optional
	UID types.UID `json:"uid,omitempty"`

	// accountID is the cloud account, as the token service told it. Empty while
	// that could not be asked.
	// +optional
	AccountID string `json:"accountID,omitempty"`

	// account is the LiveAccount through which it was written. Empty is the
	// operator's own account.
	// +optional
	Account string `json:"account,omitempty"`

	// revision identifies the configuration that was last written, or found equal
	// to the spec, as a format number and a hash of its fields without the
	// authentication key. Empty while nothing was written for certain.
	// +optional
	Revision string `json:"revision,omitempty"`

	// pending is the revision that is being written, or "removal". It stays until
	// the write is known to be done.
	// +optional
	Pending string `json:"pending,omitempty"`

	// refused tells that the cloud refused what is pending, so that nothing of it
	// is in the cloud.
	// +optional
	Refused bool `json:"refused,omitempty"`

	// keyFingerprint tells a changed authentication key from one whose Secret was
	// merely touched: a format number and 16 bits of a salted hash, far too few to
	// guess the key by.
	// +optional
	KeyFingerprint string `json:"keyFingerprint,omitempty"`

	// secretVersion identifies the version of the Secret that the
	// authentication key was read from, as its uid/resourceVersion: while it is the
	// same, so is the key. Empty without authentication.
	// +optional
	SecretVersion string `json:"secretVersion,omitempty"`

	// spellings are values as the cloud shows them in place of those that were
	// written, where it does so each time.
	// +kubebuilder:validation:MaxItems=8
	// +listType=map
	// +listMapKey=field
	// +optional
	Spellings []Spelling `json:"spellings,omitempty"`

	// time of the last write to the cloud. Empty if none was needed. Reads
	// within 60 seconds of it may still show the state before.
	// +optional
	Time *metav1.Time `json:"time,omitempty"`
}

// Spelling is how the cloud shows the value of a field.
type Spelling struct {
	// field of the spec.
	Field string `json:"field"`
	// shown is what the cloud shows.
	Shown string `json:"shown"`
	// accepted tells that the cloud showed it after two writes: it is no drift.
	// +optional
	Accepted bool `json:"accepted,omitempty"`
}

// Drift tells of changes made to the cloud behind the operator's back.
type Drift struct {
	// fields of the spec that differ from the cloud now, or differed when drift
	// was last detected.
	// +listType=set
	// +optional
	Fields []string `json:"fields,omitempty"`

	// lastDetectedTime is when drift was last found.
	// +optional
	LastDetectedTime *metav1.Time `json:"lastDetectedTime,omitempty"`

	// count is how often drift was found since the object was created.
	// +optional
	Count int64 `json:"count,omitempty"`

	// corrected is when drift was corrected lately, oldest first. After 5
	// corrections within 10 minutes the operator pauses.
	// +listType=atomic
	// +optional
	Corrected []metav1.Time `json:"corrected,omitempty"`
}

// Callbacks are counts from the cloud's callback records. They are written
// when failed, lastFailure or health changes, and otherwise at most every 30
// minutes; the metric live_notify_window_callbacks has each poll.
type Callbacks struct {
	// window is the span that the counts are for, such as 1h.
	Window string `json:"window"`

	// appName and streamName are the filters that the counts are for, if there
	// are any.
	// +optional
	AppName string `json:"appName,omitempty"`
	// +optional
	StreamName string `json:"streamName,omitempty"`

	// observedTime is the end of the window, by the clock of the cloud.
	ObservedTime metav1.Time `json:"observedTime"`

	// unhealthy tells that failed had reached spec.records.unhealthyThreshold when
	// it was counted.
	// +optional
	Unhealthy bool `json:"unhealthy,omitempty"`

	// atLeast tells that there are more records than the operator reads: failed
	// and total are at least these.
	// +optional
	AtLeast bool `json:"atLeast,omitempty"`

	// failed is the number of callbacks in the window that failed.
	Failed int64 `json:"failed"`

	// total is the number of callbacks in the window.
	Total int64 `json:"total"`

	// lastFailure is the newest failed callback in the window.
	// +optional
	LastFailure *CallbackFailure `json:"lastFailure,omitempty"`

	// buckets are the counts by time, oldest first, for a kind whose records the
	// cloud can only list: with them counting goes on where it ended.
	// +kubebuilder:validation:MaxItems=60
	// +listType=atomic
	// +optional
	Buckets []CallbackBucket `json:"buckets,omitempty"`
}

// CallbackBucket are the callbacks from startTime to that of the next bucket,
// or to observedTime.
type CallbackBucket struct {
	// startTime of the bucket.
	StartTime metav1.Time `json:"startTime"`
	// failed is the number of callbacks in the bucket that failed.
	Failed int64 `json:"failed"`
	// total is the number of callbacks in the bucket.
	Total int64 `json:"total"`
	// atLeast tells that the bucket has more records than are read.
	// +optional
	AtLeast bool `json:"atLeast,omitempty"`
}

// CallbackFailure is one failed callback.
type CallbackFailure struct {
	// time of the callback.
	// +optional
	Time *metav1.Time `json:"time,omitempty"`

	// type of the callback in the cloud's words, such as publish,
	// publish_done or file_created.
	// +optional
	Type string `json:"type,omitempty"`

	// url that was called.
	// +optional
	URL string `json:"url,omitempty"`

	// appName of the stream.
	// +optional
	AppName string `json:"appName,omitempty"`

	// streamName of the stream.
	// +optional
	StreamName string `json:"streamName,omitempty"`

	// httpStatus is the HTTP status that the receiver answered with, where the
	// cloud records it.
	// +optional
	HTTPStatus int32 `json:"httpStatus,omitempty"`

	// reason is the cloud's description of the failure.
	// +optional
	Reason string `json:"reason,omitempty"`
}
