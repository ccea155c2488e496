// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// gate is where every call of an operator passes, be it to the cloud or to the
// API server: writes, and reads that no cache answers. A test can let a call
// fail there, or the process die before or after it. The zero value lets
// everything through.
type gate struct {
	mu    sync.Mutex
	made  []string // calls since the last plan
	began []int    // how many of them were made when each pass began
	met   []int    // those of them that met a failure
	last  stroke   // what something happened to last
	now   func() time.Time
	dead  bool
	fate  func(n int, call string) fate // of the nth call; nil for none
	after func(action string)           // is told of each write that the cloud accepted
}

// fate is what happens to a call. The zero value is that it succeeds.
type fate struct {
	// dieBefore and dieAfter end the process before or after the call.
	dieBefore, dieAfter bool
	// hold is run before the call.
	hold func()
	// err is the answer of the API server to the call. lost tells that the
	// call was done all the same.
	err  error
	lost bool
	// fault is what meets a call to the cloud. hang keeps back the reply for as
	// long as the caller waits.
	fault emulator.Fault
	hang  bool
}

// stroke is when something happened, and to which call.
type stroke struct {
	when time.Time
	call string
}

// fails tells whether the operator gets anything else than the right answer.
func (f fate) fails() bool {
	return f.dieBefore || f.dieAfter || f.err != nil || f.hang || f.fault != emulator.Fault{Latency: f.fault.Latency}
}

// errDead is what a process that is dead gets for its calls.
var errDead = errors.New("the process is dead")

// plan says what happens to the calls from now on, counted from 0.
func (g *gate) plan(of func(n int, call string) fate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.made, g.began, g.met, g.last, g.fate, g.dead = nil, nil, nil, stroke{}, of, false
}

// calls returns the calls since the last plan.
func (g *gate) calls() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.made...)
}

// since returns the calls after the first n since the last plan.
func (g *gate) since(n int) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.made[n:]...)
}

// many returns how many calls there were since the last plan.
func (g *gate) many() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.made)
}

// heal lets all calls from now on succeed. What happened lasted until then.
func (g *gate) heal(until stroke) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fate, g.last = nil, until
}

// struck returns what something happened to last; the zero value for nothing.
func (g *gate) struck() stroke {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last
}

// begin notes that a pass begins.
func (g *gate) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.began = append(g.began, len(g.made))
}

// cut returns the calls of passes in which a call failed, up to that call: a
// later pass may have to make them again.
func (g *gate) cut() (calls []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, from := range g.began {
		to := len(g.made)
		if i+1 < len(g.began) {
			to = g.began[i+1]
		}
		last := -1
		for _, n := range g.met {
			if n >= from && n < to {
				last = n
			}
		}
		calls = append(calls, g.made[from:max(last+1, from)]...)
	}
	return calls
}

// revive lets a new process make calls; it tells whether the last has died.
func (g *gate) revive() (died bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	died, g.dead = g.dead, false
	return died
}

func (g *gate) die() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dead = true
}

// enter notes a call and returns what happens to it.
func (g *gate) enter(call string) (fate, error) {
	g.mu.Lock()
	if g.dead {
		g.mu.Unlock()
		return fate{}, errDead
	}
	n := len(g.made)
	g.made = append(g.made, call)
	var f fate
	if g.fate != nil {
		f = g.fate(n, call)
	}
	g.dead = f.dieBefore
	if f.fails() {
		g.met = append(g.met, n)
	}
	if f.fails() || f.hold != nil || f.fault.Latency > 0 {
		g.last = stroke{g.now(), call}
	}
	g.mu.Unlock()
	if f.hold != nil {
		f.hold()
	}
	if f.dieBefore {
		return f, errDead
	}
	return f, nil
}

// pass makes a call to the API server.
func (g *gate) pass(call string, do func() error) error {
	f, err := g.enter(call)
	if err != nil {
		return err
	}
	if f.err != nil && !f.lost {
		return f.err
	}
	err = do()
	if f.dieAfter {
		g.die()
		return errDead
	}
	if f.err != nil {
		return f.err
	}
	return err
}

// cloud returns the way to the cloud.
func (g *gate) cloud(to *emulator.Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		action := r.Header.Get("x-acs-action")
		if action == "" { // of no operator: someone else's port was this one before
			to.ServeHTTP(w, r)
			return
		}
		f, err := g.enter(action)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if f.fault != (emulator.Fault{}) {
			f.fault.Action, f.fault.Times = action, 1
			to.Inject(f.fault)
		}
		reply := httptest.NewRecorder()
		aborted := func() (aborted any) {
			defer func() { aborted = recover() }()
			to.ServeHTTP(reply, r)
			return nil
		}()
		g.accepted(to, action)
		if f.hang {
			<-r.Context().Done()
		}
		if f.dieAfter {
			g.die()
		}
		if f.dieAfter || aborted != nil {
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), reply.Header())
		w.WriteHeader(reply.Code)
		_, _ = w.Write(reply.Body.Bytes())
	})
}

// accepted tells of a write that the cloud accepted.
func (g *gate) accepted(to *emulator.Server, action string) {
	if g.after == nil || isRead(action) {
		return
	}
	if calls := to.Calls(); len(calls) > 0 && calls[len(calls)-1].Code == "" && calls[len(calls)-1].Status == http.StatusOK {
		g.after(action)
	}
}

// isRead tells whether an action of the cloud changes nothing.
func isRead(action string) bool {
	return strings.HasPrefix(action, "Describe") || strings.HasPrefix(action, "List")
}

// isCloud tells calls to the cloud from those to the API server.
func isCloud(call string) bool { return !strings.HasPrefix(call, "k8s ") }

func (g *gate) client(c client.Client) client.Client { return gatedClient{c, g} }
func (g *gate) reader(r client.Reader) client.Reader { return gatedReader{r, g} }

// gatedClient gates writes. Its reads are the cache's.
type gatedClient struct {
	client.Client
	gate *gate
}

func (c gatedClient) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
	return c.gate.pass("k8s patch", func() error { return c.Client.Patch(ctx, obj, patch, opts...) })
}

func (c gatedClient) Status() client.SubResourceWriter { return gatedStatus{c.Client.Status(), c.gate} }

type gatedStatus struct {
	client.SubResourceWriter
	gate *gate
}

func (s gatedStatus) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	return s.gate.pass("k8s patch status", func() error { return s.SubResourceWriter.Patch(ctx, obj, patch, opts...) })
}

// gatedReader gates reads that no cache answers.
type gatedReader struct {
	client.Reader
	gate *gate
}

func (r gatedReader) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	return r.gate.pass("k8s get", func() error { return r.Reader.Get(ctx, key, obj, opts...) })
}
