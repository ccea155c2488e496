// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

const (
	digits      = "12345678901234567890123456789012"
	zeroDigits  = "00000012345678901234"
	readDelay   = 5 * time.Minute
	beforeDelay = 10 * time.Minute
)

// streamSwitches are the behaviours of the cloud that Put and Delete have to
// cope with.
var streamSwitches = map[string]emulator.Switches{
	"as documented":      {},
	"a Set merges":       {StreamSetMerges: true},
	"a Set refuses":      {StreamSetExists: true},
	"keys are numbers":   {StreamKeyAsNumber: true},
	"reads are late":     {ReadDelay: readDelay},
	"absence is missing": {StreamDescribeAbsent: emulator.AbsentMissing, StreamDeleteAbsentNotFound: true},
	"absence is a 404":   {StreamDescribeAbsent: emulator.AbsentNotFound, StreamDeleteAbsentNotFound: true},
	"all at once": {
		StreamSetMerges: true, StreamSetExists: true, StreamKeyAsNumber: true,
		StreamDescribeAbsent: emulator.AbsentNotFound, StreamDeleteAbsentNotFound: true, ReadDelay: readDelay,
	},
}

// inCloud is the configuration as the emulator keeps it.
func inCloud(c live.StreamConfig) emulator.StreamConfig {
	return emulator.StreamConfig{
		NotifyURL: c.NotifyURL, ExceptionNotifyURL: c.ExceptionNotifyURL, SwitchNotifyURL: c.SwitchNotifyURL,
		Auth: c.Authentication, AuthKey: string(c.AuthKey),
	}
}

func TestStreamPut(t *testing.T) {
	t.Parallel()
	// What a write takes, where the cloud does not do as documented.
	var (
		again = "Set Describe Delete Set"
		write = map[string]string{"": "Set", "a Set refuses": again, "all at once": again}
		erase = map[string]string{"": "Set Describe", "a Set refuses": again, "reads are late": again, "all at once": again}

		create  = map[string]string{"": "Set"}
		replace = map[string]string{"": "Set Delete Set", "a Set refuses": again, "all at once": again}
	)
	full := live.StreamConfig{
		NotifyURL: hook, ExceptionNotifyURL: hook2, SwitchNotifyURL: hook3, Authentication: true, AuthKey: key,
	}
	// with returns full with a change.
	with := func(change func(*live.StreamConfig)) live.StreamConfig {
		c := full
		change(&c)
		return c
	}
	cases := map[string]struct {
		have, want live.StreamConfig
		calls      map[string]string // by the name of the switches, "" for the rest
	}{
		"creates with all fields":        {live.StreamConfig{}, full, create},
		"creates with one URL":           {live.StreamConfig{}, live.StreamConfig{NotifyURL: hook}, create},
		"creates with the exception URL": {live.StreamConfig{}, live.StreamConfig{ExceptionNotifyURL: hook}, create},
		"creates with the switch URL":    {live.StreamConfig{}, live.StreamConfig{SwitchNotifyURL: hook}, create},
		"creates with a key of digits": {
			live.StreamConfig{}, live.StreamConfig{NotifyURL: hook, Authentication: true, AuthKey: digits}, create,
		},
		"creates with a key of digits that starts with zeros": {
			live.StreamConfig{}, live.StreamConfig{NotifyURL: hook, Authentication: true, AuthKey: zeroDigits}, create,
		},
		"changes notifyURL":          {full, with(func(c *live.StreamConfig) { c.NotifyURL = hook2 }), write},
		"changes exceptionNotifyURL": {full, with(func(c *live.StreamConfig) { c.ExceptionNotifyURL = hook }), write},
		"changes switchNotifyURL":    {full, with(func(c *live.StreamConfig) { c.SwitchNotifyURL = hook }), write},
		"adds a URL":                 {live.StreamConfig{NotifyURL: hook}, live.StreamConfig{NotifyURL: hook, ExceptionNotifyURL: hook2}, write},
		"adds the switch URL":        {live.StreamConfig{NotifyURL: hook}, live.StreamConfig{NotifyURL: hook, SwitchNotifyURL: hook2}, write},
		"clears notifyURL":           {full, with(func(c *live.StreamConfig) { c.NotifyURL = "" }), erase},
		"clears exceptionNotifyURL":  {full, with(func(c *live.StreamConfig) { c.ExceptionNotifyURL = "" }), erase},
		"clears switchNotifyURL":     {full, with(func(c *live.StreamConfig) { c.SwitchNotifyURL = "" }), replace},
		"clears all but one":         {full, live.StreamConfig{SwitchNotifyURL: hook3}, erase},
		"moves from one URL to another": {
			live.StreamConfig{NotifyURL: hook}, live.StreamConfig{ExceptionNotifyURL: hook}, erase,
		},
		"turns authentication on": {
			live.StreamConfig{NotifyURL: hook}, live.StreamConfig{NotifyURL: hook, Authentication: true, AuthKey: key}, write,
		},
		"turns authentication off": {full, with(func(c *live.StreamConfig) { c.Authentication, c.AuthKey = false, "" }), write},
		"changes the key":          {full, with(func(c *live.StreamConfig) { c.AuthKey = otherKey }), write},
		"changes the key to digits": {
			full, with(func(c *live.StreamConfig) { c.AuthKey = digits }), write,
		},
	}
	for name, tc := range cases {
		for behaviour, switches := range streamSwitches {
			t.Run(name+", "+behaviour, func(t *testing.T) {
				t.Parallel()
				c := newCloud(t, switches)
				if tc.have != (live.StreamConfig{}) {
					c.earlier(beforeDelay, func() { c.SetStreamConfig(push, inCloud(tc.have)) })
				}
				streams := live.NewStream(c.client)
				if err := streams.Put(t.Context(), quota.User, push, tc.have, tc.want, true); err != nil {
					t.Fatal(err)
				}
				got, _ := c.StreamConfig(push)
				if diff := cmp.Diff(inCloud(tc.want), got); diff != "" {
					t.Errorf("in the cloud (-want +got):\n%s", diff)
				}
				calls, special := tc.calls[behaviour]
				if !special {
					calls = tc.calls[""]
				}
				check(t, "calls", c.actions(), calls)

				if switches.ReadDelay > 0 {
					switches.ReadDelay = 0
					c.SetSwitches(switches)
				}
				have, err := streams.Get(t.Context(), quota.Sync, push)
				if err != nil {
					t.Fatal(err)
				}
				check(t, "SwitchNotifyURL as read", have.SwitchNotifyURL, "")
				have.SwitchNotifyURL = tc.want.SwitchNotifyURL
				if diff := live.Diff(have.Fields(), tc.want.Fields()); diff != nil {
					t.Errorf("reading it back shows drift in %v", diff)
				}
			})
		}
	}
}

