// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package schema

import "strings"

// What messages say of the fields that only some kinds have.
const (
	SayUnknown     = "unknown field"
	SayNothing     = "is empty; write the body of the callback"
	SayUnrendered  = "looks like a template that was not rendered, since it has $ before a bracket or two opening braces"
	SayPlaceholder = "must have no other placeholders than {DomainName}, {AppName}, {StreamName}, {Timestamp} and {Result}, spelled like this and without blanks"
	SayUnclosed    = "has a placeholder without its closing brace; write it like {DomainName}"
	SayTooLong     = "are too long together"
	SayMessageApp  = "must be the ID of an interactive-messaging application: up to 64 letters, digits, '_' and '-'"
	SayEvents      = `supported values: "ChannelEvent", "UserEvent"`
	SayAllOrOne    = "must be a channel ID: up to 64 letters, digits, '_' and '-'; or * for all channels"
	SayOneChannel  = "users are for a single channel: set channelID to a channel other than *, or remove users"
	SayUserID      = "must be a user ID: up to 64 characters of ASCII, without blanks and commas"
	SayCenters     = `supported values: "cn-shanghai", "ap-southeast-1"`
)

// bad is a manifest that is refused, and what the refusal says of which field.
type bad struct{ spec, field, say string }

// badDomains are refused by each kind that a main streaming domain has one object of.
var badDomains = map[string]bad{
	"no domain":               {"domainName: null", "spec.domainName", "Required value"},
	"an empty domain":         {"domainName: ''", "spec.domainName", SayDomain},
	"a domain in upper case":  {"domainName: Live.example.com", "spec.domainName", SayDomain},
	"a wildcard":              {"domainName: '*.example.com'", "spec.domainName", SayDomain},
	"a domain with a port":    {"domainName: 'live.example.com:80'", "spec.domainName", SayDomain},
	"a domain of one label":   {"domainName: live", "spec.domainName", SayDomain},
	"an IP address":           {"domainName: 192.0.2.1", "spec.domainName", SayNoAddress},
	"counts":                  {"records: {window: 1h}", "spec.records", SayUnknown},
	"a policy that is none":   {"driftPolicy: Ignore", "spec.driftPolicy", "supported values"},
	"a resync that is rare":   {"resyncInterval: 25h", "spec.resyncInterval", SayResync},
	"an account in uppercase": {"accountRef: {name: Media}", "spec.accountRef.name", SayAccount},
}

