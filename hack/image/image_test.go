// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/x509"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const root = "../.."

// goos and goarch are those of the images that the tests build. They are this
// machine's where it can run them.
const goos, goarch = "linux", runtime.GOARCH

var operator, emulator = programs[0], programs[1]

func optionsFor(t *testing.T, root string) options {
	t.Helper()
	o, err := parseFlags([]string{
		"-root", root, "-version", "v1.2.3", "-commit", "0123abcd", "-created", "1700000000",
		"-source", "https://example.com/source", "-platforms", goos + "/" + goarch,
	})
	if err != nil {
		t.Fatal(err)
	}
	o.out = t.TempDir()
	return o
}

func compileFor(t *testing.T, o options, p program) build {
	t.Helper()
	b, err := compile(t.Context(), o, p, o.platforms[0])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pair returns an image for two platforms. The second one has the binary of the
// first, which saves building all packages once more.
func pair(t *testing.T, o options, p program) image {
	t.Helper()
	first := compileFor(t, o, p)
	second := first
	second.platform = v1.Platform{OS: "linux", Architecture: "other"}
	img, err := assemble(o, p, []build{first, second})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestDirectoriesDoNotShow has the operator's image built from two copies of the sources, one of which is a
// repository with changes of its own.
func TestDirectoriesDoNotShow(t *testing.T) {
	var got []v1.Hash
	for _, dir := range []string{filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "elsewhere", "b")} {
		copySources(t, dir)
		if len(got) > 0 {
			if out, err := exec.CommandContext(t.Context(), "git", "init", dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			t.Setenv("GOFLAGS", "-buildvcs=true")
		}
		o := optionsFor(t, dir)
		img, err := assemble(o, operator, []build{compileFor(t, o, operator)})
		if err != nil {
			t.Fatal(err)
		}
		digest, err := img.index.Digest()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, digest)
	}
	if got[0] != got[1] {
		t.Errorf("got %s and %s, want the same", got[0], got[1])
	}
}

// copySources copies what the operator is built from.
func copySources(t *testing.T, to string) {
	t.Helper()
	parts, err := filepath.Glob(filepath.Join(root, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"go.mod", "go.sum", "api", "internal"} {
		parts = append(parts, filepath.Join(root, part))
	}
	for _, part := range parts {
		err := filepath.WalkDir(part, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			relative, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			target := filepath.Join(to, relative)
			return errors.Join(os.MkdirAll(filepath.Dir(target), 0o755), os.WriteFile(target, data, 0o644))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestContent(t *testing.T) {
	o := optionsFor(t, root)
	img := pair(t, o, operator)
	manifest, err := img.index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	one, err := img.index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	config, err := one.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got := config.Config; got.User != "65532:65532" || !cmp.Equal(got.Entrypoint, []string{"/live-notify-operator"}) || len(got.Cmd) > 0 {
		t.Errorf("got config %+v", got)
	}
	if config.OS != goos || config.Architecture != goarch || !config.Created.Equal(time.Unix(1700000000, 0)) {
		t.Errorf("got %s/%s of %s", config.OS, config.Architecture, config.Created)
	}
	labels := map[string]string{
		"org.opencontainers.image.title":       "live-notify-operator",
		"org.opencontainers.image.description": operator.description,
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.version":     "v1.2.3",
		"org.opencontainers.image.revision":    "0123abcd",
		"org.opencontainers.image.source":      "https://example.com/source",
		"org.opencontainers.image.created":     "2023-11-14T22:13:20Z",
	}
	ofImage, err := one.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string]map[string]string{"config": config.Config.Labels, "index": manifest.Annotations, "image": ofImage.Annotations} {
		if diff := cmp.Diff(labels, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}

	files := unpack(t, one)
	if !strings.Contains(string(files["etc/passwd"]), ":65532:65532:") {
		t.Errorf("got /etc/passwd %q", files["etc/passwd"])
	}
	if pool := x509.NewCertPool(); !pool.AppendCertsFromPEM(files["etc/ssl/certs/ca-certificates.crt"]) {
		t.Error("no CA certificates")
	}
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, files["live-notify-operator"], 0o755); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != goos {
		t.Skip("cannot run programs for " + goos)
	}
	out, err := exec.CommandContext(t.Context(), program, "--version").CombinedOutput()
	if err != nil || !strings.Contains(string(out), " v1.2.3 (commit 0123abcd, go") {
		t.Errorf("--version: got %q, %v", out, err)
	}
}

// unpack returns the files of an image.
func unpack(t *testing.T, img v1.Image) map[string][]byte {
	t.Helper()
	content := mutate.Extract(img)
	defer content.Close()
	files := map[string][]byte{}
	for r := tar.NewReader(content); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Uid != 0 || header.Mode&0o022 != 0 && header.Name != "tmp" {
			t.Errorf("%s: the user may change it: owner %d, mode %o", header.Name, header.Uid, header.Mode)
		}
		if files[header.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSBOM compares the SBOM with what the linker wrote into the binary.
func TestSBOM(t *testing.T) {
	b := compileFor(t, optionsFor(t, root), operator)
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(b.sbom), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, component := range *bom.Components {
		if !strings.HasPrefix(component.PackageURL, "pkg:golang/") {
			t.Errorf("%s: got package URL %q", component.Name, component.PackageURL)
		}
		got[component.Name] = component.Version
	}
	info, err := buildinfo.ReadFile(b.path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"std": info.GoVersion}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		want[module.Path] = module.Version
	}
	if len(want) < 20 {
		t.Fatalf("the operator has %d modules: is that its binary?", len(want))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if main := bom.Metadata.Component; main.Name != info.Main.Path || main.Version != "v1.2.3" {
		t.Errorf("got %s %s", main.Name, main.Version)
	}
}

func TestArchive(t *testing.T) {
	img := pair(t, optionsFor(t, root), emulator)
	file := filepath.Join(t.TempDir(), "x.tar")
	if err := img.writeArchive(file); err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "y.tar")
	if err := img.writeArchive(again); err != nil {
		t.Fatal(err)
	}
	first, second := readFile(t, file), readFile(t, again)
	if !bytes.Equal(first, second) {
		t.Error("two archives of one image differ")
	}
	dir := t.TempDir()
	for r := tar.NewReader(bytes.NewReader(first)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		path := filepath.Join(dir, filepath.Clean("/"+header.Name))
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 3 {
		t.Fatalf("got %d manifests, want the image and two SBOMs", len(manifest.Manifests))
	}
	if got := manifest.Manifests[0].Annotations[annotationImageName]; got != "localhost/live-emulator:v1.2.3" {
		t.Errorf("got name %q", got)
	}
	read, err := index.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(read); err != nil {
		t.Error(err)
	}
}

func readFile(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestPush pushes to registries with and without the referrers API: where there
// is none, a tag stands in for it.
func TestPush(t *testing.T) {
	for what, referrers := range map[string]bool{"with referrers": true, "without": false} {
		t.Run(what, func(t *testing.T) {
			server := httptest.NewServer(registry.New(registry.WithReferrersSupport(referrers), registry.Logger(log.New(io.Discard, "", 0))))
			defer server.Close()
			o := optionsFor(t, root)
			o.repository = strings.TrimPrefix(server.URL, "http://") + "/some/team"
			img := pair(t, o, emulator)
			if err := img.push(t.Context()); err != nil {
				t.Fatal(err)
			}
			ref, err := name.ParseReference(o.repository + "/live-emulator:v1.2.3")
			if err != nil {
				t.Fatal(err)
			}
			pulled, err := remote.Index(ref, remote.WithContext(t.Context()))
			if err != nil {
				t.Fatal(err)
			}
			if err := validate.Index(pulled); err != nil {
				t.Error(err)
			}
			manifest, err := pulled.IndexManifest()
			if err != nil {
				t.Fatal(err)
			}
			if len(manifest.Manifests) != 2 {
				t.Fatalf("got %d platforms, want 2", len(manifest.Manifests))
			}
			for _, platform := range manifest.Manifests {
				expectSBOM(t, ref.Context().Digest(platform.Digest.String()))
			}
		})
	}
}

func expectSBOM(t *testing.T, of name.Digest) {
	t.Helper()
	index, err := remote.Referrers(of, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	found, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Manifests) != 1 {
		t.Fatalf("%s: got referrers %+v, want one", of, found.Manifests)
	}
	img, err := remote.Image(of.Context().Digest(found.Manifests[0].Digest.String()), remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	// Not from the list: this registry gives the type of the empty config there.
	raw, err := img.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	var manifest ocispec.Manifest
	if err := json.Unmarshal(raw, &manifest); err != nil || manifest.ArtifactType != sbomType || manifest.Subject.Digest.String() != of.DigestStr() {
		t.Errorf("got manifest %s, %v", raw, err)
	}
	layers, err := img.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("got %d layers, %v", len(layers), err)
	}
	content, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(content, cdx.BOMFileFormatJSON).Decode(&bom); err != nil || bom.Metadata.Component == nil {
		t.Errorf("%+v, %v", bom, err)
	}
}

func TestRun(t *testing.T) {
	o := optionsFor(t, root)
	if err := run(t.Context(), o, []program{emulator}); err != nil {
		t.Fatal(err)
	}
	binary := "live-emulator-" + goos + "-" + goarch
	for _, file := range []string{binary, binary + ".cdx.json", "live-emulator.oci.tar", "digests.txt"} {
		if len(readFile(t, filepath.Join(o.out, file))) == 0 {
			t.Errorf("%s is empty", file)
		}
	}
	if got := string(readFile(t, filepath.Join(o.out, "digests.txt"))); !strings.HasPrefix(got, "localhost/live-emulator@sha256:") {
		t.Errorf("got digests %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, o, []program{emulator}); err == nil {
		t.Error("a cancelled run succeeds")
	}
}

func TestBadPlatforms(t *testing.T) {
	for _, platforms := range []string{"", "linux", "linux/arm/v7", "linux/amd64,"} {
		if _, err := parseFlags([]string{"-platforms", platforms}); err == nil || !strings.Contains(err.Error(), "-platforms") {
			t.Errorf("%q: got %v, want an error that names the flag", platforms, err)
		}
	}
}
