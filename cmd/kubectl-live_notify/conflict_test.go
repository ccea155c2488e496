// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// told makes the status of an object as the operator leaves it.
func (w *world) told(name, reason, message string, observed *v1alpha1.LiveNotifyConfigObservation) {
	w.t.Helper()
	o := &v1alpha1.LiveNotifyConfig{}
	if err := api.Get(w.t.Context(), types.NamespacedName{Namespace: w.namespace, Name: name}, o); err != nil {
		w.t.Fatal(err)
	}
	o.Status.Observed = observed
	o.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: reason, Message: message, LastTransitionTime: metav1.Now(),
	}}
	if err := api.Status().Update(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
	}
}

// unsigned makes an object of the domain of world.stream that has another receiver and no
// authentication.
func (w *world) unsigned(name string) {
	w.t.Helper()
	w.apply(&v1alpha1.LiveNotifyConfig{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1alpha1.LiveNotifyConfigSpec{DomainName: "push.example.com", NotifyURL: w.receiver.URL},
	})
}

// What an object says whose domain another one has is not what the cloud does: nothing is
// sent for it, and its callbacks are those of the other one.
func TestConflictIsNotTheOwner(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	w.unsigned("loser")
	winner := "push.example.com belongs to LiveNotifyConfig " + w.namespace + "/push, which comes first."
	w.told("push", v1alpha1.ReasonInSync, "", nil)
	w.told("loser", v1alpha1.ReasonConflict, winner, nil)
	w.missed()
	t.Setenv("XDG_STATE_HOME", t.TempDir())

	alone := w.call("failures", "lnc/loser", "--content", "-o", "jsonl").want(t, exitYes, winner)
	if strings.Count(alone.out, "\n") != 1 {
		t.Errorf("got %s, want one line", alone.out)
	}
	for _, args := range [][]string{{}, {"lnc"}, {"lnc/loser", "lnc/push"}} {
		got := w.call(append([]string{"failures", "-o", "jsonl"}, args...)...).want(t, exitYes, "Warning: livenotifyconfig/loser", winner, "1 of 1 shown")
		if !strings.Contains(got.out, `"name":"push"`) {
			t.Errorf("failures %q: got %s, want it of push", args, got.out)
		}
	}

	for _, args := range [][]string{{"lnc/loser", "--yes"}, {"lnc/push", "lnc/loser", "--yes"}, {"lnc", "loser", "--dry-run"}} {
		w.call(append([]string{"replay"}, args...)...).want(t, exitUsage, "livenotifyconfig/loser", winner)
	}
	w.callWith(t.Context(), alone.out, "replay", "-f", "-", "--yes").want(t, exitNo, "1 not possible", winner)
	if got := w.receiver.requests(); len(got) > 0 {
		t.Fatalf("got %+v", got)
	}
	w.callWith(t.Context(), alone.out+strings.Replace(alone.out, `"loser"`, `"push"`, 1), "replay", "-f", "-", "--dry-run").want(t, exitYes, "1 to deliver, 0 skipped, 0 in doubt.")
	w.call("replay", "lnc", "--yes").want(t, exitYes, "1 delivered", "Warning: livenotifyconfig/loser", winner, "It is left out.")
	if got := w.receiver.requests(); len(got) != 1 || got[0].Header.Get("Ali-Live-Signature") == "" {
		t.Errorf("got %+v, want one that is signed", got)
	}
	w.call("probe", "lnc/loser", "--dry-run").want(t, exitYes, "Warning: livenotifyconfig/loser", winner)
}

// What may be a key is hidden in the records of an object that does not have the key of
// the cloud.
func TestKeyOfAnotherOwnerIsHidden(t *testing.T) {
	for name, tell := range map[string]func(w *world){
		"conflict": func(w *world) { w.told("loser", v1alpha1.ReasonConflict, "", nil) },
		"the cloud signs": func(w *world) {
			w.told("loser", v1alpha1.ReasonObserved, "", &v1alpha1.LiveNotifyConfigObservation{AuthenticationEnabled: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			w.recorded()
			w.unsigned("loser")
			tell(w)
			got := w.call("failures", "lnc/loser", "--content", "-o", "json").want(t, exitYes, "2 of 2 shown")
			if strings.Contains(got.out+got.err, streamKey[1:]) {
				t.Errorf("the key is shown:\n%s%s", got.out, got.err)
			}
		})
	}
}

// That nobody knows whether the cloud signs what is sent unsigned is told, too.
func TestReplayTellsWhatIsNotKnownOfSignatures(t *testing.T) {
	const says = "the operator has not read whether the cloud signs"
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	w.unsigned("plain")
	w.missed()
	w.call("replay", "lnc/plain", "--dry-run").want(t, exitYes, says)
	if got := w.call("replay", "lnc/push", "--dry-run").want(t, exitYes); strings.Contains(got.err, says) {
		t.Errorf("got %s", got.err)
	}
}

// That the cloud signs and the spec does not, or the other way round, is told before
// anything is sent, whichever reason there is for it.
func TestReplayTellsOfAnotherSignature(t *testing.T) {
	for _, reason := range []string{v1alpha1.ReasonObserved, v1alpha1.ReasonSuspended, v1alpha1.ReasonExistingConfiguration} {
		for _, signs := range []bool{false, true} {
			for name, says := range map[string]string{"push": "the cloud does not sign", "plain": "the cloud signs"} {
				t.Run(fmt.Sprintf("%s %t %s", reason, signs, name), func(t *testing.T) {
					w := newWorld(t, emulator.Options{})
					w.stream("push.example.com")
					w.unsigned("plain")
					w.missed()
					w.told(name, reason, "", &v1alpha1.LiveNotifyConfigObservation{AuthenticationEnabled: signs})
					for _, args := range [][]string{{"replay"}, {"replay", "--dry-run"}, {"probe"}} {
						got := w.call(append(args, "lnc/"+name)...)
						if told := strings.Contains(got.err, says); told != (signs != (name == "push")) {
							t.Errorf("%q: told %t: %s", args, told, got.err)
						}
					}
				})
			}
		}
	}
}
