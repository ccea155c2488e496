// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
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
	flagEntry   = regexp.MustCompile(`(?m)^  -(\S+)(?: (\S+))?(?:\t|\n    \t)(.*(?:\n    \t.*)*)$`)
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
	for _, entry := range flagEntry.FindAllStringSubmatch(string(out), -1) {
		f := flagInfo{Name: entry[1], Type: cmp.Or(entry[2], "bool"), Usage: strings.Join(strings.Fields(entry[3]), " ")}
		if m := flagDefault.FindStringSubmatch(f.Usage); m != nil {
			f.Default, f.Usage = m[1], strings.TrimSuffix(f.Usage, m[0])
		}
		f.Usage = strings.NewReplacer("|", `\|`, "<", `\<`, "[", `\[`).Replace(f.Usage)
		all = append(all, f)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s -h names no flags:\n%s", program, out)
	}
	return all, nil
}
