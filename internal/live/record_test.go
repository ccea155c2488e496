// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
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
		erase  = map[string]string{"": again, "as documented": "Update Describe"}
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
				recordings := live.Record{Client: c.client}
				if err := recordings.Put(t.Context(), live.LaneUser, play, tc.have, tc.want); err != nil {
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
				have, err := recordings.Get(t.Context(), live.LaneSync, play)
				if err != nil {
					t.Fatal(err)
				}
				check(t, "read back", have, tc.want)
				if diff := tc.want.Diff(have); diff != nil {
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
	err := live.Record{Client: c.client}.Put(t.Context(), live.LaneUser, play, live.RecordConfig{}, live.RecordConfig{NotifyURL: hook3})
	check(t, "class", live.ClassOf(err), live.Exists)
	check(t, "calls", c.actions(), "Add")
	got, _ := c.RecordConfig(play)
	check(t, "in the cloud", got, held)
}

// The other way round: what was read is gone by now.
func TestRecordPutOnConfigurationGone(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	err := live.Record{Client: c.client}.Put(t.Context(), live.LaneUser, play, live.RecordConfig{NotifyURL: hook}, live.RecordConfig{NotifyURL: hook3})
	check(t, "class", live.ClassOf(err), live.NotFound)
	if got, ok := c.RecordConfig(play); ok {
		t.Errorf("the cloud has %+v", got)
	}
}

func TestRecordGetAbsent(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	recordings := live.Record{Client: c.client}
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
			got, err := recordings.Get(t.Context(), live.LaneSync, play)
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
				if err := (live.Record{Client: c.client}).Delete(t.Context(), live.LaneUser, play); err != nil {
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

func TestRecordDiff(t *testing.T) {
	t.Parallel()
	base := live.RecordConfig{NotifyURL: hook}
	cases := map[string]struct {
		want, have live.RecordConfig
		diff       []string
	}{
		"equal": {base, base, nil},
		"every field differs": {
			base, live.RecordConfig{OnDemandURL: hook, NeedStatusNotify: true, Authentication: true, AuthKey: key},
			[]string{"notifyURL", "onDemandURL", "needStatusNotify", "authentication"},
		},
		"a key without authentication means nothing": {base, live.RecordConfig{NotifyURL: hook, AuthKey: key}, nil},
		"digits without leading zeros": {
			live.RecordConfig{Authentication: true, AuthKey: zeroDigits}, live.RecordConfig{Authentication: true, AuthKey: "12345678901234"}, nil,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.diff, tc.want.Diff(tc.have)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
