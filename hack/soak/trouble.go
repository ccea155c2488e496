// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/test/system"
)

const (
	// pace is how often something is done.
	pace = 300 * time.Millisecond
	// sampling is how often the operator's process is looked at.
	sampling = 10 * time.Second
	// outage is for how long a fault lasts that meets every call.
	outage = 30 * time.Second
)

// trouble makes it for a while.
func (w *world) trouble(ctx context.Context) {
	w.launch(ctx)
	start, span := time.Now(), time.Duration(w.cfg.minutes*float64(time.Minute))
	end, lastEnd := start.Add(span), start.Add(min(span/2, span-judged))
	nextEnd := start.Add(span / 8)
	if w.cfg.leaders > 0 {
		nextEnd, lastEnd = start.Add(w.cfg.leaders), start.Add(span-w.cfg.leaders/2)
	}
	// Most objects converge before anything goes wrong.
	nextFault := start.Add(20*time.Second + time.Duration(w.cfg.objects)*40*time.Millisecond)
	nextWord, nextWave := start.Add(time.Minute), start.Add(span/10)
	for now := start; now.Before(end); now = time.Now() {
		switch {
		case now.After(nextEnd) && now.Before(lastEnd) && w.leaderOut.IsZero():
			w.succeed(ctx)
			nextEnd = now.Add(cmp.Or(w.cfg.leaders, span/12+time.Duration(w.random.Int64N(int64(span/12)))))
		case now.After(nextFault):
			nextFault = now.Add(w.spoil())
		case now.After(nextWord):
			system.Say("%s to go: %s", end.Sub(now).Round(time.Second), w.word())
			nextWord = now.Add(time.Minute)
		case now.After(nextWave) && now.Before(end.Add(-span/10)):
			w.pending = slices.DeleteFunc(slices.Clone(w.slots), func(s slot) bool { return !s.stepped })
			w.Done["wave"]++
			nextWave = now.Add(span / 10)
		default:
			s := w.slots[w.random.IntN(len(w.slots))]
			w.do(ctx, "", slices.Concat(w.edits(s), w.secrets(s), w.settings(s)))
			w.send()
			system.Pause(ctx, pace)
		}
		w.wave(ctx)
		w.harm(ctx)
		w.sample(ctx)
		system.Check(ctx.Err())
	}
}

// launch starts a process of the operator, which leads if it is the only one.
func (w *world) launch(ctx context.Context) {
	var flags []string
	if w.cfg.leaders > 0 {
		flags = []string{"--leader-elect", "--leader-elect-namespace=" + namespace}
	}
	w.processes = append(w.processes, system.Must(w.Launch(ctx, flags...)))
	w.Lead(w.processes[0])
	if w.cfg.leaders > 0 && len(w.processes) == 1 {
		w.leaderOut = time.Now()
	}
}

// succeed ends the process that leads, which is told to end or killed in turn.
func (w *world) succeed(ctx context.Context) {
	if w.cfg.leaders > 0 && w.Stops <= w.Kills {
		w.processes[0].Stop()
		w.Stops++
	} else {
		w.processes[0].Kill()
		w.Kills++
	}
	w.replace(ctx, 0)
}

// lost replaces a process that ended by itself. One that cannot renew its lease in
// time has to, as on a machine that is too busy.
func (w *world) lost(ctx context.Context, i int) {
	if w.Losses++; w.cfg.leaders == 0 || w.Losses > 100 {
		system.Check(errors.Join(errors.New("an operator ended by itself"), w.Alive()))
	}
	w.replace(ctx, i)
}

// replace lets the process that follows take the place of one that ended, or starts a
// new one where none does.
func (w *world) replace(ctx context.Context, i int) {
	w.processes = slices.Delete(w.processes, i, i+1)
	if i == 0 {
		w.Changes++
	}
	if i > 0 || len(w.processes) == 0 {
		w.launch(ctx)
		return
	}
	w.Lead(w.processes[0])
	w.leaderOut = time.Now()
}

// succeeded waits until a process leads, and then starts another one that follows.
func (w *world) succeeded(ctx context.Context) {
	m, err := w.Metrics(ctx)
	switch {
	case err == nil && m.Sum("leader_election_master_status", nil) == 1:
		w.LeaderlessSeconds = max(w.LeaderlessSeconds, time.Since(w.leaderOut).Seconds())
		w.leaderOut = time.Time{}
		w.launch(ctx)
	case time.Since(w.leaderOut) > 2*patience:
		system.Check(errors.New("nobody leads"))
	}
}

// spoil has something go wrong with some calls, or with all of a kind for a while. It
// returns when the next fault is due.
func (w *world) spoil() time.Duration {
	if w.lasting {
		w.Cloud.ClearFaults()
	}
	f := w.fault()
	wait := 5*time.Second + time.Duration(w.random.Int64N(int64(10*time.Second)))
	if w.lasting = f.passes && w.random.IntN(3) == 0; w.lasting {
		f.name, f.Times, wait = f.name+", for a while", 0, wait+outage
		if w.random.IntN(4) > 0 {
			f.Action = anAction(w.random)
		}
	}
	w.Done["fault: "+f.name]++
	w.Cloud.Inject(f.Fault)
	return wait
}

