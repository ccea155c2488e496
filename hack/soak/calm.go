// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/test/system"
)

const (
	// patience is how long after the last trouble all may still not be well: a
	// backoff, the time for which the cloud may show what was, and a resync.
	patience = 3*time.Minute + resync
	// counted is how long after it all callbacks are counted.
	counted = 2*counting + 5*time.Second
	// quiet is for how long nothing may be written then: two resyncs.
	quiet = 2*resync + 10*time.Second
	// deleted is how many objects are deleted at last, and must leave nothing.
	deleted = 9
)

// calm undoes what keeps objects from being in sync, and waits until they are.
func (w *world) calm(ctx context.Context) error {
	start := time.Now()
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
			err := w.update(ctx, one, func(o kind.Object) {
				spec, _ := o.Callback()
				spec.Suspend, spec.ManagementPolicy = false, v1alpha1.Manage
				spec.AdoptionPolicy, spec.DriftPolicy, spec.DeletionPolicy = v1alpha1.AdoptAlways, v1alpha1.DriftCorrect, v1alpha1.DeletionDelete
			})
			if err := errors.Join(err, w.act(ctx, one)); err != nil {
				return err
			}
		}
	}
	for next := time.Now(); ; {
		wrong, err := w.mismatches(ctx)
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		switch {
		case len(wrong) == 0:
			w.settled = time.Since(start)
			system.Say("all is well after %s", w.settled.Round(time.Second))
			return w.rest(ctx, counted-w.settled)
		case time.Since(start) > patience:
			w.violations = wrong
			return nil
		case time.Now().After(next):
			system.Say("%d objects are not as they should be, such as: %s", len(wrong), wrong[0])
			next = time.Now().Add(30 * time.Second)
		}
		// Objects that were on their way out come again.
		for _, s := range w.slots {
			if err := client.IgnoreAlreadyExists(w.recreate(ctx, s)); err != nil {
				return err
			}
		}
		if err := w.rest(ctx, time.Second); err != nil {
			return err
		}
	}
}

// act does what the operator waits for someone to do where a retry by itself is
// half an hour off, or a correction that was undone too often: it edits the spec.
func (w *world) act(ctx context.Context, s slot) error {
	if s.kind.Several(w.Cloud, s.key) { // which a list that was stale makes of one
		s.kind.Erase(w.Cloud, s.key)
		w.done["removal of all of several subscriptions"]++
	}
	waits := false
	err := w.update(ctx, s, func(o kind.Object) {
		_, status := o.Callback()
		ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
		waits = ready != nil && ready.Reason != v1alpha1.ReasonConflict &&
			(meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionStalled) || strings.HasPrefix(ready.Message, "Someone keeps changing"))
		if waits {
			s.kind.SetURL(o, w.url())
		}
	})
	if waits {
		w.done["edit of one that waits for it"]++
	}
	return err
}

// recreate makes the object of a slot if there is none.
func (w *world) recreate(ctx context.Context, s slot) error {
	err := w.API.Get(ctx, client.ObjectKey{Namespace: namespace, Name: s.name}, s.object())
	if client.IgnoreNotFound(err) != nil || err == nil {
		return err
	}
	return w.create(ctx, s)
}

// objects returns all objects of a kind.
func (w *world) objects(ctx context.Context, k *system.Kind) (all []kind.Object, err error) {
	list := k.NewList()
	if err := w.API.List(ctx, list); err != nil {
		return nil, err
	}
	return all, meta.EachListItem(list, func(o runtime.Object) error {
		all = append(all, o.(kind.Object))
		return nil
	})
}

// mismatches says what is not as it should be.
func (w *world) mismatches(ctx context.Context) (wrong []string, err error) {
	for _, k := range system.Kinds {
		all, err := w.objects(ctx, k)
		if err != nil {
			return nil, err
		}
		named := map[string]kind.Object{}
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
			key, err := w.keyOf(ctx, s, owner)
			if err != nil {
				return nil, err
			}
			wrong = append(wrong, judgeSlot(s, owner, loser, key, k.Have(w.Cloud, s.key))...)
		}
	}
	return wrong, nil
}

