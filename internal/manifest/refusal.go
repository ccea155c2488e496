// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/live-notify/live-notify-operator/internal/live"
)

// maxRefusal bounds what is shown of a refusal, in bytes: all that is wrong with a
// manifest is in one.
const maxRefusal = 8000

// Refusal returns what is wrong with a manifest, by field and in an order that does
// not change. It says it in the words of the schema, but without the values, in which a
// key or a password may be; other words, such as those of a webhook, are cleaned.
func Refusal(err error) string {
	e, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || e.ErrStatus.Details == nil || len(e.ErrStatus.Details.Causes) == 0 {
		return wordsOf(err.Error())
	}
	of := e.ErrStatus.Details
	said := fmt.Sprintf("%s %q is invalid: %s", schema.GroupKind{Group: of.Group, Kind: of.Kind}, of.Name, strings.Join(inOrder(of.Causes), ", "))
	return live.Bound(said, maxRefusal)
}

// inOrder returns what is wrong with a manifest by field, and last what is of no
// field: the API server goes through them in any order.
func inOrder(causes []metav1.StatusCause) []string {
	var lines, rest []string
	for _, cause := range causes {
		if cause.Field == "" || cause.Field == noField {
			rest = append(rest, wordsOf(cause.Message))
		} else {
			lines = append(lines, live.Bound(cause.Field, maxPath)+": "+wordsOf(cause.Message))
		}
	}
	slices.Sort(lines)
	return slices.Compact(append(lines, rest...))
}

const (
	// noField is how the API server writes that an error is of no field.
	noField = "<nil>"
	// maxPath bounds what is shown of the path of a field, in bytes.
	maxPath = 300
)

var (
	// ofValue is how the API server begins what is wrong with a string, which follows.
	ofValue = regexp.MustCompile(`^((?:Invalid|Unsupported|Duplicate) value): (?:"(?:[^"\\]|\\.)*"|null)`)
	// ofNone is how it begins what repeats no value, or a number: the words of a rule.
	ofNone = regexp.MustCompile(`^(?:Required value|Too long|Too many|Forbidden)\b|^Invalid value: (?:(?:-?[0-9.]+|true|false): )?[a-z]+[ ,.]|^no matches for kind |: strict decoding error: `)
)

// wordsOf returns what the API server says of a field, or of a whole manifest, in a line.
func wordsOf(said string) string {
	said = strings.Join(strings.Fields(said), " ")
	if without := ofValue.ReplaceAllString(said, "$1"); without != said || ofNone.MatchString(said) {
		return live.Bound(without, maxRefusal)
	}
	return live.Clean(said, maxRefusal)
}
