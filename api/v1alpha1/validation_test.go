// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/test/controlplane"
)

// api is a real API server with the CRDs. It is asked as kubectl does, which
// refuses unknown fields.
var (
	api    client.Client
	config *rest.Config
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	assets, err := controlplane.Assets(context.Background(), os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	env := &envtest.Environment{
		CRDDirectoryPaths:     []string{"../../config/crd/bases"},
		ErrorIfCRDPathMissing: true,
		BinaryAssetsDirectory: assets,
	}
	if config, err = env.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "starting the API server:", err)
		return 1
	}
	defer func() {
		if err := env.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the API server:", err)
		}
	}()
	config.QPS = -1
	c, err := client.New(config, client.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	api = client.WithFieldValidation(c, metav1.FieldValidationStrict)
	return m.Run()
}

// The kinds, and a spec of each that is fine as it is.
const (
	stream  = "LiveNotifyConfig"
	record  = "LiveRecordNotifyConfig"
	mpu     = "LiveRtcMPUEventSub"
	account = "LiveAccount"

	snapshot = "LiveSnapshotNotifyConfig"
	detect   = "LiveDetectNotifyConfig"
	audit    = "LiveAudioAuditNotifyConfig"
	event    = "LiveRtcEventSub"
	message  = "LiveMessageAppCallback"
)

var fine = map[string]string{
	stream:  "{domainName: push.example.com, notifyURL: 'https://hooks.example.com/live'}",
	record:  "{domainName: live.example.com, notifyURL: 'https://hooks.example.com/live'}",
	mpu:     "{appID: app-1, callbackURL: 'https://hooks.example.com/mpu'}",
	account: "{credentials: {accessKeySecretRef: {name: live}}}",

	snapshot: "{domainName: live.example.com, notifyURL: 'https://hooks.example.com/live'}",
	detect:   "{domainName: live.example.com, notifyURL: 'https://hooks.example.com/live'}",
	audit:    "{domainName: live.example.com, callbackURL: 'https://hooks.example.com/live'}",
	event:    "{appID: app-1, events: [ChannelEvent], callbackURL: 'https://hooks.example.com/live'}",
	message:  "{appID: app-1, eventCallbackURL: 'https://hooks.example.com/live'}",
}

// parse reads YAML as kubectl does.
func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var fields map[string]any
	if err := yaml.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return fields
}

// object returns a manifest with a fine spec in which the given fields are set;
// null removes one.
func object(t *testing.T, kind, changes string) *unstructured.Unstructured {
	t.Helper()
	spec := parse(t, fine[kind])
	maps.Copy(spec, parse(t, changes))
	maps.DeleteFunc(spec, func(_ string, v any) bool { return v == nil })
	o := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	o.SetAPIVersion(v1alpha1.GroupVersion.String())
	o.SetKind(kind)
	o.SetNamespace("default")
	o.SetGenerateName("case-")
	return o
}

// url returns a URL of n characters.
func url(n int) string {
	const start = "https://hooks.example.com/"
	return start + strings.Repeat("a", n-len(start))
}

// channels returns a list of n channels in YAML.
func channels(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("channel-%d", i)
	}
	return "[" + strings.Join(list, ",") + "]"
}

var (
	label63  = strings.Repeat("a", 63)
	domain63 = label63 + "." + label63 + "." + label63 + "."
)

// What a message has to say for its reader to know what to write.
const (
	sayDomain    = "must be a domain name in lower case without scheme, port, wildcard or trailing dot, such as "
	sayResync    = "must be a duration from 1m to 24h, such as 10m or 1h30m"
	sayWindow    = "must be a duration from 1m to 167h, such as 1h; the cloud keeps records for 7 days"
	sayInterval  = "must be a duration from 30s to 24h, such as 5m"
	saySecret    = "must be the name of a Secret in the same namespace: lower-case letters, digits, '-' and '.'"
	saySecretKey = "must be an entry of the Secret's data: letters, digits, '-', '_' and '.'"
	sayAccount   = "must be the name of a LiveAccount in the same namespace"
	sayApp       = "must be an application name in ASCII without spaces; leave the field out to count all"
	sayStream    = "must be a stream name in ASCII without spaces; leave the field out to count all"
	sayRole      = "must be the ARN of a RAM role, such as acs:ram::1234567890123456:role/live-notify"
	sayProvider  = "must be the ARN of an OIDC provider, such as acs:ram::1234567890123456:oidc-provider/ack-rrsa-c1234"
	sayOneKind   = "set exactly one of accessKeySecretRef, oidc and ecsRAMRole"
	sayRegion    = "must be a region ID, such as cn-shanghai"
	sayGlob      = "must be a domain name in lower case, in which * stands for any characters, such as *.example.com"
	sayChannel   = "must be a channel ID: up to 64 letters, digits, '_' and '-'"
	sayMPUAppID  = "must be the ID of an RTC application: up to 64 letters, digits, '_' and '-'"
	sayNarrow    = "the records of an RTC application cannot be narrowed down, remove them"
	sayNoAddress = "must be a domain name, not an IP address: the last label of a domain is no number"
	sayExternal  = "must be 2 to 1224 letters, digits and + = , . @ : / - _ on one line, as the cloud demands; leave the field out if the role's trust policy asks for none"
	sayNoURL     = "set at least one of notifyURL, exceptionNotifyURL and switchNotifyURL; to remove the configuration from the cloud, delete the resource"
)

