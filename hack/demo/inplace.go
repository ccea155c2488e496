// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// The control plane is started by envtest, which has no way to say that it
// shall not outlive us. So what envtest starts is this program under the name of
// a part of the control plane; it asks the system to be killed with its parent
// and then becomes that part.

// envAssets tells a process that is to become a part of the control plane where
// the real programs are.
const envAssets = "LIVE_NOTIFY_DEMO_ASSETS"

// inPlaceOf returns a path that runs a program of the control plane such that
// it ends with this process, however that ends.
func inPlaceOf(assets, name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(controlPlane, 0o755); err != nil {
		return "", err
	}
	link := absolute(filepath.Join(controlPlane, name))
	return link, errors.Join(os.Symlink(self, link), os.Setenv(envAssets, assets))
}

// runInPlace becomes the program that this process was started as, unless that
// is the demo.
func runInPlace() {
	assets := os.Getenv(envAssets)
	if assets == "" {
		return
	}
	runtime.LockOSThread() // what is asked of the system is asked for the thread that execs
	err := dieWithParent()
	if err == nil {
		err = syscall.Exec(filepath.Join(assets, filepath.Base(os.Args[0])), os.Args, os.Environ())
	}
	fmt.Fprintln(os.Stderr, "demo:", err)
	os.Exit(1)
}
