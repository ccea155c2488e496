// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command headers checks that each source file of the repository says whose it
// is and under which licence, and names those that do not.
package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// wanted are the lines that a file must have near its top, in comments of
// whatever kind it uses.
var wanted = []string{
	"Copyright The live-notify-operator Authors.",
	"SPDX-License-Identifier: Apache-2.0",
}

const topBytes = 600

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	lacking, err := check(os.DirFS(root))
	if err != nil {
		fmt.Fprintln(os.Stderr, "headers:", err)
		os.Exit(1)
	}
	for _, name := range lacking {
		fmt.Fprintln(os.Stderr, name+": no licence header")
	}
	if len(lacking) > 0 {
		fmt.Fprintf(os.Stderr, "headers: begin these files with the two lines below, as comments\n  %s\n", strings.Join(wanted, "\n  "))
		os.Exit(1)
	}
}

// check returns the source files of a tree that lack the header.
func check(tree fs.FS) ([]string, error) {
	var lacking []string
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && skipped(entry.Name()):
			return fs.SkipDir
		case !entry.Type().IsRegular(): // a directory, or a link to a file that is checked itself
			return nil
		}
		top, err := readTop(tree, name)
		if err != nil {
			return err
		}
		if isSource(name, top) && slices.ContainsFunc(wanted, func(line string) bool { return !bytes.Contains(top, []byte(line)) }) {
			lacking = append(lacking, name)
		}
		return nil
	})
	return lacking, err
}

// skipped says which directories hold nothing that is written by hand.
func skipped(dir string) bool {
	return slices.Contains([]string{".git", ".demo", "bin", "dist", "testdata", "vendor", "node_modules"}, dir)
}

func isSource(name string, top []byte) bool {
	switch path.Ext(name) {
	case ".go", ".sh", ".yaml", ".yml", ".mk", ".tpl":
		return true
	}
	switch path.Base(name) {
	case "Makefile", "Dockerfile", ".dockerignore":
		return true
	}
	return bytes.HasPrefix(top, []byte("#!"))
}

func readTop(tree fs.FS, name string) ([]byte, error) {
	f, err := tree.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, topBytes))
}
