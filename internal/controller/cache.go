// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
)

// CacheOptions returns what the cache of an operator that works on these
// namespaces, all if there are none, is to hold. Everywhere tells that it may see
// the objects of all namespaces all the same: it then knows who else has a domain.
func CacheOptions(namespaces []string, everywhere bool) cache.Options {
	o := cache.Options{
		ByObject: map[client.Object]cache.ByObject{
			// Whether a Secret has changed is all that is asked of the cache. kubectl
			// apply leaves its data in an annotation.
			&corev1.Secret{}: {Transform: identityOnly},
		},
		DefaultTransform: stripped,
	}
	for _, namespace := range namespaces {
		if o.DefaultNamespaces == nil {
			o.DefaultNamespaces = map[string]cache.Config{}
		}
		o.DefaultNamespaces[namespace] = cache.Config{}
	}
	if everywhere && len(namespaces) > 0 {
		for _, object := range Objects() {
			o.ByObject[object] = cache.ByObject{Namespaces: map[string]cache.Config{cache.AllNamespaces: {}}}
		}
	}
	return o
}

// identityOnly leaves of an object's metadata what tells it, and a change of it,
// from others.
func identityOnly(in any) (any, error) {
	if o, ok := in.(metav1.Object); ok {
		o.SetManagedFields(nil)
		o.SetAnnotations(nil)
		o.SetLabels(nil)
		o.SetOwnerReferences(nil)
		o.SetFinalizers(nil)
	}
	return in, nil
}

// stripped leaves out what nothing reads, which is most of an object's memory, and
// keeps once what many objects have in common.
func stripped(in any) (any, error) {
	o, ok := in.(metav1.Object)
	if !ok {
		return in, nil
	}
	o.SetManagedFields(nil)
	if annotations := o.GetAnnotations(); annotations[corev1.LastAppliedConfigAnnotation] != "" {
		delete(annotations, corev1.LastAppliedConfigAnnotation)
		o.SetAnnotations(annotations)
	}
	o.SetNamespace(common.of(o.GetNamespace()))
	if slices.Equal(o.GetFinalizers(), onlyOurs) {
		o.SetFinalizers(onlyOurs)
	}
	callback, ok := in.(kind.Object)
	if !ok {
		return in, nil
	}
	spec, status := callback.Callback()
	if spec.AccountRef != nil {
		spec.AccountRef.Name = common.of(spec.AccountRef.Name)
	}
	status.Conditions = slices.Clone(status.Conditions) // without the room that decoding leaves for more
	for i := range status.Conditions {
		c := &status.Conditions[i]
		c.Type, c.Reason, c.Message = common.of(c.Type), common.of(c.Reason), common.of(c.Message)
		c.Status = metav1.ConditionStatus(common.of(string(c.Status)))
	}
	if a := status.Applied; a != nil {
		a.Account, a.AccountID = common.of(a.Account), common.of(a.AccountID)
		if a.UID == o.GetUID() {
			a.UID = o.GetUID() // the same text, once
		}
	}
	return in, nil
}

// onlyOurs are the finalizers of most objects. Nobody changes what is in the cache.
var onlyOurs = []string{v1alpha1.Finalizer}

// common is what objects in the cache have in common, such as the reasons of their
// conditions.
var common texts

// texts keeps one copy of each text, as long as there are not too many.
type texts struct {
	mu   sync.Mutex
	kept map[string]string
}

const (
	// maxTexts bounds how many texts are kept: those of a tenant who makes up many
	// are forgotten, and with them all others until they come again.
	maxTexts = 10_000
	// maxTextKept bounds a text that is kept, in bytes.
	maxTextKept = 256
)

// of returns the copy that is kept of a text.
func (t *texts) of(s string) string {
	if s == "" || len(s) > maxTextKept {
		return s
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if kept, ok := t.kept[s]; ok {
		return kept
	}
	if t.kept == nil || len(t.kept) >= maxTexts {
		t.kept = map[string]string{}
	}
	t.kept[s] = s
	return s
}
