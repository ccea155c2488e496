// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// broken is a stdin that cannot be read.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, syscall.EBADF }

// Each way in which a source of manifests fails has the exit code of its kind: 2 for
// what is not there, or holds something else, and 3 for what could not be found out.
func TestSourcesOfManifests(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	withoutCluster(t)
	w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	fine := rival("a", "push.example.com", "")
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/fine":
			_, _ = io.WriteString(rw, fine)
		case "/page":
			_, _ = io.WriteString(rw, "<html>: {{")
		case "/cut":
			rw.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(rw, fine)
		default:
			http.Error(rw, "no", cmp.Or(map[string]int{"/denied": http.StatusForbidden, "/ill": http.StatusServiceUnavailable}[r.URL.Path], http.StatusNotFound))
		}
	}))
	defer srv.Close()
	good, empty, none := w.file("a.yaml", fine), w.file("empty.yaml", ""), t.TempDir()
	other := w.file("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
	loop := filepath.Join(none, "loop")
	if err := os.Symlink("loop", loop); err != nil {
		t.Fatal(err)
	}
	kustomization := func(resource string) string {
		return w.directory(map[string]string{"kustomization.yaml": "resources: ['" + resource + "']\n"})
	}
	for name, tc := range map[string]struct {
		args []string
		in   io.Reader
		code int
		says string
	}{
		"a file":                         {args: []string{"-f", good}, code: exitNo, says: "1 to create"},
		"a URL":                          {args: []string{"-f", srv.URL + "/fine"}, code: exitNo, says: "1 to create"},
		"stdin":                          {args: []string{"-f", "-"}, in: strings.NewReader(fine), code: exitNo, says: "1 to create"},
		"one file twice":                 {args: []string{"-f", good, "-f", good}, code: exitNo, says: "1 to create"},
		"an empty file":                  {args: []string{"-f", empty}, code: exitUsage, says: "there is no manifest in what -f or -k names"},
		"a file of comments":             {args: []string{"-f", w.file("a.yaml", "# later\n---\n")}, code: exitUsage, says: "there is no manifest"},
		"a list of nothing":              {args: []string{"-f", w.file("a.yaml", "apiVersion: v1\nkind: List\nitems: []\n")}, code: exitUsage, says: "there is no manifest"},
		"an empty stdin":                 {args: []string{"-f", "-"}, in: strings.NewReader(""), code: exitUsage, says: "there is no manifest"},
		"an empty file and another":      {args: []string{"-f", empty, "-f", good}, code: exitNo, says: "1 to create"},
		"other kinds":                    {args: []string{"-f", other}, code: exitYes, says: "The manifests hold no object of the callback kinds"},
		"a missing file":                 {args: []string{"-f", good + ".not"}, code: exitUsage, says: "does not exist"},
		"a glob that matches nothing":    {args: []string{"-f", none + "/*.yaml"}, code: exitUsage, says: "does not exist"},
		"two missing files":              {args: []string{"-f", good + ".not", "-f", good + ".nor"}, code: exitUsage, says: `the path "` + good + `.nor" does not exist`},
		"a file as a directory":          {args: []string{"-f", good + "/x"}, code: exitUsage, says: "not a directory"},
		"a link to itself":               {args: []string{"-f", loop}, code: exitUsage, says: "cannot be accessed"},
		"a directory without manifests":  {args: []string{"-f", t.TempDir()}, code: exitUsage, says: "holds no file that ends with"},
		"a missing kustomization":        {args: []string{"-k", none}, code: exitUsage, says: "kustomization.yaml"},
		"a kustomization of no file":     {args: []string{"-k", kustomization("nosuch.yaml")}, code: exitUsage, says: "no such file"},
		"-f and -k":                      {args: []string{"-f", good, "-k", none}, code: exitUsage, says: "not both"},
		"-R and -k":                      {args: []string{"-R", "-k", none}, code: exitUsage, says: "-R goes with -f"},
		"a malformed URL":                {args: []string{"-f", "http://[::1"}, code: exitUsage, says: "malformed"},
		"a URL of no host":               {args: []string{"-f", "https://"}, code: exitUsage, says: "malformed"},
		"a scheme that is none":          {args: []string{"-f", "ftp://example.com/a.yaml"}, code: exitUsage, says: "does not exist"},
		"a URL of a page":                {args: []string{"-f", srv.URL + "/page"}, code: exitUsage, says: srv.URL + "/page"},
		"a stdin that is broken":         {args: []string{"-f", "-"}, in: broken{}, code: exitUnknown, says: "stdin cannot be read"},
		"a URL that nothing answers":     {args: []string{"-f", "http://127.0.0.1:1/a.yaml?token=" + streamKey}, code: exitUnknown, says: "http://127.0.0.1:1/a.yaml cannot be fetched"},
		"a URL of a name that is none":   {args: []string{"-f", "http://nosuch.invalid/a.yaml"}, code: exitUnknown, says: "cannot be fetched"},
		"a URL that is not there":        {args: []string{"-f", srv.URL + "/nosuch"}, code: exitUnknown, says: "status 404"},
		"a URL that is denied":           {args: []string{"-f", srv.URL + "/denied"}, code: exitUnknown, says: "status 403"},
		"a URL whose server is ill":      {args: []string{"-f", srv.URL + "/ill"}, code: exitUnknown, says: "status 503"},
		"a URL that breaks off":          {args: []string{"-f", srv.URL + "/cut"}, code: exitUnknown, says: "broke in the middle"},
		"a kustomization from elsewhere": {args: []string{"-k", kustomization("http://127.0.0.1:1/a.yaml")}, code: exitUnknown, says: "a part of the kustomization cannot be fetched"},
		"what is missing, and a URL":     {args: []string{"-f", good + ".not", "-f", srv.URL + "/nosuch"}, code: exitUnknown, says: "does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.callBy(callOptions{in: tc.in}, append([]string{"plan"}, tc.args...)...).want(t, tc.code, tc.says)
		})
	}
	w.t = t
	for _, args := range [][]string{{"replay", "-f", "-"}, {"probe", "--url", w.receiver.URL, "--as", "stream", "--key-file", "-", "--yes"}} {
		w.callBy(callOptions{in: broken{}}, args...).want(t, exitUnknown, "cannot be read")
		w.call(append(args, args[1], none)...).want(t, exitUsage)
	}
	for _, text := range []string{"", "\n \n"} {
		w.callBy(callOptions{in: strings.NewReader(text)}, "replay", "-f", "-", "--yes").want(t, exitUsage, "-f: there is no failure in it")
	}
}

