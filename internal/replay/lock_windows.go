// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"os"

	"golang.org/x/sys/windows"
)

// lock takes a file for this process: the byte far behind its end. The lock ends
// with the process, however that ends.
func lock(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 30})
}
