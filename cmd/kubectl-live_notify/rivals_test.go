// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// rival returns a document with an object of a domain.
func rival(name, domain, more string) string {
	return fmt.Sprintf("---\napiVersion: live.alibabacloud.com/v1alpha1\nkind: LiveNotifyConfig\nmetadata: {name: %s}\n"+
		"spec: {domainName: %s, notifyURL: 'https://hooks.example.com/%s'%s}\n", name, domain, name, more)
}

// planned returns the sign and the reason of each object of a plan.
func (w *world) planned(args ...string) map[string]string {
	w.t.Helper()
	var plan struct {
		Items []struct{ Change, Name, Reason string }
	}
	got := w.call(append(append([]string{"plan"}, args...), "-o", "json", "--show-in-sync")...)
	if err := json.Unmarshal([]byte(got.out), &plan); err != nil {
		w.t.Fatalf("%v\n%s%s", err, got.out, got.err)
	}
	items := map[string]string{}
	for _, i := range plan.Items {
		items[i.Name] = i.Change
		if i.Change == "!" {
			items[i.Name] += " " + i.Reason
		}
	}
	return items
}

// Of the manifests of one run that name one configuration, one is planned, and the
// others are refused as the operator would.
func TestRivalsOfOneRun(t *testing.T) {
	const conflict = "! " + v1alpha1.ReasonConflict
	for name, tc := range map[string]struct {
		files map[string]string
		want  map[string]string
	}{
		"in one file": {map[string]string{"a.yaml": rival("x", "push.example.com", "") + rival("a", "push.example.com", "")}, map[string]string{"x": "+", "a": conflict}},
		"in two files": {
			map[string]string{"a.yaml": rival("x", "push.example.com", ""), "b.yaml": rival("a", "push.example.com", "")},
			map[string]string{"x": "+", "a": conflict},
		},
		"three": {
			map[string]string{"a.yaml": rival("c", "push.example.com", "") + rival("b", "push.example.com", "") + rival("a", "push.example.com", "")},
			map[string]string{"c": "+", "b": conflict, "a": conflict},
		},
		"of several domains": {
			map[string]string{"a.yaml": rival("a", "push.example.com", "") + rival("b", "other.example.com", "") + rival("c", "push.example.com", "")},
			map[string]string{"a": "+", "b": "+", "c": conflict},
		},
		"the first is suspended": {
			map[string]string{"a.yaml": rival("a", "push.example.com", ", suspend: true") + rival("b", "push.example.com", "")},
			map[string]string{"a": "! " + v1alpha1.ReasonSuspended, "b": conflict},
		},
		"a domain that is not there": { // whoever is refused it has no claim
			map[string]string{"a.yaml": rival("a", "gone.example.com", "") + rival("b", "gone.example.com", "")},
			map[string]string{"a": "! " + v1alpha1.ReasonDomainNotFound, "b": "! " + v1alpha1.ReasonDomainNotFound},
		},
		"of another kind": {
			map[string]string{"a.yaml": rival("a", "push.example.com", "") + "---\napiVersion: live.alibabacloud.com/v1alpha1\nkind: LiveRtcMPUEventSub\n" +
				"metadata: {name: b}\nspec: {appID: app, callbackURL: 'https://hooks.example.com/b'}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"},
			map[string]string{"a": "+", "b": "+"},
		},
	} {
		for _, offline := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s offline %t", name, offline), func(t *testing.T) {
				w := newWorld(t, emulator.Options{})
				if offline {
					withoutCluster(t)
				}
				w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
				w.cloud.AddDomain("", "other.example.com", emulator.IngestDomain)
				w.cloud.AddApp("", "app")
				dir := w.directory(tc.files)
				for range 3 { // what the API server makes up in a dry run does not count
					if diff := cmp.Diff(tc.want, w.planned("-f", dir)); diff != "" {
						t.Fatal(diff)
					}
				}
			})
		}
	}
}

// directory writes files, and returns where they are.
func (w *world) directory(files map[string]string) string {
	w.t.Helper()
	dir := w.t.TempDir()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(files[name]), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	return dir
}

