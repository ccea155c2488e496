// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// theirID is that of the cloud account of the LiveAccounts here.
const theirID = "1234567890123456"

func via(name string) func(Object) {
	return func(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: name} }
}

// verify notes in the status of a LiveAccount whose it is.
func (d *driver) verify(name string) {
	d.t.Helper()
	a := d.theAccount(name)
	before := a.DeepCopy()
	a.Status.AccountID = theirID
	a.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.ConditionVerified, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonIdentified, LastTransitionTime: metav1.NewTime(d.clock.Now()),
	}}
	d.Expect(d.api.Status().Patch(d.ctx, a, client.MergeFrom(before))).To(Succeed())
}

// identify asks the token service whose a LiveAccount is that was used.
func (d *driver) identify(name string) {
	d.t.Helper()
	_, err := d.accounts.Identify(d.ctx, d.accounts.Last(d.namespace, &v1alpha1.AccountReference{Name: name}))
	d.Expect(err).NotTo(HaveOccurred())
}

// withTokens is a simulation with a token service.
func withTokens(t *testing.T, f fixture) *driver {
	t.Helper()
	d := simulated(t, f, emulator.Options{})
	var err error
	d.tokens, err = live.NewTokenService(newTokenService(t).URL, false)
	d.Expect(err).NotTo(HaveOccurred())
	d.restart()
	return d
}

// forge writes into the status of an object that it wrote to the cloud account of others.
func (d *driver) forge(name string) {
	d.t.Helper()
	d.update(name, withFinalizer)
	obj := d.get(name)
	before := obj.DeepCopyObject().(Object)
	s := statusOf(obj)
	s.ObservedGeneration, s.LastSyncTime = 1, &metav1.Time{Time: d.clock.Now()}
	s.Applied = &v1alpha1.Applied{UID: obj.GetUID(), Revision: live.RevisionFormat + "forged", Account: accountName(obj), AccountID: theirID}
	d.Expect(d.api.Status().Patch(d.ctx, obj, client.MergeFrom(before))).To(Succeed())
}

// TestAForgedStatusTakesNothing: what the status of an older object says that it wrote to
// the cloud account of others, whose own is not known to be that, keeps nobody from a
// domain, and when it is deleted it is no legacy either.
func TestAForgedStatusTakesNothing(t *testing.T) {
	for name, arm := range map[string]func(*driver){
		"its account does not exist": func(*driver) {},
		"its account has no Secret": func(d *driver) {
			d.haveAccount("forger")
			d.drop(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "access-forger"}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			forKindsInTurn(t, func(t *testing.T, f fixture) {
				d := withTokens(t, f)
				arm(d)
				d.create("forger", via("forger"))
				d.nextSecond()
				d.haveAccount("theirs")
				d.verify("theirs")
				d.create("theirs", via("theirs"))
				d.settle("theirs")
				d.identify("theirs")
				d.forge("forger")
				d.passes("theirs", 0)
				obj := d.get("theirs")
				d.Expect(readyReason(obj)).To(Equal(v1alpha1.ReasonInSync))
				d.Expect(d.f.have(d.cloud)).To(Equal(f.want(obj, "")))

				applied := statusOf(obj).Applied.DeepCopy()
				d.remove("forger")
				d.pass("forger")
				d.Expect(statusOf(d.get("theirs")).Applied).To(Equal(applied))
			})
		})
	}
}

// TestALostSecretKeepsWhatIsRemembered: an owner whose Secret is lost, and whose
// LiveAccount too, keeps its domain while this process remembers whose account it was.
// The next process does not, and then another object of that cloud account may have it.
func TestALostSecretKeepsWhatIsRemembered(t *testing.T) {
	f := streamFixture()
	d := withTokens(t, f)
	d.haveAccount("lost")
	d.create("owner", via("lost"))
	d.settle("owner")
	d.identify("lost")
	d.update("owner", f.change)
	d.Expect(statusOf(d.settle("owner")).Applied.AccountID).To(Equal(theirID))
	d.nextSecond()
	d.haveAccount("theirs")
	d.verify("theirs")
	d.create("heir", via("theirs"))

	d.drop(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "access-lost"}})
	d.drop(&v1alpha1.LiveAccount{ObjectMeta: metav1.ObjectMeta{Name: "lost"}})
	d.passes("owner", 0)
	d.until("heir", v1alpha1.ReasonConflict)

	d.restart()
	d.until("heir", v1alpha1.ReasonExistingConfiguration)
}
