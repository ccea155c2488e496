// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"strings"
	"testing"
	"time"
)

// The longest list of the worst globs that the schema admits holds up nobody.
func TestAllowedDomainsCost(t *testing.T) {
	t.Parallel()
	globs := make([]string, 256)
	for i := range globs {
		globs[i] = strings.Repeat("*a", 126) + "b"
	}
	start := time.Now()
	if allows(globs, strings.Repeat("a", 253)) {
		t.Error("allowed")
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %s", took)
	}
}
