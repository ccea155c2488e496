// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command bench measures the operator against a real API server and the emulated
// cloud under its documented limits, with the operator as a process of its own:
//
//	go run ./hack/bench -n 1000
//	go run ./hack/bench -n 10000 -qps-scale 20   # ten thousand within minutes
//	go run ./hack/bench -baseline                # and an operator without pacing, side by side
//	go run ./hack/bench -n 100000 -accounts 100  # many accounts, beside a hundredth and a tenth of that
//	go run ./hack/bench -scenes all              # what holds beside hung tenants, in an outage, over quota
//
// It prints a table, and JSON with -json FILE. It judges nothing: machines differ.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/flags"
	"github.com/live-notify/live-notify-operator/test/system"
)

// config is what to measure.
type config struct {
	n        int
	accounts int
	standing bool
	mix      shares
	scale    float64
	throttle emulator.ThrottleModel
	baseline bool
	edits    int
	steady   time.Duration
	resync   time.Duration
	failing  int
	runs     int
	json     string
	scenes   []string
	pprof    string
}

func (c *config) parse() error {
	flag.IntVar(&c.n, "n", 1000, "objects to converge, 1 to 100000")
	flag.IntVar(&c.accounts, "accounts", 0, "cloud accounts to spread the objects over, each with the documented limits, and to measure at a hundredth and a tenth of them first; 0 is the operator's own account alone")
	flag.BoolVar(&c.standing, "standing", false, "with -accounts: all but the first hundredth of the objects are in sync before the operator finds them, instead of converging one by one")
	mix := flag.String("mix", "80,15,5", "percent of objects of each kind, in this order: "+kindNames()+"; what is left out is 0")
	flag.Float64Var(&c.scale, "qps-scale", 1, "multiplies the documented limits, of the cloud and of the operator's share")
	throttle := flag.String("throttle", string(emulator.FixedWindow), "how the cloud counts: fixed-window or token-bucket")
	flag.BoolVar(&c.baseline, "baseline", false, "measure also an operator that does not pace its requests and, when restarted, knows nothing of its last reads")
	flag.IntVar(&c.edits, "edits", 200, "edits to measure while idle")
	flag.DurationVar(&c.steady, "steady", 3*time.Minute, "how long to watch the steady state; 0 leaves it out")
	flag.DurationVar(&c.resync, "resync", 10*time.Minute, "spec.resyncInterval of the objects")
	flag.IntVar(&c.failing, "failing", 100, "objects that the cloud rejects for ever; 0 leaves them out")
	flag.IntVar(&c.runs, "runs", 1, "how often to measure; with more than one, medians are shown too")
	played := flag.String("scenes", "", "promises to measure instead, or \"all\": "+strings.Join(sceneNames(), ", "))
	flag.StringVar(&c.pprof, "pprof", "0", "`address` at which the operator serves /debug/pprof meanwhile; 0 turns it off")
	flag.StringVar(&c.json, "json", "", "`file` to write the figures to")
	if err := flags.Parse(flag.CommandLine, os.Args[1:]); err != nil {
		return err
	}
	var err error
	if c.throttle, err = emulator.ParseThrottleModel(*throttle); err != nil {
		return err
	}
	if *played != "" {
		c.scenes = strings.Split(*played, ",")
	}
	if *played == "all" {
		c.scenes = sceneNames()
	}
	for _, name := range c.scenes {
		if scenes[name].play == nil {
			return fmt.Errorf("-scenes: there is no %q; want all, or some of %s", name, strings.Join(sceneNames(), ", "))
		}
	}
	parts, sum := strings.Split(*mix, ","), 0
	for i := range min(len(parts), len(c.mix)) {
		if c.mix[i], err = strconv.Atoi(parts[i]); err != nil || c.mix[i] < 0 {
			return fmt.Errorf("-mix %s: want percentages such as 80,15,5", *mix)
		}
		sum += c.mix[i]
	}
	switch {
	case len(parts) > len(c.mix) || sum != 100:
		return fmt.Errorf("-mix %s: want at most %d percentages that sum up to 100", *mix, len(c.mix))
	case c.n < 1 || c.n > 100_000:
		return errors.New("-n: want 1 to 100000")
	case c.accounts < 0 || c.accounts > 0 && c.n%c.accounts != 0:
		return errors.New("-accounts: want at least 0, and -n a multiple of it")
	case c.scale <= 0:
		return errors.New("-qps-scale: want more than 0")
	case c.edits < 1:
		return errors.New("-edits: want at least 1")
	case c.runs < 1:
		return errors.New("-runs: want at least 1")
	}
	return nil
}

func main() {
	var cfg config
	system.Main("bench", cfg.parse, func(ctx context.Context) error { return run(ctx, cfg) })
}

func run(ctx context.Context, cfg config) error {
	if len(cfg.scenes) > 0 {
		return play(ctx, cfg, cfg.scenes)
	}
	if cfg.accounts > 0 {
		return grow(ctx, cfg)
	}
	modes := []mode{{name: "operator", share: 80}}
	if cfg.baseline {
		// With a share beyond all that could be asked for there is no pacing, and
		// with nobody waiting there are no lanes: the cloud's throttling alone
		// slows it down.
		modes = append(modes, mode{name: "baseline", share: 1_000_000, forgetful: true})
	}
	var results []*figures
	for _, m := range modes {
		var runs []*figures
		for range cfg.runs {
			if err := system.Caught(func() { runs = append(runs, measure(ctx, cfg, m)) }); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
		}
		results = append(results, runs...)
		if len(runs) > 1 {
			f := medians(runs)
			f.Mode += ", medians"
			results = append(results, f)
		}
	}
	fmt.Print(table(results))
	return system.WriteJSON(cfg.json, results)
}
