// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const page = "# A page\n\n<!-- run -->\n```sh\nx=1\necho \"x is  $x\"\n```\n\n<!-- shown -->\n```\nx is ...\n```\n\n" +
	"```sh\nfalse # not marked\n```\n<!-- run: x=2 -->\n1. In a list:\n   <!-- run -->\n   ```sh\n   echo $x\n   ```\n"

func TestBlocks(t *testing.T) {
	got, err := Blocks(page)
	if err != nil {
		t.Fatal(err)
	}
	want := []Block{
		{Line: 4, Text: "x=1\necho \"x is  $x\"", Shown: []string{"x is ..."}},
		{Line: 17, Text: "x=2"},
		{Line: 20, Text: "echo $x"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"<!-- run -->\n\n```sh\n```", "<!-- run -->\n```sh\ntrue", "<!-- shown -->\n```\n```", "<!-- shown: x -->"} {
		if _, err := Blocks(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestRun(t *testing.T) {
	for name, tc := range map[string]struct {
		page string
		fail string // part of the error; "" for none
	}{
		"all is well":        {page, ""},
		"a command fails":    {page + "<!-- run -->\n```sh\nfalse\n```\n", "line 24"},
		"a pipe fails":       {"<!-- run -->\n```sh\nfalse | cat\n```\n", "line 2"},
		"another output":     {"<!-- run -->\n```sh\necho a\n```\n<!-- shown -->\n```\nb\n```\n", `the page shows "b"`},
		"the last is not it": {"<!-- run -->\n```sh\necho a\n```\n<!-- run: echo b -->\n<!-- shown -->\n```\na\n```\n", `the page shows "a"`},
		"it leaves a job":    {"<!-- run -->\n```sh\nsleep 600 &\n```\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			blocks, err := Blocks(tc.page)
			if err != nil {
				t.Fatal(err)
			}
			out, err := Run(t.Context(), t.TempDir(), os.Environ(), blocks)
			if (err == nil) != (tc.fail == "") || err != nil && !strings.Contains(err.Error(), tc.fail) {
				t.Errorf("got %v, want %q\n%s", err, tc.fail, out)
			}
		})
	}
}
