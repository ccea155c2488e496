// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// EnvAssets is the variable that names a directory of ready-made programs. It
// is the one that controller-runtime's envtest and setup-envtest use.
const EnvAssets = "KUBEBUILDER_ASSETS"

// moduleDir is the module that pins what is built, seen from the repository's root.
const moduleDir = "hack/controlplane/kubernetes"

// toolDir is the module that pins setup-envtest.
const toolDir = "hack/tools/setup-envtest"

// program is one binary and the package it is built from.
type program struct {
	name, pkg string
}

var programs = []program{
	{"etcd", "go.etcd.io/etcd/server/v3"},
	{"kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"},
	{"kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"},
	{"kubectl", "k8s.io/kubernetes/cmd/kubectl"},
}

// required is what a directory named by EnvAssets must hold. setup-envtest has
// no kube-controller-manager, so that one may be missing there.
var required = []string{"kube-apiserver", "etcd", "kubectl"}

// EnvOrigin is the variable that says where programs come from that are not there
// yet: with "build" they are not downloaded.
const EnvOrigin = "ENVTEST"

// Assets returns the absolute path of a directory that holds kube-apiserver,
// etcd and kubectl: the one that KUBEBUILDER_ASSETS names, else one in the
// user's cache directory. What is not there yet is downloaded by setup-envtest or,
// where that cannot be, built from source as by Built; what happens is told on
// progress. Processes that ask at the same time do so once.
func Assets(ctx context.Context, progress io.Writer) (string, error) {
	if dir := os.Getenv(EnvAssets); dir != "" {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return "", err
		}
		if missing := lacking(dir, required); len(missing) > 0 {
			return "", fmt.Errorf("%s is %s, which has no executable %s: set it to a directory that has (%s), or unset it to have them built",
				EnvAssets, dir, strings.Join(missing, ", "), strings.Join(required, ", "))
		}
		return dir, nil
	}

	b, err := newBuilder(progress)
	if err != nil {
		return "", err
	}
	return b.assets(ctx, os.Getenv(EnvOrigin) != "build")
}

// Built returns a directory in the user's cache directory that holds what Assets
// returns, and kube-controller-manager, which setup-envtest does not have. What is
// not there yet is built, which takes several minutes.
func Built(ctx context.Context, progress io.Writer) (string, error) {
	b, err := newBuilder(progress)
	if err != nil {
		return "", err
	}
	return b.assets(ctx, false)
}

func newBuilder(progress io.Writer) (builder, error) {
	root, err := findRoot()
	if err != nil {
		return builder{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return builder{}, fmt.Errorf("no directory to keep the control plane in (or set %s to one that has it): %w", EnvAssets, err)
	}
	return builder{
		module: filepath.Join(root, filepath.FromSlash(moduleDir)),
		tool:   filepath.Join(root, filepath.FromSlash(toolDir)),
		cache:  filepath.Join(cache, "live-notify-operator"),
		log:    progress,
	}, nil
}

// lacking returns those of names that dir does not hold as executable files.
func lacking(dir string, names []string) []string {
	var missing []string
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
			missing = append(missing, name)
		}
	}
	return missing
}

// findRoot returns the repository's root, looking upwards from the working
// directory: tests run in the directory of their package.
func findRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(moduleDir), "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no %s in %s or above: run this inside a checkout, or set %s", moduleDir, start, EnvAssets)
		}
	}
}

// builder builds the programs into a directory of cache that is named for all
// that they depend on.
type builder struct {
	module string
	tool   string
	cache  string
	log    io.Writer
	index  string // of what there is to download; that of setup-envtest if empty
}

// assets returns the directory of the programs that were built or, if it may be,
// of those that were downloaded. It builds them if there are neither.
func (b builder) assets(ctx context.Context, download bool) (string, error) {
	gomod, err := os.ReadFile(filepath.Join(b.module, "go.mod"))
	if err != nil {
		return "", err
	}
	gosum, err := os.ReadFile(filepath.Join(b.module, "go.sum"))
	if err != nil {
		return "", err
	}
	version, err := requiredVersion(string(gomod), "k8s.io/kubernetes")
	if err != nil {
		return "", err
	}
	flags, err := buildFlags(version)
	if err != nil {
		return "", err
	}
	goVersion, err := b.goTool(ctx, "env", "GOVERSION").Output()
	if err != nil {
		return "", fmt.Errorf("asking go for its version: %w", err)
	}
	name := "controlplane-" + digest(string(gomod), string(gosum), strings.Join(flags, "\n"),
		strings.TrimSpace(string(goVersion)), runtime.GOOS+"/"+runtime.GOARCH)
	dir := filepath.Join(b.cache, name)
	if len(lacking(dir, names())) == 0 {
		return dir, nil
	}

	if err := os.MkdirAll(b.cache, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, filepath.Join(b.cache, "controlplane.lock"), b.log)
	if err != nil {
		return "", err
	}
	defer unlock()
	if len(lacking(dir, names())) == 0 { // built while this process waited
		return dir, nil
	}
	if download {
		if dir := b.download(ctx, version); dir != "" {
			return dir, nil
		}
	}
	return dir, b.build(ctx, dir, version, flags)
}

// patience is how long a download may take.
const patience = 5 * time.Minute