// What is in the cluster comes before what is not, wherever it is in the manifests,
// and also if it is in none of them.
func TestTheClusterComesFirst(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	w.apply(&v1alpha1.LiveNotifyConfig{
		ObjectMeta: metav1.ObjectMeta{Name: "old"},
		Spec:       v1alpha1.LiveNotifyConfigSpec{DomainName: "push.example.com", NotifyURL: "https://hooks.example.com/old"},
	})
	newer, both := w.file("new.yaml", rival("new", "push.example.com", "")), w.file("both.yaml", rival("new", "push.example.com", "")+rival("old", "push.example.com", ""))
	if diff := cmp.Diff(map[string]string{"new": "! Conflict"}, w.planned("-f", newer)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"new": "! Conflict", "old": "+"}, w.planned("-f", both)); diff != "" {
		t.Error(diff)
	}
	elsewhere := w.file("elsewhere.yaml", "---\n"+fmt.Sprintf("apiVersion: live.alibabacloud.com/v1alpha1\nkind: LiveNotifyConfig\nmetadata: {name: new, namespace: not-there-yet}\n"+
		"spec: {domainName: %s, notifyURL: 'https://hooks.example.com/new'}\n", "push.example.com"))
	w.anywhere = true
	if diff := cmp.Diff(map[string]string{"new": "! Conflict"}, w.planned("-f", elsewhere)); diff != "" {
		t.Errorf("in a namespace that does not exist: %s", diff)
	}
}

// An object whose manifest gives its domain to another account counts as it would be:
// without that it does not come first, and then the other one has the domain.
func TestAManifestCountsAsItWouldBe(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	old := &v1alpha1.LiveNotifyConfig{
		ObjectMeta: metav1.ObjectMeta{Name: "old"},
		Spec:       v1alpha1.LiveNotifyConfigSpec{DomainName: "push.example.com", NotifyURL: "https://hooks.example.com/old"},
	}
	w.apply(old)
	path := w.file("both.yaml", rival("old", "push.example.com", ", accountRef: {name: none}")+rival("new", "push.example.com", ""))
	if diff := cmp.Diff(map[string]string{"old": "! " + v1alpha1.ReasonConflict, "new": "+"}, w.planned("-f", path)); diff != "" {
		t.Error(diff)
	}
}

// Copies of one manifest that was read from a cluster have one UID.
func TestCopiesOfOneManifest(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	withoutCluster(t)
	w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	text := ""
	for _, name := range []string{"b", "a"} {
		text += fmt.Sprintf("---\napiVersion: live.alibabacloud.com/v1alpha1\nkind: LiveNotifyConfig\nmetadata: {name: %s, uid: '1234', creationTimestamp: '%s'}\n"+
			"spec: {domainName: push.example.com, notifyURL: 'https://hooks.example.com/'}\n", name, time.Now().UTC().Format(time.RFC3339))
	}
	if diff := cmp.Diff(map[string]string{"b": "+", "a": "! Conflict"}, w.planned("-f", w.file("copies.yaml", text))); diff != "" {
		t.Error(diff)
	}
}

// One object that is there twice is a mistake, and both places are told.
func TestOneObjectTwice(t *testing.T) {
	secret := "---\napiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {key: " + streamKey + "}\n"
	for _, offline := range []bool{false, true} {
		w := newWorld(t, emulator.Options{})
		if offline {
			withoutCluster(t)
		}
		w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
		one := w.file("one.yaml", rival("a", "push.example.com", "")+secret+rival("a", "other.example.com", ""))
		w.call("plan", "-f", one).want(t, exitUsage, one+" (object 3): livenotifyconfig/a in "+w.namespace+" is there before, in "+one+" (object 1)")
		dir := w.directory(map[string]string{"a.yaml": rival("a", "push.example.com", "") + secret, "b.yaml": rival("a", "push.example.com", ""), "c.yaml": secret})
		w.call("plan", "-f", dir).want(t, exitUsage,
			filepath.Join(dir, "b.yaml")+": livenotifyconfig/a in "+w.namespace+" is there before, in "+filepath.Join(dir, "a.yaml")+" (object 1)",
			filepath.Join(dir, "c.yaml")+": secret/key in "+w.namespace+" is there before, in "+filepath.Join(dir, "a.yaml")+" (object 2)")
		w.anywhere = true
		w.call("plan", "-f", w.file("fine.yaml", rival("a", "push.example.com", "")+"---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"+strings.Replace(rival("a", "push.example.com", ""), "name: a", "name: a, namespace: "+w.namespace, 1))).want(t, exitNo, "1 to create", "1 blocked")
	}
}
