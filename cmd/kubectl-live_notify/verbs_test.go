// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/google/go-cmp/cmp"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/replay"
)

func manifestOf(domain, url, more string) string {
	return fmt.Sprintf(`apiVersion: live.alibabacloud.com/v1alpha1
kind: LiveNotifyConfig
metadata: {name: push}
spec: {domainName: %s, notifyURL: '%s'%s}
`, domain, url, more)
}

func TestPlanOfManifests(t *testing.T) {
	for name, offline := range map[string]bool{"with a cluster": false, "without a cluster": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			if offline {
				withoutCluster(t)
			}
			w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
			want := w.file("push.yaml", manifestOf("push.example.com", "https://hooks.example.com/a", ""))
			w.call("plan", "-f", want).want(t, exitNo, "+", "notifyURL: (empty) -> https://hooks.example.com/a", "Plan: 1 to create, 0 to change, 0 to remove, 0 blocked, 0 in sync.")
			w.call("plan", "-f", want, "--exit-zero").want(t, exitYes)
			w.cloud.SetStreamConfig("push.example.com", emulator.StreamConfig{NotifyURL: "https://hooks.example.com/b"})
			w.call("plan", "-f", want).want(t, exitNo, "!", v1alpha1.ReasonExistingConfiguration, "https://hooks.example.com/b -> https://hooks.example.com/a")
			always := w.file("always.yaml", manifestOf("push.example.com", "https://hooks.example.com/a", ", adoptionPolicy: Always"))
			w.call("plan", "-f", always).want(t, exitNo, "~", "1 to change")
			same := w.file("same.yaml", manifestOf("push.example.com", "https://hooks.example.com/b", ""))
			w.call("plan", "-f", same, "--show-in-sync").want(t, exitYes, "=", "1 in sync")
			w.call("plan", "-f", w.file("gone.yaml", manifestOf("gone.example.com", "https://hooks.example.com", ""))).want(t, exitNo, v1alpha1.ReasonDomainNotFound)
			w.call("plan", "-f", w.file("bad.yaml", manifestOf("push.example.com", "ftp://hooks.example.com", ""))).want(t, exitUsage, "spec.notifyURL")
			w.call("plan", "-f", w.file("odd.yaml", manifestOf("push.example.com", "https://hooks.example.com", ", notifyUrl: x"))).want(t, exitUsage, "notifyUrl")
			w.cloud.Inject(emulator.Fault{Action: "DescribeLiveStreamsNotifyUrlConfig", Code: "Forbidden.RAM", Status: http.StatusForbidden})
			w.call("plan", "-f", want).want(t, exitUnknown, "?", v1alpha1.ReasonAccessDenied)
		})
	}
}

