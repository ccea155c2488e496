// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/live-notify/live-notify-operator/internal/live"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	stream := live.StreamConfig{NotifyURL: hook, Authentication: true, AuthKey: key}
	withKey := func(k live.Key) []live.Field {
		return live.StreamConfig{NotifyURL: hook, Authentication: true, AuthKey: k}.Fields()
	}
	secret := func(have, want string) []live.Difference {
		return []live.Difference{{Name: "authentication", Have: have, Want: want, Secret: true}}
	}
	for name, tc := range map[string]struct {
		have, want []live.Field
		differ     []live.Difference
	}{
		"equal":            {stream.Fields(), stream.Fields(), nil},
		"none and none":    {nil, nil, nil},
		"none and zero":    {nil, live.RecordConfig{}.Fields(), nil},
		"zero and none":    {live.RecordConfig{}.Fields(), nil, nil},
		"what is not read": {stream.Fields(), live.StreamConfig{NotifyURL: hook, SwitchNotifyURL: hook, Authentication: true, AuthKey: key}.Fields(), nil},
		"every field of a stream": {
			live.StreamConfig{ExceptionNotifyURL: hook, SwitchNotifyURL: hook}.Fields(), stream.Fields(),
			append([]live.Difference{{Name: "notifyURL", Want: hook}, {Name: "exceptionNotifyURL", Have: hook}}, secret("not set", "set")...),
		},
		"every field of a recording": {
			live.RecordConfig{NotifyURL: hook, OnDemandURL: hook, NeedStatusNotify: true, Authentication: true, AuthKey: key}.Fields(), live.RecordConfig{NotifyURL: hook2}.Fields(),
			append([]live.Difference{
				{Name: "notifyURL", Have: hook, Want: hook2}, {Name: "onDemandURL", Have: hook}, {Name: "needStatusNotify", Have: "true", Want: "false"},
			}, secret("set", "not set")...),
		},
		"every field of a subscription": {
			live.MPUConfig{CallbackURL: hook, ChannelIDs: "a,b", SubID: "Sub-1"}.Fields(), live.MPUConfig{CallbackURL: hook2, ChannelIDs: "a"}.Fields(),
			[]live.Difference{{Name: "callbackURL", Have: hook, Want: hook2}, {Name: "channelIDs", Have: "a,b", Want: "a"}},
		},
		"nothing in the cloud": {
			nil, live.RecordConfig{NotifyURL: hook, Authentication: true, AuthKey: key}.Fields(),
			append([]live.Difference{{Name: "notifyURL", Want: hook}}, secret("not set", "set")...),
		},
		"nothing wanted": {stream.Fields(), nil, append([]live.Difference{{Name: "notifyURL", Have: hook}}, secret("set", "not set")...)},
		"another key":    {withKey(otherKey), withKey(key), secret("differs", "set")},
		"a key without authentication means nothing": {live.StreamConfig{NotifyURL: hook, AuthKey: key}.Fields(), live.StreamConfig{NotifyURL: hook}.Fields(), nil},
		"no key in the cloud":                        {withKey(""), withKey(key), secret("differs", "set")},
		"case of a key matters":                      {withKey("ABCDEFGHIJKLMNOP"), withKey("abcdefghijklmnop"), secret("differs", "set")},
		"zeros matter in a key with letters":         {withKey("abcdefghijklmnop"), withKey("0abcdefghijklmnop"), secret("differs", "set")},
		"digits without leading zeros":               {withKey("12345678901234"), withKey(zeroDigits), nil},
		"other digits":                               {withKey("12345678901235"), withKey(zeroDigits), secret("differs", "set")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := live.Diff(tc.have, tc.want)
			if diff := cmp.Diff(tc.differ, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if text := fmt.Sprintf("%+v %#v", got, got); strings.Contains(text, key) || strings.Contains(text, otherKey) {
				t.Errorf("the key is in %s", text)
			}
			check(t, "names", len(live.Names(got)), len(tc.differ))
		})
	}
}

// A field never tells its secret, however it is printed.
func TestFieldHidesSecrets(t *testing.T) {
	t.Parallel()
	fields := live.StreamConfig{NotifyURL: hook, Authentication: true, AuthKey: key}.Fields()
	encoded, err := json.Marshal(map[string]any{"f": fields, "one": &fields[3]})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(fields), fmt.Sprintf("%+v", fields), fmt.Sprintf("%#v", fields), fmt.Sprintf("%s %q", fields, fields[3]), string(encoded)} {
		if strings.Contains(text, key) || !strings.Contains(text, hook) {
			t.Errorf("got %s, want the URL and no key", text)
		}
	}
}

