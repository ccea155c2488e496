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
	live.Unavailable: passing(v1alpha1.ReasonCloudUnavailable, "The operator retries by itself"),
	live.Throttled:   passing(v1alpha1.ReasonThrottled, "The operator retries by itself"),
	live.NotFound:    passing(v1alpha1.ReasonProgressing, "It was removed in the meantime; the operator looks again"),
	live.NoCredentials: {
		Ready: metav1.ConditionFalse, Reason: v1alpha1.ReasonAccountNotReady, Transient: true,
		Message: "Check the credentials of the account, or those of the operator if spec.accountRef is not set",
	},
	live.Exists: stalled(v1alpha1.ReasonExistingConfiguration, v1alpha1.EventConflict,
		"The cloud has a configuration that it does not show; of a LiveNotifyConfig, that may be one of switchNotifyURL alone. Set adoptionPolicy: Always to replace it"),
	live.Several: stalled(v1alpha1.ReasonExistingConfiguration, v1alpha1.EventConflict,
		"Remove all of them but one in the cloud"),
	live.AccessDenied: stalled(v1alpha1.ReasonAccessDenied, v1alpha1.EventRejected,
		"Check the access key, the clock of the node, and that the RAM policy allows live:<operation>; see docs/credentials.md"),
	live.DomainNotFound: stalled(v1alpha1.ReasonDomainNotFound, v1alpha1.EventRejected,
		"Check its spelling and that it belongs to the account in use"),
	live.WrongDomainType: stalled(v1alpha1.ReasonWrongDomainType, v1alpha1.EventRejected,
		"A LiveNotifyConfig takes an ingest domain, the other kinds take the main streaming domain"),
	live.Rejected: stalled(v1alpha1.ReasonRejected, v1alpha1.EventRejected,
		"Change what it names; docs/reference/errors.md has more about each code"),
}

// passing is a verdict on what may pass by itself.
func passing(reason, message string) Verdict {
	return Verdict{Ready: metav1.ConditionUnknown, Reason: reason, Message: message, Transient: true}
}

// stalled is a verdict on what someone has to mend, of which an event tells.
func stalled(reason, event, message string) Verdict {
	return Verdict{Ready: metav1.ConditionFalse, Reason: reason, Message: message, Stalled: true, Event: event}
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
func (u *Unavailable) Verdict() Verdict { return stalled(u.Reason, v1alpha1.EventRejected, u.Message) }

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
