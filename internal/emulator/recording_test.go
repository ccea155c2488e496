// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"strings"
	"testing"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
	"github.com/google/go-cmp/cmp"
)

// TestRecordRoundTrip goes through the life of a configuration with the official client.
func TestRecordRoundTrip(t *testing.T) {
	type config = sdk.DescribeLiveRecordNotifyConfigResponseBodyLiveRecordNotifyConfig
	added := &config{
		DomainName: new(play), NotifyUrl: new("http://hook.example.com/r"), OnDemandUrl: new("http://hook.example.com/d"),
		NeedStatusNotify: new(true), NotifyReqAuth: new(true), NotifyAuthKey: new(authKey),
	}
	cases := map[string]struct {
		switches Switches
		update   *sdk.UpdateLiveRecordNotifyConfigRequest
		want     *config
	}{
		"Add sets all fields": {want: added},
		"Update resets omitted fields": {
			update: &sdk.UpdateLiveRecordNotifyConfigRequest{DomainName: new(play), NotifyUrl: new("http://new")},
			want: &config{
				DomainName: new(play), NotifyUrl: new("http://new"), OnDemandUrl: new(""),
				NeedStatusNotify: new(false), NotifyReqAuth: new(false), NotifyAuthKey: new(""),
			},
		},
		"Update keeps omitted fields, if so switched": {
			switches: Switches{RecordUpdateMerges: true},
			update:   &sdk.UpdateLiveRecordNotifyConfigRequest{DomainName: new(play), NotifyUrl: new("http://new")},
			want: &config{
				DomainName: new(play), NotifyUrl: new("http://new"), OnDemandUrl: added.OnDemandUrl,
				NeedStatusNotify: new(true), NotifyReqAuth: new(true), NotifyAuthKey: new(authKey),
			},
		},
		"Update keeps what is empty, too, if so switched": {
			switches: Switches{RecordUpdateMerges: true, RecordUpdateKeepsEmpty: true},
			update: &sdk.UpdateLiveRecordNotifyConfigRequest{
				DomainName: new(play), NotifyUrl: new(""), OnDemandUrl: new(""), NotifyAuthKey: new(""),
				NeedStatusNotify: new(false),
			},
			want: &config{
				DomainName: new(play), NotifyUrl: added.NotifyUrl, OnDemandUrl: added.OnDemandUrl,
				NeedStatusNotify: new(false), NotifyReqAuth: new(true), NotifyAuthKey: new(authKey),
			},
		},
		"Update clears what is empty or off even when omitted fields are kept": {
			switches: Switches{RecordUpdateMerges: true},
			update: &sdk.UpdateLiveRecordNotifyConfigRequest{
				DomainName: new(play), NotifyUrl: new("http://new"), OnDemandUrl: new(""),
				NeedStatusNotify: new(false), NotifyReqAuth: new(false),
			},
			want: &config{
				DomainName: new(play), NotifyUrl: new("http://new"), OnDemandUrl: new(""),
				NeedStatusNotify: new(false), NotifyReqAuth: new(false), NotifyAuthKey: new(""),
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{Switches: tc.switches})
			client := c.sdk()
			if _, err := client.AddLiveRecordNotifyConfig(&sdk.AddLiveRecordNotifyConfigRequest{
				DomainName: added.DomainName, NotifyUrl: added.NotifyUrl, OnDemandUrl: added.OnDemandUrl,
				NeedStatusNotify: new(true), NotifyReqAuth: new(true), NotifyAuthKey: new(authKey),
			}); err != nil {
				t.Fatal(err)
			}
			if tc.update != nil {
				if _, err := client.UpdateLiveRecordNotifyConfig(tc.update); err != nil {
					t.Fatal(err)
				}
			}
			describe := &sdk.DescribeLiveRecordNotifyConfigRequest{DomainName: new(play)}
			got, err := client.DescribeLiveRecordNotifyConfig(describe)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got.Body.LiveRecordNotifyConfig); diff != "" {
				t.Errorf("configuration (-want +got):\n%s", diff)
			}
			remove := &sdk.DeleteLiveRecordNotifyConfigRequest{DomainName: new(play)}
			if _, err := client.DeleteLiveRecordNotifyConfig(remove); err != nil {
				t.Fatal(err)
			}
			_, err = client.DescribeLiveRecordNotifyConfig(describe)
			if got := codeOf(err); got != "InvalidConfig.NotFound" {
				t.Errorf("Describe after Delete: got %q", got)
			}
			_, err = client.DeleteLiveRecordNotifyConfig(remove)
			if got := codeOf(err); got != "InvalidConfig.NotFound" {
				t.Errorf("second Delete: got %q", got)
			}
		})
	}
}

