// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// someoneElses puts a configuration into the cloud that no object wrote.
func (d *driver) someoneElses() any {
	d.create("other")
	d.settle("other")
	d.update("other", func(o Object) { spec(o).DeletionPolicy = v1alpha1.DeletionRetain })
	d.remove("other")
	d.pass("other")
	d.f.edit(d.cloud)
	d.calls()
	return d.f.have(d.cloud)
}

func withFinalizer(o Object) { o.SetFinalizers([]string{v1alpha1.Finalizer}) }

// TestAFinalizerAloneOwnsNothing: a manifest that was copied or restored brings its
// finalizer along. It is no proof of anything.
func TestAFinalizerAloneOwnsNothing(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		theirs := d.someoneElses()
		d.create("a", withFinalizer)
		d.until("a", v1alpha1.ReasonExistingConfiguration)
		d.Expect(d.f.have(d.cloud)).To(Equal(theirs))

		// Created and deleted while no operator was there.
		d.create("b", withFinalizer)
		d.remove("a")
		d.pass("a")
		d.remove("b")
		d.pass("b")
		d.Expect(d.gone("a") && d.gone("b")).To(BeTrue())
		d.Expect(d.f.have(d.cloud)).To(Equal(theirs))
		_, writes, _ := d.calls()
		d.Expect(writes).To(BeEmpty())
	})
}

// TestALostFinalizerIsSetAgain: kubectl replace drops it.
func TestALostFinalizerIsSetAgain(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.create("a")
		d.settle("a")
		d.calls()
		d.update("a", func(o Object) { o.SetFinalizers(nil) })
		d.pass("a")
		d.Expect(d.get("a").GetFinalizers()).To(ConsistOf(v1alpha1.Finalizer))
		reads, writes, _ := d.calls()
		d.Expect(append(reads, writes...)).To(BeEmpty())
		d.remove("a")
		d.pass("a")
		d.Expect(d.f.have(d.cloud)).To(BeNil())
	})
}

// TestWhatWasRefusedIsNotOwned: what someone sets up after a refusal is theirs.
func TestWhatWasRefusedIsNotOwned(t *testing.T) {
	for _, code := range []string{"InvalidNotifyUrl.Unsafe", "Forbidden.RAM", "InvalidDomain.NotFound", "Throttling.User"} {
		t.Run(code, func(t *testing.T) {
			forEachKind(t, func(t *testing.T, f fixture) {
				d := simulated(t, f, emulator.Options{})
				d.cloud.Inject(emulator.Fault{Action: f.writes[0], Code: code, Status: http.StatusBadRequest})
				d.create("a")
				d.pass("a")
				d.Expect(kind.Wrote(d.get("a"))).To(BeFalse())
				d.cloud.ClearFaults()
				d.f.edit(d.cloud) // by hand, in the console
				theirs := d.f.have(d.cloud)
				d.calls()
				d.remove("a")
				d.pass("a")
				d.Expect(d.gone("a")).To(BeTrue())
				d.Expect(d.f.have(d.cloud)).To(Equal(theirs))
				_, writes, _ := d.calls()
				d.Expect(writes).To(BeEmpty())
			})
		})
	}
}

// TestARenameLeavesNoGap: the heir gets what the deleted object owned, and
// converges it to its own spec.
func TestARenameLeavesNoGap(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.create("a")
		d.settle("a")
		d.clock.advance(time.Second)
		d.create("b", f.change)
		d.until("b", v1alpha1.ReasonConflict)
		d.calls()
		d.remove("a")
		d.pass("a")
		d.Expect(d.gone("a")).To(BeTrue())
		d.Expect(d.f.have(d.cloud)).NotTo(BeNil())
		obj := d.settle("b")
		d.Expect(d.f.have(d.cloud)).To(Equal(f.want(obj, "")))
		_, writes, _ := d.calls()
		d.Expect(slices.ContainsFunc(writes, func(w string) bool { return strings.HasPrefix(w, "Delete") })).To(BeFalse(), "%v", writes)
		d.remove("b")
		d.pass("b")
		d.Expect(d.f.have(d.cloud)).To(BeNil())
	})
}

