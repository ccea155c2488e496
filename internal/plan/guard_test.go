// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

func TestJudge(t *testing.T) {
	g := Guard{Window: 10 * time.Minute, MaxFailures: 2}
	report := g
	report.Report = true
	cases := map[string]struct {
		watched Watched
		want    v1alpha1.ChangeState
	}{
		"nothing failed, and time is left":            {Watched{Guard: g, Elapsed: time.Minute, Complete: true}, v1alpha1.ChangeWatching},
		"nothing failed until the end":                {Watched{Guard: g, Elapsed: 10 * time.Minute, Complete: true}, v1alpha1.ChangeAccepted},
		"too few failed until the end":                {Watched{Guard: g, Failed: 1, Elapsed: 10 * time.Minute, Complete: true}, v1alpha1.ChangeAccepted},
		"the end, and not all is counted":             {Watched{Guard: g, Elapsed: 10 * time.Minute}, v1alpha1.ChangeWatching},
		"twice the window, and never is all counted":  {Watched{Guard: g, Elapsed: 20 * time.Minute}, v1alpha1.ChangeAccepted},
		"the end, and the cloud shows something else": {Watched{Guard: g, Elapsed: 20 * time.Minute, Complete: true, Absent: true}, v1alpha1.ChangeWatching},
		"enough failed":                               {Watched{Guard: g, Failed: 2, Elapsed: time.Second, Complete: true}, v1alpha1.ChangeRollingBack},
		"enough failed of what is counted":            {Watched{Guard: g, Failed: 2, Elapsed: time.Second}, v1alpha1.ChangeRollingBack},
		"enough failed at the very end":               {Watched{Guard: g, Failed: 2, Elapsed: 10 * time.Minute, Complete: true}, v1alpha1.ChangeRollingBack},
		"enough failed, and it is to be reported":     {Watched{Guard: report, Failed: 2, Complete: true}, v1alpha1.ChangeFailed},
		"enough failed after a new key":               {Watched{Guard: g, Failed: 2, Complete: true, Lasting: "only the key changed"}, v1alpha1.ChangeFailed},
		"enough failed, and nobody knows the other":   {Watched{Guard: g, Failed: 2, Complete: true, Lasting: "not known"}, v1alpha1.ChangeFailed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.watched.Judge(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestGuardOfHasTheDefaultsOfTheSchema(t *testing.T) {
	if got, want := GuardOf(v1alpha1.GuardSpec{}), (Guard{Window: 10 * time.Minute, MaxFailures: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTellHasAStatusForEachState(t *testing.T) {
	g := Guard{Window: 10 * time.Minute, MaxFailures: 2}
	want := map[v1alpha1.ChangeState]struct {
		status metav1.ConditionStatus
		reason string
	}{
		v1alpha1.ChangeWriting:     {metav1.ConditionUnknown, v1alpha1.ReasonWatching},
		v1alpha1.ChangeWatching:    {metav1.ConditionUnknown, v1alpha1.ReasonWatching},
		v1alpha1.ChangeAccepted:    {metav1.ConditionTrue, v1alpha1.ReasonAccepted},
		v1alpha1.ChangeRollingBack: {metav1.ConditionFalse, v1alpha1.ReasonChangeFailed}, // it is not done yet
		v1alpha1.ChangeRolledBack:  {metav1.ConditionFalse, v1alpha1.ReasonRolledBack},
		v1alpha1.ChangeFailed:      {metav1.ConditionFalse, v1alpha1.ReasonChangeFailed},
	}
	for state, w := range want {
		got := g.Tell(v1alpha1.GuardedChange{State: state, Generation: 2}, "")
		if got.Ready != w.status || got.Reason != w.reason || got.Message == "" {
			t.Errorf("%s: got %+v, want %s %s", state, got, w.status, w.reason)
		}
	}
}

func TestLasting(t *testing.T) {
	config := func(notify, onSwitch string) []live.Field {
		return live.StreamConfig{NotifyURL: notify, SwitchNotifyURL: onSwitch}.Fields()
	}
	cases := map[string]struct {
		before, after []live.Field
		want          string // part of it; "" if the change can be undone
	}{
		"a URL changed":                            {config("a", "s"), config("b", "s"), ""},
		"a URL and an unreadable one changed":      {config("a", "s"), config("b", "t"), ""},
		"an unreadable one alone changed":          {config("a", "s"), config("a", "t"), "only switchNotifyURL changed"},
		"an unreadable one alone came":             {config("a", ""), config("a", "t"), "only switchNotifyURL changed"},
		"nothing but the key changed":              {config("a", "s"), config("a", "s"), "only the key changed"},
		"the configuration before it is not known": {nil, config("a", "s"), "is not known"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := Lasting(c.before, c.after)
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCourse(t *testing.T) {
	last := func(state v1alpha1.ChangeState, generation int64) *v1alpha1.GuardedChange {
		return &v1alpha1.GuardedChange{State: state, Generation: generation, KeyFingerprint: "1:a"}
	}
	cases := map[string]struct {
		standing Standing
		want     Course
	}{
		"nothing is new":                             {Standing{}, Follow},
		"the spec asks for something else":           {Standing{Other: true}, Change},
		"the key was rotated":                        {Standing{Rotated: true}, Change},
		"the spec goes back":                         {Standing{Other: true, Back: true}, Follow},
		"a change is watched":                        {Standing{Last: last(v1alpha1.ChangeWatching, 2), Generation: 2}, Follow},
		"a write was cut short":                      {Standing{Last: last(v1alpha1.ChangeWriting, 2), Generation: 2}, Change},
		"a roll-back was cut short":                  {Standing{Last: last(v1alpha1.ChangeRollingBack, 2), Generation: 2, Other: true, Asked: true, Key: "1:b"}, Undone},
		"a roll-back was cut short by a newer spec":  {Standing{Last: last(v1alpha1.ChangeRollingBack, 2), Generation: 3, Other: true}, Change},
		"it was undone":                              {Standing{Last: last(v1alpha1.ChangeRolledBack, 2), Generation: 2, Other: true, Key: "1:a"}, Undone},
		"it was undone, and the Secret is gone":      {Standing{Last: last(v1alpha1.ChangeRolledBack, 2), Generation: 2, Other: true}, Undone},
		"it was undone, and the key is another":      {Standing{Last: last(v1alpha1.ChangeRolledBack, 2), Generation: 2, Other: true, Key: "1:b"}, Change},
		"it was undone, and someone asks":            {Standing{Last: last(v1alpha1.ChangeRolledBack, 2), Generation: 2, Other: true, Asked: true}, Change},
		"it was undone, and the spec is another":     {Standing{Last: last(v1alpha1.ChangeRolledBack, 2), Generation: 3, Other: true}, Change},
		"it was undone, and the spec goes back":      {Standing{Last: last(v1alpha1.ChangeRolledBack, 2), Generation: 3, Back: true}, Follow},
		"it failed, and was left":                    {Standing{Last: last(v1alpha1.ChangeFailed, 2), Generation: 2}, Follow},
		"it waits, and is still to be written":       {Standing{Last: last(v1alpha1.ChangeWaiting, 2), Generation: 2, Other: true}, Change},
		"it waits, and the spec is as it was before": {Standing{Last: last(v1alpha1.ChangeWaiting, 2), Generation: 3}, Follow},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.standing.Course(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestNoFewerThanNoneFailed: whatever a status says.
func TestNoFewerThanNoneFailed(t *testing.T) {
	for _, state := range []v1alpha1.ChangeState{v1alpha1.ChangeWatching, v1alpha1.ChangeAccepted, v1alpha1.ChangeRollingBack, v1alpha1.ChangeRolledBack, v1alpha1.ChangeFailed} {
		c := v1alpha1.GuardedChange{State: state, Failed: -9}
		for _, told := range []Verdict{Guard{MaxFailures: 1}.Tell(c, ""), RolledBack(c)} {
			if !strings.Contains(told.Message, "0 callbacks") {
				t.Errorf("%s: %s", state, told.Message)
			}
		}
	}
}
