// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command doclinks checks that each link in the Markdown files of the
// repository leads somewhere: to a file that exists, and to a heading in it when
// the link names one. Links that leave the repository are not followed, so that
// the answer depends on the repository alone.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	problems, err := check(os.DirFS(root))
	if err != nil {
		fmt.Fprintln(os.Stderr, "doclinks:", err)
		os.Exit(1)
	}
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, p)
	}
	if len(problems) > 0 {
		fmt.Fprintf(os.Stderr, "doclinks: %d dead links: mend the link, or the heading or file that it names\n", len(problems))
		os.Exit(1)
	}
}

// problem is a link that leads nowhere.
type problem struct {
	file string
	line int
	text string
}

func (p problem) String() string {
	return fmt.Sprintf("%s:%d: %s", p.file, p.line, p.text)
}

// check returns the dead links of all Markdown files in a tree, by file and line.
func check(tree fs.FS) ([]problem, error) {
	docs := map[string]document{}
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if slices.Contains([]string{".git", ".demo", "bin", "dist", "testdata", "vendor", "node_modules"}, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		case path.Ext(name) != ".md" || !entry.Type().IsRegular():
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		docs[name] = parse(string(text))
		return nil
	})
	if err != nil {
		return nil, err
	}

	var problems []problem
	for name, doc := range docs {
		for _, l := range doc.links {
			text, err := l.check(tree, docs, name)
			if err != nil {
				return nil, err
			}
			if text != "" {
				problems = append(problems, problem{file: name, line: l.line, text: text})
			}
		}
	}
	slices.SortFunc(problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.text, b.text))
	})
	return problems, nil
}

// check says in words what is wrong with a link in the file from, or nothing.
func (l link) check(tree fs.FS, docs map[string]document, from string) (string, error) {
	if l.undefined {
		return fmt.Sprintf("link reference [%s] is not defined", l.target), nil
	}
	u, err := url.Parse(l.target)
	if err != nil {
		return fmt.Sprintf("link %s is not a URL: %v", l.target, err), nil
	}
	if u.Scheme != "" || u.Host != "" {
		return "", nil
	}

	to := from
	switch {
	case strings.HasPrefix(u.Path, "/"): // forges take these from the repository's root
		to = path.Clean(strings.TrimPrefix(u.Path, "/"))
	case u.Path != "":
		to = path.Join(path.Dir(from), u.Path)
	}
	if !fs.ValidPath(to) {
		return fmt.Sprintf("link %s leaves the repository", l.target), nil
	}
	if _, err := fs.Stat(tree, to); errors.Is(err, fs.ErrNotExist) {
		return fmt.Sprintf("link %s: there is no %s", l.target, to), nil
	} else if err != nil {
		return "", err
	}
	if doc, ok := docs[to]; ok && u.Fragment != "" && !doc.anchors[u.Fragment] {
		return fmt.Sprintf("link %s: %s has no heading #%s", l.target, to, u.Fragment), nil
	}
	return "", nil
}
