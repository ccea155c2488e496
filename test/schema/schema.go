// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml" // which reads whole numbers as kubectl does

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

// Case is a manifest that is refused: a fine one in which fields are changed.
type Case struct {
	Kind string
	// Spec is the changes, in YAML; null removes a field.
	Spec string
	// Field is what the refusal names, and Say what it says.
	Field, Say string
	// Value is that of the field, in place of Spec, where YAML cannot write it.
	Value *string
}

// Object returns the manifest of a case.
func (c Case) Object() (*unstructured.Unstructured, error) {
	if c.Value == nil {
		return Object(c.Kind, c.Spec)
	}
	o, err := Object(c.Kind, "{}")
	if err == nil {
		err = unstructured.SetNestedField(o.Object, *c.Value, strings.Split(c.Field, ".")...)
	}
	return o, err
}

// Object returns a manifest with a fine spec in which the given fields are set; null
// removes one.
func Object(kind, changes string) (*unstructured.Unstructured, error) {
	var spec, changed map[string]any
	for text, into := range map[string]*map[string]any{Fine[kind]: &spec, changes: &changed} {
		if err := yaml.Unmarshal([]byte(text), into); err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
	}
	maps.Copy(spec, changed)
	maps.DeleteFunc(spec, func(_ string, v any) bool { return v == nil })
	o := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	o.SetAPIVersion(v1alpha1.GroupVersion.String())
	o.SetKind(kind)
	o.SetNamespace("default")
	o.SetGenerateName("case-")
	return o, nil
}

// mistake is a Case in short.
type mistake struct{ kind, spec, field, say string }

// Refused returns all manifests that are refused, by a sentence, but for those with
// a bad URL.
func Refused() map[string]Case {
	all := map[string]Case{}
	for _, table := range []map[string]mistake{refused, guards} {
		for name, m := range table {
			all[name] = Case{Kind: m.kind, Spec: m.spec, Field: m.field, Say: m.say}
		}
	}
	for kind, cases := range badByKind {
		add := func(cases map[string]bad) {
			for name, c := range cases {
				all[kind+": "+name] = Case{Kind: kind, Spec: c.spec, Field: c.field, Say: c.say}
			}
		}
		if slices.Contains([]string{Snapshot, Detect, Audit}, kind) {
			add(badDomains)
		}
		add(cases)
	}
	return all
}

// WithURL returns the manifests with a bad URL, or a bad endpoint, in one field.
func WithURL() map[string]Case {
	all := map[string]Case{}
	add := func(what, kind, field, value, say string) {
		all[fmt.Sprintf("%s: %s in %s", kind, what, field)] = Case{Kind: kind, Field: "spec." + field, Say: say, Value: &value}
	}
	for kind, fields := range AddressFields {
		for _, field := range fields {
			add("an empty URL", kind, field, "", SayEmpty)
			for what, bad := range BadURLs {
				say := bad.Say
				if kind == MPU && bad.Relay != "" {
					say = bad.Relay
				}
				add(what, kind, field, bad.URL, say)
			}
		}
	}
	for value, say := range BadEndpoints {
		add(fmt.Sprintf("the endpoint %q", value), Account, "endpoint", value, say)
	}
	return all
}
