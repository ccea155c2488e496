// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
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

// merging says what becomes of a field when its parameter is absent or empty.
type merging struct {
	// keepAbsent keeps a field whose parameter is absent; otherwise it is cleared.
	keepAbsent bool
	// keepEmpty has an empty parameter count as absent. It needs keepAbsent.
	keepEmpty bool
}

// keeps tells whether a field stays as it is.
func (m merging) keeps(p params, name string) bool {
	return m.keepAbsent && (!p.has(name) || m.keepEmpty && p[name] == "")
}

// replaceIn sets a field from its parameter, unless the field stays as it is.
func (p params) replaceIn(field *string, name string, m merging) {
	if !m.keeps(p, name) {
		*field = p[name]
	}
}

// number returns a whole number from 1 to most, or otherwise if the parameter is absent.
func (p params) number(name string, otherwise, most int) (int, bool) {
	if !p.has(name) {
		return otherwise, true
	}
	n, err := strconv.Atoi(p[name])
	return n, err == nil && n >= 1 && n <= most
}

// pageSize returns the size of a page, or otherwise if the parameter is absent. What is more than the most there can be
// is refused, or becomes that, as switched.
func (p params) pageSize(otherwise, most int, sw Switches) (int, bool) {
	if sw.MaxPageSize > 0 {
		most = min(most, sw.MaxPageSize)
	}
	n, ok := p.number("PageSize", min(otherwise, most), math.MaxInt32)
	if n > most && sw.ClampPageSize {
		n = most
	}
	return n, ok && n <= most
}

// given returns the parameters as the gateway passes them on, or what it has against them. empty is a value of
// Switches.EmptyParameters.
func (p params) given(required []string, empty string) (params, error) {
	if empty == EmptyMissing || empty == EmptyRefused {
		whole := p
		p = maps.Clone(p)
		maps.DeleteFunc(p, func(_, value string) bool { return value == "" })
		for _, name := range slices.Sorted(maps.Keys(whole)) {
			if empty == EmptyRefused && !p.has(name) && !slices.Contains(required, name) {
				return nil, errEmpty(name)
			}
		}
	}
	for _, name := range required {
		if !p.has(name) {
			return nil, errMissing(name)
		}
	}
	return p, nil
}

// logged returns the parameters as the call log shows them: without the token that proves an identity.
func (p params) logged() params {
	if p["OIDCToken"] == "" {
		return p
	}
	shown := maps.Clone(p)
	shown["OIDCToken"] = masked
	return shown
}

// flag reads a switch, given the spellings of on and off that its family documents. An empty one is off.
func flag(value string, on, off []string) (set, ok bool) {
	return slices.Contains(on, value), value == "" || slices.Contains(on, value) || slices.Contains(off, value)
}

// yesNo reads NotifyReqAuth of a stream, which is a string: yes or no.
func yesNo(value string) (on, ok bool) { return flag(value, []string{"yes"}, []string{"no"}) }

// trueFalse reads a parameter that the documentation has as a Boolean.
func trueFalse(value string) (on, ok bool) { return flag(value, []string{"true"}, []string{"false"}) }

// eitherSpelling reads NotifyReqAuth of a recording: a Boolean by its type, yes or no by its description.
func eitherSpelling(value string) (on, ok bool) {
	return flag(value, []string{"true", "yes"}, []string{"false", "no"})
}

// parseTime reads a time as the cloud takes it. Package time also takes fractions of a second, and an hour of one digit.
func parseTime(text string) (t time.Time, ok bool) {
	t, err := time.Parse(timeFormat, text)
	return t, err == nil && t.Format(timeFormat) == text
}

// span reads StartTime and EndTime of a records query, for the families that have a code for each mistake.
func (p params) span(now time.Time) (from, to time.Time, err error) {
	var ok bool
	if from, ok = parseTime(p["StartTime"]); !ok {
		return from, to, errMalformed("StartTime")
	}
	if to, ok = parseTime(p["EndTime"]); !ok {
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

// hasPort tells whether a URL names a port.
func hasPort(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Port() != ""
}

var lettersAndDigits = regexp.MustCompile(`^[A-Za-z0-9]*$`)

// validKey tells whether an authentication key follows the rules of its family: 16 to most letters or digits.
func validKey(key string, most int, sw Switches) bool {
	if sw.AcceptAnyKey {
		return key != ""
	}
	return len(key) >= 16 && len(key) <= most && lettersAndDigits.MatchString(key)
}
