// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package docs runs the commands that pages of the documentation show, so that what
// a page says is what happens. A comment on the line before a fenced block marks it;
// nobody who reads the page sees the comment:
//
//	<!-- run -->              the block is run, by bash
//	<!-- shown -->            each line of the block is in the output of the last one;
//	                          "..." in it stands for anything, blanks for any blanks
//	<!-- run: COMMAND -->     a command that readers do not need is run
//
// All blocks of a page are one session: variables, functions and jobs stay. The first
// command that fails ends it.
package docs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// Block is what is run of a page, and what has to come of it.
type Block struct {
	Line  int // of the page, where it begins
	Text  string
	Shown []string
}

var (
	marked = regexp.MustCompile(`^\s*<!-- (run|shown)(?:: (.*\S))? -->\s*$`)
	fence  = regexp.MustCompile("^(\\s*)```")
)

// Blocks returns what is marked in a page.
func Blocks(page string) ([]Block, error) {
	var blocks []Block
	lines := strings.Split(page, "\n")
	for n := 0; n < len(lines); n++ {
		m := marked.FindStringSubmatch(lines[n])
		switch {
		case m == nil:
			continue
		case m[2] != "" && m[1] == "run":
			blocks = append(blocks, Block{Line: n + 1, Text: m[2]})
			continue
		case m[2] != "":
			return nil, fmt.Errorf("line %d: nothing stands beside shown", n+1)
		}
		text, end, err := fenced(lines, n+1)
		if err != nil {
			return nil, err
		}
		switch {
		case m[1] == "run":
			blocks = append(blocks, Block{Line: n + 2, Text: strings.Join(text, "\n")})
		case len(blocks) == 0:
			return nil, fmt.Errorf("line %d: nothing was run whose output this could be", n+1)
		default:
			last := &blocks[len(blocks)-1]
			last.Shown = append(last.Shown, text...)
		}
		n = end
	}
	return blocks, nil
}

// fenced returns the lines of the fenced block that begins at a line, without its
// indent, and the number of its last line.
func fenced(lines []string, start int) (text []string, end int, err error) {
	if start >= len(lines) || !fence.MatchString(lines[start]) {
		return nil, 0, fmt.Errorf("line %d: the mark is not on the line before a fenced block", start)
	}
	indent := fence.FindStringSubmatch(lines[start])[1]
	for end = start + 1; end < len(lines); end++ {
		if fence.MatchString(lines[end]) {
			return text, end, nil
		}
		text = append(text, strings.TrimPrefix(lines[end], indent))
	}
	return nil, 0, fmt.Errorf("line %d: the fenced block has no end", start+1)
}

// mark separates the output of the blocks.
const mark = "\x1eblock"

// Run runs the blocks in a directory, with an environment, and returns what they
// printed, to stdout or to stderr. An error says which line of the page it is about.
func Run(ctx context.Context, dir string, environ []string, blocks []Block) (output string, err error) {
	var script strings.Builder
	script.WriteString("set -euo pipefail\n")
	for n, b := range blocks {
		fmt.Fprintf(&script, "printf '\\n%s %d\\n'\n%s\n", mark, n, b.Text)
	}
	path, log := filepath.Join(dir, ".page.sh"), filepath.Join(dir, ".page.out")
	if err := os.WriteFile(path, []byte(script.String()), 0o600); err != nil {
		return "", err
	}
	out, err := os.Create(log) // and no pipe, which a job that stays would keep open
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, out.Close(), os.Remove(log), os.Remove(path)) }()
	cmd := exec.CommandContext(ctx, "bash", path)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, environ, out, out
	// Whatever the page leaves running ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	failed := cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // of which there may be none
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return "", err
	}
	return string(text), judge(string(text), blocks, failed)
}

// judge compares the output with what the page shows.
func judge(output string, blocks []Block, failed error) error {
	parts := strings.Split(output, "\n"+mark)[1:]
	for n, part := range parts {
		_, part, _ = strings.Cut(part, "\n")
		if failed != nil && n == len(parts)-1 {
			return fmt.Errorf("line %d: %w\n%s", blocks[n].Line, failed, part)
		}
		for _, line := range blocks[n].Shown {
			if !shows(part, line) {
				return fmt.Errorf("line %d: the page shows %q, and the output is\n%s", blocks[n].Line, line, part)
			}
		}
	}
	if failed != nil {
		return failed
	}
	return nil
}

// shows tells whether a line is part of one of an output.
func shows(output, line string) bool {
	var parts []string
	for part := range strings.SplitSeq(strings.Join(strings.Fields(line), " "), "...") {
		parts = append(parts, regexp.QuoteMeta(part))
	}
	pattern := regexp.MustCompile(strings.Join(parts, ".*"))
	for have := range strings.SplitSeq(output, "\n") {
		if pattern.MatchString(strings.Join(strings.Fields(have), " ")) {
			return true
		}
	}
	return false
}