var refused = map[string]struct {
	kind, spec string
	field, say string // what the message names, and what it says
}{
	// Domains.
	"no domain":                        {stream, "domainName: null", "spec.domainName", "Required value"},
	"an empty domain":                  {stream, "domainName: ''", "spec.domainName", sayDomain + "push.example.com"},
	"a domain in upper case":           {stream, "domainName: Push.example.com", "spec.domainName", sayDomain},
	"a domain with a scheme":           {stream, "domainName: 'https://push.example.com'", "spec.domainName", sayDomain},
	"a domain with a port":             {stream, "domainName: 'push.example.com:443'", "spec.domainName", sayDomain},
	"a domain with a path":             {stream, "domainName: push.example.com/live", "spec.domainName", sayDomain},
	"a wildcard domain":                {stream, "domainName: '*.example.com'", "spec.domainName", sayDomain},
	"a domain with a dot at its end":   {stream, "domainName: push.example.com.", "spec.domainName", sayDomain},
	"a domain with a dot in front":     {stream, "domainName: .example.com", "spec.domainName", sayDomain},
	"a domain with two dots":           {stream, "domainName: push..example.com", "spec.domainName", sayDomain},
	"a domain with an underscore":      {stream, "domainName: my_push.example.com", "spec.domainName", sayDomain},
	"a domain with a space":            {stream, "domainName: ' push.example.com'", "spec.domainName", sayDomain},
	"a domain with a NUL":              {stream, `domainName: "push.example.com\0"`, "spec.domainName", sayDomain},
	"a domain with a Cyrillic letter":  {stream, `domainName: "\u0440ush.example.com"`, "spec.domainName", sayDomain},
	"a domain with an ideographic dot": {stream, `domainName: "push\u3002example.com"`, "spec.domainName", sayDomain},
	"a domain with a blank behind":     {record, "{domainName: 'live.example.com ', notifyURL: 'http://a.example.com'}", "spec.domainName", sayDomain},
	"a domain with a line break":       {stream, `domainName: "push.example.com\n"`, "spec.domainName", sayDomain},
	"a domain of one label":            {stream, "domainName: localhost", "spec.domainName", sayDomain},
	"a label that starts with -":       {stream, "domainName: -push.example.com", "spec.domainName", sayDomain},
	"a label that ends with -":         {stream, "domainName: push-.example.com", "spec.domainName", sayDomain},
	"a label of 64 characters":         {stream, "domainName: a" + label63 + ".example.com", "spec.domainName", sayDomain},
	"a domain of 254 characters":       {stream, "domainName: " + domain63 + strings.Repeat("a", 62), "spec.domainName", "may not be more than 253"},
	"a domain in Chinese":              {stream, "domainName: 直播.example.com", "spec.domainName", sayDomain},
	"a domain that is a number":        {stream, "domainName: 5", "spec.domainName", "must be of type string"},
	"an IPv4 address for a domain":     {stream, "domainName: 1.2.3.4", "spec.domainName", sayNoAddress},
	"a private address for a domain":   {record, "domainName: 10.0.0.1", "spec.domainName", sayNoAddress},
	"no address, but of numbers":       {stream, "domainName: 999.1.1.1.1", "spec.domainName", sayNoAddress},
	"a domain that ends in a number":   {record, "domainName: live.example.1", "spec.domainName", sayNoAddress},
	"an IPv6 address for a domain":     {stream, "domainName: '2001:db8::1'", "spec.domainName", sayDomain},
	"a domain that was not rendered":   {stream, "domainName: '${domain}.example.com'", "spec.domainName", sayDomain},
	"no domain of a recording":         {record, "domainName: null", "spec.domainName", "Required value"},
	"a recording's domain with a port": {record, "domainName: 'live.example.com:80'", "spec.domainName", sayDomain + "live.example.com"},

	// URLs.
	"none of the three URLs":        {stream, "notifyURL: null", "spec", sayNoURL},
	"a URL of 2084 characters":      {stream, "notifyURL: " + url(2084), "spec.notifyURL", "may not be more than 2083"},
	"a switchNotifyURL too long":    {stream, "switchNotifyURL: " + url(2084), "spec.switchNotifyURL", "may not be more than 2083"},
	"a recording without notifyURL": {record, "notifyURL: null", "spec.notifyURL", "Required value"},
	"a recording's onDemandURL":     {record, "onDemandURL: hooks.example.com", "spec.onDemandURL", sayScheme},
	"a recording's template":        {record, "notifyURL: 'https://{{ .host }}/live'", "spec.notifyURL", sayTemplate},
	"a recording's empty URL":       {record, "onDemandURL: ''", "spec.onDemandURL", sayLeaveOut},
	"a recording's port":            {record, "notifyURL: 'https://hooks.example.com:0/live'", "spec.notifyURL", sayPort},
	"a recording's switchNotifyURL": {record, "switchNotifyURL: 'https://hooks.example.com/'", "spec.switchNotifyURL", "unknown field"},
	"a misspelt name of a field":    {stream, "notifyUrl: 'https://hooks.example.com/'", "spec.notifyUrl", "unknown field"},

	// Policies and flags.
	"a managementPolicy of no kind":      {stream, "managementPolicy: observe", "spec.managementPolicy", `supported values: "Manage", "Observe"`},
	"an adoptionPolicy of no kind":       {stream, "adoptionPolicy: Never", "spec.adoptionPolicy", `supported values: "IfIdentical", "Always"`},
	"a driftPolicy of no kind":           {record, "driftPolicy: Ignore", "spec.driftPolicy", `supported values: "Correct", "Report"`},
	"a deletionPolicy of no kind":        {mpu, "deletionPolicy: Orphan", "spec.deletionPolicy", `supported values: "Delete", "Retain"`},
	"suspend in words":                   {stream, "suspend: 'yes'", "spec.suspend", "must be of type boolean"},
	"needStatusNotify in words":          {record, "needStatusNotify: 'true'", "spec.needStatusNotify", "must be of type boolean"},
	"an empty managementPolicy":          {stream, "managementPolicy: ''", "spec.managementPolicy", `supported values: "Manage", "Observe"`},
	"a reference to no account":          {stream, "accountRef: {}", "spec.accountRef.name", "Required value"},
	"an account in capitals":             {stream, "accountRef: {name: Production}", "spec.accountRef.name", sayAccount},
	"an account of another namespace":    {stream, "accountRef: {name: other/production}", "spec.accountRef.name", sayAccount},
	"an account with its namespace":      {stream, "accountRef: {name: production, namespace: other}", "spec.accountRef.namespace", "unknown field"},
	"an empty name of an account":        {stream, "accountRef: {name: ''}", "spec.accountRef.name", sayAccount},
	"an account's name that is too long": {stream, "accountRef: {name: " + strings.Repeat("a", 254) + "}", "spec.accountRef.name", "may not be more than 253"},

	// Durations and counts.
	"a resyncInterval under 1m":        {stream, "resyncInterval: 59s", "spec.resyncInterval", sayResync},
	"a resyncInterval just under 1m":   {stream, "resyncInterval: 59.999s", "spec.resyncInterval", sayResync},
	"a resyncInterval over 24h":        {stream, "resyncInterval: 24h1s", "spec.resyncInterval", sayResync},
	"a resyncInterval without unit":    {stream, "resyncInterval: '600'", "spec.resyncInterval", sayResync},
	"a resyncInterval as a number":     {stream, "resyncInterval: 600", "spec.resyncInterval", "must be of type string"},
	"a resyncInterval in words":        {stream, "resyncInterval: ten minutes", "spec.resyncInterval", sayResync},
	"a negative resyncInterval":        {stream, "resyncInterval: -10m", "spec.resyncInterval", sayResync},
	"a resyncInterval in days":         {stream, "resyncInterval: 1d", "spec.resyncInterval", sayResync},
	"an empty resyncInterval":          {stream, "resyncInterval: ''", "spec.resyncInterval", sayResync},
	"an empty window":                  {record, "records: {window: ''}", "spec.records.window", "leave the field out for 1h"},
	"an empty interval":                {mpu, "records: {interval: ''}", "spec.records.interval", "leave the field out for 5m"},
	"a resyncInterval left empty":      {mpu, "resyncInterval: ''", "spec.resyncInterval", "leave the field out for 10m"},
	"a resyncInterval with a break":    {stream, `resyncInterval: "10m\n"`, "spec.resyncInterval", sayResync},
	"a resyncInterval of zero":         {stream, "resyncInterval: 0s", "spec.resyncInterval", sayResync},
	"a resyncInterval with a space":    {stream, "resyncInterval: 1h 30m", "spec.resyncInterval", sayResync},
	"a resyncInterval of centuries":    {stream, "resyncInterval: 999999h999999h999999h", "spec.resyncInterval", sayResync},
	"a resyncInterval in milliseconds": {stream, "resyncInterval: 600000ms", "spec.resyncInterval", sayResync},
	"a window under 1m":                {record, "records: {window: 59s}", "spec.records.window", sayWindow},
	"a window of 7 days":               {record, "records: {window: 168h}", "spec.records.window", sayWindow},
	"a window just over 167h":          {mpu, "records: {window: 167h0.001s}", "spec.records.window", sayWindow},
	"a window in words":                {stream, "records: {window: 1 hour}", "spec.records.window", sayWindow},
	"an interval under 30s":            {stream, "records: {interval: 29s}", "spec.records.interval", sayInterval},
	"an interval over 24h":             {stream, "records: {interval: 1441m}", "spec.records.interval", sayInterval},
	"an interval without unit":         {stream, "records: {interval: '300'}", "spec.records.interval", sayInterval},
	"a threshold of zero":              {stream, "records: {unhealthyThreshold: 0}", "spec.records.unhealthyThreshold", "greater than or equal to 1"},
	"a negative threshold":             {stream, "records: {unhealthyThreshold: -1}", "spec.records.unhealthyThreshold", "greater than or equal to 1"},
	"half a threshold":                 {stream, "records: {unhealthyThreshold: 1.5}", "spec.records.unhealthyThreshold", "must be of type integer"},
	"a threshold beyond 32 bits":       {stream, "records: {unhealthyThreshold: 2147483648}", "spec.records.unhealthyThreshold", "int32"},
	"an empty appName":                 {stream, "records: {appName: ''}", "spec.records.appName", sayApp},
	"an appName with a space":          {record, "records: {appName: 'my app'}", "spec.records.appName", sayApp},
	"an appName in Chinese":            {stream, "records: {appName: 直播}", "spec.records.appName", sayApp},
	"an appName of 257 characters":     {stream, "records: {appName: " + strings.Repeat("a", 257) + "}", "spec.records.appName", "may not be more than 256"},
	"an empty streamName":              {stream, "records: {streamName: ''}", "spec.records.streamName", sayStream},
	"a streamName with a line break":   {stream, `records: {streamName: "a\nb"}`, "spec.records.streamName", sayStream},

	// Authentication.
	"authentication without a key":    {stream, "authentication: {}", "spec.authentication.keySecretRef", "Required value"},
	"a key in the manifest":           {stream, "authentication: {key: Canary0123456789, keySecretRef: {name: a, key: b}}", "spec.authentication.key", "unknown field"},
	"a Secret without its entry":      {stream, "authentication: {keySecretRef: {name: live}}", "spec.authentication.keySecretRef.key", "Required value"},
	"an entry without its Secret":     {record, "authentication: {keySecretRef: {key: auth}}", "spec.authentication.keySecretRef.name", "Required value"},
	"a Secret in capitals":            {stream, "authentication: {keySecretRef: {name: My_Secret, key: auth}}", "spec.authentication.keySecretRef.name", saySecret},
	"a Secret of another namespace":   {stream, "authentication: {keySecretRef: {name: other/live, key: auth}}", "spec.authentication.keySecretRef.name", saySecret},
	"an empty name of a Secret":       {stream, "authentication: {keySecretRef: {name: '', key: auth}}", "spec.authentication.keySecretRef.name", saySecret},
	"a Secret whose name ends with -": {stream, "authentication: {keySecretRef: {name: live-, key: auth}}", "spec.authentication.keySecretRef.name", saySecret},
	"an entry with a space":           {stream, "authentication: {keySecretRef: {name: live, key: 'my key'}}", "spec.authentication.keySecretRef.key", saySecretKey},
	"an empty entry":                  {stream, "authentication: {keySecretRef: {name: live, key: ''}}", "spec.authentication.keySecretRef.key", saySecretKey},

	// Subscriptions.
	"no application":                     {mpu, "appID: null", "spec.appID", "Required value"},
	"an empty application":               {mpu, "appID: ''", "spec.appID", sayMPUAppID},
	"an application with a dot":          {mpu, "appID: app.1", "spec.appID", sayMPUAppID},
	"an application of 65 characters":    {mpu, "appID: " + strings.Repeat("a", 65), "spec.appID", "may not be more than 64"},
	"no callbackURL":                     {mpu, "callbackURL: null", "spec.callbackURL", "Required value"},
	"a callbackURL with &":               {mpu, "callbackURL: 'https://hooks.example.com/?a=1&b=2'", "spec.callbackURL", sayMPUURL},
	"a callbackURL with ~":               {mpu, "callbackURL: 'https://hooks.example.com/~live'", "spec.callbackURL", sayMPUURL},
	"a callbackURL too long":             {mpu, "callbackURL: " + url(2084), "spec.callbackURL", "may not be more than 2083"},
	"21 channels":                        {mpu, "channelIDs: " + channels(21), "spec.channelIDs", "must have at most 20 items"},
	"a channel twice":                    {mpu, "channelIDs: [a, b, a]", "spec.channelIDs[2]", "Duplicate value"},
	"an empty channel":                   {mpu, "channelIDs: ['']", "spec.channelIDs[0]", sayChannel},
	"a channel with a comma":             {mpu, "channelIDs: ['a,b']", "spec.channelIDs[0]", sayChannel},
	"a channel for all":                  {mpu, "channelIDs: ['*']", "spec.channelIDs[0]", sayChannel},
	"a channel of 65 characters":         {mpu, "channelIDs: [" + strings.Repeat("a", 65) + "]", "spec.channelIDs[0]", "may not be more than 64"},
	"channels as a string":               {mpu, "channelIDs: a,b", "spec.channelIDs", "must be of type array"},
	"a subscription with an appName":     {mpu, "records: {appName: live}", "spec", sayNarrow},
	"a subscription with a streamName":   {mpu, "records: {streamName: s}", "spec", sayNarrow},
	"a subscription with a domain":       {mpu, "domainName: live.example.com", "spec.domainName", "unknown field"},
	"a subscription with authentication": {mpu, "authentication: {keySecretRef: {name: a, key: b}}", "spec.authentication", "unknown field"},

	// Accounts.
	"no credentials":                       {account, "credentials: null", "spec.credentials", "Required value"},
	"credentials of no kind":               {account, "credentials: {}", "spec.credentials", sayOneKind},
	"credentials of two kinds":             {account, "credentials: {accessKeySecretRef: {name: a}, ecsRAMRole: {roleName: b}}", "spec.credentials", sayOneKind},
	"credentials of three kinds":           {account, "credentials: {accessKeySecretRef: {name: a}, ecsRAMRole: {roleName: b}, " + oidc + "}", "spec.credentials", sayOneKind},
	"an access key in the manifest":        {account, "credentials: {accessKeyID: LTAI, accessKeySecret: s}", "spec.credentials.accessKeyID", "unknown field"},
	"an access key's Secret without name":  {account, "credentials: {accessKeySecretRef: {}}", "spec.credentials.accessKeySecretRef.name", "Required value"},
	"an access key's Secret in capitals":   {account, "credentials: {accessKeySecretRef: {name: LIVE}}", "spec.credentials.accessKeySecretRef.name", saySecret},
	"RRSA with a role's name":              {account, "credentials: {oidc: {roleARN: live-notify, oidcProviderARN: 'acs:ram::1:oidc-provider/p', serviceAccountName: s}}", "spec.credentials.oidc.roleARN", sayRole},
	"RRSA with a user's ARN":               {account, "credentials: {oidc: {roleARN: 'acs:ram::1:user/u', oidcProviderARN: 'acs:ram::1:oidc-provider/p', serviceAccountName: s}}", "spec.credentials.oidc.roleARN", sayRole},
	"RRSA with two roles":                  {account, "credentials: {oidc: {roleARN: 'acs:ram::1:oidc-provider/p', oidcProviderARN: 'acs:ram::1:role/r', serviceAccountName: s}}", "spec.credentials.oidc.oidcProviderARN", sayProvider},
	"RRSA without provider":                {account, "credentials: {oidc: {roleARN: 'acs:ram::1:role/r', serviceAccountName: s}}", "spec.credentials.oidc.oidcProviderARN", "Required value"},
	"RRSA without ServiceAccount":          {account, "credentials: {oidc: {roleARN: 'acs:ram::1:role/r', oidcProviderARN: 'acs:ram::1:oidc-provider/p'}}", "spec.credentials.oidc.serviceAccountName", "Required value"},
	"RRSA with a wrong ServiceAccount":     {account, "credentials: {oidc: {roleARN: 'acs:ram::1:role/r', oidcProviderARN: 'acs:ram::1:oidc-provider/p', serviceAccountName: 'system:serviceaccount:a:b'}}", "spec.credentials.oidc.serviceAccountName", "must be the name of a ServiceAccount in the same namespace"},
	"an ECS role without name":             {account, "credentials: {ecsRAMRole: {}}", "spec.credentials.ecsRAMRole.roleName", "Required value"},
	"an ECS role by its ARN":               {account, "credentials: {ecsRAMRole: {roleName: 'acs:ram::1:role/r'}}", "spec.credentials.ecsRAMRole.roleName", "must be the name of a RAM role: letters, digits, '.' and '-'"},
	"a role to assume without ARN":         {account, "assumeRole: {externalID: ab}", "spec.assumeRole.roleARN", "Required value"},
	"a role to assume with a wrong ARN":    {account, "assumeRole: {roleARN: 'arn:aws:iam::1:role/r'}", "spec.assumeRole.roleARN", sayRole},
	"an externalID of one character":       {account, "assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: a}", "spec.assumeRole.externalID", sayExternal},
	"an empty externalID":                  {account, "assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: ''}", "spec.assumeRole.externalID", sayExternal},
	"an externalID with a line break":      {account, `assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: "team-a\n"}`, "spec.assumeRole.externalID", sayExternal},
	"an externalID of two lines":           {account, `assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: "team\na"}`, "spec.assumeRole.externalID", sayExternal},
	"an externalID with a blank":           {account, "assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: 'team a'}", "spec.assumeRole.externalID", sayExternal},
	"an externalID with an umlaut":         {account, "assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: 'täm'}", "spec.assumeRole.externalID", sayExternal},
	"an externalID that was not rendered":  {account, "assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: '${EXTERNAL_ID}'}", "spec.assumeRole.externalID", sayExternal},
	"an externalID of 1225 characters":     {account, "assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: " + strings.Repeat("a", 1225) + "}", "spec.assumeRole.externalID", "may not be more than 1224"},
	"a role with a line break":             {account, `assumeRole: {roleARN: "acs:ram::1:role/r\n"}`, "spec.assumeRole.roleARN", sayRole},
	"a role of no account":                 {account, "assumeRole: {roleARN: 'acs:ram::<account>:role/r'}", "spec.assumeRole.roleARN", sayRole},
	"a role that was not rendered":         {account, "assumeRole: {roleARN: 'acs:ram::1:role/${ROLE}'}", "spec.assumeRole.roleARN", sayRole},
	"a provider that was not rendered":     {account, "credentials: {oidc: {roleARN: 'acs:ram::1:role/r', oidcProviderARN: 'acs:ram::1:oidc-provider/{{ .provider }}', serviceAccountName: s}}", "spec.credentials.oidc.oidcProviderARN", sayProvider},
	"a region left empty":                  {account, "region: ''", "spec.region", "leave the field out for cn-shanghai"},
	"a region in capitals":                 {account, "region: CN-Shanghai", "spec.region", sayRegion},
	"a region by its name":                 {account, "region: 'China (Shanghai)'", "spec.region", sayRegion},
	"an empty region":                      {account, "region: ''", "spec.region", sayRegion},
	"no share of the quota":                {account, "quotaSharePercent: 0", "spec.quotaSharePercent", "greater than or equal to 1"},
	"more than the quota":                  {account, "quotaSharePercent: 101", "spec.quotaSharePercent", "less than or equal to 100"},
	"a share of the quota in percent":      {account, "quotaSharePercent: 80%", "spec.quotaSharePercent", "must be of type integer"},
	"an allowed domain in capitals":        {account, "allowedDomains: ['*.Example.com']", "spec.allowedDomains[0]", sayGlob},
	"an allowed domain as an expression":   {account, "allowedDomains: ['push-[0-9].example.com']", "spec.allowedDomains[0]", sayGlob},
	"an allowed domain with a scheme":      {account, "allowedDomains: ['https://example.com']", "spec.allowedDomains[0]", sayGlob},
	"an empty allowed domain":              {account, "allowedDomains: ['']", "spec.allowedDomains[0]", sayGlob},
	"an allowed domain twice":              {account, "allowedDomains: [a.example.com, a.example.com]", "spec.allowedDomains[1]", "Duplicate value"},
	"more allowed domains than are looked": {account, "allowedDomains: " + channels(257), "spec.allowedDomains", "must have at most 256 items"},
}

