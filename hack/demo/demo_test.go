// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/test/system"
)

func TestReceiverFailsEveryFourthRequestOfEachPath(t *testing.T) {
	var r receiver
	var got []string
	for range 8 {
		for _, path := range []string{"/streams", "/recordings"} {
			if r.fails(path, path == "/streams") {
				got = append(got, path)
			}
		}
	}
	want := []string{"/streams", "/recordings", "/streams", "/recordings"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, want := r.summary(), "The receiver got 16 callbacks (8 signed) and answered 500 to 4. "; got != want {
		t.Errorf("summary: got %q, want %q", got, want)
	}
}

func TestAdapt(t *testing.T) {
	type object = map[string]any
	cases := map[string]struct{ obj, want object }{
		"a callback kind calls the receiver and is looked at often": {
			obj: object{"kind": "LiveNotifyConfig", "spec": object{
				"domainName": "push.example.com", "notifyURL": "https://hooks.example.com:8443/a?b=c%20d",
				"records": object{"window": "1h", "interval": "5m"},
			}},
			want: object{"kind": "LiveNotifyConfig", "spec": object{
				"domainName": "push.example.com", "notifyURL": "http://127.0.0.1:9000/a?b=c%20d", "resyncInterval": "1m",
				"records": object{"window": "1h", "interval": "30s"},
			}},
		},
		"also one without records": {
			obj:  object{"kind": "LiveRtcMPUEventSub", "spec": object{"appID": "a", "callbackURL": "http://[::1]:80/mpu"}},
			want: object{"kind": "LiveRtcMPUEventSub", "spec": object{"appID": "a", "callbackURL": "http://127.0.0.1:9000/mpu", "resyncInterval": "1m", "records": object{"interval": "30s"}}},
		},
		"an account is in the emulated cloud": {
			obj:  object{"kind": "LiveAccount", "spec": object{"region": "cn-shanghai"}},
			want: object{"kind": "LiveAccount", "spec": object{"region": "cn-shanghai", "endpoint": "http://127.0.0.1:8090"}},
		},
		"a Secret stays as it is": {
			obj:  object{"kind": "Secret", "stringData": object{"key": "value"}},
			want: object{"kind": "Secret", "stringData": object{"key": "value"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			obj := &unstructured.Unstructured{Object: tc.obj}
			adapt(obj, "127.0.0.1:9000", "http://127.0.0.1:8090")
			if diff := cmp.Diff(tc.want, obj.Object); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSamples has the cloud know what the samples need, and be sent to.
func TestSamples(t *testing.T) {
	dir := filepath.Join("..", "..", samplesDir)
	all := readSamples(dir)
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(all), len(files)-1; got != want {
		t.Errorf("the kustomization has %d objects, but there are %d files beside it: one thing to a file, and each in the list", got, want)
	}
	if len(all.accessKeys()) != 1 || all.first("LiveNotifyConfig").GetName() == "" {
		t.Error("there is no access key, or no LiveNotifyConfig, which the hints are about")
	}
	cloud := emulator.New(emulator.Options{})
	defer cloud.Close()
	all.exist(cloud)
	for _, to := range all.targets() {
		to.kind.Edit(cloud, to.key)
		if to.kind.Have(cloud, to.key)[to.kind.URL] != system.Elsewhere {
			t.Errorf("the cloud does not know the %s %q", to.kind.Name, to.key)
		}
	}
	if got := len(all.targets()); got != len(system.Kinds) {
		t.Errorf("there are samples of %d kinds, want one of each of %d", got, len(system.Kinds))
	}
}

func TestScreen(t *testing.T) {
	cases := map[string]struct {
		terminal bool
		want     string
	}{
		"appends what changed": {false, "\na\n\nb\nb\n"},
		"replaces on a terminal": {true, "\n" + cutOff + "a\n\n1\n" + wrap +
			"\x1b[3A" + erase + cutOff + "a\n\n2\n" + wrap + "\x1b[3A" + erase + cutOff + "b\nb\n\n2\n" + wrap},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			s := screen{out: &out, terminal: tc.terminal}
			s.show("a\n", "1")
			s.show("a\n", "1")
			s.show("a\n", "2")
			s.show("b\nb\n", "2")
			if diff := cmp.Diff(tc.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
