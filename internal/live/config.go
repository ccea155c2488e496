// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
)

// AuthenticationField is the name of the field of all families that may differ
// because a key was rotated.
const AuthenticationField = "authentication"

// What the cloud calls true and false where it does not use booleans.
var yes, no = "yes", "no"

// Bounds of what is kept of what the cloud shows, in bytes: the most that a
// resource may ask for. What was cut has a mark, and never equals what is wanted.
const (
	maxURL = 2083
	maxID  = 64
)

// Field is one value of a configuration, under the name that the resource has for
// it. The zero value of a field is "", and "false" for a truth value.
type Field struct {
	Name, Value string
	// Secret: the value is for comparing only. It hides itself from fmt and encoders.
	Secret bool
	// WriteOnly: the cloud never shows it.
	WriteOnly bool
}

// String returns the field without a secret.
func (f Field) String() string {
	if f.Secret && f.set() {
		return f.Name + "=" + hidden
	}
	return f.Name + "=" + f.Value
}

// GoString returns the field without a secret.
func (f Field) GoString() string { return f.String() }

// MarshalText returns the field without a secret.
func (f Field) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// set tells whether a field has a value other than zero.
func (f Field) set() bool { return f.Value != "" && f.Value != "false" }

// empty tells whether the field is one that is written by leaving it empty, and
// is so.
func (f Field) empty() bool { return !f.Secret && f.Value == "" }

// authentication is the field of how callbacks are signed. Without authentication
// a key means nothing.
func authentication(on bool, key Key) Field {
	f := Field{Name: AuthenticationField, Secret: true}
	if on {
		f.Value = signed + string(key)
	}
	return f
}

const signed = "on:"

// Difference is a field in which two configurations differ. Of a secret it says
// only "set", "not set" or "differs".
type Difference struct {
	Name, Have, Want string
	Secret           bool
}

// Masked tells whether a configuration, as the cloud shows it, has a key that it does
// not show: nobody can tell whether that is the one that is wanted.
func Masked(have []Field) bool {
	return slices.ContainsFunc(have, func(f Field) bool {
		return f.Secret && f.set() && Key(strings.TrimPrefix(f.Value, signed)).masked()
	})
}

// Diff returns the fields in which what the cloud shows differs from what is
// wanted, in the order of the configuration. What the cloud never shows is left
// out. No fields at all are those of no configuration.
func Diff(have, want []Field) []Difference {
	var differ []Difference
	for i := range max(len(have), len(want)) {
		h, w := at(have, want, i), at(want, have, i)
		if w.WriteOnly || h.same(w) {
			continue
		}
		d := Difference{Name: w.Name, Have: h.Value, Want: w.Value, Secret: w.Secret}
		if w.Secret {
			d.Have, d.Want = secretly(h, w)
		}
		differ = append(differ, d)
	}
	return differ
}

// at returns a field of a configuration. The other one, of the same family, has
// its name where this one is none.
func at(fields, other []Field, i int) Field {
	if i < len(fields) {
		return fields[i]
	}
	f := other[i]
	f.Value = ""
	return f
}

// same tells whether two values of a field agree.
func (f Field) same(g Field) bool {
	return f.Value == g.Value || !f.set() && !g.set() || f.Secret && f.set() && g.set() &&
		Key(strings.TrimPrefix(f.Value, signed)).same(Key(strings.TrimPrefix(g.Value, signed)))
}

// secretly describes two values that differ without telling them.
func secretly(have, want Field) (h, w string) {
	switch {
	case !have.set():
		return "not set", "set"
	case !want.set():
		return "set", "not set"
	default:
		return "differs", "set"
	}
}

// Names returns the names of the fields that differ.
func Names(differ []Difference) []string {
	var names []string
	for _, d := range differ {
		names = append(names, d.Name)
	}
	return names
}

// RevisionFormat is what each revision begins with that can be compared with those
// of this version.
const RevisionFormat = "1:"

