// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/access"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/planning"
)

// planState is one that an object, called a, and its configuration can be in.
type planState struct {
	name string
	// arrange brings them there. It returns false for a kind that has no such state.
	arrange func(d *driver) bool
	// sign is what a plan has to say; "" where it depends on the cloud.
	sign planning.Change
	// reason is that of Ready, of a plan that is blocked or unknown.
	reason string
}

// planStates are all that make a difference to what the operator does.
func planStates() []planState {
	always := func(o Object) { spec(o).AdoptionPolicy = v1alpha1.AdoptAlways }
	observe := func(o Object) { spec(o).ManagementPolicy = v1alpha1.Observe }
	report := func(o Object) { spec(o).DriftPolicy = v1alpha1.DriftReport }
	suspended := func(o Object) { spec(o).Suspend = true }
	settled := func(do func(d *driver), edit ...func(Object)) func(d *driver) bool {
		return func(d *driver) bool {
			d.create("a", edit...)
			d.settle("a")
			d.clock.advance(2 * plan.Settling)
			d.passes("a", plan.Settling)
			do(d)
			d.clock.advance(10 * time.Second) // what others write shows late, too
			return true
		}
	}
	there := func(edit ...func(Object)) func(d *driver) bool { // what someone else configured
		return func(d *driver) bool {
			d.f.edit(d.cloud)
			d.clock.advance(time.Minute)
			d.create("a", edit...)
			return true
		}
	}
	same := func(edit ...func(Object)) func(d *driver) bool { // as in the cloud, and not by this object
		return func(d *driver) bool {
			d.create("b", d.readable, func(o Object) { spec(o).DeletionPolicy = v1alpha1.DeletionRetain })
			d.settle("b")
			d.remove("b")
			d.pass("b")
			d.Expect(d.gone("b")).To(BeTrue())
			d.clock.advance(2 * plan.Settling)
			d.create("a", append([]func(Object){d.readable}, edit...)...)
			return true
		}
	}
	signed := func(first, then string) func(d *driver) bool {
		return func(d *driver) bool {
			if !d.f.signs {
				return false
			}
			if first == "" {
				d.create("a", d.f.sign)
			} else {
				d.secret(first)
				settled(func(*driver) {}, d.f.sign)(d)
			}
			if then != "" {
				d.secret(then)
			}
			return true
		}
	}
	answers := func(status int, code string) func(d *driver) bool {
		return func(d *driver) bool {
			d.create("a")
			d.cloud.Inject(emulator.Fault{Code: code, Status: status})
			return true
		}
	}
	deleted := settled(func(d *driver) { d.remove("a") })
	return []planState{
		{"nothing is there", func(d *driver) bool { d.create("a"); return true }, planning.Create, ""},
		{"nothing is there, and it observes", func(d *driver) bool { d.create("a", observe); return true }, planning.Blocked, v1alpha1.ReasonObserved},
		{"the same is there", same(), planning.InSync, ""},
		{"the same is there, and it observes", same(observe), planning.InSync, ""},
		{"another is there", there(), planning.Blocked, v1alpha1.ReasonExistingConfiguration},
		{"another is there, and it observes", there(observe), planning.Blocked, v1alpha1.ReasonObserved},
		{"another is there, and it adopts always", there(always), planning.Update, ""},
		{"it is suspended", func(d *driver) bool { d.create("a", suspended); return true }, planning.Blocked, v1alpha1.ReasonSuspended},
		{"it was suspended later", settled(func(d *driver) { d.update("a", suspended) }), planning.Blocked, v1alpha1.ReasonSuspended},
		{"in sync", settled(func(*driver) {}), planning.InSync, ""},
		{"in sync, and it observes from now on", settled(func(d *driver) { d.update("a", observe) }), planning.InSync, ""},
		{"it drifted", settled(func(d *driver) { d.f.edit(d.cloud) }), planning.Update, ""},
		{"it drifted, and reports", settled(func(d *driver) { d.f.edit(d.cloud) }, report), planning.Blocked, v1alpha1.ReasonObserved},
		{"it was erased", settled(func(d *driver) { d.f.erase(d.cloud) }), planning.Update, ""},
		{"it was erased, and reports", settled(func(d *driver) { d.f.erase(d.cloud) }, report), planning.Blocked, v1alpha1.ReasonObserved},
		{"the spec changed", settled(func(d *driver) { d.update("a", d.f.change) }), planning.Update, ""},
		{"the spec changed, and reports", settled(func(d *driver) { d.update("a", d.f.change) }, report), planning.Update, ""},
		{"a field was cleared", settled(func(d *driver) { d.update("a", d.f.clear) }), planning.Update, ""},
		{"the spec changed after it observed", settled(func(d *driver) {
			d.update("a", observe)
			d.until("a", v1alpha1.ReasonObserved)
			d.update("a", func(o Object) {
				d.f.change(o)
				spec(o).ManagementPolicy = v1alpha1.Manage
			})
		}), planning.Update, ""},
		{"just written", func(d *driver) bool {
			d.create("a")
			d.pass("a")
			d.clock.advance(2 * time.Second)
			return true
		}, planning.InSync, ""},
		{"a change that was rolled back", func(d *driver) bool {
			if d.f.kind.Records == nil {
				return false
			}
			d.create("a", rollBack, rarely)
			d.settle("a")
			d.passes("a", 2*time.Minute)
			d.update("a", d.f.change)
			d.pass("a")
			d.fails(changedURL, 2)
			d.passes("a", 20*time.Minute)
			d.Expect(changeAccepted(d.get("a")).Reason).To(Equal(v1alpha1.ReasonRolledBack))
			return true
		}, planning.Blocked, v1alpha1.ReasonRolledBack},
		{"a write whose reply was lost", func(d *driver) bool {
			d.create("a")
			d.cloud.Inject(emulator.Fault{Action: d.f.writes[0], Times: 1, LoseReply: true})
			_, _ = d.try("a")
			return true
		}, "", ""},
		{"a key that is there", func(d *driver) bool { d.secret(firstKey); return signed("", "")(d) }, planning.Create, ""},
		{"the key is not there", signed("", ""), planning.Blocked, v1alpha1.ReasonAuthKeyUnavailable},
		{"the key is too short", signed("", "short"), planning.Blocked, v1alpha1.ReasonAuthKeyUnavailable},
		{"the key is the same", signed(firstKey, firstKey), planning.InSync, ""},
		{"the key was rotated", signed(firstKey, secondKey), planning.Update, ""},
		{"the key was rotated to a bad one", signed(firstKey, "bad key"), planning.Blocked, v1alpha1.ReasonAuthKeyUnavailable},
		{"an older object has it", func(d *driver) bool {
			d.create("b")
			d.settle("b")
			d.clock.advance(2 * time.Second)
			d.create("a", d.f.change)
			return true
		}, planning.Blocked, v1alpha1.ReasonConflict},
		{"its account does not exist", func(d *driver) bool {
			d.create("a", func(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: "nobody"} })
			return true
		}, planning.Blocked, v1alpha1.ReasonAccountNotReady},
		{"no permission", answers(http.StatusForbidden, "Forbidden.RAM"), planning.Unknown, v1alpha1.ReasonAccessDenied},
		{"the cloud fails", answers(http.StatusInternalServerError, "InternalError"), planning.Unknown, v1alpha1.ReasonCloudUnavailable},
		{"the cloud does not know the key", answers(http.StatusNotFound, "InvalidAccessKeyId.NotFound"), planning.Unknown, v1alpha1.ReasonAccessDenied},
		{"no such domain", answers(http.StatusNotFound, "InvalidDomain.NotFound"), "", ""},
		{"a domain of the other type", answers(http.StatusForbidden, "IllegalOperation"), "", ""},
		{"it is being deleted", deleted, planning.Remove, ""},
		{"it is being deleted, and retains", settled(func(d *driver) {
			d.update("a", func(o Object) { spec(o).DeletionPolicy = v1alpha1.DeletionRetain })
			d.remove("a")
		}), planning.InSync, ""},
		{"it is being deleted, and another takes over", settled(func(d *driver) {
			d.clock.advance(2 * time.Second)
			d.create("b", d.f.change)
			d.pass("b")
			d.remove("a")
		}), planning.InSync, ""},
		{"it is being deleted, and the other one only observes", settled(func(d *driver) {
			d.clock.advance(2 * time.Second)
			d.create("b", observe)
			d.remove("a")
		}), planning.Remove, ""},
		{"it is being deleted, and the other one has no account", settled(func(d *driver) {
			d.create("b", func(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: "nobody"} })
			d.remove("a")
		}), planning.Remove, ""},
		{"it is being deleted after it moved to another account", settled(func(d *driver) {
			d.haveAccount("one")
			d.update("a", func(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: "one"} })
			d.remove("a")
		}), planning.InSync, ""},
		{"it is being deleted, and nobody knows its credentials", func(d *driver) bool {
			d.haveAccount("one")
			d.create("a", func(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: "one"} })
			d.settle("a")
			d.Expect(d.api.Delete(d.ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: "access-one"}})).To(Succeed())
			d.remove("a")
			d.restart()
			return true
		}, planning.Blocked, v1alpha1.ReasonDeletionBlocked},
		{"it is being deleted while it is suspended", settled(func(d *driver) {
			d.update("a", suspended)
			d.remove("a")
		}), planning.InSync, ""},
		{"it is being deleted while it observes", settled(func(d *driver) {
			d.update("a", observe)
			d.remove("a")
		}), planning.InSync, ""},
	}
}

