// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// program returns a call of the program as one of its own, which a signal can meet.
func (w *world) program(args ...string) (cmd *exec.Cmd, out, errOut *bytes.Buffer) {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	args = append(args, "--endpoint", w.url, "-n", w.namespace, "--quota-share-percent", "100000", "--cache-dir", filepath.Join(w.t.TempDir(), "cache"))
	cmd = exec.CommandContext(w.t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "XDG_STATE_HOME="+w.t.TempDir())
	out, errOut = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, errOut
	return cmd, out, errOut
}

// code returns the exit code of a program that has ended; -1 if a signal ended it.
func code(err error) int {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode()
	}
	if err != nil {
		return -2
	}
	return 0
}

// SIGINT and SIGTERM end the program in the middle of a call that has no answer.
func TestSignals(t *testing.T) {
	for name, tc := range map[string]struct {
		args   string
		signal os.Signal
		hang   func(w *world, o *callOptions) <-chan struct{}
		says   string
	}{
		"plan, the cloud hangs": {
			"plan lnc/push", os.Interrupt,
			func(w *world, _ *callOptions) <-chan struct{} { return w.hangingCloud() }, "Interrupted.",
		},
		"suspend, the API server hangs": {
			"suspend lnc/push --yes", os.Interrupt,
			func(w *world, o *callOptions) <-chan struct{} { return w.hangingCluster(o) }, "0 of 1 were suspended.",
		},
		"replay, the receiver hangs": {
			"replay lnc/push --yes", syscall.SIGTERM,
			func(w *world, _ *callOptions) <-chan struct{} { return w.receiver.hangs() }, "Run the same again to go on.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			w.stream("push.example.com")
			w.missed()
			args := strings.Fields(tc.args)
			o := callOptions{verb: args[0]}
			reached := tc.hang(w, &o)
			cmd, out, errOut := w.program(append(append(args, "-o", "json"), o.more...)...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-reached
			if err := cmd.Process.Signal(tc.signal); err != nil {
				t.Fatal(err)
			}
			got := answer{code(cmd.Wait()), out.String(), errOut.String()}
			got.want(t, exitInterrupted, tc.says)
			if got.out != "" && !json.Valid([]byte(got.out)) {
				t.Errorf("the output is no JSON:\n%s", got.out)
			}
			w.searched(args, got)
		})
	}
}

// What reads a file or a terminal that says nothing is interrupted as well.
func TestSignalWhileReading(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for _, args := range [][]string{{"plan", "-f", "-"}, {"replay", "-f", "-"}} {
		t.Run(args[0], func(t *testing.T) {
			cmd, out, errOut := w.program(args...)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// More than a pipe holds: it is being read once all of it is written.
			comment := "# " + strings.Repeat("x", 64) + "\n"
			if args[0] != "plan" {
				comment = "\n"
			}
			if _, err := io.Copy(in, strings.NewReader(strings.Repeat(comment, 1<<18/len(comment)))); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			answer{code(cmd.Wait()), out.String(), errOut.String()}.want(t, exitInterrupted, "Interrupted.")
		})
	}
}

// A reader that went away, and a disk that is full, are 3, and not the death of the
// program.
func TestStdoutOfAProgram(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	for _, args := range []string{"version", "completion bash", "import", "plan lnc/push --show-in-sync -o json"} {
		t.Run(args, func(t *testing.T) {
			cmd, _, errOut := w.program(strings.Fields(args)...)
			r, gone, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Close()
			cmd.Stdout = gone
			err = cmd.Run()
			_ = gone.Close()
			answer{code(err), "", errOut.String()}.want(t, exitUnknown, "could not be written")

			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				return // there is none here
			}
			defer full.Close()
			cmd, _, errOut = w.program(strings.Fields(args)...)
			cmd.Stdout = full
			answer{code(cmd.Run()), "", errOut.String()}.want(t, exitUnknown, "could not be written")
		})
	}
}

// Of a stdout that is closed from the start the Go runtime makes /dev/null, which others
// give on purpose: the code is that of the answer, and nothing that is opened later gets
// what is printed.
func TestStdoutClosedFromTheStart(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	for args, want := range map[string]int{"version": exitYes, "completion bash": exitYes, "import --kind lnc": exitYes, "import --app-id nosuch": exitNo} {
		t.Run(args, func(t *testing.T) {
			cmd, out, errOut := w.program(strings.Fields(args)...)
			shell := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `exec "$0" "$@" >&-`}, cmd.Args...)...)
			shell.Env, shell.Stdout, shell.Stderr = cmd.Env, out, errOut
			answer{code(shell.Run()), out.String(), errOut.String()}.want(t, want)
		})
	}
}
