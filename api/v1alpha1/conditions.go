// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types. Each condition carries the generation it speaks of in its
// own observedGeneration.
const (
	// ConditionReady is True while the cloud holds the spec of the observed
	// generation; for an object that only observes, while it has been read.
	// Unknown means that the operator is on its way or cannot tell; False that
	// the spec is not in the cloud and why.
	ConditionReady = "Ready"

	// ConditionDrifted is True while the cloud differs from the spec and is
	// being left so: under managementPolicy Observe, driftPolicy Report, or an
	// adoption that was refused. Normal is False.
	ConditionDrifted = "Drifted"

	// ConditionCallbacksHealthy is True while the failed callbacks in the
	// window stay under spec.records.unhealthyThreshold. Unknown until first
	// counted, and while the records cannot be read.
	ConditionCallbacksHealthy = "CallbacksHealthy"

	// ConditionChangeAccepted tells, with a guard, how the last change of the spec or
	// of the key fared: Unknown while it is watched, True once it was accepted, False
	// if it failed.
	ConditionChangeAccepted = "ChangeAccepted"

	// ConditionStalled is present and True only while no retry will help until
	// someone acts (kstatus). Its reason is that of Ready.
	ConditionStalled = "Stalled"
)

// Reasons of the Ready condition.
const (
	// ReasonInSync (True): the cloud was read and holds the spec.
	ReasonInSync = "InSync"
	// ReasonObserved (True): the cloud was read and nothing is to be written:
	// managementPolicy is Observe, or driftPolicy is Report and the cloud was
	// changed. Drifted tells whether the cloud differs.
	ReasonObserved = "Observed"
	// ReasonApplied (True): the cloud accepted the spec; reading it back is
	// still to come.
	ReasonApplied = "Applied"
	// ReasonProgressing (Unknown): the operator is converging, or waits for the
	// cloud to show a change that it has accepted.
	ReasonProgressing = "Progressing"
	// ReasonThrottled (Unknown): the cloud's request quota is used up for now.
	ReasonThrottled = "Throttled"
	// ReasonCloudUnavailable (Unknown): the cloud could not be reached, timed
	// out, or answered with a server error.
	ReasonCloudUnavailable = "CloudUnavailable"
	// ReasonAccessDenied (False): the credentials were refused or lack a
	// permission.
	ReasonAccessDenied = "AccessDenied"
	// ReasonAccountNotReady (False): the LiveAccount is missing or cannot be
	// used, or the operator has no credentials of its own.
	ReasonAccountNotReady = "AccountNotReady"
	// ReasonAuthKeyUnavailable (False): the Secret with the callback
	// authentication key, its entry, or a well-formed key in it is missing.
	// The cloud keeps what it has.
	ReasonAuthKeyUnavailable = "AuthKeyUnavailable"
	// ReasonRejected (False): the cloud refused the configuration.
	ReasonRejected = "Rejected"
	// ReasonDomainNotFound (False): the account has no such domain or
	// application.
	ReasonDomainNotFound = "DomainNotFound"
	// ReasonWrongDomainType (False): the domain is not of the kind that this
	// configuration is for, such as a playback domain in a LiveNotifyConfig.
	ReasonWrongDomainType = "WrongDomainType"
	// ReasonExistingConfiguration (False): the cloud already holds another
	// configuration, which adoptionPolicy IfIdentical does not replace.
	ReasonExistingConfiguration = "ExistingConfiguration"
	// ReasonConflict (False): an older object has the same domain or
	// application.
	ReasonConflict = "Conflict"
	// ReasonSuspended (Unknown): spec.suspend is true.
	ReasonSuspended = "Suspended"
	// ReasonClusterRefused (False): the API server refuses what the operator has
	// to do there: an admission policy, or a permission that is missing.
	ReasonClusterRefused = "ClusterRefused"
	// ReasonDeletionBlocked (False): the object is being deleted, but its
	// configuration cannot be removed from the cloud.
	ReasonDeletionBlocked = "DeletionBlocked"
	// ReasonRolledBack (False, Stalled): callbacks failed after the last change, and
	// the configuration before it is in the cloud again. Also of ChangeAccepted.
	ReasonRolledBack = "RolledBack"
	// ReasonWaitingForRollout (Unknown): a LiveRolloutPolicy has not let the change
	// start. The cloud holds the configuration before it.
	ReasonWaitingForRollout = "WaitingForRollout"
	// ReasonDeletionHeld (Unknown): the object is being deleted, and waits, since
	// its account has had as many removals within an hour as it allows.
	ReasonDeletionHeld = "DeletionHeld"
)

// ConditionVerified of a LiveAccount is True while the token service vouches for
// its identity. The account is used all the same while it is not.
const ConditionVerified = "Verified"

// Reasons of the Ready condition of a LiveAccount.
const (
	// ReasonCredentialsLoaded (True): the credentials load, and the token service
	// does not deny them.
	ReasonCredentialsLoaded = "CredentialsLoaded"
	// ReasonCredentialsUnavailable (False): they do not load, the token service
	// does not know them, or the endpoint cannot be used.
	ReasonCredentialsUnavailable = "CredentialsUnavailable"
)

