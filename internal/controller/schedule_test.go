// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

func TestNextDueSpreadsAndKeepsItsPhase(t *testing.T) {
	const interval = 10 * time.Minute
	now := time.Date(2026, 1, 1, 0, 3, 0, 0, time.UTC)
	slots := make([]int, 10)
	for i := range 10_000 {
		uid := types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i))
		due := nextDue(now, interval, uid)
		if !due.After(now) || due.After(now.Add(interval)) {
			t.Fatalf("due %s after %s", due, now)
		}
		slots[due.Sub(now)/(interval/10)%10]++
		if again := nextDue(due, interval, uid); again.Sub(due) != interval {
			t.Fatalf("next due %s later", again.Sub(due))
		}
		if restarted := nextDue(now.Add(due.Sub(now)/2), interval, uid); !restarted.Equal(due) {
			t.Fatalf("a restart moves it from %s to %s", due, restarted)
		}
	}
	for _, n := range slots {
		if n < 850 || n > 1150 {
			t.Fatalf("not spread: %v", slots)
		}
	}
}

func TestBackoffIsBounded(t *testing.T) {
	for _, bounds := range [][2]time.Duration{{minRetry, maxRetry}, {minStalled, maxStalled}} {
		for failures := range 100 {
			got := backoff(failures, bounds[0], bounds[1])
			if got < bounds[0] || got > bounds[1]*5/4 {
				t.Errorf("after %d failures %s", failures, got)
			}
			if failures > 12 && got < bounds[1] {
				t.Errorf("after %d failures only %s", failures, got)
			}
		}
	}
}

// TestChangedObjectsComeFirstAtStart: of all objects that an operator finds when it
// starts, those that someone changed or deleted meanwhile come before the others.
func TestChangedObjectsComeFirstAtStart(t *testing.T) {
	at := func(name string, generation, observed int64) *v1alpha1.LiveNotifyConfig {
		o := &v1alpha1.LiveNotifyConfig{}
		o.Name, o.Generation, o.Status.ObservedGeneration = name, generation, observed
		if observed > 0 {
			o.Status.LastSyncTime = &metav1.Time{Time: time.Unix(1, 0)}
		}
		return o
	}
	deleted := at("deleted", 1, 1)
	deleted.DeletionTimestamp = &metav1.Time{Time: time.Unix(2, 0)}
	q := priorityqueue.New[reconcile.Request]("test")
	defer q.ShutDown()
	for _, o := range []client.Object{at("steady", 1, 1), at("new", 1, 0), at("changed", 2, 1), deleted} {
		changesBeforeNews.Create(context.Background(), event.CreateEvent{Object: o, IsInInitialList: true}, q)
	}
	var order []string
	for range 4 {
		r, _ := q.Get()
		order = append(order, r.Name)
	}
	first, rest := slices.Sorted(slices.Values(order[:2])), slices.Sorted(slices.Values(order[2:]))
	if !slices.Equal(first, []string{"changed", "deleted"}) || !slices.Equal(rest, []string{"new", "steady"}) {
		t.Errorf("got %v", order)
	}
}
