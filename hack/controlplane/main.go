// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command controlplane makes sure that there is a Kubernetes control plane to
// test against and prints the directory of its programs, building them first
// when needed:
//
//	KUBEBUILDER_ASSETS=$(go run ./hack/controlplane) go test ./...
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/live-notify/live-notify-operator/test/controlplane"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := controlplane.Assets(ctx, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		os.Exit(1)
	}
	fmt.Println(dir)
}
