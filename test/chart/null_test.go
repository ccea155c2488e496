// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// defaults returns what the file of values has.
func defaults(t *testing.T, chart string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(chart, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := yaml.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// keys returns the paths of all values, also of those that have others below.
func keys(values map[string]any, at string) []string {
	var all []string
	for key, value := range values {
		key = at + key
		all = append(all, key)
		if below, ok := value.(map[string]any); ok {
			all = append(all, keys(below, key+".")...)
		}
	}
	return all
}

// TestNull: whatever value is null, in an installation that has all objects, the chart
// renders what can be installed.
func TestNull(t *testing.T) {
	t.Parallel()
	for chart, values := range map[string]string{dir: everyObject, callbacks: callbackValues} {
		file := filepath.Join(t.TempDir(), "values.yaml")
		if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, key := range keys(defaults(t, chart), "") {
			t.Run(key, func(t *testing.T) {
				out, err := helm(t, "template", release, chart, "-n", "default", "-f", file, "--set", key+"=null")
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				if chart == dir {
					accepted(t, parse(t, out))
				}
			})
		}
	}
}

// TestNullIsTheDefault: but of lists, resources and labels none are left, as Helm has it.
func TestNullIsTheDefault(t *testing.T) {
	t.Parallel()
	for key, value := range defaults(t, dir) {
		if _, list := value.([]any); list || key == "resources" {
			continue
		}
		if diff := cmp.Diff(render(t), render(t, key+"=null")); diff != "" {
			t.Errorf("%s: default (-) and null (+):\n%s", key, diff)
		}
	}
	for set, without := range map[string]string{
		"topologySpreadConstraints=null": "maxSkew", "resources=null": "512Mi", "resources.limits.memory=null": "512Mi",
		"networkPolicy.enabled=true,networkPolicy.apiServerPorts=null": "6443", "grafanaDashboard.enabled=true,grafanaDashboard.labels=null": `"grafana_dashboard"`,
	} {
		if got := text(render(t, strings.Split(set, ",")...)); strings.Contains(got, without) {
			t.Errorf("%s: %s is there", set, without)
		}
	}
}
