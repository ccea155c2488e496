// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// TestCredentialsInWhatTheEndpointSays: an endpoint is told the access key ID and the
// security token of each request, and may repeat them where they do not belong. They
// never get into a status or an event.
func TestCredentialsInWhatTheEndpointSays(t *testing.T) {
	f := streamFixture()
	d := simulated(t, f, emulator.Options{})
	session := sessions[roleARN]
	var err error
	d.own, err = live.AccessKey(session.ID, session.Secret, session.SecurityToken)
	d.Expect(err).NotTo(HaveOccurred())
	d.restart()
	d.create("a", func(o Object) { spec(o).DriftPolicy = v1alpha1.DriftReport })
	d.settle("a")
	d.passes("a", 2*time.Minute)
	d.clock.advance(2 * plan.Settling)
	c, _ := d.cloud.StreamConfig(f.key)
	c.NotifyURL = "https://hooks.example.com/?t=" + session.SecurityToken
	d.cloud.SetStreamConfig(f.key, c)
	d.cloud.AddRecords(f.planted([]emulator.CallbackRecord{{
		Time: d.clock.Now(), Domain: f.key, App: session.Secret, Stream: session.SecurityToken, Type: "publish",
		URL: "https://hooks.example.com/" + session.SecurityToken, Description: "unexpected HTTP status 500", Result: emulator.ResultFailed,
	}}))
	d.ask("a", "now")
	d.passes("a", 20*time.Minute)
	text, err := json.Marshal(d.get("a"))
	d.Expect(err).NotTo(HaveOccurred())
	d.Expect(string(text)).To(ContainSubstring("https://hooks.example.com/?t=(hidden)"))
	d.Expect(string(text)).To(ContainSubstring("https://hooks.example.com/(hidden)"))
	for _, told := range []string{string(text), strings.Join(d.sim.told, "\n")} {
		d.Expect(told).NotTo(Or(ContainSubstring(session.SecurityToken), ContainSubstring(session.Secret)))
	}
}