// judgeSlot says what is not as it should be with the object that has a
// configuration, the one that lost it if there is one, and what the cloud has.
func judgeSlot(s slot, owner, loser kind.Object, key string, have map[string]string) (wrong []string) {
	if owner == nil {
		return []string{s.name + " does not exist"}
	}
	if want := s.kind.Want(owner, key); !maps.Equal(want, have) {
		wrong = append(wrong, fmt.Sprintf("%s: the cloud differs in %s (Ready: %s)", owner.GetName(), differing(want, have), readyReason(owner)))
	}
	judge := func(o kind.Object, reason string) {
		if got := readyReason(o); got != reason {
			wrong = append(wrong, fmt.Sprintf("%s: Ready is %s, want %s", o.GetName(), got, reason))
		}
		if claimed := slices.Contains(o.GetFinalizers(), v1alpha1.Finalizer); claimed != (reason == v1alpha1.ReasonInSync) {
			wrong = append(wrong, fmt.Sprintf("%s: has the finalizer: %t", o.GetName(), claimed))
		}
	}
	judge(owner, v1alpha1.ReasonInSync)
	_, status := owner.Callback()
	if meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionDrifted) {
		wrong = append(wrong, owner.GetName()+" says that it drifted")
	}
	healthy := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionCallbacksHealthy)
	if _, ok := owner.(kind.Counted); ok && (healthy == nil || healthy.Status == metav1.ConditionUnknown) {
		wrong = append(wrong, owner.GetName()+": its callbacks are not counted")
	}
	if loser != nil {
		judge(loser, v1alpha1.ReasonConflict)
	}
	return wrong
}

// precedes tells whether a has the better claim.
func precedes(a, b kind.Object) bool {
	at, bt := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	return at.Before(&bt) || at.Equal(&bt) && a.GetUID() < b.GetUID()
}