// What may not be read is no mistake of the call.
func TestWhatMayNotBeReadIsUnknown(t *testing.T) {
	const path = "teams/callbacks-of-production-2026.yaml"
	for text, err := range map[string]error{
		"a file":      &fs.PathError{Op: "open", Path: path, Err: syscall.EACCES},
		"a path":      fmt.Errorf("the path %q cannot be accessed: stat %s: permission denied", path, path),
		"a directory": fmt.Errorf("error reading %q: open %s: permission denied", path, path),
		"a disk":      fmt.Errorf("error parsing %s: read %s: input/output error", path, path),
	} {
		u, ok := errors.AsType[*unknownError](unreadable(err))
		if !ok || !strings.Contains(u.message, path) {
			t.Errorf("%s: got %v, want that it could not be found out, and the path", text, unreadable(err))
		}
	}
}

// Of several errors each is told in its own words, ours as they are and those of others
// cleaned, and the worst is the exit code.
func TestSeveralErrors(t *testing.T) {
	const name = "push-live-example-com-2026-production"
	w := newWorld(t, emulator.Options{})
	w.call("plan", "lnc/"+name, "lnc/"+name+"-2").want(t, exitUnknown, `"`+name+`" not found`, `"`+name+`-2" not found`)
	missing := func(name string) error {
		return apierrors.NewNotFound(schema.GroupResource{Group: "live.alibabacloud.com", Resource: "livenotifyconfigs"}, name)
	}
	for text, tc := range map[string]struct {
		err  error
		code int
		says []string
	}{
		"two": {utilerrors.NewAggregate([]error{missing(name), missing(name + "-2")}), exitUnknown, []string{
			"Error: NotFound: The API server says: livenotifyconfigs.live.alibabacloud.com \"" + name + "\" not found\n", name + "-2",
		}},
		"lists of lists": {utilerrors.NewAggregate([]error{utilerrors.NewAggregate([]error{missing(name)}), missing("b")}), exitUnknown, []string{name, `"b" not found`}},
		"one twice":      {utilerrors.NewAggregate([]error{missing(name), missing(name)}), exitUnknown, []string{name}},
		"joined":         {errors.Join(usage("%s is wrong", name), unknown("%s is not known", name)), exitUnknown, []string{name + " is wrong", name + " is not known"}},
		"all wrong":      {errors.Join(usage("%s is wrong", name), usage("b")), exitUsage, []string{name + " is wrong"}},
		"of others":      {errors.Join(unknown("%s is not known", name), errors.New("token "+streamKey)), exitUnknown, []string{name, "token (hidden)"}},
		"behind ours":    {because(errors.Join(missing(name), errors.New("token "+streamKey)), "reading %s", name), exitUnknown, []string{"Error: reading " + name + ": NotFound: ", "; token (hidden)"}},
	} {
		t.Run(text, func(t *testing.T) {
			var errOut bytes.Buffer
			a := newApp("live-notify", nil, nil, &errOut)
			a.began = true
			got := answer{a.code(context.Background(), "live-notify plan", tc.err), "", errOut.String()}.want(t, tc.code, tc.says...)
			if strings.Contains(got.err, streamKey) || strings.Count(got.err, "Error: ") > 2 {
				t.Errorf("got %s", got.err)
			}
		})
	}
}

