// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

// +kubebuilder:rbac:groups=live.alibabacloud.com,resources=livenotifyconfigs;liverecordnotifyconfigs;livertcmpueventsubs,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=live.alibabacloud.com,resources=livenotifyconfigs/status;liverecordnotifyconfigs/status;livertcmpueventsubs/status,verbs=patch
// +kubebuilder:rbac:groups=live.alibabacloud.com,resources=liveaccounts,verbs=list;watch
// +kubebuilder:rbac:groups=live.alibabacloud.com,resources=liveaccounts/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get
// +kubebuilder:rbac:groups="",resources=serviceaccounts/token,verbs=create
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Options configure the reconcilers of all kinds.
type Options struct {
	Accounts AccountOptions
	// Workers is how many objects of a kind converge at once.
	Workers int
	// Clock tells the time; the real one if nil.
	Clock clock.PassiveClock
}

// Setup adds the reconciler of each kind in the table to the manager.
func Setup(mgr ctrl.Manager, o Options) error {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	s := &shared{
		Client:   mgr.GetClient(),
		uncached: mgr.GetAPIReader(),
		manager:  mgr,
		accounts: NewAccounts(mgr.GetClient(), mgr.GetAPIReader(), o.Accounts),
		events:   mgr.GetEventRecorder("live-notify-operator"),
		clock:    o.Clock,
		workers:  o.Workers,
	}
	for _, k := range kinds {
		if err := k.setup(s); err != nil {
			return err
		}
	}
	return setupAccounts(s)
}

// Indexes by what an object refers to in its namespace.
const (
	secretIndex  = "secret"  // of objects, and of LiveAccounts
	accountIndex = "account" // of objects
)

// setup adds a reconciler for the kind to the manager. An object is reconciled
// when its spec changes or it is deleted, when its Secret changes, and when an
// object with the same key comes or goes.
func (k Kind[O, C]) setup(s *shared) error {
	r := &Reconciler[O, C]{shared: s, kind: k}
	if err := r.index(); err != nil {
		return fmt.Errorf("indexing %s: %w", k.Name, err)
	}
	err := ctrl.NewControllerManagedBy(s.manager).
		Named(k.Name).
		Watches(k.New(), changesBeforeNews, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(k.New(), handler.EnqueueRequestsFromMapFunc(r.rivalsOf), builder.WithPredicates(comesOrGoes)).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.usersOfSecret)).
		Watches(&v1alpha1.LiveAccount{}, handler.EnqueueRequestsFromMapFunc(r.usersOfAccount), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: s.workers}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up %s: %w", k.Name, err)
	}
	return nil
}

// changesBeforeNews puts the change of an object before the first look at another:
// thousands that are created at once do not hold up a person's edit.
var changesBeforeNews = handler.Funcs{
	CreateFunc: func(_ context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		request := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(e.Object)}
		if ranked, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
			ranked.AddWithOpts(priorityqueue.AddOpts{Priority: new(priorityNew)}, request)
			return
		}
		q.Add(request)
	},
	UpdateFunc: (&handler.EnqueueRequestForObject{}).Update,
	DeleteFunc: (&handler.EnqueueRequestForObject{}).Delete,
}

// comesOrGoes passes the first and the last event of an object.
var comesOrGoes = predicate.Funcs{
	UpdateFunc:  func(event.UpdateEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
}

func (r *Reconciler[O, C]) index() error {
	indexer := r.manager.GetFieldIndexer()
	err := indexer.IndexField(context.Background(), r.kind.New(), keyIndex, func(o client.Object) []string {
		return []string{r.kind.Key(o.(O))}
	})
	if err != nil {
		return err
	}
	err = indexer.IndexField(context.Background(), r.kind.New(), secretIndex, func(o client.Object) []string {
		if ref := r.kind.keyRef(o.(O)); ref != nil {
			return []string{ref.Name}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return indexer.IndexField(context.Background(), r.kind.New(), accountIndex, func(o client.Object) []string {
		if spec, _ := o.(O).Callback(); spec.AccountRef != nil {
			return []string{spec.AccountRef.Name}
		}
		return nil
	})
}

// rivalsOf returns the other objects with the same key.
func (r *Reconciler[O, C]) rivalsOf(ctx context.Context, obj client.Object) []reconcile.Request {
	rivals, err := r.rivals(ctx, r.kind.Key(obj.(O)))
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "rivals are not told of a change")
		return nil
	}
	var requests []reconcile.Request
	for _, rival := range rivals {
		if rival.GetUID() != obj.GetUID() {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(rival)})
		}
	}
	return requests
}

// usersOfSecret returns the objects that refer to a Secret, or to an account
// that does.
func (r *Reconciler[O, C]) usersOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	requests := r.users(ctx, secret, secretIndex)
	for _, account := range accountsOfSecret(ctx, r.Client, secret) {
		requests = append(requests, r.usersOfAccount(ctx, &account)...)
	}
	return requests
}

// usersOfAccount returns the objects that refer to a LiveAccount.
func (r *Reconciler[O, C]) usersOfAccount(ctx context.Context, account client.Object) []reconcile.Request {
	return r.users(ctx, account, accountIndex)
}

// users returns the objects that refer to another one of their namespace.
func (r *Reconciler[O, C]) users(ctx context.Context, used client.Object, index string) []reconcile.Request {
	list := r.kind.NewList()
	err := r.List(ctx, list, client.InNamespace(used.GetNamespace()), client.MatchingFields{index: used.GetName()})
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "users are not told of a change", index, client.ObjectKeyFromObject(used))
		return nil
	}
	var requests []reconcile.Request
	for _, user := range objects[O](list) {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(user)})
	}
	return requests
}

// objects returns the items of a list.
func objects[O Object](list client.ObjectList) []O {
	var items []O
	// EachListItem fails only on what is not a list.
	_ = meta.EachListItem(list, func(o runtime.Object) error {
		items = append(items, o.(O))
		return nil
	})
	return items
}
