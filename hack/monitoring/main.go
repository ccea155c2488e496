// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command monitoring prints the Grafana dashboard, config/prometheus/dashboard.json.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	made, err := board()
	if err == nil {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetEscapeHTML(false) // < and > are for people to read
		encoder.SetIndent("", "  ")
		err = encoder.Encode(made)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "monitoring:", err)
		os.Exit(1)
	}
}