const oidc = "oidc: {roleARN: 'acs:ram::1234567890123456:role/live-notify', oidcProviderARN: 'acs:ram::1234567890123456:oidc-provider/ack-rrsa-c1234', serviceAccountName: live}"

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range refused {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := api.Create(t.Context(), object(t, tc.kind, tc.spec), client.DryRunAll)
			if err == nil {
				t.Fatal("was accepted")
			}
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

func TestRefusedWithoutSpec(t *testing.T) {
	t.Parallel()
	for kind := range fine {
		o := object(t, kind, "{}")
		delete(o.Object, "spec")
		err := api.Create(t.Context(), o, client.DryRunAll)
		if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec: Required value") {
			t.Errorf("%s: got %v, want it to say that spec is required", kind, err)
		}
	}
}

var accepted = map[string]struct{ kind, spec string }{
	"a short domain":                          {stream, "domainName: a.b"},
	"a domain of digits":                      {stream, "domainName: 1.2.example.com"},
	"labels of 63 characters":                 {stream, "domainName: " + label63 + ".example.com"},
	"a domain of 253 characters":              {stream, "domainName: " + domain63 + strings.Repeat("a", 61)},
	"a domain in punycode":                    {stream, "domainName: xn--gtvr54n.xn--fiqs8s"},
	"a domain with hyphens":                   {record, "domainName: a--b.c-d.example.com"},
	"only exceptionNotifyURL":                 {stream, "{notifyURL: null, exceptionNotifyURL: 'http://hooks.example.com'}"},
	"only switchNotifyURL":                    {stream, "{notifyURL: null, switchNotifyURL: 'http://hooks.example.com'}"},
	"all three URLs":                          {stream, "{exceptionNotifyURL: 'http://a', switchNotifyURL: 'http://b'}"},
	"an onDemandURL":                          {record, "{onDemandURL: 'http://a.example.com', needStatusNotify: true}"},
	"every policy at its other value":         {stream, "{managementPolicy: Observe, adoptionPolicy: Always, driftPolicy: Report, deletionPolicy: Retain, suspend: true}"},
	"an account":                              {stream, "accountRef: {name: production.2}"},
	"authentication":                          {stream, "authentication: {keySecretRef: {name: live.auth-1, key: Auth_key.1-x}}"},
	"authentication of a recording":           {record, "authentication: {keySecretRef: {name: live, key: auth}}"},
	"the least intervals":                     {stream, "{resyncInterval: 1m, records: {window: 1m, interval: 30s}}"},
	"the most intervals":                      {stream, "{resyncInterval: 24h, records: {window: 167h, interval: 24h}}"},
	"the least in other words":                {stream, "{resyncInterval: 60s, records: {window: 60.0s, interval: 0.5m}}"},
	"the most in other words":                 {mpu, "{resyncInterval: 1440m, records: {window: 166h59m60s, interval: 86400s}}"},
	"durations of two units":                  {stream, "{resyncInterval: 1h30m, records: {window: 1h0m0s, interval: 90s}}"},
	"the least threshold":                     {stream, "records: {unhealthyThreshold: 1}"},
	"the most threshold":                      {stream, "records: {unhealthyThreshold: 2147483647}"},
	"records narrowed down":                   {stream, "records: {appName: live, streamName: 'room~1:a/b'}"},
	"a recording's records narrowed down":     {record, "records: {appName: live}"},
	"an application of 64 characters":         {mpu, "appID: " + strings.Repeat("a", 64)},
	"an application with _ and -":             {mpu, "appID: _App-1"},
	"20 channels":                             {mpu, "channelIDs: " + channels(20)},
	"no channels":                             {mpu, "channelIDs: []"},
	"a channel of 64 characters":              {mpu, "channelIDs: [" + strings.Repeat("c", 64) + "]"},
	"all characters of a callbackURL":         {mpu, "callbackURL: 'https://hooks.example.com:8443/a-b_c.d/e+f?g=h%26i#j'"},
	"an account with RRSA":                    {account, "credentials: {" + oidc + "}"},
	"an externalID of all characters":         {account, "assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: 'aZ09+=,.@:/-_'}"},
	"an externalID of 1224 characters":        {account, "assumeRole: {roleARN: 'acs:ram::1:role/r', externalID: " + strings.Repeat("a", 1224) + "}"},
	"a domain with a number but for its end":  {stream, "domainName: 1.2.3.4a"},
	"an account with an ECS role":             {account, "credentials: {ecsRAMRole: {roleName: live-notify.1}}"},
	"an account with a role to assume":        {account, "assumeRole: {roleARN: 'acs:ram::1234567890123456:role/path/live', externalID: ab}"},
	"an account with all else":                {account, "{region: eu-central-1, endpoint: live.eu-central-1.aliyuncs.com, quotaSharePercent: 1, allowedDomains: ['*.example.com', push.example.com, '*']}"},
	"the whole quota":                         {account, "quotaSharePercent: 100"},
	"a region of the government":              {account, "region: cn-north-2-gov-1"},
	"256 allowed domains":                     {account, "allowedDomains: " + channels(256)},
	"no allowed domains":                      {account, "allowedDomains: []"},
	"an entry of a Secret of one character":   {stream, "authentication: {keySecretRef: {name: a, key: a}}"},
	"a window that is shorter than its polls": {stream, "records: {window: 1m, interval: 24h}"},
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	for name, tc := range accepted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := api.Create(t.Context(), object(t, tc.kind, tc.spec), client.DryRunAll); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is left out is filled in, so that kubectl shows what applies.
func TestDefaults(t *testing.T) {
	t.Parallel()
	const policies = "managementPolicy: Manage, adoptionPolicy: IfIdentical, driftPolicy: Correct, deletionPolicy: Delete, resyncInterval: 10m"
	const records = "records: {window: 1h, interval: 5m, unhealthyThreshold: 1}"
	for name, tc := range map[string]struct{ kind, spec, want string }{
		"of a stream":              {stream, "{}", "{" + policies + "," + records + "}"},
		"of a recording":           {record, "{}", "{" + policies + "," + records + "}"},
		"of a subscription":        {mpu, "{}", "{" + policies + "," + records + "}"},
		"of an account":            {account, "{}", "{region: cn-shanghai, quotaSharePercent: 80}"},
		"beside a window":          {stream, "records: {window: 24h}", "{" + policies + ", records: {window: 24h, interval: 5m, unhealthyThreshold: 1}}"},
		"beside an interval":       {record, "records: {interval: 30s}", "{" + policies + ", records: {window: 1h, interval: 30s, unhealthyThreshold: 1}}"},
		"beside a threshold":       {mpu, "records: {unhealthyThreshold: 5}", "{" + policies + ", records: {window: 1h, interval: 5m, unhealthyThreshold: 5}}"},
		"beside an application":    {stream, "records: {appName: live}", "{" + policies + ", records: {appName: live, window: 1h, interval: 5m, unhealthyThreshold: 1}}"},
		"of empty records":         {stream, "records: {}", "{" + policies + "," + records + "}"},
		"beside other policies":    {stream, "{driftPolicy: Report, resyncInterval: 1h30m}", "{managementPolicy: Manage, adoptionPolicy: IfIdentical, driftPolicy: Report, deletionPolicy: Delete, resyncInterval: 1h30m, " + records + "}"},
		"do not overwrite a false": {record, "{needStatusNotify: false, suspend: false}", "{needStatusNotify: false, suspend: false, " + policies + "," + records + "}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := object(t, tc.kind, tc.spec)
			if err := api.Create(t.Context(), o, client.DryRunAll); err != nil {
				t.Fatal(err)
			}
			want := parse(t, fine[tc.kind])
			maps.Copy(want, parse(t, tc.want))
			if diff := cmp.Diff(want, o.Object["spec"]); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
		})
	}
}

