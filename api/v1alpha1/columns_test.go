// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"os"
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
