// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"maps"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What messages say of the fields that only some kinds have.
const (
	sayUnknown     = "unknown field"
	sayNothing     = "is empty; write the body of the callback"
	sayUnrendered  = "looks like a template that was not rendered, since it has $ before a bracket or two opening braces"
	sayPlaceholder = "must have no other placeholders than {DomainName}, {AppName}, {StreamName}, {Timestamp} and {Result}, spelled like this and without blanks"
	sayTooLong     = "are too long together"
	sayMessageApp  = "must be the ID of an interactive-messaging application: up to 64 letters, digits, '_' and '-'"
	sayEvents      = `supported values: "ChannelEvent", "UserEvent"`
	sayAllOrOne    = "must be a channel ID: up to 64 letters, digits, '_' and '-'; or * for all channels"
	sayOneChannel  = "users are for a single channel: set channelID to a channel other than *, or remove users"
	sayUserID      = "must be a user ID: up to 64 characters of ASCII, without blanks and commas"
	sayCenters     = `supported values: "cn-shanghai", "ap-southeast-1"`
)

// bad is a manifest that is refused, and what the refusal says of which field.
type bad struct{ spec, field, say string }

// badDomains are refused by each kind that a main streaming domain has one object of.
var badDomains = map[string]bad{
	"no domain":               {"domainName: null", "spec.domainName", "Required value"},
	"an empty domain":         {"domainName: ''", "spec.domainName", sayDomain},
	"a domain in upper case":  {"domainName: Live.example.com", "spec.domainName", sayDomain},
	"a wildcard":              {"domainName: '*.example.com'", "spec.domainName", sayDomain},
	"a domain with a port":    {"domainName: 'live.example.com:80'", "spec.domainName", sayDomain},
	"a domain of one label":   {"domainName: live", "spec.domainName", sayDomain},
	"an IP address":           {"domainName: 192.0.2.1", "spec.domainName", sayNoAddress},
	"counts":                  {"records: {window: 1h}", "spec.records", sayUnknown},
	"a policy that is none":   {"driftPolicy: Ignore", "spec.driftPolicy", "supported values"},
	"a resync that is rare":   {"resyncInterval: 25h", "spec.resyncInterval", sayResync},
	"an account in uppercase": {"accountRef: {name: Media}", "spec.accountRef.name", sayAccount},
}