// A plan says what the operator then does: in every state, with every behaviour that
// the cloud's documentation leaves open, for every kind. In the usual form each kind
// is in every state as the cloud is assumed to be, and in an eighth of them with each
// other behaviour; in the short form in an eighth.
func TestThePlanIsWhatTheOperatorDoes(t *testing.T) {
	ownKey(t)
	for point, switches := range openPoints {
		for _, f := range fixtures() {
			if family, _, _ := strings.Cut(point, " "); families[family] != "" && families[family] != f.name {
				continue // it is of another kind
			}
			first := whoseTurn(point, len(kind.All))
			for i, s := range planStates() {
				if (point != asAssumed || testing.Short()) && !f.plays(first+i) {
					continue
				}
				t.Run(point+"/"+f.name+"/"+s.name, func(t *testing.T) {
					d := simulated(t, f, emulator.Options{Switches: switches})
					if s.arrange(d) {
						d.compareWithPlan(s)
					}
				})
			}
		}
	}
}

// ownKey gives a plan the credentials of the operator.
func ownKey(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", keyID)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keySecret)
}

// lookNow makes the operator look at once: a plan is of now.
func (d *driver) lookNow() {
	obj := d.get("a")
	if !obj.GetDeletionTimestamp().IsZero() {
		return
	}
	d.update("a", func(o Object) {
		o.SetAnnotations(map[string]string{v1alpha1.AnnotationReconcileRequestedAt: fmt.Sprint(d.clock.Now().UnixNano())})
	})
}

