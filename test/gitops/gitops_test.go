// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fluxcd/pkg/envsubst"
	lua "github.com/yuin/gopher-lua"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/live-notify/live-notify-operator/test/controlplane"
)

const (
	config    = "../../config"
	healthKey = "resource.customizations.health.live.alibabacloud.com_"
)

// healthChecks are the Lua programs for Argo CD, by kind.
func healthChecks(t *testing.T) map[string]string {
	t.Helper()
	var cm corev1.ConfigMap
	text, err := os.ReadFile(config + "/argocd/argocd-cm.yaml")
	if err == nil {
		err = yaml.UnmarshalStrict(text, &cm)
	}
	if err != nil {
		t.Fatal(err)
	}
	checks := map[string]string{}
	for key, program := range cm.Data {
		kind, ok := strings.CutPrefix(key, healthKey)
		if !ok {
			t.Errorf("Argo CD knows no key %s", key)
		}
		checks[kind] = program
	}
	return checks
}

// toLua turns what JSON can say into what Lua can.
func toLua(l *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case map[string]any:
		table := l.NewTable()
		for key, item := range v {
			table.RawSetString(key, toLua(l, item))
		}
		return table
	case []any:
		table := l.NewTable()
		for _, item := range v {
			table.Append(toLua(l, item))
		}
		return table
	case string:
		return lua.LString(v)
	case bool:
		return lua.LBool(v)
	case int64:
		return lua.LNumber(v)
	case float64:
		return lua.LNumber(v)
	default:
		return lua.LNil
	}
}

// health runs a check as Argo CD does: obj is the object, and a table comes back.
func health(t *testing.T, check string, obj *unstructured.Unstructured) (status, message string) {
	t.Helper()
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer l.Close()
	l.Push(l.NewFunction(lua.OpenBase))
	l.Call(0, 0)
	l.SetGlobal("obj", toLua(l, obj.Object))
	if err := l.DoString(check); err != nil {
		t.Fatal(err)
	}
	table, ok := l.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the check returned %v", l.Get(-1))
	}
	return table.RawGetString("status").String(), table.RawGetString("message").String()
}

func readObject(t *testing.T, path string) *unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var obj unstructured.Unstructured
	converted, err := yaml.YAMLToJSON(text)
	if err == nil {
		err = obj.UnmarshalJSON(converted)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return &obj
}

// TestHealth judges objects as the operator left them in the demo.
func TestHealth(t *testing.T) {
	checks := healthChecks(t)
	all := []string{
		"LiveAccount", "LiveAudioAuditNotifyConfig", "LiveDetectNotifyConfig", "LiveMessageAppCallback", "LiveNotifyConfig",
		"LiveRecordNotifyConfig", "LiveRolloutPolicy", "LiveRtcEventSub", "LiveRtcMPUEventSub", "LiveSnapshotNotifyConfig",
	}
	if got := slices.Sorted(maps.Keys(checks)); !slices.Equal(got, all) {
		t.Errorf("there are checks for %q, want %q", got, all)
	}
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]struct {
		argo string
		flux status.Status
	}{
		"InSync":                 {"Healthy", status.CurrentStatus},
		"CredentialsLoaded":      {"Healthy", status.CurrentStatus},
		"CredentialsUnavailable": {"Degraded", status.FailedStatus},
		"DomainNotFound":         {"Degraded", status.FailedStatus},
		"AuthKeyUnavailable":     {"Degraded", status.FailedStatus},
		"CloudUnavailable":       {"Progressing", status.InProgressStatus},
		"Suspended":              {"Suspended", status.InProgressStatus},
		"RolledBack":             {"Degraded", status.FailedStatus},
		"WaitingForRollout":      {"Progressing", status.InProgressStatus},
		"InForce":                {"Healthy", status.CurrentStatus},
		"FailedChange":           {"Degraded", status.CurrentStatus}, // Halted is a condition that Flux does not know
	}
	seen := map[string]bool{}
	for _, file := range files {
		_, reason, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".yaml"), "-")
		seen[reason] = true
		obj := readObject(t, file)
		expect := func(what, argo string, flux status.Status) {
			t.Helper()
			got, message := health(t, checks[obj.GetKind()], obj)
			if got != argo || message == "" || message == "nil" {
				t.Errorf("%s%s: Argo CD says %s (%s), want %s", file, what, got, message, argo)
			}
			result, err := status.Compute(obj)
			if err != nil || result.Status != flux {
				t.Errorf("%s%s: Flux says %v, %v, want %s", file, what, result, err, flux)
			}
		}
		expect("", want[reason].argo, want[reason].flux)
		obj.SetGeneration(obj.GetGeneration() + 1)
		expect(", changed since", "Progressing", status.InProgressStatus)
	}
	for reason := range want {
		if !seen[reason] {
			t.Errorf("there is no object for %s", reason)
		}
	}
	fresh := readObject(t, files[0])
	delete(fresh.Object, "status")
	if got, _ := health(t, checks[fresh.GetKind()], fresh); got != "Progressing" {
		t.Errorf("an object that the operator has not seen is %s", got)
	}
}

