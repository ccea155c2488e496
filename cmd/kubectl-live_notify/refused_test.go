// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/test/schema"
)

// Every manifest that the schema's own tests know to be refused is exit 2, in the
// words of the API server, whether there is one or not.
func TestRefusedManifests(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	cases := schema.Refused()
	maps.Copy(cases, schema.WithURL())
	for kind := range schema.Fine {
		cases[kind+": no spec"] = schema.Case{Kind: kind, Field: "spec", Say: "Required value"}
	}
	if len(cases) < 500 {
		t.Fatalf("there are %d cases", len(cases))
	}
	cache, dir := t.TempDir(), t.TempDir()
	plan := func(path, cluster string) answer {
		var out, errOut bytes.Buffer
		a := newApp("kubectl live-notify", strings.NewReader(""), &out, &errOut)
		code := a.run(t.Context(), []string{"plan", "-f", path, "--endpoint", w.url, "-n", "default", "--cache-dir", cache, "--kubeconfig", cluster})
		return answer{code, out.String(), errOut.String()}
	}
	none := filepath.Join(dir, "none")
	if err := os.WriteFile(none, []byte("apiVersion: v1\nkind: Config\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for n, name := range slices.Sorted(maps.Keys(cases)) {
		tc := cases[name]
		if tc.Value != nil && n%9 != 0 && !long {
			continue // each bad URL comes in nine fields, and is the same in all
		}
		if testing.Short() && n%12 != 0 {
			continue // nothing goes on beside it
		}
		o, err := tc.Object()
		if err != nil {
			t.Fatal(err)
		}
		if tc.Spec == "" && tc.Value == nil {
			delete(o.Object, "spec")
		}
		o.SetGenerateName("")
		o.SetName("case")
		text, err := o.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "case.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		here := plan(path, none).want(t, exitUsage, tc.Field, tc.Say)
		if n%4 != 0 && !long {
			continue // each rule has several cases
		}
		there := plan(path, kubeconfig).want(t, exitUsage, tc.Field, tc.Say)
		here.err = strings.TrimPrefix(here.err, "No cluster is configured: this goes on without one.\n")
		if here.err != there.err {
			t.Errorf("%s: with an API server:\n%swithout:\n%s", name, there.err, here.err)
		}
		if t.Failed() && n%50 == 49 {
			t.FailNow() // enough to see what is wrong
		}
	}
	t.Logf("%d manifests", len(cases))
}

// What a manifest has by mistake is not repeated: neither a password nor a key, by
// whichever rule it is refused, with an API server and without.
func TestRefusalsRepeatNoValue(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	dir := t.TempDir()
	none := filepath.Join(dir, "none")
	if err := os.WriteFile(none, []byte("apiVersion: v1\nkind: Config\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const canary = "hunter2Canary"
	for name, text := range map[string]string{
		"password": manifestOf("push.example.com", "https://me:"+canary+"@hooks.example.com/", ""),
		"quotes":   manifestOf("push.example.com", `https://me:"`+canary+`@hooks.example.com/`, ""),
		"name":     manifestOf("-"+canary, "https://hooks.example.com/", ""),
		"value":    manifestOf("push.example.com", "https://hooks.example.com/", ", driftPolicy: "+canary),
		"object":   manifestOf("push.example.com", "https://hooks.example.com/", ", driftPolicy: {a: "+canary+"}"),
	} {
		path := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, cluster := range []string{kubeconfig, none} {
			got := w.call("plan", "-f", path, "--kubeconfig", cluster).want(t, exitUsage, "spec.")
			if strings.Contains(got.out+got.err, canary) {
				t.Errorf("%s: the value is shown:\n%s", name, got.err)
			}
		}
	}
}

// What a reader says of a file is cleaned, but for the name of the file.
func TestUnreadableRepeatsNoKey(t *testing.T) {
	const canary, file = "0123456789abcdefCANARY0123456789", "teams/a-team-with-a-long-name/callbacks.yaml"
	for _, begin := range []string{"error parsing " + file + ": ", `unable to decode "` + file + `": `} {
		got := unreadable(errors.New(begin + `yaml: line 4: key "` + canary + `" already set in map`)).Error()
		if strings.Contains(got, canary) || !strings.Contains(got, file) || !strings.Contains(got, "line 4") {
			t.Errorf("got %q, want the file and the line, and no key", got)
		}
	}
	if got := unreadable(errors.New(`the path "` + file + `" does not exist`)).Error(); !strings.Contains(got, file) {
		t.Errorf("got %q, want the path", got)
	}
}

// All manifests that are invalid are told at once, with their files.
func TestAllRefusalsAtOnce(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	dir := t.TempDir()
	for name, url := range map[string]string{"a.yaml": "ftp://hooks.example.com", "b.yaml": "https://hooks.example.com/%zz", "c.yaml": "https://hooks.example.com/"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(manifestOf("push.example.com", url, "")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.call("plan", "-f", dir).want(t, exitUsage, filepath.Join(dir, "a.yaml")+": LiveNotifyConfig", "must start with http://",
		filepath.Join(dir, "b.yaml")+": LiveNotifyConfig", schema.SayEscape)
}
