// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command chart writes config/rbac/users.yaml, the roles of those who write objects,
// and what the Helm chart has of config: RBAC rules by where they are granted, and
// links to the CRDs, alerts and the dashboard, since a chart can only read files of
// its own directory. Of the chart live-callbacks it writes the schema of the values.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/live-notify/live-notify-operator/internal/flags"
)

func main() {
	out := flag.String("out", ".", "directory with what is generated in config, to write the chart's files in")
	if err := flags.Parse(flag.CommandLine, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	files := filepath.Join(out, "charts/live-notify-operator/files")
	if err := os.MkdirAll(filepath.Join(files, "crds"), 0o755); err != nil {
		return err
	}
	crds, err := filepath.Glob(filepath.Join(out, "config/crd/bases/*.yaml"))
	if err != nil {
		return err
	}
	users, err := userRoles(crds)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "config/rbac/users.yaml"), users, 0o644); err != nil {
		return err
	}
	if err := errors.Join(chartFile(out, crds), callbacksChart(out, crds)); err != nil {
		return err
	}
	links := map[string]string{
		"rules.yaml":               "../../../config/prometheus/rules.yaml",
		"dashboard.json":           "../../../config/prometheus/dashboard.json",
		"users.yaml":               "../../../config/rbac/users.yaml",
		"deletion-protection.yaml": "../../../config/admission/deletion-protection.yaml",
	}
	for _, crd := range crds {
		name := filepath.Base(crd)
		links[filepath.Join("crds", name)] = "../../../../config/crd/bases/" + name
	}
	for name, target := range links {
		link := filepath.Join(files, name)
		if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := os.Symlink(target, link); err != nil {
			return err
		}
	}
	role, err := os.ReadFile(filepath.Join(out, "config/rbac/role.yaml"))
	if err != nil {
		return err
	}
	rules, err := split(role)
	if err != nil {
		return fmt.Errorf("config/rbac/role.yaml: %w", err)
	}
	return os.WriteFile(filepath.Join(files, "rbac.yaml"), rules, 0o644)
}

const head = `# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# Generated from config/rbac/role.yaml by "make generate". objects may be granted
# by namespace; metrics, which authorizes who scrapes, and others, which looks for
# other operators, only for the cluster; leases are in the operator's namespace.
`

// split sorts the rules of the operator's roles by where they have to be granted.
func split(roles []byte) ([]byte, error) {
	var rules struct {
		Objects []rbacv1.PolicyRule `json:"objects"`
		Metrics []rbacv1.PolicyRule `json:"metrics"`
		Leases  []rbacv1.PolicyRule `json:"leases"`
		Others  []rbacv1.PolicyRule `json:"others"`
	}
	docs := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(roles), 4096)
	for {
		var role rbacv1.ClusterRole // a Role has the same fields
		err := docs.Decode(&role)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for _, rule := range role.Rules {
			switch {
			case role.Namespace != "":
				rules.Leases = append(rules.Leases, rule)
			case slices.Contains(rule.APIGroups, "authentication.k8s.io"), slices.Contains(rule.APIGroups, "authorization.k8s.io"):
				rules.Metrics = append(rules.Metrics, rule)
			case slices.Contains(rule.APIGroups, "coordination.k8s.io"):
				rules.Others = append(rules.Others, rule)
			default:
				rules.Objects = append(rules.Objects, rule)
			}
		}
	}
	text, err := yaml.Marshal(rules)
	return append([]byte(head), text...), err
}

const usersHead = `# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# Generated from config/crd by "make generate". Kubernetes adds these rules to its
# own roles view, edit and admin. A LiveAccount can learn Secrets of its namespace
# (docs/security.md): only admin may write one.
`

// userRoles returns the roles that are added to view, edit and admin.
func userRoles(crds []string) ([]byte, error) {
	var all, accounts, others []string
	for _, file := range crds {
		crd, err := read(file)
		if err != nil {
			return nil, err
		}
		plural := crd.Spec.Names.Plural
		all = append(all, plural)
		if plural == "liveaccounts" {
			accounts = append(accounts, plural)
		} else {
			others = append(others, plural)
		}
	}
	out := []byte(usersHead)
	read, write := []string{"get", "list", "watch"}, []string{"create", "delete", "deletecollection", "patch", "update"}
	for _, role := range []struct {
		name             string
		resources, verbs []string
	}{{"view", all, read}, {"edit", others, write}, {"admin", accounts, write}} {
		text, err := yaml.Marshal(map[string]any{
			"apiVersion": rbacv1.SchemeGroupVersion.String(),
			"kind":       "ClusterRole",
			"metadata": map[string]any{
				"name":   role.name,
				"labels": map[string]string{"rbac.authorization.k8s.io/aggregate-to-" + role.name: "true"},
			},
			"rules": []rbacv1.PolicyRule{{APIGroups: []string{"live.alibabacloud.com"}, Resources: role.resources, Verbs: role.verbs}},
		})
		if err != nil {
			return nil, err
		}
		out = append(append(out, "---\n"...), text...)
	}
	return out, nil
}

func read(file string) (crd apiextensionsv1.CustomResourceDefinition, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return crd, err
	}
	if err := yaml.Unmarshal(text, &crd); err != nil {
		return crd, fmt.Errorf("%s: %w", file, err)
	}
	return crd, nil
}

// chartFile writes Chart.yaml, with the kinds that Artifact Hub is to show.
func chartFile(out string, crds []string) error {
	const file, from, to = "charts/live-notify-operator/Chart.yaml", "  artifacthub.io/crds: |\n", "  artifacthub.io/crdsExamples: |\n"
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), from)
	_, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no %q and %q", file, from, to)
	}
	var kinds strings.Builder
	for _, crd := range crds {
		crd, err := read(crd)
		if err != nil {
			return err
		}
		version, names := crd.Spec.Versions[0], crd.Spec.Names
		description, _, _ := strings.Cut(version.Schema.OpenAPIV3Schema.Description, ".")
		fmt.Fprintf(&kinds, "    - kind: %s\n      version: %s\n      name: %s\n      displayName: %s\n      description: %s\n",
			names.Kind, version.Name, crd.Name, names.Kind, strings.Join(strings.Fields(description), " "))
	}
	return os.WriteFile(filepath.Join(out, file), []byte(before+from+kinds.String()+to+after), 0o644)
}
