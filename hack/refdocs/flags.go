// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
)

// flagInfo is what "-h" says of a flag.
type flagInfo struct{ Name, Type, Default, Usage string }

// programFlags are those of the operator and the emulator.
func programFlags() (any, error) {
	operator, err := flagsOf(".")
	if err != nil {
		return nil, err
	}
	emulator, err := flagsOf("./cmd/live-emulator")
	return map[string][]flagInfo{"Operator": operator, "Emulator": emulator}, err
}

var (
	flagLine    = regexp.MustCompile(`^  -(\S+)(?: (\S+))?(?:\t(.*))?$`)
	flagDefault = regexp.MustCompile(` ?\(default "?(.*?)"?\)$`)
)

// flagsOf runs a program with -h: its flags are in package main, which nobody can
// import.
func flagsOf(program string) ([]flagInfo, error) {
	out, err := exec.Command("go", "run", program, "-h").CombinedOutput() //nolint:noctx // it ends by itself
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) { // -h ends with an error
		return nil, err
	}
	var all []flagInfo
	for line := range strings.Lines(string(out)) {
		line = strings.TrimRight(line, "\n")
		if m := flagLine.FindStringSubmatch(line); m != nil {
			all = append(all, flagInfo{Name: m[1], Type: m[2], Usage: m[3]})
		} else if text, ok := strings.CutPrefix(line, "    \t"); ok && len(all) > 0 {
			f := &all[len(all)-1]
			f.Usage = strings.TrimSpace(f.Usage + " " + strings.TrimSpace(text))
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s -h names no flags:\n%s", program, out)
	}
	for i := range all {
		f := &all[i]
		if m := flagDefault.FindStringSubmatch(f.Usage); m != nil {
			f.Default, f.Usage = m[1], strings.TrimSuffix(f.Usage, m[0])
		}
		if f.Type == "" {
			f.Type = "bool"
		}
		f.Usage = strings.NewReplacer("|", `\|`, "<", `\<`).Replace(f.Usage)
	}
	return all, nil
}
