// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package replay

import (
	"os"
	"syscall"
)

// lock takes a file for this process. The lock ends with the process, however that
// ends.
func lock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
