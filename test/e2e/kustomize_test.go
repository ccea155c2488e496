// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestKustomize installs the operator without the chart.
func TestKustomize(t *testing.T) {
	w := newWorld(t)
	w.namespace("media")
	mk := func(target string) {
		w.Helper()
		w.do("", "make", "-C", root, "--no-print-directory", target, "KUBECTL="+kubectl, "IMG="+image, "EMULATOR_IMG="+emulated)
	}
	mk("deploy-trial")
	t.Cleanup(func() { mk("undeploy") })
	for _, name := range []string{"callback-key", "livenotifyconfig"} {
		text, err := os.ReadFile(root + "/config/samples/" + name + ".yaml")
		w.must(err)
		w.do(string(text), kubectl, "--namespace", "media", "apply", "-f", "-")
	}
	w.rolledOut(system)
	stream := notify("media", "push-example-com", "", "")
	w.becomesReady(stream)
	if have := (cloud{w, system}).streamURL("push.example.com"); have != stream.Spec.NotifyURL {
		w.Errorf("the cloud has %s, want %s", have, stream.Spec.NotifyURL)
	}
	pods := w.pods(system, release)
	if len(pods) != 2 {
		w.Errorf("%d pods, want 2", len(pods))
	}
	for _, p := range pods {
		w.confined(p, program, true)
	}

	// The operator goes, the objects stay.
	mk("undeploy")
	w.eventually("the namespace goes", func() bool {
		return apierrors.IsNotFound(api.Get(w.Context(), client.ObjectKey{Name: system}, &corev1.Namespace{}))
	})
	if w.get(stream); !ready(stream) || len(stream.Finalizers) != 1 {
		w.Errorf("the object is left ready: %t, with finalizers %v", ready(stream), stream.Finalizers)
	}
	w.must(api.Patch(w.Context(), stream, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))))
}
