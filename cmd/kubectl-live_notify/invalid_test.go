// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// What the cloud holds and no manifest may say is told as plan tells it: the field by
// its name, and the value, in which a password may be, not at all.
func TestImportTellsWhatIsInvalidAsPlanDoes(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	const canary = "hunter2Canary"
	for domain, c := range map[string]emulator.StreamConfig{
		"a.example.com": {NotifyURL: "http://me:" + canary + "@hooks.example.com/x?a={{b}}"},
		"b.example.com": {NotifyURL: "https://hooks.example.com/", ExceptionNotifyURL: `https://h/:99999: "` + canary + `"`},
	} {
		w.cloud.AddDomain("", domain, emulator.IngestDomain)
		w.cloud.SetStreamConfig(domain, c)
	}
	for _, format := range []string{"yaml", "json", "wide"} {
		got := w.call("import", "--kind", "lnc", "-o", format).want(t, exitNo,
			`LiveNotifyConfig.live.alibabacloud.com`, "spec.notifyURL: Invalid value", "spec.exceptionNotifyURL: Invalid value")
		if strings.Contains(got.out+got.err, canary) {
			t.Errorf("-o %s repeats the value:\n%s%s", format, got.out, got.err)
		}
	}
}
