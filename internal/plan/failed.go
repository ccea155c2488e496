// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"maps"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// errorTable says what an error of the cloud means for an object, by class. Its
// messages are advice, in which <operation> stands for what failed.
// docs/reference/errors.md has it for users.
var errorTable = map[live.Class]Verdict{
	live.Unavailable: {
		Ready: metav1.ConditionUnknown, Reason: v1alpha1.ReasonCloudUnavailable, Transient: true,
		Message: "The operator retries by itself",
	},
	live.Throttled: {
		Ready: metav1.ConditionUnknown, Reason: v1alpha1.ReasonThrottled, Transient: true,
		Message: "The operator retries by itself",
	},
	live.NotFound: {
		Ready: metav1.ConditionUnknown, Reason: v1alpha1.ReasonProgressing, Transient: true,
		Message: "It was removed in the meantime; the operator looks again",
	},
	live.Exists: {
		Ready: metav1.ConditionFalse, Reason: v1alpha1.ReasonExistingConfiguration, Stalled: true, Event: v1alpha1.EventConflict,
		Message: "The cloud has a configuration that it does not show; of a LiveNotifyConfig, that may be one of switchNotifyURL alone. Set adoptionPolicy: Always to replace it",
	},
	live.Several: {
		Ready: metav1.ConditionFalse, Reason: v1alpha1.ReasonExistingConfiguration, Stalled: true, Event: v1alpha1.EventConflict,
		Message: "Remove all of them but one in the cloud",
	},
	live.NoCredentials: {
		Ready: metav1.ConditionFalse, Reason: v1alpha1.ReasonAccountNotReady, Transient: true,
		Message: "Check the credentials of the account, or those of the operator if spec.accountRef is not set",
	},
	live.AccessDenied: {
		Ready: metav1.ConditionFalse, Reason: v1alpha1.ReasonAccessDenied, Stalled: true, Event: v1alpha1.EventRejected,
		Message: "Check the access key, the clock of the node, and that the RAM policy allows live:<operation>; see docs/credentials.md",
	},
	live.DomainNotFound: {
		Ready: metav1.ConditionFalse, Reason: v1alpha1.ReasonDomainNotFound, Stalled: true, Event: v1alpha1.EventRejected,
		Message: "Check its spelling and that it belongs to the account in use",
	},
	live.WrongDomainType: {
		Ready: metav1.ConditionFalse, Reason: v1alpha1.ReasonWrongDomainType, Stalled: true, Event: v1alpha1.EventRejected,
		Message: "A LiveNotifyConfig takes an ingest domain, the other kinds take the main streaming domain",
	},
	live.Rejected: {
		Ready: metav1.ConditionFalse, Reason: v1alpha1.ReasonRejected, Stalled: true, Event: v1alpha1.EventRejected,
		Message: "Change what it names; docs/reference/errors.md has more about each code",
	},
}

// ErrorTable returns what an error of each class leads to, for documentation.
func ErrorTable() map[live.Class]Verdict {
	return maps.Clone(errorTable)
}

// Failed is the verdict on an error of the cloud.
func Failed(e *live.Error) Verdict {
	v := errorTable[e.Class]
	advice := strings.ReplaceAll(v.Message, "<operation>", e.Action)
	if e.Class == live.NoCredentials && e.Unanswered() {
		advice = "This was asked of the token service, which the operator asks again by itself"
	}
	v.Message = fmt.Sprintf("%s. %s.", strings.TrimRight(e.Error(), "."), advice)
	v.After = e.RetryAfter
	return v
}

// Unavailable is a thing of the cluster that an object needs and does not have,
// such as a Secret. It is an error, whose message says what to do.
type Unavailable struct{ Reason, Message string }

// Error returns the message.
func (u *Unavailable) Error() string { return u.Message }

// Verdict is what Ready says of it.
func (u *Unavailable) Verdict() Verdict {
	return Verdict{Ready: metav1.ConditionFalse, Reason: u.Reason, Message: u.Message, Stalled: true, Event: v1alpha1.EventRejected}
}

// Unusable is an account that cannot be used.
func Unusable(format string, args ...any) *Unavailable {
	return &Unavailable{Reason: v1alpha1.ReasonAccountNotReady, Message: fmt.Sprintf(format, args...)}
}

// Blocked is the verdict on a removal that failed as v says. What a retry may
// mend keeps its own reason.
func Blocked(v Verdict) Verdict {
	if v.Transient && v.Reason != v1alpha1.ReasonAccountNotReady {
		return v
	}
	v.Reason, v.Ready, v.Stalled = v1alpha1.ReasonDeletionBlocked, metav1.ConditionFalse, true
	v.Message = "The configuration cannot be removed from the cloud: " + v.Message + " Or set deletionPolicy: Retain, which releases this object and leaves the configuration."
	return v
}
