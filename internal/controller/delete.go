// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/account"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

// delete removes the configuration from the cloud, confirms that it is gone, and
// drops the finalizer. An object that has written nothing leaves nothing.
func (p *pass) delete(ctx context.Context, winner kind.Object) outcome {
	if !kind.Claimed(p.obj) {
		return outcome{gone: true, idle: true}
	}
	acct, why := p.accountForRemoval(ctx)
	if winner != nil || !p.ownsForRemoval(ctx, acct) {
		return p.letGo(ctx)
	}
	heir, err := p.heir(ctx)
	switch retained := kind.Retained(p.obj); {
	case err != nil:
		return outcome{fault: err}
	case heir != nil:
		if err := p.bequeath(ctx, heir); err != nil {
			return outcome{fault: err}
		}
		p.tell(v1alpha1.EventRetained, fmt.Sprintf("%s %s goes on with the configuration of %s", p.kind.Name, client.ObjectKeyFromObject(heir), p.key))
		return p.letGo(ctx)
	case retained != "":
		p.tell(v1alpha1.EventRetained, fmt.Sprintf("The configuration of %s stays in the cloud: %s", p.key, retained))
		return p.letGo(ctx)
	case acct == nil:
		return blocked(failed(why))
	}
	p.account = acct
	return p.removeAll(ctx, acct)
}

// removeAll removes the configuration, and with it the finalizer.
func (p *pass) removeAll(ctx context.Context, acct *account.Account) outcome {
	leave, ok := p.slots.Enter(acct.Label, true)
	if !ok {
		return deferred(slotWait())
	}
	defer leave()
	if out, ok := p.mayRemove(ctx, acct); !ok {
		return out
	}
	shown, err := p.remove(ctx, p.remote())
	class := live.ClassOf(err)
	unknown := class == live.DomainNotFound || class == live.WrongDomainType // there, nothing is left to remove
	removed := err == nil || unknown && !p.mem.deletedAt.IsZero()
	switch {
	case shown:
		return outcome{Verdict: plan.Verdict{
			Ready: metav1.ConditionUnknown, Reason: v1alpha1.ReasonProgressing, After: max(p.now.Sub(p.mem.deletedAt), time.Second),
			Message: "The cloud accepted the removal; waiting until it shows.",
		}}
	case removed:
		p.tell(v1alpha1.EventDeleted, fmt.Sprintf("Removed the configuration of %s from the cloud", p.key))
	case unknown && !confirmed(&p.mem.refusedAt, p.now): // something was written there: it is asked once more
		return deferred(plan.Confirming)
	case unknown:
		if have, _ := p.remote().Get(ctx, quota.User, p.key); have != nil {
			p.mem.refusedAt = time.Time{}
			return blocked(failed(err))
		}
		p.tell(v1alpha1.EventDeleted, fmt.Sprintf("The cloud says that this account has no %s: there is nothing to remove", p.key))
	default:
		return blocked(failed(err))
	}
	return p.letGo(ctx)
}

// accountForRemoval returns the account to remove the configuration with: as it
// last could be used, if the LiveAccount or its Secret has gone first. Nil comes
// with the reason.
func (p *pass) accountForRemoval(ctx context.Context) (*account.Account, error) {
	acct, err := p.accounts.Find(ctx, p.obj.GetNamespace(), p.spec.AccountRef, p.kind.Domain(p.obj))
	if _, unavailable := asUnavailable(err); unavailable {
		acct = p.accounts.Last(p.obj.GetNamespace(), p.spec.AccountRef)
	}
	return acct, err
}

// ownsForRemoval tells whether there is something of this object in the cloud of
// the account that it refers to. What the cloud refused may have been tried again
// by an operator that did not live to note it: then the cloud holds just that.
func (p *pass) ownsForRemoval(ctx context.Context, acct *account.Account) bool {
	a := p.status.Applied
	if !kind.SignedBy(p.obj, a) {
		return false
	}
	if acct != nil {
		p.account = acct
		if p.move(ctx); p.status.Applied == nil {
			return false
		}
	}
	if kind.Wrote(p.obj) || acct == nil || kind.Retained(p.obj) != "" {
		return kind.Wrote(p.obj)
	}
	have, err := p.remote().Get(ctx, quota.User, p.key)
	if err != nil || have == nil {
		return false
	}
	if p.kind.Recall != nil {
		have = p.kind.Recall(p.obj, have)
	}
	return kind.HeldBefore(p.status.Applied, live.Revision(have.Fields()))
}

// remove removes the configuration without looking at it first, as not every one
// can be seen, and again only when the removal had time to show. It returns whether
// the cloud still shows it.
func (p *pass) remove(ctx context.Context, remote kind.Remote) (shown bool, err error) {
	if p.mem.deletedAt.IsZero() || p.now.Sub(p.mem.deletedAt) >= plan.Settling {
		p.record().Pending = kind.Removal
		if err := p.patchStatus(ctx); err != nil {
			return false, &apiFault{"noting the removal", err}
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), passTimeout) // what began is finished, as in put
		defer cancel()
		logged := logr.NewContext(ctx, log.FromContext(ctx).WithValues("why", "delete"))
		if err := remote.Delete(logged, quota.User, p.key); err != nil {
			p.mem.deletedAt = time.Time{}
			return false, err
		}
		p.mem.deletedAt = p.now
	}
	have, err := remote.Get(ctx, quota.User, p.key)
	return have != nil, err
}

// letGo drops the finalizer; the object goes away with it.
func (p *pass) letGo(ctx context.Context) outcome {
	if err := p.release(ctx); err != nil {
		return outcome{fault: err}
	}
	p.announce() // there is no status left to write first
	return outcome{gone: true, idle: true}
}

// blocked is the outcome of a removal that failed.
func blocked(out outcome) outcome {
	if out.fault == nil && out.deferral == nil {
		out.Verdict = plan.Blocked(out.Verdict)
	}
	return out
}

// asUnavailable returns the plan.Unavailable in an error.
func asUnavailable(err error) (*plan.Unavailable, bool) { return errors.AsType[*plan.Unavailable](err) }
