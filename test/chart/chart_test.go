// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package chart tests what the Helm chart creates. It runs the helm of the
// environment variable HELM, which "make test" builds.
package chart

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"

	"github.com/live-notify/live-notify-operator/test/controlplane"
	"github.com/live-notify/live-notify-operator/test/programs"
	"github.com/live-notify/live-notify-operator/test/schema"
)

const (
	dir       = "../../charts/live-notify-operator"
	release   = "live-notify-operator"
	namespace = "live-notify-system"
)

type objects map[string]map[string]any // by kind, namespace and name

func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	program := os.Getenv("HELM")
	if program == "" {
		t.Skip("HELM is not set: run make test")
	}
	// It tells of each link in the chart, beside what it prints.
	cmd := exec.CommandContext(t.Context(), program, args...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return string(out) + complaints.String(), err
	}
	return string(out), nil
}

// TestPackage looks whether a package has the files that the chart only links to.
func TestPackage(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	if text, err := helm(t, "package", dir, "-d", out); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	packages, err := filepath.Glob(filepath.Join(out, "*.tgz"))
	if err != nil || len(packages) != 1 {
		t.Fatalf("got %v, %v", packages, err)
	}
	args := []string{"template", release, packages[0], "-n", namespace, "--skip-tests"}
	text, err := helm(t, append(args, "--set", "prometheusRule.enabled=true,grafanaDashboard.enabled=true")...)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	got := parse(t, text)
	if diff := cmp.Diff(render(t, "prometheusRule.enabled=true", "grafanaDashboard.enabled=true"), got); diff != "" {
		t.Errorf("directory (-) and package (+):\n%s", diff)
	}
}

func render(t *testing.T, values ...string) objects {
	t.Helper()
	args := []string{"template", release, dir, "-n", namespace, "--skip-tests"}
	for _, value := range values {
		args = append(args, "--set", value)
	}
	out, err := helm(t, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return parse(t, out)
}

func kustomize(t *testing.T, dir string) objects {
	t.Helper()
	assets, err := controlplane.Assets(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(assets, "kubectl"), "kustomize", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(out))
}

func parse(t *testing.T, text string) objects {
	t.Helper()
	result := objects{}
	docs := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(text)), 4096)
	for {
		var o unstructured.Unstructured
		err := docs.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return result
		}
		if err != nil {
			t.Fatal(err)
		}
		if o.Object == nil {
			continue
		}
		key := strings.Join([]string{o.GetKind(), o.GetNamespace(), o.GetName()}, "/")
		if _, twice := result[key]; twice {
			t.Errorf("%s is there twice", key)
		}
		result[key] = o.Object
	}
}

// added are the labels by which Helm's users find what belongs to a release. The
// label name is among them, which manifests have only where something selects it.
var added = []string{"helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/version", "app.kubernetes.io/instance", "app.kubernetes.io/name", "app.kubernetes.io/part-of"}

// normal takes away what a chart and kustomize put in by themselves, and sorts
// out what selects by it: the label instance, which tells releases apart.
func normal(all objects) objects {
	for key, o := range all {
		if strings.HasPrefix(key, "Namespace/") { // helm install --create-namespace
			delete(all, key)
			continue
		}
		meta := o["metadata"].(map[string]any)
		if labels, ok := meta["labels"].(map[string]any); ok {
			for _, label := range added {
				delete(labels, label)
			}
			if len(labels) == 0 {
				delete(meta, "labels")
			}
		}
		if annotations, ok := meta["annotations"].(map[string]any); ok {
			delete(annotations, "helm.sh/resource-policy")
		}
		if strings.HasPrefix(key, "ClusterRole/") || strings.HasPrefix(key, "Role/") {
			rules := o["rules"].([]any)
			slices.SortFunc(rules, func(a, b any) int { return strings.Compare(text(a), text(b)) })
		}
		withoutInstance(o)
	}
	return all
}

