// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/internal/manifest"
	"github.com/live-notify/live-notify-operator/test/schema"
)

// withName gives an object a name, as a manifest on disk has one.
func withName(o *unstructured.Unstructured) *unstructured.Unstructured {
	o.SetGenerateName("")
	o.SetName("case")
	return o
}

// What the API server refuses is refused without one, in the same words.
func TestRefusedWithoutAnAPIServer(t *testing.T) {
	t.Parallel()
	cases := schema.Refused()
	maps.Copy(cases, schema.WithURL())
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := tc.Object()
			if err != nil {
				t.Fatal(err)
			}
			if err = manifest.Default(t.Context(), withName(o)); err == nil {
				t.Fatal("was accepted")
			}
			for _, want := range []string{tc.Field, tc.Say} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the message does not say %q:\n%v", want, err)
				}
			}
		})
	}
}

// What the API server accepts is accepted without one, with the same defaults.
func TestAcceptedWithoutAnAPIServer(t *testing.T) {
	t.Parallel()
	for name, tc := range accepted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here, there := withName(object(t, tc.kind, tc.spec)), withName(object(t, tc.kind, tc.spec))
			if err := manifest.Default(t.Context(), here); err != nil {
				t.Fatal(err)
			}
			if err := api.Create(t.Context(), there, client.DryRunAll); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(there.Object["spec"], here.Object["spec"]); diff != "" {
				t.Errorf("the API server makes another spec of it:\n%s", diff)
			}
		})
	}
}
