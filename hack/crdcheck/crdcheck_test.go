// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package crdcheck tests the script crdcheck.sh. "make verify-crds" gives it the
// tools; without them the tests are skipped.
package crdcheck

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	file   = "config/crd/bases/live.alibabacloud.com_livenotifyconfigs.yaml"
	commit = "git add -A; git -c user.name=t -c user.email=t@example.com commit -q --allow-empty -m x"
)

// repository returns a function that runs a script in a new repository with one of our CRDs,
// and returns what it prints and whether it failed. CRDCHECK in it is ours.
func repository(t *testing.T) func(script string) (string, bool) {
	t.Helper()
	if os.Getenv("CRDIFY") == "" || os.Getenv("GOJQ") == "" {
		t.Skip("CRDIFY and GOJQ are not set: run make verify-crds")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sh := func(script string) (string, bool) {
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "CRDCHECK="+filepath.Join(here, "crdcheck.sh"), "CRD="+filepath.Join(here, "../..", file))
		out, err := cmd.CombinedOutput()
		return string(out), err != nil
	}
	if out, failed := sh("git init -q; mkdir -p config/crd/bases; cp $CRD config/crd/bases; " + commit); failed {
		t.Fatal(out)
	}
	return sh
}

// TestChanges changes a CRD by an expression of jq, in which s is the schema of the
// spec. A case without want is one that breaks nothing.
func TestChanges(t *testing.T) {
	cases := map[string]struct{ change, want string }{
		"nothing": {".", ""},

		"a field of the spec is gone":                   {"del(s.properties.suspend)", "suspend"},
		"an enum loses a value":                         {"s.properties.driftPolicy.enum |= .[:1]", "spec.driftPolicy: allowed enum values removed"},
		"a new required field":                          {`s.required += ["notifyURL"]`, "required"},
		"a tighter pattern":                             {`s.properties.domainName.pattern = "^x$"`, "spec.domainName: pattern"},
		"another default":                               {`s.properties.deletionPolicy.default = "Retain"`, "spec.deletionPolicy: default"},
		"a new CEL rule":                                {`s["x-kubernetes-validations"] += [{rule: "has(self.suspend)"}]`, "spec: a rule is new or changed: has(self.suspend)"},
		"another CEL rule":                              {`s["x-kubernetes-validations"][0].rule += " && has(self.suspend)"`, "a rule is new or changed"},
		"another scope":                                 {`.spec.scope = "Cluster"`, "scope"},
		"another kind":                                  {`.spec.names.kind = "Other"`, "kind LiveNotifyConfig is gone"},
		"another plural":                                {`.spec.names.plural = "others"`, "plural livenotifyconfigs is gone"},
		"a short name less":                             {"del(.spec.names.shortNames)", "short name lnc is gone"},
		"a category less":                               {"del(.spec.names.categories)", "category live is gone"},
		"another name of the version":                   {`.spec.versions[0].name = "v1"`, "version v1alpha1 is gone"},
		"a version that is not served":                  {".spec.versions[0].served = false", "version v1alpha1 that is served is gone"},
		"a version that is not stored":                  {".spec.versions[0].storage = false", "version v1alpha1 that is stored, which the operator before needs, is gone"},
		"no status subresource":                         {"del(.spec.versions[0].subresources)", "subresource status is gone"},
		"a printer column less":                         {"del(.spec.versions[0].additionalPrinterColumns[0])", "printer column"},
		"a printer column that shows something else":    {`.spec.versions[0].additionalPrinterColumns[0].jsonPath = ".spec.other"`, "printer column"},
		"another version, stricter than the one before": {`.spec.versions |= [(.[0] | .name = "v1beta1" | .storage = false)] + . | del(s.properties.suspend)`, "suspend"},

		"a new optional field":                    {`s.properties.other = {type: "string"}`, ""},
		"a new optional field with rules":         {`s.properties.other = {type: "object", properties: {a: {type: "string"}}, "x-kubernetes-validations": [{rule: "has(self.a)"}]}`, ""},
		"a new field of the status, with its own": {`root.properties.status.properties.other = {type: "object", required: ["a"], properties: {a: {type: "string"}}}`, ""},
		"a value more":                            {`s.properties.driftPolicy.enum += ["x"]`, ""},
		"no pattern":                              {"del(s.properties.domainName.pattern)", ""},
		"a rule less":                             {`s["x-kubernetes-validations"] |= .[1:]`, ""},
		"other words":                             {`s.description = "x" | s["x-kubernetes-validations"][0].message = "y"`, ""},
		"a new printer column":                    {`.spec.versions[0].additionalPrinterColumns += [{name: "X", type: "string", jsonPath: ".spec.x"}]`, ""},
		"another version beside it":               {`.spec.versions += [.spec.versions[0] | .name = "v1beta1" | .storage = false]`, ""},
	}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			sh := repository(t)
			const head = "def root: .spec.versions[0].schema.openAPIV3Schema; def s: root.properties.spec; "
			change := `"$GOJQ" --yaml-input --yaml-output '` + head + c.change + "' " + file + " >now; mv now " + file
			out, failed := sh(change + "; $CRDCHECK HEAD")
			if failed != (c.want != "") || !strings.Contains(out, c.want) {
				t.Errorf("it failed: %t, with %q; want %q", failed, out, c.want)
			}
		})
	}
}

func TestCRDGone(t *testing.T) {
	if out, failed := repository(t)("rm " + file + "; $CRDCHECK HEAD"); !failed || !strings.Contains(out, "the CRD is gone\ncrdcheck: 1 breaking") {
		t.Errorf("it failed: %t, with %q", failed, out)
	}
}

// TestNoAnswer has a tool fail, and one of the files be none.
func TestNoAnswer(t *testing.T) {
	sh := repository(t)
	for _, script := range []string{"CRDIFY=false $CRDCHECK HEAD", "echo { >" + file + "; $CRDCHECK HEAD"} {
		if out, failed := sh(script); !failed || strings.Contains(out, "no breaking change") {
			t.Errorf("%s failed: %t, with %q", script, failed, out)
		}
	}
}

// TestReleases follows a repository through its releases.
func TestReleases(t *testing.T) {
	sh := repository(t)
	for _, step := range []struct {
		script, want string
		fails        bool
	}{
		{"mv .git x; GIT_CEILING_DIRECTORIES=$(dirname $PWD) $CRDCHECK; mv x .git", "nothing to compare with: not a git repository", false},
		{"$CRDCHECK", "nothing to compare with: no release yet", false},
		{"git tag v0.1.0; $CRDCHECK", "nothing to compare with: no release yet", false}, // this is the first one
		{commit + "; $CRDCHECK", "no breaking change", false},
		// What counts is the tree, committed or not. A pre-release sets no mark.
		{"sed -i.bak 's/scope: Namespaced/scope: Cluster/' " + file + "; rm " + file + ".bak; $CRDCHECK", "scope", true},
		{commit + "; git tag v0.2.0-rc.1; $CRDCHECK", "comparing with v0.1.0", true},
		{"git tag v0.2.0; $CRDCHECK", "comparing with v0.1.0", true}, // a release is compared with the one before
		{commit + "; $CRDCHECK", "comparing with v0.2.0", false},
		{"$CRDCHECK v0.1.0", "scope", true},
		{"$CRDCHECK v9", "", true},
	} {
		if out, failed := sh(step.script); failed != step.fails || !strings.Contains(out, step.want) {
			t.Errorf("%s failed: %t, with %q; want %q", step.script, failed, out, step.want)
		}
	}
}
