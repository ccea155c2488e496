// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// AccountOptions configure Accounts.
type AccountOptions struct {
	// Own is the client with the operator's own credentials.
	Own *live.Client
	// RequireRef refuses objects that lean on these, and accounts that lean on
	// the role of the operator's instance.
	RequireRef bool
	// AllowInsecure permits plain http endpoints that are not loopback.
	AllowInsecure bool
	// STSEndpoint is the host of the token service; empty for the default.
	STSEndpoint string
}

// Accounts finds the client to the cloud that an object is managed through. A
// client is kept until its LiveAccount or the Secret of that changes.
type Accounts struct {
	AccountOptions
	client   client.Client
	uncached client.Reader

	mu     sync.Mutex
	opened map[types.NamespacedName]*opened
	limits map[string]*live.Limits // by identity.id
}

// opened is a LiveAccount whose client exists.
type opened struct {
	version     string // of the LiveAccount and its Secret
	client      *live.Client
	credentials live.Credentials
	identity    identity
	share       float64
}

// identity is who the cloud takes an account for. Accounts with the same id
// share its request limits; shown is for people.
type identity struct{ id, shown string }

// NewAccounts returns the accounts that a client of the cluster sees.
func NewAccounts(c client.Client, uncached client.Reader, o AccountOptions) *Accounts {
	return &Accounts{
		AccountOptions: o, client: c, uncached: uncached,
		opened: map[types.NamespacedName]*opened{}, limits: map[string]*live.Limits{},
	}
}

