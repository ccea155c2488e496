// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command crdcheck compares the CRDs of the tree with those of the last release,
// and names each change that would break an object, a client or a script that
// works with the release:
//
//	go -C hack/crdcheck run . -root ../.. [-base v0.1.0]
//
// It is a module of its own, since the library that compares schemas is no
// dependency of the operator.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// crdDir is where the tree has its CRDs.
const crdDir = "config/crd/bases"

type crds map[string]*apiextensionsv1.CustomResourceDefinition

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	root := flag.String("root", ".", "`directory` of the repository")
	base := flag.String("base", "", "`commit` to compare with; the last release if empty")
	flag.Parse()
	err := run(ctx, *root, *base, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "crdcheck:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root, base string, out io.Writer) error {
	if base == "" {
		tag, why := lastRelease(ctx, root)
		if tag == "" {
			fmt.Fprintln(out, "crdcheck: nothing to compare with:", why)
			return nil
		}
		base = tag
	}
	before, err := released(ctx, root, base)
	if err != nil {
		return err
	}
	now, err := inTree(root)
	if err != nil {
		return err
	}
	breaks, err := compare(before, now)
	if err != nil {
		return err
	}
	for _, line := range breaks {
		fmt.Fprintln(out, line)
	}
	if len(breaks) > 0 {
		return fmt.Errorf("%d breaking changes since %s: docs/upgrading.md says what may change, and how", len(breaks), base)
	}
	fmt.Fprintf(out, "crdcheck: %d CRDs, no breaking change since %s\n", len(before), base)
	return nil
}

// lastRelease returns the tag of the last release before the commit that is
// checked out, or why there is none. Pre-releases promise nothing.
func lastRelease(ctx context.Context, root string) (tag, why string) {
	if _, err := git(ctx, root, "rev-parse", "HEAD"); err != nil {
		return "", "not a git repository"
	}
	from := "HEAD"
	if _, err := git(ctx, root, "describe", "--exact-match", "--tags", "--match", "v*", "--exclude", "*-*"); err == nil {
		from = "HEAD^"
	}
	described, err := git(ctx, root, "describe", "--abbrev=0", "--tags", "--match", "v*", "--exclude", "*-*", from)
	if err == nil {
		return strings.TrimSpace(described), ""
	}
	if shallow, err := git(ctx, root, "rev-parse", "--is-shallow-repository"); err == nil && strings.TrimSpace(shallow) == "true" {
		return "", "the clone is shallow and has no release; git fetch --tags --unshallow"
	}
	return "", "no release yet"
}

// git runs git, in a repository of whatever owner: it only reads.
func git(ctx context.Context, root string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "safe.directory=*", "-C", root}, args...)...)
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("git %s: %s", strings.Join(args, " "), strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}

// released reads the CRDs of a commit.
func released(ctx context.Context, root, commit string) (crds, error) {
	list, err := git(ctx, root, "ls-tree", "--name-only", commit, crdDir+"/")
	if err != nil {
		return nil, err
	}
	all := crds{}
	for name := range strings.FieldsSeq(list) {
		text, err := git(ctx, root, "show", commit+":"+name)
		if err != nil {
			return nil, err
		}
		if err := all.add(name, []byte(text)); err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no CRDs in %s", commit, crdDir)
	}
	return all, nil
}

func inTree(root string) (crds, error) {
	names, err := filepath.Glob(filepath.Join(root, crdDir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	all := crds{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if err := all.add(name, text); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (c crds) add(name string, text []byte) error {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(text, crd); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if crd.Kind != "CustomResourceDefinition" || crd.Name == "" {
		return fmt.Errorf("%s: not a CRD", name)
	}
	c[crd.Name] = crd
	return nil
}

// compare returns a line for each breaking change.
func compare(before, now crds) ([]string, error) {
	schemas, err := schemaComparer()
	if err != nil {
		return nil, err
	}
	var breaks []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		old, current := before[name], now[name]
		if current == nil {
			breaks = append(breaks, name+": the CRD is gone")
			continue
		}
		for _, change := range append(surface(old, current), schemas(old, current)...) {
			breaks = append(breaks, name+": "+change)
		}
	}
	return breaks, nil
}
