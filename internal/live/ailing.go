// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A reply with status 200 may still speak of a failure, in a way that is not
// documented: a number as its code, a message, a list of errors, at its top or beside
// the configuration. It confirms neither that something was written, nor that there is
// nothing.

// Members that say how it went, by what of them is a failure: a code that is none of a
// success, a status of HTTP that is one of an error, and anything that is said at all.
// What is in Data is nothing that a model knows.
var (
	codes    = regexp.MustCompile(`(?i)^(err(or)?|ret(urn)?|sub|result|biz|status)?_?code$`)
	statuses = regexp.MustCompile(`(?i)^(http)?_?status$`)
	success  = regexp.MustCompile(`(?i)^(is)?_?(ok|success|succeeded|successful)$`)
	sayings  = regexp.MustCompile(`(?i)^(err.*|(sub|ret)?_?(message|msg)|failures?|failed|reason|exceptions?)$`)
	wrapped  = regexp.MustCompile(`(?i)^(data|results?|response|body)$`)
	// successes are what a code or a message says of no failure.
	successes = []string{"", "0", "200", "ok", "success", "succeeded", "successful", "true", "null", "false", "[]", "{}"}
)

// ails tells whether a reply has a member that its model does not know, and that speaks
// of a failure: at its top, or in an object there.
func ails(body []byte, model reflect.Type) bool {
	return slices.ContainsFunc(unknown(body, model, true), func(m member) bool {
		said := strings.ToLower(strings.Trim(string(m.value), `" `))
		fine := slices.Contains(successes, said)
		switch {
		case codes.MatchString(m.name) || sayings.MatchString(m.name):
			return !fine
		case statuses.MatchString(m.name):
			n, err := strconv.Atoi(said)
			return err == nil && n >= 300
		case success.MatchString(m.name):
			return said == "false" || said == "0" || said == "no"
		default:
			return m.top && wrapped.MatchString(m.name)
		}
	})
}

// member is one of a reply.
type member struct {
	name  string
	value json.RawMessage
	top   bool
}

// unknown returns the members of an object that its model does not know, and of the
// objects in it if it is the top.
func unknown(object []byte, model reflect.Type, top bool) (found []member) {
	var said map[string]json.RawMessage
	if json.Unmarshal(object, &said) != nil {
		return nil // no object
	}
	for name, value := range said {
		of, known := fieldOf(model, name)
		if !known {
			found = append(found, member{name, value, top})
		}
		if top {
			found = append(found, unknown(value, of, false)...)
		}
	}
	return found
}

// fieldOf returns the type of a field of a model, by its name in JSON; that of the
// struct that it points to. A model that is nil knows nothing.
func fieldOf(model reflect.Type, name string) (of reflect.Type, known bool) {
	if model == nil || model.Kind() != reflect.Struct {
		return nil, false
	}
	for field := range model.Fields() {
		if tag, _, _ := strings.Cut(field.Tag.Get("json"), ","); tag != name {
			continue
		}
		if of = field.Type; of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		return of, true
	}
	return nil, false
}
