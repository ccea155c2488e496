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

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/test/system"
)

// life is a process sampled for some minutes, with what grows by the minute.
func life(process int, start time.Time, minutes int, resident, files float64) (samples []sample) {
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
		"a steady process":                {samples: life(0, start, 30, 0, 0)},
		"a leak of memory":                {samples: life(0, start, 30, 2, 0), want: []string{"resident memory, MiB"}},
		"a leak of files":                 {samples: life(0, start, 30, 0, 1), want: []string{"open files"}},
		"one that was killed had a leak":  {samples: append(life(0, start, 30, 9, 9), life(1, start.Add(time.Hour), 30, 0, 0)...)},
		"the last one has, after a death": {samples: append(life(0, start, 30, 0, 0), life(1, start.Add(time.Hour), 30, 0, 1)...), want: []string{"open files"}},
	} {
		var grew []string
		for _, g := range growths(c.samples) {
			if g.Late > g.Most {
				grew = append(grew, g.Figure)
			}
		}
		if !slices.Equal(grew, c.want) {
			t.Errorf("%s: %v grew, want %v", what, grew, c.want)
		}
	}
	if got := growths(life(0, start, 2, 9, 9)); got != nil {
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
		"no counts": {owner: with(inSync(), func(o kind.Object) {
			_, s := o.Callback()
			meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: v1alpha1.ConditionCallbacksHealthy, Status: metav1.ConditionUnknown})
		}), have: want, want: "not counted"},
	} {
		got := judgeSlot(slot{kind: system.Kinds[0], name: "a", key: "a.example.com"}, c.owner, c.loser, c.key, c.have)
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
		s, err := asSeen(o)
		if err != nil {
			t.Fatal(err)
		}
		return still{requests: 7, objects: map[string]seen{"a": s}}
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
