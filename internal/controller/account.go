// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/account"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/words"
)

// accountReconciler says in the status of each LiveAccount whose it is, and keeps
// it while an object needs it. The callback kinds do not wait for it.
type accountReconciler struct{ *shared }

const (
	// recheckAccount is how often an account is looked at again: temporary
	// credentials may stop loading, and the token service may be asked again.
	recheckAccount = 10 * time.Minute
	// retryAccount is the same while something is amiss.
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
	r := &accountReconciler{s}
	b := ctrl.NewControllerManagedBy(s.manager).
		Named("LiveAccount").
		For(&v1alpha1.LiveAccount{}, builder.WithPredicates(specChanges)).
		WatchesMetadata(&corev1.Secret{}, mapped(r.usersOfSecret))
	for _, k := range kind.All {
		b = b.Watches(k.New(), mapped(r.accountOf), builder.WithPredicates(needs))
	}
	if err := b.Complete(r); err != nil {
		return fmt.Errorf("setting up LiveAccount: %w", err)
	}
	return nil
}

// needs passes what may end the need of an object for its account.
var needs = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return kind.Claimed(e.ObjectOld) && !kind.Claimed(e.ObjectNew) || e.ObjectOld.GetUID() != e.ObjectNew.GetUID()
	},
	DeleteFunc: func(e event.DeleteEvent) bool { return kind.Claimed(e.Object) },
}

// accountOf returns the LiveAccount that an object refers to.
func (r *accountReconciler) accountOf(_ context.Context, o client.Object) []reconcile.Request {
	spec, _ := o.(kind.Object).Callback()
	if spec.AccountRef == nil {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: o.GetNamespace(), Name: spec.AccountRef.Name}}}
}

// accountsOfSecret returns the LiveAccounts that refer to a Secret.
func (s *shared) accountsOfSecret(ctx context.Context, secret client.Object) []*v1alpha1.LiveAccount {
	accounts, err := listed[*v1alpha1.LiveAccount](ctx, s, &v1alpha1.LiveAccountList{}, "listing LiveAccounts",
		client.InNamespace(secret.GetNamespace()), client.MatchingFields{secretIndex: secret.GetName()})
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "accounts are not told of a change", "secret", client.ObjectKeyFromObject(secret))
	}
	return accounts
}

func (r *accountReconciler) usersOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	return requestsFor(r.accountsOfSecret(ctx, secret)...)
}

// Reconcile updates the status and the finalizer of one LiveAccount.
func (r *accountReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	defer r.watchdog.enter()()
	if !r.scope.hasNamespace(req.Namespace) {
		return reconcile.Result{}, nil
	}
	var account v1alpha1.LiveAccount
	if err := r.Get(ctx, req.NamespacedName, &account); apierrors.IsNotFound(err) {
		return r.gone(ctx, req)
	} else if err != nil {
		return reconcile.Result{}, &apiFault{"reading the LiveAccount", err}
	}
	needed, err := r.needed(ctx, req)
	if err == nil && !needed {
		err = r.accounts.SetHold(ctx, &account, false)
	}
	if err != nil {
		return r.faulted(ctx, &account, err)
	}
	ctx, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	return r.describe(ctx, &account)
}

// describe writes the status.
func (r *accountReconciler) describe(ctx context.Context, obj *v1alpha1.LiveAccount) (reconcile.Result, error) {
	before := obj.DeepCopy()
	opened, err := r.accounts.Open(ctx, obj)
	if err == nil {
		err = opened.Load(ctx)
		obj.Status.Identity = opened.Identity
	}
	out := failed(err)
	if out.fault != nil {
		return r.faulted(ctx, before, out.fault)
	}
	id, verified := "", plan.Verdict{}
	why := out.Message // the credentials cannot be used
	if err == nil {
		id, verified = r.verify(ctx, opened)
	}
	switch verified.Ready {
	case metav1.ConditionTrue:
		obj.Status.AccountID = id
	case metav1.ConditionFalse:
		obj.Status.AccountID, why = id, verified.Message
	}
	ready := plan.Verdict{Ready: metav1.ConditionTrue, Reason: v1alpha1.ReasonCredentialsLoaded, Message: "The credentials load."}
	if err != nil || verified.Ready == metav1.ConditionFalse {
		ready = plan.Verdict{Ready: metav1.ConditionFalse, Reason: v1alpha1.ReasonCredentialsUnavailable, Message: why}
	}
	obj.Status.ObservedGeneration = obj.Generation
	r.setCondition(obj, v1alpha1.ConditionReady, ready)
	if err == nil {
		r.setCondition(obj, v1alpha1.ConditionVerified, verified)
	}
	if _, missing := asUnavailable(err); missing {
		ready.Ready = metav1.ConditionTrue
		r.setCondition(obj, v1alpha1.ConditionStalled, ready)
	} else {
		meta.RemoveStatusCondition(&obj.Status.Conditions, v1alpha1.ConditionStalled)
	}
	if !equality.Semantic.DeepEqual(before, obj) {
		if err := r.Status().Patch(ctx, obj, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
			return r.faulted(ctx, before, &apiFault{"patching the status", err})
		}
	}
	if verified.Ready != metav1.ConditionTrue {
		return reconcile.Result{RequeueAfter: retryAccount}, nil
	}
	return reconcile.Result{RequeueAfter: recheckAccount}, nil
}

