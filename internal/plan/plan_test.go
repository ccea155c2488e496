// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/internal/live"
)

const long = time.Hour

var diff = []live.Difference{{Name: "notifyURL", Have: "https://was.example.com", Want: "https://is.example.com"}}

func TestDecide(t *testing.T) {
	cases := map[string]struct {
		situation Situation
		want      Action
	}{
		"nothing there":                              {Situation{Diff: diff, Age: -1}, Create},
		"nothing there that could be read":           {Situation{Unread: true, Age: -1}, Create},
		"nothing there, but only looking":            {Situation{Observe: true, Diff: diff, Age: -1}, Report},
		"the same, but only looking":                 {Situation{Observe: true, Exists: true, Age: -1}, Settle},
		"the same already":                           {Situation{Exists: true, Age: -1}, Adopt},
		"the same already, as far as it can be read": {Situation{Exists: true, Unread: true, Age: -1}, Complete},
		"something else":                             {Situation{Exists: true, Diff: diff, Age: -1}, Refuse},
		"something else, to be replaced":             {Situation{Exists: true, Diff: diff, Adopt: true, Age: -1}, Replace},
		"what we once wrote, not owned since":        {Situation{Exists: true, Held: true, Diff: diff, Age: long}, Apply},
		"owned, and a write in doubt":                {Situation{Owns: true, Exists: true, Unsure: true, Age: long}, Apply},
		"owned, and a write in doubt that shows":     {Situation{Owns: true, Exists: true, Unsure: true, Age: time.Second}, Apply},
		"a new spec":                                 {Situation{Owns: true, Exists: true, Diff: diff, Changed: true, Age: long}, Apply},
		"a new spec right after a write":             {Situation{Owns: true, Exists: true, Diff: diff, Changed: true, Age: time.Second}, Apply},
		"a new spec that an old read seems to hold":  {Situation{Owns: true, Exists: true, Changed: true, Age: time.Second}, Apply},
		"a new spec that the cloud holds":            {Situation{Owns: true, Exists: true, Changed: true, Age: long}, Settle},
		"a new value that cannot be read":            {Situation{Owns: true, Exists: true, Changed: true, Unread: true, Age: long}, Apply},
		"in sync":                                    {Situation{Owns: true, Exists: true, Age: long}, Settle},
		"a write that does not show yet":             {Situation{Owns: true, Exists: true, Diff: diff, Age: Settling - 1}, Await},
		"drift":                                      {Situation{Owns: true, Exists: true, Diff: diff, Age: Settling}, Correct},
		"drift of what was adopted":                  {Situation{Owns: true, Exists: true, Diff: diff, Age: -1}, Correct},
		"it does not show":                           {Situation{Owns: true, Diff: diff, Age: long}, Confirm},
		"it does not show, as before":                {Situation{Owns: true, Diff: diff, Missing: true, Age: long}, Correct},
		"it does not show, and may be left so":       {Situation{Owns: true, Diff: diff, Report: true, Age: long}, Confirm},
		"drift to be reported":                       {Situation{Owns: true, Exists: true, Diff: diff, Report: true, Age: long}, Report},
		"drift to be reported, and a new spec":       {Situation{Owns: true, Exists: true, Diff: diff, Report: true, Changed: true, Age: long}, Apply},
		"too much drift":                             {Situation{Owns: true, Exists: true, Diff: diff, Corrected: MaxCorrections, Age: long}, Yield},
		"too much drift, but a new spec":             {Situation{Owns: true, Exists: true, Diff: diff, Corrected: MaxCorrections, Changed: true, Age: long}, Apply},
		"a spelling of the cloud, seen once":         {Situation{Owns: true, Exists: true, Diff: diff, Spelled: true, Age: long}, Respell},
		"a spelling of the cloud, seen twice":        {Situation{Owns: true, Exists: true, Diff: diff, Spelled: true, Respelled: true, Age: long}, Settle},
		"a spelling of another's configuration":      {Situation{Exists: true, Diff: diff, Spelled: true, Age: -1}, Refuse},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Decide(c.situation); got.Action != c.want {
				t.Errorf("got %s, want %s", got.Action, c.want)
			}
		})
	}
}

