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
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/test/system"
)

const (
	// patience is for how long no further object may come to be as it should: a
	// backoff, the time for which the cloud may show what was, a resync, and a guard,
	// on a machine that has other work, too.
	patience = 5 * time.Minute
	// deleted is how many objects are deleted at last, and must leave nothing.
	deleted = 9
)

// calm undoes what keeps objects from being in sync, and waits until they are. The
// hostile accounts go on meanwhile.
func (w *world) calm(ctx context.Context) error {
	system.Say("calm returns")
	start := time.Now()
	w.Cloud.ClearFaults()
	all, err := w.survey(ctx)
	err = errors.Join(err, w.find(ctx), change(ctx, w.API, w.policy, func(p *v1alpha1.LiveRolloutPolicy) {
		p.Spec.Paused, p.Spec.MaxConcurrent = false, new(intstr.FromInt32(1000))
	}))
	if err != nil {
		return err
	}
	if err := w.mend(ctx, all, w.soothe); err != nil {
		return err
	}
	fewest, moved := len(w.slots)+1, start
	for next := start; ; {
		all, err := w.survey(ctx)
		if err != nil {
			return err
		}
		wrong, err := w.mismatches(ctx, all)
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if len(wrong) < fewest {
			fewest, moved = len(wrong), time.Now()
		}
		switch {
		case len(wrong) == 0:
			w.settled = time.Since(start)
			system.Say("all is well after %s", w.settled.Round(time.Second))
			// All callbacks are counted in the second count after the last one.
			return w.rest(ctx, 2*w.counting+5*time.Second-w.settled)
		case time.Since(moved) > patience+w.cfg.resync:
			w.violations = append(w.violations, wrong...)
			return nil
		case time.Now().After(next):
			system.Say("%d objects are not as they should be, such as: %s", len(wrong), wrong[0])
			next = time.Now().Add(30 * time.Second)
		}
		// Objects that were on their way out come again, and changes whose callbacks
		// failed before it was calm may be rolled back only now.
		if err := w.mend(ctx, all, w.retry); err != nil {
			return err
		}
		if err := errors.Join(w.harm(ctx), w.rest(ctx, time.Second+time.Duration(w.cfg.objects)*time.Millisecond)); err != nil {
			return err
		}
	}
}

