// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// What the cloud never sends, or never takes, is a mistake of the call: nothing is sent.
func TestProbeOfWhatTheCloudNeverSends(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push-probe.example.com")
	long, short := strings.Repeat("k", 40), strings.Repeat("k", 32)
	probe := func(key, as string, more ...string) answer {
		args := append([]string{"probe", "--url", w.receiver.URL, "--as", as, "--yes"}, more...)
		if key != "" {
			args = append(args, "--key-file", "-")
		}
		return w.callWith(t.Context(), key, args...)
	}
	probe("", "stream", "--type", "nosuch").want(t, exitUsage, "--type: want for callbacks of stream one of publish, publish_done")
	probe("", "stream", "--type", "file_created").want(t, exitUsage, "publish_done")
	probe("", "record", "--type", "publish").want(t, exitUsage, "record_started")
	probe("", "mpu", "--type", "publish").want(t, exitUsage, "do not differ")
	probe(long, "record").want(t, exitUsage, "has 40 characters, but the cloud takes 16 to 32")
	probe(long, "ondemand").want(t, exitUsage, "16 to 32")
	probe(long, "snapshot").want(t, exitUsage, "16 to 32")
	probe("short", "snapshot").want(t, exitUsage, "has 5 characters, but the cloud takes 16 to 32")
	probe(strings.Repeat("k", 65), "stream").want(t, exitUsage, "16 to 64")
	w.call("probe", "lnc/push", "--type", "record_started", "--yes").want(t, exitUsage, "publish_done")
	if got := w.receiver.requests(); len(got) > 0 {
		t.Errorf("got %+v", got)
	}
	probe(long, "stream", "--type", "publish_done").want(t, exitYes)
	probe(short, "record", "--type", "record_started").want(t, exitYes)
	probe(short, "snapshot", "--type", "snapshot").want(t, exitYes)
	probe(short, "mpu").want(t, exitYes, "of mpu, unsigned")
	w.call("probe", "lnc/push", "--type", "publish_done", "--yes").want(t, exitYes)
}

// What a dry run would send was not tried: it is neither good nor bad.
func TestProbeThatIsNotSentIsNotJudged(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push-probe.example.com")
	for _, more := range []string{"--dry-run", "--dry-run --verify", "--dry-run --count 2"} {
		args := append([]string{"probe", "lnc/push"}, strings.Fields(more)...)
		got := w.call(args...).want(t, exitYes, "to be sent")
		for _, line := range strings.Split(strings.TrimSpace(got.out), "\n")[1:] {
			if cells := regexp.MustCompile(`\s{2,}`).Split(strings.TrimSpace(line), -1); !slices.Equal(cells[1:len(cells)-1], []string{"-", "-", "-", "-", "-", "-"}) {
				t.Errorf("%s: got %q, want that it was not tried", more, cells)
			}
		}
		if got := w.call(append(args, "-o", "json")...).want(t, exitYes); strings.Contains(got.out, `"good": false`) || strings.Contains(got.out, `"good": true`) {
			t.Errorf("%s: got %s", more, got.out)
		}
	}
	if got := w.receiver.requests(); len(got) > 0 {
		t.Errorf("got %+v", got)
	}
	w.call("probe", "lnc/push", "--yes", "-o", "json").want(t, exitYes, `"good": true`)
	w.receiver.answers(500)
	w.call("probe", "lnc/push", "--yes", "-o", "json").want(t, exitNo, `"good": false`)
}
