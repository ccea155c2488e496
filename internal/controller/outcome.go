// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// outcome is how a pass ended: what Ready says, and when to come back.
type outcome struct {
	ready   metav1.ConditionStatus
	reason  string
	message string
	// stalled: no retry will help until someone acts.
	stalled bool
	// transient: a failure that may pass by itself; retried with backoff.
	transient bool
	// event is a warning to give when Ready comes to say this; "" for none.
	event string
	// after is when to come back, if the schedule does not say.
	after time.Duration
	// err is what went wrong, for the log.
	err error
	// idle: nothing was due, and nothing is known that was not before.
	idle bool
	// gone: the finalizer is released; there is nothing to come back to.
	gone bool
	// fault is a failure of the Kubernetes API: the pass is tried again.
	fault error
}

// row is a line of the error table.
type row struct {
	ready     metav1.ConditionStatus
	reason    string
	stalled   bool
	transient bool
	event     string
	advice    string // <operation> stands for what failed
}

// errorTable says what an error of the cloud means for an object, by class.
// docs/reference/errors.md has it for users.
var errorTable = map[live.Class]row{
	live.Unavailable: {
		ready: metav1.ConditionUnknown, reason: v1alpha1.ReasonCloudUnavailable, transient: true,
		advice: "The operator retries by itself",
	},
	live.Throttled: {
		ready: metav1.ConditionUnknown, reason: v1alpha1.ReasonThrottled, transient: true,
		advice: "The operator retries by itself",
	},
	live.NotFound: {
		ready: metav1.ConditionUnknown, reason: v1alpha1.ReasonProgressing, transient: true,
		advice: "It was removed in the meantime; the operator looks again",
	},
	live.Exists: {
		ready: metav1.ConditionUnknown, reason: v1alpha1.ReasonProgressing, transient: true,
		advice: "It was created in the meantime; the operator looks again",
	},
	live.NoCredentials: {
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonAccountNotReady, transient: true,
		advice: "Check the credentials of the account, or those of the operator if spec.accountRef is not set",
	},
	live.AccessDenied: {
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonAccessDenied, stalled: true, event: v1alpha1.EventRejected,
		advice: "Check the access key, the clock of the node, and that the RAM policy allows live:<operation>; see docs/credentials.md",
	},
	live.DomainNotFound: {
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonDomainNotFound, stalled: true, event: v1alpha1.EventRejected,
		advice: "Check its spelling and that it belongs to the account in use",
	},
	live.WrongDomainType: {
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonWrongDomainType, stalled: true, event: v1alpha1.EventRejected,
		advice: "A LiveNotifyConfig takes an ingest domain, a LiveRecordNotifyConfig the main streaming domain",
	},
	live.Rejected: {
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonRejected, stalled: true, event: v1alpha1.EventRejected,
		advice: "Change what it names; docs/reference/errors.md has more about each code",
	},
}

// Outcome is what an error of the cloud leads to, for documentation.
type Outcome struct {
	Ready, Reason string
	Stalled       bool
	Event         string // "" for none
	Advice        string
	// MinRetry and MaxRetry bound the wait for the next try.
	MinRetry, MaxRetry time.Duration
}

// Outcomes returns the error table.
func Outcomes() map[live.Class]Outcome {
	outcomes := map[live.Class]Outcome{}
	for class, r := range errorTable {
		o := Outcome{Ready: string(r.ready), Reason: r.reason, Stalled: r.stalled, Event: r.event, Advice: r.advice, MinRetry: terminalRetry, MaxRetry: terminalRetry}
		if r.transient {
			o.MinRetry, o.MaxRetry = minRetry, maxRetry
		}
		outcomes[class] = o
	}
	return outcomes
}

// failed is the outcome of a failed pass. Only errors of the cloud are the
// object's; others are faults of the Kubernetes API or of a pass cut short.
func failed(err error) outcome {
	if unavailable, ok := errors.AsType[*unavailableError](err); ok {
		return outcome{ready: metav1.ConditionFalse, reason: unavailable.reason, message: unavailable.message, stalled: true, event: v1alpha1.EventRejected, err: err}
	}
	e, ok := errors.AsType[*live.Error](err)
	if !ok {
		return outcome{fault: err}
	}
	r := errorTable[e.Class]
	advice := strings.ReplaceAll(r.advice, "<operation>", e.Action)
	return outcome{
		ready: r.ready, reason: r.reason, message: fmt.Sprintf("%s. %s.", strings.TrimSuffix(e.Error(), "."), advice),
		stalled: r.stalled, transient: r.transient, event: r.event, after: e.RetryAfter, err: e,
	}
}

// blocked is the outcome of a deletion that failed. What a retry may mend keeps
// its own reason.
func blocked(err error) outcome {
	o := failed(err)
	if o.fault != nil || o.transient && o.reason != v1alpha1.ReasonAccountNotReady {
		return o
	}
	o.reason, o.ready = v1alpha1.ReasonDeletionBlocked, metav1.ConditionFalse
	o.message = "The configuration cannot be removed from the cloud: " + o.message + " Or set deletionPolicy: Retain, which releases this object and leaves the configuration."
	o.stalled = true
	return o
}

// unavailableError is a thing of the cluster, such as a Secret, that an object
// needs and does not have. The message says what to do.
type unavailableError struct{ reason, message string }

func (e *unavailableError) Error() string { return e.message }

func inSync() outcome {
	return outcome{ready: metav1.ConditionTrue, reason: v1alpha1.ReasonInSync, message: "The cloud holds this configuration."}
}

func applied(after time.Duration) outcome {
	return outcome{
		ready: metav1.ConditionTrue, reason: v1alpha1.ReasonApplied, after: after,
		message: "The cloud accepted this configuration; it will be read back.",
	}
}

func observed() outcome {
	return outcome{ready: metav1.ConditionTrue, reason: v1alpha1.ReasonObserved, message: "The cloud was read; Drifted tells whether it differs from this spec. Nothing is written."}
}

func progressing(message string, after time.Duration) outcome {
	return outcome{ready: metav1.ConditionUnknown, reason: v1alpha1.ReasonProgressing, message: message, after: after}
}