// download returns the directory of the programs that setup-envtest has, or gets, of
// the minor version of Kubernetes that is wanted; "" if it gets none. It checks
// what it gets against the checksums of its index.
func (b builder) download(ctx context.Context, version string) string {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	minor := strings.TrimPrefix(version[:strings.LastIndex(version, ".")], "v")
	args := []string{"tool", "setup-envtest", "use", minor + ".x", "--bin-dir", b.cache, "--print", "path"}
	if b.index != "" {
		args = append(args, "--index", b.index)
	}
	cmd := b.goTool(limited, args...)
	cmd.Dir = b.tool
	out, err := cmd.Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || len(lacking(dir, required)) > 0 {
		b.say("setup-envtest gets no control plane of Kubernetes %s here, so that one is built", minor)
		return ""
	}
	return dir
}

// build fills dir. It builds into a temporary sibling and renames that one, so
// that dir is there whole or not at all. The caller holds the lock.
func (b builder) build(ctx context.Context, dir, version string, flags []string) (err error) {
	// A killed build leaves its directory behind. The lock makes all of them ours.
	abandoned, err := filepath.Glob(filepath.Join(b.cache, ".building-*"))
	if err != nil {
		return err
	}
	for _, path := range append(abandoned, dir) {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	tmp, err := os.MkdirTemp(b.cache, ".building-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(tmp))
		}
	}()

	b.say("building a Kubernetes %s control plane (%s) into %s", version, strings.Join(names(), ", "), dir)
	b.say("the first build takes several minutes; later runs find it there")
	start := time.Now()
	for _, p := range programs {
		if err := b.buildProgram(ctx, p, filepath.Join(tmp, p.name), flags); err != nil {
			return err
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return err
	}
	b.say("control plane built in %s", since(start))
	return nil
}

func (b builder) buildProgram(ctx context.Context, p program, out string, flags []string) error {
	start := time.Now()
	b.say("%s: resolving packages", p.name)
	watch := newWatch(b.log, p.name)
	defer watch.stop()

	list := b.goTool(ctx, "list", "-mod=readonly", "-deps", p.pkg)
	list.Stderr = watch
	packages, err := list.Output()
	if err != nil {
		return b.failed(ctx, p, watch, err)
	}
	watch.expect(strings.Count(string(packages), "\n"))

	build := b.goTool(ctx, append(append([]string{"build", "-v", "-o", out}, flags...), p.pkg)...)
	build.Stdout, build.Stderr = watch, watch
	if err := build.Run(); err != nil {
		return b.failed(ctx, p, watch, err)
	}
	b.say("%s: built in %s", p.name, since(start))
	return nil
}

// failed prints what go said and returns an error that says what to do.
func (b builder) failed(ctx context.Context, p program, watch *watch, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	watch.stop()
	for _, line := range watch.output() {
		fmt.Fprintln(b.log, line)
	}
	return fmt.Errorf("building %s (%w): see the output of go above; it needs the Go module proxy and some 5 GB of disk for Go's caches. "+
		"What is compiled so far is kept, so run the same command again; or set %s to a directory that has %s",
		p.name, err, EnvAssets, strings.Join(required, ", "))
}

// goTool prepares a run of go in the module, for this machine and without cgo:
// the programs are the same whether or not there is a C compiler.
func (b builder) goTool(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	// Interrupted, go removes its work directory; killed, it leaves it behind.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

func (b builder) say(format string, args ...any) {
	fmt.Fprintf(b.log, "controlplane: "+format+"\n", args...)
}

func names() []string {
	all := make([]string, len(programs))
	for i, p := range programs {
		all[i] = p.name
	}
	return all
}

// buildFlags returns the flags of "go build". The version is stamped as a
// release build does it: without that kube-apiserver and kubectl call
// themselves v0.0.0-master, which clients that look at the version reject.
func buildFlags(version string) ([]string, error) {
	parts := strings.Split(version, ".")
	if len(parts) != 3 || !strings.HasPrefix(version, "v") {
		return nil, fmt.Errorf("k8s.io/kubernetes has version %q, want one like v1.2.3", version)
	}
	ldflags := []string{"-s", "-w"}
	for _, set := range []struct{ name, value string }{
		{"gitMajor", strings.TrimPrefix(parts[0], "v")},
		{"gitMinor", parts[1]},
		{"gitVersion", version},
		{"gitCommit", ""}, // a module does not know its commit
		{"gitTreeState", "archive"},
	} {
		for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
			ldflags = append(ldflags, fmt.Sprintf("-X=%s.%s=%s", pkg, set.name, set.value))
		}
	}
	return []string{"-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags=" + strings.Join(ldflags, " ")}, nil
}

// requiredVersion returns the version of a module that a go.mod file requires.
func requiredVersion(gomod, module string) (string, error) {
	for line := range strings.Lines(gomod) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && fields[0] == module && strings.HasPrefix(fields[1], "v") {
			return fields[1], nil
		}
	}
	return "", fmt.Errorf("go.mod does not require %s", module)
}

// digest returns a short name for parts. Each part is hashed with its length,
// so that what moves from one to the next changes the result.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d\n%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

func since(start time.Time) time.Duration {
	return time.Since(start).Round(time.Second)
}
