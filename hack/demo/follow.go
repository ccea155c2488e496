// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/live-notify/live-notify-operator/test/system"
)

const (
	refreshInterval = time.Second
	// answerTimeout is how long the API server has for an answer: without its etcd
	// it takes a minute to say so.
	answerTimeout = 5 * time.Second
	// apiPatience is for how long it may fail to answer.
	apiPatience = 10 * time.Second
)

// command is a program that sees what the demo runs, and nothing else of a cluster.
func command(ctx context.Context, s *system.System, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = s.Environment()
	return cmd
}

func kubectl(ctx context.Context, s *system.System, args ...string) *exec.Cmd {
	return command(ctx, s, filepath.Join(s.Assets, "kubectl"), args...)
}

// columns has those of the table, as kubectl takes them.
const columns = "hack/demo/columns.txt"

// table shows the objects of all kinds, as kubectl does.
func table(ctx context.Context, s *system.System) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	out, err := kubectl(ctx, s, "get", "live", "-o", "custom-columns-file="+columns).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("kubectl get live: %w: %s", err, out)
	}
	return strings.ReplaceAll(string(out), "<none>", "-     "), nil
}

// counted waits until all objects are ready and failed callbacks are counted.
func counted(ctx context.Context, s *system.System) error {
	var counting []string
	for _, k := range system.Kinds {
		if k.Records != "" {
			counting = append(counting, k.Name)
		}
	}
	for _, what := range [][]string{
		{"live", "--for=condition=Ready"},
		{strings.Join(counting, ","), "--for=jsonpath={.status.callbacks.lastFailure}"},
	} {
		if out, err := kubectl(ctx, s, append([]string{"wait", "--all", "--timeout", onceTimeout.String()}, what...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("not every sample is ready with its failed callbacks counted:\n%s", out)
		}
	}
	return nil
}

// follow shows a text as it changes, until it is done or the context ends.
func follow(ctx context.Context, s *system.System, look func(context.Context) (text string, done bool, err error), footer func() string) {
	out := screen{out: os.Stdout, terminal: term.IsTerminal(int(os.Stdout.Fd()))}
	for answered := time.Now(); ; system.Pause(ctx, refreshInterval) {
		text, done, err := look(ctx)
		system.Check(context.Cause(ctx))
		system.Check(s.Alive())
		if err == nil {
			answered = time.Now()
			out.show(text, footer()+"Ctrl-C ends the demo.")
			if done {
				return
			}
		} else if time.Since(answered) > apiPatience {
			system.Check(fmt.Errorf("the API server does not answer any more: %w", err))
		}
	}
}

// screen shows a text that changes: in place on a terminal, else one after the
// other.
type screen struct {
	out      io.Writer
	terminal bool
	shown    string
}

// Terminal sequences: up so many lines; clear from here on; lines that are too
// long wrap, or are cut off, which keeps the count of lines right.
const (
	goUp   = "\x1b[%dA"
	erase  = "\x1b[J"
	wrap   = "\x1b[?7h"
	cutOff = "\x1b[?7l"
)

// show shows the table, and on a terminal the footer, which changes all the
// time.
func (s *screen) show(table, footer string) {
	text := table
	if s.terminal {
		text += "\n" + footer + "\n"
	}
	if text == s.shown {
		return
	}
	switch {
	case !s.terminal:
		fmt.Fprint(s.out, "\n", text)
	case s.shown == "":
		fmt.Fprint(s.out, "\n", cutOff, text, wrap)
	default:
		fmt.Fprintf(s.out, goUp+erase+cutOff+"%s"+wrap, strings.Count(s.shown, "\n"), text)
	}
	s.shown = text
}
