// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/words"
)

// +kubebuilder:rbac:groups=live.alibabacloud.com,resources=liverolloutpolicies,verbs=get;list;watch
// +kubebuilder:rbac:groups=live.alibabacloud.com,resources=liverolloutpolicies/status,verbs=patch

// rolloutReconciler keeps the status of each LiveRolloutPolicy: it counts, and gives
// free the places of changes that have ended. It lets none start: the objects
// ask by themselves.
type rolloutReconciler struct{ *shared }

func setupRollouts(s *shared) error {
	r := &rolloutReconciler{s}
	b := ctrl.NewControllerManagedBy(s.manager).Named("LiveRolloutPolicy").For(&v1alpha1.LiveRolloutPolicy{}).
		Watches(&v1alpha1.LiveRolloutPolicy{}, mapped(r.policiesOf), builder.WithPredicates(specChanges)) // which may overlap with others
	for _, k := range kind.All {
		if k.Records != nil {
			b = b.Watches(k.New(), mapped(r.policiesOf), builder.WithPredicates(steps))
		}
	}
	return b.Complete(r)
}

// steps passes what a policy counts of an object.
var steps = changes(func(was, is kind.Object) bool {
	k := &kind.Kind{}
	return k.Member(was) != k.Member(is) || !maps.Equal(was.GetLabels(), is.GetLabels())
})

// policiesOf returns the policies of an object's namespace: none out of scope, where the
// cache may have the object, and has no policies.
func (r *rolloutReconciler) policiesOf(ctx context.Context, o client.Object) []reconcile.Request {
	if !r.scope.hasNamespace(o.GetNamespace()) {
		return nil
	}
	policies, err := listed[*v1alpha1.LiveRolloutPolicy](ctx, r, &v1alpha1.LiveRolloutPolicyList{}, "listing LiveRolloutPolicies", client.InNamespace(o.GetNamespace()))
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "policies are not told of a change")
	}
	return requestsFor(policies...)
}

// Reconcile updates the status of one policy.
func (r *rolloutReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	defer r.watchdog.enter()()
	if !r.scope.hasNamespace(req.Namespace) {
		return reconcile.Result{}, nil
	}
	var policy v1alpha1.LiveRolloutPolicy
	if err := r.Get(ctx, req.NamespacedName, &policy); apierrors.IsNotFound(err) {
		return reconcile.Result{}, nil
	} else if err != nil {
		return reconcile.Result{}, &apiFault{"reading the LiveRolloutPolicy", err}
	}
	ctx, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	before := policy.DeepCopy()
	if err := r.describe(ctx, &policy); err != nil {
		return r.faulted(before, err)
	}
	if equality.Semantic.DeepEqual(before, &policy) {
		return reconcile.Result{}, nil
	}
	// The lock makes sure that nothing that was noted meanwhile is lost.
	err := r.Status().Patch(ctx, policy.DeepCopy(), client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if err != nil {
		return r.faulted(before, &apiFault{"patching the status", err})
	}
	r.tell(before, &policy)
	return reconcile.Result{}, nil
}

// describe makes the status anew.
func (r *rolloutReconciler) describe(ctx context.Context, policy *v1alpha1.LiveRolloutPolicy) error {
	s := &policy.Status
	s.ObservedGeneration = policy.Generation
	set := func(kind string, status metav1.ConditionStatus, reason, message string) {
		meta.SetStatusCondition(&s.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: reason, Message: live.Bound(message, maxMessage), ObservedGeneration: policy.Generation,
			LastTransitionTime: metav1.NewTime(r.clock.Now()),
		})
	}
	members, overlaps, err := r.members(ctx, policy)
	if err != nil {
		return err
	}
	state := plan.RolloutOf(policy, members)
	s.Granted, s.Halted = state.Review(r.absent(ctx, policy))
	state.Sum(s)
	switch _, err := kind.Understood(policy); {
	case err != nil:
		set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid,
			fmt.Sprintf("This policy is in force for nothing, since it cannot be understood: %v", err))
	case overlaps:
		set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonOverlapping,
			"Another LiveRolloutPolicy selects some of the same objects. For these the older one counts. Make the selectors differ.")
	case policy.Spec.Paused:
		set(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPaused, "spec.paused is true: no change starts.")
	default:
		set(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonInForce,
			fmt.Sprintf("At most %s at once.", words.Count(state.Max, "change")))
	}
	if len(s.Halted) == 0 {
		set(v1alpha1.ConditionHalted, metav1.ConditionFalse, v1alpha1.ReasonNoFailedChange, "No change is held up.")
		return nil
	}
	first := s.Halted[0]
	set(v1alpha1.ConditionHalted, metav1.ConditionTrue, v1alpha1.ReasonFailedChange,
		fmt.Sprintf("Callbacks failed after the change of %s %s, so that no other change starts. Mend it by another change; or set spec.paused to true and back to false to go on all the same.", first.Kind, first.Name))
	return nil
}

