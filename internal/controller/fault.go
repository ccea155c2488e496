// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/live-notify/live-notify-operator/internal/live"
)

// apiFault is a failure of the Kubernetes API. Its text tells what was tried, the
// kind of the failure and, of a refusal, who refuses what: not all that the API
// server or a library says of it.
type apiFault struct {
	trying string
	err    error
}

// Error says what was tried, and how it failed.
func (f *apiFault) Error() string {
	reason := apierrors.ReasonForError(f.err)
	if reason == metav1.StatusReasonUnknown {
		return fmt.Sprintf("%s: no answer of the API server (%T)", f.trying, f.err)
	}
	return fmt.Sprintf("%s: %s%s", f.trying, live.Bound(string(reason), maxReason), whoRefuses(f.err))
}

// Unwrap returns the failure.
func (f *apiFault) Unwrap() error { return f.err }

// asFault makes sure that an error of the Kubernetes API is told by its kind.
func asFault(err error) *apiFault {
	if f, ok := errors.AsType[*apiFault](err); ok {
		return f
	}
	return &apiFault{"asking the API server", err}
}

// errOutdated: the cache shows an object of the past.
var errOutdated = errors.New("the object has changed since")

// How the API server words a refusal: of an admission policy, of an admission
// webhook, and for want of a permission.
var (
	byPolicy  = regexp.MustCompile(`ValidatingAdmissionPolicy '([a-z0-9.-]{1,253})' with binding '[a-z0-9.-]{1,253}' denied request: (.*)`)
	byWebhook = regexp.MustCompile(`admission webhook "([a-z0-9.-]{1,253})" denied the request(?:: (.*))?`)
	unallowed = regexp.MustCompile(`cannot ([a-z]{1,20}) resource "([a-z./]{1,100})"`)
)

const (
	// maxReason bounds what someone gives as the reason of a refusal, in bytes.
	maxReason = 200
	// maxFields bounds the fields that are named as refused.
	maxFields = 5
)

// whoRefuses says who refused a request, and why; "" if that is not known. What
// others say is cleaned as what the cloud says is.
func whoRefuses(err error) string {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok {
		return ""
	}
	message, details := status.ErrStatus.Message, status.ErrStatus.Details
	if m := byPolicy.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf(" by ValidatingAdmissionPolicy %q: %s", m[1], live.Clean(m[2], maxReason))
	}
	if m := byWebhook.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf(" by admission webhook %q: %s", m[1], live.Clean(m[2], maxReason))
	}
	if m := unallowed.FindStringSubmatch(message); m != nil {
		name := ""
		if details != nil && len(validation.IsDNS1123Subdomain(details.Name)) == 0 {
			name = fmt.Sprintf(" %q", details.Name)
		}
		return fmt.Sprintf(": the operator has no permission to %s %s%s", m[1], m[2], name)
	}
	if details == nil || len(details.Causes) == 0 {
		return ""
	}
	var fields []string
	for _, cause := range details.Causes[:min(len(details.Causes), maxFields)] {
		fields = append(fields, live.Clean(cause.Field, maxReason))
	}
	return " in " + strings.Join(fields, ", ")
}

// refused says what the API server refused.
func refused(f *apiFault) string {
	return fmt.Sprintf("The API server refuses what the operator has to do: %s. Look for an admission policy, or a permission that the operator lacks.", f)
}

// refusal tells whether the API server refused a request, rather than failed.
func refusal(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsUnauthorized(err)
}
