// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

const (
	// reask is when the token service is asked again for what it told, and retry
	// when it is asked again after it could not be.
	reask = 10 * time.Minute
	retry = 15 * time.Second
)

// ErrNoTokenService says that nobody can be asked.
var ErrNoTokenService = errors.New("there is no token service to ask")

// Identify asks the token service whose credentials an account has, unless it did
// so lately, and returns the ID of the cloud account. From then on the account
// shares the limits of that. The error is a *live.Error or ErrNoTokenService.
func (a *Accounts) Identify(ctx context.Context, account *Account) (string, error) {
	if a.TokenService == nil {
		return "", ErrNoTokenService
	}
	if id, err, fresh := a.asked(account); fresh {
		return id, err
	}
	id, err := a.TokenService.Identify(ctx, account.credentials)
	return a.identified(account, id, err)
}

// asked returns what the token service said of an account, if that was lately.
func (a *Accounts) asked(account *Account) (id string, err error, fresh bool) { //nolint:revive // the error is what is asked for, not how asking went
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.units[account.Label]
	if u == nil || u.account == nil || u.account.Version != account.Version {
		return "", nil, false
	}
	age := time.Since(u.asked)
	return u.id, u.answer, u.answer == nil && u.id != "" && age < reask || u.answer != nil && age < retry
}

// identified notes what the token service said. What it told before stays while
// it cannot be asked.
func (a *Accounts) identified(account *Account, id string, err error) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.units[account.Label]
	if u == nil || u.account == nil || u.account.Version != account.Version {
		return id, err // of an account that has changed meanwhile
	}
	u.asked, u.answer = time.Now(), err
	if err != nil {
		if live.ClassOf(err) == live.NoCredentials {
			u.id = ""
			u.limits.Join(nil)
		}
		return u.id, err
	}
	u.id, u.lastID = id, id
	if !a.trusted(account.Client.Host()) {
		return id, nil
	}
	if a.shared[id] == nil {
		a.shared[id] = quota.NewLimits(a.Share, quota.Report{}) // its members report
	}
	u.limits.Join(a.shared[id])
	return id, nil
}

// trusted tells whether an endpoint is the vendor's, or the one that the operator
// itself was told to use: only there is a limit of the cloud account in force.
func (a *Accounts) trusted(host string) bool {
	own := a.units[OwnLabel]
	return live.VendorEndpoint(host) || own != nil && own.account != nil && own.account.Client.Host() == host
}

// Hold sets the finalizer of a LiveAccount, before something is written to the
// cloud through it: it is needed until that is removed. The operator's own account
// needs none.
func (a *Accounts) Hold(ctx context.Context, namespace string, ref *v1alpha1.AccountReference) error {
	if ref == nil {
		return nil
	}
	var account v1alpha1.LiveAccount
	if err := a.cluster.Get(ctx, types.NamespacedName{Namespace: namespace, Name: ref.Name}, &account); err != nil {
		return fmt.Errorf("reading LiveAccount %q: %w", ref.Name, err)
	}
	return a.SetHold(ctx, &account, true)
}

// SetHold sets or removes the finalizer of a LiveAccount.
func (a *Accounts) SetHold(ctx context.Context, account *v1alpha1.LiveAccount, hold bool) error {
	before := account.DeepCopy()
	// None can be added any more to an account that is being deleted.
	changed := hold && account.DeletionTimestamp.IsZero() && controllerutil.AddFinalizer(account, v1alpha1.AccountFinalizer) ||
		!hold && controllerutil.RemoveFinalizer(account, v1alpha1.AccountFinalizer)
	if !changed {
		return nil
	}
	err := a.cluster.Patch(ctx, account, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if err != nil {
		return fmt.Errorf("patching the finalizer of LiveAccount %q: %w", account.Name, err)
	}
	return nil
}
