// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	operatorBinary = "bin/live-notify-operator"
	emulatorBinary = "bin/live-emulator"
	cliBinary      = "bin/kubectl-live_notify"

	accessKeyID     = "demo"
	accessKeySecret = "demo-secret"

	// startTimeout is how long a program may take until it answers.
	startTimeout = time.Minute
	// stopTimeout is how long it may take to end before it is killed.
	stopTimeout = 10 * time.Second
)

// build builds a program of this repository. It does so each time: go knows
// what there is to do.
func build(ctx context.Context, binary, pkg string) error {
	start := time.Now()
	say("building %s", binary)
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, pkg)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // killed, go leaves its work directory behind
	cmd.WaitDelay = stopTimeout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building %s: %w", binary, err)
	}
	say("built %s in %s", binary, since(start))
	return nil
}

// process is a program that runs until it is stopped.
type process struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// startProcess starts a program that writes to a log. It ends with the context;
// if it ends by itself, that ends the demo.
func startProcess(ctx context.Context, end context.CancelCauseFunc, log string, env []string, binary string, args ...string) (*process, error) {
	output, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = childAttributes()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("starting %s: %w", binary, err), output.Close())
	}
	p := &process{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		err := cmd.Wait()
		_ = output.Close()
		if ctx.Err() == nil {
			end(withLog(fmt.Errorf("%s ended by itself (%s)", filepath.Base(binary), ending(err)), log))
		}
	}()
	return p, nil
}

// status prints what the command line says is not right.
func (c *cluster) status(ctx context.Context) error {
	fmt.Println("\n$ kubectl live-notify status")
	cmd := exec.CommandContext(ctx, cliBinary, "status", "--cache-dir", kubectlCache)
	cmd.Env = append(environment(), "KUBECONFIG="+kubeconfig)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	exit, err := (*exec.ExitError)(nil), cmd.Run()
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil // something is not right: callbacks fail here, on purpose
	}
	return err
}

func ending(err error) string {
	if err == nil {
		return "without an error"
	}
	return err.Error()
}

// stop ends the program and waits until it is gone.
func (p *process) stop() {
	p.cancel()
	<-p.done
}

// emulatorProcess is the running cloud.
type emulatorProcess struct {
	*process
	url string
}

func startEmulator(ctx context.Context, end context.CancelCauseFunc, samples samples) (*emulatorProcess, error) {
	ports, err := freeAddresses(1)
	if err != nil {
		return nil, err
	}
	args := []string{"--listen", ports[0], "--qps-scale", "1", "--access-key", accessKeyID + ":" + accessKeySecret}
	args = append(args, samples.cloud().flags()...)
	p, err := startProcess(ctx, end, emulatorLog, environment(), emulatorBinary, args...)
	if err != nil {
		return nil, err
	}
	e := &emulatorProcess{process: p, url: "http://" + ports[0]}
	if err := p.awaitOK(ctx, e.url+"/_emulator/healthz", emulatorLog); err != nil {
		return nil, err
	}
	say("the emulated cloud is %s", e.url)
	return e, nil
}

// operatorProcess is the running operator.
type operatorProcess struct {
	*process
	metricsURL string
}

func startOperator(ctx context.Context, end context.CancelCauseFunc, endpoint string) (*operatorProcess, error) {
	addresses, err := freeAddresses(2)
	if err != nil {
		return nil, err
	}
	metrics, health := addresses[0], addresses[1]
	env := append(environment(),
		"KUBECONFIG="+kubeconfig,
		"ALIBABA_CLOUD_ACCESS_KEY_ID="+accessKeyID,
		"ALIBABA_CLOUD_ACCESS_KEY_SECRET="+accessKeySecret)
	p, err := startProcess(ctx, end, operatorLog, env, operatorBinary,
		"--endpoint", endpoint, "--sts-endpoint", endpoint,
		"--metrics-bind-address", metrics, "--metrics-secure=false", "--health-probe-bind-address", health)
	if err != nil {
		return nil, err
	}
	if err := p.awaitOK(ctx, "http://"+health+"/readyz", operatorLog); err != nil {
		return nil, err
	}
	say("the operator runs, with its log in %s", operatorLog)
	return &operatorProcess{process: p, metricsURL: "http://" + metrics + "/metrics"}, nil
}

// environment is what programs see of ours: nothing that configures a real
// cloud, or a cluster.
func environment() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "TZ"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// freeAddresses returns loopback addresses with ports that nobody listens on.
// Someone may take one before it is used: then the program that was to listen
// there says so.
func freeAddresses(n int) ([]string, error) {
	var addresses []string
	for range n {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, err
		}
		defer l.Close() // not before all are known, so that they differ
		addresses = append(addresses, net.JoinHostPort("127.0.0.1", strconv.Itoa(l.Addr().(*net.TCPAddr).Port)))
	}
	return addresses, nil
}

// awaitOK waits until a URL of the process answers 200. If it does not, the
// process is stopped.
func (p *process) awaitOK(ctx context.Context, url, log string) error {
	timeout := time.After(startTimeout)
	for {
		err := getOK(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			p.stop()
			return context.Cause(ctx)
		case <-timeout:
			p.stop()
			return withLog(fmt.Errorf("%s does not answer after %s: %w", url, startTimeout, err), log)
		}
	}
}

func getOK(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}
