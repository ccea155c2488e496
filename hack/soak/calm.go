// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

const (
	// patience is how long after the last trouble all may still not be well: a
	// backoff, and half of the time for which a war is not fought.
	patience = 12 * time.Minute
	// quiet is for how long nothing may be written then: two resyncs.
	quiet = 2*resync + 10*time.Second
	// deleted is how many objects are deleted at last, and must leave nothing.
	deleted = 9
)

// calm undoes what keeps objects from being in sync, and waits until they are.
func (w *world) calm(ctx context.Context) error {
	w.Cloud.ClearFaults()
	if err := w.find(ctx); err != nil {
		return err
	}
	for _, s := range w.slots {
		if err := client.IgnoreAlreadyExists(w.create(ctx, s)); err != nil {
			return err
		}
		for _, name := range []string{s.name, s.name + "-rival"} {
			one := s
			one.name = name
			err := w.update(ctx, one, func(o callback) {
				spec, _ := o.Callback()
				spec.Suspend, spec.ManagementPolicy = false, v1alpha1.Manage
				spec.AdoptionPolicy, spec.DriftPolicy, spec.DeletionPolicy = v1alpha1.AdoptAlways, v1alpha1.DriftCorrect, v1alpha1.DeletionDelete
			})
			if err != nil {
				return err
			}
		}
	}
	start := time.Now()
	for next := start; ; pause(ctx, time.Second) {
		wrong, err := w.mismatches(ctx)
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		switch {
		case len(wrong) == 0:
			w.settled = time.Since(start)
			say("all is well after %s", w.settled.Round(time.Second))
			return nil
		case time.Since(start) > patience:
			w.violations = wrong
			return nil
		case time.Now().After(next):
			say("%d objects are not as they should be, such as: %s", len(wrong), wrong[0])
			next = time.Now().Add(30 * time.Second)
		}
		// Objects that were on their way out come again.
		for _, s := range w.slots {
			if err := client.IgnoreAlreadyExists(w.recreate(ctx, s)); err != nil {
				return err
			}
		}
	}
}

// recreate makes the object of a slot if there is none.
func (w *world) recreate(ctx context.Context, s slot) error {
	err := w.API.Get(ctx, client.ObjectKey{Namespace: namespace, Name: s.name}, s.kind.object(s.name, s.key))
	if client.IgnoreNotFound(err) != nil || err == nil {
		return err
	}
	return w.create(ctx, s)
}

// objects returns all objects of a kind.
func (w *world) objects(ctx context.Context, k *kind) (all []callback, err error) {
	list := k.list()
	if err := w.API.List(ctx, list); err != nil {
		return nil, err
	}
	return all, meta.EachListItem(list, func(o runtime.Object) error {
		all = append(all, o.(callback))
		return nil
	})
}

// mismatches says what is not as it should be.
func (w *world) mismatches(ctx context.Context) (wrong []string, err error) {
	for _, k := range kinds {
		all, err := w.objects(ctx, k)
		if err != nil {
			return nil, err
		}
		named := map[string]callback{}
		for _, o := range all {
			named[o.GetName()] = o
		}
		for _, s := range w.slots {
			if s.kind != k {
				continue
			}
			owner, loser := named[s.name], named[s.name+"-rival"]
			if owner == nil || loser != nil && precedes(loser, owner) {
				owner, loser = loser, owner
			}
			if owner == nil {
				wrong = append(wrong, s.name+" does not exist")
				continue
			}
			key, err := w.keyOf(ctx, s, owner)
			if err != nil {
				return nil, err
			}
			if want, have := k.want(owner, key), k.have(w.Cloud, s.key); want != have {
				wrong = append(wrong, fmt.Sprintf("%s: the cloud differs in %s (Ready: %s)", owner.GetName(), differing(want, have), readyReason(owner)))
			}
			for o, reason := range map[callback]string{owner: v1alpha1.ReasonInSync, loser: v1alpha1.ReasonConflict} {
				if o == nil || reflect.ValueOf(o).IsNil() {
					continue
				}
				if got := readyReason(o); got != reason {
					wrong = append(wrong, fmt.Sprintf("%s: Ready is %s, want %s", o.GetName(), got, reason))
				}
				if claimed := slices.Contains(o.GetFinalizers(), v1alpha1.Finalizer); claimed != (reason == v1alpha1.ReasonInSync) {
					wrong = append(wrong, fmt.Sprintf("%s: has the finalizer: %t", o.GetName(), claimed))
				}
			}
		}
	}
	return wrong, nil
}

