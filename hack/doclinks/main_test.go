// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"testing"
	"testing/fstest"
)

func TestCheck(t *testing.T) {
	tree := fstest.MapFS{
		"README.md": {Data: []byte("# Top\n\n## A `flag_name` & more\n\n## Twice\n\n## Twice\n\nUnder\n-----\n<a id=\"here\"></a>\n")},
		"docs/a.md": {Data: []byte("# A\n")},
		"main.go":   {Data: []byte("package main\n")},
	}
	cases := map[string]struct {
		line string
		want string
	}{
		"a file":                      {"[x](a.md)", ""},
		"a file above":                {"see [x](../main.go), and [y](../README.md)", ""},
		"a line of code":              {"[x](../main.go#L1)", ""},
		"a directory":                 {"[x](../docs/)", ""},
		"from the root":               {"[x](/README.md#top)", ""},
		"a heading":                   {"[x](../README.md#a-flag_name--more)", ""},
		"the second of two":           {"[x](../README.md#twice-1)", ""},
		"an underlined heading":       {"[x](../README.md#under)", ""},
		"an anchor":                   {"[x](../README.md#here)", ""},
		"its own heading":             {"[x](#title)", ""},
		"with a title":                {`[x](a.md "the a")`, ""},
		"in angle brackets":           {"[x](<a.md>)", ""},
		"outside":                     {"[x](https://example.com/none#no) <mailto:a@example.com>", ""},
		"in a code span":              {"`[x](none.md)`", ""},
		"a reference":                 {"[x][a] and [a][]\n\n[a]: a.md", ""},
		"a task list, no link at all": {"- [ ] do [this](a.md)", ""},

		"no such file":       {"[x](none.md)", "docs/b.md:3: link none.md: there is no docs/none.md"},
		"no such image":      {"![x](none.png)", "docs/b.md:3: link none.png: there is no docs/none.png"},
		"no such heading":    {"[x](a.md#none)", "docs/b.md:3: link a.md#none: docs/a.md has no heading #none"},
		"not here":           {"[x](#none)", "docs/b.md:3: link #none: docs/b.md has no heading #none"},
		"a third of two":     {"[x](../README.md#twice-2)", "docs/b.md:3: link ../README.md#twice-2: README.md has no heading #twice-2"},
		"outside the tree":   {"[x](../../y.md)", "docs/b.md:3: link ../../y.md leaves the repository"},
		"undefined":          {"[x][y]", "docs/b.md:3: link reference [y] is not defined"},
		"a dead definition":  {"[y]: none.md", "docs/b.md:3: link none.md: there is no docs/none.md"},
		"an HTML image":      {`<img alt="" src="none.png">`, "docs/b.md:3: link none.png: there is no docs/none.png"},
		"second on its line": {"[x](a.md) [y](none.md)", "docs/b.md:3: link none.md: there is no docs/none.md"},
		"image in a link":    {"[![x](none.png)](a.md)", "docs/b.md:3: link none.png: there is no docs/none.png"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tree["docs/b.md"] = &fstest.MapFile{Data: []byte("# Title\n\n" + tc.line + "\n")}
			problems, err := check(tree)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			if tc.want != "" {
				want = []string{tc.want}
			}
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestFencesAreNotRead(t *testing.T) {
	tree := fstest.MapFS{"a.md": {Data: []byte("```md\n[x](none.md)\n# No\n~~~\n```\n[x](#no)\n<!-- [y](none.md)\n-->\n")}}
	problems, err := check(tree)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) != 1 || problems[0].line != 6 {
		t.Errorf("got %v, want one, of line 6", problems)
	}
}

func TestSlug(t *testing.T) {
	for heading, want := range map[string]string{
		"Hello, World!":              "hello-world",
		"`spec.records.window`":      "specrecordswindow",
		"A [link](x.md) in it":       "a-link-in-it",
		"**Bold** and _slanted_":     "bold-and-slanted",
		"snake_case_name":            "snake_case_name",
		"1.2 Status":                 "12-status",
		"live.alibabacloud.com/v1":   "livealibabacloudcomv1",
		"Group: `a` -- and then":     "group-a----and-then",
		"Überschrift (mit Klammern)": "überschrift-mit-klammern",
	} {
		if got := parse("# " + heading + "\n").anchors; !got[want] {
			t.Errorf("%q: got %v, want %q", heading, got, want)
		}
	}
}