// TestWhatNobodyWorksOn: an object that is in no operator's scope keeps nobody from a
// domain for long, and inherits nothing: it could never be deleted.
func TestWhatNobodyWorksOn(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.r.(*Reconciler).scope = Scope{Selector: labels.SelectorFromSet(labels.Set{"shard": "a"})}
		d.create("stray")
		d.clock.advance(time.Second)
		d.create("served", func(o Object) { o.SetLabels(map[string]string{"shard": "a"}) })
		d.until("served", v1alpha1.ReasonConflict) // another operator may be about to look at the other one
		obj := d.settle("served")
		d.Expect(d.f.have(d.cloud)).To(Equal(f.want(obj, "")))
		d.remove("served")
		d.until404("served")
		d.Expect(d.f.have(d.cloud)).To(BeNil())
		d.Expect(d.get("stray").GetFinalizers()).To(BeEmpty())
	})
}

// TestLeavingWhileBeingDeleted: who loses the label of its shard while its removal is
// held up goes, and an event says what stays.
func TestLeavingWhileBeingDeleted(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.r.(*Reconciler).scope = Scope{Selector: labels.SelectorFromSet(labels.Set{"shard": "a"})}
		d.create("a", func(o Object) { o.SetLabels(map[string]string{"shard": "a"}) })
		d.settle("a")
		d.cloud.Inject(emulator.Fault{Code: "Forbidden.RAM", Status: 403})
		d.remove("a")
		d.pass("a")
		d.Expect(d.gone("a")).To(BeFalse())
		d.update("a", func(o Object) { o.SetLabels(nil) })
		d.pass("a")
		d.Expect(d.gone("a")).To(BeTrue())
		d.expectEvent("a", v1alpha1.EventRetained)
		d.Expect(d.f.have(d.cloud)).NotTo(BeNil())
	})
}

// TestNextInLineIsOneThatMay removes the object that comes first of many. The older
// ones among those that are left cannot have the domain: it is the one that can
// that is woken.
func TestNextInLineIsOneThatMay(t *testing.T) {
	d := simulated(t, streamFixture(), emulator.Options{})
	for i := range 8 {
		name := fmt.Sprintf("unable-%d", i)
		d.create(name, viaAccount)
		d.until(name, v1alpha1.ReasonAccountNotReady)
	}
	d.nextSecond()
	d.create("first", func(o Object) { spec(o).ManagementPolicy = v1alpha1.Observe })
	d.until("first", v1alpha1.ReasonObserved)
	d.nextSecond()
	d.create("next")
	d.until("next", v1alpha1.ReasonConflict)

	first := d.get("first")
	d.remove("first")
	d.Expect(d.r.(*Reconciler).nextInLine(t.Context(), first)).To(Equal(requestsFor(d.get("next"))))
}

// TestNamingADomainKeepsNobodyFromIt: an older object of another account that
// cannot have the domain has no claim on it.
func TestNamingADomainKeepsNobodyFromIt(t *testing.T) {
	squatters := map[string]func(*driver){
		"whose account does not exist": func(d *driver) {
			d.create("squatter", func(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: "nobody"} })
			d.pass("squatter")
		},
		"that no operator ever looked at": func(d *driver) {
			d.create("squatter", func(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: "nobody"} })
			d.clock.advance(2 * kind.Unseen)
		},
		"that is suspended": func(d *driver) {
			d.haveAccount("theirs")
			d.create("squatter", func(o Object) {
				spec(o).AccountRef, spec(o).Suspend = &v1alpha1.AccountReference{Name: "theirs"}, true
			})
			d.pass("squatter")
		},
	}
	for name, squat := range squatters {
		t.Run(name, func(t *testing.T) {
			forEachKind(t, func(t *testing.T, f fixture) {
				d := simulated(t, f, emulator.Options{})
				squat(d)
				d.clock.advance(time.Second)
				d.create("owner")
				obj := d.settle("owner")
				d.Expect(d.f.have(d.cloud)).To(Equal(f.want(obj, "")))

				// Nor does touching the older object take it away.
				d.update("squatter", f.change)
				d.pass("squatter")
				d.passes("owner", 20*time.Minute)
				d.Expect(readyReason(d.get("owner"))).To(Equal(v1alpha1.ReasonInSync))
			})
		})
	}
}