// A change of an object that exists.
func TestUpdate(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		kind, from, to string
		field, say     string // empty if it is accepted
	}{
		"another ingest domain": {
			stream, "{}", "domainName: other.example.com",
			"spec.domainName", "domainName cannot be changed; create another resource for another domain",
		},
		"another streaming domain": {
			record, "{}", "domainName: other.example.com",
			"spec.domainName", "domainName cannot be changed; create another resource for another domain",
		},
		"another application": {
			mpu, "{}", "appID: app-2",
			"spec.appID", "appID cannot be changed; create another resource for another application",
		},
		"the last URL away":             {stream, "{}", "notifyURL: null", "spec", sayNoURL},
		"a second kind of credentials":  {account, "{}", "credentials: {accessKeySecretRef: {name: live}, ecsRAMRole: {roleName: r}}", "spec.credentials", sayOneKind},
		"one URL for another":           {stream, "{}", "{notifyURL: null, exceptionNotifyURL: 'http://a'}", "", ""},
		"another URL":                   {record, "{}", "notifyURL: 'https://other.example.com'", "", ""},
		"authentication on":             {record, "{}", "authentication: {keySecretRef: {name: a, key: b}}", "", ""},
		"authentication off":            {stream, "authentication: {keySecretRef: {name: a, key: b}}", "{}", "", ""},
		"other channels":                {mpu, "channelIDs: [a, b]", "channelIDs: [c]", "", ""},
		"another kind of credentials":   {account, "{}", "credentials: {ecsRAMRole: {roleName: r}}", "", ""},
		"another region":                {account, "{}", "region: cn-beijing", "", ""},
		"the policies":                  {stream, "{}", "{managementPolicy: Observe, deletionPolicy: Retain}", "", ""},
		"another account":               {stream, "accountRef: {name: a}", "accountRef: {name: b}", "", ""},
		"a window out of bounds":        {stream, "records: {window: 2h}", "records: {window: 200h}", "spec.records.window", sayWindow},
		"nothing but back to a default": {stream, "resyncInterval: 1h", "{}", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := object(t, tc.kind, tc.from)
			if err := api.Create(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := api.Delete(context.Background(), o); err != nil {
					t.Error(err)
				}
			})
			o.Object["spec"] = object(t, tc.kind, tc.to).Object["spec"]
			err := api.Update(t.Context(), o.DeepCopy(), client.DryRunAll)
			switch {
			case tc.say == "" && err != nil:
				t.Error(err)
			case tc.say != "" && (!apierrors.IsInvalid(err) || !strings.Contains(err.Error(), tc.field+":") || !strings.Contains(err.Error(), tc.say)):
				t.Errorf("got %v, want it to say %q of %s", err, tc.say, tc.field)
			}
		})
	}
}

