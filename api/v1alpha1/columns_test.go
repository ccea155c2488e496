// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// TestColumns: what kubectl get shows, and the names that kinds go by, are what
// people's scripts rely on.
func TestColumns(t *testing.T) {
	for plural, want := range map[string]struct{ short, narrow, wide string }{
		"livenotifyconfigs":       {"lnc", "Domain Ready Healthy Failed Total Window Age", "Reason URL Last failure"},
		"liverecordnotifyconfigs": {"lrnc", "Domain Ready Healthy Failed Total Window Age", "Reason URL Last failure"},
		"livertcmpueventsubs":     {"lmes", "App Ready Healthy Failed Total Window Age", "Reason URL Last failure"},

		"livesnapshotnotifyconfigs":   {"lsnc", "Domain Ready Age", "Reason URL"},
		"livedetectnotifyconfigs":     {"ldnc", "Domain Ready Age", "Reason URL"},
		"liveaudioauditnotifyconfigs": {"lanc", "Domain Ready Age", "Reason URL"},
		"livertceventsubs":            {"les", "App Channel Ready Healthy Failed Total Window Age", "Reason URL Last failure"},
		"livemessageappcallbacks":     {"lmac", "App Data center Ready Age", "Reason URL"},

		"liveaccounts": {"la", "Region Ready Account Identity Age", "Reason"},
	} {
		raw, err := os.ReadFile("../../config/crd/bases/live.alibabacloud.com_" + plural + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(raw, &crd); err != nil {
			t.Fatal(err)
		}
		var narrow, wide []string
		for _, c := range crd.Spec.Versions[0].AdditionalPrinterColumns {
			if c.Priority == 0 {
				narrow = append(narrow, c.Name)
			} else {
				wide = append(wide, c.Name)
			}
		}
		if got := strings.Join(narrow, " "); got != want.narrow {
			t.Errorf("%s: columns %q, want %q", plural, got, want.narrow)
		}
		if got := strings.Join(wide, " "); got != want.wide {
			t.Errorf("%s: wide columns %q, want %q", plural, got, want.wide)
		}
		if got := strings.Join(crd.Spec.Names.ShortNames, " "); got != want.short {
			t.Errorf("%s: short names %q, want %q", plural, got, want.short)
		}
		if got := strings.Join(crd.Spec.Names.Categories, " "); got != "live" {
			t.Errorf("%s: categories %q", plural, got)
		}
		if crd.Spec.Scope != apiextensionsv1.NamespaceScoped || crd.Spec.Versions[0].Name != "v1alpha1" {
			t.Errorf("%s: scope %s, version %s", plural, crd.Spec.Scope, crd.Spec.Versions[0].Name)
		}
	}
}

// TestUncountedKindsHaveNoCounts: a kind whose callbacks the cloud keeps no records of
// has no field, column or condition of them. The others have all.
func TestUncountedKindsHaveNoCounts(t *testing.T) {
	uncounted := []string{"livesnapshotnotifyconfigs", "livedetectnotifyconfigs", "liveaudioauditnotifyconfigs", "livemessageappcallbacks"}
	counted := []string{"livenotifyconfigs", "liverecordnotifyconfigs", "livertcmpueventsubs", "livertceventsubs"}
	for _, plural := range slices.Concat(uncounted, counted) {
		crd := readCRD(t, "../../config/crd/bases/live.alibabacloud.com_"+plural+".yaml")
		want := slices.Contains(counted, plural)
		version := crd.Spec.Versions[0]
		parts := version.Schema.OpenAPIV3Schema.Properties
		for part, fields := range map[string][]string{"spec": {"records", "guard"}, "status": {"callbacks", "guard"}} {
			for _, field := range fields {
				if _, has := parts[part].Properties[field]; has != want {
					t.Errorf("%s: that it has %s.%s is %t", plural, part, field, has)
				}
			}
		}
		for _, rule := range parts["spec"].XValidations {
			if !want && strings.Contains(rule.Rule, "records") {
				t.Errorf("%s: has the rule %s", plural, rule.Rule)
			}
		}
		columns := 0
		for _, c := range version.AdditionalPrinterColumns {
			if strings.Contains(c.JSONPath, "callbacks") || strings.Contains(c.JSONPath, "CallbacksHealthy") || strings.Contains(c.JSONPath, "guard") {
				columns++
			}
		}
		if (columns > 0) != want {
			t.Errorf("%s: %d columns are about callback records", plural, columns)
		}
	}
}