// Client returns the client for an object of a namespace that refers to an
// account, or to none, and manages a domain, or none. The same client means the
// same account and credentials. An account that cannot be used is an
// unavailableError.
func (a *Accounts) Client(ctx context.Context, namespace string, ref *v1alpha1.AccountReference, domain string) (*live.Client, error) {
	if ref == nil {
		if a.RequireRef {
			return nil, notReady("The operator runs with --require-account-ref. Name a LiveAccount of this namespace in spec.accountRef.")
		}
		return a.Own, nil
	}
	name := types.NamespacedName{Namespace: namespace, Name: ref.Name}
	var account v1alpha1.LiveAccount
	err := a.client.Get(ctx, name, &account)
	if apierrors.IsNotFound(err) {
		return nil, notReady("LiveAccount %q does not exist. Create it, or correct spec.accountRef.", ref.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading LiveAccount %q: %w", ref.Name, err)
	}
	if !allows(account.Spec.AllowedDomains, domain) {
		return nil, &unavailableError{
			reason:  v1alpha1.ReasonAccessDenied,
			message: fmt.Sprintf("LiveAccount %q does not allow the domain %s. Whoever owns the account can add it to spec.allowedDomains.", ref.Name, domain),
		}
	}
	o, err := a.open(ctx, &account)
	if unavailable, ok := errors.AsType[*unavailableError](err); ok {
		return nil, notReady("LiveAccount %q cannot be used: %s", ref.Name, unavailable.message)
	}
	if err != nil {
		return nil, err
	}
	return o.client, nil
}

// Last returns the client that an account last had; nil if it never had one.
// It is for removing what a namespace that is going away leaves in the cloud.
func (a *Accounts) Last(namespace string, ref *v1alpha1.AccountReference) *live.Client {
	if ref == nil {
		return nil
	}
	if o := a.find(types.NamespacedName{Namespace: namespace, Name: ref.Name}); o != nil {
		return o.client
	}
	return nil
}

// notReady is the error of an account that cannot be used.
func notReady(format string, args ...any) *unavailableError {
	return &unavailableError{reason: v1alpha1.ReasonAccountNotReady, message: fmt.Sprintf(format, args...)}
}

// allows tells whether a domain matches one of the globs. An empty list allows
// any, and only domains are restricted.
func allows(globs []string, domain string) bool {
	for _, glob := range globs {
		// The schema admits no pattern but *, and a domain has no slash for it
		// to stop at.
		if match, err := path.Match(glob, domain); err == nil && match {
			return true
		}
	}
	return len(globs) == 0 || domain == ""
}

// open returns the client of an account: the one that exists, if it is of this
// version of the account and of its Secret.
func (a *Accounts) open(ctx context.Context, account *v1alpha1.LiveAccount) (*opened, error) {
	version := fmt.Sprintf("%s/%d", account.UID, account.Generation)
	if ref := account.Spec.Credentials.AccessKeySecretRef; ref != nil {
		v, err := secretVersion(ctx, a.client, account.Namespace, ref.Name)
		if err != nil {
			return nil, err
		}
		version += "/" + v
	}
	name := client.ObjectKeyFromObject(account)
	if o := a.find(name); o != nil && o.version == version {
		return o, nil
	}
	secret, err := a.secret(ctx, account)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	o, err := a.build(account, secret)
	if err != nil {
		return nil, err
	}
	o.version = version
	a.opened[name] = o
	a.shareLimits(o.identity)
	return o, nil
}

func (a *Accounts) find(name types.NamespacedName) *opened {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.opened[name]
}

// secret reads the Secret with the access key; nil for other credentials.
func (a *Accounts) secret(ctx context.Context, account *v1alpha1.LiveAccount) (*corev1.Secret, error) {
	ref := account.Spec.Credentials.AccessKeySecretRef
	if ref == nil {
		return nil, nil
	}
	var secret corev1.Secret
	err := a.uncached.Get(ctx, types.NamespacedName{Namespace: account.Namespace, Name: ref.Name}, &secret)
	if apierrors.IsNotFound(err) {
		return nil, notReady("Secret %q does not exist. Create it with the entries %s and %s.", ref.Name, entryID, entrySecret)
	}
	if err != nil {
		return nil, fmt.Errorf("reading Secret %q: %w", ref.Name, err)
	}
	return &secret, nil
}

// Entries of the Secret with an access key.
const (
	entryID     = "accessKeyID"
	entrySecret = "accessKeySecret"
	entryToken  = "securityToken"
)

// build makes the client of an account.
func (a *Accounts) build(account *v1alpha1.LiveAccount, secret *corev1.Secret) (*opened, error) {
	credentials, who, err := a.credentials(account, secret)
	if role := account.Spec.AssumeRole; role != nil && err == nil {
		credentials, err = credentials.Assume(role.RoleARN, role.ExternalID, a.STSEndpoint)
		who = identity{role.RoleARN, "role " + role.RoleARN}
	}
	if err != nil {
		return nil, err
	}
	limits := a.limits[who.id]
	if limits == nil {
		limits = live.NewLimits(who.shown)
		a.limits[who.id] = limits
	}
	c, err := live.NewClient(live.Options{
		Region: account.Spec.Region, Endpoint: account.Spec.Endpoint, AllowInsecure: a.AllowInsecure,
		Credentials: credentials, Limits: limits,
	})
	if err != nil {
		return nil, notReady("%s.", err)
	}
	return &opened{
		client: c, credentials: credentials, identity: who, share: float64(account.Spec.QuotaSharePercent) / 100,
	}, nil
}

// credentials returns the credentials that the spec names, before any role that
// is assumed with them.
func (a *Accounts) credentials(account *v1alpha1.LiveAccount, secret *corev1.Secret) (live.Credentials, identity, error) {
	switch from := account.Spec.Credentials; {
	case from.AccessKeySecretRef != nil:
		return accessKey(secret)
	case from.OIDC != nil:
		mint := func(ctx context.Context) (string, time.Time, error) {
			return a.mint(ctx, account.Namespace, from.OIDC.ServiceAccountName)
		}
		c, err := live.OIDC(from.OIDC.RoleARN, from.OIDC.OIDCProviderARN, a.STSEndpoint, mint)
		return c, identity{from.OIDC.RoleARN, "role " + from.OIDC.RoleARN}, err
	case a.RequireRef:
		return live.Credentials{}, identity{}, notReady("The operator runs with --require-account-ref, so that the role of its own instance is for no one. Use accessKeySecretRef or oidc.")
	default:
		c, err := live.ECSRAMRole(from.ECSRAMRole.RoleName)
		shown := "ECS RAM role " + from.ECSRAMRole.RoleName
		return c, identity{shown, shown}, err
	}
}

// accessKey reads an access key from its Secret.
func accessKey(secret *corev1.Secret) (live.Credentials, identity, error) {
	entry := func(name string) string { return strings.TrimSpace(string(secret.Data[name])) }
	id := entry(entryID)
	for _, name := range []string{entryID, entrySecret} {
		if entry(name) == "" {
			return live.Credentials{}, identity{}, notReady("Secret %q has no entry %s, or an empty one. Add it.", secret.Name, name)
		}
	}
	c, err := live.AccessKey(id, entry(entrySecret), entry(entryToken))
	return c, identity{id, "access key " + masked(id)}, err
}

// masked shows enough of an access key ID to recognize it.
func masked(id string) string {
	const shown = 4
	if len(id) <= 3*shown {
		return id[:min(len(id), shown)] + "****"
	}
	return id[:shown] + "****" + id[len(id)-shown:]
}

// tokenAudience is what the cloud's token service demands of a token.
const tokenAudience = "sts.aliyuncs.com"

// mint returns a token of a ServiceAccount, for the token service alone.
func (a *Accounts) mint(ctx context.Context, namespace, name string) (string, time.Time, error) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: []string{tokenAudience}}}
	if err := a.client.SubResource("token").Create(ctx, account, request); err != nil {
		return "", time.Time{}, fmt.Errorf("minting a token of ServiceAccount %q: %w", name, err)
	}
	return request.Status.Token, request.Status.ExpirationTimestamp.Time, nil
}

// shareLimits gives the limits of an identity the least share that an account
// of it asks for.
func (a *Accounts) shareLimits(who identity) {
	least := 1.0
	for _, o := range a.opened {
		if o.identity == who {
			least = min(least, o.share)
		}
	}
	a.limits[who.id].SetShare(least)
}

// forget drops the client of an account that is gone and no longer used.
func (a *Accounts) forget(name types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.opened, name)
}