// wave edits the next few of all that the policy selects, which lets few of these
// changes be under way at once.
func (w *world) wave(ctx context.Context) {
	for range min(3, len(w.pending)) {
		s := w.pending[0]
		w.pending = w.pending[1:]
		o := s.object()
		s.kind.SetURL(o, w.url(""))
		system.Check(client.IgnoreNotFound(w.API.Patch(ctx, o, client.MergeFrom(s.object()))))
		w.Done["edit of a wave"]++
	}
}

// release lets a policy go on that a change has halted: whoever failed is edited, or
// the policy is paused and resumed.
func (w *world) release(ctx context.Context) {
	p := w.readPolicy(ctx)
	if !p.Spec.Paused && !meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionHalted) {
		return
	}
	w.Done["release of a halted policy"]++
	if p.Spec.Paused || w.random.IntN(2) > 0 {
		change(ctx, w.API, w.policy, func(p *v1alpha1.LiveRolloutPolicy) { p.Spec.Paused = !p.Spec.Paused })
		return
	}
	for _, of := range p.Status.Halted {
		i := slices.IndexFunc(w.slots, func(s slot) bool { return s.name == strings.TrimSuffix(of.Name, "-rival") })
		s := w.slots[i]
		s.name = of.Name
		w.update(ctx, s, func(o kind.Object) { s.kind.SetURL(o, w.url("")) })
	}
}

// event is something that someone does, more often than another by its weight.
type event struct {
	weight int
	what   string
	do     func(context.Context)
}

// do does one of several things, and counts it.
func (w *world) do(ctx context.Context, who string, among []event) {
	draw := 0
	for _, e := range among {
		draw += e.weight
	}
	draw = w.random.IntN(draw)
	i := slices.IndexFunc(among, func(e event) bool {
		draw -= e.weight
		return draw < 0
	})
	what := who + among[i].what
	if err := system.Caught(func() { among[i].do(ctx) }); err != nil {
		system.Check(fmt.Errorf("%s: %w", what, err))
	}
	w.Done[what]++
}

// edits change what is to be in the cloud, or what is.
func (w *world) edits(s slot) []event {
	return []event{
		{30, "edit", func(ctx context.Context) {
			which, url := w.random.IntN(1+len(s.kind.Others)), w.url("")
			w.update(ctx, s, func(o kind.Object) {
				if which == 0 {
					s.kind.SetURL(o, url)
				} else {
					s.kind.Toggle(o, s.kind.Others[which-1], url)
				}
			})
		}},
		{4, "edit to a receiver that fails", func(ctx context.Context) {
			if s.watched() {
				w.spoilt = append(w.spoilt[max(0, len(w.spoilt)-7):], s)
				url := w.url(bad)
				w.update(ctx, s, func(o kind.Object) { s.kind.SetURL(o, url) })
			}
		}},
		{3, "look at the policy", w.release},
		{4, "sign or not", func(ctx context.Context) {
			if s.kind.Signs() {
				secret := []string{"", s.secret}[w.random.IntN(2)]
				w.update(ctx, s, func(o kind.Object) { s.kind.Sign(o, secret) })
			}
		}},
		{8, "edit the cloud", func(context.Context) { s.kind.Edit(w.Cloud, s.key()) }},
		{4, "erase from the cloud", func(context.Context) { s.kind.Erase(w.Cloud, s.key()) }},
	}
}

// secrets are about Secrets, which are lost and found.
func (w *world) secrets(s slot) []event {
	return []event{
		{2, "rotate a key", func(ctx context.Context) { w.rotate(ctx, namespace, s.secret) }},
		{1, "lose a Secret", func(ctx context.Context) {
			w.broken[s.secret] = true
			w.lose(ctx, namespace, s.secret)
		}},
		{1, "rotate an access key", func(ctx context.Context) {
			if s.account != own {
				w.rotateAccess(ctx, namespace, s.account)
			}
		}},
		{1, "lose an access key", func(ctx context.Context) {
			if s.account != own && w.random.IntN(4) == 0 { // all objects of the account suffer
				w.broken[accessPrefix+s.account] = true
				w.lose(ctx, namespace, accessPrefix+s.account)
			}
		}},
		{2, "find Secrets", w.find},
	}
}