// keyOf returns the authentication key that an object is to be signed with.
func (w *world) keyOf(ctx context.Context, s slot, o kind.Object) (string, error) {
	if o == nil || !s.kind.Signed(o) {
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
func differing(want, have map[string]string) string {
	if have == nil {
		return "everything: it has none"
	}
	all := maps.Clone(want)
	maps.Copy(all, have)
	maps.DeleteFunc(all, func(name, _ string) bool { return want[name] == have[name] })
	return strings.Join(slices.Sorted(maps.Keys(all)), ", ")
}

// readyReason is that of Ready, if it is about the spec as it is.
func readyReason(o kind.Object) string {
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
	r := &report{Objects: len(w.slots), Kills: w.kills, Done: w.done, SettledSeconds: w.settled.Seconds(), Violations: w.violations}
	if len(w.violations) == 0 {
		for _, step := range []func(context.Context, *report) error{w.staysQuiet, w.leavesNothing} {
			if err := step(ctx, r); err != nil {
				return nil, err
			}
		}
	}
	r.Samples, r.Growth, r.Callbacks = len(w.samples), growths(w.samples), w.received.Load()
	r.Reads, r.Records, r.Writes = total(w.samples)
	for _, g := range r.Growth {
		if g.Late > g.Most {
			r.violate("%s grew from %.1f to %.1f, more than to %.1f", g.Figure, g.Early, g.Late, g.Most)
		}
	}
	if w.refused > 0 {
		r.violate("the cloud refused %d calls that came too fast", w.refused)
	}
	return r, w.tellsNothing(ctx, r)
}

// staysQuiet fails the soak if the operator writes anything.
func (w *world) staysQuiet(ctx context.Context, r *report) error {
	system.Say("nothing may be written for %s", quiet)
	before, err := w.look(ctx)
	if err != nil {
		return err
	}
	if err := w.rest(ctx, quiet); err != nil {
		return err
	}
	after, err := w.look(ctx)
	if err != nil {
		return err
	}
	r.Violations = append(r.Violations, disturbances(before, after, w.Cloud.CallsSince(before.calls))...)
	wrong, err := w.mismatches(ctx)
	r.Violations = append(r.Violations, wrong...)
	return err
}

// still is what must not change while it is quiet.
type still struct {
	calls    int     // to the cloud
	requests float64 // to the API server that change something
	objects  map[string]seen
}

// seen is an object as the API server has it.
type seen struct {
	version string
	// raw leaves out the total of callbacks: what was sent before it was calm may
	// be told up to half an hour later.
	raw []byte
}

// look takes everything in.
func (w *world) look(ctx context.Context) (still, error) {
	now := still{calls: w.Cloud.CallCount(), objects: map[string]seen{}}
	m, err := w.Metrics(ctx)
	if err != nil {
		return now, err
	}
	now.requests = m.APIServerWrites()
	for _, k := range system.Kinds {
		objects, err := w.objects(ctx, k)
		if err != nil {
			return now, err
		}
		for _, o := range objects {
			if now.objects[k.Name+" "+o.GetName()], err = asSeen(o); err != nil {
				return now, err
			}
		}
	}
	return now, nil
}

func asSeen(o kind.Object) (seen, error) {
	s := seen{version: o.GetResourceVersion()}
	_, status := o.Callback()
	if c := callbacksOf(o); c != nil {
		_, status := o.(kind.Counted).Counted()
		status.Callbacks = &v1alpha1.Callbacks{Failed: c.Failed, LastFailure: c.LastFailure}
	}
	status.LastSyncTime = nil
	o.SetManagedFields(nil)
	o.SetResourceVersion("")
	var err error
	s.raw, err = json.Marshal(o)
	return s, err
}

// disturbances says what was written in between.
func disturbances(before, after still, calls []emulator.Call) (writes []string) {
	for _, call := range calls {
		if !system.IsRead(call.Action) {
			writes = append(writes, fmt.Sprintf("%s of %s though nothing had changed", call.Action, call.Key))
		}
	}
	totals := 0.
	for _, name := range slices.Sorted(maps.Keys(after.objects)) {
		was, is := before.objects[name], after.objects[name]
		switch {
		case !bytes.Equal(was.raw, is.raw):
			writes = append(writes, fmt.Sprintf("%s was written to the API server though nothing had changed (-before +after):\n%s", name, cmp.Diff(decoded(was.raw), decoded(is.raw))))
		case was.version != is.version:
			totals++
		}
	}
	if n := after.requests - before.requests - totals; n > 0 && len(writes) == 0 {
		writes = append(writes, fmt.Sprintf("%g requests changed something in the API server though nothing had changed", n))
	}
	return writes
}

// decoded is JSON as plain values, to compare.
func decoded(raw []byte) (v any) {
	_ = json.Unmarshal(raw, &v) // nil if there is none
	return v
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
		o := s.object()
		gone := false
		for start := time.Now(); time.Since(start) < time.Minute && !gone; system.Pause(ctx, 100*time.Millisecond) {
			gone = client.IgnoreNotFound(w.API.Get(ctx, client.ObjectKeyFromObject(o), o)) == nil && o.GetUID() == ""
			o = s.object()
		}
		if !gone {
			r.violate("%s is still there a minute after it was deleted", s.name)
		}
		if s.kind.Have(w.Cloud, s.key) != nil {
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
	r.Violations = append(r.Violations, crashes(log)...)
	var events eventsv1.EventList
	if err := w.API.List(ctx, &events); err != nil {
		return err
	}
	r.Events = len(events.Items)
	told := [][]byte{log}
	lists := []client.ObjectList{&events, &v1alpha1.LiveAccountList{}}
	for _, k := range system.Kinds {
		lists = append(lists, k.NewList())
	}
	for _, list := range lists {
		if err := w.API.List(ctx, list); err != nil {
			return err
		}
		raw, err := json.Marshal(list)
		if err != nil {
			return err
		}
		told = append(told, raw)
	}
	r.Secrets, r.Violations = len(w.tokens), append(r.Violations, leaks(w.tokens, told)...)
	return nil
}

// crashes says what a log tells of one.
func crashes(log []byte) (found []string) {
	for _, word := range []string{"panic", "DATA RACE", "fatal error"} {
		if bytes.Contains(log, []byte(word)) {
			found = append(found, fmt.Sprintf("the log has %q", word))
		}
	}
	return found
}

// leaks says which secrets show, by their number.
func leaks(tokens []string, told [][]byte) (found []string) {
	for i, token := range tokens {
		if slices.ContainsFunc(told, func(text []byte) bool { return bytes.Contains(text, []byte(token)) }) {
			found = append(found, fmt.Sprintf("secret %d of %d shows in the log, an event or an object", i+1, len(tokens)))
		}
	}
	return found
}

// callbacksOf returns the counts of an object; nil if it has none.
func callbacksOf(o kind.Object) *v1alpha1.Callbacks {
	if c, ok := o.(kind.Counted); ok {
		_, status := c.Counted()
		return status.Callbacks
	}
	return nil
}