// The Go types hold what the API server returns, and write it back unchanged.
func TestTypesAgreeWithSchema(t *testing.T) {
	t.Parallel()
	for kind, into := range map[string]client.Object{
		stream: &v1alpha1.LiveNotifyConfig{}, record: &v1alpha1.LiveRecordNotifyConfig{},
		mpu: &v1alpha1.LiveRtcMPUEventSub{}, account: &v1alpha1.LiveAccount{},
		snapshot: &v1alpha1.LiveSnapshotNotifyConfig{}, detect: &v1alpha1.LiveDetectNotifyConfig{}, audit: &v1alpha1.LiveAudioAuditNotifyConfig{},
		event: &v1alpha1.LiveRtcEventSub{}, message: &v1alpha1.LiveMessageAppCallback{},
	} {
		o := object(t, kind, "{}")
		if err := api.Create(t.Context(), o, client.DryRunAll); err != nil {
			t.Fatal(err)
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, into, true); err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		back, err := runtime.DefaultUnstructuredConverter.ToUnstructured(into)
		if err != nil {
			t.Fatal(err)
		}
		back["metadata"] = map[string]any{"name": o.GetName(), "namespace": "default"}
		if err := api.Create(t.Context(), &unstructured.Unstructured{Object: back}, client.DryRunAll); err != nil {
			t.Errorf("%s, written back: %v", kind, err)
		}
	}
}

