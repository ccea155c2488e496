// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// Of a rename, the object with the new name takes over what the old one leaves, as with
// the operator: if it may write that, and to the same cloud account.
func TestHeirs(t *testing.T) {
	heir := func(edit func(*v1alpha1.LiveNotifyConfigSpec)) *v1alpha1.LiveNotifyConfig {
		o := &v1alpha1.LiveNotifyConfig{
			ObjectMeta: metav1.ObjectMeta{Name: "a2"},
			Spec:       v1alpha1.LiveNotifyConfigSpec{DomainName: "a.example.com", NotifyURL: "https://hooks.example.com/after"},
		}
		edit(&o.Spec)
		return o
	}
	const conflict = "! " + v1alpha1.ReasonConflict
	for name, tc := range map[string]struct {
		edit func(*v1alpha1.LiveNotifyConfigSpec)
		want map[string]string
	}{
		"another URL":     {func(*v1alpha1.LiveNotifyConfigSpec) {}, map[string]string{"a": "=", "a2": "~"}},
		"the same":        {func(s *v1alpha1.LiveNotifyConfigSpec) { s.NotifyURL = "https://hooks.example.com/before" }, map[string]string{"a": "=", "a2": "="}},
		"one that looks":  {func(s *v1alpha1.LiveNotifyConfigSpec) { s.ManagementPolicy = v1alpha1.Observe }, map[string]string{"a": "-", "a2": conflict}},
		"one that rests":  {func(s *v1alpha1.LiveNotifyConfigSpec) { s.Suspend = true }, map[string]string{"a": "-", "a2": conflict}},
		"no such account": {func(s *v1alpha1.LiveNotifyConfigSpec) { s.AccountRef = &v1alpha1.AccountReference{Name: "none"} }, map[string]string{"a": "-", "a2": conflict}},
		"another account": {func(s *v1alpha1.LiveNotifyConfigSpec) { s.AccountRef = &v1alpha1.AccountReference{Name: "one"} }, map[string]string{"a": "-", "a2": conflict}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			w.apply(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "access"}, StringData: map[string]string{"accessKeyID": "cli-test", "accessKeySecret": canary}})
			w.apply(&v1alpha1.LiveAccount{ObjectMeta: metav1.ObjectMeta{Name: "one"}, Spec: v1alpha1.LiveAccountSpec{
				Endpoint: w.url, Credentials: v1alpha1.LiveCredentials{AccessKeySecretRef: &v1alpha1.LocalSecretReference{Name: "access"}},
			}})
			w.written(1, func(*v1alpha1.LiveNotifyConfig) {})
			if err := api.Delete(context.Background(), &v1alpha1.LiveNotifyConfig{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "a"}}); err != nil {
				t.Fatal(err)
			}
			w.apply(heir(tc.edit))
			if diff := cmp.Diff(tc.want, w.planned()); diff != "" {
				t.Error(diff)
			}
		})
	}
	w := newWorld(t, emulator.Options{})
	w.written(1, func(*v1alpha1.LiveNotifyConfig) {})
	if err := api.Delete(context.Background(), &v1alpha1.LiveNotifyConfig{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "a"}}); err != nil {
		t.Fatal(err)
	}
	manifest := w.file("a2.yaml", rival("a2", "a.example.com", ""))
	w.call("plan", "-f", manifest).want(t, exitNo, "1 to change", "notifyURL: https://hooks.example.com/before -> https://hooks.example.com/")
	w.apply(heir(func(*v1alpha1.LiveNotifyConfigSpec) {}))
	w.call("plan", "lnc/a2").want(t, exitNo, "notifyURL: https://hooks.example.com/before -> https://hooks.example.com/after")
	w.call("plan", "lnc/a", "--show-in-sync").want(t, exitYes, "1 in sync")
}
