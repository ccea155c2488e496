// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// TestExplain: what kubectl explain says of a field has its bounds, and what applies
// where it may be left out.
func TestExplain(t *testing.T) {
	t.Parallel()
	for kind, spec := range specs(t) {
		explained(t, kind+": spec", spec)
	}
}

func explained(t *testing.T, at string, s apiextensionsv1.JSONSchemaProps) {
	t.Helper()
	for name, field := range s.Properties {
		here := at + "." + name
		said := field.Description
		mayLack := !slices.Contains(s.Required, name)
		if mayLack && !strings.HasSuffix(at, "credentials") && !strings.Contains(strings.ToLower(said), "default") && !strings.Contains(said, "none with") {
			t.Errorf("%s does not say what applies without it: %s", here, said)
		}
		var bounds []string
		if field.MaxItems != nil && len(enumOf(field)) == 0 {
			bounds = append(bounds, strconv.FormatInt(*field.MaxItems, 10))
		}
		if field.Maximum != nil {
			bounds = append(bounds, strconv.FormatFloat(*field.Maximum, 'f', -1, 64))
		}
		for _, bound := range bounds {
			if !strings.Contains(said, bound) {
				t.Errorf("%s does not say that its bound is %s: %s", here, bound, said)
			}
		}
		explained(t, here, field)
		if field.Items != nil {
			explained(t, here+"[]", *field.Items.Schema)
		}
	}
}

// enumOf returns the values that an item of a list may have, if these are few.
func enumOf(s apiextensionsv1.JSONSchemaProps) []apiextensionsv1.JSON {
	if s.Items == nil {
		return nil
	}
	return s.Items.Schema.Enum
}