// situations calls a function with every situation there is.
func situations(call func(Situation)) {
	for bits := range 1 << 13 {
		is := func(i int) bool { return bits&(1<<i) != 0 }
		s := Situation{
			Name: "push.example.com", Observe: is(0), Adopt: is(1), Report: is(2), Owns: is(3), Held: is(4), Exists: is(5),
			Unread: is(6), Changed: is(7), Unsure: is(8), Spelled: is(9), Age: long,
		}
		if is(10) {
			s.Diff = diff
		}
		if is(11) {
			s.Corrected = MaxCorrections
		}
		s.Respelled = s.Spelled && is(12)
		call(s)
	}
}

// TestOnlyWhoMayWriteWrites goes through every situation there is.
func TestOnlyWhoMayWriteWrites(t *testing.T) {
	situations(func(s Situation) {
		got := Decide(s).Action
		if s.Observe && got.Writes() {
			t.Errorf("an object that observes writes: %+v: %s", s, got)
		}
		if !s.Owns && s.Exists && len(s.Diff) > 0 && !s.Adopt && !s.Held && got.Writes() {
			t.Errorf("what is not ours is replaced: %+v: %s", s, got)
		}
		if s.Report && s.Owns && !s.Changed && !s.Unsure && !s.Unread && !s.Spelled && got.Writes() {
			t.Errorf("drift that is to be reported is corrected: %+v: %s", s, got)
		}
		if s.Owns && (s.Unsure || s.Unread) && !s.Observe && got != Apply {
			t.Errorf("what is not known is taken to be as wanted: %+v: %s", s, got)
		}
	})
}

// TestEveryPlanSaysWhy goes through every situation there is.
func TestEveryPlanSaysWhy(t *testing.T) {
	situations(func(s Situation) {
		p := Decide(s)
		switch {
		case p.Verdict.Message == "" || p.Verdict.Reason == "" || p.Verdict.Ready == "":
			t.Errorf("no verdict: %+v: %+v", s, p)
		case strings.Contains(p.Verdict.Message, "%!"):
			t.Errorf("a message that was not put together: %q", p.Verdict.Message)
		case p.Action.Writes() && p.Action != Respell && (p.Event == "" || p.Note == ""):
			t.Errorf("a write that nobody is told of: %+v: %+v", s, p)
		case p.Verdict.Stalled && p.Verdict.Ready != metav1.ConditionFalse:
			t.Errorf("stalled, but not False: %+v", p)
		case len(p.Drifted) > 0 && !s.Owns:
			t.Errorf("what was never the object's has drifted: %+v: %+v", s, p)
		}
	})
}

func TestDriftBesidesARotatedKey(t *testing.T) {
	both := append(slices.Clone(diff), live.Difference{Name: live.AuthenticationField, Secret: true})
	p := Decide(Situation{Owns: true, Exists: true, Diff: both, Changed: true, Rotated: true, Age: long})
	if !slices.Equal(p.Drifted, []string{"notifyURL"}) {
		t.Errorf("drifted: %v", p.Drifted)
	}
}

// TestSecretsAreNotShown: the values of a secret difference are in no message.
func TestSecretsAreNotShown(t *testing.T) {
	secret := []live.Difference{{Name: live.AuthenticationField, Have: "0123456789abcdef", Want: "fedcba9876543210", Secret: true}}
	for _, s := range []Situation{
		{Name: "a", Owns: true, Exists: true, Diff: secret, Age: long, Corrected: MaxCorrections},
		{Name: "a", Owns: true, Exists: true, Diff: secret, Age: long, Respelled: true},
		{Name: "a", Exists: true, Diff: secret, Age: -1},
	} {
		p := Decide(s)
		for _, text := range []string{p.Verdict.Message, p.Note, Shown(secret)} {
			if strings.Contains(text, "0123456789abcdef") || strings.Contains(text, "fedcba9876543210") {
				t.Errorf("%s: %q", p.Action, text)
			}
		}
	}
}

func TestAwaitingLooksAgainInTime(t *testing.T) {
	for age := time.Duration(0); age < Settling; age += time.Second {
		after := Decide(Situation{Owns: true, Exists: true, Diff: diff, Age: age}).Verdict.After
		if after <= 0 || age+after > Settling {
			t.Errorf("%s after the write: looks again after %s", age, after)
		}
	}
}
