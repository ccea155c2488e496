// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// stateDir holds what the demo leaves for people to look at, and the data of
// the control plane while it runs.
const stateDir = ".demo"

// Files in the state directory.
const (
	operatorLog   = stateDir + "/operator.log"
	emulatorLog   = stateDir + "/emulator.log"
	apiServerLog  = stateDir + "/kube-apiserver.log"
	etcdLog       = stateDir + "/etcd.log"
	appliedFile   = stateDir + "/samples.yaml"
	kubeconfig    = stateDir + "/kubeconfig"
	kubectlCache  = stateDir + "/kubectl"
	etcdDir       = stateDir + "/etcd"
	certDir       = stateDir + "/certs"
	controlPlane  = stateDir + "/controlplane"
	lockFile      = stateDir + "/lock"
	logTailLength = 20
)

// enterStateDir empties the state directory and keeps other demos out of it
// until unlock. The system unlocks it too when this process dies.
func enterStateDir() (unlock func(), err error) {
	if err := os.MkdirAll(stateDir, 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(lockFile, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("another demo runs in this checkout (it holds %s): end that one first", lockFile)
	}
	if err == nil {
		err = emptyStateDir()
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return func() { _ = lock.Close() }, nil
}

func emptyStateDir() error {
	entries, err := os.ReadDir(stateDir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(stateDir, entry.Name())
		if path == filepath.Clean(lockFile) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// withLog adds the end of a log to an error.
func withLog(err error, path string) error {
	text, readErr := os.ReadFile(path)
	if readErr != nil {
		return err
	}
	lines := tail(string(text), logTailLength)
	if lines == "" {
		return fmt.Errorf("%w\n%s is empty", err, path)
	}
	return fmt.Errorf("%w\nthe end of %s:\n%s", err, path, lines)
}

// tail returns the last n lines of a text, indented.
func tail(text string, n int) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	lines := strings.Split(text, "\n")
	return "    " + strings.Join(lines[max(0, len(lines)-n):], "\n    ")
}
