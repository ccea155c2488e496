// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command line prints which build it is, as the programs of this repository do.
package main

import (
	"fmt"

	"github.com/live-notify/live-notify-operator/internal/version"
)

func main() { fmt.Println(version.Line("line")) }
