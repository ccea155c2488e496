// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/account"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// A removal that would be one too many waits. Each is counted, with the optimistic
// lock, before its first request: in the status of the LiveAccount, or in a Lease
// for the operator's own account. So neither a restart nor a second leader lets
// more through.

// DeletionOptions bound the removals from the operator's own account.
type DeletionOptions struct {
	// PerHour is how many there may be within an hour; 0 is no limit.
	PerHour int
	// Namespace holds the Lease in which they are counted. Without one they are
	// counted in memory, and a new process takes them to be used up.
	Namespace string
}

// DeletionsLease is the name of the Lease that counts the removals from the
// operator's own account.
const DeletionsLease = "live-notify-operator-deletions"

// deletionsAnnotation of the Lease holds the counts.
const deletionsAnnotation = "live.alibabacloud.com/deletions"

// ownDeletions count the removals from the operator's own account.
type ownDeletions struct {
	DeletionOptions

	recent atomic.Pointer[[]v1alpha1.DeletionCount] // without a namespace; nil before they are first asked for
}

// deletionLimit is the limit of an account, and the removals that it had.
type deletionLimit struct {
	plan.Deletions
	store func(context.Context, []v1alpha1.DeletionCount) error
}

// attemptsToCount is how often a removal is counted anew after others were counted
// at the same time.
const attemptsToCount = 5

// mayRemove tells whether the removal of what this object has in the cloud may
// begin, and counts it. If not, the outcome says when.
func (p *pass) mayRemove(ctx context.Context, acct *account.Account) (outcome, bool) {
	if p.mem.counted || p.status.Applied.Pending == kind.Removal {
		return outcome{}, true // it was counted when it began
	}
	for range attemptsToCount {
		limit, err := p.deletionLimit(ctx, acct)
		switch {
		case err != nil:
			return outcome{fault: &apiFault{"reading the limit of deletions", err}}, false
		case limit == nil:
			return outcome{}, true
		}
		recent, allowed := limit.Take(p.now)
		if !allowed && !p.mem.held { // the cache may not show yet who has just taken a turn
			p.mem.held = true
			return deferred(minRetry), false
		}
		if !allowed {
			ahead, err := p.ahead(ctx, acct.Label)
			if err != nil {
				return outcome{fault: err}, false
			}
			return outcome{Verdict: limit.Held(p.now, ahead)}, false
		}
		switch err := limit.store(ctx, recent); {
		case err == nil:
			p.mem.counted = true
			return outcome{}, true
		case !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err):
			return outcome{fault: &apiFault{"counting a deletion", err}}, false
		}
	}
	return deferred(slotWait()), false
}

// removalIndex finds the objects that are deleted and may have something to remove
// from an account, by the label of that.
const removalIndex = "removal"

// removesFrom returns the label of the account that a deleted object may have
// something to remove from; "" if it has not, or has begun to.
func removesFrom(o kind.Object) string {
	switch spec, _ := o.Callback(); {
	case !kind.AwaitsRemoval(o):
		return ""
	case spec.AccountRef == nil:
		return account.OwnLabel
	default:
		return o.GetNamespace() + "/" + spec.AccountRef.Name
	}
}

// ahead returns how many removals of an account come before this one.
func (p *pass) ahead(ctx context.Context, label string) (n int, err error) {
	for _, k := range kind.All {
		deleted, err := listed[kind.Object](ctx, p, k.NewList(), "listing deleted objects", client.MatchingFields{removalIndex: label})
		if err != nil {
			return 0, err
		}
		for _, o := range deleted {
			if kind.DeletedBefore(o, p.obj) < 0 {
				n++
			}
		}
	}
	return n, nil
}

// deletionLimit returns the limit of an account as it is now; nil for none.
func (p *pass) deletionLimit(ctx context.Context, acct *account.Account) (*deletionLimit, error) {
	if acct.Name == "" {
		return p.deletions.limit(ctx, p.shared)
	}
	name := client.ObjectKey{Namespace: p.obj.GetNamespace(), Name: acct.Name}
	var found v1alpha1.LiveAccount
	if err := p.Get(ctx, name, &found); err != nil || found.Spec.MaxDeletionsPerHour == 0 {
		return nil, client.IgnoreNotFound(err) // a limit goes away with its account
	}
	if err := p.uncached.Get(ctx, name, &found); err != nil || found.Spec.MaxDeletionsPerHour == 0 {
		return nil, client.IgnoreNotFound(err)
	}
	return &deletionLimit{
		Deletions: *plan.DeletionsOf(&found),
		store: func(ctx context.Context, recent []v1alpha1.DeletionCount) error {
			before := found.DeepCopy()
			found.Status.Deletions = recent
			return p.Status().Patch(ctx, &found, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
		},
	}, nil
}

// limit returns that of the operator's own account; nil for none.
func (d *ownDeletions) limit(ctx context.Context, s *shared) (*deletionLimit, error) {
	l := &deletionLimit{Deletions: plan.Deletions{PerHour: d.PerHour, Where: "The operator's own account, by --max-deletions-per-hour,"}}
	switch {
	case d.PerHour == 0:
		return nil, nil
	case d.Namespace == "":
		l.Recent, l.store = d.remembered(s.clock.Now())
		return l, nil
	}
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: d.Namespace, Name: DeletionsLease}}
	err := s.uncached.Get(ctx, client.ObjectKeyFromObject(lease), lease)
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	if text, ok := lease.Annotations[deletionsAnnotation]; ok && json.Unmarshal([]byte(text), &l.Recent) != nil {
		l.Recent = usedUp(d.PerHour, s.clock.Now()) // what it was is lost
	}
	absent := apierrors.IsNotFound(err)
	l.store = func(ctx context.Context, recent []v1alpha1.DeletionCount) error {
		text, err := json.Marshal(recent)
		if err != nil {
			return err
		}
		if lease.Annotations == nil {
			lease.Annotations = map[string]string{}
		}
		lease.Annotations[deletionsAnnotation] = string(text)
		if absent {
			return s.Create(ctx, lease)
		}
		return s.Update(ctx, lease)
	}
	return l, nil
}

// remembered returns the removals of this process, and how to note more. Those of
// another one before it are not known: there may have been as many as are allowed.
func (d *ownDeletions) remembered(now time.Time) ([]v1alpha1.DeletionCount, func(context.Context, []v1alpha1.DeletionCount) error) {
	d.recent.CompareAndSwap(nil, new(usedUp(d.PerHour, now)))
	seen := d.recent.Load()
	return *seen, func(_ context.Context, recent []v1alpha1.DeletionCount) error {
		if !d.recent.CompareAndSwap(seen, &recent) { // as the API server would say it
			return apierrors.NewConflict(coordinationv1.Resource("leases"), DeletionsLease, errOutdated)
		}
		return nil
	}
}

func usedUp(perHour int, now time.Time) []v1alpha1.DeletionCount {
	return []v1alpha1.DeletionCount{{Minute: metav1.NewTime(now.UTC().Truncate(time.Minute)), Count: int32(perHour)}}
}
