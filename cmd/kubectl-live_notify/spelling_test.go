// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// Types are taken in the spellings of kubectl; another one is a mistake of the call.
func TestSpellingOfTypes(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	for _, typed := range []string{
		"lnc", "LiveNotifyConfig", "LIVENOTIFYCONFIGS", "livenotifyconfigs.live.alibabacloud.com", "lnc.live.alibabacloud.com", "livenotifyconfigs.v1alpha1.live.alibabacloud.com",
	} {
		w.call("plan", typed+"/push").want(t, exitYes)
		w.call("plan", typed, "push").want(t, exitYes)
	}
	for typed, right := range map[string]string{
		"LNC": "lnc", "Lnc": "lnc", "LNC.live.alibabacloud.com": "lnc.live.alibabacloud.com", "LRNC": "lrnc",
		"livenotifyconfigs.LIVE.alibabacloud.com": "livenotifyconfigs.live.alibabacloud.com",
	} {
		for _, args := range [][]string{{typed + "/push"}, {typed, "push"}, {typed}, {"lnc," + typed}} {
			for _, verb := range []string{"plan", "failures", "replay", "reconcile"} {
				w.call(append([]string{verb}, args...)...).want(t, exitUsage, fmt.Sprintf("%q is no type: want %s, ", typed, right))
			}
		}
	}
	w.call("plan", "FOO/push").want(t, exitUsage, "none of the callback kinds")
}
