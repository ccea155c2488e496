// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/test/controlplane"
)

const patience = time.Minute

// users looks at who may do what: who has Kubernetes' own roles in a namespace may
// write what these are for. Kubernetes aggregates the roles by one of its controllers,
// which runs here too.
func users(t *testing.T, c cluster) {
	c.aggregate(t)
	for _, role := range []string{"view", "edit", "admin"} {
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: role}},
		}
		must(t, c.api.Create(t.Context(), binding))
	}
	viewer, editor, admin := c.as(t, "view"), c.as(t, "edit"), c.as(t, "admin")
	eventually(t, "the roles are aggregated", func() bool {
		return viewer.List(t.Context(), list("LiveNotifyConfigList"), client.InNamespace("default")) == nil &&
			admin.Create(t.Context(), account("probe")) == nil && editor.Create(t.Context(), config("probe", nil)) == nil
	})

	if err := viewer.Create(t.Context(), config("by-viewer", nil)); !apierrors.IsForbidden(err) {
		t.Errorf("a viewer creates an object: %v", err)
	}
	must(t, viewer.List(t.Context(), list("LiveAccountList"), client.InNamespace("default")))
	if err := editor.Create(t.Context(), account("by-editor")); !apierrors.IsForbidden(err) {
		t.Errorf("an editor creates a LiveAccount: %v", err)
	}
	if err := editor.Delete(t.Context(), account("probe")); !apierrors.IsForbidden(err) {
		t.Errorf("an editor deletes a LiveAccount: %v", err)
	}
	must(t, editor.Delete(t.Context(), config("probe", nil)))
	must(t, admin.Delete(t.Context(), account("probe")))
}

func deletionProtection(t *testing.T, c cluster) {
	const annotation = "live.alibabacloud.com/deletion-protection"
	// It takes a moment until the API server heeds the policy.
	eventually(t, "the policy is heeded", func() bool {
		probe := config("probe", map[string]string{annotation: "true"})
		must(t, client.IgnoreAlreadyExists(c.api.Create(t.Context(), probe)))
		return apierrors.IsForbidden(c.api.Delete(t.Context(), probe))
	})
	err := c.api.Delete(t.Context(), config("probe", nil))
	if err == nil {
		t.Fatal("a protected object was deleted")
	}
	for _, want := range []string{"LiveNotifyConfig default/probe is protected", "kubectl annotate -n default livenotifyconfigs probe " + annotation + "-"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the message lacks %q: %v", want, err)
		}
	}
	// All at once is no way around it.
	all := config("", nil)
	if err := c.api.DeleteAllOf(t.Context(), all, client.InNamespace("default")); !apierrors.IsForbidden(err) {
		t.Errorf("deleting all objects: %v", err)
	}
	// The message tells the way.
	must(t, c.api.Patch(t.Context(), config("probe", nil), client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"`+annotation+`":null}}}`))))
	must(t, c.api.Delete(t.Context(), config("probe", nil)))

	for name, o := range map[string]*unstructured.Unstructured{
		"another value":  config("other", map[string]string{annotation: "false"}),
		"another note":   config("note", map[string]string{"example.com/note": "true"}),
		"without any":    config("plain", nil),
		"not a callback": account("account"),
	} {
		if name == "not a callback" {
			o.SetAnnotations(map[string]string{annotation: "true"})
		}
		must(t, c.api.Create(t.Context(), o))
		if err := c.api.Delete(t.Context(), o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// aggregate runs the controller that adds rules to view, edit and admin.
func (c cluster) aggregate(t *testing.T) {
	t.Helper()
	assets, err := controlplane.Built(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, filepath.Join(assets, "kube-controller-manager"), "--kubeconfig", c.kubeconfig,
		"--controllers=clusterrole-aggregation-controller", "--leader-elect=false", "--secure-port=0")
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("the controller manager:\n%s", log.String())
		}
	})
}

// as returns a client of a user.
func (c cluster) as(t *testing.T, user string) client.Client {
	t.Helper()
	of := rest.CopyConfig(c.config)
	of.Impersonate.UserName = user
	api, err := client.New(of, client.Options{})
	must(t, err)
	return api
}

func object(kind, name string, spec map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "live.alibabacloud.com/v1alpha1", "kind": kind, "spec": spec}}
	o.SetNamespace(corev1.NamespaceDefault)
	o.SetName(name)
	return o
}

func config(name string, annotations map[string]string) *unstructured.Unstructured {
	o := object("LiveNotifyConfig", name, map[string]any{"domainName": "push.example.com", "notifyURL": "https://hooks.example.com/live"})
	o.SetAnnotations(annotations)
	return o
}

func account(name string) *unstructured.Unstructured {
	return object("LiveAccount", name, map[string]any{"credentials": map[string]any{"ecsRAMRole": map[string]any{"roleName": "live"}}})
}

func list(kind string) *unstructured.UnstructuredList {
	l := &unstructured.UnstructuredList{}
	l.SetAPIVersion("live.alibabacloud.com/v1alpha1")
	l.SetKind(kind)
	return l
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for start := time.Now(); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Since(start) > patience {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}
