// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/test/controlplane"
)

const callbacks = "../../charts/live-callbacks"

const callbackValues = `
commonLabels: {team: media}
commonAnnotations: {live.alibabacloud.com/deletion-protection: "true"}
defaults:
  accountRef: {name: media-team}
  deletionPolicy: Retain
  records: {window: 2h, unhealthyThreshold: 3}
livenotifyconfigs:
- domainName: push.example.com
  notifyURL: https://hooks.example.com/live/streams
  authentication: {keySecretRef: {name: live-callback-key, key: key}}
- name: other
  labels: {team: news}
  domainName: push.news.example.com
  exceptionNotifyURL: http://hooks.example.com:8080/exceptions
  deletionPolicy: Delete
  records: {unhealthyThreshold: 1}
liverecordnotifyconfigs:
- domainName: live.example.com
  notifyURL: https://hooks.example.com/recordings
  suspend: false
livertcmpueventsubs:
- name: conference
  appID: conference-app
  callbackURL: https://hooks.example.com/mpu
  channelIDs: [one, two]
livesnapshotnotifyconfigs:
- domainName: live.example.com
  notifyURL: https://hooks.example.com/snapshots
  authentication: {keySecretRef: {name: live-callback-key, key: key}}
livedetectnotifyconfigs:
- domainName: live.example.com
  notifyURL: https://hooks.example.com/video-review
liveaudioauditnotifyconfigs:
- domainName: live.example.com
  callbackURL: https://hooks.example.com/audio-review
  callbackTemplate: '{"stream":{StreamName},"result":{Result}}'
livertceventsubs:
- name: rooms
  appID: conference-app
  channelID: room-1
  events: [UserEvent]
  users: [alice, bob]
  callbackURL: https://hooks.example.com/events
livemessageappcallbacks:
- name: chat
  appID: chat-app
  dataCenter: ap-southeast-1
  eventCallbackURL: https://hooks.example.com/messages
`

func renderCallbacks(t *testing.T, values string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	return helm(t, "template", "callbacks", callbacks, "-n", "default", "-f", file)
}

