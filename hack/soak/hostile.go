// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/test/system"
)

// isHostile tells whether an account is, by its name.
func isHostile(account string) bool { return strings.HasPrefix(account, "hostile-") }

// striking is how often a hostile account does something.
const striking = 2 * time.Second

// hostile is an account that means harm: it has a namespace of its own with all
// rights there, an account of the cloud, and an endpoint that answers as it likes. Half
// of its objects name keys of others.
type hostile struct {
	name     string // of namespace, LiveAccount and access key
	endpoint *httptest.Server
	// cloud is the one of all; lies is one in which all keys are this account's.
	cloud, lies *emulator.Server
	slots       []slot
	victim      string // another account
	wrong       string // the secret that it has for the access key of that
	own         string // its authentication key
	elsewhere   string // where it redirects to
	next        time.Time

	mood atomic.Int32

	mu  sync.Mutex
	got map[string]bool // what looks like a key and came to the endpoint
}

// hanging is the mood that is left when it has to be quiet.
const hanging = 2

// moods are the ways in which the endpoint answers.
var moods = []func(h *hostile, w http.ResponseWriter, r *http.Request){
	func(h *hostile, w http.ResponseWriter, r *http.Request) { h.cloud.ServeHTTP(w, r) },
	func(h *hostile, w http.ResponseWriter, r *http.Request) { h.lies.ServeHTTP(w, r) },
	hanging: func(_ *hostile, w http.ResponseWriter, r *http.Request) { system.Hang(w, r) },
	func(_ *hostile, w http.ResponseWriter, r *http.Request) { // one byte after the other
		for write(w, r, []byte(" "), 500*time.Millisecond) {
		}
	},
	func(_ *hostile, w http.ResponseWriter, r *http.Request) { // much at once
		for n := 0; n < 64 && write(w, r, bytes.Repeat([]byte(`{"LiveStreamsNotifyConfig":[`), 1<<15), 0); n++ {
		}
	},
	func(_ *hostile, w http.ResponseWriter, _ *http.Request) { // garbage
		garbage := make([]byte, 4096)
		for i := range garbage {
			garbage[i] = byte(rand.IntN(256))
		}
		w.WriteHeader(200 + rand.IntN(400))
		_, _ = w.Write(garbage)
	},
	func(h *hostile, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, h.elsewhere+"/?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
	},
}

// write writes a part of an answer, and waits. It returns whether someone still reads.
func write(w http.ResponseWriter, r *http.Request, part []byte, wait time.Duration) bool {
	if _, err := w.Write(part); err != nil || http.NewResponseController(w).Flush() != nil {
		return false
	}
	system.Pause(r.Context(), wait)
	return r.Context().Err() == nil
}

// likeKey is what the tokens of the world look like.
var likeKey = regexp.MustCompile(`[0-9A-Za-z]{32}`)

// ServeHTTP is the endpoint. It remembers each key that it is sent.
func (h *hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	h.remember(r.URL.RawQuery + " " + string(body))
	r.Body = io.NopCloser(bytes.NewReader(body))
	moods[h.mood.Load()](h, w, r)
}

func (h *hostile) remember(sent string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, key := range likeKey.FindAllString(sent, -1) {
		h.got[key] = true
	}
}

func (h *hostile) close() {
	h.endpoint.CloseClientConnections() // some may hang
	h.endpoint.Close()
	h.lies.Close()
}