// The flags that select objects of a cluster select manifests as kubectl does, or are
// refused: none goes unheard.
func TestSelectionOfManifests(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	labelled := strings.NewReplacer("name: ", "labels: {app: live}, name: ").Replace
	elsewhere := func(manifest string) string {
		return strings.Replace(manifest, "name: ", "namespace: elsewhere, name: ", 1)
	}
	secret := "---\napiVersion: v1\nkind: Secret\nmetadata: {name: key}\n"
	mixed := labelled(rival("a", "push.example.com", "")) + rival("b", "push.example.com", "") + elsewhere(rival("b", "push.example.com", ", invalid: true"))
	for name, tc := range map[string]struct {
		text string
		args []string
		code int
		says []string
	}{
		"by a label":                 {mixed, []string{"-l", "app=live"}, exitNo, []string{"1 to create, 0 to change, 0 to remove, 0 blocked"}},
		"by another label":           {mixed, []string{"-l", "app=other"}, exitYes, []string{"no object of the callback kinds with the labels of -l"}},
		"by the want of one":         {labelled(rival("a", "push.example.com", "")) + rival("b", "push.example.com", ""), []string{"-l", "!app"}, exitNo, []string{"livenotifyconfig/b", "1 to create"}},
		"by a selector that is none": {mixed, []string{"-l", "app in"}, exitUsage, []string{"--selector: "}},
		"of all namespaces":          {rival("a", "push.example.com", ""), []string{"-A"}, exitUsage, []string{"leave -A out"}},
		"of another namespace": {elsewhere(rival("a", "push.example.com", "")) + elsewhere(secret), nil, exitUsage, []string{
			"(object 1): the namespace from the provided object \"elsewhere\" does not match the namespace \"" + w.namespace + "\" of -n", "(object 2): the namespace",
		}},
		"of the same namespace": {strings.Replace(rival("a", "push.example.com", ""), "name: ", "namespace: "+w.namespace+", name: ", 1), nil, exitNo, []string{"1 to create"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.call(append([]string{"plan", "-f", w.file("a.yaml", tc.text)}, tc.args...)...).want(t, tc.code, tc.says...)
		})
	}
	w.t, w.anywhere = t, true
	w.call("plan", "-f", w.file("a.yaml", elsewhere(rival("a", "push.example.com", "")))).want(t, exitNo, "1 to create")
}

// A LiveAccount of the manifests does not count until it is applied, and a plan that
// would need it says so.
func TestAccountsOfManifests(t *testing.T) {
	const ahead = "apply it first, then plan again"
	w := newWorld(t, emulator.Options{})
	w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	w.apply(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "access"}, StringData: map[string]string{"accessKeyID": "cli-test", "accessKeySecret": canary}})
	w.apply(&v1alpha1.LiveAccount{ObjectMeta: metav1.ObjectMeta{Name: "one"}, Spec: v1alpha1.LiveAccountSpec{
		Endpoint: w.url, Credentials: v1alpha1.LiveCredentials{AccessKeySecretRef: &v1alpha1.LocalSecretReference{Name: "access"}},
	}})
	account := func(name, more string) string {
		return fmt.Sprintf("---\napiVersion: live.alibabacloud.com/v1alpha1\nkind: LiveAccount\nmetadata: {name: %s}\n"+
			"spec: {endpoint: '%s', credentials: {accessKeySecretRef: {name: access}}%s}\n", name, w.url, more)
	}
	of := func(name string) string { return rival("a", "push.example.com", ", accountRef: {name: "+name+"}") }
	for name, tc := range map[string]struct {
		text, says string
	}{
		"as in the cluster":    {of("one") + account("one", ""), ""},
		"that is changed":      {of("one") + account("one", ", maxDeletionsPerHour: 2"), "liveaccount/one in " + w.namespace + " of the manifests is another one in the cluster"},
		"that is new":          {of("two") + account("two", ""), "liveaccount/two in " + w.namespace + " of the manifests is not in the cluster yet"},
		"that nobody needs":    {of("one") + account("two", ""), ""},
		"of another namespace": {of("one") + strings.Replace(account("one", ", maxDeletionsPerHour: 2"), "name: ", "namespace: default, name: ", 1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w.t, w.anywhere = t, true
			text := strings.ReplaceAll(tc.text, "metadata: {name: ", "metadata: {namespace: "+w.namespace+", name: ")
			got := w.call("plan", "-f", w.file("a.yaml", text), "-o", "json").want(t, exitNo, tc.says)
			if strings.Contains(got.out, ahead) != (tc.says != "") {
				t.Errorf("got %s", got.out)
			}
		})
	}
}
