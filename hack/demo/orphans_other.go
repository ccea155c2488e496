// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "syscall"

// childAttributes keeps the terminal's Ctrl-C from a child: the demo stops its
// children itself, in order. Only Linux ends them if the demo is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

func dieWithParent() error { return nil }
