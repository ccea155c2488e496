// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/account"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

// +kubebuilder:rbac:groups=live.alibabacloud.com,resources=livenotifyconfigs;liverecordnotifyconfigs;livertcmpueventsubs;livesnapshotnotifyconfigs;livedetectnotifyconfigs;liveaudioauditnotifyconfigs;livertceventsubs;livemessageappcallbacks,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=live.alibabacloud.com,resources=livenotifyconfigs/status;liverecordnotifyconfigs/status;livertcmpueventsubs/status;livesnapshotnotifyconfigs/status;livedetectnotifyconfigs/status;liveaudioauditnotifyconfigs/status;livertceventsubs/status;livemessageappcallbacks/status,verbs=patch
// +kubebuilder:rbac:groups=live.alibabacloud.com,resources=liveaccounts,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=live.alibabacloud.com,resources=liveaccounts/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Options configure the reconcilers of all kinds.
type Options struct {
	Accounts account.Options
	// Scope is what is worked on; all if it is empty.
	Scope Scope
	// Deletions bound the removals from the operator's own account.
	Deletions DeletionOptions
	// Workers is how many objects of a kind converge at once.
	Workers int
	// Clock tells the time; the real one if nil.
	Clock clock.PassiveClock
	// Metrics is where the metrics of objects are registered; nil for nowhere.
	Metrics prometheus.Registerer
}

// Objects returns an empty object of each type that a claim depends on, and
// Resources what the API server calls these.
func Objects() []client.Object {
	objects := []client.Object{&v1alpha1.LiveAccount{}}
	for _, k := range kind.All {
		objects = append(objects, k.New())
	}
	return objects
}

// Resources returns what the API server calls the types of Objects.
func Resources() []string {
	resources := []string{"liveaccounts"}
	for _, k := range kind.All {
		resources = append(resources, strings.ToLower(k.Name)+"s")
	}
	return resources
}

// Setup adds the reconciler of each kind in the table, and that of LiveAccounts,
// to the manager.
func Setup(mgr ctrl.Manager, o Options) error {
	_, err := addReconcilers(mgr, o)
	return err
}

// addReconcilers returns the reconcilers of the kinds that it adds.
func addReconcilers(mgr ctrl.Manager, o Options) ([]*Reconciler, error) {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	o.Accounts.Now = o.Clock.Now
	accounts, err := account.New(mgr.GetClient(), mgr.GetAPIReader(), o.Accounts)
	if err != nil {
		return nil, fmt.Errorf("setting up the operator's own account: %w", err)
	}
	s := &shared{
		Client:   mgr.GetClient(),
		uncached: mgr.GetAPIReader(),
		manager:  mgr,
		accounts: accounts,
		events:   mgr.GetEventRecorder("live-notify-operator"),
		clock:    o.Clock,
		watchdog: &watchdog{clock: o.Clock},
		scope:    o.Scope,
		workers:  o.Workers,

		deletions: &ownDeletions{DeletionOptions: o.Deletions},
	}
	metrics := &objectMetrics{scope: o.Scope, reader: s.Client, ownLimit: o.Deletions.PerHour}
	for _, k := range kind.All {
		r := &Reconciler{shared: s, kind: k, slots: quota.NewSlots(o.Workers)}
		if err := r.setup(); err != nil {
			return nil, fmt.Errorf("setting up %s: %w", k.Name, err)
		}
		metrics.reconcilers = append(metrics.reconcilers, r)
	}
	if o.Metrics != nil {
		for _, c := range []prometheus.Collector{metrics, Panics} {
			if err := o.Metrics.Register(c); err != nil {
				return nil, fmt.Errorf("registering metrics: %w", err)
			}
		}
	}
	filled := &filled{}
	if err := errors.Join(mgr.AddHealthzCheck("workers", s.watchdog.Check), mgr.AddReadyzCheck("cache", filled.Check), mgr.Add(filled),
		mgr.Add(manager.RunnableFunc(s.identifyOwn))); err != nil {
		return nil, err
	}
	if err := setupRollouts(s); err != nil {
		return nil, fmt.Errorf("setting up LiveRolloutPolicy: %w", err)
	}
	return metrics.reconcilers, setupAccounts(s)
}