// settings say what the operator may do with an object, and whether there is one.
func (w *world) settings(s slot) []event {
	spec := func(edit func(*v1alpha1.CallbackSpec)) func(context.Context) {
		return func(ctx context.Context) {
			w.update(ctx, s, func(o kind.Object) {
				shared, _ := o.Callback()
				edit(shared)
			})
		}
	}
	return []event{
		{5, "suspend or resume", spec(func(c *v1alpha1.CallbackSpec) { c.Suspend = !c.Suspend })},
		{3, "managementPolicy", spec(func(c *v1alpha1.CallbackSpec) {
			c.ManagementPolicy = other(c.ManagementPolicy, v1alpha1.Manage, v1alpha1.Observe)
		})},
		{3, "driftPolicy", spec(func(c *v1alpha1.CallbackSpec) {
			c.DriftPolicy = other(c.DriftPolicy, v1alpha1.DriftCorrect, v1alpha1.DriftReport)
		})},
		{3, "adoptionPolicy", spec(func(c *v1alpha1.CallbackSpec) {
			c.AdoptionPolicy = other(c.AdoptionPolicy, v1alpha1.AdoptIfIdentical, v1alpha1.AdoptAlways)
		})},
		{3, "deletionPolicy", spec(func(c *v1alpha1.CallbackSpec) {
			c.DeletionPolicy = other(c.DeletionPolicy, v1alpha1.DeletionDelete, v1alpha1.DeletionRetain)
		})},
		{6, "delete", func(ctx context.Context) { w.delete(ctx, s) }},
		{8, "create", func(ctx context.Context) { w.create(ctx, s) }},
		{3, "create a rival", func(ctx context.Context) {
			rival := s.rival()
			w.rivals[rival.name] = rival
			w.create(ctx, rival)
		}},
		{3, "delete rivals", w.peace},
	}
}

func other[T comparable](v, a, b T) T {
	if v == a {
		return b
	}
	return a
}

// delete deletes the object of a slot, if there is one.
func (w *world) delete(ctx context.Context, s slot) {
	system.Check(client.IgnoreNotFound(w.API.Delete(ctx, s.object())))
}

// peace deletes the rivals.
func (w *world) peace(ctx context.Context) {
	for _, name := range slices.Sorted(maps.Keys(w.rivals)) {
		w.delete(ctx, w.rivals[name])
		delete(w.rivals, name)
	}
}

// send makes the cloud send callbacks, which some receivers refuse.
func (w *world) send() {
	among := w.slots
	if len(w.spoilt) > 0 && w.random.IntN(2) == 0 {
		among = w.spoilt
	}
	s := among[w.random.IntN(len(among))]
	s.kind.Send(w.Cloud, s.key(), w.random.IntN(2))
	w.Done["callback"]++
}

type fault struct {
	name string
	// passes: it is no mistake of a user's, after which the operator waits for
	// half an hour, or for someone to act.
	passes bool
	emulator.Fault
}

// anAction is one that an outage may be of.
func anAction(r *rand.Rand) string {
	k := system.Kinds[r.IntN(6)]
	all := []string{k.Create, k.Update, k.Read, strings.Replace(k.Read, "Describe", "Delete", 1), cmp.Or(k.Records, k.Read)}
	return all[r.IntN(len(all))]
}

// fault draws something that goes wrong with some calls.
func (w *world) fault() fault {
	r := w.random
	some := 1 + r.IntN(20)
	// Some faults meet an update or a read alone: a removal that is told so would be
	// believed, and leave what is there. The first six kinds are those without a list of
	// subscriptions, of which there would be two.
	k := system.Kinds[r.IntN(6)]
	faults := []fault{
		{"latency", true, emulator.Fault{Latency: time.Duration(50+r.IntN(2000)) * time.Millisecond, Times: some}},
		{"no reply", true, emulator.Fault{Latency: 11 * time.Second, Times: 1 + r.IntN(3)}},
		{"throttled", true, emulator.Fault{Code: "Throttling.User", Message: "Request was denied due to user flow control.", RetryAfter: time.Duration(1+r.IntN(3000)) * time.Millisecond, Times: some}},
		{"internal error", true, emulator.Fault{Code: "InternalError", Status: 500, Times: some}},
		{"unavailable", true, emulator.Fault{Code: "ServiceUnavailable", Status: 503, Times: some}},
		{"dropped connection", true, emulator.Fault{Drop: true, Times: some}},
		{"lost reply", true, emulator.Fault{LoseReply: true, Times: some}},
		{"page of a proxy", true, emulator.Fault{Body: "<html>502 Bad Gateway</html>", Status: 502, Times: some}},
		{"truncated reply", true, emulator.Fault{Body: `{"RequestId":"5056369B-D337-499E-B8B7-B761BD37B08A","LiveStr`, Times: some}},
		{"stale read", true, emulator.Fault{Stale: true, Times: some}},
		{"denied", false, emulator.Fault{Code: "Forbidden.RAM", Status: 403, Times: some}},
		{"rejected", false, emulator.Fault{Code: "InvalidParam", Times: some}},
		{"no such domain", false, emulator.Fault{Code: "InvalidDomain.NotFound", Status: 404, Action: k.Update, Times: 1 + r.IntN(3)}},
		{"exists", true, emulator.Fault{Code: "ConfigAlreadyExists", Action: k.Update, Times: some}},
		{"said to be absent", true, emulator.Fault{Code: "InvalidConfig.NotFound", Status: 404, Action: k.Read, Times: some}},
	}
	return faults[r.IntN(len(faults))]
}
