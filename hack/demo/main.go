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
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/flags"
	"github.com/live-notify/live-notify-operator/test/programs"
	"github.com/live-notify/live-notify-operator/test/system"
)

const (
	samplesDir = "config/samples"
	// stateDir holds what the demo leaves for people to look at.
	stateDir    = ".demo"
	appliedFile = stateDir + "/samples.yaml"
	programsDir = "bin"
	// onceTimeout is how long -once waits, once everything runs.
	onceTimeout = 3 * time.Minute
)

// accessKey is that of the operator.
var accessKey = emulator.AccessKey{ID: "demo", Secret: "demo-secret"}

func main() {
	once := flag.Bool("once", false, "end as soon as all samples are ready and failed callbacks are counted")
	scene := flag.String("scene", "", "play one thing to its end instead: guard or rollout")
	parse := func() error { return flags.Parse(flag.CommandLine, os.Args[1:]) }
	system.Main("demo", parse, func(ctx context.Context) error {
		context.AfterFunc(ctx, func() { fmt.Println() }) // after the ^C that the terminal shows
		if *scene != "" {
			return play(ctx, *scene)
		}
		err := system.Caught(func() { system.Check(run(ctx, *once)) })
		if ctx.Err() == nil || *once {
			return err
		}
		say("everything is stopped; logs are in %s/", stateDir)
		return nil
	})
}

// start starts all but the operator.
func start(ctx context.Context, keys []emulator.AccessKey) *system.System {
	enterStateDir()
	say("building the operator, and starting kube-apiserver and etcd")
	keys = append([]emulator.AccessKey{accessKey}, keys...)
	return system.Must(system.StartIn(ctx, stateDir, emulator.Options{AccessKeys: keys, QPSScale: 1}))
}

// run is the demo. Whatever it starts is stopped when it returns, last things first.
func run(ctx context.Context, once bool) error {
	begin := time.Now()
	samples := readSamples(samplesDir)
	s := start(ctx, samples.accessKeys())
	return errors.Join(system.Caught(func() { show(ctx, s, samples, once, begin) }), s.Stop())
}

// show is the demo, step by step, once the cluster runs.
func show(ctx context.Context, s *system.System, samples samples, once bool, begin time.Time) {
	cli := system.Must(programs.CommandLine(ctx, ".", programsDir))
	samples.exist(s.Cloud)
	say("the emulated cloud is %s", s.URL)
	r := &receiver{}
	server := httptest.NewServer(r)
	defer server.Close()
	say("the receiver of callbacks is %s; it answers 500 to every %dth request of each path", server.URL, failEvery)
	system.Check(s.StartOperator(ctx, "--leader-elect", "--leader-elect-namespace", metav1.NamespaceDefault)) // as the chart has it
	say("the operator runs; all logs are in %s/", stateDir)
	go send(ctx, s.Cloud, samples.targets())
	samples.apply(ctx, s, server.Listener.Addr().String())
	say("everything runs after %s", since(begin))
	ended := make(chan error, 1)
	if once {
		go func() { ended <- counted(ctx, s) }()
	} else {
		fmt.Println(hints(s, samples))
	}
	follow(ctx, s, func(ctx context.Context) (string, bool, error) {
		text, err := table(ctx, s)
		return text, len(ended) > 0, err
	}, r.summary)
	system.Check(errors.Join(<-ended, status(ctx, s, cli)))
	say("all samples are ready and their failed callbacks are counted, after %s in all", since(begin))
}

// enterStateDir empties the state directory, and keeps other demos out of it as long
// as this process lives.
func enterStateDir() {
	system.Check(os.MkdirAll(stateDir, 0o755))
	dir := system.Must(syscall.Open(stateDir, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)) // which nobody closes
	err := syscall.Flock(dir, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("another demo runs in this checkout (it holds %s): end that one first", stateDir)
	}
	system.Check(err)
	for _, entry := range system.Must(os.ReadDir(stateDir)) {
		system.Check(os.RemoveAll(filepath.Join(stateDir, entry.Name())))
	}
}

// status prints what the command line says is not right.
func status(ctx context.Context, s *system.System, cli string) error {
	fmt.Println("\n$ kubectl live-notify status")
	cmd := command(ctx, s, cli, "status")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	exit, err := (*exec.ExitError)(nil), cmd.Run()
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil // something is not right: callbacks fail here, on purpose
	}
	return err
}

// say prints a line about what is going on.
func say(format string, args ...any) {
	fmt.Printf("==> "+format+"\n", args...)
}

func since(start time.Time) time.Duration {
	return time.Since(start).Round(100 * time.Millisecond)
}
