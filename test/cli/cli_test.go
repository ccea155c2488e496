// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/test/programs"
)

const (
	// largest is how many bytes the program may have.
	largest = 60 << 20
	// What packages may allocate before main begins, which every call pays. It was
	// about a third of it when this was written: a library that compiles patterns or
	// builds tables at the start shows here, on a slow machine as on a fast one.
	mostBytes, mostAllocations = 15 << 20, 120_000
)

var dir string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if dir, err = os.MkdirTemp("", "cli-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	return m.Run()
}

// built is the command line, as it is released.
var built = sync.OnceValues(func() (string, error) { return programs.CommandLine(context.Background(), "../..", dir) })

func program(t testing.TB) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSize(t *testing.T) {
	info, err := os.Stat(program(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.1f MiB", float64(info.Size())/(1<<20))
	if info.Size() > largest {
		t.Errorf("it has %d bytes, and may have %d", info.Size(), largest)
	}
}

// version asks nobody, and reads nothing: neither the cluster nor the cloud that it is
// told of, and no kubeconfig.
func TestVersionAsksNobody(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int32
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return // closed
			}
			calls.Add(1)
			_ = c.Close()
		}
	}()
	// One that is read is no kubeconfig, and would be an error.
	broken := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(broken, []byte("\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	for _, args := range [][]string{{"version"}, {"version", "-o", "json"}, {"plan", "--help"}, {"completion", "bash"}} {
		args = append(args, "--server", "http://"+listener.Addr().String(), "--endpoint", "http://"+listener.Addr().String(), "--account", "a")
		cmd := exec.CommandContext(t.Context(), program(t), args...)
		cmd.Env = []string{"KUBECONFIG=" + broken, "HOME=" + home, "HTTPS_PROXY=http://" + listener.Addr().String(), "HTTP_PROXY=http://" + listener.Addr().String()}
		if out, err := cmd.CombinedOutput(); err != nil || len(out) == 0 {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
	_ = listener.Close()
	if n := calls.Load(); n > 0 {
		t.Errorf("it made %d calls", n)
	}
	if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
		t.Errorf("it left %v at home (%v)", left, err)
	}
}

var initTrace = regexp.MustCompile(`(?m)^init \S+ @.* (\d+) bytes, (\d+) allocs$`)

// What is done before main begins is bounded. It is counted and not timed: BenchmarkVersion
// has the time.
func TestStart(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), program(t), "version")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	inits := initTrace.FindAllStringSubmatch(trace.String(), -1)
	var size, allocations, largest int
	var by string
	for _, one := range inits {
		n, _ := strconv.Atoi(one[1])
		m, _ := strconv.Atoi(one[2])
		size, allocations = size+n, allocations+m
		if n > largest {
			largest, by = n, strings.Fields(one[0])[1]
		}
	}
	t.Logf("%d packages, %d bytes, %d allocations; most of them %s", len(inits), size, allocations, by)
	if len(inits) < 20 {
		t.Fatalf("the trace has %d packages:\n%s", len(inits), trace.String())
	}
	if size > mostBytes || allocations > mostAllocations {
		t.Errorf("%d bytes in %d allocations before main begins, and %d in %d may be: most by %s", size, allocations, mostBytes, mostAllocations, by)
	}
}

// BenchmarkVersion is a call of version, from the start of the program to its end, and
// the time that it was at work, which hardly depends on what else the machine does.
func BenchmarkVersion(b *testing.B) {
	path := program(b)
	work := time.Duration(0)
	for b.Loop() {
		cmd := exec.CommandContext(b.Context(), path, "version")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		work += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	b.ReportMetric(float64(work.Milliseconds())/float64(b.N), "ms-at-work/op")
}