// mend creates the objects of slots that have none, and edits the others and their
// rivals where that changes anything.
func (w *world) mend(ctx context.Context, all map[string]kind.Object, edit func(slot, kind.Object)) error {
	for _, s := range w.slots {
		if all[s.name] == nil {
			if err := client.IgnoreAlreadyExists(w.create(ctx, s)); err != nil {
				return err
			}
		}
		if s.kind.Several(w.Cloud, s.key()) { // which a list that was stale makes of one
			s.kind.Erase(w.Cloud, s.key())
			w.done["removal of all of several subscriptions"]++
		}
		for _, one := range []slot{s, s.rival()} {
			o := all[one.name]
			if o == nil {
				continue
			}
			before := o.DeepCopyObject()
			if edit(s, o); reflect.DeepEqual(before, o) {
				continue
			}
			if err := w.update(ctx, one, func(o kind.Object) { edit(s, o) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// soothe lets an object come in sync. It does what the operator waits for someone to
// do where a retry by itself is half an hour off, or a correction that was undone too
// often: it edits the spec.
func (w *world) soothe(s slot, o kind.Object) {
	spec, status := o.Callback()
	spec.Suspend, spec.ManagementPolicy = false, v1alpha1.Manage
	spec.AdoptionPolicy, spec.DriftPolicy, spec.DeletionPolicy = v1alpha1.AdoptAlways, v1alpha1.DriftCorrect, v1alpha1.DeletionDelete
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	waits := ready != nil && ready.Reason != v1alpha1.ReasonConflict &&
		(meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionStalled) || strings.HasPrefix(ready.Message, "Someone keeps changing"))
	if waits || strings.Contains(s.kind.Want(o, "")[s.kind.URL], bad+"/") {
		s.kind.SetURL(o, w.url(""))
	}
	w.retry(s, o)
}

// retry edits an object whose change has failed.
func (w *world) retry(s slot, o kind.Object) {
	if c := changeOf(o); c != nil && c.State.Bad() {
		s.kind.SetURL(o, w.url(""))
	}
}

// changeOf returns the last change that was watched; nil if there is none.
func changeOf(o kind.Object) *v1alpha1.GuardedChange {
	if c, ok := o.(kind.Counted); ok {
		if _, status := c.Counted(); status.Guard != nil {
			return status.Guard.Change
		}
	}
	return nil
}

// survey returns all objects of the accounts that are not hostile, by name.
func (w *world) survey(ctx context.Context) (map[string]kind.Object, error) {
	all := map[string]kind.Object{}
	for _, k := range system.Kinds {
		list := k.NewList()
		if err := w.API.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, err
		}
		err := meta.EachListItem(list, func(o runtime.Object) error {
			all[o.(kind.Object).GetName()] = o.(kind.Object)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// mismatches says what is not as it should be.
func (w *world) mismatches(ctx context.Context, all map[string]kind.Object) (wrong []string, err error) {
	var list corev1.SecretList
	if err := w.API.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	keys := map[string]string{}
	for _, secret := range list.Items {
		keys[secret.Name] = string(secret.Data[entry])
	}
	for _, s := range w.slots {
		owner, loser := all[s.name], all[s.rival().name]
		if owner == nil || loser != nil && precedes(loser, owner) {
			owner, loser = loser, owner
		}
		key := ""
		if owner != nil && s.kind.Signed(owner) {
			key = keys[s.secret]
		}
		wrong = append(wrong, judgeSlot(s, owner, loser, key, s.kind.Have(w.Cloud, s.key()))...)
	}
	p := w.policy()
	if err := w.API.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil {
		return nil, err
	}
	if is := p.Status; is.UpToDate != is.Selected || meta.IsStatusConditionTrue(is.Conditions, v1alpha1.ConditionHalted) {
		wrong = append(wrong, fmt.Sprintf("the policy has %d objects, of which %d are up to date, %d wait and %d failed", is.Selected, is.UpToDate, is.Waiting, is.Failed))
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
	if c := changeOf(owner); c != nil && c.State != v1alpha1.ChangeAccepted {
		wrong = append(wrong, fmt.Sprintf("%s: its change is %s", owner.GetName(), c.State))
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
	r := &report{Objects: len(w.slots), Accounts: w.cfg.accounts, Hostile: w.cfg.hostile}
	if len(w.violations) == 0 {
		for _, step := range []func(context.Context, *report) error{w.staysQuiet, w.leavesNothing} {
			if err := step(ctx, r); err != nil {
				return nil, err
			}
		}
	}
	r.Samples, r.Growth, r.Lives = len(w.samples), growths(w.samples), lives(w.samples)
	for _, g := range r.Growth {
		if g.Late > g.Most {
			w.violate("%s grew from %.1f to %.1f, more than to %.1f", g.Figure, g.Early, g.Late, g.Most)
		}
	}
	if r.Growth == nil && w.cfg.minutes > judged.Minutes() {
		w.violate("there are too few samples of the last process to tell whether it grows")
	}
	if w.calls.refused > 0 {
		w.violate("the cloud refused %d calls that came too fast", w.calls.refused)
	}
	for _, h := range w.hostile {
		r.Objects += len(h.slots)
		w.violations = append(w.violations, h.robbed(w.tokens)...)
	}
	if err := w.tellsNothing(ctx, r); err != nil {
		return nil, err
	}
	w.sum(r)
	return r, nil
}

// staysQuiet fails the soak if the operator writes anything, or miscounts. The
// endpoints of hostile accounts hang meanwhile.
func (w *world) staysQuiet(ctx context.Context, r *report) error {
	for _, h := range w.hostile {
		h.mood.Store(hanging)
	}
	quiet := 2*w.cfg.resync + 10*time.Second
	system.Say("nothing may be written for %s", quiet)
	before, err := w.take(ctx)
	if err != nil {
		return err
	}
	if err := w.rest(ctx, quiet); err != nil {
		return err
	}
	after, err := w.take(ctx)
	if err != nil {
		return err
	}
	calls := slices.DeleteFunc(w.Cloud.CallsSince(before.calls), func(c emulator.Call) bool {
		return isHostile(c.Account) || c.Action == "GetCallerIdentity" // which is asked anew each 10 minutes, and changes nothing
	})
	if r.APIWrites = after.requests - before.requests; w.cfg.leaders > 0 || w.cfg.hostile > 0 {
		after.requests = before.requests // the lease is renewed, and objects of the hostile move
	}
	w.violations = append(w.violations, disturbances(before, after, calls)...)
	all, err := w.survey(ctx)
	if err != nil {
		return err
	}
	wrong, err := w.mismatches(ctx, all)
	w.violations = append(append(w.violations, wrong...), w.miscounted(ctx, all, r)...)
	return err
}

// miscounted says whose failed callbacks are not as many as the cloud has noted.
func (w *world) miscounted(ctx context.Context, all map[string]kind.Object, r *report) (wrong []string) {
	for _, s := range w.slots {
		o := all[s.name]
		if o == nil || callbacksOf(o) == nil {
			continue
		}
		want, known := w.failures(ctx, s)
		if got := callbacksOf(o).Failed; known && got != want && readyReason(o) == v1alpha1.ReasonInSync {
			wrong = append(wrong, fmt.Sprintf("%s: its status has %d failed callbacks, the cloud %d", s.name, got, want))
		}
		r.Counted++
	}
	return wrong
}

// failures returns how many failed callbacks the cloud has noted for a slot, if it
// tells of all that there were.
func (w *world) failures(ctx context.Context, s slot) (n int64, known bool) {
	family := map[string]string{"push": "stream", "live": "record", "app": "mpu", "rtc": "event"}[s.kind.Short]
	reply := httptest.NewRecorder()
	w.Cloud.ServeHTTP(reply, httptest.NewRequestWithContext(ctx, http.MethodGet, "/_emulator/records/"+family+"/"+s.key(), http.NoBody))
	var have struct {
		Total   int
		Records []struct {
			Result, SubID  string
			HTTPCode, Code int
		}
	}
	if err := json.Unmarshal(reply.Body.Bytes(), &have); err != nil {
		return 0, false
	}
	subs := w.Cloud.EventSubs(s.key())
	for _, is := range have.Records {
		code := is.HTTPCode + is.Code
		if family == "event" && (len(subs) != 1 || is.SubID != subs[0].SubID) {
			continue // those of a subscription that is gone
		}
		if is.Result == emulator.ResultFailed || is.Result == "" && (code < 200 || code > 299) {
			n++
		}
	}
	return n, have.Total == len(have.Records)
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

// take takes everything in.
func (w *world) take(ctx context.Context) (still, error) {
	now := still{calls: w.Cloud.CallCount(), objects: map[string]seen{}}
	m, err := w.Metrics(ctx)
	if err != nil {
		return now, err
	}
	now.requests = m.APIServerWrites()
	all, err := w.survey(ctx)
	if err != nil {
		return now, err
	}
	for name, o := range all {
		if now.objects[name], err = asSeen(o); err != nil {
			return now, err
		}
	}
	for _, list := range []client.ObjectList{&v1alpha1.LiveAccountList{}, &v1alpha1.LiveRolloutPolicyList{}, &eventsv1.EventList{}} {
		if err := w.API.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return now, err
		}
		err := meta.EachListItem(list, func(o runtime.Object) error {
			is := o.(client.Object)
			version := is.GetResourceVersion()
			now.objects[fmt.Sprintf("%T %s", o, is.GetName())] = seen{version, []byte(strconv.Quote(version))}
			return nil
		})
		if err != nil {
			return now, err
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
func (w *world) leavesNothing(ctx context.Context, _ *report) error {
	if err := w.peace(ctx); err != nil {
		return err
	}
	some := w.slots[:min(deleted, len(w.slots))]
	for _, s := range some {
		for _, one := range []slot{s.rival(), s} {
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
			w.violate("%s is still there a minute after it was deleted", s.name)
		}
		if s.kind.Have(w.Cloud, s.key()) != nil {
			w.violate("the cloud still has a configuration of %s, which was deleted", s.name)
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
	w.violations = append(w.violations, crashes(log)...)
	var events eventsv1.EventList
	if err := w.API.List(ctx, &events); err != nil {
		return err
	}
	r.Events = len(events.Items)
	told := [][]byte{log}
	lists := []client.ObjectList{&events, &v1alpha1.LiveAccountList{}, &v1alpha1.LiveRolloutPolicyList{}}
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
	r.Secrets, w.violations = len(w.tokens), append(w.violations, leaks(w.tokens, told)...)
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
