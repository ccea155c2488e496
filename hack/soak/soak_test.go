// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/test/system"
)

// lived is a process sampled for some minutes, with what grows by the minute.
func lived(process int, start time.Time, minutes int, resident, files float64) (samples []sample) {
	for i := range minutes * int(time.Minute/sampling) {
		at := time.Duration(i) * sampling
		samples = append(samples, sample{
			At: start.Add(at), Process: process,
			Resident: 80 + resident*at.Minutes(), Heap: 30, Goroutines: 200, Files: 20 + files*at.Minutes(), Reads: 50, Records: 150,
		})
	}
	return samples
}

func TestGrowthIsSeen(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for what, c := range map[string]struct {
		samples []sample
		want    []string // what grew
	}{
		"a steady process":                {samples: lived(0, start, 30, 0, 0)},
		"a leak of memory":                {samples: lived(0, start, 30, 2, 0), want: []string{"resident memory, MiB"}},
		"a leak of files":                 {samples: lived(0, start, 30, 0, 1), want: []string{"open files"}},
		"one that was killed had a leak":  {samples: append(lived(0, start, 30, 9, 9), lived(1, start.Add(time.Hour), 30, 0, 0)...)},
		"the last one has, after a death": {samples: append(lived(0, start, 30, 0, 0), lived(1, start.Add(time.Hour), 30, 0, 1)...), want: []string{"open files"}},
	} {
		var grew []string
		for _, g := range growths(c.samples, usual{Reads: 20, Records: 40}) {
			if g.Late > g.Most {
				grew = append(grew, g.Figure)
			}
		}
		if !slices.Equal(grew, c.want) {
			t.Errorf("%s: %v grew, want %v", what, grew, c.want)
		}
	}
	if got := growths(lived(0, start, 2, 9, 9), usual{}); got != nil {
		t.Errorf("a process of two minutes was judged: %+v", got)
	}
}

func TestDifferenceIsNamedWithoutItsValue(t *testing.T) {
	const key = "0123456789abcdef"
	want := map[string]string{"NotifyURL": "http://hooks.example.com/", "AuthKey": key}
	have := map[string]string{"NotifyURL": system.Elsewhere, "AuthKey": "fedcba9876543210"}
	if got := differing(want, have); got != "AuthKey, NotifyURL" || strings.Contains(got, key) {
		t.Errorf("got %q", got)
	}
	if got := differing(want, nil); !strings.Contains(got, "none") {
		t.Errorf("of nothing: %q", got)
	}
}

// ready is an object of the first kind whose Ready is True for a reason, or False.
func ready(status metav1.ConditionStatus, reason string) kind.Object {
	o := system.Kinds[0].Object(namespace, "a")
	o.SetGeneration(2)
	o.SetFinalizers([]string{v1alpha1.Finalizer})
	system.Kinds[0].SetURL(o, "http://hooks.example.com/")
	_, s := o.Callback()
	for _, c := range []metav1.Condition{
		{Type: v1alpha1.ConditionReady, Status: status, Reason: reason, ObservedGeneration: 2},
		{Type: v1alpha1.ConditionCallbacksHealthy, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonNoFailures},
	} {
		c.LastTransitionTime = metav1.Unix(0, 0)
		meta.SetStatusCondition(&s.Conditions, c)
	}
	return o
}

