// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// calls are one of each verb that asks the cloud or the cluster, for the object of
// world.stream.
var calls = map[string][]string{
	"plan":        {"plan", "lnc/push"},
	"import":      {"import"},
	"failures":    {"failures", "lnc/push"},
	"replay":      {"replay", "lnc/push", "--yes"},
	"conformance": {"conformance", "--ingest-domain", "free.example.com", "--read-only"},
}

// What cannot be found out is 3, whichever verb and whatever is in the way.
func TestUnknownIsThree(t *testing.T) {
	for name, tc := range map[string]struct {
		fault emulator.Fault
		says  string
	}{
		"no permission in the cloud": {emulator.Fault{Code: "Forbidden.RAM", Status: http.StatusForbidden}, "AccessDenied"},
		"the cloud fails":            {emulator.Fault{Code: "InternalError", Status: http.StatusInternalServerError}, "CloudUnavailable"},
		"the cloud hangs up":         {emulator.Fault{Drop: true}, ""},
		"not JSON":                   {emulator.Fault{Body: "<html>" + canary}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			w.stream("push.example.com")
			w.cloud.AddDomain("", "free.example.com", emulator.IngestDomain)
			w.cloud.Inject(tc.fault)
			for verb, args := range calls {
				t.Run(verb, func(t *testing.T) { w.call(args...).want(t, exitUnknown, tc.says) })
			}
		})
	}
}

func TestNoCredentialsIsThree(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "")
	for verb, args := range calls {
		t.Run(verb, func(t *testing.T) { w.call(args...).want(t, exitUnknown, "AccountNotReady") })
	}
}

func TestAClusterThatIsDownIsThree(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for _, args := range [][]string{
		{"plan"}, {"failures"}, {"replay", "lnc/push", "--yes"}, {"status"}, {"suspend", "lnc/push", "--yes"}, {"reconcile", "lnc/push"},
	} {
		t.Run(args[0], func(t *testing.T) {
			w.call(append(args, "--server", "https://127.0.0.1:1", "--insecure-skip-tls-verify")...).want(t, exitUnknown, "Unreachable")
		})
	}
}

// What the cloud throttles is tried again.
func TestThrottlingIsWaitedFor(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	w.cloud.Inject(emulator.Fault{Code: "Throttling.User", Times: 2, RetryAfter: 10 * time.Millisecond})
	w.call("plan", "lnc/push").want(t, exitYes)
}

func TestInterrupted(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	w.cloud.AddDomain("", "free.example.com", emulator.IngestDomain)
	w.cloud.Inject(emulator.Fault{Latency: time.Hour})
	for verb, args := range calls {
		t.Run(verb, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			time.AfterFunc(300*time.Millisecond, cancel)
			start := time.Now()
			w.callWith(ctx, "", args...).want(t, exitInterrupted, "Interrupted.")
			if took := time.Since(start); took > time.Minute {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// deaf is a reader that has gone away.
type deaf struct{}

func (deaf) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestClosedStdoutIsThree(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	w.receiver.answers(http.StatusInternalServerError)
	if err := w.cloud.StartStream("push.example.com", "app", "s"); err != nil {
		t.Fatal(err)
	}
	w.cloud.Wait()
	w.receiver.answers(http.StatusOK)
	for _, args := range [][]string{
		{"plan", "lnc/push", "--show-in-sync"}, {"plan", "lnc/push", "-o", "markdown"}, {"import"}, {"import", "-o", "helm-values"},
		{"failures", "lnc/push"}, {"replay", "lnc/push", "--yes"}, {"status"}, {"check"}, {"version"}, {"version", "-o", "json"},
		{"probe", "lnc/push", "--yes"}, {"reconcile", "lnc/push"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			var errOut bytes.Buffer
			a := newApp("live-notify", strings.NewReader(""), deaf{}, &errOut)
			args := append(args, "--endpoint", w.url, "-n", w.namespace, "--cache-dir", filepath.Join(t.TempDir(), "cache"))
			if code := a.run(t.Context(), args); code != exitUnknown {
				t.Errorf("got %d, want %d\n%s", code, exitUnknown, errOut.String())
			}
		})
	}
	if got := w.receiver.requests(); len(got) != 2 {
		t.Errorf("got %d requests, want one of replay and one of probe", len(got))
	}
}

// No verb shows a key or leaves one in a file, in any format, whether it succeeds or
// the cloud answers with the keys themselves; each call looks for them. In the usual
// form each format is tried with the first call of a verb, and each call with its
// first format; in the short form there is one call.
func TestKeysAreNowhere(t *testing.T) {
	root := newApp("live-notify", nil, nil, nil).root()
	for _, cmd := range root.Commands() {
		row := matrix[cmd.Name()]
		formats := []string{""}
		if f := cmd.Flags().Lookup("output"); f != nil {
			formats = strings.Split(f.Annotations["formats"][0], ",")
		}
		t.Run(cmd.Name(), func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			w.stream("push.example.com")
			w.missed()
			w.cloud.AddDomain("", "play.example.com", emulator.StreamingDomain)
			w.cloud.SetRecordConfig("play.example.com", emulator.RecordConfig{NotifyURL: w.receiver.URL, Auth: true, AuthKey: recordKey})
			for i, format := range formats {
				for j, more := range canaryCalls[cmd.Name()] {
					if i > 0 && j > 0 && !long || i+j > 0 && testing.Short() {
						continue
					}
					args := strings.Fields(os.ExpandEnv(row["yes"].args + " " + more))
					if format != "" {
						args = append(args, "-o", format)
					}
					w.call(args...)
					for _, fault := range []emulator.Fault{
						{Code: "InvalidParameter", Status: http.StatusBadRequest, Message: "AuthKey=" + streamKey + " AccessKeySecret " + canary + " " + recordKey},
						{Body: "<html>" + streamKey + canary + recordKey},
					} {
						w.cloud.Inject(fault)
						w.call(args...)
						w.cloud.ClearFaults()
					}
				}
			}
			w.leftNoKey(os.Getenv("HOME"))
		})
	}
}

// canaryCalls are how each verb is called in the search for keys.
var canaryCalls = map[string][]string{
	"plan": {"", "--unmanaged"}, "import": {"", "--keys-to-cluster --yes", "--keys-to-cluster --key-secret all --yes --output-dir $HOME/out", "--on-error continue"},
	"failures": {"--content", "--group-by reason"}, "replay": {"--dry-run", "--rate 0"}, "probe": {"", "--verify", "--key-from secret/key/key --dry-run"},
	"conformance": {"", "--dry-run"}, "check": {""}, "reconcile": {""}, "suspend": {"--reason because"}, "resume": {""}, "status": {"-A"}, "version": {""},
}

// leftNoKey fails if a file below a directory holds a key.
func (w *world) leftNoKey(dir string) {
	w.t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		files++
		for _, secret := range []string{canary, streamKey, recordKey} {
			if bytes.Contains(text, []byte(secret)) {
				w.t.Errorf("%s holds a key", path)
			}
		}
		return err
	})
	if err != nil || files == 0 {
		w.t.Errorf("%d files were searched: %v", files, err)
	}
}

