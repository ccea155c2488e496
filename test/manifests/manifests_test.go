// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package manifests tests what "make deploy" applies.
package manifests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/live-notify/live-notify-operator/test/controlplane"
)

const namespace = "live-notify-system"

// TestDefault and TestTrial apply the manifests to a real API server, which knows all
// fields and their rules.
func TestDefault(t *testing.T) {
	t.Parallel()
	c := apply(t, "../../config/default")
	t.Run("parts", func(t *testing.T) { fitTogether(t, c, false) })
	t.Run("users", func(t *testing.T) { users(t, c) })
	t.Run("deletion protection", func(t *testing.T) { deletionProtection(t, c) })
	t.Run("shard of namespace", func(t *testing.T) { shardOfNamespace(t, c) })
}

func TestTrial(t *testing.T) {
	t.Parallel()
	fitTogether(t, apply(t, "../../config/trial"), true)
}

// fitTogether looks whether the parts of what was applied fit together: those of a
// trial have the emulator for the cloud.
func fitTogether(t *testing.T, c cluster, trial bool) {
	var manager appsv1.Deployment
	get(t, c.api, "live-notify-operator-manager", &manager)
	pod := manager.Spec.Template.Spec

	var account corev1.ServiceAccount
	get(t, c.api, pod.ServiceAccountName, &account)
	granted := func(ref rbacv1.RoleRef, subjects []rbacv1.Subject) {
		t.Helper()
		want := rbacv1.Subject{Kind: "ServiceAccount", Name: account.Name, Namespace: namespace}
		if len(subjects) != 1 || subjects[0] != want {
			t.Errorf("%s %s is granted to %v, want %v", ref.Kind, ref.Name, subjects, want)
		}
	}
	var cluster rbacv1.ClusterRoleBinding
	get(t, c.api, "live-notify-operator-manager", &cluster)
	granted(cluster.RoleRef, cluster.Subjects)
	get(t, c.api, cluster.RoleRef.Name, &rbacv1.ClusterRole{})
	var leases rbacv1.RoleBinding
	get(t, c.api, "live-notify-operator-manager", &leases)
	granted(leases.RoleRef, leases.Subjects)
	get(t, c.api, leases.RoleRef.Name, &rbacv1.Role{})

	arguments := strings.Join(pod.Containers[0].Args, " ")
	if strings.Contains(arguments, "--endpoint=http://live-emulator.") != trial || !strings.Contains(arguments, "--leader-elect") {
		t.Errorf("arguments are %s", arguments)
	}
}

// cluster is an API server of a test's own.
type cluster struct {
	config     *rest.Config
	kubeconfig string // a file
	api        client.Client
}

// apply applies a directory to an API server of its own.
func apply(t *testing.T, dir string) cluster {
	t.Helper()
	assets, err := controlplane.Assets(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	env := &envtest.Environment{BinaryAssetsDirectory: assets}
	config, err := env.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	user, err := env.AddUser(envtest.User{Name: "installer", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	c := cluster{config: config, kubeconfig: file}
	c.kubectl(t, "apply", "--server-side", "-k", dir)
	api, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.api = api
	return c
}

// kubectl runs a command that must not warn of anything.
func (c cluster) kubectl(t *testing.T, args ...string) {
	t.Helper()
	assets, err := controlplane.Assets(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(assets, "kubectl"), append([]string{"--kubeconfig", c.kubeconfig}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "Warning") {
		t.Fatalf("kubectl %v: %v\n%s", args, err, out)
	}
}

// get reads an object of the namespace, or of the cluster if it is of no
// namespace.
func get(t *testing.T, api client.Client, name string, obj client.Object) {
	t.Helper()
	key := types.NamespacedName{Namespace: namespace, Name: name}
	if err := api.Get(t.Context(), key, obj); err != nil {
		t.Errorf("%T %s: %v", obj, name, err)
	}
}