func TestImportAndPlanSayNothingChanges(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for i := range 60 {
		push, play := fmt.Sprintf("push-%02d.example.com", i), fmt.Sprintf("play-%02d.example.com", i)
		w.cloud.AddDomain("", push, emulator.IngestDomain)
		w.cloud.AddDomain("", play, emulator.StreamingDomain)
		if i%2 == 0 {
			w.cloud.SetStreamConfig(push, emulator.StreamConfig{NotifyURL: "https://hooks.example.com/" + push, Auth: i%4 == 0, AuthKey: streamKey})
			w.cloud.SetRecordConfig(play, emulator.RecordConfig{NotifyURL: "https://hooks.example.com/" + play, NeedStatusNotify: true, Auth: i%4 == 0, AuthKey: recordKey})
		}
	}
	w.cloud.AddDomain("", "sub.example.com", emulator.StreamingDomain)
	if err := w.cloud.MapPlayDomain("play-00.example.com", "sub.example.com"); err != nil {
		t.Fatal(err)
	}
	w.cloud.AddApp("", "app1")
	w.cloud.SetMPUSub("app1", emulator.MPUSub{CallbackURL: "https://hooks.example.com/mpu", ChannelIDs: "a,b"})
	first := w.call("import", "--app-id", "app1").want(t, exitYes, "61 imported", "121 domains seen")
	again := w.call("import", "--app-id", "app1").want(t, exitYes)
	if first.out != again.out {
		t.Error("the same account gave other bytes")
	}
	dir := t.TempDir()
	w.call("import", "--app-id", "app1", "--output-dir", dir, "--keys-to-cluster").want(t, exitUsage, "--yes")
	w.call("import", "--app-id", "app1", "--output-dir", dir, "--keys-to-cluster", "--yes").want(t, exitYes, "Wrote 30 Secrets")
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 61 {
		t.Fatalf("got %d files, %v, want 61", len(files), err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil || strings.Contains(string(text), streamKey) || strings.Contains(string(text), recordKey) {
			t.Fatalf("%s holds a key, or cannot be read: %v", f.Name(), err)
		}
	}
	w.call("plan", "-f", dir).want(t, exitYes, "Plan: 0 to create, 0 to change, 0 to remove, 0 blocked, 61 in sync.")
	var report struct{ Summary map[string]int }
	if err := json.Unmarshal([]byte(w.call("import", "-o", "json", "--kind", "lnc").want(t, exitYes).out), &report); err != nil || report.Summary["imported"] != 30 {
		t.Errorf("got %v, %v, want 30 imported", report, err)
	}
	w.call("import", "--domain", "*.example.net").want(t, exitYes, "no domain that matches")
}

// stream makes an object and its configuration, signed with streamKey.
func (w *world) stream(domain string) {
	w.t.Helper()
	w.cloud.AddDomain("", domain, emulator.IngestDomain)
	w.cloud.SetStreamConfig(domain, emulator.StreamConfig{NotifyURL: w.receiver.URL, Auth: true, AuthKey: streamKey})
	w.apply(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "key"}, StringData: map[string]string{"key": streamKey}})
	w.apply(&v1alpha1.LiveNotifyConfig{
		ObjectMeta: metav1.ObjectMeta{Name: "push"},
		Spec: v1alpha1.LiveNotifyConfigSpec{
			DomainName: domain, NotifyURL: w.receiver.URL,
			Authentication: &v1alpha1.AuthenticationSpec{KeySecretRef: v1alpha1.SecretKeyReference{Name: "key", Key: "key"}},
		},
	})
}

