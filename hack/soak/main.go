// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command soak wears the operator out, and then looks whether all is well: a
// real API server, the emulated cloud under its documented limits, the operator
// as a process of its own or two that follow each other, and hundreds of objects
// of all kinds in several accounts.
//
//	go run ./hack/soak -minutes 60
//	go run ./hack/soak -minutes 60 -n 5000 -accounts 20 -hostile 2 -leaders 5m -resync 2m
//
// While it lasts, people edit, suspend, delete and create objects, rotate and
// lose Secrets, change many objects in steps, and name receivers that fail, so
// that guards roll back; someone changes the cloud behind the operator's back,
// calls to the cloud go wrong in every way, callbacks are sent and fail, the
// operator is killed or stopped, and hostile accounts do what they can. Then calm
// returns, and it is an error if the cloud is not what the specs say, if a count
// is wrong, if anything is still written, if a key shows anywhere, if anything of
// a hostile account reached another, or if memory, goroutines, open files or calls
// have grown.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/live-notify/live-notify-operator/internal/flags"
	"github.com/live-notify/live-notify-operator/test/system"
)

// config is how long and how hard.
type config struct {
	minutes  float64 // of trouble; calm takes some more
	objects  int
	accounts int
	hostile  int
	leaders  time.Duration
	resync   time.Duration
	seed     uint64
	json     string
}

func (c *config) parse() error {
	flag.Float64Var(&c.minutes, "minutes", 5, "how long things go wrong; what comes after takes some minutes more")
	flag.IntVar(&c.objects, "n", 300, "objects of all accounts, 12 to 10000")
	flag.IntVar(&c.accounts, "accounts", 3, "accounts of the cloud: the operator's own, those of LiveAccounts, and the hostile ones")
	flag.IntVar(&c.hostile, "hostile", 0, "how many of the accounts are hostile")
	flag.DurationVar(&c.leaders, "leaders", 0, "two operators with a lease, of which the leader is stopped or killed so often; 0 is one without, that is killed now and then in the first half")
	flag.DurationVar(&c.resync, "resync", time.Minute, "resyncInterval of the objects; callbacks are counted twice as often")
	flag.Uint64Var(&c.seed, "seed", uint64(time.Now().Unix()), "of the random choices")
	flag.StringVar(&c.json, "json", "", "`file` to write the figures to")
	if err := flags.Parse(flag.CommandLine, os.Args[1:]); err != nil {
		return err
	}
	switch {
	case c.minutes <= 0:
		return errors.New("-minutes: want more than 0")
	case c.objects < 12 || c.objects > 10_000:
		return errors.New("-n: want 12 to 10000")
	case c.hostile < 0 || c.accounts <= c.hostile:
		return errors.New("-accounts: want more than -hostile")
	case c.resync < time.Minute:
		return errors.New("-resync: want 1m or more")
	}
	return nil
}

func main() {
	var cfg config
	system.Main("soak", cfg.parse, func(ctx context.Context) error { return run(ctx, cfg) })
}

func run(ctx context.Context, cfg config) error {
	system.Say("%d objects, %d accounts, %g minutes, -seed %d", cfg.objects, cfg.accounts, cfg.minutes, cfg.seed)
	w := newWorld(ctx, cfg)
	return errors.Join(system.Caught(func() { w.soak(ctx) }), w.stop())
}

func (w *world) soak(ctx context.Context) {
	start := time.Now()
	w.populate(ctx)
	w.trouble(ctx)
	w.calm(ctx)
	w.judge(ctx)
	w.Minutes = time.Since(start).Minutes()
	fmt.Print(&w.report)
	system.Check(system.WriteJSON(w.cfg.json, w.report))
	if n := len(w.Violations); n > 0 {
		system.Check(fmt.Errorf("%d violations", n))
	}
}
