// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// What kubectl apply would refuse for its apiVersion or its kind is refused with its
// place, in a file, among others, and in a list.
func TestManifestsOfNoType(t *testing.T) {
	const (
		version = `the version is "live.alibabacloud.com/v1alpha1"`
		noKind  = "Object 'Kind' is missing"
		noOne   = "Object 'apiVersion' is missing"
		fine    = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`
	)
	of := func(head string) string {
		return `{` + head + `"metadata":{"name":"a"},"spec":{"domainName":"push.example.com","notifyURL":"https://hooks.example.com/"}}`
	}
	w := newWorld(t, emulator.Options{})
	for name, tc := range map[string]struct{ text, says string }{
		"no apiVersion":                 {of(`"kind":"LiveNotifyConfig",`), noOne},
		"an empty apiVersion":           {of(`"apiVersion":"","kind":"LiveNotifyConfig",`), noOne},
		"no apiVersion of another kind": {of(`"kind":"ConfigMap",`), noOne},
		"no kind":                       {of(`"apiVersion":"live.alibabacloud.com/v1alpha1",`), noKind},
		"neither":                       {of(``), noKind},
		"another group":                 {of(`"apiVersion":"live.alibaba.com/v1alpha1","kind":"LiveNotifyConfig",`), version},
		"another group and version":     {of(`"apiVersion":"apps/v1","kind":"LiveRolloutPolicy",`), version},
		"no group":                      {of(`"apiVersion":"v1alpha1","kind":"LiveAccount",`), version},
		"no version":                    {of(`"apiVersion":"live.alibabacloud.com","kind":"LiveNotifyConfig",`), version},
		"an empty version":              {of(`"apiVersion":"live.alibabacloud.com/","kind":"LiveNotifyConfig",`), "apiVersion: Invalid value"},
		"three parts":                   {of(`"apiVersion":"live.alibabacloud.com/v1alpha1/x","kind":"LiveNotifyConfig",`), "apiVersion: Invalid value"},
		"another group in lower case":   {of(`"apiVersion":"live.alibaba.com/v1alpha1","kind":"livenotifyconfig",`), "no matches for kind"},
		"a number":                      {of(`"apiVersion":1,"kind":"LiveNotifyConfig",`), noOne},
		"a list":                        {`[` + fine + `]`, "cannot be decoded"},
		"a text":                        {`"hello"`, "cannot be decoded"},
		"labels of a number":            {`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"a":1}}}`, "cannot be decoded"},
		"a name that is a list":         {`{"apiVersion":"live.alibabacloud.com/v1alpha1","kind":"LiveNotifyConfig","metadata":{"name":["a"]}}`, "cannot be decoded"},
		"metadata that are no object":   {`{"apiVersion":"live.alibabacloud.com/v1alpha1","kind":"LiveNotifyConfig","metadata":7}`, "cannot be decoded"},
	} {
		for _, offline := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s offline %t", name, offline), func(t *testing.T) {
				w.t = t
				if offline {
					withoutCluster(t)
				}
				one := w.file("one.yaml", tc.text)
				if got := w.call("plan", "-f", one).want(t, exitUsage, one+": ", tc.says); strings.Contains(got.err, "unmarshal") || strings.Contains(got.err, "hello") {
					t.Errorf("the words of a reader are told: %s", got.err)
				}
				second := w.file("second.yaml", fine+"\n---\n# nothing\n---\n"+tc.text+"\n---\n"+fine)
				w.call("plan", "-f", second).want(t, exitUsage, second+" (object 2): ", tc.says)
				w.callWith(t.Context(), fine+"\n---\n"+tc.text, "plan", "-f", "-").want(t, exitUsage, "stdin (object 2): ", tc.says)
				list := w.file("list.yaml", `{"apiVersion":"v1","kind":"List","items":[`+fine+`,`+tc.text+`]}`)
				w.call("plan", "-f", list).want(t, exitUsage, list+" (object 2): ", tc.says)
				nested := w.file("nested.yaml", `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"List","items":[`+fine+`,`+tc.text+`]}]}`)
				w.call("plan", "-f", nested).want(t, exitUsage, nested+" (object 2): ", tc.says)
			})
		}
	}
}

// All that is wrong is told in one run, whatever of it can be decoded.
func TestUndecodableHidesNothing(t *testing.T) {
	bad := manifestOf("push.example.com", "ftp://hooks.example.com", "")
	w := newWorld(t, emulator.Options{})
	dir := w.directory(map[string]string{
		"a.yaml": "a: [b\n", "b.yaml": bad, "c.yaml": rival("c", "push.example.com", "") + "---\nmetadata: {name: key}\nstringData: {key: " + streamKey + "}\n" + "---\n" + strings.Replace(bad, "push}", "other}", 1),
		"d.yaml": bad + "---\n{{ .Values.key }}: " + streamKey + "\n",
	})
	for _, more := range [][]string{nil, {"-f", filepath.Join(dir, "none.yaml")}} {
		got := w.call(append([]string{"plan", "-f", dir}, more...)...).want(t, exitUsage, "error parsing "+filepath.Join(dir, "a.yaml"),
			filepath.Join(dir, "b.yaml")+": LiveNotifyConfig", filepath.Join(dir, "c.yaml")+" (object 2): Object 'Kind' is missing",
			filepath.Join(dir, "c.yaml")+" (object 3): LiveNotifyConfig", filepath.Join(dir, "d.yaml"))
		if more != nil {
			got.want(t, exitUsage, "none.yaml\" does not exist")
		}
	}
	w.call("plan", "-f", dir, "-f", "http://127.0.0.1:1/a.yaml").want(t, exitUnknown, "cannot be fetched", "b.yaml: LiveNotifyConfig")
}

// An item of a list that is none hides no other, and is counted; how plan is called is told
// once, at the end.
func TestItemsThatAreNoObjects(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	item := func(url string) string {
		return `{metadata: {name: a}, spec: {domainName: push.example.com, notifyURL: "` + url + `"}}`
	}
	for _, none := range []string{"5", "text", "null", "[]", "{kind: X}", "{apiVersion: v1}", "{kind: X, apiVersion: v1, metadata: 7}"} {
		list := w.file("list.yaml", "apiVersion: live.alibabacloud.com/v1alpha1\nkind: LiveNotifyConfigList\nitems: ["+
			strings.Join([]string{none, item("ftp://hooks.example.com"), none, strings.Replace(item("gopher://hooks.example.com"), "name: a", "name: b", 1)}, ", ")+"]\n")
		got := w.call("plan", "-f", list, "-f", list+".none", "-f", list+".neither").want(t, exitUsage, list+" (object 1): ", list+" (object 2): LiveNotifyConfig", list+" (object 3): ", list+" (object 4): LiveNotifyConfig")
		if help := "Run 'kubectl live-notify plan --help' for usage.\n"; strings.Count(got.err, help) != 1 || !strings.HasSuffix(got.err, help) {
			t.Errorf("got %s", got.err)
		}
	}
}

// A list of one kind says once what its items are, as kubectl takes it; and a file of
// UTF-16 is read.
func TestFormsOfManifests(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	list := w.file("list.yaml", `apiVersion: live.alibabacloud.com/v1alpha1
kind: LiveNotifyConfigList
items: [{metadata: {name: a}, spec: {domainName: push.example.com, notifyURL: 'https://hooks.example.com/'}}]
`)
	w.call("plan", "-f", list).want(t, exitNo, "1 to create")
	wide := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(rival("a", "push.example.com", ""))) {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	w.call("plan", "-f", w.file("wide.yaml", string(wide))).want(t, exitNo, "1 to create")
}