// Indexes by what an object refers to in its namespace.
const (
	secretIndex  = "secret"  // of objects, and of LiveAccounts
	accountIndex = "account" // of objects
)

// setup adds the reconciler to the manager. An object is reconciled when its spec
// changes, when it is deleted, when someone asks for it by the annotation, when its
// finalizer was taken away, when it comes first among those of its key, and when its Secret or its account changes.
func (r *Reconciler) setup() error {
	if err := r.index(); err != nil {
		return err
	}
	b := ctrl.NewControllerManagedBy(r.manager).
		Named(r.kind.Name).
		Watches(r.kind.New(), changesBeforeNews, builder.WithPredicates(r.worthALook())).
		Watches(r.kind.New(), mapped(r.nextInLine), builder.WithPredicates(claims)).
		WatchesMetadata(&corev1.Secret{}, mapped(r.usersOfSecret)).
		Watches(&v1alpha1.LiveAccount{}, mapped(r.usersOfAccount), builder.WithPredicates(accountChanges)).
		WithOptions(controller.Options{MaxConcurrentReconciles: r.workers})
	if r.kind.Records != nil {
		b = b.Watches(&v1alpha1.LiveRolloutPolicy{}, mapped(r.selected), builder.WithPredicates(specChanges)).
			Watches(&v1alpha1.LiveRolloutPolicy{}, r.next())
	}
	return b.Complete(r)
}

// worthALook passes what the main watch is for. An object that was deleted and
// created anew while the watch was down comes as an update with another UID. One that
// comes into the scope, as by another label, is noted, as another operator may still be
// at it; unless this process has not let go of it since it left.
func (r *Reconciler) worthALook() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return r.scope.has(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			was, is := r.scope.has(e.ObjectOld), r.scope.has(e.ObjectNew)
			name := client.ObjectKeyFromObject(e.ObjectNew)
			if is && !was && !r.memories.known(name) {
				r.memories.arrived.Store(name, r.clock.Now())
			}
			return was != is || is && (specChanged(e.ObjectOld, e.ObjectNew) || kind.Claimed(e.ObjectOld) && !kind.Claimed(e.ObjectNew) ||
				kind.RequestOf(e.ObjectOld) != kind.RequestOf(e.ObjectNew) ||
				!maps.Equal(e.ObjectOld.GetLabels(), e.ObjectNew.GetLabels()))
		},
	}
}

// changes passes the updates of objects of a type that differ in something.
func changes[O client.Object](differ func(was, is O) bool) predicate.Funcs {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		was, ok := e.ObjectOld.(O)
		is, ok2 := e.ObjectNew.(O)
		return ok && ok2 && differ(was, is)
	}}
}

// specChanges passes changes of a spec, and objects that have taken a name.
var specChanges = changes(specChanged)

func specChanged(was, is client.Object) bool {
	return was.GetGeneration() != is.GetGeneration() || was.GetUID() != is.GetUID() ||
		was.GetDeletionTimestamp().IsZero() != is.GetDeletionTimestamp().IsZero()
}

// accountChanges passes changes of the spec of a LiveAccount, and of which cloud account
// it is verified to be: who lost a configuration before that was known may have it.
var accountChanges = changes(func(was, is *v1alpha1.LiveAccount) bool {
	return specChanged(was, is) || kind.CloudOf(was).ID != kind.CloudOf(is).ID
})

// claims passes what may put another object first among those of a key.
var claims = changes(func(was, is kind.Object) bool {
	_, before := was.Callback()
	_, after := is.Callback()
	return specChanged(was, is) || kind.Wrote(was) != kind.Wrote(is) ||
		reasonOf(before, v1alpha1.ConditionReady) != reasonOf(after, v1alpha1.ConditionReady)
})

