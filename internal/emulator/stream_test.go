// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"strings"
	"testing"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
	"github.com/google/go-cmp/cmp"
)

// TestStreamRoundTrip sets a configuration with the official client and reads it back.
func TestStreamRoundTrip(t *testing.T) {
	type config = sdk.DescribeLiveStreamsNotifyUrlConfigResponseBodyLiveStreamsNotifyConfig
	full := sdk.SetLiveStreamsNotifyUrlConfigRequest{
		DomainName: new(push), NotifyUrl: new("https://hook.example.com/a?b=c d&e=中"),
		ExceptionNotifyUrl: new("http://hook.example.com/x"), SwitchNotifyUrl: new("http://hook.example.com/s"),
		NotifyReqAuth: new("yes"), NotifyAuthKey: new(authKey),
	}
	cases := map[string]struct {
		switches Switches
		sets     []sdk.SetLiveStreamsNotifyUrlConfigRequest
		want     *config
		hidden   string // SwitchNotifyUrl, which Describe does not show
	}{
		"all fields come back but SwitchNotifyUrl": {
			sets: []sdk.SetLiveStreamsNotifyUrlConfigRequest{full},
			want: &config{
				DomainName: new(push), NotifyUrl: full.NotifyUrl, ExceptionNotifyUrl: full.ExceptionNotifyUrl,
				NotifyReqAuth: new("yes"), NotifyAuthKey: new(authKey),
			},
			hidden: "http://hook.example.com/s",
		},
		"omitted fields are cleared": {
			sets: []sdk.SetLiveStreamsNotifyUrlConfigRequest{full, {DomainName: new(push), NotifyUrl: new("http://new")}},
			want: &config{
				DomainName: new(push), NotifyUrl: new("http://new"), ExceptionNotifyUrl: new(""),
				NotifyReqAuth: new("no"), NotifyAuthKey: new(""),
			},
		},
		"omitted fields are kept, if so switched": {
			switches: Switches{StreamSetMerges: true},
			sets:     []sdk.SetLiveStreamsNotifyUrlConfigRequest{full, {DomainName: new(push), NotifyUrl: new("http://new")}},
			want: &config{
				DomainName: new(push), NotifyUrl: new("http://new"), ExceptionNotifyUrl: full.ExceptionNotifyUrl,
				NotifyReqAuth: new("yes"), NotifyAuthKey: new(authKey),
			},
			hidden: "http://hook.example.com/s",
		},
		"empty fields are cleared even when omitted ones are kept": {
			switches: Switches{StreamSetMerges: true},
			sets: []sdk.SetLiveStreamsNotifyUrlConfigRequest{
				full, {DomainName: new(push), ExceptionNotifyUrl: new(""), SwitchNotifyUrl: new(""), NotifyReqAuth: new("no")},
			},
			want: &config{
				DomainName: new(push), NotifyUrl: full.NotifyUrl, ExceptionNotifyUrl: new(""),
				NotifyReqAuth: new("no"), NotifyAuthKey: new(""),
			},
		},
		"empty fields are kept, too, if so switched": {
			switches: Switches{StreamSetMerges: true, StreamSetKeepsEmpty: true},
			sets: []sdk.SetLiveStreamsNotifyUrlConfigRequest{full, {
				DomainName: new(push), NotifyUrl: new("http://new"), ExceptionNotifyUrl: new(""),
				SwitchNotifyUrl: new(""), NotifyReqAuth: new(""), NotifyAuthKey: new(""),
			}},
			want: &config{
				DomainName: new(push), NotifyUrl: new("http://new"), ExceptionNotifyUrl: full.ExceptionNotifyUrl,
				NotifyReqAuth: new("yes"), NotifyAuthKey: new(authKey),
			},
			hidden: "http://hook.example.com/s",
		},
		"empty fields are cleared where omitted ones are": {
			switches: Switches{StreamSetKeepsEmpty: true},
			sets:     []sdk.SetLiveStreamsNotifyUrlConfigRequest{full, {DomainName: new(push), NotifyUrl: new("")}},
			want: &config{
				DomainName: new(push), NotifyUrl: new(""), ExceptionNotifyUrl: new(""),
				NotifyReqAuth: new("no"), NotifyAuthKey: new(""),
			},
		},
		"a key of digits survives as a number": {
			switches: Switches{StreamKeyAsNumber: true},
			sets: []sdk.SetLiveStreamsNotifyUrlConfigRequest{{
				DomainName: new(push), NotifyUrl: new("http://new"),
				NotifyReqAuth: new("yes"), NotifyAuthKey: new("12345678901234567890"),
			}},
			want: &config{
				DomainName: new(push), NotifyUrl: new("http://new"), ExceptionNotifyUrl: new(""),
				NotifyReqAuth: new("yes"), NotifyAuthKey: new("12345678901234567890"),
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{Switches: tc.switches})
			client := c.sdk()
			for _, set := range tc.sets {
				if _, err := client.SetLiveStreamsNotifyUrlConfig(&set); err != nil {
					t.Fatal(err)
				}
			}
			got, err := client.DescribeLiveStreamsNotifyUrlConfig(
				&sdk.DescribeLiveStreamsNotifyUrlConfigRequest{DomainName: new(push)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got.Body.LiveStreamsNotifyConfig); diff != "" {
				t.Errorf("configuration (-want +got):\n%s", diff)
			}
			if now, _ := c.StreamConfig(push); now.SwitchNotifyURL != tc.hidden {
				t.Errorf("SwitchNotifyUrl is %q, want %q", now.SwitchNotifyURL, tc.hidden)
			}
		})
	}
}