// Reasons of the Verified condition of a LiveAccount.
const (
	// ReasonIdentified (True): the token service told whose credentials these are.
	ReasonIdentified = "Identified"
	// ReasonTokenServiceUnavailable (Unknown): it could not be asked.
	ReasonTokenServiceUnavailable = "TokenServiceUnavailable"
	// ReasonNotIdentified (False): it does not know them.
	ReasonNotIdentified = "NotIdentified"
)

// Reasons of the Drifted condition.
const (
	ReasonDriftDetected = "DriftDetected"
	ReasonNoDrift       = "NoDrift"
)

// Reasons of the CallbacksHealthy condition.
const (
	// ReasonNoFailures (True): no callback in the window failed.
	ReasonNoFailures = "NoFailures"
	// ReasonBelowThreshold (True): some failed, fewer than the threshold.
	ReasonBelowThreshold = "BelowThreshold"
	// ReasonFailuresAboveThreshold (False): the threshold is reached.
	ReasonFailuresAboveThreshold = "FailuresAboveThreshold"
	// ReasonRecordsUnavailable (Unknown): the records could not be read, or
	// not yet. Counts in status are those of the last successful read.
	ReasonRecordsUnavailable = "RecordsUnavailable"
)

// Reasons of the ChangeAccepted condition, besides ReasonRolledBack.
const (
	// ReasonWatching (Unknown): the change was written, and its callbacks are counted.
	ReasonWatching = "Watching"
	// ReasonAccepted (True): fewer callbacks failed than the guard allows.
	ReasonAccepted = "Accepted"
	// ReasonChangeFailed (False): as many failed, and the change was left, or is not
	// undone yet.
	ReasonChangeFailed = "ChangeFailed"
)

// ConditionHalted of a LiveRolloutPolicy is True while a change that failed keeps
// others from starting.
const ConditionHalted = "Halted"

// Reasons of the conditions of a LiveRolloutPolicy.
const (
	// ReasonInForce (Ready True): changes start as the policy says.
	ReasonInForce = "InForce"
	// ReasonPaused (Ready True): spec.paused is true, and no change starts.
	ReasonPaused = "Paused"
	// ReasonOverlapping (Ready False): an older policy selects some of the objects,
	// and counts for these.
	ReasonOverlapping = "Overlapping"
	// ReasonInvalid (Ready False): the selector or the kinds cannot be understood.
	ReasonInvalid = "Invalid"
	// ReasonFailedChange (Halted True): a change failed.
	ReasonFailedChange = "FailedChange"
	// ReasonNoFailedChange (Halted False): none keeps others from starting.
	ReasonNoFailedChange = "NoFailedChange"
)

// Reasons of events.
const (
	// EventChangeAccepted: a change that was watched is accepted.
	EventChangeAccepted = "ChangeAccepted"
	// EventChangeFailed: callbacks failed after a change, which was left.
	EventChangeFailed = "ChangeFailed"
	// EventRolledBack: callbacks failed after a change, which was undone.
	EventRolledBack = "RolledBack"
	// EventRolloutHalted: a change failed, and its LiveRolloutPolicy lets no other
	// start.
	EventRolloutHalted = "RolloutHalted"
	// EventRolloutResumed: it lets changes start again.
	EventRolloutResumed = "RolloutResumed"
	// EventAdopted: a configuration that was in the cloud before is now managed.
	EventAdopted = "Adopted"
	// EventApplied: the cloud accepted a new spec or key.
	EventApplied = "Applied"
	// EventDriftDetected: the cloud was changed behind the operator's back.
	EventDriftDetected = "DriftDetected"
	// EventDriftCorrected: such a change was undone.
	EventDriftCorrected = "DriftCorrected"
	// EventDeleted: the configuration was removed from the cloud.
	EventDeleted = "Deleted"
	// EventDeletionHeld: the removal waits for its turn within the limit of the
	// account.
	EventDeletionHeld = "DeletionHeld"
	// EventRetained: the object went away and its configuration stays.
	EventRetained = "Retained"
	// EventConflict: an older object has the same domain or application.
	EventConflict = "Conflict"
	// EventRejected: the cloud refused the configuration, or what it takes to
	// write it, such as the authentication key, cannot be used.
	EventRejected = "Rejected"
	// EventCallbacksFailing: failures in the window reached the threshold.
	EventCallbacksFailing = "CallbacksFailing"
	// EventCallbacksRecovered: they fell below it again.
	EventCallbacksRecovered = "CallbacksRecovered"
)

// Finalizer keeps an object until its configuration is removed from the cloud. It
// is set before the first write; an object without it never deletes anything. By
// itself it proves nothing: see Applied.
const Finalizer = "live.alibabacloud.com/callback"

// AnnotationReconcileRequestedAt asks the operator to look at an object now. A
// value that is new, such as the time, makes it read the configuration and the
// callback records whatever the schedule says, and try again what is Stalled or
// was rolled back. Once that is done, status.lastHandledReconcileAt has the value.
const AnnotationReconcileRequestedAt = "live.alibabacloud.com/reconcile-requested-at"

// AccountFinalizer keeps a LiveAccount while an object that refers to it has a
// configuration in the cloud.
const AccountFinalizer = "live.alibabacloud.com/account"
