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

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

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
		"an empty file":                  {args: []string{"-f", empty}, code: exitYes, says: "The manifests hold no object of the callback kinds"},
		"an empty stdin":                 {args: []string{"-f", "-"}, in: strings.NewReader(""), code: exitYes, says: "The manifests hold no object of the callback kinds"},
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
