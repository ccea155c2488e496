// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package schema

import "strings"

// What a message has to say for its reader to know what to write.
const (
	SayDomain    = "must be a domain name in lower case without scheme, port, wildcard or trailing dot, such as "
	SayResync    = "must be a duration from 1m to 24h, such as 10m or 1h30m"
	SayWindow    = "must be a duration from 1m to 167h, such as 1h; the cloud keeps records for 7 days"
	SayInterval  = "must be a duration from 30s to 24h, such as 5m"
	SaySecret    = "must be the name of a Secret in the same namespace: lower-case letters, digits, '-' and '.'"
	SaySecretKey = "must be an entry of the Secret's data: letters, digits, '-', '_' and '.'"
	SayAccount   = "must be the name of a LiveAccount in the same namespace"
	SayApp       = "must be an application name in ASCII without spaces; leave the field out to count all"
	SayStream    = "must be a stream name in ASCII without spaces; leave the field out to count all"
	SayRole      = "must be the ARN of a RAM role, such as acs:ram::1234567890123456:role/live-notify"
	SayProvider  = "must be the ARN of an OIDC provider, such as acs:ram::1234567890123456:oidc-provider/ack-rrsa-c1234"
	SayOneKind   = "set exactly one of accessKeySecretRef, oidc and ecsRAMRole"
	SayRegion    = "must be a region ID, such as cn-shanghai"
	SayGlob      = "must be a domain name in lower case, in which * stands for any characters, such as *.example.com"
	SayChannel   = "must be a channel ID: up to 64 letters, digits, '_' and '-'"
	SayMPUAppID  = "must be the ID of an RTC application: up to 64 letters, digits, '_' and '-'"
	SayNarrow    = "the records of an RTC application cannot be narrowed down, remove them"
	SayNoAddress = "must be a domain name, not an IP address: the last label of a domain is no number"
	SayExternal  = "must be 2 to 1224 letters, digits and + = , . @ : / - _ on one line, as the cloud demands; leave the field out if the role's trust policy asks for none"
	SayNoURL     = "set at least one of notifyURL, exceptionNotifyURL and switchNotifyURL; to remove the configuration from the cloud, delete the resource"
)

