// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lifecycle does to many objects at once what kubectl, Helm and GitOps
// tools do, with the operator as a process, and looks at what the cloud has been
// called with.
package lifecycle

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/test/system"
)

// patience is for machines that are busy: nothing is measured by it.
const patience = 5 * time.Minute

// many is how many objects each test has: 60 in the long form, as make soak runs it,
// and 10 in the usual one.
var many = map[bool]int{true: 60, false: 10}[os.Getenv("LONG") != ""]

var world *system.System

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if err := os.Chdir("../.."); err != nil { // where the system finds the sources
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx := context.Background()
	var err error
	world, err = system.Start(ctx, emulator.Options{AccessKeys: []emulator.AccessKey{
		{ID: "own", Secret: "own-secret"}, {ID: "team", Secret: "team-secret", Account: "team"}, {ID: "thief", Secret: "thief-secret", Account: "thief"},
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := 1
	// The own account's shares of the documented limits would make minutes of this.
	if err := world.StartOperator(ctx, "--quota-share-percent", "100000"); err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	if err := world.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// room is a namespace with domains of its own.
type room struct {
	Gomega
	ctx  context.Context
	name string
}

func newRoom(t *testing.T) room {
	t.Helper()
	r := room{NewWithT(t), t.Context(), fmt.Sprintf("room-%d", time.Now().UnixNano())}
	r.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: r.name}})
	return r
}

func (r room) create(o client.Object) { r.Expect(world.API.Create(r.ctx, o)).To(Succeed()) }

func (r room) domain(i int) string { return fmt.Sprintf("d%d.%s.example.com", i, r.name) }

// object is the i-th of the room, by some name.
func (r room) object(name string, i int) *v1alpha1.LiveNotifyConfig {
	o := &v1alpha1.LiveNotifyConfig{ObjectMeta: metav1.ObjectMeta{Namespace: r.name, Name: fmt.Sprintf("%s-%d", name, i)}}
	o.Spec.DomainName, o.Spec.NotifyURL = r.domain(i), "http://hooks.example.com/"+name
	return o
}

// account creates a LiveAccount and its Secret, by the name of an access key.
func (r room) account(key string) (*v1alpha1.LiveAccount, *corev1.Secret) {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.name, Name: key},
		StringData: map[string]string{"accessKeyID": key, "accessKeySecret": key + "-secret"},
	}
	account := &v1alpha1.LiveAccount{ObjectMeta: metav1.ObjectMeta{Namespace: r.name, Name: key}}
	account.Spec.Endpoint = world.URL
	account.Spec.QuotaSharePercent = 100
	account.Spec.Credentials.AccessKeySecretRef = &v1alpha1.LocalSecretReference{Name: key}
	r.create(secret)
	r.create(account)
	return account, secret
}

// reaches waits until all objects with a name are Ready for a reason.
func (r room) reaches(name string, n int, reasons ...string) {
	r.Eventually(func() int {
		var list v1alpha1.LiveNotifyConfigList
		r.Expect(world.API.List(r.ctx, &list, client.InNamespace(r.name))).To(Succeed())
		ready := 0
		for _, o := range list.Items {
			c := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionReady)
			if strings.HasPrefix(o.Name, name+"-") && c != nil && c.ObservedGeneration == o.Generation && slices.Contains(reasons, c.Reason) {
				ready++
			}
		}
		return ready
	}).WithTimeout(patience).WithPolling(500*time.Millisecond).Should(Equal(n), "%s: %v", name, reasons)
}

// empty waits until nothing of a kind is left in the room.
func (r room) empty(lists ...client.ObjectList) {
	for _, list := range lists {
		r.Eventually(func() int {
			r.Expect(world.API.List(r.ctx, list, client.InNamespace(r.name))).To(Succeed())
			return meta.LenList(list)
		}).WithTimeout(patience).WithPolling(200*time.Millisecond).Should(BeZero(), "%T", list)
	}
}

// TestDeletedTogetherInAnyOrder is kubectl delete -f and -k of objects, their account
// and its Secret: all go, and the cloud is clean.
func TestDeletedTogetherInAnyOrder(t *testing.T) {
	for _, order := range [][]string{
		{"objects", "account", "secret"}, {"objects", "secret", "account"}, {"account", "objects", "secret"},
		{"account", "secret", "objects"}, {"secret", "objects", "account"}, {"secret", "account", "objects"},
	} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			account, secret := r.account("team")
			for i := range many {
				world.Cloud.AddDomain("team", r.domain(i), emulator.IngestDomain)
				o := r.object("a", i)
				o.Spec.AccountRef = &v1alpha1.AccountReference{Name: "team"}
				r.create(o)
			}
			r.reaches("a", many, v1alpha1.ReasonApplied, v1alpha1.ReasonInSync)
			for _, what := range order {
				switch what {
				case "account":
					r.Expect(world.API.Delete(r.ctx, account)).To(Succeed())
				case "secret":
					r.Expect(world.API.Delete(r.ctx, secret)).To(Succeed())
				default:
					for i := range many {
						r.Expect(world.API.Delete(r.ctx, r.object("a", i))).To(Succeed())
					}
				}
			}
			r.empty(&v1alpha1.LiveNotifyConfigList{}, &v1alpha1.LiveAccountList{})
			for i := range many {
				_, there := world.Cloud.StreamConfig(r.domain(i))
				r.Expect(there).To(BeFalse(), r.domain(i))
			}
		})
	}
}

