// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// A LiveRolloutPolicy answers one question: may this change start now? The answer is
// noted in the status of the policy, with the optimistic lock, before the change is
// written: of two workers, or two leaders, one has to ask again.
//
// What is noted is the ticket of the change, which the object has in its own status
// first. A ticket is used once: the write of a change begins with a patch of the
// object that fails if the object has moved on since it had that ticket. So a ticket
// that is no longer the object's last, or whose change has ended, will never be used
// again, and its place is free.

// rollouts returns the policies of a namespace, the oldest first.
func (s *shared) rollouts(ctx context.Context, namespace string) ([]kind.Policy, error) {
	var list v1alpha1.LiveRolloutPolicyList
	if err := s.List(ctx, &list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, &apiFault{"listing LiveRolloutPolicies", err}
	}
	return kind.Policies(list.Items), nil
}

// policyOf returns the policy that counts for the object; nil for none.
func (p *pass) policyOf(ctx context.Context) (*v1alpha1.LiveRolloutPolicy, error) {
	policies, err := p.rollouts(ctx, p.obj.GetNamespace())
	if covering := kind.Covering(policies, p.kind, p.obj); len(covering) > 0 {
		return covering[0].LiveRolloutPolicy, nil
	}
	return nil, err
}

// members returns the objects that a policy counts for, of all kinds, and whether
// an older policy has some that it selects too.
func (s *shared) members(ctx context.Context, policy *v1alpha1.LiveRolloutPolicy) (found []plan.Member, overlaps bool, err error) {
	policies, err := s.rollouts(ctx, policy.Namespace)
	if err != nil {
		return nil, false, err
	}
	for _, k := range kind.All {
		if k.Records == nil {
			continue
		}
		objects, err := listed[kind.Object](ctx, s, k.NewList(), "listing the objects of a LiveRolloutPolicy", client.InNamespace(policy.Namespace))
		if err != nil {
			return nil, false, err
		}
		for _, o := range objects {
			covering := kind.Covering(policies, k, o)
			if len(covering) > 0 && covering[0].UID == policy.UID {
				found = append(found, k.Member(o))
			}
			overlaps = overlaps || len(covering) > 1 && slices.ContainsFunc(covering, func(r kind.Policy) bool { return r.UID == policy.UID })
		}
	}
	return found, overlaps, nil
}

// recheckTurn is when an object that waits looks at the policy by itself: it is
// woken when its turn comes.
const recheckTurn = 10 * time.Minute

// passedOver is for how long a place is kept for those who are ahead.
const passedOver = 3 * time.Second

// turn is when a change was last told that others are ahead of it.
type turn struct {
	version string // of the policy then
	since   time.Time
}

// queue asks the policy whether the change may start. If not, the pass goes on with
// what the cloud is to hold until then.
func (p *pass) queue(ctx context.Context) (outcome, bool) {
	p.enqueue()
	members, _, err := p.members(ctx, p.policy)
	if err != nil {
		return outcome{fault: err}, false
	}
	if refusal, ahead := p.ask(p.policy, members); refusal != plan.Allowed { // as the cache has it
		return p.await(ctx, refusal, ahead)
	}
	if _, busy := p.granting.LoadOrStore(p.policy.UID, true); busy {
		return deferred(slotWait()), false // workers at odds about one policy would all be held up
	}
	defer p.granting.Delete(p.policy.UID)
	return p.start(ctx, members)
}

// start asks the policy as the API server has it, and notes there that the change
// starts.
func (p *pass) start(ctx context.Context, members []plan.Member) (outcome, bool) {
	for range attemptsToGrant {
		policy, err := p.currentPolicy(ctx)
		if err != nil {
			return outcome{fault: err}, false
		}
		if refusal, ahead := p.ask(policy, members); refusal != plan.Allowed {
			return p.await(ctx, refusal, ahead)
		}
		switch err := p.grant(ctx, policy); {
		case err == nil:
			p.starting, p.granted = true, true
			return outcome{}, true
		case !apierrors.IsConflict(err):
			return outcome{fault: &apiFault{"noting the start of a change in the LiveRolloutPolicy", err}}, false
		}
	}
	return deferred(slotWait()), false
}

// attemptsToGrant is how often the start of a change is noted anew after another
// operator noted something at the same time.
const attemptsToGrant = 5

// enqueue gives the change a ticket, unless it has one.
func (p *pass) enqueue() {
	s := p.status.Guard
	if c := s.Change; c != nil && c.State == v1alpha1.ChangeWaiting {
		c.Generation, c.Revision, c.Policy = p.obj.GetGeneration(), p.revision(), p.policy.Name
		return
	}
	s.Ticket = p.nextTicket()
	s.Change = &v1alpha1.GuardedChange{
		State: v1alpha1.ChangeWaiting, Generation: p.obj.GetGeneration(), Revision: p.revision(), Policy: p.policy.Name,
		SeenTime: metav1.Time{Time: p.now.Truncate(time.Second)},
	}
}

// nextTicket returns a ticket that the object never had, also if its status was lost.
func (p *pass) nextTicket() int64 { return max(p.status.Guard.Ticket+1, p.now.UnixMilli()) }