// TestCallbacks renders a list of domains, and applies it to an API server that has
// the CRDs.
func TestCallbacks(t *testing.T) {
	t.Parallel()
	out, err := renderCallbacks(t, callbackValues)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	all := parse(t, out)
	spec := func(key string) string { return text(all[key]["spec"]) }
	for key, want := range map[string]string{
		"LiveNotifyConfig/default/push-example-com":       `{"accountRef":{"name":"media-team"},"authentication":{"keySecretRef":{"key":"key","name":"live-callback-key"}},"deletionPolicy":"Retain","domainName":"push.example.com","notifyURL":"https://hooks.example.com/live/streams","records":{"unhealthyThreshold":3,"window":"2h"}}`,
		"LiveNotifyConfig/default/other":                  `{"accountRef":{"name":"media-team"},"deletionPolicy":"Delete","domainName":"push.news.example.com","exceptionNotifyURL":"http://hooks.example.com:8080/exceptions","records":{"unhealthyThreshold":1,"window":"2h"}}`,
		"LiveRecordNotifyConfig/default/live-example-com": `{"accountRef":{"name":"media-team"},"deletionPolicy":"Retain","domainName":"live.example.com","notifyURL":"https://hooks.example.com/recordings","records":{"unhealthyThreshold":3,"window":"2h"},"suspend":false}`,
		"LiveRtcMPUEventSub/default/conference":           `{"accountRef":{"name":"media-team"},"appID":"conference-app","callbackURL":"https://hooks.example.com/mpu","channelIDs":["one","two"],"deletionPolicy":"Retain","records":{"unhealthyThreshold":3,"window":"2h"}}`,

		"LiveSnapshotNotifyConfig/default/live-example-com":   `{"accountRef":{"name":"media-team"},"authentication":{"keySecretRef":{"key":"key","name":"live-callback-key"}},"deletionPolicy":"Retain","domainName":"live.example.com","notifyURL":"https://hooks.example.com/snapshots"}`,
		"LiveDetectNotifyConfig/default/live-example-com":     `{"accountRef":{"name":"media-team"},"deletionPolicy":"Retain","domainName":"live.example.com","notifyURL":"https://hooks.example.com/video-review"}`,
		"LiveAudioAuditNotifyConfig/default/live-example-com": `{"accountRef":{"name":"media-team"},"callbackTemplate":"{\"stream\":{StreamName},\"result\":{Result}}","callbackURL":"https://hooks.example.com/audio-review","deletionPolicy":"Retain","domainName":"live.example.com"}`,
		"LiveRtcEventSub/default/rooms":                       `{"accountRef":{"name":"media-team"},"appID":"conference-app","callbackURL":"https://hooks.example.com/events","channelID":"room-1","deletionPolicy":"Retain","events":["UserEvent"],"records":{"unhealthyThreshold":3,"window":"2h"},"users":["alice","bob"]}`,
		"LiveMessageAppCallback/default/chat":                 `{"accountRef":{"name":"media-team"},"appID":"chat-app","dataCenter":"ap-southeast-1","deletionPolicy":"Retain","eventCallbackURL":"https://hooks.example.com/messages"}`,
	} {
		if diff := cmp.Diff(want, spec(key)); diff != "" {
			t.Errorf("%s:\n%s", key, diff)
		}
	}
	if len(all) != 9 {
		t.Errorf("there are %d objects", len(all))
	}
	meta := text(all["LiveNotifyConfig/default/other"]["metadata"])
	for _, want := range []string{`"team":"news"`, `"live.alibabacloud.com/deletion-protection":"true"`} {
		if !strings.Contains(meta, want) {
			t.Errorf("no %s in %s", want, meta)
		}
	}

	api := cluster(t)
	for key, o := range all {
		if err := api.Create(t.Context(), &unstructured.Unstructured{Object: o}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// env is an API server with the CRDs, which all tests share that need one.
var env = &envtest.Environment{CRDDirectoryPaths: []string{"../../config/crd/bases"}, ErrorIfCRDPathMissing: true}

// started starts it, for the first test that asks.
var started = sync.OnceValues(func() (client.Client, error) {
	var err error
	if env.BinaryAssetsDirectory, err = controlplane.Assets(context.Background(), os.Stderr); err != nil {
		return nil, err
	}
	config, err := env.Start()
	if err != nil {
		return nil, err
	}
	return client.New(config, client.Options{})
})

func TestMain(m *testing.M) {
	code := m.Run()
	if env.Config != nil {
		if err := env.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the API server:", err)
		}
	}
	os.Exit(code)
}

// cluster returns a client of an API server that knows the kinds, and keeps nothing:
// what the tests create is no hindrance to each other.
func cluster(t *testing.T) client.Client {
	t.Helper()
	api, err := started()
	if err != nil {
		t.Fatal(err)
	}
	return client.NewDryRunClient(api)
}

// TestCallbacksRefused holds the chart to the CRDs: what one refuses the other refuses
// too, in the same words.
func TestCallbacksRefused(t *testing.T) {
	t.Parallel()
	api := cluster(t)
	const at = "https://hooks.example.com/live"
	for name, tt := range map[string]struct {
		plural, kind string
		spec         map[string]any
		want         string // in what helm says
	}{
		"no domain":            {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"notifyURL": at}, "missing property 'domainName'"},
		"no URL":               {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com"}, "missing property"},
		"no scheme":            {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": "hooks.example.com"}, "notifyURL"},
		"a port":               {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": "https://hooks.example.com:65536/"}, "notifyURL"},
		"an address":           {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": "https://1.2.3.256/"}, "notifyURL"},
		"a template":           {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": "https://hooks.example.com/${X}"}, "notifyURL"},
		"no host":              {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": "https://0.0.0.0/"}, "notifyURL"},
		"null for a domain":    {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": nil, "notifyURL": at}, "domainName': got null, want string"},
		"null for a name":      {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at, "accountRef": map[string]any{"name": nil}}, "accountRef/name': got null, want string"},
		"a left-over filter":   {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at, "records": map[string]any{"appName": "${APP}"}}, "records/appName"},
		"a left-over user":     {"livertceventsubs", "LiveRtcEventSub", map[string]any{"appID": "app", "callbackURL": at, "channelID": "a", "events": []any{"UserEvent"}, "users": []any{"<user>"}}, "users/0"},
		"this machine":         {"livemessageappcallbacks", "LiveMessageAppCallback", map[string]any{"appID": "app", "eventCallbackURL": "https://localhost/"}, "eventCallbackURL"},
		"a domain with caps":   {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "A.example.com", "notifyURL": at}, "domainName"},
		"a domain of numbers":  {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "1.2.3.4", "notifyURL": at}, "domainName"},
		"a policy":             {"liverecordnotifyconfigs", "LiveRecordNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at, "driftPolicy": "Ignore"}, "driftPolicy"},
		"a field":              {"liverecordnotifyconfigs", "LiveRecordNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at, "notifyUrl": at}, "'notifyUrl' not allowed"},
		"a threshold":          {"liverecordnotifyconfigs", "LiveRecordNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at, "records": map[string]any{"unhealthyThreshold": int64(0)}}, "unhealthyThreshold"},
		"a long URL":           {"livesnapshotnotifyconfigs", "LiveSnapshotNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at + strings.Repeat("a", 500)}, "notifyURL"},
		"counts of none":       {"livedetectnotifyconfigs", "LiveDetectNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at, "records": map[string]any{}}, "'records' not allowed"},
		"a long template":      {"liveaudioauditnotifyconfigs", "LiveAudioAuditNotifyConfig", map[string]any{"domainName": "a.example.com", "callbackURL": at, "callbackTemplate": strings.Repeat("a", 2049)}, "callbackTemplate"},
		"an event":             {"livertceventsubs", "LiveRtcEventSub", map[string]any{"appID": "app", "callbackURL": at, "events": []any{"RoomEvent"}}, "events"},
		"no event":             {"livertceventsubs", "LiveRtcEventSub", map[string]any{"appID": "app", "callbackURL": at}, "missing property 'events'"},
		"a data center":        {"livemessageappcallbacks", "LiveMessageAppCallback", map[string]any{"appID": "app", "eventCallbackURL": at, "dataCenter": "cn-beijing"}, "dataCenter"},
		"a port of messages":   {"livemessageappcallbacks", "LiveMessageAppCallback", map[string]any{"appID": "app", "eventCallbackURL": "https://hooks.example.com:8443/"}, "eventCallbackURL"},
		"a channel twice":      {"livertcmpueventsubs", "LiveRtcMPUEventSub", map[string]any{"appID": "app", "callbackURL": at, "channelIDs": []any{"a", "a"}}, "channelIDs"},
		"a long window":        {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at, "records": map[string]any{"window": "200h"}}, "records/window must be a duration from 1m to 167h"},
		"a short window":       {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at, "records": map[string]any{"window": "59s"}}, "records/window must be a duration"},
		"a window of parts":    {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at, "records": map[string]any{"window": "166h59m61s"}}, "records/window must be a duration"},
		"no duration":          {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at, "records": map[string]any{"window": "1d"}}, "records/window must be a duration"},
		"a short interval":     {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at, "records": map[string]any{"interval": "1s"}}, "records/interval must be a duration from 30s to 24h"},
		"a guard's window":     {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at, "guard": map[string]any{"window": "30s"}}, "guard/window must be a duration from 1m to 24h"},
		"a long resync":        {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at, "resyncInterval": "25h"}, "resyncInterval must be a duration from 1m to 24h"},
		"a space":              {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": "https://hooks.example.com/a b"}, "notifyURL"},
		"a space behind":       {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": at + " "}, "notifyURL"},
		"an empty URL":         {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": ""}, "notifyURL"},
		"a password":           {"livenotifyconfigs", "LiveNotifyConfig", map[string]any{"domainName": "a.example.com", "notifyURL": "https://a:b@hooks.example.com/"}, "notifyURL"},
		"users of all":         {"livertceventsubs", "LiveRtcEventSub", map[string]any{"appID": "app", "callbackURL": at, "events": []any{"UserEvent"}, "users": []any{"alice"}}, "users are for a single channel: set channelID"},
		"users of *":           {"livertceventsubs", "LiveRtcEventSub", map[string]any{"appID": "app", "callbackURL": at, "events": []any{"UserEvent"}, "users": []any{"alice"}, "channelID": "*"}, "users are for a single channel: set channelID"},
		"a placeholder":        {"liveaudioauditnotifyconfigs", "LiveAudioAuditNotifyConfig", map[string]any{"domainName": "a.example.com", "callbackURL": at, "callbackTemplate": "{Foo}"}, "callbackTemplate must have no other placeholders"},
		"a blank template":     {"liveaudioauditnotifyconfigs", "LiveAudioAuditNotifyConfig", map[string]any{"domainName": "a.example.com", "callbackURL": at, "callbackTemplate": " "}, "callbackTemplate"},
		"a left-over template": {"liveaudioauditnotifyconfigs", "LiveAudioAuditNotifyConfig", map[string]any{"domainName": "a.example.com", "callbackURL": at, "callbackTemplate": "{{ x }}"}, "callbackTemplate"},
		"an open placeholder":  {"liveaudioauditnotifyconfigs", "LiveAudioAuditNotifyConfig", map[string]any{"domainName": "a.example.com", "callbackURL": at, "callbackTemplate": "{Result"}, "callbackTemplate"},
	} {
		t.Run(name, func(t *testing.T) {
			entry := map[string]any{"name": "x"}
			maps.Copy(entry, tt.spec)
			values, err := json.Marshal(map[string]any{tt.plural: []any{entry}})
			if err != nil {
				t.Fatal(err)
			}
			if out, err := renderCallbacks(t, string(values)); err == nil || !strings.Contains(out, tt.want) {
				t.Errorf("helm: got %v and %s, want %q", err, out, tt.want)
			}
			o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "live.alibabacloud.com/v1alpha1", "kind": tt.kind, "spec": tt.spec}}
			o.SetName("x")
			o.SetNamespace("default")
			if err := client.WithFieldValidation(api, "Strict").Create(t.Context(), o); err == nil {
				t.Error("the API server accepts it")
			}
		})
	}
}

// TestCallbacksBounds: what is just within the bounds is taken, by the API server too.
func TestCallbacksBounds(t *testing.T) {
	t.Parallel()
	out, err := renderCallbacks(t, `{defaults: {records: {window: 166h59m60s, interval: 0.5m}, guard: {window: 60s}, resyncInterval: 1440m},
		commonAnnotations: {Example.com/a: "b c"}, commonLabels: {example.com/a_b: ""},
		livenotifyconfigs: [{domainName: a.com, notifyURL: "https://hooks.example.com/"}],
		livertceventsubs: [{name: a, appID: a, events: [UserEvent], users: [], callbackURL: "https://hooks.example.com/"}, {name: b, appID: a, channelID: "1", events: [UserEvent], users: [a], callbackURL: "https://hooks.example.com/"}],
		liveaudioauditnotifyconfigs: [{domainName: a.com, callbackURL: "https://hooks.example.com/", callbackTemplate: '{"a": {Result}, "b": {"c": 1}}'}]}`)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	api := cluster(t)
	for key, o := range parse(t, out) {
		if err := api.Create(t.Context(), &unstructured.Unstructured{Object: o}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestCallbacksLabels: labels and annotations that no object can have are refused.
func TestCallbacksLabels(t *testing.T) {
	t.Parallel()
	const entry = `livenotifyconfigs: [{domainName: a.com, notifyURL: "https://hooks.example.com/"%s}]`
	for values, want := range map[string]string{
		fmt.Sprintf(entry, `, labels: {a: "b c"}`):                    "at '/livenotifyconfigs/0/labels/a': 'b c' does not match",
		fmt.Sprintf(entry, `, labels: {a/b/c: d}`):                    "at '/livenotifyconfigs/0/labels': additional properties 'a/b/c' not allowed",
		fmt.Sprintf(entry, `, annotations: {"a b": c}`):               "at '/livenotifyconfigs/0/annotations': additional properties 'a b' not allowed",
		fmt.Sprintf("{commonLabels: {\"a b\": c}, "+entry+"}", ""):    "at '/commonLabels': additional properties 'a b' not allowed",
		fmt.Sprintf("{commonLabels: {a: b_}, "+entry+"}", ""):         "at '/commonLabels/a': 'b_' does not match",
		fmt.Sprintf("{commonAnnotations: {a/b/c: d}, "+entry+"}", ""): "at '/commonAnnotations': additional properties 'a/b/c' not allowed",
	} {
		if out, err := renderCallbacks(t, values); err == nil || !strings.Contains(out, want) {
			t.Errorf("%s: got %v and %s, want %q", values, err, out, want)
		}
	}
}

// TestCallbacksNull: null in an entry drops a default, as Helm has it where a chart has
// one. What the API server has for a field applies then.
func TestCallbacksNull(t *testing.T) {
	t.Parallel()
	api := cluster(t)
	const common = "{defaults: {accountRef: {name: team}, deletionPolicy: Retain, suspend: true, records: {window: 2h, unhealthyThreshold: 2000000, appName: live}, guard: {window: 20m, maxFailures: 3}}, commonLabels: {a: b, c: d}, commonAnnotations: {e: f}, livenotifyconfigs: [{domainName: a.com, notifyURL: 'https://hooks.example.com/'%s}]%s}"
	const all = `"accountRef":{"name":"team"},"deletionPolicy":"Retain"`
	const records = `"records":{"appName":"live","unhealthyThreshold":2000000,"window":"2h"}`
	const guard = `"guard":{"maxFailures":3,"window":"20m"}`
	const own = `"domainName":"a.com"`
	const url = `"notifyURL":"https://hooks.example.com/"`
	for name, tt := range map[string]struct{ entry, more, spec string }{
		"nothing":            {"", "", "{" + all + "," + own + "," + guard + "," + url + "," + records + `,"suspend":true}`},
		"an account":         {", accountRef: null", "", `{"deletionPolicy":"Retain",` + own + "," + guard + "," + url + "," + records + `,"suspend":true}`},
		"a policy":           {", deletionPolicy: null, suspend: null", "", `{"accountRef":{"name":"team"},` + own + "," + guard + "," + url + "," + records + "}"},
		"a field of records": {", records: {window: null, appName: null}", "", "{" + all + "," + own + "," + guard + "," + url + `,"records":{"unhealthyThreshold":2000000},"suspend":true}`},
		"all of records":     {", records: null, guard: null", "", "{" + all + "," + own + "," + url + `,"suspend":true}`},
		"a guard's window":   {", guard: {window: null, maxFailures: 7}", "", "{" + all + "," + own + `,"guard":{"maxFailures":7},` + url + "," + records + `,"suspend":true}`},
		"what has no default": {
			", exceptionNotifyURL: null, authentication: null, driftPolicy: null, name: null, labels: null, annotations: null", ", livertcmpueventsubs: null",
			"{" + all + "," + own + "," + guard + "," + url + "," + records + `,"suspend":true}`,
		},
		"no default but false": {", suspend: false", "", "{" + all + "," + own + "," + guard + "," + url + "," + records + `,"suspend":false}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := renderCallbacks(t, fmt.Sprintf(common, tt.entry, tt.more))
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			o := parse(t, out)["LiveNotifyConfig/default/a-com"]
			if diff := cmp.Diff(tt.spec, text(o["spec"])); diff != "" {
				t.Error(diff)
			}
			if err := api.Create(t.Context(), &unstructured.Unstructured{Object: o}); err != nil {
				t.Error(err)
			}
		})
	}

	out, err := renderCallbacks(t, `{defaults: {accountRef: null, records: {window: null, interval: 1m}}, commonLabels: {a: b, c: null}, commonAnnotations: null,
		livenotifyconfigs: [{domainName: a.com, notifyURL: "https://hooks.example.com/", labels: {a: null, d: e}}]}`)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	o := &unstructured.Unstructured{Object: parse(t, out)["LiveNotifyConfig/default/a-com"]}
	labels := o.GetLabels()
	if _, has := labels["a"]; has || labels["d"] != "e" || o.GetAnnotations() != nil || len(labels) != 4 {
		t.Errorf("got labels %v and annotations %v", labels, o.GetAnnotations())
	}
	if got := text(o.Object["spec"]); got != `{"domainName":"a.com","notifyURL":"https://hooks.example.com/","records":{"interval":"1m"}}` {
		t.Errorf("got %s", got)
	}
}

// TestCallbacksOwnLabels: a label that the chart sets cannot be set beside it.
func TestCallbacksOwnLabels(t *testing.T) {
	t.Parallel()
	for values, want := range map[string]string{
		`{commonLabels: {helm.sh/chart: a}, livenotifyconfigs: [{domainName: a.com, notifyURL: "https://hooks.example.com/"}]}`:      "livenotifyconfigs[0] (domainName: a.com) has the label helm.sh/chart, which the chart sets itself",
		`livenotifyconfigs: [{domainName: a.com, notifyURL: "https://hooks.example.com/", labels: {app.kubernetes.io/instance: a}}]`: "has the label app.kubernetes.io/instance",
	} {
		if out, err := renderCallbacks(t, values); err == nil || !strings.Contains(out, want) {
			t.Errorf("got %v and %s, want %q", err, out, want)
		}
	}
}

// TestCallbacksTwice: of two entries with one name one object would be left, and of two
// for one domain the operator would refuse one. The message names both, and says what to
// do.
func TestCallbacksTwice(t *testing.T) {
	t.Parallel()
	const (
		stream  = `notifyURL: "https://hooks.example.com/live"`
		event   = `events: [UserEvent], callbackURL: "https://hooks.example.com/live"`
		message = `eventCallbackURL: "https://hooks.example.com/live"`
	)
	for name, tt := range map[string]struct {
		values string
		want   []string // in what helm says; none if it is accepted
	}{
		"one name of two domains": {
			`livenotifyconfigs: [{domainName: a-b.com, ` + stream + `}, {domainName: a.b.com, ` + stream + `}]`,
			[]string{`livenotifyconfigs[0] (domainName: a-b.com) and livenotifyconfigs[1] (domainName: a.b.com) would both be the LiveNotifyConfig "a-b-com": give one of them another name`},
		},
		"one name by hand": {
			`liverecordnotifyconfigs: [{domainName: a.com, ` + stream + `}, {name: x, domainName: b.com, ` + stream + `}, {name: a-com, domainName: c.com, ` + stream + `}]`,
			[]string{`liverecordnotifyconfigs[0] (domainName: a.com) and liverecordnotifyconfigs[2] (name: a-com, domainName: c.com) would both be the LiveRecordNotifyConfig "a-com"`},
		},
		"one domain": {
			`livenotifyconfigs: [{domainName: a.com, ` + stream + `}, {domainName: b.com, ` + stream + `}, {domainName: a.com, ` + stream + `}]`,
			[]string{`livenotifyconfigs[0] (domainName: a.com) and livenotifyconfigs[2] (domainName: a.com) are for the same domainName`, "make them one entry, or remove one"},
		},
		"one domain with two names": {
			`livesnapshotnotifyconfigs: [{domainName: a.com, ` + stream + `}, {name: other, domainName: a.com, ` + stream + `}]`,
			[]string{`livesnapshotnotifyconfigs[0] (domainName: a.com) and livesnapshotnotifyconfigs[1] (name: other, domainName: a.com) are for the same domainName`},
		},
		"one account by default and by hand": {
			`{defaults: {accountRef: {name: team}}, livenotifyconfigs: [{domainName: a.com, ` + stream + `}, {name: other, accountRef: {name: team}, domainName: a.com, ` + stream + `}]}`,
			[]string{"are for the same domainName"},
		},
		"one application": {
			`livertcmpueventsubs: [{name: one, appID: app, callbackURL: "https://hooks.example.com/"}, {name: two, appID: app, callbackURL: "https://hooks.example.com/"}]`,
			[]string{"livertcmpueventsubs[0] (name: one, appID: app) and livertcmpueventsubs[1] (name: two, appID: app) are for the same appID"},
		},
		"all channels by default and by hand": {
			`livertceventsubs: [{name: one, appID: app, ` + event + `}, {name: two, appID: app, channelID: "*", ` + event + `}]`,
			[]string{"livertceventsubs[0] (name: one, appID: app) and livertceventsubs[1] (name: two, appID: app, channelID: *) are for the same appID and channelID"},
		},
		"one data center by default and by hand": {
			`livemessageappcallbacks: [{name: one, appID: app, ` + message + `}, {name: two, appID: app, dataCenter: cn-shanghai, ` + message + `}]`,
			[]string{"are for the same appID and dataCenter"},
		},
		"all at once": {
			`{livenotifyconfigs: [{domainName: a-b.com, ` + stream + `}, {domainName: a.b.com, ` + stream + `}], liverecordnotifyconfigs: [{domainName: a.com, ` + stream + `}, {domainName: a.com, ` + stream + `}]}`,
			[]string{"livenotifyconfigs[1]", "liverecordnotifyconfigs[1]"},
		},
		"two channels":      {`livertceventsubs: [{name: one, appID: app, ` + event + `}, {name: two, appID: app, channelID: x, ` + event + `}]`, nil},
		"two data centers":  {`livemessageappcallbacks: [{name: one, appID: app, ` + message + `}, {name: two, appID: app, dataCenter: ap-southeast-1, ` + message + `}]`, nil},
		"two accounts":      {`livenotifyconfigs: [{domainName: a.com, ` + stream + `}, {name: other, accountRef: {name: team}, domainName: a.com, ` + stream + `}]`, nil},
		"a name of its own": {`livenotifyconfigs: [{domainName: a-b.com, ` + stream + `}, {name: a.b.com, domainName: a.b.com, ` + stream + `}]`, nil},
		"two kinds":         {`{livenotifyconfigs: [{domainName: a.com, ` + stream + `}], liverecordnotifyconfigs: [{domainName: a.com, ` + stream + `}]}`, nil},
		"two accounts and one name": {
			`livenotifyconfigs: [{domainName: a.com, ` + stream + `}, {accountRef: {name: team}, domainName: a.com, ` + stream + `}]`,
			[]string{`would both be the LiveNotifyConfig "a-com"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := renderCallbacks(t, tt.values)
			if tt.want == nil && err != nil || tt.want != nil && err == nil {
				t.Errorf("got %v and %s", err, out)
			}
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in %s", want, out)
				}
			}
		})
	}
}

// TestCallbacksDefaultsOfRecords: an RTC application has no streams, so that a default
// for these does not reach it, and the rest of the default does.
func TestCallbacksDefaultsOfRecords(t *testing.T) {
	t.Parallel()
	out, err := renderCallbacks(t, `{defaults: {records: {appName: live, window: 30m}},
		livenotifyconfigs: [{domainName: a.com, notifyURL: "https://hooks.example.com/"}],
		livertceventsubs: [{name: a, appID: a, events: [UserEvent], callbackURL: "https://hooks.example.com/"}],
		livertcmpueventsubs: [{name: a, appID: a, callbackURL: "https://hooks.example.com/"}]}`)
	if names, windows := strings.Count(out, "appName: live"), strings.Count(out, "window: 30m"); err != nil || names != 1 || windows != 3 {
		t.Errorf("got %v, appName in %d objects of 1, window in %d of 3:\n%s", err, names, windows, out)
	}
}

// TestCallbacksKeys holds what the chart takes for one configuration to what the
// operator does: by the fields that cannot be changed.
func TestCallbacksKeys(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(callbacks + "/files/kinds.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var kinds map[string]struct {
		Kind string
		Key  map[string]string
	}
	if err := yaml.Unmarshal(text, &kinds); err != nil {
		t.Fatal(err)
	}
	for _, k := range kind.All {
		of := kinds[strings.ToLower(k.Name)+"s"]
		if of.Kind != k.Name {
			t.Fatalf("%s: got %+v", k.Name, of)
		}
		// Each field of the key, and no other, makes another configuration.
		fields := map[string]any{"domainName": "one", "appID": "one", "channelID": "one", "dataCenter": "one", "name": "one", "notifyURL": "one", "callbackURL": "one"}
		keyOf := func(fields map[string]any) string {
			o := k.New()
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"spec": fields}, o); err != nil {
				t.Fatal(err)
			}
			return k.Key(o)
		}
		for field := range fields {
			other := maps.Clone(fields)
			other[field] = "two"
			_, isKey := of.Key[field]
			if changes := keyOf(fields) != keyOf(other); changes != isKey {
				t.Errorf("%s: %s makes another configuration: %v, and is in the key of the chart: %v", k.Name, field, changes, isKey)
			}
		}
	}
}

func TestCallbacksLint(t *testing.T) {
	t.Parallel()
	if out, err := helm(t, "lint", "--strict", callbacks); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