func text(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err) // it came from YAML
	}
	return string(out)
}

func withoutInstance(v any) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "app.kubernetes.io/instance")
		for _, child := range v {
			withoutInstance(child)
		}
	case []any:
		for _, child := range v {
			withoutInstance(child)
		}
	}
}

// TestEqualToManifests holds the chart and config together: what one creates by
// default the other creates too.
func TestEqualToManifests(t *testing.T) {
	withoutPullPolicy := func(all objects) objects {
		for _, o := range all {
			if o["kind"] != "Deployment" {
				continue
			}
			for _, c := range containers(o) {
				delete(c, "imagePullPolicy") // config leaves it to the API server
			}
		}
		return all
	}
	for name, values := range map[string][]string{
		"default":             nil,
		"trial":               {"emulator.enabled=true"},
		"metrics-certificate": {"metrics.certificate.certManager.enabled=true", "serviceMonitor.enabled=true", "prometheusRule.enabled=true", "grafanaDashboard.enabled=true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := withoutPullPolicy(normal(render(t, values...)))
			want := normal(kustomize(t, "../../config/"+name))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("config (-) and chart (+):\n%s", diff)
			}
		})
	}
	t.Run("prometheus", func(t *testing.T) {
		t.Parallel()
		got := normal(render(t, "serviceMonitor.enabled=true", "prometheusRule.enabled=true", "grafanaDashboard.enabled=true"))
		for key, want := range normal(kustomize(t, "../../config/prometheus")) {
			if diff := cmp.Diff(want, got[key]); diff != "" {
				t.Errorf("%s, config (-) and chart (+):\n%s", key, diff)
			}
		}
	})
}

func containers(deployment map[string]any) []map[string]any {
	pod, _, _ := unstructured.NestedFieldNoCopy(deployment, "spec", "template", "spec")
	var result []map[string]any
	for _, c := range pod.(map[string]any)["containers"].([]any) {
		result = append(result, c.(map[string]any))
	}
	return result
}