// precedes tells whether a has the better claim.
func precedes(a, b callback) bool {
	at, bt := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	return at.Before(&bt) || at.Equal(&bt) && a.GetUID() < b.GetUID()
}

// keyOf returns the authentication key that an object is to be signed with.
func (w *world) keyOf(ctx context.Context, s slot, o callback) (string, error) {
	if s.kind.sign == nil {
		return "", nil
	}
	unsigned := o.DeepCopyObject().(callback)
	s.kind.sign(unsigned, "")
	if reflect.DeepEqual(unsigned, o) {
		return "", nil
	}
	var secret corev1.Secret
	if err := w.API.Get(ctx, client.ObjectKey{Namespace: namespace, Name: s.secret}, &secret); err != nil {
		return "", err
	}
	return string(secret.Data[entry]), nil
}

// differing names the fields in which two configurations differ. Their values may
// be keys.
func differing(want, have any) string {
	if have == nil {
		return "everything: it has none"
	}
	var names []string
	a, b := reflect.ValueOf(want), reflect.ValueOf(have)
	for i := range a.NumField() {
		if !a.Field(i).Equal(b.Field(i)) {
			names = append(names, a.Type().Field(i).Name)
		}
	}
	return strings.Join(names, ", ")
}

// readyReason is that of Ready, if it is about the spec as it is.
func readyReason(o callback) string {
	_, status := o.Callback()
	c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	switch {
	case c == nil:
		return "unset"
	case c.ObservedGeneration != o.GetGeneration():
		return c.Reason + " of an earlier generation"
	case (c.Status == metav1.ConditionTrue) != (c.Reason == v1alpha1.ReasonInSync):
		return c.Reason + " with status " + string(c.Status)
	default:
		return c.Reason
	}
}

// judge looks at everything once more, now that nothing happens.
func (w *world) judge(ctx context.Context) (*report, error) {
	r := &report{
		Objects: len(w.slots), Kills: w.kills, Done: w.done, SettledSeconds: w.settled.Seconds(), Samples: len(w.samples),
		Polls: sum(w.samples, func(s sample) float64 { return float64(s.Polls) }), Writes: w.writes, Callbacks: w.received.Load(),
		Growth: growths(w.samples), Violations: w.violations,
	}
	for _, g := range r.Growth {
		if g.Late > g.Most {
			r.violate("%s grew from %.1f to %.1f, more than to %.1f", g.Figure, g.Early, g.Late, g.Most)
		}
	}
	if w.refused > 0 {
		r.violate("the cloud refused %d calls that came too fast", w.refused)
	}
	if len(w.violations) == 0 {
		for _, step := range []func(context.Context, *report) error{w.staysQuiet, w.leavesNothing} {
			if err := step(ctx, r); err != nil {
				return nil, err
			}
		}
	}
	return r, w.tellsNothing(ctx, r)
}