var badByKind = map[string]map[string]bad{
	snapshot: {
		"no URL":                  {"notifyURL: null", "spec.notifyURL", "Required value"},
		"a URL of 501 characters": {"notifyURL: '" + url(501) + "'", "spec.notifyURL", "may not be more than 500"},
		"a URL without a scheme":  {"notifyURL: hooks.example.com", "spec.notifyURL", sayScheme},
		"a template in the URL":   {"notifyURL: 'https://{{ .Values.host }}/'", "spec.notifyURL", sayTemplate},
		"a Secret in upper case":  {"authentication: {keySecretRef: {name: Key, key: key}}", "spec.authentication.keySecretRef.name", saySecret},
		"a Secret without entry":  {"authentication: {keySecretRef: {name: key}}", "spec.authentication.keySecretRef.key", "Required value"},
		"a key in the manifest":   {"authentication: {key: '0123456789012345'}", "spec.authentication.key", sayUnknown},
	},
	detect: {
		"no URL":            {"notifyURL: null", "spec.notifyURL", "Required value"},
		"a URL of 2084":     {"notifyURL: '" + url(2084) + "'", "spec.notifyURL", "may not be more than 2083"},
		"a signature":       {"authentication: {keySecretRef: {name: a, key: b}}", "spec.authentication", sayUnknown},
		"a URL with a user": {"notifyURL: 'https://u:p@hooks.example.com'", "spec.notifyURL", sayUser},
	},
	audit: {
		"no URL":                    {"callbackURL: null", "spec.callbackURL", "Required value"},
		"an empty template":         {"callbackTemplate: ''", "spec.callbackTemplate", sayNothing},
		"a template of blanks":      {"callbackTemplate: '  '", "spec.callbackTemplate", sayNothing},
		"a placeholder of another":  {`callbackTemplate: '{"stream":{Stream}}'`, "spec.callbackTemplate", sayPlaceholder},
		"a placeholder in lower":    {`callbackTemplate: '{"result":{result}}'`, "spec.callbackTemplate", sayPlaceholder},
		"a placeholder with blanks": {`callbackTemplate: '{"result":{ Result }}'`, "spec.callbackTemplate", sayPlaceholder},
		"one wrong among right":     {`callbackTemplate: '{"a":{Result},"b":{StreamName},"c":{Url}}'`, "spec.callbackTemplate", sayPlaceholder},
		"a value of Helm":           {`callbackTemplate: '{"env":"{{ .Values.env }}"}'`, "spec.callbackTemplate", sayUnrendered},
		"a variable":                {`callbackTemplate: '{"env":"${ENV}"}'`, "spec.callbackTemplate", sayUnrendered},
		"a template of 2049":        {"callbackTemplate: '" + strings.Repeat("a", 2049) + "'", "spec.callbackTemplate", "may not be more than 2048"},
		"too much together":         {"{callbackURL: 'https://hooks.example.com" + strings.Repeat("/", 2000) + "', callbackTemplate: '" + strings.Repeat("(", 2000) + "'}", "spec", sayTooLong},
	},
	event: {
		"no application":               {"appID: null", "spec.appID", "Required value"},
		"an empty application":         {"appID: ''", "spec.appID", sayMPUAppID},
		"an application with a slash":  {"appID: a/b", "spec.appID", sayMPUAppID},
		"an application of 65":         {"appID: " + strings.Repeat("a", 65), "spec.appID", "may not be more than 64"},
		"no events":                    {"events: null", "spec.events", "Required value"},
		"an empty list of events":      {"events: []", "spec.events", "should have at least 1 items"},
		"an event that is none":        {"events: [MessageEvent]", "spec.events[0]", sayEvents},
		"an event twice":               {"events: [UserEvent, UserEvent]", "spec.events[1]", "Duplicate value"},
		"an empty channel":             {"channelID: ''", "spec.channelID", sayAllOrOne},
		"a pattern for channels":       {"channelID: 'room-*'", "spec.channelID", sayAllOrOne},
		"users of all channels":        {"users: [a]", "spec", sayOneChannel},
		"users of all, said so":        {"{channelID: '*', users: [a]}", "spec", sayOneChannel},
		"a user with a comma":          {"{channelID: a, users: ['a,b']}", "spec.users[0]", sayUserID},
		"an empty user":                {"{channelID: a, users: ['']}", "spec.users[0]", sayUserID},
		"51 users":                     {"{channelID: a, users: " + channels(51) + "}", "spec.users", "must have at most 50 items"},
		"records narrowed down":        {"records: {appName: live}", "spec", sayNarrow},
		"a window of eight days":       {"records: {window: 192h}", "spec.records.window", sayWindow},
		"no URL":                       {"callbackURL: null", "spec.callbackURL", "Required value"},
		"a list of channels":           {"channelIDs: [a]", "spec.channelIDs", sayUnknown},
		"a long URL beside many users": {"{channelID: a, callbackURL: 'https://hooks.example.com" + strings.Repeat("/", 2050) + "', users: " + channels(45) + "}", "spec", sayTooLong},
	},
	message: {
		"no application":               {"appID: null", "spec.appID", "Required value"},
		"an empty application":         {"appID: ''", "spec.appID", sayMessageApp},
		"an application with a dot":    {"appID: a.b", "spec.appID", sayMessageApp},
		"another data center":          {"dataCenter: cn-beijing", "spec.dataCenter", sayCenters},
		"an empty data center":         {"dataCenter: ''", "spec.dataCenter", sayCenters},
		"no URL":                       {"eventCallbackURL: null", "spec.eventCallbackURL", "Required value"},
		"an empty URL":                 {"eventCallbackURL: ''", "spec.eventCallbackURL", sayEmpty},
		"a port":                       {"eventCallbackURL: 'https://hooks.example.com:8443/live'", "spec.eventCallbackURL", sayNoPort},
		"the port of the scheme":       {"eventCallbackURL: 'https://hooks.example.com:443'", "spec.eventCallbackURL", sayNoPort},
		"a private address":            {"eventCallbackURL: 'http://10.0.0.1/live'", "spec.eventCallbackURL", sayPrivate},
		"another private address":      {"eventCallbackURL: 'http://192.168.1.2'", "spec.eventCallbackURL", sayPrivate},
		"a private address of the end": {"eventCallbackURL: 'http://172.31.255.255/live'", "spec.eventCallbackURL", sayPrivate},
		"this machine":                 {"eventCallbackURL: 'http://127.0.0.1/live'", "spec.eventCallbackURL", sayPrivate},
		"an IPv6 address":              {"eventCallbackURL: 'http://[2001:db8::1]/live'", "spec.eventCallbackURL", sayHost},
		"a scheme in upper case":       {"eventCallbackURL: 'HTTPS://hooks.example.com'", "spec.eventCallbackURL", sayScheme},
		"a blank in the path":          {"eventCallbackURL: 'https://hooks.example.com/a b'", "spec.eventCallbackURL", sayEncode},
		"counts":                       {"records: {}", "spec.records", sayUnknown},
		"a signature":                  {"authentication: {keySecretRef: {name: a, key: b}}", "spec.authentication", sayUnknown},
	},
}

// TestRefusedByKind: what the API server refuses says what to write instead.
func TestRefusedByKind(t *testing.T) {
	t.Parallel()
	for kind, cases := range badByKind {
		cases := maps.Clone(cases)
		if kind != event && kind != message {
			maps.Copy(cases, badDomains)
		}
		for name, tc := range cases {
			t.Run(kind+": "+name, func(t *testing.T) {
				t.Parallel()
				err := api.Create(t.Context(), object(t, kind, tc.spec), client.DryRunAll)
				if !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) {
					t.Fatalf("got %v", err)
				}
				for _, want := range []string{tc.field, tc.say} {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("the message does not say %q:\n%v", want, err)
					}
				}
			})
		}
	}
}

// TestTwelveCasesOfEachKind: each kind has at least that many manifests that are
// refused.
func TestTwelveCasesOfEachKind(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for _, tc := range refused {
		count[tc.kind]++
	}
	for kind, cases := range badByKind {
		count[kind] += len(cases)
		if kind != event && kind != message {
			count[kind] += len(badDomains)
		}
	}
	for _, kind := range []string{stream, record, mpu, snapshot, detect, audit, event, message} {
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
		"other letters":          `callbackTemplate: '{"直播":{StreamName}}'`,
	},
	event: {
		"all channels":            "channelID: '*'",
		"both events":             "events: [UserEvent, ChannelEvent]",
		"users of a channel":      "{channelID: room_1-a, users: [a, 'b@c.d', 'e:f']}",
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