func TestStreamPutOnConfigurationNotSeen(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{StreamSetExists: true})
	held := emulator.StreamConfig{NotifyURL: hook}
	c.SetStreamConfig(push, held)
	err := live.NewStream(c.client).Put(t.Context(), quota.User, push, live.StreamConfig{}, live.StreamConfig{NotifyURL: hook2}, false)
	check(t, "class", live.ClassOf(err), live.Exists)
	check(t, "calls", c.actions(), "Set Describe")
	got, _ := c.StreamConfig(push)
	check(t, "in the cloud", got, held)
}

// A failure to verify a write is an error: the field may have survived.
func TestStreamPutCannotVerify(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{StreamSetMerges: true})
	have := live.StreamConfig{NotifyURL: hook, ExceptionNotifyURL: hook2}
	c.SetStreamConfig(push, inCloud(have))
	c.Inject(emulator.Fault{Action: "DescribeLiveStreamsNotifyUrlConfig", Code: "InternalError", Status: 500, Times: 1})
	err := live.NewStream(c.client).Put(t.Context(), quota.User, push, have, live.StreamConfig{NotifyURL: hook}, true)
	check(t, "class", live.ClassOf(err), live.Unavailable)
	check(t, "calls", c.actions(), "Set Describe")
}

func TestStreamGetAbsent(t *testing.T) {
	t.Parallel()
	for _, spelling := range []string{emulator.AbsentEmpty, emulator.AbsentMissing, emulator.AbsentNotFound} {
		t.Run(spelling, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, emulator.Switches{StreamDescribeAbsent: spelling})
			got, err := live.NewStream(c.client).Get(t.Context(), quota.Sync, push)
			if err != nil {
				t.Fatal(err)
			}
			check(t, "configuration", got, live.StreamConfig{})
			check(t, "calls", c.actions(), "Describe")
		})
	}
}

func TestStreamDelete(t *testing.T) {
	t.Parallel()
	for behaviour, switches := range streamSwitches {
		t.Run(behaviour, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, switches)
			c.SetStreamConfig(push, emulator.StreamConfig{NotifyURL: hook})
			for range 3 {
				if err := live.NewStream(c.client).Delete(t.Context(), quota.User, push); err != nil {
					t.Fatal(err)
				}
				if got, ok := c.StreamConfig(push); ok {
					t.Errorf("the cloud still has %+v", got)
				}
			}
			check(t, "calls", c.actions(), "Delete Delete Delete")
		})
	}
}

func TestStreamDeleteIsNotDoneOnOtherErrors(t *testing.T) {
	t.Parallel()
	for code, class := range map[string]live.Class{
		"InvalidDomain.NotFound": live.DomainNotFound,
		"Forbidden":              live.AccessDenied,
		"InternalError":          live.Unavailable,
		"SomethingNotFound":      live.Unavailable,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, emulator.Switches{})
			c.Inject(emulator.Fault{Code: code, Status: 404})
			check(t, "class of the stream's", live.ClassOf(live.NewStream(c.client).Delete(t.Context(), quota.User, push)), class)
			check(t, "class of the record's", live.ClassOf(live.NewRecord(c.client).Delete(t.Context(), quota.User, play)), class)
		})
	}
}

// The Chinese sample of Describe has the key as a JSON number. A leading zero
// does not survive that; no drift may be seen in it.
func TestStreamKeyAsNumberLosesZeros(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	c.Inject(emulator.Fault{Body: `{"RequestId":"R","LiveStreamsNotifyConfig":{"NotifyUrl":"` + hook + `","NotifyReqAuth":"yes","NotifyAuthKey":12345678901234}}`})
	have, err := live.NewStream(c.client).Get(t.Context(), quota.Sync, push)
	if err != nil {
		t.Fatal(err)
	}
	want := live.StreamConfig{NotifyURL: hook, Authentication: true, AuthKey: zeroDigits}
	if diff := live.Diff(have.Fields(), want.Fields()); diff != nil {
		t.Errorf("drift in %v", diff)
	}
	want.AuthKey = "00000012345678901235"
	if diff := cmp.Diff([]string{"authentication"}, live.Names(live.Diff(have.Fields(), want.Fields()))); diff != "" {
		t.Errorf("another key (-want +got):\n%s", diff)
	}
}
