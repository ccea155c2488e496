// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// keyRef returns which Secret entry holds the authentication key; nil if
// callbacks are not signed.
func (k Kind[O, C]) keyRef(obj O) *v1alpha1.SecretKeyReference {
	if k.AuthKey == nil {
		return nil
	}
	auth := k.AuthKey(obj)
	if auth == nil {
		return nil
	}
	return &auth.KeySecretRef
}

// keyVersion returns the version of the Secret with the authentication key; ""
// if there is none.
func (p *pass[O, C]) keyVersion(ctx context.Context) (string, error) {
	ref := p.kind.keyRef(p.obj)
	if ref == nil {
		return "", nil
	}
	return secretVersion(ctx, p.Client, p.obj.GetNamespace(), ref.Name)
}

// secretVersion returns the version of a Secret from the cache of Secrets'
// metadata; "" if there is none.
func secretVersion(ctx context.Context, cached client.Reader, namespace, name string) (string, error) {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	err := cached.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the metadata of Secret %q: %w", name, err)
	}
	return version(secret), nil
}

// authKey reads the authentication key, and returns the version of its Secret
// with it. A key that cannot be used is an unavailableError.
func (p *pass[O, C]) authKey(ctx context.Context) (live.Key, string, error) {
	ref := p.kind.keyRef(p.obj)
	if ref == nil {
		return "", "", nil
	}
	var secret corev1.Secret
	err := p.uncached.Get(ctx, types.NamespacedName{Namespace: p.obj.GetNamespace(), Name: ref.Name}, &secret)
	if apierrors.IsNotFound(err) {
		return "", "", p.keyUnavailable("Secret %q does not exist: create it with the key in entry %q", ref.Name, ref.Key)
	}
	if err != nil {
		return "", "", fmt.Errorf("reading Secret %q: %w", ref.Name, err)
	}
	value, found := secret.Data[ref.Key]
	if !found {
		return "", "", p.keyUnavailable("Secret %q has no entry %q: add it", ref.Name, ref.Key)
	}
	key, err := live.ParseKey(string(value), p.kind.MaxAuthKey)
	if err != nil {
		return "", "", p.keyUnavailable("entry %q of Secret %q %w", ref.Key, ref.Name, err)
	}
	return key, version(&secret), nil
}

func (p *pass[O, C]) keyUnavailable(format string, args ...any) error {
	return &unavailableError{
		reason:  v1alpha1.ReasonAuthKeyUnavailable,
		message: "The authentication key cannot be used: " + fmt.Errorf(format, args...).Error() + ". The cloud keeps what it has.",
	}
}

// version tells a Secret, and each change of it, from all others.
func version(secret metav1.Object) string {
	return string(secret.GetUID()) + "/" + secret.GetResourceVersion()
}