// TestValues sets each value that changes much, and looks for what it is for.
func TestValues(t *testing.T) {
	const manager = "Deployment/" + namespace + "/live-notify-operator-manager"
	rrsa := []string{"rrsa.enabled=true", "rrsa.roleARN=acs:ram::1:role/r", "rrsa.oidcProviderARN=acs:ram::1:oidc-provider/p"}
	for _, tt := range []struct {
		name    string
		values  []string
		object  string
		has     []string
		hasNot  []string
		without []string // objects
	}{
		{name: "digest", values: []string{"image.digest=sha256:" + strings.Repeat("a", 64)}, object: manager, has: []string{`"live-notify-operator@sha256:aaa`}},
		{name: "RRSA", values: rrsa, object: manager, has: []string{`"audience":"sts.aliyuncs.com"`, `"value":"acs:ram::1:role/r"`, "ALIBABA_CLOUD_OIDC_TOKEN_FILE"}, hasNot: []string{"secretKeyRef"}},
		{name: "Secret", values: []string{"credentials.existingSecret=mine"}, object: manager, has: []string{`"name":"mine","optional":false`}},
		{
			name: "namespaces", values: []string{"watchNamespaces={a,b}"}, object: manager, has: []string{"--watch-namespaces=a,b"},
		},
		{name: "namespaces, roles", values: []string{"watchNamespaces={a,b}"}, object: "Role/b/live-notify-operator-objects", has: []string{`"secrets"`, `"livenotifyconfigs"`}},
		{name: "namespaces, cluster", values: []string{"watchNamespaces={a,b}"}, object: "ClusterRole//live-notify-operator-manager-role", has: []string{"tokenreviews"}, hasNot: []string{"secrets", "livenotifyconfigs"}},
		{
			name: "nothing for the cluster", values: []string{"watchNamespaces={a}", "metrics.secure=false", "rbac.seeOtherOperators=false", "rbac.aggregateClusterRoles=false"}, object: manager, has: []string{"--metrics-secure=false"},
			without: []string{"ClusterRole//live-notify-operator-manager-role", "ClusterRole//live-notify-operator-edit", "ClusterRoleBinding//live-notify-operator-manager", "ClusterRole//live-notify-operator-metrics-reader", "ValidatingAdmissionPolicy//live-notify-operator-statuses"},
		},
		{name: "no tokens", object: "ClusterRole//live-notify-operator-manager-role", has: []string{`"secrets"`}, hasNot: []string{"serviceaccounts/token"}},
		{name: "tokens", values: []string{"oidc.enabled=true"}, object: "ClusterRole//live-notify-operator-manager-role", has: []string{"serviceaccounts/token"}},
		{name: "tokens in a namespace", values: []string{"oidc.enabled=true", "oidc.namespaces={b}"}, object: "Role/b/live-notify-operator-tokens", has: []string{"serviceaccounts/token"}},
		{name: "tokens not in the cluster", values: []string{"oidc.enabled=true", "oidc.namespaces={b}"}, object: "ClusterRole//live-notify-operator-manager-role", hasNot: []string{"serviceaccounts/token"}},
		{name: "tokens where it watches", values: []string{"oidc.enabled=true", "watchNamespaces={a}"}, object: "RoleBinding/a/live-notify-operator-tokens", has: []string{"live-notify-operator-manager"}},
		{name: "registry", values: []string{"global.imageRegistry=registry.example.com/team/", "global.imagePullSecrets={one}", "imagePullSecrets[0].name=two"}, object: manager, has: []string{`"registry.example.com/team/live-notify-operator:dev"`, `"imagePullSecrets":[{"name":"one"},{"name":"two"}]`}},
		{name: "registry of the emulator", values: []string{"global.imageRegistry=registry.example.com", "emulator.enabled=true"}, object: "Deployment/" + namespace + "/live-emulator", has: []string{`"registry.example.com/live-emulator:dev"`}},
		{name: "labels and annotations", values: []string{"commonLabels.team=media", "deploymentAnnotations.note=x"}, object: manager, has: []string{`"annotations":{"note":"x"}`, `"team":"media"},"name":"live-notify-operator-manager"`, `"team":"media"}},"spec"`}},
		{name: "labels of roles", values: []string{"commonLabels.team=media"}, object: "ClusterRole//live-notify-operator-edit", has: []string{`"team":"media"`, `"rbac.authorization.k8s.io/aggregate-to-edit":"true"`}},
		{name: "more objects", values: []string{"extraObjects[0].apiVersion=v1", "extraObjects[0].kind=ConfigMap", `extraObjects[0].metadata.name=\{\{ .Release.Name \}\}-more`}, object: "ConfigMap//live-notify-operator-more"},
		{name: "certificate", values: []string{"metrics.certificate.existingSecret=mine", "serviceMonitor.enabled=true"}, object: manager, has: []string{"--metrics-cert-dir=/etc/live-notify-operator/metrics", `"secretName":"mine"`}},
		{name: "verified scrape", values: []string{"metrics.certificate.existingSecret=mine", "serviceMonitor.enabled=true"}, object: "ServiceMonitor/" + namespace + "/live-notify-operator", has: []string{`"ca":{"secret":{"key":"ca.crt","name":"mine"}}`, `"serverName":"live-notify-operator-metrics.live-notify-system.svc"`}, hasNot: []string{"insecureSkipVerify"}},
		{name: "cert-manager", values: []string{"metrics.certificate.certManager.enabled=true"}, object: "Certificate/" + namespace + "/live-notify-operator-metrics", has: []string{`"secretName":"live-notify-operator-metrics-certificate"`, `"issuerRef":{"kind":"Issuer"`, `"live-notify-operator-metrics.live-notify-system.svc"`}},
		{
			name: "an issuer", values: []string{"metrics.certificate.certManager.enabled=true", "metrics.certificate.certManager.issuerRef.kind=ClusterIssuer", "metrics.certificate.certManager.issuerRef.name=ca"}, object: "Certificate/" + namespace + "/live-notify-operator-metrics",
			has: []string{`"issuerRef":{"kind":"ClusterIssuer","name":"ca"}`}, without: []string{"Issuer/" + namespace + "/live-notify-operator-metrics"},
		},
		{name: "text as an object", values: []string{"extraObjects[0]=kind: ConfigMap\napiVersion: v1\nmetadata: {name: text}"}, object: "ConfigMap//text"},
		{name: "protection", object: "ValidatingAdmissionPolicyBinding//live-notify-operator-deletion-protection", has: []string{`"policyName":"live-notify-operator-deletion-protection"`}},
		{name: "statuses", object: "ValidatingAdmissionPolicyBinding//live-notify-operator-statuses", has: []string{`"policyName":"live-notify-operator-statuses"`}},
		{name: "no policy of statuses", values: []string{"statusProtection.enabled=false"}, object: "ValidatingAdmissionPolicy//live-notify-operator-deletion-protection", without: []string{"ValidatingAdmissionPolicy//live-notify-operator-statuses"}},
		{name: "statuses of namespaces", values: []string{"watchNamespaces={a}", "statusProtection.enabled=false"}, object: "ClusterRole//live-notify-operator-manager-role", has: []string{`{"apiGroups":["live.alibabacloud.com"],"resources":["statuses"],"verbs":["own"]}`}},
		{name: "no protection", values: []string{"deletionProtection.enabled=false"}, object: manager, without: []string{"ValidatingAdmissionPolicy//live-notify-operator-deletion-protection"}},
		{name: "no metrics", values: []string{"metrics.enabled=false"}, object: manager, has: []string{"--metrics-bind-address=0"}, without: []string{"Service/" + namespace + "/live-notify-operator-metrics"}},
		{name: "scrape without TLS", values: []string{"serviceMonitor.enabled=true", "metrics.secure=false"}, object: "ServiceMonitor/" + namespace + "/live-notify-operator", has: []string{`"scheme":"http"`, `"honorLabels":true`}, hasNot: []string{"bearerTokenFile"}},
		{name: "network", values: []string{"networkPolicy.enabled=true", "emulator.enabled=true"}, object: "NetworkPolicy/" + namespace + "/live-notify-operator-manager", has: []string{`"port":6443`, `"port":53`, `"live-emulator"`}},
		{name: "disruptions", values: []string{"podDisruptionBudget.minAvailable=1"}, object: "PodDisruptionBudget/" + namespace + "/live-notify-operator-manager", has: []string{`"minAvailable":1`}, hasNot: []string{"maxUnavailable"}},
		{name: "CRDs go", values: []string{"crds.keep=false"}, object: "CustomResourceDefinition//livenotifyconfigs.live.alibabacloud.com", hasNot: []string{"resource-policy"}},
		{name: "CRDs stay", object: "CustomResourceDefinition//livenotifyconfigs.live.alibabacloud.com", has: []string{`"helm.sh/resource-policy":"keep"`}},
		{name: "no CRDs", values: []string{"crds.enabled=false"}, object: manager, has: []string{"args"}, without: []string{"CustomResourceDefinition//livenotifyconfigs.live.alibabacloud.com"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			all := render(t, tt.values...)
			if all[tt.object] == nil {
				t.Fatalf("no %s in %v", tt.object, slices.Sorted(maps.Keys(all)))
			}
			got := text(all[tt.object])
			for _, want := range tt.has {
				if !strings.Contains(got, want) {
					t.Errorf("no %s in %s", want, got)
				}
			}
			for _, unwanted := range tt.hasNot {
				if strings.Contains(got, unwanted) {
					t.Errorf("%s is in %s", unwanted, got)
				}
			}
			for _, key := range tt.without {
				if all[key] != nil {
					t.Errorf("%s is there", key)
				}
			}
		})
	}
}