// Revision identifies a configuration by its values. It begins with the number of
// its format. Of a key it holds only whether there is one. A field that is zero
// adds nothing, and the order of fields does not matter: a new version of the
// operator, whose configurations have more fields, finds the same revision.
func Revision(fields []Field) string {
	var values []string
	for _, f := range fields {
		if !f.set() {
			continue
		}
		if f.Secret {
			f.Value = signed
		}
		values = append(values, fmt.Sprintf("%d:%s=%d:%s\n", len(f.Name), f.Name, len(f.Value), f.Value))
	}
	slices.Sort(values)
	sum := sha256.Sum256([]byte(strings.Join(values, "")))
	return RevisionFormat + hex.EncodeToString(sum[:16])
}

// Spelling tells whether what the cloud shows may be its own spelling of what is
// wanted: HTML references, upper and lower case in scheme and host, a port that
// is the default, an empty path, escapes that mean the same, blanks in a list.
func Spelling(have, want string) bool { return canonical(have) == canonical(want) }

var (
	commas  = regexp.MustCompile(`\s*,\s*`)
	webURL  = regexp.MustCompile(`(?is)^(https?)://([^/?#]*)(.*)$`)
	escapes = regexp.MustCompile(`%[0-9A-Fa-f]{2}|[^!-~]|["<>\\^` + "`" + `{|}]`)
)

func canonical(s string) string {
	s = commas.ReplaceAllString(html.UnescapeString(s), ",")
	if u := webURL.FindStringSubmatch(s); u != nil {
		scheme, host, rest := strings.ToLower(u[1]), strings.ToLower(u[2]), u[3]
		host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[scheme])
		if !strings.HasPrefix(rest, "/") {
			rest = "/" + rest
		}
		s = scheme + "://" + host + rest
	}
	return escapes.ReplaceAllStringFunc(s, escape)
}

// escape returns the one spelling of a character that is escaped, or has to be.
func escape(s string) string {
	if c, err := hex.DecodeString(strings.TrimPrefix(s, "%")); err == nil && len(s) == 3 {
		if isAlphanumeric(rune(c[0])) || strings.ContainsRune("-._~", rune(c[0])) {
			return string(c)
		}
		return strings.ToUpper(s)
	}
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// JoinList returns a list as the value of a field: sorted and joined by commas.
func JoinList[S ~string](members []S) string {
	var texts []string
	for _, m := range members {
		texts = append(texts, string(m))
	}
	slices.Sort(texts)
	return strings.Join(texts, ",")
}

// SplitList returns the members of a list as JoinList joins it.
func SplitList(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// maxMembers is the most members of a list that are kept.
const maxMembers = 64

// members reads a list, of which it keeps what a subscription may have. One that was
// cut has a mark, and so has a list.
func members(list []*string) string {
	var kept []string
	for i, m := range list {
		if i == maxMembers {
			kept = append(kept, cut)
			break
		}
		kept = append(kept, bounded(m, maxID))
	}
	return JoinList(kept)
}

// bounded returns a value of a reply, "" for none, cut to what is kept of it.
func bounded(s *string, most int) string { return Bound(value(s), most) }

// parameter returns one of a request: an empty one is sent as such, or left out.
func parameter(s string, leaveOut bool) *string {
	if s == "" && leaveOut {
		return nil
	}
	return &s
}

// ignoreNotFound makes the removal of what is not there a success.
func ignoreNotFound(err error) error {
	if ClassOf(err) == NotFound {
		return nil
	}
	return err
}

// KeyOf returns the authentication key of a configuration, "" for none. It is the
// way to a key that a person wants to keep.
func KeyOf(fields []Field) Key {
	for _, f := range fields {
		if f.Name == AuthenticationField && f.Secret {
			return Key(strings.TrimPrefix(f.Value, signed))
		}
	}
	return ""
}
