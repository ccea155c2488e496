// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package flags_test

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/internal/flags"
)

// line is a command line with a flag of each sort.
type line struct {
	secure, elect   bool
	endpoint        string
	region          string
	namespaces      string
	workers         int
	every           time.Duration
	domains, levels []string
}

func (l *line) set() *flag.FlagSet {
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.BoolVar(&l.secure, "secure", true, "")
	fs.BoolVar(&l.elect, "elect", false, "")
	fs.StringVar(&l.endpoint, "endpoint", "", "")
	fs.StringVar(&l.region, "region", "cn-shanghai", "")
	fs.StringVar(&l.namespaces, "namespaces", "", "")
	fs.IntVar(&l.workers, "workers", 10, "")
	fs.DurationVar(&l.every, "every", 0, "")
	fs.Func("domain", "", func(s string) error { l.domains = append(l.domains, s); return nil })
	fs.BoolFunc("debug", "", func(s string) error { l.levels = append(l.levels, s); return nil })
	return fs
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for args, say := range map[string]string{
		// A blank instead of = behind a boolean flag.
		"--secure false":                    "write --secure=false",
		"-secure false":                     "write --secure=false",
		"--secure false --namespaces media": "write --secure=false",
		"--elect true":                      "write --elect=true",
		"--elect 0":                         "write --elect=0",
		"--debug true":                      "write --debug=true",
		"--namespaces media --secure f --endpoint a.b": "write --secure=f",

		// Other arguments that belong to no flag.
		"false":                    `unexpected argument "false": there are flags only`,
		"run --elect":              `unexpected argument "run"`,
		"--elect media":            `unexpected argument "media" behind "--elect"`,
		"--elect=true false":       `unexpected argument "false" behind "--elect=true"`,
		"--namespaces a, b":        `unexpected argument "b" behind "a,"`,
		"--namespaces=a b --elect": `unexpected argument "b" behind "--namespaces=a"`,
		"--elect -- --secure":      `unexpected argument "--" behind "--elect"`,
		"--elect -":                `unexpected argument "-"`,
		"--elect ''":               `unexpected argument ""`,
		"—elect":                   `unexpected argument "—elect"`,

		// A flag in the place of a value.
		"--endpoint --elect":       `--endpoint needs a value, and "--elect" looks like a flag`,
		"--endpoint -elect":        `--endpoint needs a value, and "-elect" looks like a flag`,
		"--namespaces --region=a":  `--namespaces needs a value, and "--region=a" looks like a flag`,
		"--workers --elect":        "--workers needs a value",
		"--endpoint --elekt":       `--endpoint needs a value, and "--elekt" looks like a flag`,
		"--endpoint -e":            "if it is the value, write --endpoint=-e",
		"--domain --elect":         "--domain needs a value",
		"--elect --every --secure": "--every needs a value",

		// No value.
		"--region=":           "--region needs a value; leave it out for the default, cn-shanghai",
		"--region ''":         "--region needs a value",
		"--elect --workers=":  "--workers needs a value; leave it out for the default, 10",
		"--endpoint":          "flag needs an argument: -endpoint",
		"--elect --namespace": "flag provided but not defined: -namespace",

		// What the library refuses.
		"--workers many": "invalid value",
		"--secure=maybe": "invalid boolean value",
		"--=a":           "",
		"---secure":      "",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var l line
			err := flags.Parse(l.set(), fields(args))
			if err == nil || !strings.Contains(err.Error(), say) {
				t.Errorf("got %v, want %q", err, say)
			}
		})
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]func(line) bool{
		"":                             func(l line) bool { return l.secure && !l.elect && l.workers == 10 },
		"--secure=false --elect":       func(l line) bool { return !l.secure && l.elect },
		"--elect --endpoint a.b":       func(l line) bool { return l.elect && l.endpoint == "a.b" },
		"-endpoint=a.b -elect":         func(l line) bool { return l.elect && l.endpoint == "a.b" },
		"--endpoint= --namespaces ''":  func(l line) bool { return l.endpoint == "" && l.namespaces == "" },
		"--workers -3":                 func(l line) bool { return l.workers == -3 },
		"--every -5s":                  func(l line) bool { return l.every == -5*time.Second },
		"--namespaces=-a":              func(l line) bool { return l.namespaces == "-a" },
		"--every -.5s --elect":         func(l line) bool { return l.every == -time.Second/2 && l.elect },
		"--namespaces=--elect":         func(l line) bool { return l.namespaces == "--elect" && !l.elect },
		"--domain a=b --domain=c=d":    func(l line) bool { return strings.Join(l.domains, " ") == "a=b c=d" },
		"--debug --debug=x":            func(l line) bool { return strings.Join(l.levels, " ") == "true x" },
		"--namespaces elect --elect=1": func(l line) bool { return l.namespaces == "elect" && l.elect },
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var l line
			if err := flags.Parse(l.set(), fields(args)); err != nil || !want(l) {
				t.Errorf("got %+v, %v", l, err)
			}
		})
	}
}

// Nothing is set when something is refused.
func TestRefusedSetsNothing(t *testing.T) {
	t.Parallel()
	var l line
	if err := flags.Parse(l.set(), fields("--elect --domain a --secure false")); err == nil || l.elect || l.domains != nil {
		t.Errorf("got %+v, %v", l, err)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, arg := range []string{"-h", "--help"} {
		var l line
		if err := flags.Parse(l.set(), []string{arg}); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%s: got %v", arg, err)
		}
	}
}

// fields splits a command line at its blanks; ” is an empty argument.
func fields(text string) []string {
	args := strings.Fields(text)
	for i := range args {
		if args[i] == "''" {
			args[i] = ""
		}
	}
	return args
}
