// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command refdocs writes the pages of docs/reference that the code can say best
// itself: metrics, RAM policies, error codes and flags. "make generate" runs it. Each
// page is a template beside this file, with the name of the page.
package main

import (
	"bytes"
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
	err := flags.Parse(flag.CommandLine, os.Args[1:])
	if err == nil {
		err = write(filepath.Join(*out, "docs", "reference"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "refdocs:", err)
		os.Exit(1)
	}
}

// write writes all pages.
func write(dir string) error {
	all, err := template.New("").Option("missingkey=error").ParseFS(templates, "*.tpl")
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
		var text bytes.Buffer
		if err := all.ExecuteTemplate(&text, name+".tpl", data); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}
