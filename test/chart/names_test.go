// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
)

// everyObject sets values that make an object of each sort.
const everyObject = `{
	"emulator": {"enabled": true}, "networkPolicy": {"enabled": true}, "serviceMonitor": {"enabled": true}, "prometheusRule": {"enabled": true},
	"grafanaDashboard": {"enabled": true}, "podDisruptionBudget": {"enabled": true, "minAvailable": 1},
	"metrics": {"certificate": {"certManager": {"enabled": true}}}
}`

// TestReleaseNames: whatever name Helm lets a release have, the API server takes all
// objects of both charts, and the Service has the name of a DNS label.
func TestReleaseNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"my.release", "a.b.c", "1.2", "123", "1e3", "0x10", "x", "a--b", "my.live-notify-operator", "live-notify-operator.1", strings.Repeat("r", 53), strings.Repeat("7", 53),
		strings.Repeat("a", 26) + "." + strings.Repeat("b", 26), strings.Repeat("a", 47) + ".bcdef", strings.Repeat("a", 46) + "--cd", strings.Repeat("a.", 26) + "a",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for chart, values := range map[string]string{dir: everyObject, callbacks: callbackValues} {
				file := filepath.Join(t.TempDir(), "values.yaml")
				if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := helm(t, "template", name, chart, "-n", "default", "-f", file)
				if err != nil {
					t.Fatalf("%s: %v\n%s", chart, err, out)
				}
				accepted(t, parse(t, out))
			}
		})
	}
}

// accepted has the API server judge all objects of kinds that it knows.
func accepted(t *testing.T, all objects) {
	t.Helper()
	api, known := cluster(t), 0
	for key, fields := range all {
		o := &unstructured.Unstructured{Object: fields}
		if o.GetKind() == "CustomResourceDefinition" {
			continue // is there
		}
		if o.GetKind() == "Service" && len(validation.IsDNS1035Label(o.GetName())) > 0 || strings.Contains(o.GetName(), ".") {
			t.Errorf("%s has no name of a DNS label", key)
		}
		for label, value := range o.GetLabels() {
			if len(validation.IsValidLabelValue(value)) > 0 {
				t.Errorf("%s has the label %s=%s", key, label, value)
			}
		}
		err := api.Create(t.Context(), o)
		if meta.IsNoMatchError(err) {
			continue // as a ServiceMonitor
		}
		known++
		if err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if known < 9 {
		t.Errorf("the API server knows only %d objects", known)
	}
}

// TestBadNames: an override that makes impossible names is refused with what names may
// have.
func TestBadNames(t *testing.T) {
	t.Parallel()
	for set, want := range map[string]string{
		"fullnameOverride=My_Operator": `makes "My_Operator" of the names of all objects`,
		"fullnameOverride=-a":          "with no hyphen in front",
		"fullnameOverride=-":           "lower-case letters, digits and hyphens only",
		"nameOverride=${NAME}":         "nameOverride or fullnameOverride makes",
		"nameOverride=Operator":        "lower-case letters",
	} {
		out, err := helm(t, "template", release, dir, "--set", set)
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("%s: got %v and %s, want %q", set, err, out, want)
		}
	}
	for _, set := range []string{"fullnameOverride=my.operator", "fullnameOverride=1", "nameOverride=a.b", "fullnameOverride=" + strings.Repeat("a", 80)} {
		if out, err := helm(t, "template", release, dir, "--set-string", set); err != nil {
			t.Errorf("%s: %v and %s", set, err, out)
		}
	}
	for _, name := range []string{"a..b", "a.-b", "A", "a_b", ".a"} {
		if out, err := renderCallbacks(t, `{livertcmpueventsubs: [{name: "`+name+`", appID: app, callbackURL: "https://hooks.example.com/"}]}`); err == nil || !strings.Contains(out, "/livertcmpueventsubs/0/name") {
			t.Errorf("%s: got %v and %s", name, err, out)
		}
	}
}
