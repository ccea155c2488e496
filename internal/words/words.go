// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package words puts numbers and the texts of others into sentences.
package words

import (
	"fmt"
	"strings"
)

// Count returns how many of something there are, in words: "1 callback", "2 callbacks".
func Count[N ~int | ~int32 | ~int64](n N, noun string) string {
	return fmt.Sprintf("%d %s", n, Plural(n, noun))
}

// Plural returns the noun as it is for so many.
func Plural[N ~int | ~int32 | ~int64](n N, noun string) string {
	stem, ends := strings.CutSuffix(noun, "y")
	switch {
	case n == 1:
		return noun
	case ends:
		return stem + "ies"
	default:
		return noun + "s"
	}
}

// Sentence returns a text of someone else as a sentence: with one full stop.
func Sentence(s string) string { return strings.TrimRight(s, ". ") + "." }