// absent returns a function that tells whether the policy certainly does not
// select an object any more. The cache alone cannot tell: it may be of before.
func (r *rolloutReconciler) absent(ctx context.Context, policy *v1alpha1.LiveRolloutPolicy) func(types.UID) bool {
	understood, err := kind.Understood(policy)
	names := map[types.UID]v1alpha1.RolloutGrant{}
	for _, g := range slices.Concat(policy.Status.Granted, policy.Status.Halted) {
		names[g.UID] = g
	}
	return func(uid types.UID) bool {
		k := kind.Watchable(names[uid].Kind)
		if k == nil || err != nil {
			return true
		}
		o := k.New()
		err := r.uncached.Get(ctx, client.ObjectKey{Namespace: policy.Namespace, Name: names[uid].Name}, o)
		return apierrors.IsNotFound(err) || err == nil && (o.GetUID() != uid || !understood.Covers(k, o))
	}
}

// tell gives an event when a policy comes to be halted, or goes on.
func (r *rolloutReconciler) tell(before, after *v1alpha1.LiveRolloutPolicy) {
	was := meta.IsStatusConditionTrue(before.Status.Conditions, v1alpha1.ConditionHalted)
	is := meta.FindStatusCondition(after.Status.Conditions, v1alpha1.ConditionHalted)
	switch halted := is != nil && is.Status == metav1.ConditionTrue; {
	case halted && !was:
		r.events.Eventf(after, nil, corev1.EventTypeWarning, v1alpha1.EventRolloutHalted, v1alpha1.EventRolloutHalted, "%s", live.Bound(is.Message, maxNote))
	case was && !halted:
		r.events.Eventf(after, nil, corev1.EventTypeNormal, v1alpha1.EventRolloutResumed, v1alpha1.EventRolloutResumed, "%s", "Changes start again")
	}
}

// faulted is the end of a pass that the Kubernetes API cut short. What it refuses is told
// in an event: the status is all that is written of a policy.
func (r *rolloutReconciler) faulted(policy *v1alpha1.LiveRolloutPolicy, err error) (reconcile.Result, error) {
	f := asFault(err)
	switch {
	case apierrors.IsConflict(f.err) || apierrors.IsNotFound(f.err):
		return reconcile.Result{RequeueAfter: minRetry / 10}, nil
	case !refusal(f.err):
		return reconcile.Result{}, f
	}
	r.events.Eventf(policy, nil, corev1.EventTypeWarning, v1alpha1.EventRejected, v1alpha1.EventRejected, "%s", live.Bound(refused(f), maxNote))
	return reconcile.Result{RequeueAfter: retryAccount}, nil
}

// selected returns the objects of the kind that a policy covers, to look at what its
// spec has become.
func (r *Reconciler) selected(ctx context.Context, o client.Object) []reconcile.Request {
	policy, invalid := kind.Understood(o.(*v1alpha1.LiveRolloutPolicy))
	objects, err := listed[kind.Object](ctx, r, r.kind.NewList(), "listing the objects of a LiveRolloutPolicy", client.InNamespace(o.GetNamespace()))
	if err != nil || invalid != nil {
		return nil
	}
	return requestsFor(slices.DeleteFunc(objects, func(o kind.Object) bool { return !policy.Covers(r.kind, o) || !r.scope.has(o) })...)
}

// next wakes the objects of the kind whose turn it is when places come free, and all
// that wait when the policy comes to be halted, or goes on: they say what they wait
// for.
func (r *Reconciler) next() handler.EventHandler {
	return handler.Funcs{UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		defer survive("watch")
		policy := e.ObjectNew.(*v1alpha1.LiveRolloutPolicy)
		members, _, err := r.members(ctx, policy)
		if err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "objects are not told that it is their turn")
			return
		}
		woken := plan.RolloutOf(policy, members).Next()
		if was := e.ObjectOld.(*v1alpha1.LiveRolloutPolicy); (len(was.Status.Halted) > 0) != (len(policy.Status.Halted) > 0) {
			woken = slices.DeleteFunc(members, func(m plan.Member) bool { return !m.Waits })
		}
		for _, m := range woken {
			if m.Kind == r.kind.Name {
				q.Add(reconcile.Request{NamespacedName: client.ObjectKey{Namespace: policy.Namespace, Name: m.Name}})
			}
		}
	}}
}
