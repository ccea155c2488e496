// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// document returns a manifest of some head, of which the spec is fine.
func document(head string) string {
	return head + "\nspec: {domainName: push.example.com, notifyURL: 'https://hooks.example.com/'}\n"
}

// What no API server could take is a mistake of the caller, with its place, whether
// there is an API server or not: never an outage, after which a script tries again.
func TestMistakesAreNoOutage(t *testing.T) {
	const version = "apiVersion: live.alibabacloud.com/v1alpha1\n"
	for name, tc := range map[string]struct{ text, says string }{
		"a kind that is misspelt": {
			document(version + "kind: LiveNotifyConfigs\nmetadata: {name: a}"),
			`no matches for kind "LiveNotifyConfigs" in version "live.alibabacloud.com/v1alpha1": the kinds are LiveAccount, `,
		},
		"a later version": {
			document("apiVersion: live.alibabacloud.com/v1\nkind: LiveNotifyConfig\nmetadata: {name: a}"),
			`no matches for kind "LiveNotifyConfig" in version "live.alibabacloud.com/v1": the version is "live.alibabacloud.com/v1alpha1"`,
		},
		"no name":                   {document(version + "kind: LiveNotifyConfig\nmetadata: {}"), "metadata.name: Required value"},
		"only the begin of a name":  {document(version + "kind: LiveNotifyConfig\nmetadata: {generateName: a-}"), "metadata.name: Required value: generateName"},
		"a name with a slash":       {document(version + "kind: LiveNotifyConfig\nmetadata: {name: a/b}"), "metadata.name: Invalid value"},
		"a name of dots":            {document(version + "kind: LiveNotifyConfig\nmetadata: {name: ..}"), "metadata.name: Invalid value"},
		"a name in capitals":        {document(version + "kind: LiveNotifyConfig\nmetadata: {name: Push}"), "metadata.name: Invalid value"},
		"a namespace with a slash":  {document(version + "kind: LiveNotifyConfig\nmetadata: {name: a, namespace: a/b}"), "metadata.namespace: Invalid value"},
		"a namespace in capitals":   {document(version + "kind: LiveNotifyConfig\nmetadata: {name: a, namespace: Team}"), "metadata.namespace: Invalid value"},
		"a label with a space":      {document(version + "kind: LiveNotifyConfig\nmetadata: {name: a, labels: {a b: c}}"), "metadata.labels: Invalid value"},
		"a policy of no known kind": {"apiVersion: live.alibabacloud.com/v1alpha1\nkind: LiveRolloutPolicies\nmetadata: {name: a}\nspec: {}\n", `no matches for kind "LiveRolloutPolicies"`},
	} {
		for _, offline := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s offline %t", name, offline), func(t *testing.T) {
				w := newWorld(t, emulator.Options{})
				w.anywhere = true
				if offline {
					withoutCluster(t)
				}
				one := w.file("one.yaml", tc.text)
				w.call("plan", "-f", one).want(t, exitUsage, one+": ", tc.says)
				third := w.file("third.yaml", rival("x", "push.example.com", "")+"---\napiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n---\n"+tc.text)
				w.call("plan", "-f", third).want(t, exitUsage, third+" (object 3): ", tc.says)
			})
		}
	}
}

// Wrong calls are told as such before anything is asked.
func TestWrongCallsAreNoOutage(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	for _, args := range [][]string{
		{"plan", "-A", "lnc/push"}, {"plan", "-A", "lnc", "push"}, {"plan", "lnc/push", "-l", "a=b"}, {"plan", "lnc", "-l", "a b"},
		{"plan", "lnc/.."}, {"plan", "lnc", "a%b"}, {"plan", "--namespace", "a/b"}, {"failures", "--account", "a/b"},
		{"plan", "lnc/push", "--account", "nosuch"}, {"failures", "--account", "nosuch"},
		{"probe", "--url", w.receiver.URL, "--as", "stream", "--key-from", "secret/../key"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			// The namespace of the call itself comes last, and would count.
			var out, errOut strings.Builder
			a := newApp("kubectl live-notify", strings.NewReader(""), &out, &errOut)
			answer{a.run(t.Context(), append(args, "--endpoint", w.url, "--cache-dir", discovered)), out.String(), errOut.String()}.want(t, exitUsage, "Error: ")
		})
	}
	w.call("plan", "lnc", "-l", "a=b").want(t, exitYes)
	w.call("plan", "-A", "lnc", "-l", "a=b").want(t, exitYes)
}

// A manifest without a kind is not repeated: it may be a Secret.
func TestNoKindIsNotRepeated(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	path := w.file("secret.yaml", "apiVersion: v1\nmetadata: {name: key}\nstringData: {key: "+streamKey+"}\n")
	w.call("plan", "-f", path).want(t, exitUsage, path, "Kind")
}

// What the cluster cannot say is 3, with the manifest, and with our own words as they
// are.
func TestWhatTheClusterCannotSay(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	path := w.file("a.yaml", rival("a", "push.example.com", ""))
	for name, tc := range map[string]struct {
		on   string
		code int
		want int
		says []string
	}{
		"the CRDs are missing":     {"/apis", http.StatusNotFound, exitUnknown, []string{"the cluster has no kind LiveNotifyConfig of live.alibabacloud.com/v1alpha1"}},
		"the API server is ill":    {"/livenotifyconfigs", http.StatusInternalServerError, exitUnknown, nil},
		"the manifest is too long": {"/livenotifyconfigs", http.StatusRequestEntityTooLarge, exitUsage, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w.call("plan", "-f", path, "--server", between(t, tc.on, tc.code), "--cache-dir", t.TempDir()).want(t, tc.want, append(tc.says, path+": ")...)
		})
	}
}

// between is the address of the API server, which has one answer to some paths.
func between(t *testing.T, on string, code int) string {
	to, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	if proxy.Transport, err = rest.TransportFor(config); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if code == http.StatusNotFound && r.URL.Path == "/apis" { // which groups there are
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"kind":"APIGroupList","apiVersion":"v1","groups":[]}`))
			return
		}
		if strings.Contains(r.URL.Path, on) {
			http.Error(w, "no", code)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}
