// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	// resync and counting are what the objects ask for; window is long enough
	// for no callback to leave it, which would be a change.
	resync   = time.Minute
	counting = 30 * time.Second
	window   = 24 * time.Hour
)

// accounts are those of the access keys; the first is the operator's own, the
// others have a LiveAccount of that name.
var accounts = []string{"own", "team-a", "team-b"}

// slot is a configuration in the cloud that objects come and go for.
type slot struct {
	kind    *system.Kind
	name    string // of the object
	key     string // in the cloud
	account string // of the LiveAccount; "" for the operator's own
	secret  string // with its authentication key
}

// object is an empty one of a slot, or of its rival, which has the same key.
func (s slot) object() kind.Object {
	o := s.kind.Object(namespace, strings.TrimSuffix(s.name, "-rival"))
	o.SetName(s.name)
	return o
}

// world is the system, and what was done to it.
type world struct {
	*system.System
	random   *rand.Rand
	receiver *httptest.Server
	received atomic.Int64
	slots    []slot

	access   map[string][]emulator.AccessKey // of each account; the first is in use
	tokens   []string                        // keys and secrets that must not show anywhere
	broken   map[string]bool                 // Secrets
	rivals   map[string]slot                 // by the name of the object
	done     map[string]int                  // what was done, how often
	urls     int
	kills    int
	samples  []sample
	lastFrom int // calls that were looked at
	refused  int // calls that the cloud throttled of its own accord

	settled    time.Duration // after which all was well
	violations []string
}

// newWorld starts a world without objects.
func newWorld(ctx context.Context, random *rand.Rand) (_ *world, err error) {
	w := &world{
		random: random, access: map[string][]emulator.AccessKey{}, broken: map[string]bool{}, rivals: map[string]slot{}, done: map[string]int{},
	}
	var keys []emulator.AccessKey
	for _, account := range accounts {
		for _, id := range []string{account, account + "-next"} {
			key := emulator.AccessKey{ID: id, Secret: w.token(), Account: account}
			keys, w.access[account] = append(keys, key), append(w.access[account], key)
		}
	}
	if w.System, err = system.Start(ctx, emulator.Options{AccessKeys: keys, QPSScale: 1}); err != nil {
		return nil, err
	}
	w.receiver = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if w.received.Add(1)%5 == 0 {
			rw.WriteHeader(http.StatusInternalServerError)
		}
	}))
	return w, nil
}

// populate creates n objects, and what they refer to.
func (w *world) populate(ctx context.Context, n int) error {
	for i := range secrets {
		if err := w.rotate(ctx, secretName(i)); err != nil {
			return err
		}
	}
	for _, account := range accounts[1:] {
		err := errors.Join(w.rotateAccess(ctx, account), w.API.Create(ctx, &v1alpha1.LiveAccount{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: account},
			Spec: v1alpha1.LiveAccountSpec{
				Endpoint:    w.URL,
				Credentials: v1alpha1.LiveCredentials{AccessKeySecretRef: &v1alpha1.LocalSecretReference{Name: accessPrefix + account}},
			},
		}))
		if err != nil {
			return err
		}
	}
	for i := range n {
		k := system.Kinds[i%len(system.Kinds)]
		account := accounts[i/len(system.Kinds)%len(accounts)]
		s := slot{kind: k, name: fmt.Sprintf("%s-%d", strings.ToLower(k.Name), i), secret: secretName(i % secrets)}
		s.key = k.Key(s.name)
		k.Add(w.Cloud, account, s.key)
		if account != accounts[0] {
			s.account = account
		}
		w.slots = append(w.slots, s)
		if err := w.create(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func secretName(i int) string { return fmt.Sprint("callback-key-", i) }

func (w *world) stop() error {
	if w.receiver != nil {
		w.receiver.Close()
	}
	return w.Stop()
}

// token is a new secret, which must not show anywhere.
func (w *world) token() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var b strings.Builder
	for range 32 {
		b.WriteByte(letters[w.random.IntN(len(letters))])
	}
	w.tokens = append(w.tokens, b.String())
	return b.String()
}

// url is one that callbacks can be sent to, and that there was not before.
func (w *world) url() string {
	w.urls++
	return fmt.Sprintf("%s/%d", w.receiver.URL, w.urls)
}

// create makes the object of a slot, or a rival of it.
func (w *world) create(ctx context.Context, s slot) error {
	o := s.object()
	spec, _ := o.Callback()
	spec.ResyncInterval.Duration = resync
	if c, ok := o.(kind.Counted); ok {
		spec, _ := c.Counted()
		spec.Records.Interval.Duration, spec.Records.Window.Duration = counting, window
	}
	spec.AdoptionPolicy = v1alpha1.AdoptAlways
	if s.account != "" {
		spec.AccountRef = &v1alpha1.AccountReference{Name: s.account}
	}
	s.kind.SetURL(o, w.url())
	if s.kind.Signs() && w.random.IntN(4) > 0 {
		s.kind.Sign(o, s.secret)
	}
	return w.API.Create(ctx, o)
}

// update changes the object of a slot, if there is one.
func (w *world) update(ctx context.Context, s slot, change func(o kind.Object)) error {
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		o := s.object()
		if err := w.API.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		change(o)
		return w.API.Update(ctx, o)
	})
	return client.IgnoreNotFound(err)
}

// rotate gives a Secret another key, and makes it if there is none.
func (w *world) rotate(ctx context.Context, name string) error {
	return w.store(ctx, name, map[string]string{entry: w.token()})
}

// accessPrefix begins the names of Secrets with an access key.
const accessPrefix = "access-"

// rotateAccess gives a LiveAccount its other access key.
func (w *world) rotateAccess(ctx context.Context, account string) error {
	keys := w.access[account]
	slices.Reverse(keys)
	return w.store(ctx, accessPrefix+account, map[string]string{"accessKeyID": keys[0].ID, "accessKeySecret": keys[0].Secret})
}

func (w *world) store(ctx context.Context, name string, data map[string]string) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, StringData: data}
	err := w.API.Create(ctx, secret.DeepCopy())
	if client.IgnoreAlreadyExists(err) != nil || err == nil {
		return err
	}
	return w.API.Update(ctx, secret)
}

// lose removes a Secret, or puts something into it that is no key.
func (w *world) lose(ctx context.Context, name string) error {
	w.broken[name] = true
	if w.random.IntN(2) == 0 {
		return w.store(ctx, name, map[string]string{entry: "too short", "accessKeySecret": ""})
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	return client.IgnoreNotFound(w.API.Delete(ctx, secret))
}

// find brings back the Secrets that were lost.
func (w *world) find(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(w.broken)) {
		renew := w.rotate
		account, access := strings.CutPrefix(name, accessPrefix)
		if access {
			renew = w.rotateAccess
		}
		if err := renew(ctx, account); err != nil {
			return err
		}
		delete(w.broken, name)
	}
	return nil
}
