// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/test/system"
)

const (
	namespace = "default"
	entry     = "key" // of a Secret with an authentication key
	// secrets is how many Secrets with authentication keys there are.
	secrets = 6
	// window is long enough for no callback to leave it, which would be a change.
	window = 24 * time.Hour
	// watch is for how long changes are watched.
	watch = time.Minute
	own   = "own"   // the operator's own account
	steps = "steps" // the policy, and the label of what it selects
	// bad begins the path of what receivers always refuse.
	bad = "/bad"
)

// slot is a configuration in the cloud that objects come and go for.
type slot struct {
	kind      *system.Kind
	namespace string
	base      string // what the configuration is called after
	name      string // of the object
	account   string
	secret    string // with its authentication key
	guarded   bool   // by a guard of its own
	stepped   bool   // selected by the policy
}

// key is what the cloud knows it by.
func (s slot) key() string { return s.kind.Key(s.base) }

// object is an empty one of a slot.
func (s slot) object() kind.Object {
	o := s.kind.Object(s.namespace, s.base)
	o.SetName(s.name)
	return o
}

// rival is another object for the same key.
func (s slot) rival() slot {
	s.name += "-rival"
	return s
}

// watched tells whether changes of it are.
func (s slot) watched() bool { return s.kind.Records != "" && (s.guarded || s.stepped) }

// world is the system, and what was done to it.
type world struct {
	*system.System
	report
	cfg      config
	counting time.Duration // what objects ask for
	random   *rand.Rand
	receiver *httptest.Server
	received atomic.Int64
	failed   atomic.Int64 // of them
	slots    []slot
	hostile  []*hostile
	owners   map[string]string // accounts, by key

	processes []*system.Operator // who leads, and who follows
	leaderOut time.Time          // when the last one ended, if nobody leads

	access  map[string][]emulator.AccessKey // of each account; the first is in use
	tokens  []string                        // keys and secrets that must not show anywhere
	broken  map[string]bool                 // Secrets
	rivals  map[string]slot                 // by the name of the object
	spoilt  []slot                          // whose receivers fail, the last ones
	pending []slot                          // that a wave is still to reach
	lasting bool                            // a fault is
	urls    int
	looked  int // at so many calls
	samples []sample
}

// newWorld starts a world without objects.
func newWorld(ctx context.Context, cfg config) *world {
	w := &world{
		report: report{Accounts: cfg.accounts, Hostile: cfg.hostile, Done: map[string]int{}},
		cfg:    cfg, counting: cfg.resync / 2, random: rand.New(rand.NewPCG(cfg.seed, 0)), access: map[string][]emulator.AccessKey{},
		broken: map[string]bool{}, rivals: map[string]slot{}, owners: map[string]string{},
	}
	var keys []emulator.AccessKey
	for i := range cfg.accounts {
		account := w.account(i)
		for _, id := range []string{account, account + "-next"} {
			key := emulator.AccessKey{ID: id, Secret: w.token(), Account: account}
			keys, w.access[account] = append(keys, key), append(w.access[account], key)
		}
	}
	w.System = system.Must(system.Start(ctx, emulator.Options{AccessKeys: keys, QPSScale: 1}))
	w.receiver = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.received.Add(1)%5 == 0 || strings.HasPrefix(r.URL.Path, bad) {
			w.failed.Add(1)
			rw.WriteHeader(http.StatusInternalServerError)
		}
	}))
	return w
}

// account names the accounts: the operator's own is the first, the hostile ones are
// the last. All others have a LiveAccount of their name.
func (w *world) account(i int) string {
	switch {
	case i == 0 && w.cfg.accounts > w.cfg.hostile:
		return own
	case i >= w.cfg.accounts-w.cfg.hostile:
		return fmt.Sprint("hostile-", i)
	default:
		return fmt.Sprint("team-", i)
	}
}

// populate creates all objects, and what they refer to. Those of hostile accounts are
// older than those whose keys they name.
func (w *world) populate(ctx context.Context) {
	peaceful := w.cfg.accounts - w.cfg.hostile
	for i := range w.cfg.objects * peaceful / w.cfg.accounts {
		k := system.Kinds[i%len(system.Kinds)]
		s := slot{kind: k, namespace: namespace, base: fmt.Sprintf("%s-%d", strings.ToLower(k.Name), i), secret: secretName(i % secrets)}
		s.name, s.account = s.base, w.account(i/len(system.Kinds)%peaceful)
		s.guarded, s.stepped = w.random.IntN(2) == 0, w.random.IntN(5) == 0
		if s.stepped && k.Records != "" {
			w.Concurrent++
		}
		w.add(s)
		w.slots = append(w.slots, s)
	}
	w.Concurrent = max(1, w.Concurrent/4)
	for i := range secrets {
		w.rotate(ctx, namespace, secretName(i))
	}
	for i := 1; i < peaceful; i++ {
		w.openAccount(ctx, namespace, w.account(i), w.URL)
	}
	for i := peaceful; i < w.cfg.accounts; i++ {
		w.invite(ctx, w.account(i))
	}
	policy := w.policy()
	policy.Spec = v1alpha1.LiveRolloutPolicySpec{
		Selector:      v1alpha1.ObjectSelector{MatchLabels: map[string]v1alpha1.LabelValue{steps: "yes"}},
		MaxConcurrent: new(intstr.FromInt32(int32(w.Concurrent))), Guard: guard(),
	}
	system.Check(w.API.Create(ctx, policy))
	for _, s := range w.slots {
		w.create(ctx, s)
	}
}

