// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import "fmt"

// Line sums a plan up in one line.
func Line(s Summary) string {
	line := fmt.Sprintf("Plan: %d to create, %d to change, %d to remove, %d blocked, %d in sync", s.Create, s.Change, s.Remove, s.Blocked, s.InSync)
	if s.Unknown > 0 {
		line += fmt.Sprintf(", %d could not be read", s.Unknown)
	}
	if s.Unmanaged > 0 {
		line += fmt.Sprintf(", %d not managed", s.Unmanaged)
	}
	return line + "."
}