// TestStreamKeyOnTheWire looks at what the official client hides: the type of the key.
func TestStreamKeyOnTheWire(t *testing.T) {
	cases := map[string]struct {
		switches Switches
		key      string
		want     any
	}{
		"a key of digits is a string":                  {Switches{}, "1234567890123456", "1234567890123456"},
		"a key of digits is a number, if so switched":  {Switches{StreamKeyAsNumber: true}, "1234567890123456", 1234567890123456.0},
		"a key with letters stays a string":            {Switches{StreamKeyAsNumber: true}, authKey, authKey},
		"a key with a leading zero is no number":       {Switches{StreamKeyAsNumber: true}, "0123456789012345", "0123456789012345"},
		"no key is an empty string, not a number of 0": {Switches{StreamKeyAsNumber: true}, "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{Switches: tc.switches})
			c.SetStreamConfig(push, StreamConfig{NotifyURL: "http://a", Auth: tc.key != "", AuthKey: tc.key})
			got := c.post("DescribeLiveStreamsNotifyUrlConfig", "DomainName", push)
			if got := dig(got.body, "LiveStreamsNotifyConfig", "NotifyAuthKey"); got != tc.want {
				t.Errorf("got %#v, want %#v", got, tc.want)
			}
		})
	}
}

func TestStreamAbsent(t *testing.T) {
	empty := map[string]any{}
	cases := map[string]struct {
		switches Switches
		describe string // code
		object   any
		remove   string // code
	}{
		"an object without fields, and Delete succeeds": {Switches{}, "", empty, ""},
		"the same by its name":                          {Switches{StreamDescribeAbsent: AbsentEmpty}, "", empty, ""},
		"no object":                                     {Switches{StreamDescribeAbsent: AbsentMissing}, "", nil, ""},
		"not found": {
			Switches{StreamDescribeAbsent: AbsentNotFound}, "InvalidConfig.NotFound", nil, "",
		},
		"Delete does not find it": {
			Switches{StreamDeleteAbsentNotFound: true}, "", empty, "InvalidConfig.NotFound",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{})
			c.SetSwitches(tc.switches)
			c.SetStreamConfig(push, StreamConfig{NotifyURL: "http://a"})
			if got := c.post("DeleteLiveStreamsNotifyUrlConfig", "DomainName", push); got.status != 200 {
				t.Fatalf("first Delete: %v", got.body)
			}
			got := c.post("DescribeLiveStreamsNotifyUrlConfig", "DomainName", push)
			if got.code() != tc.describe {
				t.Errorf("Describe: got %q, want %q", got.code(), tc.describe)
			}
			if diff := cmp.Diff(tc.object, got.body["LiveStreamsNotifyConfig"]); diff != "" {
				t.Errorf("object (-want +got):\n%s", diff)
			}
			if got := c.post("DeleteLiveStreamsNotifyUrlConfig", "DomainName", push).code(); got != tc.remove {
				t.Errorf("second Delete: got %q, want %q", got, tc.remove)
			}
		})
	}
}