// TestRefused sets what makes no sense, and looks whether the message says why.
func TestRefused(t *testing.T) {
	for set, want := range map[string]string{
		"replica=3":                            "'replica' not allowed",
		"replicas=two":                         "at '/replicas': got string, want integer",
		"image.digest=latest":                  "at '/image/digest': 'latest' does not match pattern",
		"watchNamespaces=a":                    "at '/watchNamespaces': got string, want array",
		"logging.format=text":                  "at '/logging/format': value must be one of",
		"rrsa.enabled=true":                    "rrsa.enabled needs rrsa.roleARN and rrsa.oidcProviderARN",
		"endpoint=http://cloud.example.com":    "use https://, or set allowInsecureEndpoints",
		"emulator.enabled=true,endpoint=a.com": "emulator.enabled and endpoint exclude each other",
		"emulator.enabled=true,credentials.existingSecret=mine":                   "emulator.enabled and credentials.existingSecret exclude each other",
		"podDisruptionBudget.minAvailable=1,podDisruptionBudget.maxUnavailable=1": "exclude each other: set one",
		"metrics.enabled=false,serviceMonitor.enabled=true":                       "serviceMonitor.enabled needs metrics.enabled",
		"oidc.namespaces={a}": "oidc.namespaces has no effect without oidc.enabled",
		"oidc.enabled=true,oidc.namespaces={a},watchNamespaces={b}":                         "oidc.namespaces has a, which is not one of watchNamespaces",
		"metrics.secure=false,metrics.certificate.existingSecret=a":                         "metrics.certificate has no effect without",
		"metrics.certificate.certManager.enabled=true,metrics.certificate.existingSecret=a": "exclude each other",
		"commonLabels.a=true":                     "at '/commonLabels/a': got boolean, want string",
		"podLabels.a=1":                           "at '/podLabels/a': got number, want string",
		"podAnnotations.a=1":                      "at '/podAnnotations/a': got number, want string",
		"nodeSelector.a=true":                     "at '/nodeSelector/a': got boolean, want string",
		"tolerations[0].value=true":               "at '/tolerations/0/value': got boolean, want string",
		"extraEnv[0].name=A,extraEnv[0].value=1":  "at '/extraEnv/0/value': got number, want string",
		"priorityClassName=1":                     "at '/priorityClassName': got number, want string",
		"watchLabelSelector=true":                 "at '/watchLabelSelector': got boolean, want string",
		"watchNamespaces={1}":                     "at '/watchNamespaces/0': got number, want string",
		"stsEndpoint=http://sts.example.com":      "stsEndpoint is http://",
		"stsEndpoint=a_b!":                        "at '/stsEndpoint': 'a_b!' does not match pattern",
		"endpoint=a_b!":                           "at '/endpoint': 'a_b!' does not match pattern",
		"emulator.enabled=true,stsEndpoint=a.com": "emulator.enabled and stsEndpoint exclude each other",
		"region=-":                                "at '/region': '-' does not match pattern",
		"region=shanghai":                         "at '/region': 'shanghai' does not match pattern",
		"maxConcurrentReconciles=1001":            "at '/maxConcurrentReconciles': maximum",
		"quotaSharePercent=1000001":               "at '/quotaSharePercent': maximum",
		"maxDeletionsPerHour=100001":              "at '/maxDeletionsPerHour': maximum",
		`watchLabelSelector=shard=a\,\,b(`:        "at '/watchLabelSelector'",
		"watchLabelSelector=shard in a":           "at '/watchLabelSelector'",
		"logging.level=-1":                        "at '/logging/level': minimum: got -1, want 0",
		"logging.level=\"0\"":                     "at '/logging/level'",
		"logging.level=128":                       "at '/logging/level'",
		"metrics.port=8081":                       "metrics.port is 8081, which is the port of the probes",
		"metrics.readerRole.create=false,metrics.readerRole.subjects[0].kind=User,metrics.readerRole.subjects[0].name=a": "metrics.readerRole.subjects has no effect",
		"metrics.readerRole.subjects[0].kind=ServiceAccount,metrics.readerRole.subjects[0].name=a":                       "the ServiceAccount a without a namespace",
		`commonLabels.app\.kubernetes\.io/name=a`:                                                                        "commonLabels has app.kubernetes.io/name, which the chart sets itself",
		`podLabels.app\.kubernetes\.io/instance=a`:                                                                       "podLabels has app.kubernetes.io/instance, which the chart sets itself",
		`serviceMonitor.labels.helm\.sh/chart=a`:                                                                         "serviceMonitor.labels has helm.sh/chart, which the chart sets itself",
		`podAnnotations.kubectl\.kubernetes\.io/default-container=a`:                                                     "podAnnotations has kubectl.kubernetes.io/default-container",
		"serviceAccount.create=false":                                                                                    "serviceAccount.create: false needs serviceAccount.name",
	} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			out, err := helm(t, "template", release, dir, "--set", set)
			if err == nil || !strings.Contains(out, want) {
				t.Errorf("got %v and %s, want %q", err, out, want)
			}
		})
	}
}

