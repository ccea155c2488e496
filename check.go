// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/live-notify/live-notify-operator/internal/controller"
	"github.com/live-notify/live-notify-operator/internal/leader"
)

const (
	checkTimeout = time.Minute
	checkEvery   = 2 * time.Second
)

// check waits until the cluster serves all kinds and an operator is at work. It
// uses no permission that the operator has not.
func check(ctx context.Context, config *rest.Config, o options) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	namespace, err := leader.Namespace(o.leaseNamespace)
	if err != nil {
		return err
	}
	o.leaseNamespace = namespace
	for {
		err := checkOnce(ctx, config, o)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(checkEvery):
		}
	}
}

func checkOnce(ctx context.Context, config *rest.Config, o options) error {
	scheme := newScheme()
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	namespaces := o.namespaces
	if len(namespaces) == 0 {
		namespaces = []string{""} // all
	}
	for _, kind := range controller.Objects() {
		gvk, err := apiutil.GVKForObject(kind, scheme)
		if err != nil {
			return err
		}
		for _, namespace := range namespaces {
			list := &unstructured.UnstructuredList{}
			list.SetGroupVersionKind(gvk)
			if err := api.List(ctx, list, client.InNamespace(namespace), client.Limit(1)); err != nil {
				return fmt.Errorf("listing %s: %w", gvk.Kind, err)
			}
		}
	}
	var lease coordinationv1.Lease
	if err := api.Get(ctx, types.NamespacedName{Namespace: o.leaseNamespace, Name: leader.LeaseName}, &lease); err != nil {
		return fmt.Errorf("no operator is at work: %w", err)
	}
	return held(lease.Spec, time.Now())
}

// held says why no operator holds a lease; nil if one does.
func held(lease coordinationv1.LeaseSpec, now time.Time) error {
	if lease.HolderIdentity == nil || *lease.HolderIdentity == "" || lease.RenewTime == nil || lease.LeaseDurationSeconds == nil {
		return errors.New("no operator is at work: nobody holds the lease")
	}
	if since := now.Sub(lease.RenewTime.Time); since > time.Duration(*lease.LeaseDurationSeconds)*time.Second {
		return fmt.Errorf("no operator is at work: %s held the lease %s ago", *lease.HolderIdentity, since.Round(time.Second))
	}
	return nil
}
