// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// shardOfNamespace is for a cluster where the objects of a namespace are to be with
// one operator.
func shardOfNamespace(t *testing.T, c cluster) {
	c.kubectl(t, "apply", "--server-side", "-f", "../../config/admission/shard-of-namespace.yaml")
	const label = "live.alibabacloud.com/shard"
	labelled := func(name, shard string) *unstructured.Unstructured {
		o := config(name, nil)
		o.SetLabels(map[string]string{label: shard})
		return o
	}
	// It takes a moment until the API server heeds the policy.
	eventually(t, "the policy is heeded", func() bool {
		o := labelled("early", "a")
		err := c.api.Create(t.Context(), o)
		if err == nil {
			must(t, c.api.Delete(t.Context(), o))
		}
		return err != nil
	})
	refused := func(what string, err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want a refusal with %q", what, err, want)
		}
	}
	patch := func(o client.Object, body string) error {
		return c.api.Patch(t.Context(), o, client.RawPatch("application/merge-patch+json", []byte(body)))
	}
	must(t, c.api.Create(t.Context(), config("old", nil)))
	refused("a label without that of the namespace", c.api.Create(t.Context(), labelled("new", "a")), "label the namespace first, with kubectl label namespace default")

	namespace := &unstructured.Unstructured{}
	namespace.SetAPIVersion("v1")
	namespace.SetKind("Namespace")
	namespace.SetName("default")
	must(t, patch(namespace, `{"metadata":{"labels":{"`+label+`":"a"}}}`))
	eventually(t, "the label of the namespace is heeded", func() bool {
		return c.api.Create(t.Context(), labelled("new", "a")) == nil
	})
	refused("another shard", c.api.Create(t.Context(), labelled("other", "b")), "must be a, as that of namespace default")
	refused("no shard", c.api.Create(t.Context(), config("none", nil)), "must be a")
	refused("moving to another shard", patch(config("new", nil), `{"metadata":{"labels":{"`+label+`":"b"}}}`), "must be a")
	refused("leaving", patch(config("new", nil), `{"metadata":{"labels":null}}`), "must be a")
	must(t, patch(config("old", nil), `{"metadata":{"annotations":{"example.com/note":"of an object from before"}}}`))
	must(t, patch(config("old", nil), `{"metadata":{"labels":{"`+label+`":"a"}}}`))
	if err := c.api.Create(t.Context(), account("shared")); err != nil {
		t.Errorf("a LiveAccount, which is of all operators: %v", err)
	}
}
