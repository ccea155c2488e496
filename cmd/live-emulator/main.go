// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command live-emulator serves the callback plane of ApsaraVideo Live on a local address, from memory. See
// docs/emulator.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "live-emulator:", err)
		os.Exit(1)
	}
}

// run serves until the context ends. It prints the address on out, and logs to errOut.
func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	cfg, err := parseFlags(args, errOut)
	if err != nil {
		return err
	}
	cfg.options.Logger = slog.New(slog.NewTextHandler(errOut, nil))
	emu := emulator.New(cfg.options)
	defer emu.Close()
	if err := cfg.setUp(emu); err != nil {
		return err
	}

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: emu, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(out, "listening on http://%s, admin API at http://%[1]s/_emulator/\n", listener.Addr())

	for _, key := range cfg.options.AccessKeys {
		cfg.options.Logger.Info("access key", "id", key.ID, "accountID", emu.AccountID(key.Account))
	}
	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	background.Go(func() { traffic(ctx, emu, cfg.traffic) })

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	emu.Close() // first, since it lets go of calls that a fault holds up
	return shutDown(ctx, server)
}

// shutDown lets calls in progress finish, for a while.
func shutDown(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second) // ctx has ended: that is why
	defer cancel()
	return server.Shutdown(ctx)
}
