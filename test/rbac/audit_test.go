// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// auditPolicy has each request logged, but for its body.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
`

// auditEvent is what the tests read of an entry of the audit log.
type auditEvent struct {
	Verb       string `json:"verb"`
	RequestURI string `json:"requestURI"`
	User       struct {
		Username string `json:"username"`
	} `json:"user"`
	ObjectRef *struct {
		APIGroup    string `json:"apiGroup"`
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	Annotations map[string]string `json:"annotations"`
}

// forbidden tells whether RBAC refused the request. The status would not: 403 is
// also what admission answers.
func (e auditEvent) forbidden() bool {
	return e.Annotations["authorization.k8s.io/decision"] == "forbid"
}

func (e auditEvent) String() string { return e.Verb + " " + e.RequestURI }

// permission is one verb on one resource. Everywhere is the namespace "".
type permission struct{ namespace, group, resource, verb string }

func (p permission) String() string {
	where := "everywhere"
	if p.namespace != "" {
		where = "in " + p.namespace
	}
	return fmt.Sprintf("%s %s.%s %s", p.verb, p.resource, p.group, where)
}

// audited returns what a user asked for, of resources, and what he was refused.
func audited(t *testing.T, file, user string) (used map[permission]bool, refused []auditEvent) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	used = map[permission]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e auditEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("audit log: %v: %s", err, lines.Bytes())
		}
		if e.User.Username != user {
			continue
		}
		if e.forbidden() {
			refused = append(refused, e)
		}
		// Without a resource it is discovery, which all who are authenticated may.
		if o := e.ObjectRef; o != nil && o.Resource != "" {
			resource := o.Resource
			if o.Subresource != "" {
				resource += "/" + o.Subresource
			}
			used[permission{o.Namespace, o.APIGroup, resource, e.Verb}] = true
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(used) == 0 {
		t.Fatalf("the audit log has nothing of %s", user)
	}
	return used, refused
}

// granted returns what bindings grant a ServiceAccount by its name.
func granted(t *testing.T, api client.Client, account client.ObjectKey) map[permission]bool {
	t.Helper()
	all := map[permission]bool{}
	add := func(namespace string, rules []rbacv1.PolicyRule) {
		for _, rule := range rules {
			// The operator lists leases of one name alone; the request would else be refused.
			named := len(rule.ResourceNames) > 0 && !slices.Equal(rule.Resources, []string{"leases"})
			if named || len(rule.NonResourceURLs) > 0 {
				t.Errorf("a rule that this test does not understand: %v", rule)
			}
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						all[permission{namespace, group, resource, verb}] = true
					}
				}
			}
		}
	}
	is := func(s rbacv1.Subject) bool {
		return s.Kind == rbacv1.ServiceAccountKind && s.Namespace == account.Namespace && s.Name == account.Name
	}
	read := func(name, namespace string, role client.Object) {
		t.Helper()
		if err := api.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, role); err != nil {
			t.Fatal(err)
		}
	}
	rules := func(ref rbacv1.RoleRef, namespace string) []rbacv1.PolicyRule {
		t.Helper()
		if ref.Kind == "Role" {
			var role rbacv1.Role
			read(ref.Name, namespace, &role)
			return role.Rules
		}
		var role rbacv1.ClusterRole
		read(ref.Name, "", &role)
		return role.Rules
	}
	var everywhere rbacv1.ClusterRoleBindingList
	var local rbacv1.RoleBindingList
	for _, list := range []client.ObjectList{&everywhere, &local} {
		if err := api.List(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range everywhere.Items {
		if slices.ContainsFunc(b.Subjects, is) {
			add("", rules(b.RoleRef, ""))
		}
	}
	for _, b := range local.Items {
		if slices.ContainsFunc(b.Subjects, is) {
			add(b.Namespace, rules(b.RoleRef, b.Namespace))
		}
	}
	return all
}

// compare fails the test for each grant that was not used, and for each use
// that no grant covers.
func compare(t *testing.T, granted, used map[permission]bool) {
	t.Helper()
	needed := map[permission]bool{}
	for p := range used {
		wide := p
		wide.namespace = ""
		switch {
		case strings.Contains(p.String(), "create selfsubjectaccessreviews."):
			// Kubernetes grants it to everyone who is authenticated: system:basic-user.
		case granted[p]:
			needed[p] = true
		case granted[wide]:
			needed[wide] = true
		default:
			t.Errorf("used, not granted: %s", p)
		}
	}
	unused := slices.Collect(maps.Keys(granted))
	// An object is read again only when it changed in the middle of a pass, which the
	// tests of internal/controller see to for each kind.
	conflict := regexp.MustCompile(`\bget live[a-z]*(notifyconfigs|eventsubs|callbacks)\.live\.`)
	unused = slices.DeleteFunc(unused, func(p permission) bool {
		return needed[p] || conflict.MatchString(p.String()) || p.verb == "own" // which a policy asks about, and no request
	})
	slices.SortFunc(unused, func(a, b permission) int { return strings.Compare(a.String(), b.String()) })
	for _, p := range unused {
		t.Errorf("granted, not used: %s", p)
	}
}
