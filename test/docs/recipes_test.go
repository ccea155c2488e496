// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/test/programs"
	"github.com/live-notify/live-notify-operator/test/system"
)

const (
	ingest, streaming = "push.example.com", "live.example.com"
	key               = "RecipeKey0123456789"
	recipes           = "docs/cli/recipes.md"
)

// testRecipes runs the recipes of the command line. Afterwards the receiver has each
// event exactly once, and the operator has written nothing.
func testRecipes(t *testing.T, s *system.System, r *receiver, environ []string) {
	s.Cloud.ResetCalls()
	output, err := Run(t.Context(), t.TempDir(), environ, blocksOf(t, recipes))
	if err != nil {
		t.Fatalf("%s: %v", recipes, err)
	}
	if strings.Contains(output, key) {
		t.Error("the key is in the output")
	}
	onlyRead(t, s)
	want := map[string]int{"s0": 1, "s1": 1, "s2": 1}
	if got := r.replayed(); !maps.Equal(got, want) {
		t.Errorf("the receiver took the events %v of a replay, want each once", got)
	}
}

// testMany takes over many domains, to which nothing may be written.
func testMany(t *testing.T, s *system.System, environ []string) {
	s.Cloud.ResetCalls()
	many(s.Cloud)
	if _, err := Run(t.Context(), t.TempDir(), environ, takenOver); err != nil {
		t.Fatal(err)
	}
	onlyRead(t, s)
}

// onlyRead fails the test if the cloud was written to.
func onlyRead(t *testing.T, s *system.System) {
	t.Helper()
	for _, call := range s.Cloud.Calls() {
		if !system.IsRead(call.Action) && call.Action != "GetCallerIdentity" {
			t.Errorf("the cloud was written to: %s", call.Action)
		}
	}
}

// many makes more domains, each with a configuration.
func many(cloud *emulator.Server) {
	for i := range 40 {
		push, play := fmt.Sprintf("push-%02d.many.example.com", i), fmt.Sprintf("play-%02d.many.example.com", i)
		cloud.AddDomain("", push, emulator.IngestDomain)
		cloud.AddDomain("", play, emulator.StreamingDomain)
		cloud.SetStreamConfig(push, emulator.StreamConfig{NotifyURL: "https://hooks.example.com/" + push, Auth: i%2 == 0, AuthKey: key})
		cloud.SetRecordConfig(play, emulator.RecordConfig{NotifyURL: "https://hooks.example.com/" + play, NeedStatusNotify: i%3 == 0, Auth: i%2 == 1, AuthKey: key})
	}
}

// takenOver imports many domains, lets them be observed and then managed.
var takenOver = []Block{
	{Text: "kubectl live-notify import --domain '*.many.example.com' --output-dir many/ --keys-to-cluster --yes", Shown: []string{"80 imported", "Wrote 40 Secrets."}},
	{Text: "kubectl live-notify import --domain '*.many.example.com' --output-dir again/ && diff -r many again"},
	{Text: "kubectl live-notify plan -f many/", Shown: []string{"Plan: 0 to create, 0 to change, 0 to remove, 0 blocked, 80 in sync."}},
	{Text: "kubectl create -f many/ >/dev/null && kubectl wait --for=condition=Ready -f many/ --timeout=2m"},
	{Text: "sed -i 's/managementPolicy: Observe/managementPolicy: Manage/' many/* && kubectl replace -f many/ >/dev/null"},
	{Text: "kubectl live-notify plan -f many/", Shown: []string{"Plan: 0 to create, 0 to change, 0 to remove, 0 blocked, 80 in sync."}},
	{Text: "kubectl live-notify reconcile lnc,lrnc --wait -o name | wc -l", Shown: []string{"82"}},
}

// environment returns what the page's commands find: kubectl, the command line as
// its plugin, and what stands for the reader's own receiver.
func environment(t *testing.T, s *system.System, newReceiver, admin string) []string {
	t.Helper()
	bin, home := t.TempDir(), t.TempDir()
	program, err := programs.CommandLine(t.Context(), ".", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, line := range map[string]string{
		"kubectl":             fmt.Sprintf("exec %q \"$@\"", filepath.Join(s.Assets, "kubectl")),
		"kubectl-live_notify": fmt.Sprintf("exec %q \"$@\" --endpoint %s --quota-share-percent 100000", program, s.URL),
		"receiver-fails":      "exec curl -fsS -X POST " + admin + "/fails",
		"receiver-is-mended":  "exec curl -fsS -X POST " + admin + "/is-mended",
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+line+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + home, "KUBECONFIG=" + s.Kubeconfig(), "RECEIVER=" + newReceiver,
		"ALIBABA_CLOUD_ACCESS_KEY_ID=recipes", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=recipes-secret",
	}
}

// scenes is what happens between the commands: streams begin, the receiver goes down
// and they end; and it is well again.
func scenes(t *testing.T, cloud *emulator.Server, r *receiver) http.Handler {
	mux := http.NewServeMux()
	each := func(w http.ResponseWriter, do func(domain, app, stream string) error) {
		for i := range 3 {
			if err := do(ingest, "live", "s"+strconv.Itoa(i)); err != nil {
				t.Error(err)
				w.WriteHeader(http.StatusInternalServerError)
			}
		}
		cloud.Wait()
	}
	mux.HandleFunc("POST /fails", func(w http.ResponseWriter, _ *http.Request) {
		each(w, cloud.StartStream)
		r.goDown(true)
		each(w, cloud.StopStream)
	})
	mux.HandleFunc("POST /is-mended", func(http.ResponseWriter, *http.Request) { r.goDown(false) })
	return mux
}

// receiver takes callbacks that are signed with the key, now, unless it is down.
type receiver struct {
	mu    sync.Mutex
	down  bool
	taken []*http.Request
}

func (r *receiver) goDown(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

// ServeHTTP answers a callback.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stamp := req.Header.Get(callback.TimestampHeader)
	unix, err := strconv.ParseInt(stamp, 10, 64)
	signed := err == nil && time.Since(time.Unix(unix, 0)).Abs() < 5*time.Minute &&
		req.Header.Get(callback.SignatureHeader) == callback.Signature(req.URL.Query().Get("app"), stamp, key)
	switch {
	case r.down:
		w.WriteHeader(http.StatusServiceUnavailable)
	case !signed:
		w.WriteHeader(http.StatusForbidden)
	default:
		r.taken = append(r.taken, req)
	}
}

// replayed counts the ends of streams that were taken, whoever sent them.
func (r *receiver) replayed() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	ends := map[string]int{}
	for _, req := range r.taken {
		if q := req.URL.Query(); q.Get("action") == "publish_done" {
			ends[q.Get("id")]++
		}
	}
	return ends
}