// staysQuiet fails the soak if the operator writes anything.
func (w *world) staysQuiet(ctx context.Context, r *report) error {
	say("nothing may be written for %s", quiet)
	before, err := w.snapshot(ctx)
	if err != nil {
		return err
	}
	from := w.Cloud.CallCount()
	pause(ctx, quiet)
	for _, call := range w.Cloud.CallsSince(from) {
		if !strings.HasPrefix(call.Action, "Describe") && !strings.HasPrefix(call.Action, "List") {
			r.violate("%s of %s though nothing had changed", call.Action, call.Key)
		}
	}
	after, err := w.snapshot(ctx)
	if err != nil {
		return err
	}
	for name, raw := range after {
		if !bytes.Equal(raw, before[name]) {
			r.violate("%s was written to the API server though nothing had changed", name)
		}
	}
	wrong, err := w.mismatches(ctx)
	r.Violations = append(r.Violations, wrong...)
	return err
}

// snapshot returns the objects as the API server has them, but for totals of
// callbacks: what was sent before it was calm may be told up to half an hour later.
func (w *world) snapshot(ctx context.Context) (map[string][]byte, error) {
	all := map[string][]byte{}
	for _, k := range kinds {
		objects, err := w.objects(ctx, k)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			_, status := o.Callback()
			if c := status.Callbacks; c != nil {
				status.Callbacks = &v1alpha1.Callbacks{Failed: c.Failed, LastFailure: c.LastFailure}
			}
			status.LastSyncTime = nil
			o.SetManagedFields(nil)
			o.SetResourceVersion("")
			if all[k.name+" "+o.GetName()], err = json.Marshal(o); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// leavesNothing deletes objects, and fails the soak if anything of them remains.
func (w *world) leavesNothing(ctx context.Context, r *report) error {
	if err := w.peace(ctx); err != nil {
		return err
	}
	some := w.slots[:min(deleted, len(w.slots))]
	for _, s := range some {
		for _, name := range []string{s.name + "-rival", s.name} {
			one := s
			one.name = name
			if err := w.delete(ctx, one); err != nil {
				return err
			}
		}
	}
	for _, s := range some {
		o := s.kind.object(s.name, s.key)
		gone := false
		for start := time.Now(); time.Since(start) < time.Minute && !gone; pause(ctx, 100*time.Millisecond) {
			gone = client.IgnoreNotFound(w.API.Get(ctx, client.ObjectKeyFromObject(o), o)) == nil && o.GetUID() == ""
			o = s.kind.object(s.name, s.key)
		}
		if !gone {
			r.violate("%s is still there a minute after it was deleted", s.name)
		}
		if s.kind.have(w.Cloud, s.key) != nil {
			r.violate("the cloud still has a configuration of %s, which was deleted", s.name)
		}
	}
	return nil
}

// tellsNothing fails the soak if a key shows anywhere, or the log tells of a crash.
func (w *world) tellsNothing(ctx context.Context, r *report) error {
	log, err := os.ReadFile(w.Log())
	if err != nil {
		return err
	}
	r.LogMiB = float64(len(log)) / (1 << 20)
	r.LoggedErrors = bytes.Count(log, []byte(`"level":"error"`))
	for _, word := range []string{"panic", "DATA RACE", "fatal error"} {
		if bytes.Contains(log, []byte(word)) {
			r.violate("the log has %q", word)
		}
	}
	var events eventsv1.EventList
	if err := w.API.List(ctx, &events); err != nil {
		return err
	}
	r.Events = len(events.Items)
	told := [][]byte{log}
	for _, list := range []runtime.Object{&events} {
		raw, err := json.Marshal(list)
		if err != nil {
			return err
		}
		told = append(told, raw)
	}
	for _, k := range kinds {
		objects, err := w.objects(ctx, k)
		if err != nil {
			return err
		}
		raw, err := json.Marshal(objects)
		if err != nil {
			return err
		}
		told = append(told, raw)
	}
	for i, token := range w.tokens {
		for _, text := range told {
			if bytes.Contains(text, []byte(token)) {
				r.violate("secret %d of %d shows in the log, an event or an object", i+1, len(w.tokens))
			}
		}
	}
	r.Secrets = len(w.tokens)
	return nil
}
