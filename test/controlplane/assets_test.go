// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDigest(t *testing.T) {
	base := []string{"go.mod", "go.sum", "-trimpath", "go1.26.0", "linux/amd64"}
	want := digest(base...)
	if got := digest(base...); got != want {
		t.Errorf("digest of the same parts: got %s, want %s", got, want)
	}
	for i := range base {
		changed := slices.Clone(base)
		changed[i] += "x"
		if digest(changed...) == want {
			t.Errorf("digest does not depend on part %d", i)
		}
	}
	if digest("ab", "c") == digest("a", "bc") {
		t.Error("digest does not tell where a part ends")
	}
}

func TestLacking(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"etcd": 0o755, "kubectl": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "kube-apiserver"), 0o755); err != nil {
		t.Fatal(err)
	}
	got := lacking(dir, []string{"etcd", "kubectl", "kube-apiserver", "kube-controller-manager"})
	want := []string{"kubectl", "kube-apiserver", "kube-controller-manager"}
	if !slices.Equal(got, want) {
		t.Errorf("lacking: got %v, want %v", got, want)
	}
}

func TestAssetsFromEnvironment(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(EnvAssets, dir)
	if _, err := Assets(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("empty directory: got error %v, want one that names %s", err, dir)
	}
	for _, name := range required {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Assets(t.Context(), io.Discard)
	if err != nil || got != dir {
		t.Errorf("full directory: got %q, %v, want %q", got, err, dir)
	}
}

// TestDownload has setup-envtest get an archive from a server of the test's own.
func TestDownload(t *testing.T) {
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	files := tar.NewWriter(zipped)
	for _, name := range required {
		text := "#!/bin/sh\n"
		err := files.WriteHeader(&tar.Header{Name: "controller-tools/envtest/" + name, Mode: 0o755, Size: int64(len(text)), Typeflag: tar.TypeReg})
		if _, more := io.WriteString(files, text); err != nil || more != nil {
			t.Fatal(err, more)
		}
	}
	if err := errors.Join(files.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	whole := archive.Bytes()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.HandleFunc("/archive", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(whole) })
	for name, hash := range map[string]string{"good": fmt.Sprintf("%x", sha512.Sum512(whole)), "bad": strings.Repeat("0", 128)} {
		index := fmt.Sprintf("releases:\n  v1.36.1:\n    envtest-v1.36.1-%s-%s.tar.gz:\n      hash: %s\n      selfLink: %s/archive\n",
			runtime.GOOS, runtime.GOARCH, hash, server.URL)
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, index) })
	}
	b, err := newBuilder(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []string{"bad", "absent", "good"} {
		b.cache, b.index = t.TempDir(), server.URL+"/"+index
		dir := b.download(t.Context(), "v1.36.3")
		if got := dir != "" && len(lacking(dir, required)) == 0; got != (index == "good") {
			t.Errorf("with a %s index: %q", index, dir)
		}
	}
	// What was got serves without the index.
	b.index = server.URL + "/absent"
	if dir := b.download(t.Context(), "v1.36.3"); dir == "" {
		t.Error("what was downloaded is not found again")
	}
}

// The version is what the module really requires: it is what clients are told.
func TestPinnedVersion(t *testing.T) {
	root, err := findRoot()
	if err != nil {
		t.Fatal(err)
	}
	gomod, err := os.ReadFile(filepath.Join(root, moduleDir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	version, err := requiredVersion(string(gomod), "k8s.io/kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	flags, err := buildFlags(version)
	if err != nil {
		t.Fatal(err)
	}
	if stamp := "-X=k8s.io/component-base/version.gitVersion=" + version; !strings.Contains(strings.Join(flags, " "), stamp) {
		t.Errorf("flags %q lack %s", flags, stamp)
	}
}

func TestRequiredVersion(t *testing.T) {
	cases := map[string]struct {
		gomod string
		want  string
	}{
		"in a block":         {"require (\n\tk8s.io/kubernetes v1.2.3\n)\n", "v1.2.3"},
		"on a line":          {"require k8s.io/kubernetes v1.2.3\n", "v1.2.3"},
		"with a comment":     {"require (\n\tk8s.io/kubernetes v1.2.3 // indirect\n)\n", "v1.2.3"},
		"only as a prefix":   {"require (\n\tk8s.io/kubernetes-x v1.2.3\n)\n", ""},
		"only as a replaced": {"replace (\n\tk8s.io/kubernetes => ../kubernetes\n)\n", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := requiredVersion(tc.gomod, "k8s.io/kubernetes")
			if got != tc.want || (err == nil) != (tc.want != "") {
				t.Errorf("got %q, %v, want %q", got, err, tc.want)
			}
		})
	}
}

func TestWatch(t *testing.T) {
	w := newWatch(io.Discard, "etcd")
	defer w.stop()
	write := func(s string) {
		if _, err := io.WriteString(w, s); err != nil {
			t.Fatal(err)
		}
	}
	write("go: downloading go.etcd.io/bbolt v1.4.3\n")
	w.expect(3)
	write("unicode/utf8\ngo.etc")
	write("d.io/bbolt\n# go.etcd.io/bbolt\nx.go:1:2: syntax error")

	if got, want := w.status(), "2 of up to 3 packages compiled, 1 modules downloaded"; !strings.Contains(got, want) {
		t.Errorf("status: got %q, want it to have %q", got, want)
	}
	if got, want := w.output(), []string{"# go.etcd.io/bbolt", "x.go:1:2: syntax error"}; !slices.Equal(got, want) {
		t.Errorf("output: got %q, want %q", got, want)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := lock(short, path, io.Discard); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a lock that is taken: got %v, want %v", err, context.DeadlineExceeded)
	}
	unlock()
	unlock, err = lock(t.Context(), path, io.Discard)
	if err != nil {
		t.Fatalf("a lock given back: %v", err)
	}
	unlock()
}
