// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

const (
	// Settling is how long after a write the cloud may still show the state
	// before it.
	Settling = 60 * time.Second
	// ReadBack is when a write is first read back.
	ReadBack = 5 * time.Second
	// Confirming is for how long nothing has to be shown, where something was written,
	// for it to be gone: a single read may be stale.
	Confirming = 5 * time.Second
	// MaxCorrections of drift are made within WarPeriod; then someone else is
	// taken to write the configuration too.
	MaxCorrections = 5
	// WarPeriod is what MaxCorrections is for.
	WarPeriod = 10 * time.Minute
)

// Situation is what is known of an object and of its configuration in the cloud.
type Situation struct {
	Name    string // of the domain or application, for messages
	Observe bool   // managementPolicy is Observe
	Adopt   bool   // adoptionPolicy is Always
	Report  bool   // driftPolicy is Report

	Owns    bool              // the configuration in the cloud is the object's own
	Held    bool              // it is what the object wrote last, whoever owns it now
	Exists  bool              // the cloud shows a configuration
	Missing bool              // it showed none a while ago already, as it does now
	Diff    []live.Difference // what it shows, where that differs from the spec
	Unread  bool              // a field that the cloud never shows is to become another than was last written
	Changed bool              // the spec or the key is another than what was last written
	Rotated bool              // the key alone is
	Unsure  bool              // a write may have arrived in whole, in part, or not at all

	Age       time.Duration // since the last write; negative if there was none
	Corrected int           // corrections of drift within WarPeriod
	Spelled   bool          // all that differs is the cloud's spelling of what was written
	Respelled bool          // which it showed after two writes
}

// recent tells that the cloud may still show the state before the last write.
func (s Situation) recent() bool { return s.Age >= 0 && s.Age < Settling }

// Action is what is to be done about a configuration.
type Action string

// Actions.
const (
	// Settle: the cloud holds the spec, and the object owns it.
	Settle Action = "settle"
	// Adopt: the cloud holds the spec without the object's doing; own it.
	Adopt Action = "adopt"
	// Report: the cloud differs, and is left as it is.
	Report Action = "report"
	// Refuse: the cloud holds something that is not the object's to replace.
	Refuse Action = "refuse"
	// Await: a write was accepted and does not show yet.
	Await Action = "await"
	// Confirm: what was there is not shown any more; look again before that is believed.
	Confirm Action = "confirm"
	// Yield: someone keeps reverting the object; leave it for now.
	Yield Action = "yield"
	// Create, Complete, Replace, Apply, Respell and Correct write the spec: where
	// there is nothing; over what is equal as far as it can be read; over another's
	// configuration; after a change of the spec or the key; to see whether the cloud
	// spells a value in its own way; over a change made in the cloud.
	Create   Action = "create"
	Complete Action = "complete"
	Replace  Action = "replace"
	Apply    Action = "apply"
	Respell  Action = "respell"
	Correct  Action = "correct"
)

// Writes tells whether the action writes to the cloud.
func (a Action) Writes() bool {
	return slices.Contains([]Action{Create, Complete, Replace, Apply, Respell, Correct}, a)
}

// Plan is what is to be done, and what there is to say about it.
type Plan struct {
	Action Action
	// Diff is what differs between the cloud and the spec.
	Diff []live.Difference
	// Drifted are the fields that changed in the cloud behind the object's back.
	Drifted []string
	// Verdict is what Ready says once the action is done.
	Verdict Verdict
	// Event and Note tell of the action once it is done; "" for nothing to tell.
	Event, Note string
}

// Verdict is what the condition Ready says.
type Verdict struct {
	Ready   metav1.ConditionStatus
	Reason  string
	Message string
	// Stalled: no retry will help until someone acts.
	Stalled bool
	// Transient: it may pass by itself.
	Transient bool
	// Event is a warning to give when Ready comes to say this; "" for none.
	Event string
	// After is when to look again; 0 leaves it to the schedule.
	After time.Duration
}

// Decide says what is to be done in a situation.
func Decide(s Situation) Plan {
	p := Plan{Action: s.action(), Diff: s.Diff}
	fields := strings.Join(live.Names(s.Diff), ", ")
	switch p.Action {
	case Settle, Adopt:
		p.Verdict = inSync(s)
	case Report:
		p.Verdict = verdict(metav1.ConditionTrue, v1alpha1.ReasonObserved, readOnly)
	case Refuse:
		p.Verdict = existing(s.Name, fields)
	case Await:
		p.Verdict = awaiting(s.Age, fields)
	case Confirm:
		p.Verdict = verdict(metav1.ConditionUnknown, v1alpha1.ReasonProgressing, "The cloud shows nothing where this was written; it is looked at again before that is believed.")
		p.Verdict.After = Confirming
	case Yield:
		p.Verdict = verdict(metav1.ConditionUnknown, v1alpha1.ReasonProgressing,
			"Someone keeps changing %s in the cloud: it was corrected %d times in %s. Find who else writes it; the operator corrects it again later. %s",
			fields, MaxCorrections, Short(WarPeriod), Shown(s.Diff))
		p.Verdict.After = WarPeriod / 2
	default:
		p.Verdict = verdict(metav1.ConditionTrue, v1alpha1.ReasonApplied, "The cloud accepted this configuration; it will be read back.")
		p.Verdict.After = ReadBack
	}
	p.Drifted = s.drifted(p.Action)
	p.Event, p.Note = s.tell(p.Action, fields)
	return p
}

