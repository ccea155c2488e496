// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"cmp"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// Same tells whether two objects name one configuration.
func (s Subject) Same(o Subject) bool { return s.configuration() == o.configuration() }

// Ready returns the condition Ready of an object.
func (s Subject) Ready() metav1.Condition {
	_, status := s.Object.Callback()
	if c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); c != nil {
		return *c
	}
	return metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionUnknown}
}

// maxLost bounds what is shown of the message of a condition, in bytes.
const maxLost = 500

// Lost says who has what an object names, if that is another one: then the cloud need not
// do anything of what the object's spec says. It is "" if the operator says no such thing.
func (s Subject) Lost() string {
	ready := s.Ready()
	if ready.Reason != v1alpha1.ReasonConflict {
		return ""
	}
	return cmp.Or(live.Bound(ready.Message, maxLost), s.configuration().key+" belongs to another object.")
}

// Signed tells whether the cloud signs the callbacks of an object, if the operator has
// read that.
func (s Subject) Signed() (signed, known bool) {
	if s.Kind.Authentication == nil {
		return false, false
	}
	o, err := runtime.DefaultUnstructuredConverter.ToUnstructured(s.Object)
	if err != nil {
		return false, false
	}
	observed, known, _ := unstructured.NestedMap(o, "status", "observed")
	signed, _ = observed["authenticationEnabled"].(bool) // left out for false
	return signed, known
}
