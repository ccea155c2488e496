// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// full is a spec with all fields that a kind had before there were five more kinds.
var full = map[string]string{
	stream: `{domainName: push.example.com, notifyURL: 'https://hooks.example.com/a', exceptionNotifyURL: 'https://hooks.example.com/b',
		switchNotifyURL: 'https://hooks.example.com/c', ` + fullShared + `, records: {window: 2h, interval: 1m, unhealthyThreshold: 3, appName: live, streamName: one},
		authentication: {keySecretRef: {name: a, key: b}}}`,
	record: `{domainName: live.example.com, notifyURL: 'https://hooks.example.com/a', onDemandURL: 'https://hooks.example.com/b',
		needStatusNotify: true, ` + fullShared + `, records: {window: 2h, interval: 1m, unhealthyThreshold: 3, appName: live, streamName: one},
		authentication: {keySecretRef: {name: a, key: b}}}`,
	mpu: `{appID: app-1, callbackURL: 'https://hooks.example.com/a', channelIDs: [one, two], ` + fullShared + `,
		records: {window: 2h, interval: 1m, unhealthyThreshold: 3}}`,
}

const fullShared = `accountRef: {name: media}, managementPolicy: Observe, suspend: true, adoptionPolicy: Always, driftPolicy: Report,
	deletionPolicy: Retain, resyncInterval: 1h`

// TestUpgradeFromThreeKinds: the CRDs of the commit before there were five more kinds
// (testdata/before-five-kinds), with objects in all forms, become those of today.
// Nothing of the objects changes, and all of them are still valid.
func TestUpgradeFromThreeKinds(t *testing.T) {
	t.Parallel()
	for kind, plural := range map[string]string{stream: "livenotifyconfigs", record: "liverecordnotifyconfigs", mpu: "livertcmpueventsubs"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			const group = "upgrade.example.com"
			install := func(file string) *apiextensionsv1.JSONSchemaProps {
				crd := readCRD(t, file)
				crd.Spec.Group, crd.Name = group, crd.Spec.Names.Plural+"."+group
				if _, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}}); err != nil {
					t.Fatal(err)
				}
				return crd.Spec.Versions[0].Schema.OpenAPIV3Schema
			}
			before := install("testdata/before-five-kinds/" + plural + ".yaml")
			stored := storeAll(t, kind, group, before)
			if len(stored) < 5 {
				t.Fatalf("only %d objects are stored", len(stored))
			}
			install("../../config/crd/bases/live.alibabacloud.com_" + plural + ".yaml")
			probe := object(t, kind, "guard: {window: 10m}")
			probe.SetAPIVersion(group + "/v1alpha1")
			for api.Create(t.Context(), probe.DeepCopy(), client.DryRunAll) != nil {
				time.Sleep(10 * time.Millisecond) // until the API server has the new one; the test's own timeout ends it
			}
			for name, was := range stored {
				is := was.DeepCopy()
				if err := api.Get(t.Context(), client.ObjectKeyFromObject(was), is); err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if diff := cmp.Diff(was.Object, is.Object); diff != "" {
					t.Errorf("%s has changed:\n%s", name, diff)
				}
				// All of it is checked when all of it is new.
				fresh := is.DeepCopy()
				fresh.Object = map[string]any{"spec": is.Object["spec"]}
				fresh.SetGroupVersionKind(is.GroupVersionKind())
				fresh.SetNamespace("default")
				fresh.SetGenerateName("again-")
				if err := api.Create(t.Context(), fresh, client.DryRunAll); err != nil {
					t.Errorf("%s is no longer valid: %v", name, err)
				}
				if err := api.Status().Update(t.Context(), is.DeepCopy(), client.DryRunAll); err != nil {
					t.Errorf("the status of %s is no longer valid: %v", name, err)
				}
			}
		})
	}
}

// storeAll creates objects of a kind, in each form that a schema accepts, with all
// fields that a status may have.
func storeAll(t *testing.T, kind, group string, schema *apiextensionsv1.JSONSchemaProps) map[string]*unstructured.Unstructured {
	t.Helper()
	if missing := lacks(parse(t, full[kind]), schema.Properties["spec"]); missing != "" {
		t.Errorf("the full %s has no spec.%s", kind, missing)
	}
	specs := map[string]string{"a full one": full[kind], "a small one": "{}"}
	for name, tc := range accepted {
		if tc.kind == kind {
			specs[name] = tc.spec
		}
	}
	stored := map[string]*unstructured.Unstructured{}
	for name, spec := range specs {
		o := object(t, kind, spec)
		o.SetAPIVersion(group + "/v1alpha1")
		if err := api.Create(t.Context(), o); err != nil {
			if full[kind] == spec || spec == "{}" {
				t.Fatal(err)
			}
			continue // what only today's CRDs accept
		}
		o.Object["status"] = filled("status", schema.Properties["status"])
		if err := api.Status().Update(t.Context(), o); err != nil {
			t.Fatalf("the status: %v", err)
		}
		stored[name] = o
	}
	return stored
}

// lacks names a field of a schema that an object does not have; "" for none.
func lacks(o map[string]any, schema apiextensionsv1.JSONSchemaProps) string {
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		if _, ok := o[name]; !ok {
			return name
		}
	}
	return ""
}

// filled returns a value with all fields that a schema has.
func filled(name string, schema apiextensionsv1.JSONSchemaProps) any {
	switch schema.Type {
	case "object":
		o := map[string]any{}
		for field, s := range schema.Properties {
			o[field] = filled(field, s)
		}
		return o
	case "array":
		return []any{filled(name, *schema.Items.Schema)}
	case "integer":
		return int64(7)
	case "boolean":
		return true
	}
	switch {
	case schema.Format == "date-time":
		return "2026-11-26T12:00:00Z"
	case len(schema.Enum) > 0:
		return "True" // that of a condition
	case name == "type":
		return "Ready"
	default:
		return "InSync"
	}
}