// action is the table of decisions.
func (s Situation) action() Action {
	same := len(s.Diff) == 0
	switch {
	case s.Observe && same:
		return Settle
	case s.Observe:
		return Report
	case !s.Owns && !s.Exists:
		return Create
	case !s.Owns && same && s.Unread:
		return Complete
	case !s.Owns && same:
		return Adopt
	case !s.Owns && s.Held:
		return Apply
	case !s.Owns && s.Adopt:
		return Replace
	case !s.Owns:
		return Refuse
	case s.Unsure, s.Unread:
		return Apply
	case s.Changed && (!same || s.recent()):
		// What was read within Settling may be the state before the last write,
		// which was another: a spec that changed there and back.
		return Apply
	case same || s.Respelled:
		return Settle
	case s.recent():
		return Await
	case !s.Exists && !s.Missing:
		return Confirm
	case s.Spelled:
		return Respell
	case s.Report:
		return Report
	case s.Corrected >= MaxCorrections:
		return Yield
	default:
		return Correct
	}
}

// drifted names what changed in the cloud. Where a key that was rotated is about
// to be written with all the rest, that is what differs besides.
func (s Situation) drifted(a Action) []string {
	switch {
	case a == Correct || a == Yield || a == Report && !s.Observe:
		return live.Names(s.Diff)
	case a == Apply && s.Rotated && !s.Unsure && !s.recent():
		return slices.DeleteFunc(live.Names(s.Diff), func(name string) bool { return name == live.AuthenticationField })
	default:
		return nil
	}
}

// tell returns the event of an action that was done.
func (s Situation) tell(a Action, fields string) (event, note string) {
	switch {
	case a == Adopt:
		return v1alpha1.EventAdopted, fmt.Sprintf("The cloud already held this configuration for %s; it is managed from now on", s.Name)
	case a == Complete:
		return v1alpha1.EventAdopted, fmt.Sprintf("The cloud already held what can be read of this configuration for %s; the rest was written, and all of it is managed from now on", s.Name)
	case a == Replace:
		return v1alpha1.EventAdopted, fmt.Sprintf("Replaced another configuration of %s, which differed in %s", s.Name, fields)
	case a == Correct:
		return v1alpha1.EventDriftCorrected, fmt.Sprintf("Restored %s of %s", fields, s.Name)
	case (a == Create || a == Apply) && fields == "":
		return v1alpha1.EventApplied, fmt.Sprintf("Wrote the configuration of %s", s.Name)
	case a == Create || a == Apply:
		return v1alpha1.EventApplied, fmt.Sprintf("Wrote %s of %s", fields, s.Name)
	default:
		return "", ""
	}
}

const readOnly = "The cloud was read; Drifted tells whether it differs from this spec. Nothing is written."

func inSync(s Situation) Verdict {
	switch {
	case s.Observe:
		return verdict(metav1.ConditionTrue, v1alpha1.ReasonObserved, readOnly)
	case s.Respelled && len(s.Diff) > 0:
		return verdict(metav1.ConditionTrue, v1alpha1.ReasonInSync,
			"The cloud holds this configuration, and shows it in a spelling of its own after each write. %s", Shown(s.Diff))
	default:
		return verdict(metav1.ConditionTrue, v1alpha1.ReasonInSync, "The cloud holds this configuration.")
	}
}

// awaiting is looked at again after as long as has passed, and at the latest when
// what shows is drift.
func awaiting(age time.Duration, fields string) Verdict {
	v := verdict(metav1.ConditionTrue, v1alpha1.ReasonApplied,
		"The cloud accepted this configuration, but still shows another in %s. If it does so %s after the write, that is drift.", fields, Short(Settling))
	v.After = min(max(age, ReadBack), Settling-age)
	return v
}

// existing is the verdict on a configuration that is not the object's to replace.
func existing(name, fields string) Verdict {
	return stalled(v1alpha1.ReasonExistingConfiguration, v1alpha1.EventConflict, fmt.Sprintf(
		"The cloud already holds another configuration for %s; it differs in %s. Set adoptionPolicy: Always to replace it, or make this spec equal to it.", name, fields))
}

func verdict(ready metav1.ConditionStatus, reason, format string, args ...any) Verdict {
	return Verdict{Ready: ready, Reason: reason, Message: strings.TrimSpace(fmt.Sprintf(format, args...))}
}

// Short writes a duration without its zero parts: 1h, not 1h0m0s.
func Short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// shownLength bounds a value in a message, in bytes.
const shownLength = 200

// Shown says what the cloud shows and what the spec has, field by field.
func Shown(diff []live.Difference) string {
	var b strings.Builder
	for _, d := range diff {
		if !d.Secret {
			fmt.Fprintf(&b, "The cloud shows %s %q where this spec has %q. ", d.Name, live.Bound(d.Have, shownLength), live.Bound(d.Want, shownLength))
		}
	}
	return strings.TrimSpace(b.String())
}