// yieldTurn gives up the turn of a change that this pass did not come to write:
// something else is amiss with the object, and others are not to wait for that.
func (p *pass) yieldTurn(ctx context.Context) error {
	c := p.change()
	if c == nil || c.State != v1alpha1.ChangeWaiting || p.waits() {
		return nil
	}
	policy, err := p.policyOf(ctx)
	if err != nil || policy == nil {
		return err
	}
	mine := p.ticket()
	noted := func(g v1alpha1.RolloutGrant) bool { return g.UID == mine.UID && g.Ticket == mine.Ticket }
	if p.granted || slices.ContainsFunc(policy.Status.Granted, noted) {
		p.status.Guard.Ticket = p.nextTicket()
	}
	return nil
}

// ask puts the question to a policy.
func (p *pass) ask(policy *v1alpha1.LiveRolloutPolicy, members []plan.Member) (plan.Refusal, int) {
	refusal, ahead := plan.RolloutOf(policy, members).Ask(p.kind.Member(p.obj))
	if refusal != plan.NotInLine {
		return refusal, ahead
	}
	// Who is ahead and does not come, as its account does not answer, holds up nobody.
	if t := p.mem.turn; t != nil && t.version == policy.ResourceVersion && p.now.Sub(t.since) >= passedOver {
		return plan.Allowed, ahead
	}
	if p.mem.turn == nil || p.mem.turn.version != policy.ResourceVersion {
		p.mem.turn = &turn{policy.ResourceVersion, p.now}
	}
	return refusal, ahead
}

// currentPolicy returns the policy as the API server has it.
func (p *pass) currentPolicy(ctx context.Context) (*v1alpha1.LiveRolloutPolicy, error) {
	var policy v1alpha1.LiveRolloutPolicy
	if err := p.uncached.Get(ctx, client.ObjectKeyFromObject(p.policy), &policy); err != nil {
		return nil, &apiFault{"reading the LiveRolloutPolicy", err}
	}
	return &policy, nil
}

// grant notes that the change may start: first its ticket in the status of the
// object, then that in the policy.
func (p *pass) grant(ctx context.Context, policy *v1alpha1.LiveRolloutPolicy) error {
	mine := p.ticket()
	if !slices.Contains(policy.Status.Granted, mine) {
		if err := p.patchStatus(ctx); err != nil {
			return &apiFault{"noting that the change waits", err}
		}
	}
	before := policy.DeepCopy()
	of := func(g v1alpha1.RolloutGrant) bool { return g.UID == mine.UID }
	policy.Status.Granted = append(slices.DeleteFunc(policy.Status.Granted, of), mine)
	policy.Status.Halted = slices.DeleteFunc(policy.Status.Halted, of) // it has changed
	if slices.Equal(before.Status.Granted, policy.Status.Granted) && len(before.Status.Halted) == len(policy.Status.Halted) {
		return nil // a pass that was cut short noted it
	}
	return p.Status().Patch(ctx, policy, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// ticket is what the policy notes of the object's change.
func (p *pass) ticket() v1alpha1.RolloutGrant {
	return v1alpha1.RolloutGrant{
		Kind: p.kind.Name, Name: p.obj.GetName(), UID: p.obj.GetUID(), Ticket: p.status.Guard.Ticket, Generation: p.obj.GetGeneration(),
	}
}

// await is for a change that may not start yet.
func (p *pass) await(ctx context.Context, why plan.Refusal, ahead int) (outcome, bool) {
	wait := recheckTurn
	// One that has just come may not know yet of those that came with it.
	if why == plan.NotInLine || p.now.Sub(p.change().SeenTime.Time) < passedOver {
		wait = passedOver + time.Second
	}
	p.mem.nextTurn = p.now.Add(wait)
	return p.holdBack(ctx, plan.Waiting(p.policy.Name, why, ahead))
}

// halt notes in the policy that a change failed, before anything is said or done
// about that: from then on no other one starts.
func (p *pass) halt(ctx context.Context, c *v1alpha1.GuardedChange) error {
	if p.policy == nil {
		return nil
	}
	mine := p.ticket()
	mine.Generation = c.Generation
	err := retry.RetryOnConflict(wait.Backoff{Steps: attemptsToGrant}, func() error {
		policy, err := p.currentPolicy(ctx)
		if err != nil || slices.Contains(policy.Status.Halted, mine) {
			return err
		}
		before := policy.DeepCopy()
		others := slices.DeleteFunc(policy.Status.Halted, func(g v1alpha1.RolloutGrant) bool { return g.UID == mine.UID })
		if len(others) >= maxHalted {
			return nil // it is halted as it is
		}
		policy.Status.Halted = append(others, mine)
		err = p.Status().Patch(ctx, policy, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
		if err != nil {
			return &apiFault{"noting a failed change in the LiveRolloutPolicy", err}
		}
		return nil
	})
	return client.IgnoreNotFound(err)
}

// maxHalted bounds the failed changes that a policy notes.
const maxHalted = 1000
