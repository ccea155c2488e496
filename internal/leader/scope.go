// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/sets"
)

// Scope is which objects an operator works on.
type Scope struct {
	Namespaces []string        // all if empty
	Selector   labels.Selector // by labels; all if nil
}

// stated is a Scope as it stands in an annotation.
type stated struct {
	Namespaces []string `json:"namespaces,omitempty"`
	Selector   string   `json:"selector,omitempty"`
}

// String states the scope, as parseScope reads it.
func (s Scope) String() string {
	of := stated{Namespaces: slices.Sorted(slices.Values(s.Namespaces))}
	if s.Selector != nil {
		of.Selector = s.Selector.String()
	}
	text, err := json.Marshal(of)
	if err != nil {
		panic(err) // strings alone always have a JSON
	}
	return string(text)
}

// parseScope reads what String stated.
func parseScope(text string) (Scope, error) {
	var of stated
	if err := json.Unmarshal([]byte(text), &of); err != nil {
		return Scope{}, fmt.Errorf("reading a scope: %w", err)
	}
	selector, err := labels.Parse(of.Selector)
	if err != nil {
		return Scope{}, fmt.Errorf("reading the selector of a scope: %w", err)
	}
	return Scope{Namespaces: of.Namespaces, Selector: selector}, nil
}

// Overlaps is false only if no object can be in both scopes.
func (s Scope) Overlaps(t Scope) bool {
	if len(s.Namespaces) > 0 && len(t.Namespaces) > 0 && !sets.New(s.Namespaces...).HasAny(t.Namespaces...) {
		return false
	}
	for _, a := range requirements(s.Selector) {
		for _, b := range requirements(t.Selector) {
			if a.Key() == b.Key() && (excludes(a, b) || excludes(b, a)) {
				return false
			}
		}
	}
	return true
}

func requirements(selector labels.Selector) labels.Requirements {
	if selector == nil {
		return nil
	}
	all, _ := selector.Requirements()
	return all
}

// excludes is true if a label that meets a cannot meet b. Comparisons of numbers
// are not looked into: they count as overlapping.
func excludes(a, b labels.Requirement) bool {
	values, others := sets.New(a.ValuesUnsorted()...), sets.New(b.ValuesUnsorted()...)
	switch a.Operator() {
	case selection.Equals, selection.DoubleEquals, selection.In:
		switch b.Operator() {
		case selection.Equals, selection.DoubleEquals, selection.In:
			return !values.HasAny(b.ValuesUnsorted()...)
		case selection.NotEquals, selection.NotIn:
			return others.IsSuperset(values)
		case selection.DoesNotExist:
			return true
		}
	case selection.Exists:
		return b.Operator() == selection.DoesNotExist
	}
	return false
}
