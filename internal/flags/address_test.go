// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package flags_test

import (
	"bytes"
	"errors"
	"flag"
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/flags"
)

// A value that is refused is told with what the flag takes, and not with all flags.
func TestParseShort(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]string{
		"--workers=many":                 "--workers: must be a whole number of up to 9 digits",
		"--workers=99999999999999999999": "--workers: must be a whole number",
		"--secure=perhaps":               "--secure: must be true or false",
		"--every=ten":                    "--every: does not take this value; it is for: how often",
		"--nothing=1":                    "flag provided but not defined: -nothing",
	} {
		var printed bytes.Buffer
		fs := flag.NewFlagSet("test", flag.ExitOnError)
		fs.SetOutput(&printed)
		fs.Int("workers", 1, "how many")
		fs.Bool("secure", true, "whether")
		fs.Duration("every", 0, "how often")
		if err := flags.ParseShort(fs, []string{arg}); err == nil || !strings.Contains(err.Error(), want) || printed.Len() > 0 {
			t.Errorf("%s: got %v and %s", arg, err, &printed)
		}
		if err := flags.ParseShort(fs, []string{"-h"}); !errors.Is(err, flag.ErrHelp) || !strings.Contains(printed.String(), "how often") {
			t.Errorf("-h: got %v and %s", err, &printed)
		}
	}
}