// compareWithPlan plans, lets the operator work, and compares.
func (d *driver) compareWithPlan(s planState) {
	d.t.Helper()
	if s.reason != v1alpha1.ReasonRolledBack { // which a new value of the annotation would try again
		d.lookNow()
	}
	d.calls()
	item := d.planned()
	_, writes, _ := d.calls()
	d.Expect(writes).To(BeEmpty(), "a plan writes nothing")
	if s.sign != "" {
		d.Expect(item.Change).To(Equal(s.sign), "%+v", item)
	}
	_, _ = d.try("a") // a pass that fails says so in the status
	if d.confirms("a") {
		d.clock.advance(plan.Confirming)
		_, _ = d.try("a")
	}
	_, writes, _ = d.calls()
	switch item.Change {
	case planning.Create, planning.Update, planning.Remove:
		d.Expect(writes).NotTo(BeEmpty(), "%+v, and the operator wrote nothing: %s", item, d.said())
	default:
		d.Expect(writes).To(BeEmpty(), "%+v, and the operator wrote: %s", item, d.said())
	}
	if item.Change == planning.Blocked || item.Change == planning.Unknown {
		d.Expect(readyReason(d.get("a"))).To(Equal(item.Reason), "%s", d.said())
		if s.reason != "" {
			d.Expect(item.Reason).To(Equal(s.reason))
		}
	}
}

// said is what Ready says.
func (d *driver) said() string {
	if d.gone("a") {
		return "gone"
	}
	return readyReason(d.get("a")) + ": " + messageOf(d.get("a"), v1alpha1.ConditionReady)
}

// planned returns the plan for object a, as the command line makes it.
func (d *driver) planned() planning.Item {
	d.t.Helper()
	return d.plannedRun("a")["a"]
}

// plannedRun returns the plans for some objects, by name.
func (d *driver) plannedRun(names ...string) map[string]planning.Item {
	d.t.Helper()
	d.catchUp()
	clouds, err := access.Open(access.Options{
		Cluster: d.api, Namespace: d.namespace, Endpoint: d.endpoint, SharePercent: 100 * boundless,
	})
	d.Expect(err).NotTo(HaveOccurred())
	var accounts v1alpha1.LiveAccountList
	var policies v1alpha1.LiveRolloutPolicyList
	list, in := d.f.newList(), client.InNamespace(d.namespace)
	for _, l := range []client.ObjectList{&accounts, &policies, list} {
		d.Expect(d.api.List(d.ctx, l, in)).To(Succeed())
	}
	p := &planning.Planner{
		Clouds: clouds, Keys: planning.KeysFrom(d.secretOf), Now: d.clock.Now, Accounts: accounts.Items, Policies: policies.Items,
	}
	d.Expect(meta.EachListItem(list, func(o runtime.Object) error {
		p.Objects = append(p.Objects, planning.Subject{Kind: d.f.kind, Object: o.DeepCopyObject().(kind.Object)})
		return nil
	})).To(Succeed())
	var subjects []planning.Subject
	for _, name := range names {
		subjects = append(subjects, planning.Subject{Kind: d.f.kind, Object: d.get(name)})
	}
	r, err := p.Plan(d.ctx, subjects)
	d.Expect(err).NotTo(HaveOccurred())
	items := map[string]planning.Item{}
	for _, i := range r.Items {
		items[i.Name] = i
	}
	return items
}

func (d *driver) secretOf(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := d.api.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return &secret, err
}
