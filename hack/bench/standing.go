// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/test/system"
)

// takeOver lets objects be there in sync, with their configurations in the cloud,
// while no operator runs, and returns how many seconds an operator then needs until
// all are Ready: what an upgrade or a new leader finds. They are copies of what the
// operator has brought in sync before.
func (g *growth) takeOver(ctx context.Context, fresh []member) (float64, error) {
	ids, err := g.accountIDs(ctx)
	if err != nil {
		return 0, err
	}
	g.StopOperator()
	templates := map[*family]kind.Object{}
	for _, m := range g.all {
		if templates[m.family] == nil {
			o := m.object(hook)
			if err := g.API.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
				return 0, err
			}
			if _, status := o.Callback(); status.ObservedGeneration == o.GetGeneration() && status.Applied.Pending == "" {
				templates[m.family] = o
			}
		}
	}
	system.Say("creating %d objects that are in sync", len(fresh))
	if err := inParallel(ctx, fresh, func(ctx context.Context, m member) error {
		return g.createInSync(ctx, m, templates[m.family], ids[m.namespace])
	}); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := g.startOperator(ctx); err != nil {
		return 0, err
	}
	err = g.awaitReady(ctx, len(g.all)+len(fresh), g.log)
	return time.Since(start).Seconds(), err
}

// accountIDs returns the cloud accounts that the operator found the LiveAccounts to
// be, by namespace.
func (g *growth) accountIDs(ctx context.Context) (map[string]string, error) {
	for start := time.Now(); time.Since(start) < 5*time.Minute; system.Pause(ctx, time.Second) {
		var list v1alpha1.LiveAccountList
		if err := g.API.List(ctx, &list); err != nil {
			return nil, err
		}
		ids := map[string]string{}
		for _, a := range list.Items {
			if a.Status.AccountID != "" {
				ids[a.Namespace] = a.Status.AccountID
			}
		}
		if len(ids) == g.tenants {
			return ids, nil
		}
	}
	return nil, fmt.Errorf("not all of %d accounts are verified", g.tenants)
}

// createInSync creates an object like one that is in sync, and its configuration.
func (g *growth) createInSync(ctx context.Context, m member, like kind.Object, accountID string) error {
	m.family.Add(g.Cloud, m.account(), m.key())
	m.family.Copy(g.Cloud, m.family.KeyOf(like), m.key())
	o := g.fresh(m)
	m.family.SetURL(o, m.family.URLOf(like)) // which may have been edited
	o.SetFinalizers([]string{v1alpha1.Finalizer})
	if err := g.API.Create(ctx, o); err != nil {
		return err
	}
	m.family.CopyStatus(o, like)
	_, status := o.Callback()
	status.Applied.UID, status.Applied.AccountID = o.GetUID(), accountID
	return g.API.Status().Update(ctx, o)
}

// handedOver starts a second operator and, when that is Ready, tells the first one to
// end, as a rolling update does. It measures from then until an edit that is made when
// the first one has ended is written.
func (g *growth) handedOver(ctx context.Context, at *size) error {
	system.Say("handing over")
	successor, err := g.Launch(ctx, g.flags(elected...)...)
	if err != nil {
		return err
	}
	for start := time.Now(); !successor.Ready(ctx); system.Pause(ctx, time.Second) {
		if time.Since(start) > 10*time.Minute || ctx.Err() != nil || successor.Ended() {
			successor.Stop()
			return errors.Join(errors.New("the successor is not Ready"), ctx.Err())
		}
	}
	start := time.Now()
	g.StopOperator()
	g.Lead(successor)
	if _, err := g.editOne(ctx, g.all); err != nil {
		return err
	}
	at.HandOverSeconds = time.Since(start).Seconds()
	return g.Alive()
}
