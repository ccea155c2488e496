// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/test/system"
)

// The blocks of these pages are run in this order: after the first one, which imports
// what there is, the second one makes the object that the others are about. Those for operating it, and the runbooks, come when there
// is trouble.
var (
	pages     = []string{"README.md", "docs/livenotifyconfig.md", "docs/rotating-keys.md", "docs/conditions.md", "docs/guard.md", "docs/policies.md"}
	operating = []string{"docs/rollout.md", "docs/troubleshooting.md", "docs/liveaccount.md", "docs/monitoring.md"}
)

// TestPages runs what the pages of the documentation show, as it stands, against one
// real API server, one real operator and one emulated cloud.
func TestPages(t *testing.T) {
	t.Chdir("../..")
	ctrl.SetLogger(logr.Discard())
	s, err := system.Start(t.Context(), emulator.Options{AccessKeys: []emulator.AccessKey{{ID: "recipes", Secret: "recipes-secret"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	r := &receiver{}
	srv, admin := httptest.NewServer(r), httptest.NewServer(scenes(t, s.Cloud, r))
	t.Cleanup(srv.Close)
	t.Cleanup(admin.Close)
	environ := environment(t, s, srv.URL+"/new", admin.URL)
	s.Cloud.AddDomain("", ingest, emulator.IngestDomain)
	s.Cloud.AddDomain("", streaming, emulator.StreamingDomain)
	s.Cloud.SetStreamConfig(ingest, emulator.StreamConfig{NotifyURL: srv.URL + "/live", Auth: true, AuthKey: key})
	s.Cloud.SetRecordConfig(streaming, emulator.RecordConfig{NotifyURL: srv.URL + "/recordings"})
	// Shares of the documented limits would make minutes of this.
	if err := s.StartOperator(t.Context(), "--quota-share-percent", "100000"); err != nil {
		t.Fatal(err)
	}
	runbooks, err := filepath.Glob("docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	each := func(pages []string) {
		for _, page := range pages {
			t.Run(page, func(t *testing.T) {
				if out, err := Run(t.Context(), t.TempDir(), environ, blocksOf(t, page)); err != nil {
					t.Fatalf("%s: %v\n%s", page, err, out)
				}
			})
		}
	}
	t.Run(recipes, func(t *testing.T) { testRecipes(t, s, r, environ) })
	each(pages)
	t.Run("many domains", func(t *testing.T) { testMany(t, s, environ) })
	install(t, environ)
	trouble(t, s)
	each(append(operating, runbooks...))
}

// blocksOf returns what is run of a page.
func blocksOf(t *testing.T, page string) []Block {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := Blocks(string(text))
	if err != nil {
		t.Fatalf("%s: %v", page, err)
	}
	return blocks
}

// install applies what "make deploy" does: the pages name its roles.
func install(t *testing.T, environ []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "kubectl apply --server-side --force-conflicts -k config/default && kubectl create namespace monitoring")
	cmd.Env = environ
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("installing the manifests: %v\n%s", err, out)
	}
}

// trouble makes the objects that the runbooks are about, and waits until they are in
// the state that each has by its name.
func trouble(t *testing.T, s *system.System) {
	t.Helper()
	team := &v1alpha1.LiveAccount{ObjectMeta: objectMeta("media-team"), Spec: v1alpha1.LiveAccountSpec{
		Endpoint: s.URL, MaxDeletionsPerHour: 1,
		Credentials: v1alpha1.LiveCredentials{AccessKeySecretRef: &v1alpha1.LocalSecretReference{Name: "media-team"}},
	}}
	steps := &v1alpha1.LiveRolloutPolicy{ObjectMeta: objectMeta("steps")}
	steps.Spec.Selector.MatchLabels = map[string]v1alpha1.LabelValue{"rollout": "steps"}
	steps.Spec.Guard = v1alpha1.GuardSpec{Window: metav1.Duration{Duration: time.Minute}, MaxFailures: 3}
	for _, o := range []client.Object{
		&corev1.Secret{ObjectMeta: objectMeta("media-team"), StringData: map[string]string{"accessKeyID": "recipes", "accessKeySecret": "recipes-secret"}},
		team, steps,
	} {
		if err := s.API.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	// An administrator set another configuration before.
	s.Cloud.SetStreamConfig("existing.example.com", emulator.StreamConfig{NotifyURL: system.Elsewhere})
	for _, f := range []emulator.Fault{
		{Match: "denied.example.com", Code: "Forbidden.RAM", Status: 403},
		{Match: "unknown.example.com", Code: "ServiceUnavailable", Status: 503},
		{Match: "blocked.example.com", Action: "DeleteLiveStreamsNotifyUrlConfig", Code: "Forbidden.RAM", Status: 403},
	} {
		s.Cloud.Inject(f)
	}
	first := map[string]string{
		"existing": v1alpha1.ReasonExistingConfiguration, "denied": v1alpha1.ReasonAccessDenied, "unknown": v1alpha1.ReasonCloudUnavailable,
		"blocked": v1alpha1.ReasonApplied, "held": v1alpha1.ReasonApplied, "gone": v1alpha1.ReasonApplied,
	}
	for name := range first {
		s.Cloud.AddDomain("", name+".example.com", emulator.IngestDomain)
		o := &v1alpha1.LiveNotifyConfig{ObjectMeta: objectMeta(name)}
		o.Spec.DomainName, o.Spec.NotifyURL = name+".example.com", "https://hooks.example.com/live"
		if name == "held" || name == "gone" {
			o.Spec.AccountRef = &v1alpha1.AccountReference{Name: team.Name}
		}
		if err := s.API.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	for name, reason := range first {
		await(t, s, name, reason)
	}
	for _, name := range []string{"blocked", "gone", "held"} {
		if err := s.API.Delete(t.Context(), &v1alpha1.LiveNotifyConfig{ObjectMeta: objectMeta(name)}); err != nil {
			t.Fatal(err)
		}
		if name == "gone" {
			await(t, s, name, "")
		}
	}
	await(t, s, "blocked", v1alpha1.ReasonDeletionBlocked)
	await(t, s, "held", v1alpha1.ReasonDeletionHeld)
}

func objectMeta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: name}
}

// await waits until an object is Ready, or not, for a reason; without one, until it is
// gone. What was applied may be read back already.
func await(t *testing.T, s *system.System, name, reason string) {
	t.Helper()
	got := ""
	for start := time.Now(); time.Since(start) < 5*time.Minute; system.Pause(t.Context(), 100*time.Millisecond) {
		o := &v1alpha1.LiveNotifyConfig{}
		err := s.API.Get(context.Background(), client.ObjectKey{Namespace: metav1.NamespaceDefault, Name: name}, o)
		if client.IgnoreNotFound(err) != nil {
			t.Fatal(err)
		}
		got = ""
		if c := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionReady); c != nil {
			got = c.Reason
		}
		if err != nil && reason == "" || reason != "" && (got == reason || got == v1alpha1.ReasonInSync && reason == v1alpha1.ReasonApplied) {
			return
		}
	}
	t.Fatalf("Ready of %s is %q, want %q", name, got, reason)
}

// The index has each runbook, and the page about monitoring counts the operations of
// today.
func TestIndexAndCounts(t *testing.T) {
	t.Chdir("../..")
	read := func(page string) string {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	index, monitoring := read("docs/README.md"), read("docs/monitoring.md")
	runbooks, err := filepath.Glob("docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range runbooks {
		link := "(" + strings.TrimPrefix(page, "docs/") + ")"
		if !strings.Contains(index, link) || !strings.Contains(monitoring, link) {
			t.Errorf("%s is not in the index, or not among the alerts", page)
		}
	}
	operations, counts := 0, 0
	for _, op := range live.Operations() {
		if !op.Tool {
			operations++
		}
	}
	for _, k := range system.Kinds {
		if k.Records != "" {
			counts++
		}
	}
	for _, want := range []string{
		fmt.Sprintf("at most %d operations ×", operations), fmt.Sprintf("the reads of %d kinds, and the counts of %d", len(system.Kinds), counts),
	} {
		if !strings.Contains(monitoring, want) {
			t.Errorf("docs/monitoring.md does not say %q", want)
		}
	}
}

// Each block of a runbook, and of the recipes, says whether it is run.
func TestEachBlockIsMarked(t *testing.T) {
	t.Chdir("../..")
	runbooks, err := filepath.Glob("docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(runbooks, recipes) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		for n := range lines {
			if n > 0 && lines[n] == "```sh" && lines[n-1] != "<!-- run -->" && !strings.HasPrefix(lines[n-1], "<!-- not run: ") {
				t.Errorf("%s:%d: nothing runs this block", page, n+1)
			}
		}
	}
	for _, page := range slices.Concat(pages, operating, runbooks) {
		promql := page == "docs/runbooks/LiveNotifyQuotaNearlyUsed.md"
		if len(blocksOf(t, page)) == 0 && !promql {
			t.Error(fmt.Sprint(page, ": nothing of it is run"))
		}
	}
}