func TestMismatchIsSeen(t *testing.T) {
	with := func(o kind.Object, change func(o kind.Object)) kind.Object {
		change(o)
		return o
	}
	inSync := func() kind.Object { return ready(metav1.ConditionTrue, v1alpha1.ReasonInSync) }
	lost := func() kind.Object {
		o := ready(metav1.ConditionFalse, v1alpha1.ReasonConflict)
		o.SetFinalizers(nil)
		return o
	}
	want := system.Kinds[0].Want(inSync(), "")
	signed := maps.Clone(want)
	signed["AuthKey"] = "old"
	for what, c := range map[string]struct {
		owner, loser kind.Object
		key          string
		have         map[string]string
		want         string // part of the only mismatch; "" for none
	}{
		"all is well":          {owner: inSync(), have: want},
		"and beside a rival":   {owner: inSync(), loser: lost(), have: want},
		"no object":            {have: want, want: "does not exist"},
		"no configuration":     {owner: inSync(), want: "it has none"},
		"another one":          {owner: inSync(), have: map[string]string{"NotifyURL": system.Elsewhere}, want: "NotifyURL"},
		"an old key":           {owner: with(inSync(), func(o kind.Object) { system.Kinds[0].Sign(o, "s") }), key: "new", have: signed, want: "AuthKey"},
		"not read back":        {owner: ready(metav1.ConditionTrue, v1alpha1.ReasonApplied), have: want, want: "Applied"},
		"an edit not seen":     {owner: with(inSync(), func(o kind.Object) { o.SetGeneration(3) }), have: want, want: "earlier generation"},
		"no claim":             {owner: with(inSync(), func(o kind.Object) { o.SetFinalizers(nil) }), have: want, want: "finalizer: false"},
		"a rival with a claim": {owner: inSync(), loser: with(lost(), func(o kind.Object) { o.SetFinalizers([]string{v1alpha1.Finalizer}) }), have: want, want: "finalizer: true"},
		"a rival in sync":      {owner: inSync(), loser: with(inSync(), func(o kind.Object) { o.SetFinalizers(nil) }), have: want, want: "want Conflict"},
		"drift left alone": {owner: with(inSync(), func(o kind.Object) {
			_, s := o.Callback()
			meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: v1alpha1.ConditionDrifted, Status: metav1.ConditionTrue})
		}), have: want, want: "drifted"},
		"a change that is not over": {owner: with(inSync(), func(o kind.Object) {
			_, s := o.(kind.Counted).Counted()
			s.Guard = &v1alpha1.GuardStatus{Change: &v1alpha1.GuardedChange{State: v1alpha1.ChangeWatching}}
		}), have: want, want: "Watching"},
		"no counts": {owner: with(inSync(), func(o kind.Object) {
			_, s := o.Callback()
			meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: v1alpha1.ConditionCallbacksHealthy, Status: metav1.ConditionUnknown})
		}), have: want, want: "not counted"},
	} {
		got := judgeSlot(slot{kind: system.Kinds[0], base: "a", name: "a"}, c.owner, c.loser, c.key, c.have)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s: got %q, want one about %q", what, got, c.want)
		}
	}
}

func TestDisturbanceIsSeen(t *testing.T) {
	object := func(version string, change func(*v1alpha1.CountedStatus)) still {
		o := ready(metav1.ConditionTrue, v1alpha1.ReasonInSync)
		o.SetResourceVersion(version)
		_, status := o.(kind.Counted).Counted()
		status.Callbacks = &v1alpha1.Callbacks{Total: 1}
		change(status)
		return still{requests: 7, objects: map[string]client.Object{"a": o}}
	}
	requests := func(s still, n float64) still {
		s.requests += n
		return s
	}
	same := func(*v1alpha1.CountedStatus) {}
	before := object("1", same)
	for what, c := range map[string]struct {
		after still
		calls []string
		want  []string
	}{
		"nothing":      {after: object("1", same)},
		"reads":        {after: object("1", same), calls: []string{"DescribeRtcMPUEventSub", "ListRtcMPUEventSubRecord"}},
		"a cloud call": {after: object("1", same), calls: []string{"DeleteRtcMPUEventSub"}, want: []string{"DeleteRtcMPUEventSub of  though nothing had changed"}},
		"a total":      {after: requests(object("2", func(s *v1alpha1.CountedStatus) { s.Callbacks.Total = 2 }), 1)},
		"a failure":    {after: requests(object("2", func(s *v1alpha1.CountedStatus) { s.Callbacks.Failed = 2 }), 1), want: []string{"a was written to the API server though nothing had changed"}},
		"an event":     {after: requests(object("1", same), 1), want: []string{"1 requests changed something in the API server though nothing had changed"}},
	} {
		var calls []emulator.Call
		for _, action := range c.calls {
			calls = append(calls, emulator.Call{Action: action})
		}
		got := disturbances(before, c.after, calls)
		for i := range got {
			got[i], _, _ = strings.Cut(got[i], " (") // what differs
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", what, diff)
		}
	}
}