func TestRecordRefuses(t *testing.T) {
	add, update := "AddLiveRecordNotifyConfig", "UpdateLiveRecordNotifyConfig"
	exists := func(c *cloud) { c.SetRecordConfig(play, RecordConfig{NotifyURL: "http://old"}) }
	cases := map[string]struct {
		setUp  func(c *cloud)
		action string
		params []string
		status int
		code   string
	}{
		"nothing: a key of 32":       {action: add, params: []string{"NotifyReqAuth", "true", "NotifyAuthKey", strings.Repeat("a", 32)}, status: 200},
		"a key of 33":                {action: add, params: []string{"NotifyReqAuth", "true", "NotifyAuthKey", strings.Repeat("a", 33)}, status: 400, code: "InvalidParam"},
		"a key of 15":                {action: add, params: []string{"NotifyReqAuth", "yes", "NotifyAuthKey", strings.Repeat("a", 15)}, status: 400, code: "InvalidParam"},
		"a flag of neither spelling": {action: add, params: []string{"NeedStatusNotify", "1"}, status: 400, code: "InvalidParam"},
		"a Boolean of yes":           {action: add, params: []string{"NeedStatusNotify", "yes"}, status: 400, code: "InvalidParam"},
		"nothing: yes for a Boolean": {action: add, params: []string{"NotifyReqAuth", "yes", "NotifyAuthKey", authKey}, status: 200},
		"nothing: no for a Boolean":  {action: add, params: []string{"NotifyReqAuth", "no", "NeedStatusNotify", "false"}, status: 200},
		"a NotifyUrl of FTP":         {action: add, params: []string{"NotifyUrl", "ftp://a"}, status: 400, code: "InvalidNotifyUrl.Malformed"},
		"an empty NotifyUrl":         {action: add, params: []string{"NotifyUrl", ""}, status: 400, code: "InvalidNotifyUrl.Malformed"},
		"an OnDemandUrl":             {action: add, params: []string{"OnDemandUrl", "a"}, status: 400, code: "InvalidOnDemandUrl.Malformed"},
		"an unknown domain":          {action: add, params: []string{"DomainName", "unknown.example.com"}, status: 404, code: "InvalidDomain.NotFound"},
		"to add twice":               {action: add, setUp: exists, status: 400, code: "ConfigAlreadyExists"},
		"to update nothing":          {action: update, status: 404, code: "InvalidConfig.NotFound"},
		"to update with a bad URL":   {action: update, setUp: exists, params: []string{"NotifyUrl", "a"}, status: 400, code: "InvalidNotifyUrl.Malformed"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{})
			if tc.setUp != nil {
				tc.setUp(c)
			}
			before, _ := c.RecordConfig(play)
			got := c.post(tc.action, append([]string{"DomainName", play, "NotifyUrl", "http://a"}, tc.params...)...)
			if got.status != tc.status || got.code() != tc.code {
				t.Errorf("got %d %s, want %d %s", got.status, got.code(), tc.status, tc.code)
			}
			if after, _ := c.RecordConfig(play); tc.code != "" && after != before {
				t.Errorf("a refused call changed %v to %v", before, after)
			}
		})
	}
}
