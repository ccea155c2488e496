// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

// local fails the test if the operator is granted anything of our kinds, or
// Secrets, in the whole cluster.
func (w world) local() {
	w.Helper()
	var bindings rbacv1.ClusterRoleBindingList
	w.must(api.List(w.Context(), &bindings))
	for _, b := range bindings.Items {
		for _, s := range b.Subjects {
			if s.Kind != rbacv1.ServiceAccountKind || s.Namespace != system {
				continue
			}
			var role rbacv1.ClusterRole
			w.must(api.Get(w.Context(), client.ObjectKey{Name: b.RoleRef.Name}, &role))
			for _, rule := range role.Rules {
				if slices.Equal(rule.Resources, []string{"statuses"}) && slices.Equal(rule.Verbs, []string{"own"}) {
					continue // there is no such resource: the policy of statuses asks for it
				}
				for _, group := range rule.APIGroups {
					if group == v1alpha1.GroupVersion.Group || group == "" || group == "*" {
						w.Errorf("ClusterRole %s grants %s %v %v everywhere", role.Name, group, rule.Resources, rule.Verbs)
					}
				}
			}
		}
	}
}

// networkPolicies fails the test unless the API server took one. Whether it is
// enforced depends on the cluster's network.
func (w world) networkPolicies() {
	w.Helper()
	var list networkingv1.NetworkPolicyList
	w.must(api.List(w.Context(), &list, client.InNamespace(system)))
	if len(list.Items) == 0 {
		w.Error("there is no NetworkPolicy")
	}
	for _, p := range list.Items {
		w.Logf("NetworkPolicy %s is there, for %v; whether it is enforced was not looked at", p.Name, p.Spec.PolicyTypes)
	}
}