var refused = map[string]mistake{
	// Domains.
	"no domain":                        {Stream, "domainName: null", "spec.domainName", "Required value"},
	"an empty domain":                  {Stream, "domainName: ''", "spec.domainName", SayDomain + "push.example.com"},
	"a domain in upper case":           {Stream, "domainName: Push.example.com", "spec.domainName", SayDomain},
	"a domain with a scheme":           {Stream, "domainName: 'https://push.example.com'", "spec.domainName", SayDomain},
	"a domain with a port":             {Stream, "domainName: 'push.example.com:443'", "spec.domainName", SayDomain},
	"a domain with a path":             {Stream, "domainName: push.example.com/live", "spec.domainName", SayDomain},
	"a wildcard domain":                {Stream, "domainName: '*.example.com'", "spec.domainName", SayDomain},
	"a domain with a dot at its end":   {Stream, "domainName: push.example.com.", "spec.domainName", SayDomain},
	"a domain with a dot in front":     {Stream, "domainName: .example.com", "spec.domainName", SayDomain},
	"a domain with two dots":           {Stream, "domainName: push..example.com", "spec.domainName", SayDomain},
	"a domain with an underscore":      {Stream, "domainName: my_push.example.com", "spec.domainName", SayDomain},
	"a domain with a space":            {Stream, "domainName: ' push.example.com'", "spec.domainName", SayDomain},
	"a domain with a NUL":              {Stream, `domainName: "push.example.com\0"`, "spec.domainName", SayDomain},
	"a domain with a Cyrillic letter":  {Stream, `domainName: "\u0440ush.example.com"`, "spec.domainName", SayDomain},
	"a domain with an ideographic dot": {Stream, `domainName: "push\u3002example.com"`, "spec.domainName", SayDomain},
	"a domain with a blank behind":     {Record, "{domainName: 'live.example.com ', notifyURL: 'http://a.example.com'}", "spec.domainName", SayDomain},
	"a domain with a line break":       {Stream, `domainName: "push.example.com\n"`, "spec.domainName", SayDomain},
	"a domain of one label":            {Stream, "domainName: localhost", "spec.domainName", SayDomain},
	"a label that starts with -":       {Stream, "domainName: -push.example.com", "spec.domainName", SayDomain},
	"a label that ends with -":         {Stream, "domainName: push-.example.com", "spec.domainName", SayDomain},
	"a label of 64 characters":         {Stream, "domainName: a" + Label63 + ".example.com", "spec.domainName", SayDomain},
	"a domain of 254 characters":       {Stream, "domainName: " + Domain63 + strings.Repeat("a", 62), "spec.domainName", "may not be more than 253"},
	"a domain in Chinese":              {Stream, "domainName: 直播.example.com", "spec.domainName", SayDomain},
	"a domain that is a number":        {Stream, "domainName: 5", "spec.domainName", "must be of type string"},
	"an IPv4 address for a domain":     {Stream, "domainName: 1.2.3.4", "spec.domainName", SayNoAddress},
	"a private address for a domain":   {Record, "domainName: 10.0.0.1", "spec.domainName", SayNoAddress},
	"no address, but of numbers":       {Stream, "domainName: 999.1.1.1.1", "spec.domainName", SayNoAddress},
	"a domain that ends in a number":   {Record, "domainName: live.example.1", "spec.domainName", SayNoAddress},
	"an IPv6 address for a domain":     {Stream, "domainName: '2001:db8::1'", "spec.domainName", SayDomain},
	"a domain that was not rendered":   {Stream, "domainName: '${domain}.example.com'", "spec.domainName", SayDomain},
	"no domain of a recording":         {Record, "domainName: null", "spec.domainName", "Required value"},
	"a recording's domain with a port": {Record, "domainName: 'live.example.com:80'", "spec.domainName", SayDomain + "live.example.com"},

	// URLs.
	"none of the three URLs":        {Stream, "notifyURL: null", "spec", SayNoURL},
	"a URL of 2084 characters":      {Stream, "notifyURL: " + URL(2084), "spec.notifyURL", "may not be more than 2083"},
	"a switchNotifyURL too long":    {Stream, "switchNotifyURL: " + URL(2084), "spec.switchNotifyURL", "may not be more than 2083"},
	"a recording without notifyURL": {Record, "notifyURL: null", "spec.notifyURL", "Required value"},
	"a recording's onDemandURL":     {Record, "onDemandURL: hooks.example.com", "spec.onDemandURL", SayScheme},
	"a recording's template":        {Record, "notifyURL: 'https://{{ .host }}/live'", "spec.notifyURL", SayTemplate},
	"a recording's empty URL":       {Record, "onDemandURL: ''", "spec.onDemandURL", SayLeaveOut},
	"a recording's port":            {Record, "notifyURL: 'https://hooks.example.com:0/live'", "spec.notifyURL", SayPort},
	"a recording's switchNotifyURL": {Record, "switchNotifyURL: 'https://hooks.example.com/'", "spec.switchNotifyURL", "unknown field"},
	"a misspelt name of a field":    {Stream, "notifyUrl: 'https://hooks.example.com/'", "spec.notifyUrl", "unknown field"},

	// Policies and flags.
	"a managementPolicy of no kind":      {Stream, "managementPolicy: observe", "spec.managementPolicy", `supported values: "Manage", "Observe"`},
	"an adoptionPolicy of no kind":       {Stream, "adoptionPolicy: Never", "spec.adoptionPolicy", `supported values: "IfIdentical", "Always"`},
	"a driftPolicy of no kind":           {Record, "driftPolicy: Ignore", "spec.driftPolicy", `supported values: "Correct", "Report"`},
	"a deletionPolicy of no kind":        {MPU, "deletionPolicy: Orphan", "spec.deletionPolicy", `supported values: "Delete", "Retain"`},
	"suspend in words":                   {Stream, "suspend: 'yes'", "spec.suspend", "must be of type boolean"},
	"needStatusNotify in words":          {Record, "needStatusNotify: 'true'", "spec.needStatusNotify", "must be of type boolean"},
	"an empty managementPolicy":          {Stream, "managementPolicy: ''", "spec.managementPolicy", `supported values: "Manage", "Observe"`},
	"a reference to no account":          {Stream, "accountRef: {}", "spec.accountRef.name", "Required value"},
	"an account in capitals":             {Stream, "accountRef: {name: Production}", "spec.accountRef.name", SayAccount},
	"an account with two dots":           {Stream, "accountRef: {name: production..live}", "spec.accountRef.name", SayAccount},
	"an account of another namespace":    {Stream, "accountRef: {name: other/production}", "spec.accountRef.name", SayAccount},
	"an account with its namespace":      {Stream, "accountRef: {name: production, namespace: other}", "spec.accountRef.namespace", "unknown field"},
	"an empty name of an account":        {Stream, "accountRef: {name: ''}", "spec.accountRef.name", SayAccount},
	"an account's name that is too long": {Stream, "accountRef: {name: " + strings.Repeat("a", 254) + "}", "spec.accountRef.name", "may not be more than 253"},

	// Durations and counts.
	"a resyncInterval under 1m":        {Stream, "resyncInterval: 59s", "spec.resyncInterval", SayResync},
	"a resyncInterval just under 1m":   {Stream, "resyncInterval: 59.999s", "spec.resyncInterval", SayResync},
	"a resyncInterval over 24h":        {Stream, "resyncInterval: 24h1s", "spec.resyncInterval", SayResync},
	"a resyncInterval without unit":    {Stream, "resyncInterval: '600'", "spec.resyncInterval", SayResync},
	"a resyncInterval as a number":     {Stream, "resyncInterval: 600", "spec.resyncInterval", "must be of type string"},
	"a resyncInterval in words":        {Stream, "resyncInterval: ten minutes", "spec.resyncInterval", SayResync},
	"a negative resyncInterval":        {Stream, "resyncInterval: -10m", "spec.resyncInterval", SayResync},
	"a resyncInterval in days":         {Stream, "resyncInterval: 1d", "spec.resyncInterval", SayResync},
	"an empty resyncInterval":          {Stream, "resyncInterval: ''", "spec.resyncInterval", SayResync},
	"an empty window":                  {Record, "records: {window: ''}", "spec.records.window", "leave the field out for 1h"},
	"an empty interval":                {MPU, "records: {interval: ''}", "spec.records.interval", "leave the field out for 5m"},
	"a resyncInterval left empty":      {MPU, "resyncInterval: ''", "spec.resyncInterval", "leave the field out for 10m"},
	"a resyncInterval with a break":    {Stream, `resyncInterval: "10m\n"`, "spec.resyncInterval", SayResync},
	"a resyncInterval of zero":         {Stream, "resyncInterval: 0s", "spec.resyncInterval", SayResync},
	"a resyncInterval with a space":    {Stream, "resyncInterval: 1h 30m", "spec.resyncInterval", SayResync},
	"a resyncInterval of centuries":    {Stream, "resyncInterval: 999999h999999h999999h", "spec.resyncInterval", SayResync},
	"a resyncInterval in milliseconds": {Stream, "resyncInterval: 600000ms", "spec.resyncInterval", SayResync},
	"a window under 1m":                {Record, "records: {window: 59s}", "spec.records.window", SayWindow},
	"a window of 7 days":               {Record, "records: {window: 168h}", "spec.records.window", SayWindow},
	"a window just over 167h":          {MPU, "records: {window: 167h0.001s}", "spec.records.window", SayWindow},
	"a window in words":                {Stream, "records: {window: 1 hour}", "spec.records.window", SayWindow},
	"an interval under 30s":            {Stream, "records: {interval: 29s}", "spec.records.interval", SayInterval},
	"an interval over 24h":             {Stream, "records: {interval: 1441m}", "spec.records.interval", SayInterval},
	"an interval without unit":         {Stream, "records: {interval: '300'}", "spec.records.interval", SayInterval},
	"a threshold of zero":              {Stream, "records: {unhealthyThreshold: 0}", "spec.records.unhealthyThreshold", "greater than or equal to 1"},
	"a negative threshold":             {Stream, "records: {unhealthyThreshold: -1}", "spec.records.unhealthyThreshold", "greater than or equal to 1"},
	"half a threshold":                 {Stream, "records: {unhealthyThreshold: 1.5}", "spec.records.unhealthyThreshold", "must be of type integer"},
	"a threshold beyond 32 bits":       {Stream, "records: {unhealthyThreshold: 2147483648}", "spec.records.unhealthyThreshold", "int32"},
	"an empty appName":                 {Stream, "records: {appName: ''}", "spec.records.appName", SayApp},
	"an appName with a space":          {Record, "records: {appName: 'my app'}", "spec.records.appName", SayApp},
	"an appName in Chinese":            {Stream, "records: {appName: 直播}", "spec.records.appName", SayApp},
	"an appName of 257 characters":     {Stream, "records: {appName: " + strings.Repeat("a", 257) + "}", "spec.records.appName", "may not be more than 256"},
	"an empty streamName":              {Stream, "records: {streamName: ''}", "spec.records.streamName", SayStream},
	"a streamName with a line break":   {Stream, `records: {streamName: "a\nb"}`, "spec.records.streamName", SayStream},

	// Authentication.
	"authentication without a key":    {Stream, "authentication: {}", "spec.authentication.keySecretRef", "Required value"},
	"a key in the manifest":           {Stream, "authentication: {key: Canary0123456789, keySecretRef: {name: a, key: b}}", "spec.authentication.key", "unknown field"},
	"a Secret without its entry":      {Stream, "authentication: {keySecretRef: {name: live}}", "spec.authentication.keySecretRef.key", "Required value"},
	"an entry without its Secret":     {Record, "authentication: {keySecretRef: {key: auth}}", "spec.authentication.keySecretRef.name", "Required value"},
	"a Secret in capitals":            {Stream, "authentication: {keySecretRef: {name: My_Secret, key: auth}}", "spec.authentication.keySecretRef.name", SaySecret},
	"a Secret of another namespace":   {Stream, "authentication: {keySecretRef: {name: other/live, key: auth}}", "spec.authentication.keySecretRef.name", SaySecret},
	"an empty name of a Secret":       {Stream, "authentication: {keySecretRef: {name: '', key: auth}}", "spec.authentication.keySecretRef.name", SaySecret},
	"a Secret whose name ends with -": {Stream, "authentication: {keySecretRef: {name: live-, key: auth}}", "spec.authentication.keySecretRef.name", SaySecret},
	"an entry with a space":           {Stream, "authentication: {keySecretRef: {name: live, key: 'my key'}}", "spec.authentication.keySecretRef.key", SaySecretKey},
	"an entry of a dot":               {Stream, "authentication: {keySecretRef: {name: live, key: .}}", "spec.authentication.keySecretRef.key", SaySecretKey},
	"an entry of two dots":            {Record, "authentication: {keySecretRef: {name: live, key: ..}}", "spec.authentication.keySecretRef.key", SaySecretKey},
	"an entry behind two dots":        {Snapshot, "authentication: {keySecretRef: {name: live, key: ..key}}", "spec.authentication.keySecretRef.key", SaySecretKey},
	"a Secret with two dots":          {Stream, "authentication: {keySecretRef: {name: my..live, key: auth}}", "spec.authentication.keySecretRef.name", SaySecret},
	"a Secret with a dot before a -":  {Record, "authentication: {keySecretRef: {name: my.-live, key: auth}}", "spec.authentication.keySecretRef.name", SaySecret},
	"an empty entry":                  {Stream, "authentication: {keySecretRef: {name: live, key: ''}}", "spec.authentication.keySecretRef.key", SaySecretKey},

	// Subscriptions.
	"no application":                     {MPU, "appID: null", "spec.appID", "Required value"},
	"an empty application":               {MPU, "appID: ''", "spec.appID", SayMPUAppID},
	"an application with a dot":          {MPU, "appID: app.1", "spec.appID", SayMPUAppID},
	"an application of 65 characters":    {MPU, "appID: " + strings.Repeat("a", 65), "spec.appID", "may not be more than 64"},
	"no callbackURL":                     {MPU, "callbackURL: null", "spec.callbackURL", "Required value"},
	"a callbackURL with &":               {MPU, "callbackURL: 'https://hooks.example.com/?a=1&b=2'", "spec.callbackURL", SayMPUURL},
	"a callbackURL with ~":               {MPU, "callbackURL: 'https://hooks.example.com/~live'", "spec.callbackURL", SayMPUURL},
	"a callbackURL too long":             {MPU, "callbackURL: " + URL(2084), "spec.callbackURL", "may not be more than 2083"},
	"21 channels":                        {MPU, "channelIDs: " + Channels(21), "spec.channelIDs", "must have at most 20 items"},
	"a channel twice":                    {MPU, "channelIDs: [a, b, a]", "spec.channelIDs[2]", "Duplicate value"},
	"an empty channel":                   {MPU, "channelIDs: ['']", "spec.channelIDs[0]", SayChannel},
	"a channel with a comma":             {MPU, "channelIDs: ['a,b']", "spec.channelIDs[0]", SayChannel},
	"a channel for all":                  {MPU, "channelIDs: ['*']", "spec.channelIDs[0]", SayChannel},
	"a channel of 65 characters":         {MPU, "channelIDs: [" + strings.Repeat("a", 65) + "]", "spec.channelIDs[0]", "may not be more than 64"},
	"channels as a string":               {MPU, "channelIDs: a,b", "spec.channelIDs", "must be of type array"},
	"a subscription with an appName":     {MPU, "records: {appName: live}", "spec", SayNarrow},
	"a subscription with a streamName":   {MPU, "records: {streamName: s}", "spec", SayNarrow},
	"a subscription with a domain":       {MPU, "domainName: live.example.com", "spec.domainName", "unknown field"},
	"a subscription with authentication": {MPU, "authentication: {keySecretRef: {name: a, key: b}}", "spec.authentication", "unknown field"},

	// Accounts.
	"no credentials":                       {Account, "credentials: null", "spec.credentials", "Required value"},
	"credentials of no kind":               {Account, "credentials: {}", "spec.credentials", SayOneKind},
	"credentials of two kinds":             {Account, "credentials: {accessKeySecretRef: {name: a}, ecsRAMRole: {roleName: b}}", "spec.credentials", SayOneKind},
	"credentials of three kinds":           {Account, "credentials: {accessKeySecretRef: {name: a}, ecsRAMRole: {roleName: b}, " + OIDC + "}", "spec.credentials", SayOneKind},
	"an access key in the manifest":        {Account, "credentials: {accessKeyID: LTAI, accessKeySecret: s}", "spec.credentials.accessKeyID", "unknown field"},
	"an access key's Secret without name":  {Account, "credentials: {accessKeySecretRef: {}}", "spec.credentials.accessKeySecretRef.name", "Required value"},
	"an access key's Secret in capitals":   {Account, "credentials: {accessKeySecretRef: {name: LIVE}}", "spec.credentials.accessKeySecretRef.name", SaySecret},
	"RRSA with a role's name":              {Account, "credentials: {oidc: {roleARN: live-notify, oidcProviderARN: 'acs:ram::1:oidc-provider/p', serviceAccountName: s}}", "spec.credentials.oidc.roleARN", SayRole},
	"RRSA with a user's ARN":               {Account, "credentials: {oidc: {roleARN: 'acs:ram::1:user/u', oidcProviderARN: 'acs:ram::1:oidc-provider/p', serviceAccountName: s}}", "spec.credentials.oidc.roleARN", SayRole},
	"RRSA with two roles":                  {Account, "credentials: {oidc: {roleARN: 'acs:ram::1:oidc-provider/p', oidcProviderARN: 'acs:ram::1:role/r', serviceAccountName: s}}", "spec.credentials.oidc.oidcProviderARN", SayProvider},
	"RRSA without provider":                {Account, "credentials: {oidc: {roleARN: 'acs:ram::1:role/r', serviceAccountName: s}}", "spec.credentials.oidc.oidcProviderARN", "Required value"},
	"RRSA without ServiceAccount":          {Account, "credentials: {oidc: {roleARN: 'acs:ram::1:role/r', oidcProviderARN: 'acs:ram::1:oidc-provider/p'}}", "spec.credentials.oidc.serviceAccountName", "Required value"},
	"an access key's Secret with a -.":     {Account, "credentials: {accessKeySecretRef: {name: live-.a}}", "spec.credentials.accessKeySecretRef.name", SaySecret},
	"RRSA with a ServiceAccount of dots":   {Account, "credentials: {oidc: {roleARN: 'acs:ram::1:role/r', oidcProviderARN: 'acs:ram::1:oidc-provider/p', serviceAccountName: a..b}}", "spec.credentials.oidc.serviceAccountName", "must be the name of a ServiceAccount in the same namespace"},
	"RRSA with a wrong ServiceAccount":     {Account, "credentials: {oidc: {roleARN: 'acs:ram::1:role/r', oidcProviderARN: 'acs:ram::1:oidc-provider/p', serviceAccountName: 'system:serviceaccount:a:b'}}", "spec.credentials.oidc.serviceAccountName", "must be the name of a ServiceAccount in the same namespace"},
	"an ECS role without name":             {Account, "credentials: {ecsRAMRole: {}}", "spec.credentials.ecsRAMRole.roleName", "Required value"},
	"an ECS role by its ARN":               {Account, "credentials: {ecsRAMRole: {roleName: 'acs:ram::1:role/r'}}", "spec.credentials.ecsRAMRole.roleName", "must be the name of a RAM role: letters, digits, '.' and '-'"},
	"a role to assume without ARN":         {Account, "assumeRole: {externalID: ab}", "spec.assumeRole.roleARN", "Required value"},
	"a role to assume with a wrong ARN":    {Account, "assumeRole: {roleARN: 'arn:aws:iam::1:role/r'}", "spec.assumeRole.roleARN", SayRole},
	"an externalID of one character":       {Account, "assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: a}", "spec.assumeRole.externalID", SayExternal},
	"an empty externalID":                  {Account, "assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: ''}", "spec.assumeRole.externalID", SayExternal},
	"an externalID with a line break":      {Account, `assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: "team-a\n"}`, "spec.assumeRole.externalID", SayExternal},
	"an externalID of two lines":           {Account, `assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: "team\na"}`, "spec.assumeRole.externalID", SayExternal},
	"an externalID with a blank":           {Account, "assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: 'team a'}", "spec.assumeRole.externalID", SayExternal},
	"an externalID with an umlaut":         {Account, "assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: 'täm'}", "spec.assumeRole.externalID", SayExternal},
	"an externalID that was not rendered":  {Account, "assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: '${EXTERNAL_ID}'}", "spec.assumeRole.externalID", SayExternal},
	"an externalID of 1225 characters":     {Account, "assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: " + strings.Repeat("a", 1225) + "}", "spec.assumeRole.externalID", "may not be more than 1224"},
	"a role with a line break":             {Account, `assumeRole: {roleARN: "acs:ram::1:role/r\n"}`, "spec.assumeRole.roleARN", SayRole},
	"a role of no account":                 {Account, "assumeRole: {roleARN: 'acs:ram::<account>:role/r'}", "spec.assumeRole.roleARN", SayRole},
	"a role that was not rendered":         {Account, "assumeRole: {roleARN: 'acs:ram::1:role/${ROLE}'}", "spec.assumeRole.roleARN", SayRole},
	"a provider that was not rendered":     {Account, "credentials: {oidc: {roleARN: 'acs:ram::1:role/r', oidcProviderARN: 'acs:ram::1:oidc-provider/{{ .provider }}', serviceAccountName: s}}", "spec.credentials.oidc.oidcProviderARN", SayProvider},
	"a region left empty":                  {Account, "region: ''", "spec.region", "leave the field out for cn-shanghai"},
	"a region in capitals":                 {Account, "region: CN-Shanghai", "spec.region", SayRegion},
	"a region by its name":                 {Account, "region: 'China (Shanghai)'", "spec.region", SayRegion},
	"an empty region":                      {Account, "region: ''", "spec.region", SayRegion},
	"no share of the quota":                {Account, "quotaSharePercent: 0", "spec.quotaSharePercent", "greater than or equal to 1"},
	"more than the quota":                  {Account, "quotaSharePercent: 101", "spec.quotaSharePercent", "less than or equal to 100"},
	"a share of the quota in percent":      {Account, "quotaSharePercent: 80%", "spec.quotaSharePercent", "must be of type integer"},
	"an allowed domain in capitals":        {Account, "allowedDomains: ['*.Example.com']", "spec.allowedDomains[0]", SayGlob},
	"an allowed domain as an expression":   {Account, "allowedDomains: ['push-[0-9].example.com']", "spec.allowedDomains[0]", SayGlob},
	"an allowed domain with a scheme":      {Account, "allowedDomains: ['https://example.com']", "spec.allowedDomains[0]", SayGlob},
	"an empty allowed domain":              {Account, "allowedDomains: ['']", "spec.allowedDomains[0]", SayGlob},
	"an allowed domain twice":              {Account, "allowedDomains: [a.example.com, a.example.com]", "spec.allowedDomains[1]", "Duplicate value"},
	"more allowed domains than are looked": {Account, "allowedDomains: " + Channels(257), "spec.allowedDomains", "must have at most 256 items"},
}

// OIDC is the credentials of RRSA, in YAML.
const OIDC = "oidc: {roleARN: 'acs:ram::1234567890123456:role/live-notify', oidcProviderARN: 'acs:ram::1234567890123456:oidc-provider/ack-rrsa-c1234', serviceAccountName: live}"
