// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestFlagsAreDocumented looks for each flag in the tables of docs/emulator.md.
func TestFlagsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	var usage bytes.Buffer
	_, _ = parseFlags([]string{"-h"}, &usage)
	all := regexp.MustCompile(`(?m)^ +--?([a-z][-a-z]*)`).FindAllStringSubmatch(usage.String(), -1)
	if len(all) < 30 {
		t.Fatalf("found %d flags in %s", len(all), usage.String())
	}
	row := regexp.MustCompile(`(?m)^\| .*?\|`)
	documented := strings.Join(row.FindAllString(string(page), -1), "\n")
	for _, name := range all {
		if !regexp.MustCompile("`--" + name[1] + "[` ]").MatchString(documented) {
			t.Errorf("no table has --%s", name[1])
		}
	}
}