// invite creates a hostile account and all that is its.
func (w *world) invite(ctx context.Context, name string) {
	h := &hostile{
		name: name, cloud: w.Cloud, elsewhere: w.URL, wrong: w.token(), got: map[string]bool{},
		victim: w.account(w.random.IntN(w.cfg.accounts - w.cfg.hostile)),
	}
	h.lies = emulator.New(emulator.Options{AccessKeys: append(w.access[name], emulator.AccessKey{ID: h.victim, Secret: h.wrong, Account: name})})
	h.endpoint = httptest.NewServer(h)
	w.hostile = append(w.hostile, h)
	// An account has every role, open to all, as long as it has none of its own.
	system.Check(w.Cloud.AddRole(emulator.Role{Account: h.victim, Name: "role", TrustedAccounts: []string{h.victim}}))
	system.Check(w.API.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	w.rotate(ctx, name, secretName(0))
	h.own = w.tokens[len(w.tokens)-1]
	w.openAccount(ctx, name, name, h.endpoint.URL)
	for i := range w.cfg.objects / w.cfg.accounts {
		k := system.Kinds[i%len(system.Kinds)]
		s := slot{kind: k, namespace: name, account: name, secret: secretName(0), name: fmt.Sprintf("%s-%s-%d", name, k.Short, i)}
		if s.base = s.name; i/len(system.Kinds)%2 == 0 {
			w.add(s)
		} else {
			s.base = w.slotOf(k).base
		}
		k.Add(h.lies, name, s.key())
		h.slots = append(h.slots, s)
		w.create(ctx, s)
	}
}

// slotOf draws a slot of a kind.
func (w *world) slotOf(k *system.Kind) slot {
	for {
		if s := w.slots[w.random.IntN(len(w.slots))]; s.kind == k {
			return s
		}
	}
}

// harm lets each hostile account do something, if it is time to.
func (w *world) harm(ctx context.Context) {
	for _, h := range w.hostile {
		if time.Now().After(h.next) {
			h.next = time.Now().Add(striking)
			w.do(ctx, "hostile: ", w.strikes(h))
		}
	}
}

// strikes are within the rights of a tenant, and not within those of a good one.
func (w *world) strikes(h *hostile) []event {
	r, s := w.random, h.slots[w.random.IntN(len(h.slots))]
	account := func(ctx context.Context, edit func(*v1alpha1.LiveAccountSpec)) {
		empty := func() *v1alpha1.LiveAccount {
			return &v1alpha1.LiveAccount{ObjectMeta: metav1.ObjectMeta{Namespace: h.name, Name: h.name}}
		}
		change(ctx, w.API, empty, func(a *v1alpha1.LiveAccount) { edit(&a.Spec) })
	}
	return []event{
		{4, "another mood", func(context.Context) { h.mood.Store(int32(r.IntN(len(moods)))) }},
		{2, "its own access key", func(ctx context.Context) { w.rotateAccess(ctx, h.name, h.name) }},
		{1, "the ID of another's access key", func(ctx context.Context) { w.storeAccess(ctx, h.name, h.name, h.victim, h.wrong) }},
		{1, "no access key", func(ctx context.Context) { w.lose(ctx, h.name, accessPrefix+h.name) }},
		{1, "a role of another account", func(ctx context.Context) {
			account(ctx, func(a *v1alpha1.LiveAccountSpec) {
				if a.AssumeRole == nil {
					a.AssumeRole = &v1alpha1.AssumeRole{RoleARN: w.Cloud.RoleARN(h.victim, "role")}
				} else {
					a.AssumeRole = nil
				}
			})
		}},
		{1, "another endpoint", func(ctx context.Context) {
			account(ctx, func(a *v1alpha1.LiveAccountSpec) { a.Endpoint = other(a.Endpoint, h.endpoint.URL, w.URL) })
		}},
		{1, "create or delete", func(ctx context.Context) { w.toggle(ctx, s) }},
		{1, "edit", func(ctx context.Context) { w.update(ctx, s, func(o kind.Object) { s.kind.SetURL(o, w.url("")) }) }},
	}
}

// toggle deletes the object of a slot, or creates it if there is none.
func (w *world) toggle(ctx context.Context, s slot) {
	err := w.API.Delete(ctx, s.object())
	system.Check(client.IgnoreNotFound(err))
	if err != nil {
		w.create(ctx, s)
	}
}

// robbed says which keys of others came to the endpoint.
func (h *hostile) robbed(tokens []string) (found []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, token := range tokens {
		if h.got[token] && token != h.own {
			found = append(found, fmt.Sprintf("secret %d of %d came to the endpoint of %s", i+1, len(tokens), h.name))
		}
	}
	return found
}
