// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import "syscall"

// childAttributes lets a child end when this process does, however that ends,
// and keeps the terminal's Ctrl-C from it: the demo stops its children itself, in
// order.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// dieWithParent has this process killed when its parent dies.
func dieWithParent() error {
	_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