// TestEndpoints: the chart takes what spec.endpoint of a LiveAccount takes, and so what
// the operator takes.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	for value := range schema.BadEndpoints {
		if value == "" {
			continue // the default
		}
		out, err := helm(t, "template", release, dir, "--set-json", "endpoint="+text(value))
		if err == nil || !strings.Contains(out, "at '/endpoint'") && !strings.Contains(out, "endpoint must be host or host:port") {
			t.Errorf("%s: got %v and %s", value, err, out)
		}
	}
	for _, value := range schema.GoodEndpoints {
		if out, err := helm(t, "template", release, dir, "--set-json", "stsEndpoint="+text(value), "--set", "allowInsecureEndpoints=true"); err != nil {
			t.Errorf("%s: %v\n%s", value, err, out)
		}
	}
}

// TestSelectors: what the operator takes for a selector of labels, the chart does too.
func TestSelectors(t *testing.T) {
	for _, selector := range []string{"shard=a", "shard==a, !odd", "example.com/shard in (a, b)", "shard notin (a,b),c", "n>1", "a!=b", "a="} {
		if _, err := labels.Parse(selector); err != nil {
			t.Fatal(err)
		}
		if out, err := helm(t, "template", release, dir, "--set-json", "watchLabelSelector="+text(selector)); err != nil {
			t.Errorf("%s: %v\n%s", selector, err, out)
		}
	}
}

// TestLint lints the chart, and looks whether the operator has all flags that its
// templates may set.
func TestLint(t *testing.T) {
	t.Parallel()
	if out, err := helm(t, "lint", "--strict", dir); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	operator, err := programs.Operator(t.Context(), "../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	help, _ := exec.CommandContext(t.Context(), operator, "-h").CombinedOutput() // -h ends with an error
	for _, name := range []string{"deployment.yaml", "tests/check.yaml"} {
		template, err := os.ReadFile(filepath.Join(dir, "templates", name))
		if err != nil {
			t.Fatal(err)
		}
		flags := regexp.MustCompile(`(?:- |")--([a-z-]+)`).FindAllStringSubmatch(string(template), -1)
		if len(flags) == 0 {
			t.Errorf("%s sets no flag", name)
		}
		for _, flag := range flags {
			if !regexp.MustCompile(`(?m)^  -` + flag[1] + `( |$)`).Match(help) {
				t.Errorf("%s sets --%s, which the operator has not:\n%s", name, flag[1], help)
			}
		}
	}
}
