// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package callback

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// piece is how many characters of a secret in a row are told to be of it: half of the
// shortest key.
const piece = 8

// hidden stands where a secret was.
const hidden = "(hidden)"

// Hide returns what a receiver said without the secrets that it was sent, or shares:
// as they are or in pieces, in either case of letters, with something between their
// characters, turned around, or in an encoding that programs use to show them. A
// receiver that is being debugged says such things.
func Hide(text string, secrets ...string) string {
	var forms []string
	for _, s := range secrets {
		if len(s) >= piece {
			forms = append(forms, formsOf(s)...)
		}
	}
	// Only letters and digits count. Their places in the text are kept.
	runes := []rune(text)
	var plain []byte
	var places []int
	for n, r := range runes {
		if r >= '！' && r <= '～' { // the wide forms of ASCII
			r -= '！' - '!'
		}
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			plain, places = append(plain, byte(unicode.ToLower(r))), append(places, n)
		}
	}
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
			b.WriteString(hidden)
		}
	}
	return b.String()
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
