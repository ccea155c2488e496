// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// No verb shows a key, in any format, whether it succeeds or fails; each call of
// world.call looks for them.
func TestKeysAreNotShown(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	w.cloud.AddDomain("", "play.example.com", emulator.StreamingDomain)
	w.cloud.SetRecordConfig("play.example.com", emulator.RecordConfig{NotifyURL: w.receiver.URL, Auth: true, AuthKey: recordKey})
	w.receiver.answers(http.StatusInternalServerError)
	if err := w.cloud.StartStream("push.example.com", "app", "s"); err != nil {
		t.Fatal(err)
	}
	w.cloud.Wait()
	other := w.file("push.yaml", manifestOf("push.example.com", w.receiver.URL, ", authentication: {keySecretRef: {name: other, key: key}}")+
		"---\napiVersion: v1\nkind: Secret\nmetadata: {name: other}\nstringData: {key: "+recordKey+"}\n")
	for _, format := range []string{"table", "wide", "json", "yaml", "name"} {
		for _, args := range [][]string{
			{"plan", "lnc/push", "--show-in-sync"}, {"plan", "-f", other}, {"plan", "--unmanaged"}, {"import"}, {"failures", "--content"},
			{"replay", "lnc/push", "--yes"}, {"probe", "lnc/push", "--yes", "--verify"}, {"status"}, {"check"},
			{"conformance", "--ingest-domain", "push.example.com", "--yes=push.example.com"},
		} {
			if got := w.call(append(args, "-o", format)...); got.code < 0 || got.code > 3 {
				t.Errorf("%q: exit code %d", args, got.code)
			}
		}
	}
	w.call("plan", "-f", other).want(t, exitNo, "authentication: differs -> set")
}

func TestCompletion(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		a := newApp("live-notify", strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{})
		if code := a.run(t.Context(), []string{"completion", shell}); code != exitYes {
			t.Errorf("%s: got %d", shell, code)
		}
	}
	var out bytes.Buffer
	a := newApp("live-notify", strings.NewReader(""), &out, &bytes.Buffer{})
	if a.run(t.Context(), []string{"__complete", "-n", w.namespace, "plan", "livenotifyconfigs/"}); !strings.Contains(out.String(), "livenotifyconfigs/push") {
		t.Errorf("got %q", out.String())
	}
}