func TestLeaksAndCrashesAreSeen(t *testing.T) {
	told := [][]byte{[]byte(`{"msg":"all is well"}`), []byte(`{"note":"the key is 0123456789abcdef"}`)}
	if got := leaks([]string{"fedcba9876543210"}, told); got != nil {
		t.Errorf("got %q", got)
	}
	if got := leaks([]string{"fedcba9876543210", "0123456789abcdef"}, told); len(got) != 1 || !strings.HasPrefix(got[0], "secret 2 of 2") {
		t.Errorf("got %q", got)
	}
	if got := crashes([]byte("panic: runtime error\n")); len(got) != 1 {
		t.Errorf("got %q", got)
	}
	if got := crashes(told[0]); got != nil {
		t.Errorf("got %q", got)
	}
}

func TestHarmIsSeen(t *testing.T) {
	const theirs, own = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	h := &hostile{name: "hostile-1", own: own, got: map[string]bool{}}
	h.remember("NotifyAuthKey=" + own + "&NotifyAuth=yes")
	if got := h.robbed([]string{theirs, own}); got != nil {
		t.Errorf("got %q", got)
	}
	h.remember("NotifyAuthKey=" + theirs)
	if got := h.robbed([]string{theirs, own}); len(got) != 1 || !strings.HasPrefix(got[0], "secret 1 of 2") {
		t.Errorf("got %q", got)
	}

	for what, c := range map[string]struct {
		call emulator.Call
		seen bool
	}{
		"its own account":         {call: emulator.Call{Key: "a", Account: "team-1", Status: 200}},
		"another, refused":        {call: emulator.Call{Key: "a", Account: "hostile-1", Status: 404, Code: "InvalidDomain.NotFound"}},
		"another, without effect": {call: emulator.Call{Key: "a", Account: "hostile-1", Status: 200, Fault: true}},
		"another":                 {call: emulator.Call{Key: "a", Account: "hostile-1", Status: 200}, seen: true},
		"a role":                  {call: emulator.Call{Action: "AssumeRole", Account: "hostile-1", Status: 200}, seen: true},
	} {
		w := &world{owners: map[string]string{"a": "team-1"}}
		w.look(c.call, &sample{})
		if seen := len(w.Violations) > 0; seen != c.seen {
			t.Errorf("%s: got %q", what, w.Violations)
		}
		if w.looked != 1 || w.HostileCalls != 0 != isHostile(c.call.Account) {
			t.Errorf("%s: looked at %d, of which hostile: %d", what, w.looked, w.HostileCalls)
		}
	}
}

func TestFiguresOfManyProcesses(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var samples []sample
	for i, drift := range []float64{2, 5, 4, 6, 1, 3} { // at the fourth another process leads
		samples = append(samples, sample{At: start.Add(time.Duration(i) * time.Minute), Process: i / 4, Drift: drift, Resident: float64(100 + i)})
	}
	if got := counted(samples, func(s sample) float64 { return s.Drift }); got != 5+2+3 {
		t.Errorf("%d drifts", got)
	}
	all := lives(samples)
	if len(all) != 2 || all[0].Minutes != 3 || all[0].End.Resident != 103 || all[1].Begin.Resident != 104 || all[1].Minutes != 1 {
		t.Errorf("%+v", all)
	}
}
