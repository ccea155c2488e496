// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package release

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// largest is how many bytes the program may have.
const largest = 60 << 20

// platforms are those that the command line is built for, and how a program begins
// there.
var platforms = map[string]string{
	"linux/amd64": "\x7fELF", "linux/arm64": "\x7fELF", "darwin/amd64": "\xcf\xfa\xed\xfe", "darwin/arm64": "\xcf\xfa\xed\xfe",
	"windows/amd64": "MZ", "windows/arm64": "MZ",
}

// archive returns the name of the archive of a platform, and of the program in it.
func archive(platform string) (name, program string) {
	name, program = "kubectl-live_notify_"+strings.ReplaceAll(platform, "/", "_"), "kubectl-live_notify"
	if strings.HasPrefix(platform, "windows/") {
		return name + ".zip", program + ".exe"
	}
	return name + ".tar.gz", program
}

// read reads a file that goreleaser wrote.
func read(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("E2E_RELEASE")
	if dir == "" {
		t.Fatal("set E2E_RELEASE to the directory that goreleaser wrote")
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// unpack returns the files of an archive.
func unpack(name string, packed []byte) (map[string][]byte, error) {
	files := map[string][]byte{}
	if path.Ext(name) == ".zip" {
		z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
		if err != nil {
			return nil, err
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				return nil, err
			}
			if files[f.Name], err = io.ReadAll(r); err != nil {
				return nil, err
			}
		}
		return files, nil
	}
	g, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	for r := tar.NewReader(g); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			return nil, err
		}
		if h.Name == "kubectl-live_notify" && h.Mode&0o111 == 0 {
			return nil, fmt.Errorf("%s: the program cannot be run: mode %o", name, h.Mode)
		}
	}
}

// Each archive holds the program of its platform and the licence, and nothing else.
func TestArchives(t *testing.T) {
	for platform, magic := range platforms {
		t.Run(platform, func(t *testing.T) {
			name, program := archive(platform)
			files, err := unpack(name, read(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"LICENSE", program}, slices.Sorted(maps.Keys(files))); diff != "" {
				t.Error(diff)
			}
			t.Logf("%s: %.1f MiB", platform, float64(len(files[program]))/(1<<20))
			if n := len(files[program]); n > largest || n < 1<<20 {
				t.Errorf("the program has %d bytes, and may have %d", n, largest)
			}
			if !bytes.HasPrefix(files[program], []byte(magic)) {
				t.Errorf("it is none for %s", platform)
			}
		})
	}
}

// checksums are those that were written down, by file.
func checksums(t *testing.T) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for line := range strings.Lines(string(read(t, "checksums.txt"))) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sums[name] = sum
	}
	return sums
}

// There is a checksum of each archive, and it is right.
func TestChecksums(t *testing.T) {
	sums := checksums(t)
	if len(sums) != len(platforms) {
		t.Errorf("got %d checksums, want %d", len(sums), len(platforms))
	}
	for platform := range platforms {
		name, _ := archive(platform)
		sum := sha256.Sum256(read(t, name))
		if got, want := sums[name], hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: got %q, want %s", name, got, want)
		}
	}
}

// plugin is a manifest of krew, as far as it must be there.
type plugin struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Version          string `json:"version"`
		Homepage         string `json:"homepage"`
		ShortDescription string `json:"shortDescription"`
		Description      string `json:"description"`
		Platforms        []struct {
			Selector struct {
				MatchLabels map[string]string `json:"matchLabels"`
			} `json:"selector"`
			URI    string `json:"uri"`
			SHA256 string `json:"sha256"`
			Bin    string `json:"bin"`
		} `json:"platforms"`
	} `json:"spec"`
}

// The manifest has all that krew demands: one entry for each platform, with the
// archive, its checksum, and the program in it.
func TestKrewManifest(t *testing.T) {
	var p plugin
	if err := yaml.UnmarshalStrict(read(t, "krew/live-notify.yaml"), &p); err != nil {
		t.Fatal(err)
	}
	if p.APIVersion != "krew.googlecontainertools.github.com/v1alpha2" || p.Kind != "Plugin" || p.Metadata.Name != "live-notify" {
		t.Errorf("got %s %s %s", p.APIVersion, p.Kind, p.Metadata.Name)
	}
	if !regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`).MatchString(p.Spec.Version) {
		t.Errorf("the version is %q", p.Spec.Version)
	}
	// The index of krew wants no more than 50 characters, and no full stop.
	if d := p.Spec.ShortDescription; d == "" || len(d) > 50 || strings.HasSuffix(d, ".") {
		t.Errorf("the short description is %q", d)
	}
	if p.Spec.Homepage == "" || p.Spec.Description == "" {
		t.Error("homepage or description is missing")
	}
	sums, seen := checksums(t), map[string]bool{}
	for _, one := range p.Spec.Platforms {
		labels := one.Selector.MatchLabels
		platform := labels["os"] + "/" + labels["arch"]
		name, program := archive(platform)
		if _, known := platforms[platform]; !known || seen[platform] || len(labels) != 2 {
			t.Errorf("an entry is for %v", labels)
		}
		seen[platform] = true
		if path.Base(one.URI) != name || !strings.HasPrefix(one.URI, "https://github.com/live-notify/live-notify-operator/releases/download/v") {
			t.Errorf("%s is at %s", platform, one.URI)
		}
		if one.SHA256 != sums[name] || one.Bin != program {
			t.Errorf("%s: got %s and %s, want %s and %s", platform, one.SHA256, one.Bin, sums[name], program)
		}
	}
	if len(seen) != len(platforms) {
		t.Errorf("got %d platforms, want %d", len(seen), len(platforms))
	}
}
