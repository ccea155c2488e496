// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// Secrets reads a Secret; nil if there is none. ErrKeyUnknown is for what may not be
// read.
type Secrets func(ctx context.Context, namespace, name string) (*corev1.Secret, error)

// KeysFrom returns Keys that are entries of Secrets, judged as the operator does.
func KeysFrom(secrets Secrets) Keys {
	return func(ctx context.Context, k *kind.Kind, o kind.Object) (live.Key, error) {
		ref := k.KeyRef(o)
		if ref == nil {
			return "", nil
		}
		secret, err := secrets(ctx, o.GetNamespace(), ref.Name)
		switch {
		case err != nil:
			return "", err
		case secret == nil:
			return "", keyUnavailable("Secret %q does not exist: create it with the key in entry %q", ref.Name, ref.Key)
		}
		value, found := secret.Data[ref.Key]
		if text, ok := secret.StringData[ref.Key]; ok {
			value, found = []byte(text), true
		}
		if !found {
			return "", keyUnavailable("Secret %q has no entry %q: add it", ref.Name, ref.Key)
		}
		key, err := live.ParseKey(string(value), k.MaxAuthKey)
		if err != nil {
			return "", keyUnavailable("entry %q of Secret %q %w", ref.Key, ref.Name, err)
		}
		return key, nil
	}
}

func keyUnavailable(format string, args ...any) error {
	return &plan.Unavailable{
		Reason:  v1alpha1.ReasonAuthKeyUnavailable,
		Message: "The authentication key cannot be used: " + fmt.Errorf(format, args...).Error() + ".",
	}
}
