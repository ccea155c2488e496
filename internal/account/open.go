// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/words"
)

// Open returns the account of a LiveAccount. It makes another client only when the
// credentials or the endpoint have changed. One that cannot be used is a
// plan.Unavailable.
func (a *Accounts) Open(ctx context.Context, account *v1alpha1.LiveAccount) (*Account, error) {
	label := labelOf(account.Namespace, account.Name)
	u := a.unit(label)
	if percent := account.Spec.QuotaSharePercent; percent > 0 {
		u.limits.SetShare(float64(percent) / 100)
	}
	made, err := a.versions(ctx, account)
	if err != nil {
		return nil, err
	}
	if known := a.known(label, made); known != nil {
		return known, nil
	}
	secret, err := a.secret(ctx, account)
	if err != nil {
		return nil, unusable(account.Name, err)
	}
	opened, err := a.open(u, account, secret)
	if err != nil {
		return nil, unusable(account.Name, err)
	}
	a.keep(label, made, opened)
	return a.known(label, ""), nil
}

// unusable says of which account an error speaks.
func unusable(name string, err error) error {
	if u, ok := errors.AsType[*plan.Unavailable](err); ok {
		return plan.Unusable("LiveAccount %q cannot be used: %s", name, u.Message)
	}
	return err
}

// versions returns those of a LiveAccount and its Secret in the cluster.
func (a *Accounts) versions(ctx context.Context, account *v1alpha1.LiveAccount) (string, error) {
	made := fmt.Sprintf("%s/%d", account.UID, account.Generation)
	if ref := account.Spec.Credentials.AccessKeySecretRef; ref != nil {
		v, err := SecretVersion(ctx, a.cluster, account.Namespace, ref.Name)
		if err != nil {
			return "", err
		}
		made += "/" + v
	}
	return made, nil
}

// keep notes an account that was opened, unless the LiveAccount has gone meanwhile. One
// of the same content stays as it is.
func (a *Accounts) keep(label, made string, opened *Account) {
	a.locked(label, func(u *unit) {
		u.made = made
		if u.account == nil || u.account.Version != opened.Version {
			u.account, u.id, u.answer = opened, "", nil
			u.asked = u.asked.AddDate(-1, 0, 0)
			u.limits.Join(nil)
		}
	})
}

// open makes the client of an account.
func (a *Accounts) open(u *unit, account *v1alpha1.LiveAccount, secret *corev1.Secret) (*Account, error) {
	credentials, shown, err := a.credentials(account, secret)
	if err != nil {
		return nil, err
	}
	if role := account.Spec.AssumeRole; role != nil {
		if a.TokenService == nil {
			return nil, plan.Unusable("The operator knows no token service to assume a role with.")
		}
		credentials = a.TokenService.Assume(credentials, role.RoleARN, role.ExternalID)
		shown = "role " + role.RoleARN
	}
	c, err := a.client(u, labelOf(account.Namespace, account.Name), account.Spec.Region, account.Spec.Endpoint, credentials)
	if err != nil {
		return nil, plan.Unusable("%s", words.Sentence(err.Error())) // in our own words
	}
	return &Account{
		Label: labelOf(account.Namespace, account.Name), Name: account.Name, Identity: shown,
		Version: version(account, secret), Client: c, Limits: u.limits, credentials: credentials,
	}, nil
}

// client makes a client that keeps to the limits of a unit.
func (a *Accounts) client(u *unit, label, region, endpoint string, credentials live.Credentials) (*live.Client, error) {
	return live.NewClient(live.Options{
		Region: region, Endpoint: endpoint, AllowInsecure: a.AllowInsecure,
		Credentials: credentials, Limits: u.limits, Breaker: u.breaker, Timeout: a.Timeout, Now: a.Now, Account: label,
	})
}

