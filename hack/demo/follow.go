// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/test/system"
)

const (
	refreshInterval = time.Second
	// listTimeout is how long the API server has for an answer: without its etcd
	// it takes a minute to say so.
	listTimeout = 5 * time.Second
	// apiPatience is for how long it may fail to answer.
	apiPatience = 10 * time.Second
)

// follower shows the resources as they change.
type follower struct {
	*system.System
	receiver *receiver
	screen   *screen
}

// untilCounted shows the resources until all samples are ready and their
// failed callbacks are counted.
func (f follower) untilCounted(ctx context.Context, s samples, timeout time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout)
	defer cancel()
	var missing []string
	err := f.until(ctx, func(all []resource) bool {
		missing = uncounted(s, all)
		return len(missing) == 0
	})
	if errors.Is(err, errTimeout) {
		return fmt.Errorf("%w after %s:\n    %s", err, timeout, strings.Join(missing, "\n    "))
	}
	return err
}

var errTimeout = errors.New("not every sample is ready with its failed callbacks counted")

// until shows the resources until done says so, or the context ends.
func (f follower) until(ctx context.Context, done func([]resource) bool) error {
	ticker := time.NewTicker(refreshInterval)
	defer ticker.Stop()
	for answered := time.Now(); ; {
		all, err := f.resources(ctx)
		switch alive := f.Alive(); {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case alive != nil:
			return alive
		case err != nil:
			if time.Since(answered) > apiPatience {
				return fmt.Errorf("the API server does not answer any more: %w", err)
			}
		default:
			answered = time.Now()
			f.screen.show(render(all), f.receiver.summary()+" Ctrl-C ends the demo.")
			if done(all) {
				return nil
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// uncounted says of each sample what it still lacks.
func uncounted(s samples, all []resource) []string {
	var missing []string
	for _, sample := range s {
		if sample.GroupVersionKind().Group != v1alpha1.GroupVersion.Group {
			continue
		}
		name := sample.GetKind() + " " + sample.GetName()
		i := slices.IndexFunc(all, func(r resource) bool {
			return r.Kind == sample.GetKind() && r.Metadata.Name == sample.GetName()
		})
		if i < 0 {
			missing = append(missing, name+" does not exist")
			continue
		}
		if r := all[i]; !r.counted() {
			missing = append(missing, name+": "+r.state())
		}
	}
	return missing
}

// state says what holds a resource up.
func (r resource) state() string {
	ready := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return "the operator has not touched it"
	}
	text := fmt.Sprintf("Ready is %s (%s): %s", ready.Status, ready.Reason, ready.Message)
	if healthy := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionCallbacksHealthy); healthy != nil {
		text += fmt.Sprintf(" CallbacksHealthy is %s (%s): %s", healthy.Status, healthy.Reason, healthy.Message)
	}
	return text
}

// resources returns the objects of our kinds, sorted by kind and name.
func (f follower) resources(ctx context.Context) (all []resource, err error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	for _, kind := range f.Kinds() {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		if err := f.API.List(ctx, list); err != nil {
			return nil, err
		}
		for _, item := range list.Items { // the API server sorts them by name
			var r resource
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(item.Object, &r); err != nil {
				return nil, err
			}
			all = append(all, r)
		}
	}
	return all, nil
}
