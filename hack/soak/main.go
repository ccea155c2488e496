// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command soak wears the operator out, and then looks whether all is well: a
// real API server, the emulated cloud under its documented limits, the operator
// as a process of its own, and hundreds of objects of all kinds in three
// accounts.
//
//	go run ./hack/soak -minutes 60
//
// While it lasts, people edit, suspend, delete and create objects, rotate and
// lose Secrets, someone changes the cloud behind the operator's back, calls to
// the cloud go wrong in every way, callbacks are sent and fail; in the first half
// the operator is killed now and then. Then calm returns, and it is an error if
// the cloud is not what the specs say, if anything is still written, if a key
// shows anywhere, or if memory, goroutines, open files or calls have grown.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/live-notify/live-notify-operator/internal/flags"
	"github.com/live-notify/live-notify-operator/test/system"
)

// config is how long and how hard.
type config struct {
	minutes float64 // of trouble; calm takes some more
	objects int
	seed    uint64
	json    string
}

func parseFlags() (config, error) {
	var c config
	flag.Float64Var(&c.minutes, "minutes", 5, "how long things go wrong; what comes after takes some minutes more")
	flag.IntVar(&c.objects, "n", 300, "objects, 12 to 2000")
	flag.Uint64Var(&c.seed, "seed", uint64(time.Now().Unix()), "of the random choices")
	flag.StringVar(&c.json, "json", "", "`file` to write the figures to")
	if err := flags.Parse(flag.CommandLine, os.Args[1:]); err != nil {
		return c, err
	}
	switch {
	case c.minutes <= 0:
		return c, errors.New("-minutes: want more than 0")
	case c.objects < 12 || c.objects > 2000:
		return c, errors.New("-n: want 12 to 2000")
	}
	return c, nil
}

func main() {
	cfg, err := parseFlags()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(2)
	}
	system.Main("soak", func(ctx context.Context) error { return run(ctx, cfg) })
}

func run(ctx context.Context, cfg config) (err error) {
	system.Say("%d objects, %g minutes, -seed %d", cfg.objects, cfg.minutes, cfg.seed)
	w, err := newWorld(ctx, rand.New(rand.NewPCG(cfg.seed, 0)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.stop()) }()
	if err := w.populate(ctx, cfg.objects); err != nil {
		return err
	}
	if err := w.trouble(ctx, time.Duration(cfg.minutes*float64(time.Minute))); err != nil {
		return err
	}
	system.Say("calm returns")
	if err := w.calm(ctx); err != nil {
		return err
	}
	r, err := w.judge(ctx)
	if err != nil {
		return err
	}
	if r.Growth == nil && cfg.minutes > judged.Minutes() {
		r.violate("there are too few samples of the last process to tell whether it grows")
	}
	fmt.Print(r)
	if err := system.WriteJSON(cfg.json, r); err != nil {
		return err
	}
	if len(r.Violations) > 0 {
		return fmt.Errorf("%d violations", len(r.Violations))
	}
	return nil
}
