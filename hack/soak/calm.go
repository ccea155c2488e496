// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
func (w *world) calm(ctx context.Context) {
	system.Say("calm returns")
	start := time.Now()
	w.Cloud.ClearFaults()
	all := w.survey(ctx)
	w.find(ctx)
	change(ctx, w.API, w.policy, func(p *v1alpha1.LiveRolloutPolicy) {
		p.Spec.Paused, p.Spec.MaxConcurrent = false, new(intstr.FromInt32(1000))
	})
	w.mend(ctx, all, w.soothe)
	fewest, moved := len(w.slots)+1, start
	for next := start; ; {
		all := w.survey(ctx)
		wrong := w.mismatches(ctx, all)
		system.Check(ctx.Err())
		if len(wrong) < fewest {
			fewest, moved = len(wrong), time.Now()
		}
		switch {
		case len(wrong) == 0:
			settled := time.Since(start)
			w.SettledSeconds = settled.Seconds()
			system.Say("all is well after %s", settled.Round(time.Second))
			// All callbacks are counted in the second count after the last one.
			w.rest(ctx, 2*w.counting+5*time.Second-settled)
			return
		case time.Since(moved) > patience+w.cfg.resync:
			w.Violations = append(w.Violations, wrong...)
			return
		case time.Now().After(next):
			system.Say("%d objects are not as they should be, such as: %s", len(wrong), wrong[0])
			next = time.Now().Add(30 * time.Second)
		}
		// Objects that were on their way out come again, and changes whose callbacks
		// failed before it was calm may be rolled back only now.
		w.mend(ctx, all, w.retry)
		w.harm(ctx)
		w.rest(ctx, time.Second+time.Duration(w.cfg.objects)*time.Millisecond)
	}
}

// mend creates the objects of slots that have none, and edits the others and their
// rivals where that changes anything.
func (w *world) mend(ctx context.Context, all map[string]kind.Object, edit func(slot, kind.Object)) {
	for _, s := range w.slots {
		if all[s.name] == nil {
			w.create(ctx, s)
		}
		if s.kind.Several(w.Cloud, s.key()) { // which a list that was stale makes of one
			s.kind.Erase(w.Cloud, s.key())
			w.Done["removal of all of several subscriptions"]++
		}
		for _, one := range []slot{s, s.rival()} {
			o := all[one.name]
			if o == nil {
				continue
			}
			before := o.DeepCopyObject()
			if edit(s, o); !reflect.DeepEqual(before, o) {
				w.update(ctx, one, func(o kind.Object) { edit(s, o) })
			}
		}
	}
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
	if _, status := kind.Shared(o); status.Guard != nil {
		return status.Guard.Change
	}
	return nil
}

// survey returns all objects of the accounts that are not hostile, by name.
func (w *world) survey(ctx context.Context) map[string]kind.Object {
	all := map[string]kind.Object{}
	for _, k := range system.Kinds {
		for _, o := range w.list(ctx, k.NewList()) {
			all[o.GetName()] = o.(kind.Object)
		}
	}
	return all
}

// list returns the objects of such a list, of the accounts that are not hostile.
func (w *world) list(ctx context.Context, list client.ObjectList) (all []client.Object) {
	system.Check(w.API.List(ctx, list, client.InNamespace(namespace)))
	system.Check(meta.EachListItem(list, func(o runtime.Object) error {
		all = append(all, o.(client.Object))
		return nil
	}))
	return all
}

