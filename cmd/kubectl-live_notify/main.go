// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command kubectl-live_notify is the command line of live-notify: it shows what the
// operator would do, brings in what is there, and gets back what was missed. As a
// plugin it is called "kubectl live-notify".
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	"golang.org/x/term"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // the ways to log in to a cluster
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who cannot wait for a clean end interrupts again
	// A reader that went away, as of a pipe to head, must not end a replay in the
	// middle: writing to it fails instead.
	signal.Ignore(syscall.SIGPIPE)
	// What the libraries log may hold what someone else said.
	klog.SetLogger(logr.Discard())
	ctrl.SetLogger(logr.Discard())
	a := newApp(calledAs(os.Args[0]), os.Stdin, os.Stdout, os.Stderr)
	a.isTerminal = func(stream any) bool {
		f, ok := stream.(*os.File)
		return ok && term.IsTerminal(int(f.Fd()))
	}
	code := a.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// calledAs returns how help names the program: as a plugin of kubectl, or as itself.
func calledAs(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), ".exe")
	if plugin, ok := strings.CutPrefix(name, "kubectl-"); ok {
		return "kubectl " + strings.ReplaceAll(plugin, "_", "-")
	}
	return name
}

// newApp returns the program, as it is called by a name, without a terminal.
func newApp(name string, in io.Reader, out, errOut io.Writer) *app {
	return &app{name: name, in: in, out: out, err: errOut, isTerminal: func(any) bool { return false }, sleep: quota.Sleep}
}
