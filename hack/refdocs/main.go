// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command refdocs writes the pages of docs/reference that the code can say best
// itself: metrics, RAM policies, error codes and flags. "make generate" runs it. Each
// page is a template beside this file, with the name of the page.
package main

import (
	"embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"github.com/live-notify/live-notify-operator/internal/flags"
)

//go:embed *.tpl
var templates embed.FS

// pages are the pages, and what fills their templates.
var pages = map[string]func() (any, error){
	"metrics.md":      metrics,
	"ram-policies.md": policies,
	"errors.md":       errorCodes,
	"flags.md":        programFlags,
	"cli-schema.json": cliSchema,
}

func main() {
	out := flag.String("out", ".", "directory to write docs/reference into")
	if err := flags.Parse(flag.CommandLine, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "refdocs:", err)
		os.Exit(1)
	}
	if err := write(filepath.Join(*out, "docs", "reference")); err != nil {
		fmt.Fprintln(os.Stderr, "refdocs:", err)
		os.Exit(1)
	}
}

// write writes all pages.
func write(dir string) error {
	all, err := template.ParseFS(templates, "*.tpl")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, page := range pages {
		data, err := page()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		file, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if err := all.ExecuteTemplate(file, name+".tpl", data); err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}