// mismatches says what is not as it should be.
func (w *world) mismatches(ctx context.Context, all map[string]kind.Object) (wrong []string) {
	keys := map[string]string{}
	for _, secret := range w.list(ctx, &corev1.SecretList{}) {
		keys[secret.GetName()] = string(secret.(*corev1.Secret).Data[entry])
	}
	losers := int32(0) // that the policy selects, and that cannot be up to date
	for _, s := range w.slots {
		owner, loser := all[s.name], all[s.rival().name]
		if owner == nil || loser != nil && precedes(loser, owner) {
			owner, loser = loser, owner
		}
		if loser != nil && s.stepped && s.kind.Records != "" {
			losers++
		}
		key := ""
		if owner != nil && s.kind.Signed(owner) {
			key = keys[s.secret]
		}
		wrong = append(wrong, judgeSlot(s, owner, loser, key, s.kind.Have(w.Cloud, s.key()))...)
	}
	if is := w.readPolicy(ctx).Status; is.UpToDate+losers != is.Selected || meta.IsStatusConditionTrue(is.Conditions, v1alpha1.ConditionHalted) {
		wrong = append(wrong, fmt.Sprintf("the policy has %d objects, of which %d are up to date, %d wait and %d failed", is.Selected, is.UpToDate, is.Waiting, is.Failed))
	}
	return wrong
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

// usual is that of all objects but the hostile ones, each of which takes two requests to
// count.
func (w *world) usual() usual {
	times := func(every time.Duration) float64 { return float64(len(w.slots)) * float64(sampling) / float64(every) }
	return usual{Reads: times(w.cfg.resync), Records: 2 * times(w.counting)}
}

// judge looks at everything once more, now that nothing happens.
func (w *world) judge(ctx context.Context) {
	if len(w.Violations) == 0 {
		w.staysQuiet(ctx)
		w.leavesNothing(ctx)
	}
	w.Samples, w.Growth, w.Lives = len(w.samples), growths(w.samples, w.usual()), lives(w.samples)
	for _, g := range w.Growth {
		if g.Late > g.Most {
			w.violate("%s grew from %.1f to %.1f, more than to %.1f", g.Figure, g.Early, g.Late, g.Most)
		}
	}
	if w.Growth == nil && w.cfg.minutes > judged.Minutes() {
		w.violate("there are too few samples of the last process to tell whether it grows")
	}
	if w.Throttled > 0 {
		w.violate("the cloud refused %d calls that came too fast", w.Throttled)
	}
	w.Objects = len(w.slots)
	for _, h := range w.hostile {
		w.Objects += len(h.slots)
		w.Violations = append(w.Violations, h.robbed(w.tokens)...)
	}
	w.tellsNothing(ctx)
	w.Drifts = counted(w.samples, func(s sample) float64 { return s.Drift })
	w.RolledBack = counted(w.samples, func(s sample) float64 { return s.RolledBack })
	w.Accepted = counted(w.samples, func(s sample) float64 { return s.Accepted })
	w.Callbacks, w.FailedCallbacks = w.received.Load(), w.failed.Load()
}

// staysQuiet fails the soak if the operator writes anything, or miscounts. The
// endpoints of hostile accounts hang meanwhile.
func (w *world) staysQuiet(ctx context.Context) {
	for _, h := range w.hostile {
		h.mood.Store(hanging)
	}
	quiet := 2*w.cfg.resync + 10*time.Second
	system.Say("nothing may be written for %s", quiet)
	before := w.take(ctx)
	w.rest(ctx, quiet)
	after := w.take(ctx)
	calls := slices.DeleteFunc(w.Cloud.CallsSince(before.calls), func(c emulator.Call) bool {
		return isHostile(c.Account) || c.Action == "GetCallerIdentity" // which is asked anew each 10 minutes, and changes nothing
	})
	if w.APIWrites = after.requests - before.requests; w.cfg.leaders > 0 || w.cfg.hostile > 0 {
		after.requests = before.requests // the lease is renewed, and objects of the hostile move
	}
	all := w.survey(ctx)
	w.Violations = slices.Concat(w.Violations, disturbances(before, after, calls), w.mismatches(ctx, all))
	w.compareCounts(ctx, all)
}

// compareCounts fails the soak if the failed callbacks of an object are not as many as
// the cloud has noted.
func (w *world) compareCounts(ctx context.Context, all map[string]kind.Object) {
	for _, s := range w.slots {
		o := all[s.name]
		if o == nil {
			continue
		}
		_, status := kind.Shared(o)
		if status.Callbacks == nil {
			continue
		}
		least, most, known := w.failures(ctx, s)
		if got := status.Callbacks.Failed; known && (got < least || got > most) && readyReason(o) == v1alpha1.ReasonInSync {
			w.violate("%s: its status has %d failed callbacks, the cloud %d to %d", s.name, got, least, most)
		}
		w.Counted++
	}
}

// failures returns how many failed callbacks the cloud has noted for a slot, if it
// tells of all that there were. Those of an event subscription that is gone may have
// been counted while it was there.
func (w *world) failures(ctx context.Context, s slot) (least, most int64, known bool) {
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
		return 0, 0, false
	}
	subs := w.Cloud.EventSubs(s.key())
	for _, is := range have.Records {
		code := is.HTTPCode + is.Code
		if is.Result != emulator.ResultFailed && (is.Result != "" || code >= 200 && code <= 299) {
			continue
		}
		most++
		if family != "event" || len(subs) == 1 && is.SubID == subs[0].SubID {
			least++
		}
	}
	return least, most, have.Total == len(have.Records)
}

