// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command demo shows the operator at work on a machine that has nothing but Go,
// make and git: a real API server, an emulated cloud with traffic, a receiver
// that fails now and then, and a table of what the operator reports about it.
//
//	go run ./hack/demo          # until Ctrl-C
//	go run ./hack/demo -once    # until the samples are in sync and failures are counted
//	go run ./hack/demo -scene guard     # a change that fails is undone
//	go run ./hack/demo -scene rollout   # a change in steps, of which one fails
//
// All of it listens on loopback only and ends with the program. Logs are left in
// .demo/.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/live-notify/live-notify-operator/internal/flags"
	"github.com/live-notify/live-notify-operator/test/controlplane"
)

const (
	samplesDir = "config/samples"
	crdDir     = "config/crd/bases"
	// onceTimeout is how long -once waits, once everything runs.
	onceTimeout = 3 * time.Minute
)

func main() {
	runInPlace() // does not return if this process is to become a part of the control plane
	once := flag.Bool("once", false, "end as soon as all samples are ready and failed callbacks are counted")
	name := flag.String("scene", "", "play one thing to its end instead: guard or rollout")
	if err := flags.Parse(flag.CommandLine, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	ctrl.SetLogger(logr.Discard())

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, func() {
		stop()        // a second Ctrl-C does not wait for anything
		fmt.Println() // after the ^C that the terminal shows
	})
	err := start(ctx, *name, *once)
	switch {
	case ctx.Err() != nil && (*once || *name != ""):
		say("interrupted")
		os.Exit(1)
	case ctx.Err() != nil:
		say("everything is stopped; logs are in %s/", stateDir)
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// start runs the demo, or plays a scene.
func start(ctx context.Context, scene string, once bool) error {
	if scene != "" {
		return play(ctx, scene)
	}
	return run(ctx, once)
}

// run is the demo, step by step. Whatever it starts is stopped when it returns,
// last things first.
func run(ctx context.Context, once bool) error {
	start := time.Now()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	go endWithParent(end)

	unlock, err := enterStateDir()
	if err != nil {
		return err
	}
	defer unlock()
	samples, err := readSamples(samplesDir)
	if err != nil {
		return err
	}

	assets, err := controlplane.Assets(ctx, os.Stderr)
	if err != nil {
		return err
	}
	if err := errors.Join(build(ctx, operatorBinary, "."), build(ctx, emulatorBinary, "./cmd/live-emulator"), build(ctx, cliBinary, "./cmd/kubectl-live_notify")); err != nil {
		return err
	}

	cluster, err := startCluster(assets)
	if err != nil {
		return err
	}
	defer cluster.stop()
	receiver, err := startReceiver(ctx)
	if err != nil {
		return err
	}
	defer receiver.stop()
	emulator, err := startEmulator(ctx, end, samples)
	if err != nil {
		return err
	}
	defer emulator.stop()
	operator, err := startOperator(ctx, end, emulator.url)
	if err != nil {
		return err
	}
	defer operator.stop()

	go sendTraffic(ctx, emulator.url, samples.cloud())
	if err := applySamples(ctx, cluster, samples, receiver.host(), emulator.url); err != nil {
		return err
	}
	say("everything runs after %s", since(start))

	f := follower{cluster: cluster, receiver: receiver, screen: newScreen(os.Stdout)}
	if !once {
		fmt.Println(hints(cluster, emulator.url, operator.metricsURL, samples))
		return f.follow(ctx)
	}
	return f.once(ctx, samples, start)
}

// once waits until all is ready and counted.
func (f follower) once(ctx context.Context, s samples, start time.Time) error {
	if err := f.followUntilCounted(ctx, s, onceTimeout); err != nil {
		return withLog(err, operatorLog)
	}
	if err := f.cluster.status(ctx); err != nil {
		return err
	}
	say("all samples are ready and their failed callbacks are counted, after %s in all", since(start))
	return nil
}

// endWithParent ends the demo when the program that started it, such as go run,
// is gone: nobody is there any more to press Ctrl-C.
func endWithParent(end context.CancelCauseFunc) {
	for parent := os.Getppid(); os.Getppid() == parent; {
		time.Sleep(time.Second)
	}
	end(errors.New("the program that started the demo is gone"))
}

// say prints a line about what is going on.
func say(format string, args ...any) {
	fmt.Printf("==> "+format+"\n", args...)
}

func since(start time.Time) time.Duration {
	return time.Since(start).Round(100 * time.Millisecond)
}
