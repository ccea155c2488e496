// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package flags parses a command line as the standard library does, but refuses
// what that takes for something else without a word.
package flags

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// Parse parses the arguments. It refuses, before any flag is set,
//
//   - an argument that belongs to no flag, since the library ignores all flags
//     behind it: "--metrics-secure false --watch-namespaces media" would watch
//     all namespaces;
//   - a flag in the place of a value, as in "--endpoint --leader-elect";
//   - an empty value of a flag whose default is not empty.
func Parse(fs *flag.FlagSet, args []string) error {
	if err := check(fs, args); err != nil {
		return err
	}
	return fs.Parse(args)
}

// refused is how the library begins what it says of a value.
var refused = regexp.MustCompile(`^invalid (?:boolean )?value .* for (?:flag )?-([^ :]+): `)

// ParseShort parses as Parse does, whatever the set does about errors, and says of a
// value that is refused what the flag takes, without all other flags. After a request
// for help, which is answered, the error is flag.ErrHelp.
func ParseShort(fs *flag.FlagSet, args []string) error {
	output := fs.Output()
	fs.Init(fs.Name(), flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	err := Parse(fs, args)
	fs.SetOutput(output)
	if errors.Is(err, flag.ErrHelp) {
		fs.Usage()
		return err
	}
	if err == nil {
		return nil
	}
	if found := refused.FindStringSubmatch(err.Error()); found != nil {
		return fmt.Errorf("--%s: %s", found[1], wanted(fs.Lookup(found[1])))
	}
	return err
}

// wanted says what a flag takes.
func wanted(f *flag.Flag) string {
	switch sort, usage := flag.UnquoteUsage(f); {
	case isBool(f):
		return "must be true or false"
	case sort == "int":
		return "must be a whole number of up to 9 digits"
	default:
		return "does not take this value; it is for: " + usage
	}
}

// check walks through the arguments as the library does. What that refuses by
// itself, such as a flag that does not exist, is left to it.
func check(fs *flag.FlagSet, args []string) error {
	for i := 0; i < len(args); i++ {
		name, value, assigned, ok := split(args[i])
		if !ok {
			return stray(fs, args, i)
		}
		f := fs.Lookup(name)
		switch {
		case f == nil:
			return nil // as "--help"
		case isBool(f):
			continue // the library reads what is behind "=", and refuses nothing there
		case !assigned:
			if i++; i == len(args) {
				return nil
			}
			value = args[i]
			if looksLikeFlag(value) {
				return fmt.Errorf("--%s needs a value, and %q looks like a flag; if it is the value, write --%s=%s", name, value, name, value)
			}
		}
		if value == "" && f.DefValue != "" {
			return fmt.Errorf("--%s needs a value; leave it out for the default, %s", name, f.DefValue)
		}
	}
	return nil
}

// split returns the parts of a flag. It is none if there is no name.
func split(arg string) (name, value string, assigned, ok bool) {
	name = strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")
	if name == arg || name == "" || name[0] == '-' || name[0] == '=' {
		return "", "", false, false
	}
	name, value, assigned = strings.Cut(name, "=")
	return name, value, assigned, true
}

// looksLikeFlag is true of flags that do not exist too, as of misspelt ones, but
// of no number.
func looksLikeFlag(value string) bool {
	name, _, _, ok := split(value)
	return ok && (name[0] < '0' || name[0] > '9') && name[0] != '.'
}

func isBool(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// stray says what was probably meant with an argument that belongs to no flag.
func stray(fs *flag.FlagSet, args []string, at int) error {
	arg := args[at]
	if at == 0 {
		return fmt.Errorf("unexpected argument %q: there are flags only", arg)
	}
	name, _, assigned, ok := split(args[at-1])
	f := fs.Lookup(name)
	if _, err := strconv.ParseBool(arg); err == nil && ok && !assigned && f != nil && isBool(f) {
		return fmt.Errorf("unexpected argument %q: write --%s=%s, with = and without a blank", arg, name, arg)
	}
	return fmt.Errorf("unexpected argument %q behind %q: each flag takes one value; one with blanks, or a list, goes in quotation marks or has no blanks", arg, args[at-1])
}