// badByKind are refused by single kinds.
var badByKind = map[string]map[string]bad{
	Snapshot: {
		"no URL":                   {"notifyURL: null", "spec.notifyURL", "Required value"},
		"a placeholder in the URL": {"notifyURL: 'https://hooks.example.com/{StreamName}'", "spec.notifyURL", SayBraces},
		"a bare % in the URL":      {"notifyURL: 'https://hooks.example.com/100%'", "spec.notifyURL", SayEscape},
		"a URL of 501 characters":  {"notifyURL: '" + URL(501) + "'", "spec.notifyURL", "may not be more than 500"},
		"a URL without a scheme":   {"notifyURL: hooks.example.com", "spec.notifyURL", SayScheme},
		"a template in the URL":    {"notifyURL: 'https://{{ .Values.host }}/'", "spec.notifyURL", SayTemplate},
		"a Secret in upper case":   {"authentication: {keySecretRef: {name: Key, key: key}}", "spec.authentication.keySecretRef.name", SaySecret},
		"a Secret without entry":   {"authentication: {keySecretRef: {name: key}}", "spec.authentication.keySecretRef.key", "Required value"},
		"a key in the manifest":    {"authentication: {key: '0123456789012345'}", "spec.authentication.key", SayUnknown},
	},
	Detect: {
		"no URL":            {"notifyURL: null", "spec.notifyURL", "Required value"},
		"a URL of 2084":     {"notifyURL: '" + URL(2084) + "'", "spec.notifyURL", "may not be more than 2083"},
		"a signature":       {"authentication: {keySecretRef: {name: a, key: b}}", "spec.authentication", SayUnknown},
		"a URL with a user": {"notifyURL: 'https://u:p@hooks.example.com'", "spec.notifyURL", SayUser},
	},
	Audit: {
		"no URL":                      {"callbackURL: null", "spec.callbackURL", "Required value"},
		"an empty template":           {"callbackTemplate: ''", "spec.callbackTemplate", SayNothing},
		"a template of blanks":        {"callbackTemplate: '  '", "spec.callbackTemplate", SayNothing},
		"a placeholder of another":    {`callbackTemplate: '{"stream":{Stream}}'`, "spec.callbackTemplate", SayPlaceholder},
		"a placeholder in lower":      {`callbackTemplate: '{"result":{result}}'`, "spec.callbackTemplate", SayPlaceholder},
		"a placeholder with blanks":   {`callbackTemplate: '{"result":{ Result }}'`, "spec.callbackTemplate", SayPlaceholder},
		"one wrong among right":       {`callbackTemplate: '{"a":{Result},"b":{StreamName},"c":{Url}}'`, "spec.callbackTemplate", SayPlaceholder},
		"a placeholder of two words":  {`callbackTemplate: '{"a":{Domain Name}}'`, "spec.callbackTemplate", SayPlaceholder},
		"a placeholder by number":     {`callbackTemplate: '{"a":{0}}'`, "spec.callbackTemplate", SayPlaceholder},
		"a verb in braces":            {`callbackTemplate: '{"a":{%s}}'`, "spec.callbackTemplate", SayPlaceholder},
		"a placeholder with a dot":    {`callbackTemplate: '{"a":{.StreamName}}'`, "spec.callbackTemplate", SayPlaceholder},
		"a placeholder of a path":     {`callbackTemplate: '{"a":{Result/rate}}'`, "spec.callbackTemplate", SayPlaceholder},
		"a placeholder in Chinese":    {`callbackTemplate: '{"a":{域名}}'`, "spec.callbackTemplate", SayPlaceholder},
		"an unclosed placeholder":     {`callbackTemplate: '{"a":{DomainName,"b":{Result}}'`, "spec.callbackTemplate", SayUnclosed},
		"an unclosed one at the end":  {`callbackTemplate: '{"a":{StreamName'`, "spec.callbackTemplate", SayUnclosed},
		"an unclosed one with blanks": {`callbackTemplate: '{"a":{ Result , "b":1}'`, "spec.callbackTemplate", SayUnclosed},
		"a placeholder in the URL":    {"callbackURL: 'https://hooks.example.com/{DomainName}'", "spec.callbackURL", SayBraces},
		"a value of Helm":             {`callbackTemplate: '{"env":"{{ .Values.env }}"}'`, "spec.callbackTemplate", SayUnrendered},
		"a variable":                  {`callbackTemplate: '{"env":"${ENV}"}'`, "spec.callbackTemplate", SayUnrendered},
		"a template of 2049":          {"callbackTemplate: '" + strings.Repeat("a", 2049) + "'", "spec.callbackTemplate", "may not be more than 2048"},
		"too much together":           {"{callbackURL: 'https://hooks.example.com" + strings.Repeat("/", 2000) + "', callbackTemplate: '" + strings.Repeat("(", 2000) + "'}", "spec", SayTooLong},
	},
	Event: {
		"no application":                     {"appID: null", "spec.appID", "Required value"},
		"an empty application":               {"appID: ''", "spec.appID", SayMPUAppID},
		"an application with a slash":        {"appID: a/b", "spec.appID", SayMPUAppID},
		"an application of 65":               {"appID: " + strings.Repeat("a", 65), "spec.appID", "may not be more than 64"},
		"no events":                          {"events: null", "spec.events", "Required value"},
		"an empty list of events":            {"events: []", "spec.events", "should have at least 1 items"},
		"an event that is none":              {"events: [MessageEvent]", "spec.events[0]", SayEvents},
		"an event twice":                     {"events: [UserEvent, UserEvent]", "spec.events[1]", "Duplicate value"},
		"an empty channel":                   {"channelID: ''", "spec.channelID", SayAllOrOne},
		"a pattern for channels":             {"channelID: 'room-*'", "spec.channelID", SayAllOrOne},
		"users of all channels":              {"users: [a]", "spec", SayOneChannel},
		"users of all, said so":              {"{channelID: '*', users: [a]}", "spec", SayOneChannel},
		"a user with a comma":                {"{channelID: a, users: ['a,b']}", "spec.users[0]", SayUserID},
		"a user of a value of Helm":          {"{channelID: a, users: [b, '{{ .Values.user }}']}", "spec.users[1]", SayLeftOver},
		"a user of a variable":               {"{channelID: a, users: [b, '${USER}']}", "spec.users[1]", SayLeftOver},
		"a user of a variable of Kubernetes": {"{channelID: a, users: [b, '$(USER)']}", "spec.users[1]", SayLeftOver},
		"a user of a word to be replaced":    {"{channelID: a, users: [b, '<user>']}", "spec.users[1]", SayLeftOver},
		"a user of a placeholder":            {"{channelID: a, users: [b, '{UserId}']}", "spec.users[1]", SayLeftOver},
		"a user of a verb of printf":         {"{channelID: a, users: [b, '%s']}", "spec.users[1]", SayLeftOver},
		"an empty user":                      {"{channelID: a, users: ['']}", "spec.users[0]", SayUserID},
		"51 users":                           {"{channelID: a, users: " + Channels(51) + "}", "spec.users", "must have at most 50 items"},
		"records narrowed down":              {"records: {appName: live}", "spec", SayNarrow},
		"a window of eight days":             {"records: {window: 192h}", "spec.records.window", SayWindow},
		"no URL":                             {"callbackURL: null", "spec.callbackURL", "Required value"},
		"a list of channels":                 {"channelIDs: [a]", "spec.channelIDs", SayUnknown},
		"a long URL beside many users":       {"{channelID: a, callbackURL: 'https://hooks.example.com" + strings.Repeat("/", 2050) + "', users: " + Channels(45) + "}", "spec", SayTooLong},
	},
	Message: {
		"no application":                               {"appID: null", "spec.appID", "Required value"},
		"an empty application":                         {"appID: ''", "spec.appID", SayMessageApp},
		"an application with a dot":                    {"appID: a.b", "spec.appID", SayMessageApp},
		"another data center":                          {"dataCenter: cn-beijing", "spec.dataCenter", SayCenters},
		"an empty data center":                         {"dataCenter: ''", "spec.dataCenter", SayCenters},
		"no URL":                                       {"eventCallbackURL: null", "spec.eventCallbackURL", "Required value"},
		"an empty URL":                                 {"eventCallbackURL: ''", "spec.eventCallbackURL", SayEmpty},
		"a port":                                       {"eventCallbackURL: 'https://hooks.example.com:8443/live'", "spec.eventCallbackURL", SayNoPort},
		"the port of the scheme":                       {"eventCallbackURL: 'https://hooks.example.com:443'", "spec.eventCallbackURL", SayNoPort},
		"a private address":                            {"eventCallbackURL: 'http://10.0.0.1/live'", "spec.eventCallbackURL", SayPrivate},
		"another private address":                      {"eventCallbackURL: 'http://192.168.1.2'", "spec.eventCallbackURL", SayPrivate},
		"a private address of the end":                 {"eventCallbackURL: 'http://172.31.255.255/live'", "spec.eventCallbackURL", SayPrivate},
		"this machine":                                 {"eventCallbackURL: 'http://127.0.0.1/live'", "spec.eventCallbackURL", SayPrivate},
		"an address of no host":                        {"eventCallbackURL: 'http://0.0.0.0/live'", "spec.eventCallbackURL", SayPrivate},
		"an address of this network":                   {"eventCallbackURL: 'http://0.1.2.3/live'", "spec.eventCallbackURL", SayPrivate},
		"an address of a carrier's network":            {"eventCallbackURL: 'http://100.64.0.1/live'", "spec.eventCallbackURL", SayPrivate},
		"an address of the end of a carrier's network": {"eventCallbackURL: 'http://100.127.255.255/live'", "spec.eventCallbackURL", SayPrivate},
		"an address of one link":                       {"eventCallbackURL: 'http://169.254.169.254/live'", "spec.eventCallbackURL", SayPrivate},
		"an address of the start of 172.16/12":         {"eventCallbackURL: 'http://172.16.0.1/live'", "spec.eventCallbackURL", SayPrivate},
		"an address of a network of measurements":      {"eventCallbackURL: 'http://198.19.0.1/live'", "spec.eventCallbackURL", SayPrivate},
		"an address of protocols":                      {"eventCallbackURL: 'http://192.0.0.8/live'", "spec.eventCallbackURL", SayPrivate},
		"an address of the first of many":              {"eventCallbackURL: 'http://224.0.0.1/live'", "spec.eventCallbackURL", SayPrivate},
		"an address of a reserved block":               {"eventCallbackURL: 'http://240.0.0.1/live'", "spec.eventCallbackURL", SayPrivate},
		"an address of all":                            {"eventCallbackURL: 'http://255.255.255.255/live'", "spec.eventCallbackURL", SayPrivate},
		"localhost":                                    {"eventCallbackURL: 'https://localhost?a=b'", "spec.eventCallbackURL", SayPrivate},
		"LocalHost in capitals":                        {"eventCallbackURL: 'https://LOCALHOST?a=b'", "spec.eventCallbackURL", SayPrivate},
		"a name below localhost":                       {"eventCallbackURL: 'https://hooks.localhost?a=b'", "spec.eventCallbackURL", SayPrivate},
		"a name of one label":                          {"eventCallbackURL: 'https://receiver?a=b'", "spec.eventCallbackURL", SayPrivate},
		"a Service":                                    {"eventCallbackURL: 'https://receiver.media.svc?a=b'", "spec.eventCallbackURL", SayPrivate},
		"a Service, in full":                           {"eventCallbackURL: 'https://receiver.media.svc.cluster.local?a=b'", "spec.eventCallbackURL", SayPrivate},
		"a name of the link":                           {"eventCallbackURL: 'https://printer.local?a=b'", "spec.eventCallbackURL", SayPrivate},
		"a name of a private zone":                     {"eventCallbackURL: 'https://hooks.corp.internal?a=b'", "spec.eventCallbackURL", SayPrivate},
		"a name below Internal":                        {"eventCallbackURL: 'https://hooks.Internal?a=b'", "spec.eventCallbackURL", SayPrivate},
		"a name of a home":                             {"eventCallbackURL: 'https://hooks.home.arpa?a=b'", "spec.eventCallbackURL", SayPrivate},
		"a name that is invalid":                       {"eventCallbackURL: 'https://hooks.invalid?a=b'", "spec.eventCallbackURL", SayPrivate},
		"two octets":                                   {"eventCallbackURL: 'http://127.1/'", "spec.eventCallbackURL", SayPrivate},
		"an octet in hex":                              {"eventCallbackURL: 'http://0x7f.1/'", "spec.eventCallbackURL", SayHost},
		"an address as one number":                     {"eventCallbackURL: 'http://2130706433/'", "spec.eventCallbackURL", SayPrivate},
		"an address as one hex number":                 {"eventCallbackURL: 'http://0x7f000001/'", "spec.eventCallbackURL", SayPrivate},
		"IPv6 of this machine":                         {"eventCallbackURL: 'http://[::1]/'", "spec.eventCallbackURL", SayHost},
		"IPv6 of a private network":                    {"eventCallbackURL: 'http://[fc00::1]/'", "spec.eventCallbackURL", SayHost},
		"IPv6 of IPv4":                                 {"eventCallbackURL: 'http://[::ffff:127.0.0.1]/'", "spec.eventCallbackURL", SayHost},
		"an IPv6 address":                              {"eventCallbackURL: 'http://[2001:db8::1]/live'", "spec.eventCallbackURL", SayHost},
		"a scheme in upper case":                       {"eventCallbackURL: 'HTTPS://hooks.example.com'", "spec.eventCallbackURL", SayScheme},
		"a placeholder in the path":                    {"eventCallbackURL: 'https://hooks.example.com/{AppID}'", "spec.eventCallbackURL", SayBraces},
		"a bare % in the path":                         {"eventCallbackURL: 'https://hooks.example.com/%zz'", "spec.eventCallbackURL", SayEscape},
		"a blank in the path":                          {"eventCallbackURL: 'https://hooks.example.com/a b'", "spec.eventCallbackURL", SayEncode},
		"counts":                                       {"records: {}", "spec.records", SayUnknown},
		"a signature":                                  {"authentication: {keySecretRef: {name: a, key: b}}", "spec.authentication", SayUnknown},
	},
}