// TestRevision holds what the status of existing objects says. A change of these
// values makes every object look as if its spec had changed.
func TestRevision(t *testing.T) {
	t.Parallel()
	stream := live.StreamConfig{NotifyURL: hook, ExceptionNotifyURL: hook2, SwitchNotifyURL: hook3, Authentication: true, AuthKey: key}
	for name, tc := range map[string]struct {
		fields []live.Field
		want   string
	}{
		"nothing":        {nil, "1:e3b0c44298fc1c149afbf4c8996fb924"},
		"a stream":       {stream.Fields(), "1:031dda4545ae4f9f031704f400f6e731"},
		"a recording":    {live.RecordConfig{NotifyURL: hook, OnDemandURL: hook2, NeedStatusNotify: true}.Fields(), "1:98d67ca30806a5b7c68c510df3f05151"},
		"a subscription": {live.MPUConfig{CallbackURL: hook, ChannelIDs: "a,b"}.Fields(), "1:5528dc861857f2f1deec0acc8617cc0c"},
	} {
		check(t, name, live.Revision(tc.fields), tc.want)
	}

	revision := live.Revision(stream.Fields())
	same := func(name string, fields []live.Field) {
		t.Helper()
		check(t, name, live.Revision(fields), revision)
	}
	stream.AuthKey = otherKey
	same("with another key", stream.Fields())
	fields := stream.Fields()
	same("with a new optional field", append(slices.Clip(fields), live.Field{Name: "new"}, live.Field{Name: "flag", Value: "false"}))
	same("in another order", []live.Field{fields[2], fields[0], fields[3], fields[1]})
	seen := map[string]string{revision: "the configuration"}
	for name, c := range map[string]live.StreamConfig{
		"another URL":              {NotifyURL: hook + "x", ExceptionNotifyURL: hook2, SwitchNotifyURL: hook3, Authentication: true},
		"URLs the other way round": {NotifyURL: hook2, ExceptionNotifyURL: hook, SwitchNotifyURL: hook3, Authentication: true},
		"another switchNotifyURL":  {NotifyURL: hook, ExceptionNotifyURL: hook2, SwitchNotifyURL: hook, Authentication: true},
		"no authentication":        {NotifyURL: hook, ExceptionNotifyURL: hook2, SwitchNotifyURL: hook3},
		"a URL that quotes others": {NotifyURL: hook + "\n18:exceptionNotifyURL=" + hook2},
	} {
		r := live.Revision(c.Fields())
		if other, known := seen[r]; known {
			t.Errorf("%s has the revision of %s", name, other)
		}
		seen[r] = name
	}
}

func TestSpelling(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		have, want string
		same       bool
	}{
		{"https://a.example.com/x?a=1&amp;b=2", "https://a.example.com/x?a=1&b=2", true},
		{"https://a.example.com/?q=&#39;&quot;", `https://a.example.com/?q='"`, true},
		{"HTTPS://A.Example.COM/Path", "https://a.example.com/Path", true},
		{"https://a.example.com/path", "https://a.example.com/Path", false},
		{"https://a.example.com:443/x", "https://a.example.com/x", true},
		{"http://a.example.com:80", "http://a.example.com", true},
		{"http://a.example.com:443/x", "http://a.example.com/x", false},
		{"https://a.example.com:8443/", "https://a.example.com/", false},
		{"https://a.example.com/", "https://a.example.com", true},
		{"https://a.example.com/?x", "https://a.example.com?x", true},
		{"https://a.example.com/x/", "https://a.example.com/x", false},
		{"https://a.example.com/%7euser/%2F", "https://a.example.com/~user/%2f", true},
		{"https://a.example.com/%2F", "https://a.example.com//", false},
		{"https://a.example.com/%41%62%2D", "https://a.example.com/Ab-", true},
		{"https://a.example.com/{a}|b", "https://a.example.com/%7Ba%7D%7Cb", true},
		{"https://a.example.com/%2525", "https://a.example.com/%25", false},
		{"https://a.example.com/直", "https://a.example.com/%E7%9B%B4", true},
		{"http://[2001:DB8::1]:80/", "http://[2001:db8::1]/", true},
		{"https://a.example.com/+", "https://a.example.com/%20", false},
		{"https://b.example.com/", "https://a.example.com/", false},
		{"http://a.example.com/", "https://a.example.com/", false},
		{"a, b ,c", "a,b,c", true},
		{"a,B", "a,b", false},
		{"", "", true},
		{"", "https://a.example.com", false},
		{"%", "%", true},
		{"%zz", "%ZZ", false},
	} {
		if got := live.Spelling(tc.have, tc.want); got != tc.same {
			t.Errorf("Spelling(%q, %q) is %t", tc.have, tc.want, got)
		}
		check(t, "the other way round", live.Spelling(tc.want, tc.have), tc.same)
	}
}
