// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

const crdDir = "../../config/crd/bases"

// name is the CRD that the cases below change.
const name = "livenotifyconfigs.live.alibabacloud.com"

type crd = apiextensionsv1.CustomResourceDefinition

// at changes the schema of a property, such as spec.records.window.
func at(path string, change func(*apiextensionsv1.JSONSchemaProps)) func(*crd) {
	var walk func(*apiextensionsv1.JSONSchemaProps, []string)
	walk = func(schema *apiextensionsv1.JSONSchemaProps, path []string) {
		if len(path) == 0 {
			change(schema)
			return
		}
		child, ok := schema.Properties[path[0]]
		if !ok {
			panic("no property " + path[0])
		}
		walk(&child, path[1:])
		schema.Properties[path[0]] = child
	}
	return func(c *crd) {
		var parts []string
		if path != "" {
			parts = strings.Split(path, ".")
		}
		walk(c.Spec.Versions[0].Schema.OpenAPIV3Schema, parts)
	}
}

func load(t *testing.T) crds {
	t.Helper()
	all, err := read(crdDir)
	if err != nil {
		t.Fatal(err)
	}
	if all[name] == nil {
		t.Fatalf("no CRD %s", name)
	}
	return all
}

type schema = apiextensionsv1.JSONSchemaProps

// TestChanges changes copies of the real CRDs. A case without want is one that
// breaks nothing.
func TestChanges(t *testing.T) {
	text := apiextensionsv1.JSON{Raw: []byte(`"x"`)}
	cases := map[string]struct {
		change func(*crd)
		want   string
	}{
		"nothing": {func(*crd) {}, ""},

		"a field of the spec is gone": {
			at("spec", func(s *schema) { delete(s.Properties, "suspend") }), "suspend",
		},
		"an enum loses a value": {
			at("spec.driftPolicy", func(s *schema) { s.Enum = s.Enum[:1] }), "spec.driftPolicy",
		},
		"a new required field": {
			at("spec", func(s *schema) { s.Required = append(s.Required, "notifyURL") }), "required",
		},
		"a tighter pattern": {
			at("spec.domainName", func(s *schema) { s.Pattern = "^x$" }), "spec.domainName: pattern",
		},
		"another default": {
			at("spec.deletionPolicy", func(s *schema) { s.Default = &apiextensionsv1.JSON{Raw: []byte(`"Retain"`)} }), "spec.deletionPolicy",
		},
		"a new CEL rule": {
			at("spec", func(s *schema) {
				s.XValidations = append(s.XValidations, apiextensionsv1.ValidationRule{Rule: "has(self.suspend)"})
			}), "rules added or changed: has(self.suspend)",
		},
		"another CEL rule": {
			at("spec", func(s *schema) { s.XValidations[0].Rule += " && has(self.suspend)" }), "rules added or changed",
		},
		"another scope": {
			func(c *crd) { c.Spec.Scope = apiextensionsv1.ClusterScoped }, "scope",
		},
		"another kind": {
			func(c *crd) { c.Spec.Names.Kind = "Other" }, "kind: Other",
		},
		"another plural": {
			func(c *crd) { c.Spec.Names.Plural = "others" }, "plural: others",
		},
		"a short name less": {
			func(c *crd) { c.Spec.Names.ShortNames = nil }, "short name lnc is gone",
		},
		"a category less": {
			func(c *crd) { c.Spec.Names.Categories = nil }, "category live is gone",
		},
		"another name of the version": {
			func(c *crd) { c.Spec.Versions[0].Name = "v1" }, "version v1alpha1 is gone",
		},
		"a version that is not served": {
			func(c *crd) { c.Spec.Versions[0].Served = false }, "not served",
		},
		"a version that is not stored": {
			func(c *crd) { c.Spec.Versions[0].Storage = false }, "not what is stored",
		},
		"no status subresource": {
			func(c *crd) { c.Spec.Versions[0].Subresources = nil }, "subresource status is gone",
		},
		"a printer column less": {
			func(c *crd) {
				columns := &c.Spec.Versions[0].AdditionalPrinterColumns
				*columns = (*columns)[1:]
			}, "printer column",
		},
		"a printer column that shows something else": {
			func(c *crd) { c.Spec.Versions[0].AdditionalPrinterColumns[0].JSONPath = ".spec.other" }, "printer column",
		},
		"another version, stricter than the one before": {
			func(c *crd) {
				second := *c.Spec.Versions[0].DeepCopy()
				second.Name, second.Storage = "v1beta1", false
				c.Spec.Versions = append([]apiextensionsv1.CustomResourceDefinitionVersion{second}, c.Spec.Versions...)
				at("spec", func(s *schema) { delete(s.Properties, "suspend") })(c)
			}, "suspend",
		},

		"a new optional field": {
			at("spec", func(s *schema) { s.Properties["other"] = schema{Type: "string"} }), "",
		},
		"a new field of the status, with required ones of its own": {
			at("status", func(s *schema) {
				s.Properties["other"] = schema{Type: "object", Required: []string{"a"}, Properties: map[string]schema{"a": {Type: "string"}}}
			}), "",
		},
		"a value more": {
			at("spec.driftPolicy", func(s *schema) { s.Enum = append(s.Enum, text) }), "",
		},
		"no pattern": {
			at("spec.domainName", func(s *schema) { s.Pattern = "" }), "",
		},
		"a rule less": {
			at("spec", func(s *schema) { s.XValidations = s.XValidations[1:] }), "",
		},
		"other words": {
			at("spec", func(s *schema) { s.Description, s.XValidations[0].Message = "x", "y" }), "",
		},
		"a new printer column": {
			func(c *crd) {
				columns := &c.Spec.Versions[0].AdditionalPrinterColumns
				*columns = append(*columns, apiextensionsv1.CustomResourceColumnDefinition{Name: "X", Type: "string", JSONPath: ".spec.x"})
			}, "",
		},
		"another version beside it": {
			func(c *crd) {
				second := *c.Spec.Versions[0].DeepCopy()
				second.Name, second.Storage = "v1beta1", false
				c.Spec.Versions = append(c.Spec.Versions, second)
			}, "",
		},
	}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			now := load(t)
			before := now[name].DeepCopy()
			c.change(now[name])
			breaks, err := compare(crds{name: before}, now)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(breaks, "\n")
			if c.want == "" && got != "" {
				t.Errorf("got %s, want nothing", got)
			}
			if c.want != "" && !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q in it", got, c.want)
			}
		})
	}
}