// TestUpgradeFromTheStatusOfBefore: what the versions before noted as applied had
// no UID, and revisions without a format. Nothing is written for it.
func TestUpgradeFromTheStatusOfBefore(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.secret(firstKey)
		d.create("a", f.sign)
		d.settle("a")
		obj := d.get("a")
		before := obj.DeepCopyObject().(Object)
		a := statusOf(obj).Applied
		statusOf(obj).Applied = &v1alpha1.Applied{Revision: "0123456789abcdef0123456789abcdef", SecretVersion: a.SecretVersion, Time: a.Time}
		d.Expect(d.api.Status().Patch(d.ctx, obj, client.MergeFrom(before))).To(Succeed())
		d.restart()
		d.calls()
		d.passes("a", time.Hour)
		_, writes, _ := d.calls()
		d.Expect(writes).To(BeEmpty())
		d.Expect(readyReason(d.get("a"))).To(Equal(v1alpha1.ReasonInSync))
		d.Expect(statusOf(d.get("a")).Applied.UID).To(Equal(obj.GetUID()))
		d.Expect(statusOf(d.get("a")).Drift).To(BeNil())

		// It is owned: an edit is written, and a deletion removes it.
		d.update("a", f.change)
		d.settle("a")
		d.remove("a")
		d.pass("a")
		d.Expect(d.f.have(d.cloud)).To(BeNil())
	})
}

// TestATouchedSecretIsNoChange: a label on a Secret is read by nobody, also after a
// restart; another key in it is written at once.
func TestATouchedSecretIsNoChange(t *testing.T) {
	forEachSigningKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.secret(firstKey)
		d.create("a", f.sign)
		d.settle("a")
		for _, restarted := range []bool{false, true} {
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: "key"}}
			d.Expect(d.api.Get(d.ctx, client.ObjectKeyFromObject(secret), secret)).To(Succeed())
			secret.Labels = map[string]string{"touched": "by", "when": d.clock.Now().Format("150405.000")}
			d.Expect(d.api.Update(d.ctx, secret)).To(Succeed())
			if restarted {
				d.restart()
			}
			version := d.get("a").GetResourceVersion()
			d.calls()
			d.pass("a")
			reads, writes, _ := d.calls()
			d.Expect(append(reads, writes...)).To(BeEmpty())
			d.Expect(d.get("a").GetResourceVersion()).To(Equal(version))
		}
		d.secret(secondKey)
		d.pass("a")
		d.Expect(d.f.have(d.cloud)).To(Equal(f.want(d.get("a"), secondKey)))
	})
}

// TestOurOwnPacingIsNoFailure: an object that waits for a turn within the account's
// limits stays as it is.
func TestOurOwnPacingIsNoFailure(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.create("a")
		before := d.settle("a")
		own := d.accounts.Last("", nil)
		own.Limits.Slow(f.kind.Remote(own.Client).ReadRate(), 10*time.Minute)
		d.clock.advance(10 * time.Minute)
		own.Limits.Slow(f.kind.Remote(own.Client).ReadRate(), 10*time.Minute)
		d.calls()
		d.passes("a", 5*time.Minute)
		reads, _, _ := d.calls()
		d.Expect(reads).To(BeEmpty(), "there was no turn for a read")
		after := d.get("a")
		d.Expect(statusOf(after).Conditions).To(Equal(statusOf(before).Conditions))
	})
}

// TestWhatTheAPIServerRefusesIsTold: an admission policy, say.
func TestWhatTheAPIServerRefusesIsTold(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := simulated(t, f, emulator.Options{})
		d.create("a")
		refused := apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "a", apierrors.NewBadRequest("a policy that says SECRET things"))
		d.gate.plan(func(_ int, call string) fate {
			if call == "k8s patch" {
				return fate{err: refused}
			}
			return fate{}
		})
		d.passes("a", 10*time.Minute)
		obj := d.get("a")
		d.Expect(readyReason(obj)).To(Equal(v1alpha1.ReasonClusterRefused))
		d.Expect(messageOf(obj, v1alpha1.ConditionReady)).To(And(ContainSubstring("finalizer"), ContainSubstring("Forbidden"), Not(ContainSubstring("SECRET"))))
		d.Expect(d.f.have(d.cloud)).To(BeNil())
		version := obj.GetResourceVersion()
		d.passes("a", 20*time.Minute)
		d.Expect(d.get("a").GetResourceVersion()).To(Equal(version), "it is told once")
		d.gate.plan(nil)
		d.settle("a")
	})
}

