// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
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
	if got, want := r.summary(), "The receiver got 16 callbacks (8 signed) and answered 500 to 4."; got != want {
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
			if err := adapt(obj, "127.0.0.1:9000", "http://127.0.0.1:8090"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, obj.Object); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSamples has the cloud know what the samples need, and be sent to.
func TestSamples(t *testing.T) {
	dir := filepath.Join("..", "..", samplesDir)
	all, err := readSamples(dir)
	if err != nil {
		t.Fatal(err)
	}
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
	kinds := 0
	all.each(func(k *system.Kind, key string) {
		kinds++
		k.Edit(cloud, key)
		if k.Have(cloud, key)[k.URL] != system.Elsewhere {
			t.Errorf("the cloud does not know the %s %q", k.Name, key)
		}
	})
	if kinds != len(system.Kinds) {
		t.Errorf("there are samples of %d kinds, want one of each of %d", kinds, len(system.Kinds))
	}
}

// counting is a LiveNotifyConfig with counts.
func counting(failed int64) resource {
	r := resource{Kind: "LiveNotifyConfig"}
	r.Metadata.Name, r.Spec.DomainName, r.Spec.Records = "push", "push.example.com", &struct{}{}
	r.Status.Conditions = []metav1.Condition{
		{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonInSync},
		{Type: v1alpha1.ConditionCallbacksHealthy, Status: metav1.ConditionFalse},
	}
	r.Status.Callbacks = &v1alpha1.Callbacks{Failed: failed, Total: 8}
	if failed > 0 {
		r.Status.Callbacks.LastFailure = &v1alpha1.CallbackFailure{
			Time: &metav1.Time{Time: time.Date(2024, 5, 1, 12, 30, 0, 0, time.Local)}, Type: "publish", Reason: "unexpected HTTP status 500",
		}
	}
	return r
}

func TestRender(t *testing.T) {
	untouched := resource{Kind: "LiveRtcMPUEventSub"}
	untouched.Metadata.Name, untouched.Spec.AppID = "relay", "a1"
	cases := map[string]struct {
		resources []resource
		want      string
	}{
		"nothing": {nil, `
KIND  NAME  DOMAIN  READY  HEALTHY  FAILED  TOTAL  LAST FAILURE
(no resources)
`},
		"one that failed, and one that the operator has not seen": {[]resource{counting(2), untouched}, `
KIND                NAME   DOMAIN            READY          HEALTHY  FAILED  TOTAL  LAST FAILURE
LiveNotifyConfig    push   push.example.com  True (InSync)  False    2       8      12:30:00 publish unexpected HTTP status 500
LiveRtcMPUEventSub  relay  a1                -              -        -       -      -
`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(strings.TrimPrefix(tc.want, "\n"), render(tc.resources)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCounted(t *testing.T) {
	account := counting(0)
	account.Spec.Records, account.Status.Callbacks = nil, nil
	unready := counting(1)
	unready.Status.Conditions = nil
	cases := map[string]struct {
		resource resource
		want     bool
	}{
		"ready, with failures":           {counting(1), true},
		"ready, without failures":        {counting(0), false},
		"not ready":                      {unready, false},
		"ready, and nothing to be count": {account, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.resource.counted(); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
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