// No flag takes a key itself: whoever lists processes, or reads a shell's history,
// would have it.
func TestNoFlagTakesAKey(t *testing.T) {
	allowed := []string{"key-from", "key-file", "key-secret", "keys-to-cluster", "client-key", "token"} // the last two are kubectl's own
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, set := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
			set.VisitAll(func(f *pflag.Flag) {
				for _, word := range []string{"key", "secret", "password", "token"} {
					if strings.Contains(f.Name, word) && !slices.Contains(allowed, f.Name) {
						t.Errorf("%s --%s: does it take a key?", cmd.Name(), f.Name)
					}
				}
			})
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newApp("live-notify", nil, nil, nil).root())
	w := newWorld(t, emulator.Options{})
	for _, args := range [][]string{
		{"probe", "--url", w.receiver.URL, "--as", "stream", "--key-from", streamKey, "--yes"}, {"probe", "--key-file", "/nonexistent/" + streamKey, "--url", w.receiver.URL, "--as", "stream"},
		{"plan", "--key=" + streamKey}, {streamKey}, {"failures", streamKey + "/x"}, {"version", streamKey}, {"replay", "lnc/push", "--rate", streamKey},
	} {
		w.call(args...).want(t, exitUsage) // in the wrong place, and not repeated
	}
}

// A key that differs is told apart from another, without a sight of either.
func TestKeysAreCompared(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	other := w.file("push.yaml", manifestOf("push.example.com", w.receiver.URL, ", authentication: {keySecretRef: {name: other, key: key}}")+
		"---\napiVersion: v1\nkind: Secret\nmetadata: {name: other}\nstringData: {key: "+recordKey+"}\n")
	for _, format := range []string{"table", "wide", "json", "yaml", "name", "jsonl", "markdown"} {
		w.call("plan", "-f", other, "-o", format).want(t, exitNo)
	}
	w.call("plan", "-f", other).want(t, exitNo, "authentication: differs -> set")
}

// shells are how each shell is asked to complete "plan -o m" and "failures lnc/".
var shells = map[string]string{
	"bash": `
_init_completion() { words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=${words[cword]}; prev=${words[cword-1]}; }
complete_line() {
  COMP_LINE="$*"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; COMPREPLY=()
  __start_kubectl-live_notify; echo "${COMPREPLY[@]}"
}
source <(kubectl-live_notify completion bash)
complete_line kubectl-live_notify plan -o m
complete_line kubectl-live_notify failures livenotifyconfigs/`,
	"zsh": `
compdef() { : }
_describe() { print -l -- $completions }
source <(kubectl-live_notify completion zsh)
complete_line() { words=("$@"); CURRENT=$#; _kubectl-live_notify }
complete_line kubectl-live_notify plan -o m
complete_line kubectl-live_notify failures livenotifyconfigs/`,
	"fish": `
kubectl-live_notify completion fish | source
complete -C "kubectl-live_notify plan -o m"
complete -C "kubectl-live_notify failures livenotifyconfigs/"`,
}

// The completion is run by the shells that there are; bash always is.
func TestCompletion(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "kubectl-live_notify")); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.Contexts[config.CurrentContext].Namespace = w.namespace
	mine := filepath.Join(bin, "kubeconfig")
	if err := clientcmd.WriteToFile(*config, mine); err != nil {
		t.Fatal(err)
	}
	for shell, script := range shells {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil && shell != "bash" {
				t.Skipf("%s is not installed: apt-get install %s", shell, shell)
			}
			cmd := exec.CommandContext(t.Context(), path, "-c", script)
			cmd.Env = append(os.Environ(), asProgram+"=1", "PATH="+bin+":"+os.Getenv("PATH"), "KUBECONFIG="+mine)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "markdown") || !strings.Contains(string(out), "livenotifyconfigs/push") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
