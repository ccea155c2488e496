// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/words"
)

// WatchEvery is how often the failed callbacks of a change are counted.
const WatchEvery = 30 * time.Second

// Guard is how a change is watched.
type Guard struct {
	Window      time.Duration
	MaxFailures int64
	Report      bool // onFailure is Report
}

// GuardOf returns the guard of a spec, with the defaults of the schema.
func GuardOf(spec v1alpha1.GuardSpec) Guard {
	return Guard{
		Window: cmp.Or(spec.Window.Duration, 10*time.Minute), MaxFailures: max(int64(spec.MaxFailures), 1),
		Report: spec.OnFailure == v1alpha1.OnFailureReport,
	}
}

// Course is what a guard makes of a pass over an object.
type Course string

// Courses.
const (
	// Follow: the cloud is brought to the spec, and there is nothing new to watch.
	Follow Course = "follow"
	// Change: so it is, and that is a change to watch.
	Change Course = "change"
	// Undone: it is brought to what was before a change that failed.
	Undone Course = "undone"
)

// Standing is how an object under a guard stands to its last change.
type Standing struct {
	Last       *v1alpha1.GuardedChange // nil for none
	Generation int64
	Key        string // fingerprint of it as it is; "" for none
	Asked      bool   // someone asks for another try
	Back       bool   // the spec goes back to what was accepted, from something else
	Other      bool   // it asks for another configuration than was last written
	Rotated    bool   // the key is another than was last written
}

// Course decides. A roll-back that has begun is finished, and a change that was
// undone is not tried again before someone acts.
func (s Standing) Course() Course {
	last := v1alpha1.GuardedChange{}
	if s.Last != nil {
		last = *s.Last
	}
	same := last.Generation == s.Generation
	newKey := s.Key != "" && s.Key != last.KeyFingerprint
	begun := last.State == v1alpha1.ChangeWriting || last.State == v1alpha1.ChangeRollingBack || last.State == v1alpha1.ChangeRolledBack
	switch {
	case same && last.State == v1alpha1.ChangeRollingBack, same && last.State == v1alpha1.ChangeRolledBack && !newKey && !s.Asked:
		return Undone
	case s.Back:
		return Follow
	case s.Other || s.Rotated || begun:
		return Change
	default:
		return Follow
	}
}

// Watched is what is known of a change that was written.
type Watched struct {
	Guard
	Failed   int64
	Elapsed  time.Duration // from the write to the end of what was counted
	Complete bool          // all up to then was counted
	Absent   bool          // the cloud shows something else
	Lasting  string        // why it cannot be undone; "" if it can
}

// Judge says what becomes of the change.
func (w Watched) Judge() v1alpha1.ChangeState {
	switch {
	case w.Failed >= w.MaxFailures && (w.Report || w.Lasting != ""):
		return v1alpha1.ChangeFailed
	case w.Failed >= w.MaxFailures:
		return v1alpha1.ChangeRollingBack
	case w.Elapsed >= w.Window && !w.Absent && (w.Complete || w.Elapsed >= 2*w.Window):
		return v1alpha1.ChangeAccepted
	default:
		return v1alpha1.ChangeWatching
	}
}

// Lasting says why a change from one configuration to another cannot be undone; ""
// if it can. None before is one that is not known.
func Lasting(before, after []live.Field) string {
	if len(before) == 0 {
		return "the configuration before it is not known"
	}
	var changed []string
	for i, f := range after {
		switch {
		case f.Value == before[i].Value:
		case f.WriteOnly:
			changed = append(changed, f.Name)
		default:
			return ""
		}
	}
	if len(changed) == 0 {
		return "only the key changed, and the operator does not keep the key before it"
	}
	return fmt.Sprintf("only %s changed, which the cloud never shows, so that nobody can tell what it held before", strings.Join(changed, ", "))
}

// Tell is what ChangeAccepted says of how a change fares. Lasting says why a change
// that failed was not undone.
func (g Guard) Tell(c v1alpha1.GuardedChange, lasting string) Verdict {
	failed := fmt.Sprintf("%s failed after the change of generation %d, of which the guard allows fewer than %d%s",
		callbacks(c), c.Generation, g.MaxFailures, words.Sentence(Last(c.LastFailure)))
	switch c.State {
	case v1alpha1.ChangeWatching:
		until := "its end"
		if c.WrittenTime != nil {
			until = c.WrittenTime.Add(g.Window).UTC().Format(time.RFC3339)
		}
		return verdict(metav1.ConditionUnknown, v1alpha1.ReasonWatching,
			"The change of generation %d is watched until %s: %s failed so far, and with %d it fails.", c.Generation, until, callbacks(c), g.MaxFailures)
	case v1alpha1.ChangeAccepted:
		return verdict(metav1.ConditionTrue, v1alpha1.ReasonAccepted,
			"Within the window after the change of generation %d, %s failed, fewer than %d.", c.Generation, callbacks(c), g.MaxFailures)
	case v1alpha1.ChangeRollingBack:
		return verdict(metav1.ConditionFalse, v1alpha1.ReasonChangeFailed,
			"%s The configuration before it is to be written again, and is not in the cloud yet: see what Ready says.", failed)
	case v1alpha1.ChangeRolledBack:
		return verdict(metav1.ConditionFalse, v1alpha1.ReasonRolledBack, "%s The configuration before it is in the cloud again.", failed)
	case v1alpha1.ChangeFailed:
		if lasting == "" {
			lasting = "onFailure is Report"
		}
		return verdict(metav1.ConditionFalse, v1alpha1.ReasonChangeFailed, "%s It was left as it is: %s. Look at the receiver.", failed, lasting)
	default:
		return verdict(metav1.ConditionUnknown, v1alpha1.ReasonWatching, "The change of generation %d is about to be written.", c.Generation)
	}
}

// callbacks tells how many failed after a change. No status can say fewer than none.
func callbacks(c v1alpha1.GuardedChange) string { return words.Count(max(c.Failed, 0), "callback") }

// RolledBack is the verdict on an object whose last change was undone. Nothing is
// to be tried until someone acts, and what is in the cloud is looked after as
// usual.
func RolledBack(c v1alpha1.GuardedChange) Verdict {
	v := verdict(metav1.ConditionFalse, v1alpha1.ReasonRolledBack,
		"%s failed after the last change%s The cloud holds the configuration before it. Mend the receiver or this spec; the operator tries again when the spec or the Secret changes, or when the annotation %s has a new value.",
		callbacks(c), words.Sentence(Last(c.LastFailure)), v1alpha1.AnnotationReconcileRequestedAt)
	v.Stalled = true
	return v
}

// Last says what failed last, as the rest of a sentence.
func Last(f *v1alpha1.CallbackFailure) string {
	if f == nil {
		return ""
	}
	var b strings.Builder
	for _, part := range []struct{ before, text string }{{" ", f.Type}, {" to ", f.URL}, {": ", f.Reason}} {
		if part.text != "" {
			b.WriteString(part.before + part.text)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "; the last was" + b.String()
}