func TestCRDGone(t *testing.T) {
	now := load(t)
	before := load(t)
	delete(now, name)
	breaks, err := compare(before, now)
	if err != nil || len(breaks) != 1 || !strings.Contains(breaks[0], "the CRD is gone") {
		t.Errorf("got %q, %v", breaks, err)
	}
}

// TestReleases follows a repository through its releases.
func TestReleases(t *testing.T) {
	dir := t.TempDir()
	script, err := filepath.Abs("crdcheck.sh")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "crdcheck")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("CRDCHECK", program)
	sh := func(script string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
	}
	expect := func(base, want string, fails bool) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), script, base)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if (err != nil) != fails || !strings.Contains(string(out), want) {
			t.Errorf("got %v and %q, want an error: %v, and %q", err, out, fails, want)
		}
	}
	from, err := filepath.Abs(crdDir)
	if err != nil {
		t.Fatal(err)
	}
	const commit = "git add -A; git commit -q --allow-empty -m x"
	expect("", "nothing to compare with: not a git repository", false)
	sh("git init -q; mkdir -p config/crd/bases; cp " + from + "/*.yaml config/crd/bases; " + commit)
	expect("", "nothing to compare with: no release yet", false)
	sh("git tag v0.1.0")
	expect("", "nothing to compare with: no release yet", false) // this is the first one
	sh(commit)
	expect("", "no breaking change", false)
	sh("sed -i.bak 's/scope: Namespaced/scope: Cluster/' config/crd/bases/*.yaml; rm config/crd/bases/*.bak")
	expect("", "scope", true)            // not committed: what counts is the tree
	sh(commit + "; git tag v0.2.0-rc.1") // a pre-release sets no mark
	expect("", "comparing with v0.1.0", true)
	sh("git tag v0.2.0") // the commit of a release is compared with the release before
	expect("", "comparing with v0.1.0", true)
	sh(commit)
	expect("", "comparing with v0.2.0", false)
	expect("v0.1.0", "scope", true)
	expect("v9", "", true)
}