// setCondition sets a condition for the generation of an account, and returns whether
// it has changed.
func (r *accountReconciler) setCondition(account *v1alpha1.LiveAccount, kind string, v plan.Verdict) bool {
	return meta.SetStatusCondition(&account.Status.Conditions, metav1.Condition{
		Type: kind, Status: v.Ready, Reason: v.Reason, Message: v.Message, ObservedGeneration: account.Generation,
	})
}

// verify asks the token service whose an account is, and returns what Verified says.
func (r *accountReconciler) verify(ctx context.Context, opened *account.Account) (id string, v plan.Verdict) {
	id, err := r.accounts.Identify(ctx, opened)
	e, ofService := errors.AsType[*live.Error](err)
	switch {
	case err == nil:
		v.Ready, v.Reason = metav1.ConditionTrue, v1alpha1.ReasonIdentified
		v.Message = "The token service knows these credentials."
	case ofService && e.Class == live.NoCredentials:
		v.Ready, v.Reason = metav1.ConditionFalse, v1alpha1.ReasonNotIdentified
		v.Message = "The token service does not know these credentials: " + words.Sentence(e.Error()) + " Check them."
	default:
		v.Ready, v.Reason = metav1.ConditionUnknown, v1alpha1.ReasonTokenServiceUnavailable
		v.Message = "The token service cannot be asked whose these credentials are. The account is used all the same, with request limits of its own."
	}
	return id, v
}

// gone forgets an account that was deleted, once no object has anything in the
// cloud by it: until then its client may be needed to clear up.
func (r *accountReconciler) gone(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	needed, err := r.needed(ctx, req)
	switch {
	case err != nil:
		return r.faulted(ctx, nil, err)
	case needed:
		return reconcile.Result{RequeueAfter: recheckAccount}, nil
	}
	r.accounts.Forget(req.Namespace, req.Name)
	return reconcile.Result{}, nil
}

// needed tells whether an object that refers to an account has a finalizer.
func (r *accountReconciler) needed(ctx context.Context, req reconcile.Request) (bool, error) {
	for _, k := range kind.All {
		users, err := listed[client.Object](ctx, r, k.NewList(), "listing the users of the LiveAccount",
			client.InNamespace(req.Namespace), client.MatchingFields{accountIndex: req.Name})
		if err != nil || slices.ContainsFunc(users, kind.Claimed) {
			return err == nil, err
		}
	}
	return false, nil
}

// faulted is the end of a pass that the Kubernetes API cut short. What it refuses
// is told in the status of the account, if there is one and it can be written, and
// else in an event.
func (r *accountReconciler) faulted(ctx context.Context, account *v1alpha1.LiveAccount, err error) (reconcile.Result, error) {
	f := asFault(err)
	switch {
	case apierrors.IsConflict(f.err) || apierrors.IsNotFound(f.err):
		return reconcile.Result{RequeueAfter: minRetry}, nil
	case account == nil || !refusal(f.err):
		return reconcile.Result{}, f
	}
	before := account.DeepCopy()
	ready := plan.Verdict{Ready: metav1.ConditionFalse, Reason: v1alpha1.ReasonClusterRefused, Message: refused(f)}
	if !r.setCondition(account, v1alpha1.ConditionReady, ready) {
		return reconcile.Result{RequeueAfter: retryAccount}, nil
	}
	if err := r.Status().Patch(ctx, account, client.MergeFrom(before)); err != nil { // then the event alone can tell
		r.events.Eventf(before, nil, corev1.EventTypeWarning, v1alpha1.EventRejected, v1alpha1.EventRejected, "%s", ready.Message)
	}
	return reconcile.Result{RequeueAfter: retryAccount}, nil
}

// identifyOwn asks the token service whose the operator's own account is, so that
// it shares limits with the LiveAccounts of that, until it knows.
func (s *shared) identifyOwn(ctx context.Context) error {
	defer survive("identity")
	for {
		attempt, cancel := context.WithTimeout(ctx, passTimeout)
		_, err := s.accounts.Identify(attempt, s.accounts.Last("", nil))
		cancel()
		if err == nil || errors.Is(err, account.ErrNoTokenService) {
			return nil
		}
		log.FromContext(ctx).V(1).Info("the token service does not tell whose the operator's own account is; it is asked again")
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retryAccount):
		}
	}
}
