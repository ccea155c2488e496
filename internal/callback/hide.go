// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package callback

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// piece is how many characters of a secret in a row are told to be of it: half of the
// shortest key.
const piece = 8

// Hidden stands where a secret was.
const Hidden = "(hidden)"

// Hide returns what a receiver said without the secrets that it was sent, or shares:
// as they are or in pieces, in either case of letters, with something between their
// characters, turned around, or in an encoding that programs use to show them. A
// receiver that is being debugged says such things.
func Hide(text string, secrets ...string) string {
	forms := formsOfAll(secrets)
	runes := []rune(text)
	plain, places := plainOf(runes)
	secret := make([]bool, len(runes))
	for n := 0; n+piece <= len(plain); n++ {
		part := string(plain[n : n+piece])
		if slices.ContainsFunc(forms, func(form string) bool { return strings.Contains(form, part) }) {
			for at := places[n]; at <= places[n+piece-1]; at++ {
				secret[at] = true
			}
		}
	}
	var b strings.Builder
	for n, r := range runes {
		switch {
		case !secret[n]:
			b.WriteRune(r)
		case n == 0 || !secret[n-1]:
			b.WriteString(Hidden)
		}
	}
	return b.String()
}

// credentials finds the name and the password of a URL, also of one that is escaped as
// part of another.
var credentials = regexp.MustCompile(`(?i)((?::|%3A)(?:\\?/|%2F){2})[^/?#\s]*(?:@|%40)`)

// HideIn returns a value of a configuration, or a text with such values, without the
// keys that it repeats, as Hide does, and without the credentials of URLs; where the
// characters of a key are mixed with escapes, nothing of it is left.
func HideIn(value string, keys ...string) string {
	value = credentials.ReplaceAllString(value, "${1}"+Hidden+"@")
	if shown := Hide(value, keys...); shown != value || !Holds(value, keys...) {
		return shown
	}
	return Hidden
}

// Holds tells whether a value of a configuration has one of the keys in it, as a whole:
// as it is, in a form that Hide knows, or with any of its characters escaped for a URL.
func Holds(value string, keys ...string) bool {
	forms := formsOfAll(keys)
	for range maxEscapes {
		plain, _ := plainOf([]rune(value))
		if slices.ContainsFunc(forms, func(form string) bool { return strings.Contains(string(plain), form) }) {
			return true
		}
		without, err := url.PathUnescape(value)
		if err != nil || without == value {
			return false
		}
		value = without
	}
	return false
}

// maxEscapes is how often a value may be escaped.
const maxEscapes = 4

// plainOf returns the letters and digits of a text, in lower case, and where in it they
// are: only they count.
func plainOf(runes []rune) (plain []byte, places []int) {
	for n, r := range runes {
		if r >= '！' && r <= '～' { // the wide forms of ASCII
			r -= '！' - '!'
		}
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			plain, places = append(plain, byte(unicode.ToLower(r))), append(places, n)
		}
	}
	return plain, places
}

// formsOfAll returns the forms of all secrets that are long enough to be told from
// other words.
func formsOfAll(secrets []string) (forms []string) {
	for _, s := range secrets {
		if len(s) >= piece {
			forms = append(forms, formsOf(s)...)
		}
	}
	return forms
}

// formsOf returns what is left of a secret, in the forms in which it may be shown, if
// only letters and digits count, in lower case.
func formsOf(s string) []string {
	turned := []byte(s)
	slices.Reverse(turned)
	var forms []string
	for _, text := range []string{s, string(turned)} {
		forms = append(forms, text, hex.EncodeToString([]byte(text)))
		for _, each := range []string{"u%04x", "x%02x", "%03o", "%d"} { // of escapes
			var b strings.Builder
			for _, c := range []byte(text) {
				fmt.Fprintf(&b, each, c)
			}
			forms = append(forms, b.String())
		}
		for before := range 3 { // how many bytes of something else share its first digit
			whole := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", before) + text))
			forms = append(forms, whole[(before*8+5)/6:])
		}
	}
	for n, form := range forms {
		forms[n] = strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return unicode.ToLower(r)
			}
			return -1 // a + or a / of base64
		}, form)
	}
	return forms
}
