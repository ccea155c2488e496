// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package image

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	operator = "live-notify-operator"
	emulator = "live-emulator"
)

// largest is how many bytes an image may have, unpacked. It catches what does not
// belong there, such as a toolchain, and not the growth of some releases.
var largest = map[string]int64{operator: 100 << 20, emulator: 30 << 20}

// shells are what lets an intruder look around, by the names of programs.
var shells = []string{"sh", "bash", "dash", "ash", "zsh", "ksh", "busybox", "toybox", "perl", "python3"}

// directory is where the archives are. It has the name of their version.
func directory(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("E2E_IMAGES")
	if dir == "" {
		t.Fatal("set E2E_IMAGES to a directory DIR/VERSION that hack/images.sh wrote")
	}
	return dir
}

// read reads the archive of a program. That there is none is a failure: a test that
// skips would pass where no image was built.
func read(t *testing.T, program string) image {
	t.Helper()
	img, err := open(filepath.Join(directory(t), program+".tar"))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// each runs a test for both images.
func each(t *testing.T, test func(t *testing.T, program string, img image)) {
	t.Helper()
	for _, program := range []string{operator, emulator} {
		t.Run(program, func(t *testing.T) { test(t, program, read(t, program)) })
	}
}

func TestConfig(t *testing.T) {
	each(t, func(t *testing.T, program string, img image) {
		got := img.config.Config
		// A number, since a kubelet cannot tell whether a name is root's.
		if got.User != "65532:65532" {
			t.Errorf("user %q, want 65532:65532", got.User)
		}
		if !slices.Equal(got.Entrypoint, []string{"/" + program}) || len(got.Cmd) > 0 {
			t.Errorf("entrypoint %q with %q, want /%s alone", got.Entrypoint, got.Cmd, program)
		}
		if got.WorkingDir != "/" {
			t.Errorf("works in %q, want /", got.WorkingDir)
		}
		for _, setting := range got.Env {
			if name, _, _ := strings.Cut(setting, "="); name != "PATH" && name != "SSL_CERT_FILE" {
				t.Errorf("environment has %s, want nothing of the build", name)
			}
		}
	})
}

func TestLabels(t *testing.T) {
	each(t, func(t *testing.T, program string, img image) {
		labels := map[string]string{}
		for name, value := range img.config.Config.Labels {
			if short, ok := strings.CutPrefix(name, "org.opencontainers.image."); ok {
				labels[short] = value
			}
		}
		want := map[string]string{
			"title": program, "licenses": "Apache-2.0", "source": "https://github.com/live-notify/live-notify-operator",
			"version": filepath.Base(directory(t)),
		}
		for name, value := range want {
			if diff := cmp.Diff(value, labels[name]); diff != "" {
				t.Errorf("label %s: %s", name, diff)
			}
		}
		for _, name := range []string{"description", "revision"} {
			if labels[name] == "" {
				t.Errorf("label %s is missing", name)
			}
		}
	})
}

// TestVersion runs the operator of the image. Its version and commit get there by
// the linker's flags, which no compiler checks, and the labels by another way.
func TestVersion(t *testing.T) {
	img := read(t, operator)
	bin := filepath.Join(t.TempDir(), operator)
	if err := os.WriteFile(bin, img.files["/"+operator].data, 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), bin, "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	labels := img.config.Config.Labels
	want := operator + " " + labels["org.opencontainers.image.version"] + " (commit " + labels["org.opencontainers.image.revision"] + ", "
	if !strings.HasPrefix(string(out), want) {
		t.Errorf("got %q, want it to begin with %q", out, want)
	}
}

// TestSameBinary builds the operator in this directory, as docs/releasing.md tells
// those who want to know what they run.
func TestSameBinary(t *testing.T) {
	img := read(t, operator)
	info, err := buildinfo.Read(bytes.NewReader(img.files["/"+operator].data))
	if err != nil {
		t.Fatal(err)
	}
	labels := img.config.Config.Labels
	bin := filepath.Join(t.TempDir(), operator)
	build := exec.CommandContext(t.Context(), "make", bin, "BINARY="+bin,
		"VERSION="+labels["org.opencontainers.image.version"], "COMMIT="+labels["org.opencontainers.image.revision"])
	build.Dir = "../.."
	build.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "GOFLAGS=", "GOTOOLCHAIN="+info.GoVersion)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, img.files["/"+operator].data) {
		t.Errorf("make builds another binary: %d bytes, and %d in the image", len(data), len(img.files["/"+operator].data))
	}
}

func TestProgram(t *testing.T) {
	each(t, func(t *testing.T, program string, img image) {
		entry, ok := img.files["/"+program]
		if !ok {
			t.Fatalf("no /%s in the image", program)
		}
		// Nobody but root may change what runs, and all may run it.
		if h := entry.header; h.Uid != 0 || h.Gid != 0 || h.Mode&0o7777 != 0o755 {
			t.Errorf("is %d:%d's with mode %o, want root's with 755", h.Uid, h.Gid, h.Mode)
		}
		binary, err := elf.NewFile(bytes.NewReader(entry.data))
		if err != nil {
			t.Fatal(err)
		}
		for _, segment := range binary.Progs {
			if segment.Type == elf.PT_INTERP {
				t.Error("needs a dynamic linker, which the base does not have")
			}
		}
	})
}

func TestNothingElse(t *testing.T) {
	each(t, func(t *testing.T, program string, img image) {
		for name, entry := range img.files {
			if slices.Contains(shells, path.Base(name)) && !entry.header.FileInfo().IsDir() {
				t.Errorf("has %s, want no shell", name)
			}
			if slices.Contains([]string{"/workspace", "/go", "/usr/local/go", "/out"}, name) {
				t.Errorf("has %s, which is the builder's", name)
			}
			if mode := entry.header.Mode; mode&0o6000 != 0 && entry.header.FileInfo().Mode().IsRegular() {
				t.Errorf("has %s with mode %o, want nothing that changes the user", name, mode)
			}
		}
		if len(img.files["/etc/ssl/certs/ca-certificates.crt"].data) == 0 {
			t.Error("has no CA certificates: no call to the cloud would succeed")
		}
		if img.size > largest[program] {
			t.Errorf("has %d bytes, want at most %d", img.size, largest[program])
		}
		t.Logf("%d bytes in %d files", img.size, len(img.files))
	})
}
