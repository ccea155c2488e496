// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestHeld(t *testing.T) {
	now := time.Now()
	lease := func(holder string, ago time.Duration) coordinationv1.LeaseSpec {
		return coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: new(int32(15)), RenewTime: &metav1.MicroTime{Time: now.Add(-ago)}}
	}
	for name, tt := range map[string]struct {
		lease coordinationv1.LeaseSpec
		want  bool
	}{
		"just renewed": {lease("pod", time.Second), true},
		"run out":      {lease("pod", 16*time.Second), false},
		"released":     {lease("", time.Second), false},
		"never held":   {coordinationv1.LeaseSpec{}, false},
	} {
		if err := held(tt.lease, now); (err == nil) != tt.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