// A receiver that was down gets what it missed, each once, as the cloud sends it.
func TestReplayOfWhatAReceiverMissed(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	w.receiver.answers(http.StatusInternalServerError)
	for i := range 3 {
		name := fmt.Sprintf("s%d", i)
		for _, err := range []error{w.cloud.StartStream("push.example.com", "app", name), w.cloud.StopStream("push.example.com", "app", name)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	w.cloud.Wait()
	sent := w.receiver.requests()
	w.call("failures").want(t, exitYes, "6 of 6 shown.", "publish_done", "unexpected HTTP status 500")
	w.call("failures", "--fail", "--type", "publish").want(t, exitNo, "3 of 3 shown.")
	w.call("failures", "--group-by", "type").want(t, exitYes, "publish_done")
	w.call("failures", "-o", "jsonl", "--content").want(t, exitYes, `"content":"{`)

	w.call("replay", "lnc/push", "--dry-run", "--include-superseded").want(t, exitYes, "6 to deliver")
	w.call("replay", "lnc/push").want(t, exitUsage, "--yes")
	w.call("replay", "lnc/push", "--yes", "--max", "2", "--include-superseded").want(t, exitUsage, "6 callbacks")
	w.call("replay", "lnc/push", "--yes", "--rate", "0", "--stop-after", "2", "--include-superseded").want(t, exitNo, "2 refused", "4 pending", "Stopped after 2 failures")

	w.receiver.answers(http.StatusOK)
	w.call("replay", "lnc/push", "--yes", "--rate", "0", "--include-superseded").want(t, exitYes, "6 delivered")
	got := w.receiver.requests()
	if diff := cmp.Diff(unsigned(t, sent), unsigned(t, got)); diff != "" {
		t.Errorf("replay sends other requests than the cloud:\n%s", diff)
	}
	w.call("replay", "lnc/push", "--yes", "--include-superseded").want(t, exitYes, "0 delivered", "6 skipped")
	if again := w.receiver.requests(); len(again) != len(got) {
		t.Errorf("%d were delivered again", len(again)-len(got))
	}
}

// The events of an RTC application are listed and delivered again, too: the same
// bodies, each once.
func TestReplayOfRTCEvents(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.cloud.AddApp("", "app1")
	w.cloud.SetEventSubs("app1", []emulator.EventSub{{CallbackURL: w.receiver.URL, Events: []string{"ChannelEvent"}}})
	w.apply(&v1alpha1.LiveRtcEventSub{
		ObjectMeta: metav1.ObjectMeta{Name: "rtc"},
		Spec: v1alpha1.LiveRtcEventSubSpec{
			AppID: "app1", ChannelID: "*", CallbackURL: w.receiver.URL, Events: []v1alpha1.RtcEvent{v1alpha1.ChannelEvent},
		},
	})
	w.receiver.answers(http.StatusInternalServerError)
	for _, channel := range []string{"one", "two", "three"} {
		if err := w.cloud.EmitEvent("app1", channel, "", "Open"); err != nil {
			t.Fatal(err)
		}
	}
	w.cloud.Wait()
	sent := w.receiver.requests()
	w.call("failures", "les/rtc").want(t, exitYes, "3 of 3 shown.", "HTTP status 500")
	w.receiver.answers(http.StatusOK)
	w.call("replay", "les/rtc", "--yes", "--rate", "0").want(t, exitYes, "3 delivered", "sent unsigned")
	bodies := func(list []received) []string {
		var all []string
		for _, r := range list {
			if r.Header.Get("Ali-Rtc-Timestamp") == "" {
				t.Errorf("a request to %s comes without its time", r.URL)
			}
			all = append(all, r.Body)
		}
		slices.Sort(all)
		return all
	}
	if diff := cmp.Diff(bodies(sent), bodies(w.receiver.requests())); diff != "" {
		t.Errorf("replay sends other events than the cloud:\n%s", diff)
	}
	w.call("replay", "les/rtc", "--yes").want(t, exitYes, "0 delivered", "3 skipped")
	w.call("probe", "les/rtc", "--yes").want(t, exitYes, "the receiver took it")
}

// unsigned returns requests by what they are about, each without what differs with
// the time, whose presence is checked, and without the headers of a replay.
func unsigned(t *testing.T, list []received) map[string]received {
	t.Helper()
	byURL := map[string]received{}
	for _, r := range list {
		h := r.Header.Clone()
		for _, name := range []string{"Ali-Live-Timestamp", "Ali-Live-Signature"} {
			if h.Get(name) == "" {
				t.Errorf("%s comes without %s", r.URL, name)
			}
			h.Set(name, "there")
		}
		for _, name := range []string{replay.ReplayHeader, replay.OriginalHeader, replay.DeliveryHeader} {
			h.Del(name)
		}
		r.Header = h
		byURL[r.URL] = r
	}
	return byURL
}

func TestUsageIsTwo(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for _, args := range [][]string{
		{"nonsense"}, {"plan", "--nonsense"}, {"plan", "-o", "xml"}, {"plan", "-f", "a.yaml", "lnc/x"}, {"import", "extra"}, {"import", "--kind", "x"},
		{"import", "--on-error", "x"}, {"failures", "--since", "x"}, {"failures", "--group-by", "x"}, {"failures", "--from", "x"}, {"replay"},
		{"replay", "lnc/x", "--to-url", "x"}, {"replay", "-f", "/nonexistent"}, {"version", "-o", "x"}, {"plan", "-f", "/nonexistent.yaml"},
		{"probe"}, {"probe", "--url", "https://hooks.example.com"}, {"probe", "--url", "x", "--as", "stream"}, {"suspend"}, {"reconcile"}, {"conformance"},
	} {
		w.call(args...).want(t, exitUsage, "Error: ")
	}
}

// Nor do cobra's own verbs succeed with what they do not know; a shell would run what
// they print.
func TestUnknownShellsAndTopics(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for _, args := range [][]string{
		{"completion", "foo"}, {"completion", "Bash"}, {"completion", "foo", "bash"}, {"completion", "bash", "foo"}, {"help", "foo"}, {"help", "plan", "foo"}, {"help", "completion", "foo"},
	} {
		if got := w.call(args...).want(t, exitUsage, "Error: "); got.out != "" {
			t.Errorf("%q: stdout has:\n%s", args, got.out)
		}
	}
	w.call("completion", "foo").want(t, exitUsage, "no completion for this shell: want one of bash, fish, powershell, zsh")
	for _, args := range [][]string{{"completion"}, {"completion", "zsh"}, {"help"}, {"help", "plan"}, {"help", "completion", "bash"}, {"help", "help"}} {
		if got := w.call(args...).want(t, exitYes); got.out == "" {
			t.Errorf("%q printed nothing", args)
		}
	}
}

func TestNoClusterIsThree(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	withoutCluster(t)
	for _, args := range [][]string{{"plan"}, {"failures"}, {"replay", "lnc/x"}} {
		w.call(args...).want(t, exitUnknown, "no cluster")
	}
}

func TestConformanceFindsTheBranches(t *testing.T) {
	for name, tc := range map[string]struct {
		switches emulator.Switches
		flags    string
	}{
		"as documented": {emulator.Switches{}, "\n"},
		"all others": {
			emulator.Switches{
				StreamDescribeAbsent: emulator.AbsentNotFound, StreamDeleteAbsentNotFound: true, StreamSetMerges: true,
				RecordUpdateMerges: true, MPUDescribeAbsentInvalid: true, AcceptAnyKey: true, StreamKeyAsNumber: true, SnapshotDescribeNotFound: true,
			},
			"--stream-describe-absent=notfound --stream-delete-absent-not-found --stream-set-merges --accept-any-key --stream-key-as-number " +
				"--record-update-merges --snapshot-describe-not-found --mpu-describe-absent-invalid\n",
		},
		"set refuses": {emulator.Switches{StreamDescribeAbsent: emulator.AbsentMissing, StreamSetExists: true}, "--stream-describe-absent=missing --stream-set-exists\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{Switches: tc.switches})
			w.cloud.AddDomain("", "push.conformance.example", emulator.IngestDomain)
			w.cloud.AddDomain("", "play.conformance.example", emulator.StreamingDomain)
			w.cloud.AddApp("", "app-conformance")
			before := emulator.StreamConfig{NotifyURL: "https://hooks.example.com/own", Auth: true, AuthKey: streamKey}
			w.cloud.SetStreamConfig("push.conformance.example", before)
			snapshot := emulator.SnapshotConfig{NotifyURL: "https://hooks.example.com/snapshots", Auth: true, AuthKey: recordKey}
			w.cloud.SetSnapshotConfig("play.conformance.example", snapshot)
			args := []string{"conformance", "--ingest-domain", "push.conformance.example", "--streaming-domain", "play.conformance.example", "--app-id", "app-conformance", "-o", "emulator-flags"}
			w.call(args...).want(t, exitUsage, "Nothing was done")
			got := w.call(append(args, "--yes=push.conformance.example")...).want(t, exitYes, "there again")
			if got.out != tc.flags {
				t.Errorf("got %q, want %q", got.out, tc.flags)
			}
			if after, _ := w.cloud.StreamConfig("push.conformance.example"); after != before {
				t.Errorf("got %+v afterwards", after)
			}
			if _, there := w.cloud.RecordConfig("play.conformance.example"); there {
				t.Error("the streaming domain has a configuration afterwards")
			}
			if after, _ := w.cloud.SnapshotConfig("play.conformance.example"); after != snapshot {
				t.Errorf("got %+v afterwards", after)
			}
		})
	}
}

// What there was before comes back although writes fail meanwhile; where it cannot, all
// of it is told but the key.
func TestConformanceRestores(t *testing.T) {
	const domain = "push.conformance.example"
	before := emulator.StreamConfig{NotifyURL: "https://hooks.example.com/own", ExceptionNotifyURL: "https://hooks.example.com/odd", Auth: true, AuthKey: streamKey}
	run := func(t *testing.T, fault emulator.Fault) (*world, answer) {
		w := newWorld(t, emulator.Options{})
		w.cloud.AddDomain("", domain, emulator.IngestDomain)
		w.cloud.SetStreamConfig(domain, before)
		w.cloud.Inject(fault)
		return w, w.callBy(callOptions{}, "conformance", "--ingest-domain", domain, "--point", "stream-describe-absent", "--yes="+domain)
	}
	for name, fault := range map[string]emulator.Fault{
		"a failure":          {Action: "SetLiveStreamsNotifyUrlConfig", Code: "InternalError", Status: http.StatusInternalServerError, Times: 4},
		"lost connections":   {Action: "SetLiveStreamsNotifyUrlConfig", Drop: true, Times: 4},
		"throttled for long": {Action: "SetLiveStreamsNotifyUrlConfig", Code: "Throttling.User", Status: http.StatusBadRequest, Times: 12},
	} {
		t.Run(name, func(t *testing.T) {
			w, got := run(t, fault)
			got.want(t, exitYes, "there again")
			if after, _ := w.cloud.StreamConfig(domain); after != before {
				t.Errorf("got %+v afterwards", after)
			}
		})
	}
	t.Run("a failure that lasts", func(t *testing.T) {
		_, got := run(t, emulator.Fault{Action: "SetLiveStreamsNotifyUrlConfig", Code: "InternalError", Status: http.StatusInternalServerError})
		got.want(t, exitUnknown, domain+" had notifyURL="+before.NotifyURL, domain+" had exceptionNotifyURL="+before.ExceptionNotifyURL,
			domain+" had authentication=(hidden)", "put it back by hand", "InternalError")
	})
}

func TestProbeFindsAReceiverThatVerifiesNothing(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push-probe.example.com")
	w.call("probe", "lnc/push").want(t, exitUsage, "--yes")
	w.call("probe", "lnc/push", "--dry-run").want(t, exitYes, "Probe: 1 callback of stream, signed")
	w.call("probe", "lnc/push", "--yes").want(t, exitYes, "the receiver took it", "not public")
	if got := w.receiver.requests(); len(got) != 1 || got[0].Header.Get("X-Live-Notify-Probe") != "1" || !strings.Contains(got[0].URL, "id=live-notify-probe-") {
		t.Errorf("got %+v", got)
	}
	w.call("probe", "lnc/push", "--yes", "--verify").want(t, exitNo, "does not verify")
	w.callWith(t.Context(), recordKey+"\n", "probe", "--url", w.receiver.URL, "--as", "record", "--key-file", "-", "--yes").want(t, exitYes)
	w.call("probe", "--url", "http://127.0.0.1:1/", "--as", "mpu", "--yes").want(t, exitNo, "refuses connections", "not published")
}

func TestSuspendResumeReconcileStatus(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push-suspend.example.com")
	w.call("suspend", "lnc/push").want(t, exitUsage, "--yes")
	w.call("suspend", "lnc/push", "--yes", "--reason", "because").want(t, exitYes, "suspended")
	w.call("plan", "lnc/push").want(t, exitNo, v1alpha1.ReasonSuspended)
	w.call("resume", "lnc/push", "--yes").want(t, exitYes, "resumed")
	w.call("plan", "lnc/push", "--show-in-sync").want(t, exitYes, "1 in sync")
	w.call("reconcile", "lnc/push", "-o", "json").want(t, exitYes, `"result": "asked to be looked at"`)
	var o v1alpha1.LiveNotifyConfig
	if err := api.Get(t.Context(), types.NamespacedName{Namespace: w.namespace, Name: "push"}, &o); err != nil {
		t.Fatal(err)
	}
	if o.Annotations[requestedAt] == "" || o.Annotations[suspendReason] != "" || o.Spec.Suspend {
		t.Errorf("got %+v, suspend %v", o.Annotations, o.Spec.Suspend)
	}
	w.call("status").want(t, exitNo, "Unknown", "1 unknown")
	w.call("check").want(t, exitNo, "It is of this version.", "No operator holds a lease", "They could be loaded.", "It lists the domains")
}