// changesBeforeNews puts the change of an object before the first look at another:
// thousands that are created at once, or that an operator finds when it starts, do
// not hold up a person's edit.
var changesBeforeNews = handler.Funcs{
	CreateFunc: func(_ context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		priority := priorityNew
		if changedMeanwhile(e.Object) {
			priority = 0
		}
		ranked := q.(priorityqueue.PriorityQueue[reconcile.Request]) // as the queue of each controller is
		ranked.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, requestsFor(e.Object)...)
	},
	UpdateFunc: (&handler.EnqueueRequestForObject{}).Update,
	DeleteFunc: (&handler.EnqueueRequestForObject{}).Delete,
}

// changedMeanwhile tells whether someone changed or deleted an object after an
// operator last looked at it.
func changedMeanwhile(o client.Object) bool {
	callback, ok := o.(kind.Object)
	if !ok {
		return false
	}
	_, status := callback.Callback()
	return !o.GetDeletionTimestamp().IsZero() || status.LastSyncTime != nil && status.ObservedGeneration != o.GetGeneration()
}

func (r *Reconciler) index() error {
	indexer := r.manager.GetFieldIndexer()
	for name, of := range map[string]func(kind.Object) string{
		keyIndex: r.kind.Key,
		secretIndex: func(o kind.Object) string {
			return ptr.Deref(r.kind.KeyRef(o), v1alpha1.SecretKeyReference{}).Name
		},
		removalIndex: removesFrom,
		accountIndex: accountName,
	} {
		err := indexer.IndexField(context.Background(), r.kind.New(), name, func(o client.Object) []string {
			if value := of(o.(kind.Object)); value != "" {
				return []string{value}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("indexing by %s: %w", name, err)
		}
	}
	return nil
}

// nextInLine returns the object that comes first of those that may have the key of
// another one, which it may have waited for.
func (r *Reconciler) nextInLine(ctx context.Context, obj client.Object) []reconcile.Request {
	rivals, err := r.rivals(ctx, r.kind.Key(obj.(kind.Object)))
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "rivals are not told of a change")
		return nil
	}
	first := foremost(rivals, func(o kind.Object) bool {
		mine, _ := r.cloudOf(ctx, o)
		return o.GetUID() != obj.GetUID() && r.scope.has(o) && r.may(ctx, o, mine)
	})
	if first == nil {
		return nil
	}
	return requestsFor(first)
}

// usersOfSecret returns the objects that refer to a Secret, or to an account
// that does.
func (r *Reconciler) usersOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	requests := r.users(ctx, secret, secretIndex)
	for _, account := range r.accountsOfSecret(ctx, secret) {
		requests = append(requests, r.usersOfAccount(ctx, account)...)
	}
	return requests
}

// usersOfAccount returns the objects that refer to a LiveAccount.
func (r *Reconciler) usersOfAccount(ctx context.Context, account client.Object) []reconcile.Request {
	return r.users(ctx, account, accountIndex)
}

// users returns the objects in scope that refer to another one of their namespace.
func (r *Reconciler) users(ctx context.Context, used client.Object, index string) []reconcile.Request {
	users, err := listed[kind.Object](ctx, r, r.kind.NewList(), "listing users",
		client.InNamespace(used.GetNamespace()), client.MatchingFields{index: used.GetName()})
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "users are not told of a change", index, client.ObjectKeyFromObject(used))
	}
	return requestsFor(slices.DeleteFunc(users, func(o kind.Object) bool { return !r.scope.has(o) })...)
}

// listed returns the objects of a list as the cache has them: nobody may change
// them. Trying says what for, should that fail.
func listed[O client.Object](ctx context.Context, from client.Reader, list client.ObjectList, trying string, of ...client.ListOption) ([]O, error) {
	if err := from.List(ctx, list, append(of, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil, &apiFault{trying, err}
	}
	var objects []O
	// EachListItem fails only on what is not a list.
	_ = meta.EachListItem(list, func(o runtime.Object) error {
		objects = append(objects, o.(O))
		return nil
	})
	return objects, nil
}

// requestsFor returns requests to look at objects.
func requestsFor[O client.Object](objects ...O) (requests []reconcile.Request) {
	for _, o := range objects {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)})
	}
	return requests
}