// version identifies who calls, and where, by content: a label on the Secret, or
// another share of the limits, is no other account.
func version(account *v1alpha1.LiveAccount, secret *corev1.Secret) string {
	h := sha256.New()
	encoder := json.NewEncoder(h)
	spec := account.Spec
	_ = encoder.Encode([]any{spec.Region, spec.Endpoint, spec.Credentials, spec.AssumeRole}) // strings only
	if secret != nil {
		_ = encoder.Encode([][]byte{secret.Data[entryID], secret.Data[entrySecret], secret.Data[entryToken]})
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// Entries of the Secret with an access key.
const (
	entryID     = "accessKeyID"
	entrySecret = "accessKeySecret"
	entryToken  = "securityToken"
)

// secret reads the Secret with the access key; nil for other credentials.
func (a *Accounts) secret(ctx context.Context, account *v1alpha1.LiveAccount) (*corev1.Secret, error) {
	ref := account.Spec.Credentials.AccessKeySecretRef
	if ref == nil {
		return nil, nil
	}
	secret, err := ReadSecret(ctx, a.uncached, account.Namespace, ref.Name)
	if err == nil && secret == nil {
		return nil, plan.Unusable("Secret %q does not exist. Create it with the entries %s and %s.", ref.Name, entryID, entrySecret)
	}
	return secret, err
}

// ReadSecret reads a Secret past the cache, which has none; nil if it does not
// exist. Nothing of it is logged, at any level.
func ReadSecret(ctx context.Context, uncached client.Reader, namespace, name string) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := uncached.Get(logr.NewContext(ctx, logr.Discard()), types.NamespacedName{Namespace: namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Secret %q: %w", name, err)
	}
	return &secret, nil
}

// SecretVersion tells a Secret in the cache of Secrets' metadata, and each change
// of it, from all others; "" if there is none.
func SecretVersion(ctx context.Context, cached client.Reader, namespace, name string) (string, error) {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	err := cached.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the metadata of Secret %q: %w", name, err)
	}
	return string(secret.UID) + "/" + secret.ResourceVersion, nil
}

// credentials returns the credentials that the spec names, before any role that
// is assumed with them, and what to show of them.
func (a *Accounts) credentials(account *v1alpha1.LiveAccount, secret *corev1.Secret) (live.Credentials, string, error) {
	switch from := account.Spec.Credentials; {
	case from.AccessKeySecretRef != nil:
		return accessKey(secret)
	case from.OIDC != nil && a.TokenService == nil:
		return live.Credentials{}, "", plan.Unusable("The operator knows no token service to exchange a token with.")
	case from.OIDC != nil:
		mint := func(ctx context.Context) (string, error) {
			return a.mint(ctx, account.Namespace, from.OIDC.ServiceAccountName)
		}
		return a.TokenService.Exchange(from.OIDC.RoleARN, from.OIDC.OIDCProviderARN, mint), "role " + from.OIDC.RoleARN, nil
	case a.RequireRef:
		return live.Credentials{}, "", plan.Unusable("The operator runs with --require-account-ref, so that the role of its own instance is for no one. Use accessKeySecretRef or oidc.")
	default:
		c, err := live.ECSRAMRole(from.ECSRAMRole.RoleName)
		return c, "ECS RAM role " + from.ECSRAMRole.RoleName, err
	}
}

// accessKey reads an access key from its Secret.
func accessKey(secret *corev1.Secret) (live.Credentials, string, error) {
	entry := func(name string) string { return strings.TrimSpace(string(secret.Data[name])) }
	for _, name := range []string{entryID, entrySecret} {
		if entry(name) == "" {
			return live.Credentials{}, "", plan.Unusable("Secret %q has no entry %s, or an empty one. Add it.", secret.Name, name)
		}
	}
	c, err := live.AccessKey(entry(entryID), entry(entrySecret), entry(entryToken))
	if err != nil {
		return live.Credentials{}, "", plan.Unusable("Secret %q holds no access key: %s", secret.Name, words.Sentence(live.Clean(err.Error(), 200))) // our own words
	}
	return c, "access key " + live.MaskedID(entry(entryID)), nil
}

// tokenAudience is what the cloud's token service demands of a token.
const tokenAudience = "sts.aliyuncs.com"

// mint returns a token of a ServiceAccount, for the token service alone. Its error
// is in words of our own.
func (a *Accounts) mint(ctx context.Context, namespace, name string) (string, error) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: []string{tokenAudience}}}
	err := a.cluster.SubResource("token").Create(logr.NewContext(ctx, logr.Discard()), account, request)
	if err != nil {
		return "", fmt.Errorf("the API server gives no token of ServiceAccount %q (%s)", name, apierrors.ReasonForError(err))
	}
	return request.Status.Token, nil
}
