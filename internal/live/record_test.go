// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

var recordSwitches = map[string]emulator.Switches{
	"as documented":    {},
	"an Update merges": {RecordUpdateMerges: true},
	"reads are late":   {ReadDelay: readDelay},
	"all at once":      {RecordUpdateMerges: true, ReadDelay: readDelay},
}

func recordInCloud(c live.RecordConfig) emulator.RecordConfig {
	return emulator.RecordConfig{
		NotifyURL: c.NotifyURL, OnDemandURL: c.OnDemandURL, NeedStatusNotify: c.NeedStatusNotify,
		Auth: c.Authentication, AuthKey: string(c.AuthKey),
	}
}

func TestRecordPut(t *testing.T) {
	t.Parallel()
	const again = "Update Describe Delete Add"
	var (
		write  = map[string]string{"": "Update"}
		erase  = map[string]string{"": "Update Describe", "reads are late": again, "all at once": again}
		create = map[string]string{"": "Add"}
	)
	full := live.RecordConfig{NotifyURL: hook, OnDemandURL: hook2, NeedStatusNotify: true, Authentication: true, AuthKey: key}
	with := func(change func(*live.RecordConfig)) live.RecordConfig {
		c := full
		change(&c)
		return c
	}
	cases := map[string]struct {
		have, want live.RecordConfig
		calls      map[string]string
	}{
		"creates with all fields":      {live.RecordConfig{}, full, create},
		"creates with notifyURL alone": {live.RecordConfig{}, live.RecordConfig{NotifyURL: hook}, create},
		"creates with a key of digits that starts with zeros": {
			live.RecordConfig{}, live.RecordConfig{NotifyURL: hook, Authentication: true, AuthKey: zeroDigits}, create,
		},
		"changes notifyURL":           {full, with(func(c *live.RecordConfig) { c.NotifyURL = hook3 }), write},
		"changes onDemandURL":         {full, with(func(c *live.RecordConfig) { c.OnDemandURL = hook3 }), write},
		"adds onDemandURL":            {live.RecordConfig{NotifyURL: hook}, live.RecordConfig{NotifyURL: hook, OnDemandURL: hook2}, write},
		"clears onDemandURL":          {full, with(func(c *live.RecordConfig) { c.OnDemandURL = "" }), erase},
		"clears all but notifyURL":    {full, live.RecordConfig{NotifyURL: hook}, erase},
		"turns needStatusNotify off":  {full, with(func(c *live.RecordConfig) { c.NeedStatusNotify = false }), write},
		"turns needStatusNotify on":   {live.RecordConfig{NotifyURL: hook}, live.RecordConfig{NotifyURL: hook, NeedStatusNotify: true}, write},
		"turns authentication on":     {live.RecordConfig{NotifyURL: hook}, live.RecordConfig{NotifyURL: hook, Authentication: true, AuthKey: key}, write},
		"turns authentication off":    {full, with(func(c *live.RecordConfig) { c.Authentication, c.AuthKey = false, "" }), write},
		"changes the key":             {full, with(func(c *live.RecordConfig) { c.AuthKey = otherKey }), write},
		"changes the key to 32 digit": {full, with(func(c *live.RecordConfig) { c.AuthKey = digits }), write},
	}
	for name, tc := range cases {
		for behaviour, switches := range recordSwitches {
			t.Run(name+", "+behaviour, func(t *testing.T) {
				t.Parallel()
				c := newCloud(t, switches)
				if tc.have != (live.RecordConfig{}) {
					c.earlier(beforeDelay, func() { c.SetRecordConfig(play, recordInCloud(tc.have)) })
				}
				recordings := live.NewRecord(c.client)
				if err := recordings.Put(t.Context(), quota.User, play, tc.have, tc.want, true); err != nil {
					t.Fatal(err)
				}
				got, _ := c.RecordConfig(play)
				if diff := cmp.Diff(recordInCloud(tc.want), got); diff != "" {
					t.Errorf("in the cloud (-want +got):\n%s", diff)
				}
				calls, special := tc.calls[behaviour]
				if !special {
					calls = tc.calls[""]
				}
				check(t, "calls", c.actions(), calls)

				switches.ReadDelay = 0
				c.SetSwitches(switches)
				have, err := recordings.Get(t.Context(), quota.Sync, play)
				if err != nil {
					t.Fatal(err)
				}
				check(t, "read back", have, tc.want)
				if diff := live.Diff(have.Fields(), tc.want.Fields()); diff != nil {
					t.Errorf("reading it back shows drift in %v", diff)
				}
			})
		}
	}
}

// Someone created a configuration between our read and our write: it is not
// overwritten.
func TestRecordPutOnConfigurationNotSeen(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	held := emulator.RecordConfig{NotifyURL: hook, OnDemandURL: hook2, Auth: true, AuthKey: otherKey}
	c.SetRecordConfig(play, held)
	err := live.NewRecord(c.client).Put(t.Context(), quota.User, play, live.RecordConfig{}, live.RecordConfig{NotifyURL: hook3}, false)
	check(t, "class", live.ClassOf(err), live.Exists)
	check(t, "calls", c.actions(), "Add Describe")
	got, _ := c.RecordConfig(play)
	check(t, "in the cloud", got, held)
}

func TestRecordGetAbsent(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	recordings := live.NewRecord(c.client)
	for spelling, fault := range map[string]*emulator.Fault{
		"404 InvalidConfig.NotFound": nil,
		"400 ConfigNotFound":         {Code: "ConfigNotFound", Status: 400, Times: 1},
		"400 CodeConfigNotFound":     {Code: "CodeConfigNotFound", Status: 400, Times: 1},
		"404 ResourceNotExist":       {Code: "ResourceNotExist", Status: 404, Times: 1},
		"an empty object":            {Body: `{"RequestId":"R","LiveRecordNotifyConfig":{}}`, Times: 1},
		"empty fields":               {Body: `{"RequestId":"R","LiveRecordNotifyConfig":{"DomainName":"live.example.com","NotifyUrl":"","OnDemandUrl":"","NeedStatusNotify":"false","NotifyReqAuth":false,"NotifyAuthKey":""}}`, Times: 1},
		"null":                       {Body: `{"RequestId":" R","LiveRecordNotifyConfig":null}`, Times: 1},
		"no object":                  {Body: `{"RequestId":"R"}`, Times: 1},
	} {
		t.Run(spelling, func(t *testing.T) {
			if fault != nil {
				c.Inject(*fault)
			}
			got, err := recordings.Get(t.Context(), quota.Sync, play)
			if err != nil {
				t.Fatal(err)
			}
			check(t, "configuration", got, live.RecordConfig{})
		})
	}
}

func TestRecordDelete(t *testing.T) {
	t.Parallel()
	for behaviour, switches := range recordSwitches {
		t.Run(behaviour, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, switches)
			c.SetRecordConfig(play, emulator.RecordConfig{NotifyURL: hook})
			for range 3 {
				if err := live.NewRecord(c.client).Delete(t.Context(), quota.User, play); err != nil {
					t.Fatal(err)
				}
				if got, ok := c.RecordConfig(play); ok {
					t.Errorf("the cloud still has %+v", got)
				}
			}
			check(t, "calls", c.actions(), "Delete Delete Delete")
		})
	}
}
