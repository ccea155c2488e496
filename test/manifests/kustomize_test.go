// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/live-notify/live-notify-operator/test/controlplane"
)

// TestNameReferences renders objects whose Secrets, account and ServiceAccount
// get other names, and looks whether they still name them.
func TestNameReferences(t *testing.T) {
	t.Parallel()
	assets, err := controlplane.Assets(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(assets, "kubectl"), "kustomize", "testdata/renamed")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	rendered, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("%v: %s", err, &complaints)
	}
	all := map[string]*unstructured.Unstructured{} // by kind and name without prefix and suffix
	secrets := map[string]string{}
	for _, o := range decode(t, rendered) {
		name, ok := strings.CutPrefix(o.GetName(), "prod-")
		if !ok || !strings.Contains(name, "-1") {
			t.Errorf("%s %s has not been renamed", o.GetKind(), o.GetName())
		}
		name, _, _ = strings.Cut(name, "-1")
		all[o.GetKind()+" "+name] = o
		if o.GetKind() == "Secret" {
			secrets[name] = o.GetName()
		}
	}
	if secrets["live-callback-key"] == "prod-live-callback-key-1" {
		t.Error("the Secret has no hash in its name, so that nothing is shown")
	}
	for _, want := range []struct{ from, path, name string }{
		{"LiveAccount team", "spec.credentials.accessKeySecretRef.name", secrets["team-access-key"]},
		{"LiveAccount rrsa", "spec.credentials.oidc.serviceAccountName", "prod-live-notify-1"},
		{"LiveNotifyConfig push", "spec.accountRef.name", "prod-team-1"},
		{"LiveNotifyConfig push", "spec.authentication.keySecretRef.name", secrets["live-callback-key"]},
		{"LiveRecordNotifyConfig live", "spec.accountRef.name", "prod-rrsa-1"},
		{"LiveRecordNotifyConfig live", "spec.authentication.keySecretRef.name", secrets["live-callback-key"]},
		{"LiveRtcMPUEventSub conference", "spec.accountRef.name", "another-repository-has-it"},
	} {
		from := all[want.from]
		if from == nil {
			t.Errorf("no %s was rendered", want.from)
			continue
		}
		got, _, err := unstructured.NestedString(from.Object, strings.Split(want.path, ".")...)
		if err != nil || got == "" || got != want.name {
			t.Errorf("%s: %s is %q, %v, want %q", want.from, want.path, got, err, want.name)
		}
	}
}

// TestNameReferencesAreComplete looks for the references in the CRDs.
func TestNameReferencesAreComplete(t *testing.T) {
	t.Parallel()
	var config struct {
		NameReference []struct {
			Kind, Group, Version string
			FieldSpecs           []struct{ Group, Path string }
		}
	}
	read(t, "../../config/kustomize/namereference.yaml", &config)
	var known []string
	for _, reference := range config.NameReference {
		for _, field := range reference.FieldSpecs {
			if field.Group != "live.alibabacloud.com" {
				t.Errorf("%s is of group %q", field.Path, field.Group)
			}
			known = append(known, field.Path)
		}
	}
	files, err := filepath.Glob("../../config/crd/bases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs: %v", err)
	}
	var needed []string
	for _, file := range files {
		var crd apiextensionsv1.CustomResourceDefinition
		read(t, file, &crd)
		needed = append(needed, references("spec", crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"])...)
	}
	slices.Sort(needed)
	slices.Sort(known)
	if needed = slices.Compact(needed); !slices.Equal(needed, known) {
		t.Errorf("config/kustomize/namereference.yaml has %q, the CRDs have %q", known, needed)
	}
}

// references returns the paths of fields that hold the name of another object.
func references(path string, schema apiextensionsv1.JSONSchemaProps) []string {
	var found []string
	for name, property := range schema.Properties {
		switch {
		case strings.HasSuffix(name, "Ref"):
			found = append(found, path+"/"+name+"/name")
		case name == "serviceAccountName":
			found = append(found, path+"/"+name)
		default:
			found = append(found, references(path+"/"+name, property)...)
		}
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		found = append(found, references(path, *schema.Items.Schema)...)
	}
	return found
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// decode reads all documents of a stream.
func decode(t *testing.T, text []byte) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		o := &unstructured.Unstructured{}
		if err := decoder.Decode(o); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
}
