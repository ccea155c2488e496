// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path/filepath"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// as returns a kubeconfig of a user who may do to the callback kinds what verbs say, and
// nothing else.
func (w *world) as(user string, verbs ...string) string {
	w.t.Helper()
	w.apply(&rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: "some"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"live.alibabacloud.com"}, Resources: []string{"*"}, Verbs: verbs}},
	})
	w.apply(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "some"},
		Subjects:   []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: user}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "some"},
	})
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, info := range config.AuthInfos {
		info.Impersonate = user
	}
	path := filepath.Join(w.t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// Who may not read a Secret is told which, and what is missing, by its names.
func TestPermissionThatIsMissingForSecrets(t *testing.T) {
	const user = "system:serviceaccount:some-namespace-of-production:live-notify-importer-2026"
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	w.missed()
	t.Setenv("KUBECONFIG", w.as(user, "get", "list"))
	missing := `you may not read Secret "key": the permission to get secrets in namespace ` + w.namespace + ` is missing`
	for _, args := range [][]string{
		{"replay", "lnc/push", "--yes"}, {"replay", "lnc/push", "--dry-run"}, {"probe", "lnc/push", "--yes"},
		{"probe", "--url", w.receiver.URL, "--as", "stream", "--key-from", "secret/key/key", "--yes"},
	} {
		w.call(args...).want(t, exitUnknown, missing)
	}
	if got := w.receiver.requests(); len(got) > 0 {
		t.Errorf("got %+v", got)
	}
	w.call("plan", "lnc/push", "--show-in-sync").want(t, exitYes, "unknown")
	w.call("failures", "lnc/push").want(t, exitYes, "Not every authentication key could be read")
	name := "all-the-keys-of-production-2026"
	w.call("import", "--keys-to-cluster", "--key-secret", name, "--yes").want(t, exitUnknown,
		fmt.Sprintf(`secrets %q is forbidden: User %q cannot get resource "secrets" in API group "" in the namespace %q`, name, user, w.namespace))
}