func (w *world) policy() *v1alpha1.LiveRolloutPolicy {
	return &v1alpha1.LiveRolloutPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: steps}}
}

func (w *world) readPolicy(ctx context.Context) *v1alpha1.LiveRolloutPolicy {
	p := w.policy()
	system.Check(w.API.Get(ctx, client.ObjectKeyFromObject(p), p))
	return p
}

func guard() v1alpha1.GuardSpec {
	return v1alpha1.GuardSpec{Window: metav1.Duration{Duration: watch}, MaxFailures: 1, OnFailure: v1alpha1.OnFailureRollBack}
}

// add makes the key of a slot known to the cloud.
func (w *world) add(s slot) {
	s.kind.Add(w.Cloud, s.account, s.key())
	w.owners[s.key()] = s.account
}

// openAccount creates a LiveAccount, and the Secret with its access key.
func (w *world) openAccount(ctx context.Context, namespace, name, endpoint string) {
	w.rotateAccess(ctx, namespace, name)
	system.Check(w.API.Create(ctx, &v1alpha1.LiveAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.LiveAccountSpec{
			Endpoint:    endpoint,
			Credentials: v1alpha1.LiveCredentials{AccessKeySecretRef: &v1alpha1.LocalSecretReference{Name: accessPrefix + name}},
		},
	}))
}

func secretName(i int) string { return fmt.Sprint("callback-key-", i) }

func (w *world) stop() error {
	for _, o := range w.processes {
		o.Stop()
	}
	for _, h := range w.hostile {
		h.close()
	}
	w.receiver.Close()
	return w.Stop()
}

// token is a new secret, which must not show anywhere.
func (w *world) token() string {
	token := fmt.Sprintf("%016x%016X", w.random.Uint64(), w.random.Uint64())
	w.tokens = append(w.tokens, token)
	return token
}

// url is one that callbacks can be sent to, and that there was not before.
func (w *world) url(path string) string {
	w.urls++
	return fmt.Sprintf("%s%s/%d", w.receiver.URL, path, w.urls)
}

// create makes the object of a slot, if there is none.
func (w *world) create(ctx context.Context, s slot) {
	o := s.object()
	spec, _ := kind.Shared(o)
	spec.ResyncInterval.Duration = w.cfg.resync
	spec.Records.Interval.Duration, spec.Records.Window.Duration = w.counting, window
	if s.guarded {
		spec.Guard = new(guard())
	}
	if s.stepped {
		o.SetLabels(map[string]string{steps: "yes"})
	}
	spec.AdoptionPolicy = v1alpha1.AdoptAlways
	if s.account != own {
		spec.AccountRef = &v1alpha1.AccountReference{Name: s.account}
	}
	s.kind.SetURL(o, w.url(""))
	if s.kind.Signs() && w.random.IntN(4) > 0 {
		s.kind.Sign(o, s.secret)
	}
	system.Check(client.IgnoreAlreadyExists(w.API.Create(ctx, o)))
}

// update changes the object of a slot, if there is one.
func (w *world) update(ctx context.Context, s slot, edit func(kind.Object)) {
	change(ctx, w.API, s.object, edit)
}

// change reads an object, if there is one, and changes it.
func change[O client.Object](ctx context.Context, api client.Client, empty func() O, edit func(O)) {
	system.Check(client.IgnoreNotFound(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		o := empty()
		if err := api.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		edit(o)
		return api.Update(ctx, o)
	})))
}

// rotate gives a Secret another key, and makes it if there is none.
func (w *world) rotate(ctx context.Context, namespace, name string) {
	w.store(ctx, namespace, name, map[string]string{entry: w.token()})
}

// accessPrefix begins the names of Secrets with an access key.
const accessPrefix = "access-"

// rotateAccess gives a LiveAccount its other access key.
func (w *world) rotateAccess(ctx context.Context, namespace, account string) {
	keys := w.access[account]
	slices.Reverse(keys)
	w.storeAccess(ctx, namespace, account, keys[0].ID, keys[0].Secret)
}

func (w *world) storeAccess(ctx context.Context, namespace, account, id, secret string) {
	w.store(ctx, namespace, accessPrefix+account, map[string]string{"accessKeyID": id, "accessKeySecret": secret})
}

func (w *world) store(ctx context.Context, namespace, name string, data map[string]string) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, StringData: data}
	err := w.API.Create(ctx, secret.DeepCopy())
	if apierrors.IsAlreadyExists(err) {
		err = w.API.Update(ctx, secret)
	}
	system.Check(err)
}

// lose removes a Secret, or puts something into it that is no key.
func (w *world) lose(ctx context.Context, namespace, name string) {
	if w.random.IntN(2) == 0 {
		w.store(ctx, namespace, name, map[string]string{entry: "too short", "accessKeySecret": ""})
		return
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	system.Check(client.IgnoreNotFound(w.API.Delete(ctx, secret)))
}

// find brings back the Secrets that were lost.
func (w *world) find(ctx context.Context) {
	for _, name := range slices.Sorted(maps.Keys(w.broken)) {
		if account, access := strings.CutPrefix(name, accessPrefix); access {
			w.rotateAccess(ctx, namespace, account)
		} else {
			w.rotate(ctx, namespace, name)
		}
		delete(w.broken, name)
	}
}
