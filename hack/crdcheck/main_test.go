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

const root = "../.."

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
	all, err := inTree(root)
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
		"a field of the status is gone": {
			at("status.drift", func(s *schema) { delete(s.Properties, "count") }), "status.drift.count",
		},
		"another type": {
			at("spec.suspend", func(s *schema) { s.Type = "string" }), "spec.suspend: type changed",
		},
		"an enum loses a value": {
			at("spec.driftPolicy", func(s *schema) { s.Enum = s.Enum[:1] }), "spec.driftPolicy",
		},
		"an enum where all was allowed": {
			at("spec.domainName", func(s *schema) { s.Enum = []apiextensionsv1.JSON{text} }), "spec.domainName",
		},
		"a new maximum": {
			at("spec.records.unhealthyThreshold", func(s *schema) { s.Maximum = new(float64(3)) }), "maximum",
		},
		"a higher minimum": {
			at("spec.records.unhealthyThreshold", func(s *schema) { s.Minimum = new(float64(5)) }), "minimum",
		},
		"a lower maximum of length": {
			at("spec.domainName", func(s *schema) { s.MaxLength = new(int64(1)) }), "spec.domainName: maximum decreased",
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
		"another format": {
			at("status.lastSyncTime", func(s *schema) { s.Format = "date" }), "status.lastSyncTime",
		},
		"a list that merges otherwise": {
			at("status.conditions", func(s *schema) { s.XListType = new("atomic") }), "status.conditions",
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
		"a lower minimum": {
			at("spec.records.unhealthyThreshold", func(s *schema) { s.Minimum = nil }), "",
		},
		"no pattern": {
			at("spec.domainName", func(s *schema) { s.Pattern = "" }), "",
		},
		"not required any more": {
			at("spec", func(s *schema) { s.Required = nil }), "",
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

// repository is one with the CRDs of this one, as of several commits.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) repository {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	r := repository{t, t.TempDir()}
	if err := os.MkdirAll(filepath.Join(r.dir, crdDir), 0o755); err != nil {
		t.Fatal(err)
	}
	for name := range load(t) {
		plural, group, _ := strings.Cut(name, ".")
		file := filepath.Join(crdDir, group+"_"+plural+".yaml")
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		r.write(file, string(text))
	}
	r.git("init", "-q")
	return r
}

func (r repository) write(file, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, file), []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r repository) git(args ...string) {
	r.t.Helper()
	settings := []string{"-C", r.dir, "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"}
	if out, err := exec.CommandContext(r.t.Context(), "git", append(settings, args...)...).CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func (r repository) commit() {
	r.t.Helper()
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", "x")
}

// edit replaces text in the CRD that the cases above change, too.
func (r repository) edit(from, to string) {
	r.t.Helper()
	file := filepath.Join(crdDir, "live.alibabacloud.com_livenotifyconfigs.yaml")
	text, err := os.ReadFile(filepath.Join(r.dir, file))
	if err != nil || !strings.Contains(string(text), from) {
		r.t.Fatalf("no %q in %s, %v", from, file, err)
	}
	r.write(file, strings.Replace(string(text), from, to, 1))
}

func (r repository) expect(base, want string, fails bool) {
	r.t.Helper()
	var out strings.Builder
	err := run(r.t.Context(), r.dir, base, &out)
	if (err != nil) != fails || !strings.Contains(out.String(), want) {
		r.t.Errorf("got %v and %q, want an error: %v, and %q", err, out.String(), fails, want)
	}
}

// TestReleases follows a repository through its releases.
func TestReleases(t *testing.T) {
	r := newRepository(t)
	r.expect("", "nothing to compare with: not a git repository", false)
	r.commit()
	r.expect("", "nothing to compare with: no release yet", false)

	r.git("tag", "v0.1.0")
	r.expect("", "nothing to compare with: no release yet", false) // this is the first one
	r.commit()
	r.expect("", "no breaking change since v0.1.0", false)

	r.edit("scope: Namespaced", "scope: Cluster") // not committed: what counts is the tree
	r.expect("", "scope", true)
	r.commit()
	r.git("tag", "v0.2.0-rc.1") // a pre-release sets no mark
	r.expect("", "scope", true)
	r.git("tag", "v0.2.0") // the commit of a release is compared with the release before
	r.expect("", "scope", true)
	r.commit()
	r.expect("", "no breaking change since v0.2.0", false)
	r.expect("v0.1.0", "scope", true)
	r.expect("v9", "", true)
}
