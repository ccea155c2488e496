// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// Main is the main function of a program that drives a system: it runs until it is
// done, until someone interrupts it, or until the program that started it, such as go
// run, is gone. First it parses its flags.
func Main(name string, parse func() error, run func(ctx context.Context) error) {
	if err := parse(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(2)
	}
	ctrl.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait for anything
	ctx, end := context.WithCancelCause(ctx)
	go func() {
		for parent := os.Getppid(); os.Getppid() == parent; {
			time.Sleep(time.Second)
		}
		end(errors.New("the program that started this one is gone"))
	}()
	if err := Caught(func() { Check(run(ctx)) }); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// ended is how Check ends what Caught does.
type ended struct{ error }

// Check ends what Caught or Main does with an error, if there is one: who drives a
// system has nothing else to do about it, but for what is deferred. It is for the
// goroutine of Caught alone.
func Check(err error) {
	if err != nil {
		panic(ended{err})
	}
}

// Must returns a value, and checks the error beside it.
func Must[T any](value T, err error) T {
	Check(err)
	return value
}

// Caught does something, and returns the error that a Check ended it with.
func Caught(do func()) (err error) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case ended:
			err = cause.error
		default:
			panic(cause)
		}
	}()
	do()
	return nil
}

// Say tells what goes on, beside the output.
func Say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// Pause waits, at most until the end.
func Pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// Hang is an endpoint that never answers.
func Hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// WriteJSON writes figures to a file, if it has a name.
func WriteJSON(path string, figures any) error {
	if path == "" {
		return nil
	}
	raw, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}
