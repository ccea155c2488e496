// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// Kinds of applications have no domains, and an account is not said to have none for that.
func TestImportOfApplications(t *testing.T) {
	const none = "no live domains"
	w := newWorld(t, emulator.Options{})
	w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	w.cloud.AddApp("", "app1")
	for _, kinds := range []string{"les", "lmes", "lmac", "les,lmac", "LiveRtcEventSub"} {
		for _, more := range [][]string{nil, {"--domain", "*.example.com"}} {
			got := w.call(append([]string{"import", "--kind", kinds}, more...)...).want(t, exitYes, "These kinds belong to applications", "--app-id")
			if strings.Contains(got.err, none) || strings.Contains(got.err, "matches --domain") {
				t.Errorf("%s: got %s", kinds, got.err)
			}
		}
	}
	if got := w.call("import", "--kind", "lmes", "--app-id", "app1").want(t, exitYes, "None of these applications has"); strings.Contains(got.err, none) {
		t.Errorf("got %s", got.err)
	}
	w.call("import", "--kind", "lnc,les").want(t, exitYes, "None of these domains has")
}
