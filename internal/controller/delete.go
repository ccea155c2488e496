// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// delete removes the configuration from the cloud, confirms that it is gone,
// and drops the finalizer. An object without the finalizer has claimed nothing.
func (p *pass[O, C]) delete(ctx context.Context) outcome {
	if !p.claimed() {
		return outcome{gone: true, idle: true}
	}
	if why := p.retained(); why != "" {
		p.tell(v1alpha1.EventRetained, "The configuration of %s stays in the cloud: %s", p.key, why)
		return p.letGo(ctx)
	}
	cloud, err := p.accountForRemoval(ctx)
	if err != nil {
		return blocked(err)
	}
	err = p.remove(ctx, p.kind.Remote(cloud))
	switch {
	case errors.Is(err, errStillThere):
		return progressing("The cloud accepted the removal; waiting until it shows.", max(p.now.Sub(p.mem.deletedAt), time.Second))
	case err != nil && live.ClassOf(err) != live.DomainNotFound: // a domain that is gone has no configuration
		return blocked(err)
	}
	p.tell(v1alpha1.EventDeleted, "Removed the configuration of %s from the cloud", p.key)
	return p.letGo(context.WithoutCancel(ctx))
}

// accountForRemoval returns the client to remove the configuration with. Where
// the whole namespace goes away, the account and its Secret may go first: the
// client that they last made still serves.
func (p *pass[O, C]) accountForRemoval(ctx context.Context) (*live.Client, error) {
	cloud, err := p.accounts.Client(ctx, p.obj.GetNamespace(), p.spec.AccountRef, p.domain())
	if _, unavailable := errors.AsType[*unavailableError](err); !unavailable {
		return cloud, err
	}
	var namespace corev1.Namespace
	if err := p.uncached.Get(ctx, types.NamespacedName{Name: p.obj.GetNamespace()}, &namespace); err != nil {
		return nil, fmt.Errorf("reading the namespace: %w", err)
	}
	last := p.accounts.Last(p.obj.GetNamespace(), p.spec.AccountRef)
	if last == nil || namespace.DeletionTimestamp.IsZero() {
		return nil, err
	}
	return last, nil
}

// retained says why the configuration is to stay in the cloud; "" if it is not.
func (p *pass[O, C]) retained() string {
	switch {
	case p.spec.DeletionPolicy == v1alpha1.DeletionRetain:
		return "deletionPolicy is Retain"
	case p.observes():
		return "managementPolicy is Observe"
	case p.spec.Suspend:
		return "spec.suspend is true"
	default:
		return ""
	}
}

// errStillThere: the cloud still shows what it accepted to remove.
var errStillThere = errors.New("still there")

// remove removes the configuration without looking at it first, as not every one
// can be seen, and again only when the removal had time to show.
func (p *pass[O, C]) remove(ctx context.Context, remote Remote[C]) error {
	if p.mem.deletedAt.IsZero() || p.now.Sub(p.mem.deletedAt) >= settling {
		if err := p.own(ctx); err != nil {
			return err
		}
		ctx = context.WithoutCancel(ctx) // what began is finished, as in put
		logged := logr.NewContext(ctx, log.FromContext(ctx).WithValues("why", "delete"))
		if err := remote.Delete(logged, live.LaneUser, p.key); err != nil {
			return err
		}
		p.mem.deletedAt = p.now
	}
	var none C
	have, err := remote.Get(ctx, live.LaneUser, p.key)
	if err == nil && have != none {
		err = errStillThere
	}
	return err
}

// letGo drops the finalizer; the object goes away with it.
func (p *pass[O, C]) letGo(ctx context.Context) outcome {
	return outcome{gone: true, idle: true, fault: p.release(ctx)}
}
