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
	"github.com/live-notify/live-notify-operator/test/schema"
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
	o, err := schema.Object(kind, changes)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range schema.Refused() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := api.Create(t.Context(), object(t, tc.Kind, tc.Spec), client.DryRunAll)
			if err == nil {
				t.Fatal("was accepted")
			}
			if !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) {
				t.Fatalf("got %v", err)
			}
			for _, want := range []string{tc.Field, tc.Say} {
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
	"records of what looks like a template":   {stream, "records: {appName: '$live', streamName: 'a%20b%2F[1]'}"},
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
	"256 allowed domains":                     {account, "allowedDomains: " + strings.ReplaceAll(channels(256), "channel", "push.example")},
	"all sorts of allowed domains":            {account, "allowedDomains: ['*', a.b, '*.example.com', 'push-*.example.com', 'push*', '*push', '*.*', 'a*b.1*', xn--fiq228c.com, " + label63 + ".com, '" + label63 + "*']"},
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
	for kind, tc := range map[string]struct{ stored, refused, another string }{
		stream: {
			"{notifyURL: 'https://${HOOK_HOST}/live', records: {appName: '{{ .app }}', streamName: '%s'}}",
			`{"notifyURL":"https://${OTHER}/live"}`, `{"exceptionNotifyURL":"https://hooks.example.com/live","suspend":true}`,
		},
		event:   {"{channelID: a, users: ['<user>', b], callbackURL: 'http://0.0.0.0/'}", `{"users":["<other>"]}`, `{"suspend":true,"events":["UserEvent"]}`},
		audit:   {"{callbackURL: 'http://[::]/', callbackTemplate: '{\"a\":{0}}'}", `{"callbackTemplate":"{1}"}`, `{"suspend":true}`},
		message: {"{eventCallbackURL: 'http://localhost/'}", `{"eventCallbackURL":"http://localhost/other"}`, `{"suspend":true}`},
		account: {"{allowedDomains: [a.example.com, 'example.com.'], endpoint: 0.0.0.0}", `{"allowedDomains":["example.com:80"]}`, `{"quotaSharePercent":50}`},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			keepsStored(t, kind, tc.stored, tc.refused, tc.another)
		})
	}
}

// keepsStored stores an object without rules, brings the rules, and sees what can be
// changed of it.
func keepsStored(t *testing.T, kind, stored, refused, another string) {
	t.Helper()
	const group = "stored.example.com"
	crd := readCRD(t, "../../config/crd/bases/live.alibabacloud.com_"+strings.ToLower(kind)+"s.yaml")
	crd.Spec.Group, crd.Name = group, crd.Spec.Names.Plural+"."+group
	today := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	install := func(spec apiextensionsv1.JSONSchemaProps) {
		crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"] = spec
		if _, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}}); err != nil {
			t.Fatal(err)
		}
	}
	install(withoutRules(*today.DeepCopy()))
	o := object(t, kind, stored)
	o.SetAPIVersion(group + "/v1alpha1")
	o.SetFinalizers([]string{"example.com/held"})
	if err := api.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	install(today)
	patch := func(text string, options ...client.PatchOption) error {
		return api.Patch(t.Context(), o.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(text)), options...)
	}
	for patch(`{"spec":`+refused+`}`, client.DryRunAll) == nil {
		time.Sleep(10 * time.Millisecond) // until the API server knows the rule; the test's own timeout ends it
	}
	for what, text := range map[string]string{
		"another field": `{"spec":` + another + `}`,
		"a label":       `{"metadata":{"labels":{"a":"b"}}}`,
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

// withoutRules returns a schema without the rules of its fields.
func withoutRules(s apiextensionsv1.JSONSchemaProps) apiextensionsv1.JSONSchemaProps {
	s.XValidations = nil
	for name, field := range s.Properties {
		s.Properties[name] = withoutRules(field)
	}
	if s.Items != nil {
		s.Items.Schema = new(withoutRules(*s.Items.Schema))
	}
	return s
}