// TestWhoRefuses: a refusal names the policy, webhook, permission or field, and
// nothing else of what others say as it is.
func TestWhoRefuses(t *testing.T) {
	const key = "Canary0123456789abcdef"
	// What config/admission/statuses.yaml says is shown as it is.
	const ofStatuses = "only the operator writes this status: change spec. An operator, or a restore, needs a ClusterRole bound for all namespaces, " +
		"with the verb own of statuses in live.alibabacloud.com"
	for want, err := range map[string]error{
		`trying: Forbidden by ValidatingAdmissionPolicy "nofin": rule 42 says no to (hidden)`: apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "a",
			errors.New("ValidatingAdmissionPolicy 'nofin' with binding 'b-1' denied request: rule 42 says no to "+key)),
		`trying: Forbidden by ValidatingAdmissionPolicy "r-statuses": ` + ofStatuses: apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "a",
			errors.New("ValidatingAdmissionPolicy 'r-statuses' with binding 'r-statuses' denied request: "+ofStatuses)),
		`trying: Forbidden by admission webhook "w.example.com": no`: apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "a",
			errors.New(`admission webhook "w.example.com" denied the request: no`)),
		`trying: Forbidden: the operator has no permission to get secrets "ck"`: apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "ck",
			errors.New(`User "u" cannot get resource "secrets" in API group "" in the namespace "n"`)),
		`trying: Invalid in status.callbacks.observedTime`: apierrors.NewInvalid(schema.GroupKind{Kind: "X"}, "a",
			field.ErrorList{field.Required(field.NewPath("status", "callbacks", "observedTime"), key)}),
		`trying: Forbidden`: apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "a", errors.New(key)),
		`trying: no answer of the API server (*errors.errorString)`: errors.New(key),
	} {
		if got := (&apiFault{"trying", err}).Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestADomainThatComesLater is noticed within a minute.
func TestADomainThatComesLater(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		prepare := f.prepare
		f.prepare = func(*emulator.Server) {}
		d := simulated(t, f, emulator.Options{})
		d.create("a")
		d.until("a", v1alpha1.ReasonDomainNotFound)
		prepare(d.cloud)
		d.passes("a", time.Minute)
		d.Expect(d.f.have(d.cloud)).NotTo(BeNil())
	})
}

// TestTheCloudsOwnSpellingIsNoDrift, once it was shown after two writes.
func TestTheCloudsOwnSpellingIsNoDrift(t *testing.T) {
	f := streamFixture()
	d := simulated(t, f, emulator.Options{})
	const written, shown = "http://Hooks.Example.com:80/notify?a=1&b=2", "http://hooks.example.com/notify?a=1&amp;b=2"
	respell := func() {
		if c, ok := d.cloud.StreamConfig(ingestDomain); ok && c.NotifyURL == written {
			c.NotifyURL = shown
			d.cloud.SetStreamConfig(ingestDomain, c)
		}
	}
	d.create("a", func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.NotifyURL = written })
	for range 20 {
		wait := d.pass("a")
		respell()
		d.clock.advance(wait)
	}
	obj := d.get("a")
	d.Expect(readyReason(obj)).To(Equal(v1alpha1.ReasonInSync))
	d.Expect(messageOf(obj, v1alpha1.ConditionReady)).To(And(ContainSubstring(written), ContainSubstring(shown)))
	_, writes, _ := d.calls()
	d.Expect(writes).To(HaveLen(2))
	d.Expect(statusOf(obj).Drift).To(BeNil())

	// Another value is drift all the same.
	d.f.edit(d.cloud)
	d.clock.advance(plan.Settling)
	d.passes("a", 20*time.Minute)
	d.Expect(statusOf(d.get("a")).Drift.Count).To(BeEquivalentTo(1))
}
