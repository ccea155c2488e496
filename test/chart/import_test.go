// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/importing"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// TestCallbacksOfAnImport: what the command line imports as values is what the chart
// takes, for all kinds, and the API server takes what the chart makes of it.
func TestCallbacksOfAnImport(t *testing.T) {
	t.Parallel()
	cloud := emulator.New(emulator.Options{AccessKeys: []emulator.AccessKey{{ID: "id", Secret: "secret"}}})
	t.Cleanup(cloud.Close)
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	const hook, key = "https://hooks.example.com/live", "Key0123456789abcdef"
	cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	cloud.AddDomain("", "live.example.com", emulator.StreamingDomain)
	cloud.AddApp("", "conference")
	if err := cloud.AddMessageApp(emulator.MessageApp{AppID: "chat", EventCallbackURL: hook}); err != nil {
		t.Fatal(err)
	}
	cloud.SetStreamConfig("push.example.com", emulator.StreamConfig{NotifyURL: hook, ExceptionNotifyURL: hook, Auth: true, AuthKey: key})
	cloud.SetRecordConfig("live.example.com", emulator.RecordConfig{NotifyURL: hook, NeedStatusNotify: true})
	cloud.SetSnapshotConfig("live.example.com", emulator.SnapshotConfig{NotifyURL: hook, Auth: true, AuthKey: key})
	cloud.SetDetectConfig("live.example.com", emulator.DetectConfig{NotifyURL: hook})
	cloud.SetAuditConfig("live.example.com", emulator.AuditConfig{CallbackURL: hook, CallbackTemplate: `{"r":{Result}}`})
	cloud.SetMPUSub("conference", emulator.MPUSub{CallbackURL: hook, ChannelIDs: "a,b"})
	cloud.SetEventSubs("conference", []emulator.EventSub{{ChannelID: "room", Events: []string{"UserEvent"}, Users: []string{"alice"}, CallbackURL: hook}})

	credentials, err := live.AccessKey("id", "secret", "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := live.NewClient(live.Options{Endpoint: server.URL, Credentials: credentials})
	if err != nil {
		t.Fatal(err)
	}
	r, err := importing.Import(t.Context(), c, importing.Options{
		Query: importing.Query{Kinds: kind.All, AppIDs: []string{"conference", "chat"}, Halt: true}, Account: "media-team",
		ManagementPolicy: v1alpha1.Observe, DeletionPolicy: v1alpha1.DeletionRetain, KeySecret: "keys",
	})
	if err != nil {
		t.Fatal(err)
	}
	values, err := importing.HelmValues(r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(values, key) {
		t.Error("a key is in the values")
	}
	out, err := renderCallbacks(t, values)
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, values)
	}
	all, api := parse(t, out), cluster(t)
	rendered := map[string]bool{}
	for name, o := range all {
		rendered[o["kind"].(string)] = true
		if err := api.Create(t.Context(), &unstructured.Unstructured{Object: o}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, k := range kind.All {
		if !rendered[k.Name] {
			t.Errorf("no %s is rendered of\n%s", k.Name, values)
		}
	}
}
