// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	testingclock "k8s.io/utils/clock/testing"
)

func scope(t *testing.T, namespaces, selector string) Scope {
	t.Helper()
	parsed, err := labels.Parse(selector)
	if err != nil {
		t.Fatal(err)
	}
	return Scope{Namespaces: strings.Fields(namespaces), Selector: parsed}
}

func TestOverlaps(t *testing.T) {
	for _, tt := range []struct {
		aNamespaces, aSelector, bNamespaces, bSelector string
		want                                           bool
	}{
		{want: true},
		{aNamespaces: "a", want: true},
		{aNamespaces: "a b", bNamespaces: "b c", want: true},
		{aNamespaces: "a", bNamespaces: "b"},
		{aSelector: "shard=a", want: true},
		{aSelector: "shard=a", bSelector: "shard=a", want: true},
		{aSelector: "shard=a", bSelector: "team=b", want: true},
		{aSelector: "shard=a", bSelector: "shard=b"},
		{aSelector: "shard in (a,b)", bSelector: "shard in (b,c)", want: true},
		{aSelector: "shard in (a,b)", bSelector: "shard==c"},
		{aSelector: "shard=a", bSelector: "shard!=a"},
		{aSelector: "shard in (a,b)", bSelector: "shard!=a", want: true},
		{aSelector: "shard in (a,b)", bSelector: "shard notin (a,b,c)"},
		{aSelector: "shard", bSelector: "!shard"},
		{aSelector: "shard=a", bSelector: "!shard"},
		{aSelector: "shard!=a", bSelector: "!shard", want: true},
		{aSelector: "n>5", bSelector: "n<3", want: true}, // not looked into
		{aNamespaces: "a", aSelector: "shard=a", bNamespaces: "a", bSelector: "shard=b,team=c"},
	} {
		a, b := scope(t, tt.aNamespaces, tt.aSelector), scope(t, tt.bNamespaces, tt.bSelector)
		for _, pair := range [][2]Scope{{a, b}, {b, a}} {
			stated, err := parseScope(pair[1].String())
			if err != nil {
				t.Fatal(err)
			}
			if got := pair[0].Overlaps(stated); got != tt.want {
				t.Errorf("%s and %s: got %t", pair[0], pair[1], got)
			}
		}
	}
	if !(Scope{}).Overlaps(Scope{}) {
		t.Error("two operators for everything do not overlap")
	}
}

// world is a cluster without a server, where operators take leases.
type world struct {
	*testing.T
	api   *fake.Clientset
	clock *testingclock.FakeClock
	log   strings.Builder
}

func newWorld(t *testing.T) *world {
	return &world{T: t, api: fake.NewClientset(), clock: testingclock.NewFakeClock(time.Unix(1e9, 0))}
}

func (w *world) lock(namespace string, s Scope) *Lock {
	return &Lock{
		Client: w.api.CoordinationV1(), Namespace: namespace, Scope: s, Clock: w.clock,
		Log: funcr.New(func(_, line string) { w.log.WriteString(line + "\n") }, funcr.Options{}),
	}
}

// take does what an election does when a lease is free.
func (w *world) take(l *Lock) error {
	w.Helper()
	record := resourcelock.LeaderElectionRecord{
		HolderIdentity: l.Identity(), LeaseDurationSeconds: 15, AcquireTime: metav1.NewTime(w.clock.Now()), RenewTime: metav1.NewTime(w.clock.Now()),
	}
	if _, _, err := l.Get(w.Context()); apierrors.IsNotFound(err) {
		return l.Create(w.Context(), record)
	} else if err != nil {
		w.Fatal(err)
	}
	return l.Update(w.Context(), record)
}

func (w *world) holder(namespace string) string {
	w.Helper()
	lease, err := w.api.CoordinationV1().Leases(namespace).Get(w.Context(), LeaseName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return ""
	}
	if err != nil {
		w.Fatal(err)
	}
	return holder(lease)
}

