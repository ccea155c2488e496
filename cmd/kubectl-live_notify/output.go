// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/yaml"

	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/report"
)

// view is how the items of a report look in a table.
type view[I any] struct {
	head, wide []string         // columns, and those that wide adds
	row        func(I) []string // all of them
	below      func(I) []string // lines under the row, fit for a terminal
	bare       bool             // without the head
	name       func(I) string   // for -o name; "" for an item that has none
}

// errOutput tells that the output could not be written: who reads it has gone away.
var errOutput = errors.New("the output could not be written")

// show prints a report in the format that was asked for. Warnings and errors go to
// stderr as well, unless the format has them.
func show[S, I any](a *app, r *report.Report[S, I], v view[I]) error {
	w := bufio.NewWriter(a.out)
	err := write(w, a.output, r, v)
	if flushed := w.Flush(); err == nil {
		err = flushed
	}
	a.tell(r.Warnings, r.Errors)
	if err != nil {
		return errOutput
	}
	return nil
}

// tell tells of the warnings and the errors of a report.
func (a *app) tell(warnings []string, problems []report.Problem) {
	for _, warning := range warnings {
		fmt.Fprintln(a.err, "Warning:", warning)
	}
	for _, p := range problems {
		fmt.Fprintf(a.err, "Error: %s: %s: %s\n", p.Object, p.Reason, p.Message)
	}
}

func write[S, I any](w io.Writer, format string, r *report.Report[S, I], v view[I]) error {
	switch format {
	case "json":
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(r)
	case "yaml":
		text, err := yaml.Marshal(r)
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	case "jsonl":
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		for _, i := range r.Items {
			if err := e.Encode(i); err != nil {
				return err
			}
		}
		return nil
	case "name":
		for _, i := range r.Items {
			name := oneLine(v.name(i))
			if name == "" {
				continue
			}
			if _, err := fmt.Fprintln(w, name); err != nil {
				return err
			}
		}
		return nil
	default:
		return table(w, format == "wide", r.Items, v)
	}
}

func table[I any](w io.Writer, wide bool, items []I, v view[I]) error {
	if len(items) == 0 {
		return nil
	}
	t := printers.GetNewTabWriter(w)
	head := v.head
	if wide {
		head = append(append([]string{}, v.head...), v.wide...)
	}
	if !v.bare {
		fmt.Fprintln(t, strings.Join(head, "\t"))
	}
	for _, i := range items {
		row := v.row(i)
		for c := range head {
			row[c] = fitted(row[c], head[c], c == len(head)-1)
		}
		fmt.Fprintln(t, strings.Join(row[:len(head)], "\t"))
		if v.below == nil {
			continue
		}
		for _, line := range v.below(i) {
			fmt.Fprintln(t, "    "+line)
		}
	}
	return t.Flush()
}

const (
	// maxCell bounds a cell, in bytes, and maxLast that of the last column, behind which
	// nothing has to stand in line.
	maxCell = 100
	maxLast = 300
)

// whole are columns that people copy: they are not cut.
var whole = []string{"OBJECT", "KEY", "NAME", "SECRET", "DELIVERY"}

// fitted returns a value as a cell of a column, which a long one would push out of line.
// All of it is in JSON and YAML.
func fitted(value, column string, last bool) string {
	value = oneLine(value)
	switch {
	case slices.Contains(whole, column):
		return value
	case last:
		return live.Bound(value, maxLast)
	default:
		return live.Bound(value, maxCell)
	}
}

// oneLine keeps a value from breaking a table, or a terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

// orDash shows that a value is empty.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// slow is from when on work has a progress bar.
const slow = 2 * time.Second

// progress returns what is to be told of each of n steps, and of the end.
func (a *app) progress(n int, what string) (step, done func()) {
	if !a.isTerminal(a.err) {
		return func() {}, func() {}
	}
	var mu sync.Mutex
	var bar *progressbar.ProgressBar
	start, steps := time.Now(), 0
	step = func() {
		mu.Lock()
		defer mu.Unlock()
		steps++
		if bar == nil && time.Since(start) > slow {
			bar = progressbar.NewOptions(n, progressbar.OptionSetWriter(a.err), progressbar.OptionSetDescription(what),
				progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionEnableColorCodes(a.colour(a.err)))
		}
		if bar != nil {
			_ = bar.Set(steps) // a bar that cannot be drawn is no failure
		}
	}
	return step, func() {
		mu.Lock()
		defer mu.Unlock()
		if bar != nil {
			_ = bar.Finish()
		}
	}
}

// consent is how what writes or sends is agreed to.
type consent struct {
	dryRun, yes bool
}

// flags adds --dry-run, with what it does, and --yes.
func (c *consent) flags(cmd *cobra.Command, dryRun string) {
	dryRunFlag(cmd, &c.dryRun, dryRun)
	cmd.Flags().BoolVar(&c.yes, "yes", false, "Do not ask.")
}

// dryRunFlag adds --dry-run, with what it does.
func dryRunFlag(cmd *cobra.Command, value *bool, does string) {
	cmd.Flags().BoolVar(value, "dry-run", false, does)
}

// confirm asks whether to go on. Without a terminal nobody can answer.
func (a *app) confirm(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	line, err := a.ask(ctx, question+" [y/N]")
	if err != nil {
		return err
	}
	if s := strings.ToLower(line); s != "y" && s != "yes" {
		fmt.Fprintln(a.err, "Nothing was done.")
		return errNo
	}
	return nil
}

// errNoTerminal is for what has to be confirmed, where nobody can.
func errNoTerminal() error {
	return usage("this needs a confirmation, and there is no terminal: give --yes, or see it with --dry-run. Nothing was done")
}

// ask reads one line from the terminal.
func (a *app) ask(ctx context.Context, question string) (string, error) {
	if !a.isTerminal(a.in) {
		return "", errNoTerminal()
	}
	fmt.Fprint(a.err, question+" ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.in).ReadString('\n') // no answer is no
		answer <- strings.TrimSpace(line)
	}()
	select {
	case line := <-answer:
		return line, nil
	case <-ctx.Done():
		fmt.Fprintln(a.err, "\nNothing was done.")
		return "", ctx.Err()
	}
}