// TestRenamed is one commit that gives all objects other names: new ones are
// applied, and the old ones pruned. No domain is without callbacks at any moment.
func TestRenamed(t *testing.T) {
	for _, newFirst := range []bool{true, false} {
		t.Run(map[bool]string{true: "new ones first", false: "old ones first"}[newFirst], func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			for i := range many {
				world.Cloud.AddDomain("", r.domain(i), emulator.IngestDomain)
				r.create(r.object("old", i))
			}
			r.reaches("old", many, v1alpha1.ReasonInSync)
			before := world.Cloud.CallCount()
			apply := func() {
				for i := range many {
					r.create(r.object("new", i))
				}
			}
			prune := func() {
				for i := range many {
					r.Expect(world.API.Delete(r.ctx, r.object("old", i))).To(Succeed())
				}
			}
			if newFirst {
				apply()
				prune()
			} else {
				// A finalizer of the tool that prunes gives the new ones the time to come.
				for i := range many {
					o := r.object("old", i)
					patch := client.RawPatch("application/json-patch+json", []byte(`[{"op":"add","path":"/metadata/finalizers/-","value":"example.com/prune"}]`))
					r.Expect(world.API.Patch(r.ctx, o, patch)).To(Succeed())
				}
				apply()
				prune()
				for i := range many {
					o := r.object("old", i)
					r.Eventually(func() error {
						if err := world.API.Get(r.ctx, client.ObjectKeyFromObject(o), o); err != nil {
							return client.IgnoreNotFound(err)
						}
						o.Finalizers = slices.DeleteFunc(o.Finalizers, func(f string) bool { return f == "example.com/prune" })
						return world.API.Update(r.ctx, o)
					}).WithTimeout(patience).Should(Succeed())
				}
			}
			r.reaches("new", many, v1alpha1.ReasonApplied, v1alpha1.ReasonInSync)
			for i := range many {
				c, _ := world.Cloud.StreamConfig(r.domain(i))
				r.Expect(c.NotifyURL).To(Equal("http://hooks.example.com/new"))
			}
			mine := map[string]bool{}
			for i := range many {
				mine[r.domain(i)] = true
			}
			for _, call := range world.Cloud.CallsSince(before) {
				r.Expect(mine[call.Key] && call.Action == "DeleteLiveStreamsNotifyUrlConfig").To(BeFalse(), "%+v", call)
			}
		})
	}
}

// TestNamingIsNotHaving: a tenant names the domains of another one first, with an
// account of the same cloud that does not have them, and by an endpoint of its own.
func TestNamingIsNotHaving(t *testing.T) {
	t.Parallel()
	r, thief := newRoom(t), newRoom(t)
	thief.account("thief")
	for i := range many {
		world.Cloud.AddDomain("", r.domain(i), emulator.IngestDomain)
		o := thief.object("squat", i)
		o.Spec.DomainName = r.domain(i)
		o.Spec.AccountRef = &v1alpha1.AccountReference{Name: "thief"}
		thief.create(o)
	}
	thief.reaches("squat", many, v1alpha1.ReasonDomainNotFound)
	for i := range many {
		r.create(r.object("a", i))
	}
	r.reaches("a", many, v1alpha1.ReasonApplied, v1alpha1.ReasonInSync)
	for i := range many {
		c, _ := world.Cloud.StreamConfig(r.domain(i))
		r.Expect(c.NotifyURL).To(Equal("http://hooks.example.com/a"))
	}
}

// TestRestored is a backup that is restored into a cluster, as Velero does it: with
// finalizers, and without status. What the cloud has was not written by these.
func TestRestored(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	for i := range many {
		world.Cloud.AddDomain("", r.domain(i), emulator.IngestDomain)
		world.Cloud.SetStreamConfig(r.domain(i), emulator.StreamConfig{NotifyURL: "http://hooks.example.com/by-hand"})
		o := r.object("a", i)
		o.Finalizers = []string{v1alpha1.Finalizer}
		r.create(o)
	}
	r.reaches("a", many, v1alpha1.ReasonExistingConfiguration)
	for i := range many {
		r.Expect(world.API.Delete(r.ctx, r.object("a", i))).To(Succeed())
	}
	r.empty(&v1alpha1.LiveNotifyConfigList{})
	for i := range many {
		c, there := world.Cloud.StreamConfig(r.domain(i))
		r.Expect(there && c.NotifyURL == "http://hooks.example.com/by-hand").To(BeTrue(), r.domain(i))
	}
}