// An object that was stored before a rule came can still be changed elsewhere,
// and deleted, as the API server has it since 1.30.
func TestStoredBeforeTheRule(t *testing.T) {
	t.Parallel()
	const group = "stored.example.com"
	crd := readCRD(t, "../../config/crd/bases/live.alibabacloud.com_livenotifyconfigs.yaml")
	crd.Spec.Group, crd.Name = group, crd.Spec.Names.Plural+"."+group
	spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	lax := spec.DeepCopy()
	lax.XValidations = nil
	notify := lax.Properties["notifyURL"]
	notify.XValidations = nil
	lax.Properties["notifyURL"] = notify
	crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"] = *lax
	if _, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}}); err != nil {
		t.Fatal(err)
	}

	o := object(t, stream, "notifyURL: 'https://${HOOK_HOST}/live'")
	o.SetAPIVersion(group + "/v1alpha1")
	o.SetFinalizers([]string{"example.com/held"})
	if err := api.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"] = spec
	if _, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}}); err != nil {
		t.Fatal(err)
	}
	patch := func(text string, options ...client.PatchOption) error {
		return api.Patch(t.Context(), o.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(text)), options...)
	}
	for patch(`{"spec":{"notifyURL":"https://${OTHER}/live"}}`, client.DryRunAll) == nil {
		time.Sleep(10 * time.Millisecond) // until the API server knows the rule; the test's own timeout ends it
	}
	for what, text := range map[string]string{
		"another field": `{"spec":{"suspend":true}}`,
		"a label":       `{"metadata":{"labels":{"a":"b"}}}`,
		"a URL at last": `{"spec":{"exceptionNotifyURL":"https://hooks.example.com/live"}}`,
		"the finalizer": `{"metadata":{"finalizers":["example.com/other"]}}`,
	} {
		if err := patch(text); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	status := []byte(`{"status":{"observedGeneration":1}}`)
	if err := api.Status().Patch(t.Context(), o.DeepCopy(), client.RawPatch(types.MergePatchType, status)); err != nil {
		t.Errorf("the status: %v", err)
	}
	if err := api.Delete(t.Context(), o); err != nil {
		t.Error(err)
	}
	if err := patch(`{"metadata":{"finalizers":null}}`); err != nil {
		t.Errorf("the finalizer of what is being deleted: %v", err)
	}
}
