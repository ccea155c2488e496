// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

// accountStatus says in the status of each LiveAccount whether its credentials
// load, and whose they are. The callback kinds do not wait for it.
type accountStatus struct{ *shared }

const (
	// recheckAccount is how often credentials are loaded again: temporary ones
	// may stop loading.
	recheckAccount = 10 * time.Minute
	// retryAccount is the same while they do not load.
	retryAccount = time.Minute
)

func setupAccounts(s *shared) error {
	err := s.manager.GetFieldIndexer().IndexField(context.Background(), &v1alpha1.LiveAccount{}, secretIndex, func(o client.Object) []string {
		if ref := o.(*v1alpha1.LiveAccount).Spec.Credentials.AccessKeySecretRef; ref != nil {
			return []string{ref.Name}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("indexing LiveAccount: %w", err)
	}
	r := &accountStatus{s}
	err = ctrl.NewControllerManagedBy(s.manager).
		Named("LiveAccount").
		For(&v1alpha1.LiveAccount{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.usersOfSecret)).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up LiveAccount: %w", err)
	}
	return nil
}

// accountsOfSecret returns the LiveAccounts that refer to a Secret.
func accountsOfSecret(ctx context.Context, c client.Client, secret client.Object) []v1alpha1.LiveAccount {
	var list v1alpha1.LiveAccountList
	err := c.List(ctx, &list, client.InNamespace(secret.GetNamespace()), client.MatchingFields{secretIndex: secret.GetName()})
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "accounts are not told of a change", "secret", client.ObjectKeyFromObject(secret))
	}
	return list.Items
}

func (r *accountStatus) usersOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, account := range accountsOfSecret(ctx, r.Client, secret) {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&account)})
	}
	return requests
}

// Reconcile updates the status of one LiveAccount.
func (r *accountStatus) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var account v1alpha1.LiveAccount
	if err := r.Get(ctx, req.NamespacedName, &account); apierrors.IsNotFound(err) {
		return r.gone(ctx, req.NamespacedName)
	} else if err != nil {
		return reconcile.Result{}, err
	}
	before := account.DeepCopy()
	result := reconcile.Result{RequeueAfter: recheckAccount}
	o, err := r.accounts.open(ctx, &account)
	if err == nil {
		account.Status.Identity = o.identity.shown
		err = o.credentials.Load()
	}
	ready := metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonCredentialsLoaded,
		Message: "The credentials load.",
	}
	if err != nil {
		out := failed(err)
		if out.fault != nil {
			return reconcile.Result{}, err
		}
		result.RequeueAfter = retryAccount
		ready.Status, ready.Reason, ready.Message = metav1.ConditionFalse, v1alpha1.ReasonCredentialsUnavailable, out.message
	}
	account.Status.ObservedGeneration = account.Generation
	setAccountConditions(&account, ready, err)
	if equality.Semantic.DeepEqual(before, &account) {
		return result, nil
	}
	return result, client.IgnoreNotFound(r.Status().Patch(ctx, &account, client.MergeFrom(before)))
}

// setAccountConditions sets Ready, and Stalled while something is missing that
// only a person can add.
func setAccountConditions(account *v1alpha1.LiveAccount, ready metav1.Condition, err error) {
	ready.ObservedGeneration = account.Generation
	meta.SetStatusCondition(&account.Status.Conditions, ready)
	meta.RemoveStatusCondition(&account.Status.Conditions, v1alpha1.ConditionStalled)
	if _, missing := errors.AsType[*unavailableError](err); missing {
		ready.Type, ready.Status = v1alpha1.ConditionStalled, metav1.ConditionTrue
		meta.SetStatusCondition(&account.Status.Conditions, ready)
	}
}

// gone forgets an account that was deleted, once no object refers to it: until
// then its client may be needed to clear up.
func (r *accountStatus) gone(ctx context.Context, name types.NamespacedName) (reconcile.Result, error) {
	for _, k := range kinds {
		used, err := k.usesAccount(ctx, r.shared, name)
		if err != nil {
			return reconcile.Result{}, err
		}
		if used {
			return reconcile.Result{RequeueAfter: recheckAccount}, nil
		}
	}
	r.accounts.forget(name)
	return reconcile.Result{}, nil
}

// usesAccount tells whether an object of the kind refers to an account.
func (k Kind[O, C]) usesAccount(ctx context.Context, s *shared, name types.NamespacedName) (bool, error) {
	list := k.NewList()
	err := s.List(ctx, list, client.InNamespace(name.Namespace), client.MatchingFields{accountIndex: name.Name}, client.Limit(1))
	return meta.LenList(list) > 0, err
}