// TestTemplates has kubectl and the API server take what the pages tell people to
// apply.
func TestTemplates(t *testing.T) {
	assets, err := controlplane.Assets(context.Background(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	env := &envtest.Environment{CRDDirectoryPaths: []string{config + "/crd/bases"}, ErrorIfCRDPathMissing: true, BinaryAssetsDirectory: assets}
	if _, err := env.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, env.KubeConfig, 0o600); err != nil {
		t.Fatal(err)
	}
	kubectl := func(t *testing.T, stdin string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), filepath.Join(assets, "kubectl"), append([]string{"--kubeconfig", kubeconfig, "--cache-dir", t.TempDir()}, args...)...)
		cmd.Stdin = strings.NewReader(stdin)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("kubectl %s: %v\n%s%s", strings.Join(args, " "), err, stderr.String(), stdin)
		}
		return stdout.String()
	}
	kubectl(t, "", "create", "namespace", "media")
	domains := func(t *testing.T, manifest string) []string {
		t.Helper()
		out := kubectl(t, manifest, "apply", "-n", "media", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-",
			"-o", `jsonpath={range .items[*]}{.metadata.name}={.spec.domainName} {end}`)
		found := strings.Fields(out)
		found = slices.DeleteFunc(found, func(s string) bool { return strings.HasSuffix(s, "=") }) // Secrets
		slices.Sort(found)
		return found
	}

	t.Run("Argo CD", func(t *testing.T) {
		kubectl(t, "", "create", "configmap", "argocd-cm", "-n", "media", "--from-literal=url=https://argocd.example.com")
		kubectl(t, "", "patch", "configmap", "argocd-cm", "-n", "media", "--patch-file", config+"/argocd/argocd-cm.yaml")
		var cm corev1.ConfigMap
		if err := yaml.Unmarshal([]byte(kubectl(t, "", "get", "configmap", "argocd-cm", "-n", "media", "-o", "yaml")), &cm); err != nil {
			t.Fatal(err)
		}
		want := healthChecks(t)
		want["url"] = "https://argocd.example.com"
		for key, value := range cm.Data {
			if key = strings.TrimPrefix(key, healthKey); want[key] != value {
				t.Errorf("%s: got %q", key, value)
			}
			delete(want, key)
		}
		if len(want) > 0 {
			t.Errorf("missing: %v", want)
		}
	})
	// What the operator has not seen yet must not pass for ready, however long that takes.
	t.Run("unseen", func(t *testing.T) {
		created := json.NewDecoder(strings.NewReader(kubectl(t, "", "create", "-n", "media", "--dry-run=server", "-o", "json", "-k", config+"/samples")))
		seen := map[string]bool{}
		for created.More() {
			var obj unstructured.Unstructured
			if err := created.Decode(&obj); err != nil {
				t.Fatal(err)
			}
			check, ours := healthChecks(t)[obj.GetKind()]
			if !ours {
				continue // a Secret
			}
			seen[obj.GetKind()] = true
			if result, err := status.Compute(&obj); err != nil || result.Status != status.InProgressStatus {
				t.Errorf("%s: Flux says %v, %v, want %s", obj.GetKind(), result, err, status.InProgressStatus)
			}
			if got, _ := health(t, check, &obj); got != "Progressing" {
				t.Errorf("%s: Argo CD says %s, want Progressing", obj.GetKind(), got)
			}
		}
		if want := len(healthChecks(t)); len(seen) != want {
			t.Errorf("there are samples of %d kinds, want %d", len(seen), want)
		}
	})
	t.Run("kustomize", func(t *testing.T) {
		got := domains(t, kubectl(t, "", "kustomize", config+"/samples/domains"))
		want := []string{
			"news-recordings=live.news.example.com", "news-streams=push.news.example.com",
			"sports-recordings=live.sports.example.com", "sports-streams=push.sports.example.com",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("Flux", func(t *testing.T) {
		template, err := os.ReadFile(config + "/samples/flux/callbacks.yaml")
		if err != nil {
			t.Fatal(err)
		}
		kustomizations, err := os.ReadFile(config + "/samples/flux/kustomizations.yaml")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for text := range strings.SplitSeq(string(kustomizations), "\n---\n") {
			var k struct {
				Spec struct {
					Wait      bool
					PostBuild struct{ Substitute map[string]string }
				}
			}
			if err := yaml.Unmarshal([]byte(text), &k); err != nil {
				t.Fatal(err)
			}
			if !k.Spec.Wait {
				t.Error("a Kustomization does not wait")
			}
			manifest, err := envsubst.Eval(string(template), func(name string) (string, bool) {
				value, ok := k.Spec.PostBuild.Substitute[name]
				return value, ok
			})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, domains(t, manifest)...)
		}
		want := []string{
			"sports-recordings=live.sports.example.com", "sports-streams=push.sports.example.com",
			"news-recordings=live.news.example.com", "news-streams=push.news.example.com",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
