// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/test/programs"
	"github.com/live-notify/live-notify-operator/test/system"
)

// imports is the namespace of what the command line imports.
const imports = "imports"

// missed is how many callbacks the receiver missed.
const missed = 10_000

// commandLine is the program, as a person runs it.
type commandLine struct {
	*bench
	program, dir string
}

// commands measures what the command line takes to bring in an account with as many
// ingest as streaming domains, and to deliver what a receiver missed.
func commands(ctx context.Context, s *bench, all []member) {
	dir := system.Must(os.MkdirTemp("", "bench-"))
	defer func() { _ = os.RemoveAll(dir) }()
	c := &commandLine{s, system.Must(programs.CommandLine(ctx, ".", dir)), dir}
	system.Check(s.API.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: imports}}))
	started := time.Now()
	c.run(ctx, "version")
	figure("version (100 ms)", "%d ms", time.Since(started).Milliseconds())
	c.imports(ctx, all)
	c.replays(ctx)
}

// imports brings in all that there is, and hands it to the operator.
func (c *commandLine) imports(ctx context.Context, all []member) {
	for i, m := range all {
		key := fmt.Sprintf("%032d", i)
		play := "play-" + m.key()
		c.Cloud.AddDomain("", m.key(), emulator.IngestDomain)
		c.Cloud.AddDomain("", play, emulator.StreamingDomain)
		c.Cloud.SetStreamConfig(m.key(), emulator.StreamConfig{NotifyURL: hook + m.key(), Auth: true, AuthKey: key})
		c.Cloud.SetRecordConfig(play, emulator.RecordConfig{NotifyURL: hook + play, Auth: true, AuthKey: key})
	}
	observed, again, managed := filepath.Join(c.dir, "observed"), filepath.Join(c.dir, "again"), filepath.Join(c.dir, "managed")
	log, start := c.follow(), time.Now()
	ended := c.run(ctx, "import", "--output-dir", observed, "--keys-to-cluster", "--yes")
	took := time.Since(start)
	calls := map[string]int{}
	for _, call := range log.since() {
		calls[call.Action]++
	}
	bound := 0.
	for _, op := range live.Operations() {
		bound = max(bound, float64(calls[op.Action])/op.Limit)
	}
	figure(fmt.Sprintf("import of %d domains / bound of the limits (1.1)", 2*len(all)), "%.1f s / %.1f s = %.3f", took.Seconds(), bound, took.Seconds()/bound)
	figure("throttled replies (0)", "%d", log.throttledReplies)
	figure("memory of import, at most (150 MiB)", "%.0f MiB", float64(ended.Maxrss)/1024)
	c.run(ctx, "import", "--output-dir", again)
	c.run(ctx, "import", "--output-dir", managed, "--management-policy", "Manage")
	figure("files that differ when it is done again (0)", "%d", differing(observed, again))
	c.run(ctx, "plan", "-f", observed) // fails if anything would change
	system.Check(c.startOperator(ctx))
	c.apply(ctx, observed)
	c.await(ctx, 2*len(all))
	c.apply(ctx, managed)
	start = time.Now()
	c.readBack(ctx)
	figure(fmt.Sprintf("in sync once managed, with %d reads for each kind", len(all)), "%.0f s", time.Since(start).Seconds())
	figure("writes to the cloud when it is observed, then managed (0)", "%d", log.count(isWrite))
}

// replays delivers what a receiver missed.
func (c *commandLine) replays(ctx context.Context) {
	var got atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got.Add(1) }))
	defer receiver.Close()
	const domain = "replayed.example.com"
	c.Cloud.AddDomain("", domain, emulator.IngestDomain)
	c.Cloud.SetStreamConfig(domain, emulator.StreamConfig{NotifyURL: receiver.URL})
	records := make([]emulator.CallbackRecord, missed)
	for i := range records {
		at := time.Now().Add(time.Duration(i-missed) * 100 * time.Millisecond)
		records[i] = emulator.CallbackRecord{
			Time: at, Domain: domain, App: "app", Stream: fmt.Sprint("s", i), Type: "publish_done", URL: receiver.URL, Result: emulator.ResultFailed,
			Content: fmt.Sprintf(`{"action":"publish_done","app":"app","appname":"%s","id":"s%d","time":"%d","ip":"192.0.2.1","node":"192.0.2.2"}`, domain, i, at.Unix()),
		}
	}
	c.Cloud.AddRecords(emulator.Records{Stream: records})
	manifest := filepath.Join(c.dir, "replayed.yaml")
	system.Check(os.WriteFile(manifest, fmt.Appendf(nil, `{apiVersion: live.alibabacloud.com/v1alpha1, kind: LiveNotifyConfig, metadata: {name: replayed},
spec: {domainName: %s, notifyURL: %q, managementPolicy: Observe}}`, domain, receiver.URL), 0o600))
	c.apply(ctx, manifest)
	start := time.Now()
	ended := c.run(ctx, "replay", "lnc/replayed", "--since", "1h", "--rate", "0", "--max", fmt.Sprint(missed), "--yes")
	cpu := time.Duration(ended.Utime.Nano() + ended.Stime.Nano())
	figure(fmt.Sprintf("callbacks delivered again in %.1f s (%d)", time.Since(start).Seconds(), missed), "%d", got.Load())
	figure("CPU of each (20 ms)", "%.2f ms", float64(cpu.Microseconds())/1000/missed)
}

// run runs the program, which has to end with 0.
func (c *commandLine) run(ctx context.Context, args ...string) *syscall.Rusage {
	if args[0] != "version" {
		args = append(args, "-n", imports, "--endpoint", c.URL, "--quota-share-percent", "100")
	}
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.Env = append(c.Environment(), "ALIBABA_CLOUD_ACCESS_KEY_ID=bench", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=bench-secret")
	if out, err := cmd.CombinedOutput(); err != nil {
		system.Check(fmt.Errorf("%s: %w\n%s", args[0], err, out))
	}
	return cmd.ProcessState.SysUsage().(*syscall.Rusage)
}

// apply applies manifests.
func (c *commandLine) apply(ctx context.Context, path string) {
	cmd := exec.CommandContext(ctx, filepath.Join(c.Assets, "kubectl"), "apply", "--server-side", "-n", imports, "-f", path)
	cmd.Env = c.Environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		system.Check(fmt.Errorf("kubectl apply: %w\n%s", err, out))
	}
}

// differing is how many files of a directory another does not have the same.
func differing(dir, other string) (n int) {
	for _, f := range system.Must(os.ReadDir(dir)) {
		one := system.Must(os.ReadFile(filepath.Join(dir, f.Name())))
		if same, err := os.ReadFile(filepath.Join(other, f.Name())); errors.Is(err, os.ErrNotExist) || !bytes.Equal(one, same) {
			n++
		}
	}
	return n
}