// still is what must not change while it is quiet.
type still struct {
	calls    int     // to the cloud
	requests float64 // to the API server that change something
	objects  map[string]client.Object
}

// mayChange is what may: the total of callbacks, as what was sent before it was calm
// may be told up to half an hour later, and what comes with that.
var mayChange = cmp.Options{
	cmp.Comparer(func(a, b v1alpha1.Callbacks) bool {
		return a.Failed == b.Failed && cmp.Equal(a.LastFailure, b.LastFailure)
	}),
	cmpopts.IgnoreFields(v1alpha1.CallbackStatus{}, "LastSyncTime"),
	cmpopts.IgnoreFields(metav1.ObjectMeta{}, "ManagedFields", "ResourceVersion"),
}

// take takes everything in.
func (w *world) take(ctx context.Context) still {
	now := still{calls: w.Cloud.CallCount(), objects: map[string]client.Object{}}
	now.requests = system.Must(w.Metrics(ctx)).APIServerWrites()
	for name, o := range w.survey(ctx) {
		now.objects[name] = o
	}
	for _, list := range []client.ObjectList{&v1alpha1.LiveAccountList{}, &v1alpha1.LiveRolloutPolicyList{}, &eventsv1.EventList{}} {
		for _, o := range w.list(ctx, list) {
			now.objects[fmt.Sprintf("%T %s", o, o.GetName())] = o
		}
	}
	return now
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
		_, counted := is.(kind.Counted)
		switch diff := cmp.Diff(was, is, mayChange); {
		case diff != "":
			writes = append(writes, fmt.Sprintf("%s was written to the API server though nothing had changed (-before +after):\n%s", name, diff))
		case counted && was.GetResourceVersion() != is.GetResourceVersion():
			totals++
		}
	}
	if n := after.requests - before.requests - totals; n > 0 && len(writes) == 0 {
		writes = append(writes, fmt.Sprintf("%g requests changed something in the API server though nothing had changed", n))
	}
	return writes
}

// leavesNothing deletes objects, and fails the soak if anything of them remains.
func (w *world) leavesNothing(ctx context.Context) {
	w.peace(ctx)
	some := w.slots[:min(deleted, len(w.slots))]
	for _, s := range some {
		w.delete(ctx, s.rival())
		w.delete(ctx, s)
	}
	for _, s := range some {
		gone := false
		for start := time.Now(); time.Since(start) < time.Minute && !gone; system.Pause(ctx, 100*time.Millisecond) {
			o := s.object()
			gone = apierrors.IsNotFound(w.API.Get(ctx, client.ObjectKeyFromObject(o), o))
		}
		if !gone {
			w.violate("%s is still there a minute after it was deleted", s.name)
		}
		if s.kind.Have(w.Cloud, s.key()) != nil {
			w.violate("the cloud still has a configuration of %s, which was deleted", s.name)
		}
	}
}

// tellsNothing fails the soak if a key shows anywhere, or the log tells of a crash.
func (w *world) tellsNothing(ctx context.Context) {
	log := system.Must(os.ReadFile(w.Log()))
	w.LogMiB = float64(len(log)) / (1 << 20)
	w.LoggedErrors = bytes.Count(log, []byte(`"level":"error"`))
	var events eventsv1.EventList
	lists := []client.ObjectList{&events, &v1alpha1.LiveAccountList{}, &v1alpha1.LiveRolloutPolicyList{}}
	for _, k := range system.Kinds {
		lists = append(lists, k.NewList())
	}
	told := [][]byte{log}
	for _, list := range lists {
		system.Check(w.API.List(ctx, list))
		told = append(told, system.Must(json.Marshal(list)))
	}
	w.Events, w.Secrets = len(events.Items), len(w.tokens)
	w.Violations = slices.Concat(w.Violations, crashes(log), leaks(w.tokens, told))
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
