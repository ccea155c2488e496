// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
)

// written makes n objects as the operator leaves them once it has written them, called
// a, b and so on, and returns their manifests with another URL.
func (w *world) written(n int, edit func(*v1alpha1.LiveNotifyConfig)) (changed string) {
	w.t.Helper()
	for i := range n {
		name := string(rune('a' + i))
		domain := name + ".example.com"
		w.cloud.AddDomain("", domain, emulator.IngestDomain)
		w.cloud.SetStreamConfig(domain, emulator.StreamConfig{NotifyURL: "https://hooks.example.com/before"})
		o := &v1alpha1.LiveNotifyConfig{
			ObjectMeta: metav1.ObjectMeta{Name: name, Finalizers: []string{v1alpha1.Finalizer}},
			Spec:       v1alpha1.LiveNotifyConfigSpec{DomainName: domain, NotifyURL: "https://hooks.example.com/before"},
		}
		edit(o)
		status := o.Status
		w.apply(o)
		w.t.Cleanup(func() {
			_ = api.Patch(context.Background(), o, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`)))
		})
		long := metav1.NewTime(time.Now().Add(-time.Hour).Truncate(time.Second))
		o.Status = status
		o.Status.Applied = &v1alpha1.Applied{UID: o.UID, Account: accountOf(o), Revision: kind.All[0].Revision(o), Time: &long}
		if err := api.Status().Update(w.t.Context(), o); err != nil {
			w.t.Fatal(err)
		}
		changed += rival(name, domain, "")
	}
	return changed
}

func accountOf(o *v1alpha1.LiveNotifyConfig) string {
	if o.Spec.AccountRef == nil {
		return ""
	}
	return o.Spec.AccountRef.Name
}

// Of many manifests that change, as many start as the policy lets: that of the cluster,
// or as the same manifests make it.
func TestPlacesOfManyManifests(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.apply(&v1alpha1.LiveRolloutPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "steps"},
		Spec:       v1alpha1.LiveRolloutPolicySpec{MaxConcurrent: new(intstr.FromInt32(2)), Guard: v1alpha1.GuardSpec{}},
	})
	text := w.written(5, func(o *v1alpha1.LiveNotifyConfig) {
		if o.Name == "e" {
			o.Status.Guard = &v1alpha1.GuardStatus{Ticket: 1, Change: &v1alpha1.GuardedChange{State: v1alpha1.ChangeWatching, Generation: 1, SeenTime: metav1.Now()}}
		}
	})
	four := text[:strings.LastIndex(text, "---")]
	const waits = "! " + v1alpha1.ReasonWaitingForRollout
	policy := "---\napiVersion: live.alibabacloud.com/v1alpha1\nkind: LiveRolloutPolicy\nmetadata: {name: steps}\nspec: {%s, guard: {}}\n"
	for name, tc := range map[string]struct {
		text string
		want map[string]string
	}{
		"one that is not given is watched": {four, map[string]string{"a": "~", "b": waits, "c": waits, "d": waits}},
		"that one too":                     {text, map[string]string{"a": "~", "b": waits, "c": waits, "d": waits, "e": "~"}},
		"with more places":                 {four + fmt.Sprintf(policy, "maxConcurrent: 4"), map[string]string{"a": "~", "b": "~", "c": "~", "d": waits}},
		"with a share":                     {four + fmt.Sprintf(policy, "maxConcurrent: 60%"), map[string]string{"a": "~", "b": "~", "c": waits, "d": waits}},
		"with a share of new ones too": {
			four + rival("new", "new.example.com", "") + fmt.Sprintf(policy, "maxConcurrent: 50%"),
			map[string]string{"a": "~", "b": "~", "c": waits, "d": waits, "new": "! " + v1alpha1.ReasonDomainNotFound},
		},
		"with a newer policy": {four + strings.Replace(fmt.Sprintf(policy, "maxConcurrent: 4"), "name: steps", "name: newer", 1), map[string]string{"a": "~", "b": waits, "c": waits, "d": waits}},
		"with a pause":        {four + fmt.Sprintf(policy, "paused: true"), map[string]string{"a": waits, "b": waits, "c": waits, "d": waits}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, w.planned("-f", w.file("all.yaml", tc.text))); diff != "" {
				t.Error(diff)
			}
		})
	}
	w.call("plan", "-f", w.file("all.yaml", four)).want(t, exitNo, "Plan: 0 to create, 1 to change, 0 to remove, 3 blocked, 0 in sync.", "as number 2 in line")
}

// Of many objects that are deleted, as many are removed as their account allows.
func TestTurnsOfManyDeletions(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.apply(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "access"}, StringData: map[string]string{"accessKeyID": "cli-test", "accessKeySecret": canary}})
	w.apply(&v1alpha1.LiveAccount{ObjectMeta: metav1.ObjectMeta{Name: "one"}, Spec: v1alpha1.LiveAccountSpec{
		Endpoint: w.url, MaxDeletionsPerHour: 2, Credentials: v1alpha1.LiveCredentials{AccessKeySecretRef: &v1alpha1.LocalSecretReference{Name: "access"}},
	}})
	w.written(5, func(o *v1alpha1.LiveNotifyConfig) { o.Spec.AccountRef = &v1alpha1.AccountReference{Name: "one"} })
	if err := api.DeleteAllOf(t.Context(), &v1alpha1.LiveNotifyConfig{}, client.InNamespace(w.namespace)); err != nil {
		t.Fatal(err)
	}
	w.call("plan").want(t, exitNo, "Plan: 0 to create, 0 to change, 2 to remove, 3 blocked, 0 in sync.", v1alpha1.ReasonDeletionHeld, `LiveAccount "one", by spec.maxDeletionsPerHour, allows 2 removals an hour`)
}
