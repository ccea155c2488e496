// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command chart writes what the Helm chart has of config: CRDs, RBAC rules,
// alerts and the dashboard. A chart can only read files of its own directory.
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

	rbacv1 "k8s.io/api/rbac/v1"
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
	copies := map[string]string{
		"config/prometheus/rules.yaml":                         "rules.yaml",
		filepath.Join(out, "config/prometheus/dashboard.json"): "dashboard.json",
	}
	crds, err := filepath.Glob(filepath.Join(out, "config/crd/bases/*.yaml"))
	if err != nil {
		return err
	}
	for _, crd := range crds {
		copies[crd] = filepath.Join("crds", filepath.Base(crd))
	}
	for from, to := range copies {
		text, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(files, to), text, 0o644); err != nil {
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
# by namespace; metrics, which authorizes who scrapes, only for the cluster; leases
# are in the operator's namespace.
`

// split sorts the rules of the operator's roles by where they have to be granted.
func split(roles []byte) ([]byte, error) {
	var rules struct {
		Objects []rbacv1.PolicyRule `json:"objects"`
		Metrics []rbacv1.PolicyRule `json:"metrics"`
		Leases  []rbacv1.PolicyRule `json:"leases"`
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
			default:
				rules.Objects = append(rules.Objects, rule)
			}
		}
	}
	text, err := yaml.Marshal(rules)
	return append([]byte(head), text...), err
}