func TestOneOfTwoReleases(t *testing.T) {
	w := newWorld(t)
	first, second := w.lock("first", Scope{}), w.lock("second", scope(t, "media", ""))
	if err := w.take(first); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := w.take(second); err == nil || !strings.Contains(err.Error(), "in namespace first") {
			t.Fatalf("got %v", err)
		}
	}
	if told := strings.Count(w.log.String(), "another operator"); told != 1 {
		t.Errorf("the log was told %d times:\n%s", told, w.log.String())
	}
	if w.holder("second") != "" {
		t.Error("the second holds a lease")
	}
	// The first gives its lease back.
	if err := first.Update(t.Context(), resourcelock.LeaderElectionRecord{LeaseDurationSeconds: 1}); err != nil {
		t.Fatal(err)
	}
	if err := w.take(second); err != nil {
		t.Fatal(err)
	}
	if err := w.take(first); err == nil {
		t.Error("the first took its lease beside the second")
	}
}

func TestDisjointReleases(t *testing.T) {
	w := newWorld(t)
	for namespace, selector := range map[string]string{"a": "shard=a", "b": "shard=b", "rest": "shard notin (a,b)"} {
		if err := w.take(w.lock(namespace, scope(t, "", selector))); err != nil {
			t.Errorf("%s: %v", namespace, err)
		}
	}
}

// TestDeadRelease: a lease that nobody renews holds for its duration by the clock
// of who waits, whatever the clock of its holder was.
func TestDeadRelease(t *testing.T) {
	w := newWorld(t)
	name, seconds, then := "dead", int32(15), metav1.NewMicroTime(w.clock.Now().Add(-time.Hour))
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: LeaseName, Namespace: "first", ResourceVersion: "7"}}
	lease.Spec = coordinationv1.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: &seconds, RenewTime: &then}
	if err := w.api.Tracker().Add(lease); err != nil {
		t.Fatal(err)
	}
	second := w.lock("second", Scope{})
	for range 15 {
		if err := w.take(second); err == nil {
			t.Fatal("it did not wait for an operator of which nothing is known")
		}
		w.clock.Step(time.Second)
	}
	if err := w.take(second); err != nil {
		t.Error(err)
	}
}

// hooked are leases with something to do before one is created.
type hooked struct {
	coordinationv1client.LeasesGetter
	before func()
}

func (h hooked) Leases(namespace string) coordinationv1client.LeaseInterface {
	return hookedLeases{h.LeasesGetter.Leases(namespace), h.before}
}

type hookedLeases struct {
	coordinationv1client.LeaseInterface
	before func()
}

func (h hookedLeases) Create(ctx context.Context, lease *coordinationv1.Lease, o metav1.CreateOptions) (*coordinationv1.Lease, error) {
	h.before()
	return h.LeaseInterface.Create(ctx, lease, o)
}

// TestBothAtOnce: another operator takes its lease between the look and the
// write.
func TestBothAtOnce(t *testing.T) {
	w := newWorld(t)
	first, second := w.lock("first", Scope{}), w.lock("second", Scope{})
	second.Client = hooked{second.Client, func() {
		if err := w.take(first); err != nil {
			t.Error(err)
		}
	}}
	if err := w.take(second); err == nil {
		t.Error("two operators lead")
	}
	if w.holder("second") != "" || w.holder("first") != first.Identity() {
		t.Errorf("first is held by %q, second by %q", w.holder("first"), w.holder("second"))
	}
}

// TestRenewalLooksAtNothing: a leader costs no list.
func TestRenewalLooksAtNothing(t *testing.T) {
	w := newWorld(t)
	l := w.lock("first", Scope{})
	if err := w.take(l); err != nil {
		t.Fatal(err)
	}
	w.api.ClearActions()
	if err := w.take(l); err != nil {
		t.Fatal(err)
	}
	for _, action := range w.api.Actions() {
		if action.GetVerb() == "list" {
			t.Error("a renewal lists leases")
		}
	}
}

func TestWithoutPermission(t *testing.T) {
	w := newWorld(t)
	w.api.PrependReactor("list", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(coordinationv1.Resource("leases"), "", nil)
	})
	l := w.lock("first", Scope{})
	if err := w.take(l); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.log.String(), "not looked for") {
		t.Errorf("the log has %s", w.log.String())
	}
}
