// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"fmt"
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
)

// TestStatusesAreTheOperators installs the roles and policies of three releases side by
// side, one for the whole cluster and two for one namespace: each may write statuses
// there, and so may an administrator of the cluster. A tenant may not who has all
// permissions in that namespace.
func TestStatusesAreTheOperators(t *testing.T) {
	t.Parallel()
	api, err := started()
	if err != nil {
		t.Fatal(err)
	}
	create := func(o client.Object) {
		t.Helper()
		if err := api.Create(t.Context(), o); err != nil {
			t.Fatalf("%T %s: %v", o, o.GetName(), err)
		}
	}
	const media = "statuses-media"
	create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: media}})
	may := []string{"statuses-admin"}
	for name, values := range map[string]string{"statuses-all": "replicas=1", "statuses-one": "watchNamespaces={" + media + "}", "statuses-two": "watchNamespaces={" + media + "}"} {
		create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
		out, err := helm(t, "template", name, dir, "-n", name, "--skip-tests", "--set", "crds.enabled=false", "--set", values)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, fields := range parse(t, out) {
			o := &unstructured.Unstructured{Object: fields}
			if group := o.GroupVersionKind().Group; group == rbacv1.GroupName || group == "admissionregistration.k8s.io" {
				create(o)
			}
			if o.GetKind() == "ServiceAccount" {
				may = append(may, "system:serviceaccount:"+name+":"+o.GetName())
			}
		}
	}
	user := func(name string) []rbacv1.Subject {
		return []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: name}}
	}
	create(&rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "statuses-admin"}, Subjects: user("statuses-admin"),
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
	})
	create(&rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: media, Name: "all"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}},
	})
	create(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: media, Name: "all"}, Subjects: user("tenant"),
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "all"},
	})
	for kind, spec := range map[string]map[string]any{
		"LiveNotifyConfig":  {"domainName": "push.example.com", "notifyURL": "https://hooks.example.com/live"},
		"LiveAccount":       {"credentials": map[string]any{"ecsRAMRole": map[string]any{"roleName": "live"}}},
		"LiveRolloutPolicy": {"selector": map[string]any{}, "guard": map[string]any{}},
	} {
		o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "live.alibabacloud.com/v1alpha1", "kind": kind, "spec": spec}}
		o.SetNamespace(media)
		o.SetName("a")
		create(o)
		generation := 0
		write := func(as string) error {
			config := rest.CopyConfig(env.Config)
			config.Impersonate.UserName = as
			of, err := client.New(config, client.Options{})
			if err != nil {
				t.Fatal(err)
			}
			generation++
			patch := fmt.Appendf(nil, `{"status":{"observedGeneration":%d}}`, generation)
			return of.Status().Patch(t.Context(), o.DeepCopy(), client.RawPatch("application/merge-patch+json", patch))
		}
		// It takes a moment until the API server heeds a policy.
		for start := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			if err = write("tenant"); err != nil {
				break
			}
			if time.Since(start) > time.Minute {
				t.Fatalf("%s: a tenant writes the status", kind)
			}
		}
		want := "only the operator writes this status: change spec. An operator, or a restore, needs a ClusterRole bound for all namespaces, with the verb own of statuses in live.alibabacloud.com"
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", kind, err)
		}
		for _, as := range may {
			if err := write(as); err != nil {
				t.Errorf("%s, %s: %v", kind, as, err)
			}
		}
	}
}
