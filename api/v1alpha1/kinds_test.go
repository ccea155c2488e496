// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"maps"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/test/schema"
)

// TestTwelveCasesOfEachKind: each kind has at least that many manifests that are
// refused.
func TestTwelveCasesOfEachKind(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for _, tc := range schema.Refused() {
		count[tc.Kind]++
	}
	for _, kind := range []string{stream, record, mpu, snapshot, detect, audit, event, message, account, policy} {
		t.Logf("%s: %d", kind, count[kind])
		if count[kind] < 12 {
			t.Errorf("%s has %d cases", kind, count[kind])
		}
	}
}

var goodByKind = map[string]map[string]string{
	snapshot: {
		"as little as can be":     "{}",
		"a URL of 500 characters": "notifyURL: '" + url(500) + "'",
		"a signature":             "authentication: {keySecretRef: {name: live.auth-1, key: Auth_key.1-x}}",
		"every other policy":      "{managementPolicy: Observe, adoptionPolicy: Always, driftPolicy: Report, deletionPolicy: Retain, suspend: true, resyncInterval: 24h}",
	},
	detect: {
		"a long domain": "domainName: " + domain63 + strings.Repeat("a", 61),
		"an address":    "notifyURL: 'http://[2001:db8::1]:8080/live'",
	},
	audit: {
		"no template":            "callbackTemplate: null",
		"the sample of the page": `callbackTemplate: '{"domain":{DomainName},"app":{AppName},"stream":{StreamName},"timestamp":{Timestamp},"result":{Result}}'`,
		"objects in objects":     `callbackTemplate: '{"a":{"b":{"c":1}},"d":{},"e":[{"f":{Result}}]}'`,
		"no placeholder":         "callbackTemplate: found",
		"a template of 2048":     "callbackTemplate: '" + strings.Repeat("a", 2048) + "'",
		"a body that is no JSON": "callbackTemplate: '<a b=\"1\">{Result}</a> a{b: c} {} {  } 100%s'",
		"a body in YAML":         "callbackTemplate: '{domain: {DomainName}, app: {AppName}}'",
		"other letters":          `callbackTemplate: '{"直播":{StreamName}}'`,
	},
	event: {
		"all channels":            "channelID: '*'",
		"both events":             "events: [UserEvent, ChannelEvent]",
		"users of a channel":      "{channelID: room_1-a, users: [a, 'b@c.d', 'e:f', '$g', 'h%20']}",
		"no users of all":         "users: []",
		"50 users":                "{channelID: a, users: " + channels(50) + "}",
		"a URL with an ampersand": "callbackURL: 'https://hooks.example.com/?a=1&b=2'",
		"counts":                  "records: {window: 167h, interval: 30s, unhealthyThreshold: 5}",
	},
	message: {
		"the other data center":    "dataCenter: ap-southeast-1",
		"a public address":         "eventCallbackURL: 'http://192.0.2.1/live'",
		"a name of private digits": "eventCallbackURL: 'http://10.0.0.1.example.com/live'",
		"just outside the private": "eventCallbackURL: 'http://172.32.0.1/'",
		"before a carrier's":       "eventCallbackURL: 'http://100.63.255.255/'",
		"behind a carrier's":       "eventCallbackURL: 'http://100.128.0.1'",
		"the last of one host":     "eventCallbackURL: 'http://223.255.255.254/'",
		"a label that is local":    "eventCallbackURL: 'https://internal.svc.localhost.example.com/local'",
		"a name that ends alike":   "eventCallbackURL: 'https://hooks.notlocal'",
		"a colon in the path":      "eventCallbackURL: 'https://hooks.example.com/a:80'",
		"a URL of 2083 characters": "eventCallbackURL: '" + url(2083) + "'",
	},
}

func TestAcceptedByKind(t *testing.T) {
	t.Parallel()
	for kind, cases := range goodByKind {
		for name, spec := range cases {
			t.Run(kind+": "+name, func(t *testing.T) {
				t.Parallel()
				if err := api.Create(t.Context(), object(t, kind, spec), client.DryRunAll); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestKeysStay: what identifies a configuration can never be changed.
func TestKeysStay(t *testing.T) {
	t.Parallel()
	for kind, changes := range map[string]map[string]string{
		snapshot: {"domainName: other.example.com": "domainName cannot be changed"},
		detect:   {"domainName: other.example.com": "domainName cannot be changed"},
		audit:    {"domainName: other.example.com": "domainName cannot be changed"},
		event:    {"appID: other": "appID cannot be changed", "channelID: other": "channelID cannot be changed"},
		message:  {"appID: other": "appID cannot be changed", "dataCenter: ap-southeast-1": "dataCenter cannot be changed"},
	} {
		o := object(t, kind, "{}")
		if err := api.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		for change, say := range changes {
			other := o.DeepCopy()
			maps.Copy(other.Object["spec"].(map[string]any), parse(t, change))
			if err := api.Update(t.Context(), other, client.DryRunAll); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), say) {
				t.Errorf("%s: got %v, want it to say %q", kind, err, say)
			}
		}
		if err := api.Delete(t.Context(), o); err != nil {
			t.Error(err)
		}
	}
}
