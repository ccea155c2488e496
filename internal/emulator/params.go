// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// timeFormat is how the cloud writes times, always in UTC.
const timeFormat = "2006-01-02T15:04:05Z"

// retention is how far back callback records go.
const retention = 7 * 24 * time.Hour

// params are the parameters of a call. Absent and empty differ: Set clears a field that is sent empty.
type params map[string]string

func (p params) has(name string) bool {
	_, ok := p[name]
	return ok
}

// replaceIn sets a field from its parameter; an absent one clears the field, or keeps it when merging.
func (p params) replaceIn(field *string, name string, merge bool) {
	if merge && !p.has(name) {
		return
	}
	*field = p[name]
}

// number returns a whole number from 1 to most, or otherwise if the parameter is absent.
func (p params) number(name string, otherwise, most int) (int, bool) {
	if !p.has(name) {
		return otherwise, true
	}
	n, err := strconv.Atoi(p[name])
	return n, err == nil && n >= 1 && n <= most
}

// yesNo reads a flag that the documentation spells yes and no in one place, and true and false in another.
func yesNo(value string) (on, ok bool) {
	switch value {
	case "yes", "true":
		return true, true
	case "no", "false", "":
		return false, true
	}
	return false, false
}

// span reads StartTime and EndTime of a records query, for the families that have a code for each mistake.
func (p params) span(now time.Time) (from, to time.Time, err error) {
	if from, err = time.Parse(timeFormat, p["StartTime"]); err != nil {
		return from, to, errMalformed("StartTime")
	}
	if to, err = time.Parse(timeFormat, p["EndTime"]); err != nil {
		return from, to, errMalformed("EndTime")
	}
	if !to.After(from) {
		return from, to, errEndMismatch
	}
	if now.Sub(from) > retention {
		return from, to, errDurationExceed
	}
	return from, to, nil
}

// webURL tells whether a URL starts as callback URLs must.
func webURL(url string) bool {
	return strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "https://")
}

var lettersAndDigits = regexp.MustCompile(`^[A-Za-z0-9]*$`)

// validKey tells whether an authentication key follows the rules of its family: 16 to most letters or digits.
func validKey(key string, most int, sw Switches) bool {
	if sw.AcceptAnyKey {
		return key != ""
	}
	return len(key) >= 16 && len(key) <= most && lettersAndDigits.MatchString(key)
}
