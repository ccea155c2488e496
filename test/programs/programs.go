// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package programs gives tests the programs of this repository that they run as
// processes of their own.
package programs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// EnvDir names a directory of programs that were just built. make test builds them
// once for all packages: most of the time of a build is that of the linker, whose
// results Go does not keep.
const EnvDir = "LIVE_NOTIFY_PROGRAMS"

// Operator returns the file of the operator, which is built into dir from the
// repository at root unless it is there already.
func Operator(ctx context.Context, root, dir string) (string, error) {
	return program(ctx, root, dir, "live-notify-operator", ".")
}

// CommandLine returns the file of the command line in the same way.
func CommandLine(ctx context.Context, root, dir string) (string, error) {
	return program(ctx, root, dir, "kubectl-live_notify", "./cmd/kubectl-live_notify")
}

func program(ctx context.Context, root, dir, name, pkg string) (string, error) {
	if built := os.Getenv(EnvDir); built != "" {
		file := filepath.Join(built, name)
		_, err := os.Stat(file)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
	}
	file, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-tags", "kustomize_disable_go_plugin_support",
		"-ldflags", "-s -w", "-o", file, pkg)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", name, err, out)
	}
	return file, nil
}
