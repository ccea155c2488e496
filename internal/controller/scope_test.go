// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"testing"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

// TestNothingToTellOutOfScope: the cache may have the objects of all namespaces, but
// LiveRolloutPolicies of those alone that the operator works on. So none is asked for
// when an object elsewhere changes: here nobody could answer.
func TestNothingToTellOutOfScope(t *testing.T) {
	r := &rolloutReconciler{&shared{scope: Scope{Namespaces: []string{"watched"}}}}
	o := &v1alpha1.LiveNotifyConfig{}
	o.SetNamespace("elsewhere")
	if got := r.policiesOf(t.Context(), o); got != nil {
		t.Errorf("got %v", got)
	}
}
