// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
	"github.com/google/go-cmp/cmp"
)

// TestMPURoundTrip goes through the life of a subscription with the official client.
func TestMPURoundTrip(t *testing.T) {
	type sub = sdk.DescribeRtcMPUEventSubResponseBodySubInfo
	const hook = "https://hook.example.com/m?a=b"
	cases := map[string]struct {
		create sdk.CreateRtcMPUEventSubRequest
		update *sdk.UpdateRtcMPUEventSubRequest
		want   sub
	}{
		"channels come back": {
			create: sdk.CreateRtcMPUEventSubRequest{AppId: new(appID), CallbackUrl: new(hook), ChannelIds: new("c1,c_2")},
			want:   sub{CallbackUrl: new(hook), ChannelIds: new("c1,c_2")},
		},
		"all channels are absent": {
			create: sdk.CreateRtcMPUEventSubRequest{AppId: new(appID), CallbackUrl: new(hook)},
			want:   sub{CallbackUrl: new(hook)},
		},
		"Update without channels is for all of them": {
			create: sdk.CreateRtcMPUEventSubRequest{AppId: new(appID), CallbackUrl: new(hook), ChannelIds: new("c1")},
			update: &sdk.UpdateRtcMPUEventSubRequest{AppId: new(appID), CallbackUrl: new("http://new")},
			want:   sub{CallbackUrl: new("http://new")},
		},
		"Update without URL keeps it": {
			create: sdk.CreateRtcMPUEventSubRequest{AppId: new(appID), CallbackUrl: new(hook)},
			update: &sdk.UpdateRtcMPUEventSubRequest{AppId: new(appID), ChannelIds: new("c1")},
			want:   sub{CallbackUrl: new(hook), ChannelIds: new("c1")},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{})
			client := c.sdk()
			created, err := client.CreateRtcMPUEventSub(&tc.create)
			if err != nil {
				t.Fatal(err)
			}
			if id := *created.Body.SubId; !strings.HasPrefix(id, "Sub-") {
				t.Errorf("SubId is %q", id)
			}
			if tc.update != nil {
				if _, err := client.UpdateRtcMPUEventSub(tc.update); err != nil {
					t.Fatal(err)
				}
			}
			describe := &sdk.DescribeRtcMPUEventSubRequest{AppId: new(appID)}
			got, err := client.DescribeRtcMPUEventSub(describe)
			if err != nil {
				t.Fatal(err)
			}
			info := got.Body.SubInfo
			if !regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$`).MatchString(*info.CreateTime) {
				t.Errorf("CreateTime is %q", *info.CreateTime)
			}
			tc.want.AppId, tc.want.SubId, tc.want.CreateTime = new(appID), created.Body.SubId, info.CreateTime
			if diff := cmp.Diff(&tc.want, info); diff != "" {
				t.Errorf("subscription (-want +got):\n%s", diff)
			}
			if _, err := client.DeleteRtcMPUEventSub(&sdk.DeleteRtcMPUEventSubRequest{AppId: new(appID)}); err != nil {
				t.Fatal(err)
			}
			if got, err := client.DescribeRtcMPUEventSub(describe); err != nil || got.Body.SubInfo != nil {
				t.Errorf("Describe after Delete: %v, %v", got, err)
			}
		})
	}
}

func TestMPURefuses(t *testing.T) {
	create, update := "CreateRtcMPUEventSub", "UpdateRtcMPUEventSub"
	exists := func(c *cloud) { c.SetMPUSub(appID, MPUSub{CallbackURL: "http://old"}) }
	channels := func(n int) string {
		var ids []string
		for i := range n {
			ids = append(ids, fmt.Sprint("c", i))
		}
		return strings.Join(ids, ",")
	}
	cases := map[string]struct {
		switches Switches
		setUp    func(c *cloud)
		action   string
		params   []string
		status   int
		code     string
	}{
		"nothing: 20 channels":         {action: create, params: []string{"ChannelIds", channels(20)}, status: 200},
		"21 channels":                  {action: create, params: []string{"ChannelIds", channels(21)}, status: 400, code: "InvalidParam"},
		"a channel twice":              {action: create, params: []string{"ChannelIds", "a,b,a"}, status: 400, code: "InvalidParam"},
		"a channel with a dot":         {action: create, params: []string{"ChannelIds", "a.b"}, status: 400, code: "InvalidParam"},
		"a channel of 65":              {action: create, params: []string{"ChannelIds", strings.Repeat("a", 65)}, status: 400, code: "InvalidParam"},
		"a channel without a name":     {action: create, params: []string{"ChannelIds", "a,"}, status: 400, code: "InvalidParam"},
		"a URL with an ampersand":      {action: create, params: []string{"CallbackUrl", "http://a?b=c&d=e"}, status: 400, code: "InvalidParam"},
		"a URL of 2084":                {action: create, params: []string{"CallbackUrl", "http://" + strings.Repeat("a", 2077)}, status: 400, code: "InvalidParam"},
		"nothing: a URL of 2083":       {action: create, params: []string{"CallbackUrl", "http://" + strings.Repeat("a", 2076)}, status: 200},
		"a URL of FTP":                 {action: create, params: []string{"CallbackUrl", "ftp://a"}, status: 400, code: "InvalidParam"},
		"an empty URL":                 {action: update, setUp: exists, params: []string{"CallbackUrl", ""}, status: 400, code: "InvalidParam"},
		"an empty application":         {action: create, params: []string{"AppId", ""}, status: 404, code: "MissingParam"},
		"an unknown application":       {action: create, params: []string{"AppId", "unknown"}, status: 400, code: "InvalidAppId"},
		"to create twice":              {action: create, setUp: exists, status: 400, code: "InvalidParam"},
		"to update nothing":            {action: update, status: 400, code: "InvalidParam"},
		"to delete nothing":            {action: "DeleteRtcMPUEventSub", status: 400, code: "InvalidParam"},
		"nothing: to describe nothing": {action: "DescribeRtcMPUEventSub", status: 200},
		"to describe nothing, if switched": {
			switches: Switches{MPUDescribeAbsentInvalid: true}, action: "DescribeRtcMPUEventSub",
			status: 400, code: "InvalidParam",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{Switches: tc.switches})
			if tc.setUp != nil {
				tc.setUp(c)
			}
			before, _ := c.MPUSub(appID)
			got := c.post(tc.action, append([]string{"AppId", appID, "CallbackUrl", "http://a"}, tc.params...)...)
			if got.status != tc.status || got.code() != tc.code {
				t.Errorf("got %d %s, want %d %s", got.status, got.code(), tc.status, tc.code)
			}
			if after, _ := c.MPUSub(appID); tc.code != "" && after != before {
				t.Errorf("a refused call changed %v to %v", before, after)
			}
		})
	}
}
