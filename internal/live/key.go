// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"errors"
	"fmt"
	"strings"

	"github.com/live-notify/live-notify-operator/internal/words"
)

// Key is the key that callbacks are signed with. It hides itself from fmt,
// loggers and encoders; string(k) is the one way to the value.
type Key string

const hidden = "(hidden)"

// String returns a placeholder.
func (Key) String() string { return hidden }

// GoString returns a placeholder.
func (Key) GoString() string { return hidden }

// MarshalText returns a placeholder, so that encoders do not print the key.
func (Key) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// minKey is the least number of characters of a key, in every family.
const minKey = 16

// ParseKey checks that a key is 16 to most letters or digits, as the cloud
// demands. The error says what is wrong without quoting the key.
func ParseKey(value string, most int) (Key, error) {
	switch trimmed := strings.TrimSpace(value); {
	case value == "":
		return "", errors.New("is empty")
	case trimmed != value:
		return "", errors.New("begins or ends with a space or a line break; store it without, for example with kubectl create secret --from-literal or printf")
	case len(value) < minKey || len(value) > most:
		return "", fmt.Errorf("has %s, but the cloud takes %d to %d", words.Count(len(value), "character"), minKey, most)
	case strings.ContainsFunc(value, func(r rune) bool { return !isAlphanumeric(r) }):
		return "", errors.New("holds a character that is neither a letter nor a digit (A-Z, a-z, 0-9)")
	}
	return Key(value), nil
}

func isAlphanumeric(c rune) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// same tells whether the cloud's key is the one that was written. Some replies
// carry an all-digit key as a JSON number, which loses leading zeros.
func (k Key) same(cloud Key) bool {
	return k == cloud || isDigits(k) && isDigits(cloud) &&
		strings.TrimLeft(string(k), "0") == strings.TrimLeft(string(cloud), "0")
}

// masked tells that the cloud does not show a key, or shows something in its place.
func (k Key) masked() bool { return k == "" || strings.ContainsAny(string(k), "*•") }

func isDigits(k Key) bool {
	return k != "" && strings.Trim(string(k), "0123456789") == ""
}
