// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"testing"
	"testing/fstest"
)

func TestCheck(t *testing.T) {
	const (
		slashes = "// Copyright The live-notify-operator Authors.\n// SPDX-License-Identifier: Apache-2.0\n"
		hashes  = "# Copyright The live-notify-operator Authors.\n# SPDX-License-Identifier: Apache-2.0\n"
	)
	tree := fstest.MapFS{}
	for name, content := range map[string]string{
		"good.go":                 slashes + "package x\n",
		"generated.go":            "//go:build !ignore\n\n" + slashes,
		"config/good.yaml":        hashes,
		".ci/run":                 "#!/usr/bin/env bash\n" + hashes,
		"README.md":               "no source\n",
		"LICENSE":                 "no source\n",
		"pkg/testdata/input.yaml": "a: 1\n",
		"bin/tool":                "#!/bin/sh\n",

		"bad.go":          "package x\n",
		"half.go":         "// Copyright The live-notify-operator Authors.\n",
		"config/bad.yaml": "a: 1\n",
		"Makefile":        "all:\n",
		"hack/script":     "#!/bin/sh\n",
	} {
		tree[name] = &fstest.MapFile{Data: []byte(content)}
	}

	got, err := check(tree)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Makefile", "bad.go", "config/bad.yaml", "hack/script", "half.go"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
