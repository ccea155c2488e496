// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command monitoring writes what is generated in config/prometheus: the
// PrometheusRule, from rules.yaml, and the Grafana dashboard, from dashboard.go.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

const dir = "config/prometheus"

func main() {
	out := flag.String("out", ".", "directory to write config/prometheus in")
	root := flag.String("root", ".", "directory to read config/prometheus in")
	flag.Parse()
	if err := run(*root, *out); err != nil {
		fmt.Fprintln(os.Stderr, "monitoring:", err)
		os.Exit(1)
	}
}

func run(root, out string) error {
	rules, err := os.ReadFile(filepath.Join(root, dir, "rules.yaml"))
	if err != nil {
		return err
	}
	rule, err := prometheusRule(rules)
	if err != nil {
		return fmt.Errorf("%s/rules.yaml: %w", dir, err)
	}
	made, err := board()
	if err != nil {
		return fmt.Errorf("the dashboard: %w", err)
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // < and > are for people to read
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(made); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(out, dir), 0o755); err != nil {
		return err
	}
	for name, content := range map[string][]byte{"prometheusrule.yaml": rule, "dashboard.json": text.Bytes()} {
		if err := os.WriteFile(filepath.Join(out, dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

const ruleHead = `# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# Generated from rules.yaml by "make generate": edit that one.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: live-notify-operator
  labels:
    app.kubernetes.io/name: live-notify-operator
spec:
`

// prometheusRule wraps a rule file into an object of the Prometheus operator.
func prometheusRule(rules []byte) ([]byte, error) {
	var parsed struct{ Groups []any }
	if err := yaml.UnmarshalStrict(rules, &parsed); err != nil {
		return nil, err
	}
	if len(parsed.Groups) == 0 {
		return nil, fmt.Errorf("no groups")
	}
	var text strings.Builder
	text.WriteString(ruleHead)
	_, groups, _ := strings.Cut(string(rules), "\ngroups:")
	for line := range strings.Lines("groups:" + groups) {
		if strings.TrimSpace(line) != "" {
			line = "  " + line
		}
		text.WriteString(line)
	}
	return []byte(text.String()), nil
}
