// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command crdcheck compares the CRDs of two directories, and names each change that
// would break an object, a client or a script that works with those of the first one.
// The script beside it takes these from the last release:
//
//	hack/crdcheck/crdcheck.sh [v0.1.0]
//
// It is a module of its own, since the library that compares schemas is no
// dependency of the operator.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

type crds map[string]*apiextensionsv1.CustomResourceDefinition

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: crdcheck <directory before> <directory now>")
		os.Exit(2)
	}
	breaks, err := run(os.Args[1], os.Args[2])
	for _, line := range breaks {
		fmt.Println(line)
	}
	if err == nil && len(breaks) > 0 {
		err = fmt.Errorf("%d breaking changes: docs/upgrading.md says what may change, and how", len(breaks))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "crdcheck:", err)
		os.Exit(1)
	}
	fmt.Println("crdcheck: no breaking change")
}

func run(before, now string) ([]string, error) {
	old, err := read(before)
	if err != nil {
		return nil, err
	}
	current, err := read(now)
	if err != nil {
		return nil, err
	}
	return compare(old, current)
}

// read reads the CRDs of a directory.
func read(dir string) (crds, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	all := crds{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(text, crd); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[crd.Name] = crd
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no CRDs", dir)
	}
	return all, nil
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