func TestStreamSetRefuses(t *testing.T) {
	cases := map[string]struct {
		options Options
		setUp   func(c *cloud)
		params  []string
		status  int
		code    string
	}{
		"nothing: a key of 16":    {params: []string{"NotifyReqAuth", "yes", "NotifyAuthKey", strings.Repeat("a", 16)}, status: 200},
		"nothing: a key of 64":    {params: []string{"NotifyReqAuth", "yes", "NotifyAuthKey", strings.Repeat("a", 64)}, status: 200},
		"a key of 15":             {params: []string{"NotifyReqAuth", "yes", "NotifyAuthKey", strings.Repeat("a", 15)}, status: 400, code: "InvalidParam"},
		"a key of 65":             {params: []string{"NotifyReqAuth", "yes", "NotifyAuthKey", strings.Repeat("a", 65)}, status: 400, code: "InvalidParam"},
		"a key with a hyphen":     {params: []string{"NotifyReqAuth", "yes", "NotifyAuthKey", "0123456789-abcdef"}, status: 400, code: "InvalidParam"},
		"authentication, no key":  {params: []string{"NotifyReqAuth", "yes"}, status: 400, code: "InvalidParam"},
		"neither yes nor no":      {params: []string{"NotifyReqAuth", "maybe"}, status: 400, code: "InvalidParam"},
		"true, which is not yes":  {params: []string{"NotifyReqAuth", "true", "NotifyAuthKey", authKey}, status: 400, code: "InvalidParam"},
		"false, which is not no":  {params: []string{"NotifyReqAuth", "false"}, status: 400, code: "InvalidParam"},
		"nothing: an empty flag":  {params: []string{"NotifyReqAuth", ""}, status: 200},
		"a NotifyUrl of FTP":      {params: []string{"NotifyUrl", "ftp://a"}, status: 400, code: "InvalidParam"},
		"an ExceptionNotifyUrl":   {params: []string{"ExceptionNotifyUrl", "a"}, status: 400, code: "InvalidParam"},
		"a SwitchNotifyUrl":       {params: []string{"SwitchNotifyUrl", "a"}, status: 400, code: "InvalidParam"},
		"an empty domain":         {params: []string{"DomainName", ""}, status: 400, code: "MissingParameter"},
		"an unknown domain":       {params: []string{"DomainName", "unknown.example.com"}, status: 404, code: "InvalidDomain.NotFound"},
		"a streaming domain":      {params: []string{"DomainName", play}, status: 400, code: "CodeNotPushDomain"},
		"nothing: any key at all": {options: Options{Switches: Switches{AcceptAnyKey: true}}, params: []string{"NotifyReqAuth", "yes", "NotifyAuthKey", "a-1"}, status: 200},
		"no key, even if any may be": {
			options: Options{Switches: Switches{AcceptAnyKey: true}}, params: []string{"NotifyReqAuth", "yes"},
			status: 400, code: "InvalidParam",
		},
		"an existing configuration, if so switched": {
			options: Options{Switches: Switches{StreamSetExists: true}},
			setUp:   func(c *cloud) { c.SetStreamConfig(push, StreamConfig{}) },
			status:  400, code: "ConfigAlreadyExists",
		},
		"nothing: a first configuration, if so switched": {
			options: Options{Switches: Switches{StreamSetExists: true}}, status: 200,
		},
		"a domain without mapping, if so configured": {
			options: Options{RequireMapping: true},
			setUp:   func(c *cloud) { c.AddDomain("", "lone.example.com", IngestDomain) },
			params:  []string{"DomainName", "lone.example.com"}, status: 400, code: "CodeGetMainPlaybackDomainError",
		},
		"nothing: a domain with mapping, if so configured": {
			options: Options{RequireMapping: true}, status: 200,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, tc.options)
			if tc.setUp != nil {
				tc.setUp(c)
			}
			before, _ := c.StreamConfig(push)
			got := c.post("SetLiveStreamsNotifyUrlConfig", append([]string{"DomainName", push}, tc.params...)...)
			if got.status != tc.status || got.code() != tc.code {
				t.Errorf("got %d %s, want %d %s", got.status, got.code(), tc.status, tc.code)
			}
			if after, _ := c.StreamConfig(push); tc.code != "" && after != before {
				t.Errorf("a refused Set changed %v to %v", before, after)
			}
		})
	}
}

// TestWrongKindOfDomain has all operations but the stream Set answer the same.
func TestWrongKindOfDomain(t *testing.T) {
	c := newCloud(t, Options{})
	span := []string{
		"StartTime", c.now().Add(-1e12).UTC().Format(timeFormat), "EndTime", c.now().UTC().Format(timeFormat),
		"PageSize", "1", "PageNumber", "1", "NotifyUrl", "http://a",
	}
	for action, domain := range map[string]string{
		"DescribeLiveStreamsNotifyUrlConfig": play,
		"DeleteLiveStreamsNotifyUrlConfig":   play,
		"DescribeLiveStreamsNotifyRecords":   play,
		"AddLiveRecordNotifyConfig":          push,
		"UpdateLiveRecordNotifyConfig":       push,
		"DescribeLiveRecordNotifyConfig":     push,
		"DeleteLiveRecordNotifyConfig":       push,
		"DescribeLiveRecordNotifyRecords":    push,
	} {
		t.Run(action, func(t *testing.T) {
			got := c.post(action, append([]string{"DomainName", domain}, span...)...)
			if got.status != 403 || got.code() != "IllegalOperation" {
				t.Errorf("got %d %s, want 403 IllegalOperation", got.status, got.code())
			}
		})
	}
}

// TestStreamNotPushDomain has Describe and Delete answer as Set does, if so switched; the records do not.
func TestStreamNotPushDomain(t *testing.T) {
	c := newCloud(t, Options{Switches: Switches{StreamNotPushDomain: true}})
	got := map[string]string{}
	for _, action := range []string{
		"SetLiveStreamsNotifyUrlConfig", "DescribeLiveStreamsNotifyUrlConfig", "DeleteLiveStreamsNotifyUrlConfig",
	} {
		got[action] = c.post(action, "DomainName", play).code()
	}
	now := c.now().UTC()
	got["records"] = c.post("DescribeLiveStreamsNotifyRecords", "DomainName", play,
		"StartTime", now.Add(-1e12).Format(timeFormat), "EndTime", now.Format(timeFormat)).code()
	want := map[string]string{
		"SetLiveStreamsNotifyUrlConfig": "CodeNotPushDomain", "DescribeLiveStreamsNotifyUrlConfig": "CodeNotPushDomain",
		"DeleteLiveStreamsNotifyUrlConfig": "CodeNotPushDomain", "records": "IllegalOperation",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}
