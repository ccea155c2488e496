// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/internal/controller"
	"github.com/live-notify/live-notify-operator/test/schema"
)

// parse parses flags as the operator does.
func parse(t *testing.T, args ...string) (options, error) {
	t.Helper()
	before, args0 := flag.CommandLine, os.Args
	t.Cleanup(func() { flag.CommandLine, os.Args = before, args0 })
	flag.CommandLine = flag.NewFlagSet("live-notify-operator", flag.ContinueOnError)
	os.Args = append([]string{"live-notify-operator"}, args...)
	return parseFlags()
}

func TestDefaults(t *testing.T) {
	o, err := parse(t)
	if err != nil {
		t.Fatal(err)
	}
	m := managerOptions(o, true)
	if m.Metrics.BindAddress != ":8443" || !m.Metrics.SecureServing || m.Metrics.FilterProvider == nil || m.HealthProbeBindAddress != ":8081" {
		t.Errorf("got metrics %+v, health %s", m.Metrics, m.HealthProbeBindAddress)
	}
	if m.LeaderElection || !m.LeaderElectionReleaseOnCancel || m.Cache.DefaultNamespaces != nil {
		t.Errorf("got %+v", m)
	}
	if o.region != "cn-shanghai" || o.allowInsecure || o.requireAccountRef || o.workers != 10 || o.quotaShare != 80 {
		t.Errorf("got %+v", o)
	}
}

func TestWatchFlags(t *testing.T) {
	o, err := parse(t, "--watch-namespaces=team-a, team-b", "--watch-label-selector=shard=1", "--metrics-secure=false", "--leader-elect")
	if err != nil {
		t.Fatal(err)
	}
	m := managerOptions(o, true)
	if len(m.Cache.DefaultNamespaces) != 2 {
		t.Errorf("got namespaces %v", m.Cache.DefaultNamespaces)
	}
	if m.Metrics.SecureServing || m.Metrics.FilterProvider != nil || !m.LeaderElection {
		t.Errorf("got %+v", m)
	}
	// Who else has a domain is looked up everywhere, if the operator may; the
	// selector is for what is worked on.
	for _, object := range controller.Objects() {
		if by := byType(m.Cache.ByObject, object); by.Label != nil || !slices.Contains(slices.Collect(maps.Keys(by.Namespaces)), cache.AllNamespaces) {
			t.Errorf("%T: got %+v", object, by)
		}
		if by := byType(managerOptions(o, false).Cache.ByObject, object); by.Namespaces != nil {
			t.Errorf("%T, with rights in the namespaces alone: got %+v", object, by)
		}
	}
	if !o.selector.Matches(labels.Set{"shard": "1"}) || o.selector.Matches(labels.Set{"shard": "2"}) {
		t.Errorf("got selector %s", o.selector)
	}
}

// byType returns what is set for the type of an object.
func byType(of map[client.Object]cache.ByObject, object client.Object) cache.ByObject {
	for o, by := range of {
		if reflect.TypeOf(o) == reflect.TypeOf(object) {
			return by
		}
	}
	return cache.ByObject{}
}

// TestSecretsAreCachedByIdentity: kubectl apply leaves the data of a Secret in an
// annotation.
func TestSecretsAreCachedByIdentity(t *testing.T) {
	o, err := parse(t)
	if err != nil {
		t.Fatal(err)
	}
	strip := byType(managerOptions(o, true).Cache.ByObject, &corev1.Secret{}).Transform
	secret := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Name: "a", Namespace: "b", UID: "c", ResourceVersion: "d", Labels: map[string]string{"l": "l"},
		Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: "data"}, ManagedFields: []metav1.ManagedFieldsEntry{{}},
	}}
	got, err := strip(secret)
	if err != nil {
		t.Fatal(err)
	}
	want := metav1.ObjectMeta{Name: "a", Namespace: "b", UID: "c", ResourceVersion: "d"}
	if !reflect.DeepEqual(got.(*metav1.PartialObjectMetadata).ObjectMeta, want) {
		t.Errorf("got %+v", got)
	}
}

// TestBadFlags: each flag refuses what it cannot be, and says what to write.
func TestBadFlags(t *testing.T) {
	const listen = "must be an address to listen on, as [host]:port"
	for flag, bad := range map[string]map[string]string{
		"max-concurrent-reconciles": {
			"0": "a number from 1 to 1000", "-10": "a number from 1 to 1000", "1001": "from 1 to 1000", "99999999999999999999": "a whole number", "1.5": "a whole number", "10m": "a whole number",
		},
		"quota-share-percent":    {"0": "a number from 1 to 1000000", "-1": "a number from 1", "1000001": "to 1000000", "80%": "a whole number"},
		"max-deletions-per-hour": {"-1": "a number from 0 to 100000", "100001": "from 0 to 100000", "ten": "a whole number"},
		"watch-namespaces":       {"Bad_NS": "is no name of a namespace", "a,,b": "is no name", "a.b": "is no name", "{{ns}}": "is no name", strings.Repeat("a", 64): "is no name"},
		"watch-label-selector": {
			"a b": "must be a selector of labels, such as shard=a", "a in (": "such as shard=a", "a=" + strings.Repeat("b", 64): "values of up to 63 characters",
			"${SHARD}": "such as shard=a", "-a=b": "such as shard=a",
		},
		"leader-elect-namespace": {"Bad_NS": "the name of one namespace", "a,b": "the name of one namespace", "a.b": "the name of one"},
		"region":                 {"CN-Shanghai": "must be a region ID, such as cn-shanghai", "cn_shanghai": "such as cn-shanghai", "China (Shanghai)": "such as cn-shanghai", "shanghai": "a region ID", "${REGION}": "a region ID", strings.Repeat("a-", 40) + "a": "a region ID"},
		"endpoint":               {"http://live.example.com": "use https://", "https://live.aliyuncs.com/": "must be host or host:port"},
		"sts-endpoint":           {"http://sts.example.com": "use https://", "sts.aliyuncs.com:0": "a port from 1 to 65535"},
		"metrics-bind-address":   {"8443": listen, "foo": listen, ":99999": listen, ":-1": listen, "-1": listen, ":": listen, "1.2.3:80": listen, "::1:8443": listen, "http://:8443": listen, ":8081": "is the address of --metrics-bind-address, too"},
		"health-probe-bind-address": {
			"8081": listen, ":http": listen, "a b:80": listen, "[::g]:80": listen, ":08081": listen,
			":8443": "is the address of --metrics-bind-address, too",
		},
		"pprof-bind-address":   {"6060": listen, "localhost": listen, ":8081": "is the address of --health-probe-bind-address, too"},
		"metrics-secure":       {"maybe": "must be true or false"},
		"leader-elect":         {"2": "must be true or false"},
		"zap-log-level":        {"loud": "Can be one of 'debug', 'info'", "-3": "Can be one of 'debug'"},
		"zap-encoder":          {"text": "one of 'json' or 'console'"},
		"zap-stacktrace-level": {"x": "one of 'info', 'error', 'panic'"},
		"zap-time-encoding":    {"unix": "one of 'epoch', 'millis'"},
	} {
		for value, want := range bad {
			_, err := parse(t, "--"+flag+"="+value)
			if err == nil || !strings.Contains(err.Error(), "--"+flag+": ") && !strings.Contains(err.Error(), "is the address of") || !strings.Contains(err.Error(), want) {
				t.Errorf("--%s=%s: got %v, want %q", flag, value, err, want)
			}
		}
	}
	if _, err := parse(t, "--metrics-secure=false", "--metrics-cert-dir=/certificates"); err == nil || !strings.Contains(err.Error(), "--metrics-cert-dir: has no effect") {
		t.Errorf("got %v", err)
	}
}

// TestEndpointFlags: the flags take what spec.endpoint of a LiveAccount takes.
func TestEndpointFlags(t *testing.T) {
	for _, flag := range []string{"endpoint", "sts-endpoint"} {
		for value := range schema.BadEndpoints {
			if value == "" {
				continue // the default
			}
			if _, err := parse(t, "--"+flag+"="+value); err == nil || !strings.Contains(err.Error(), "--"+flag) {
				t.Errorf("--%s=%s: got %v", flag, value, err)
			}
		}
		for _, value := range schema.GoodEndpoints {
			if _, err := parse(t, "--"+flag+"="+value); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestGoodFlags: the ends of what the flags take.
func TestGoodFlags(t *testing.T) {
	for _, line := range []string{
		"--max-concurrent-reconciles=1000 --quota-share-percent=1000000 --max-deletions-per-hour=100000",
		"--max-concurrent-reconciles=1 --quota-share-percent=1 --max-deletions-per-hour=0",
		"--metrics-bind-address=0 --health-probe-bind-address=0 --pprof-bind-address=0",
		"--metrics-bind-address=127.0.0.1:0 --health-probe-bind-address=127.0.0.1:0 --pprof-bind-address=[::1]:6060",
		"--metrics-bind-address=0.0.0.0:8443 --health-probe-bind-address=[::]:8081 --pprof-bind-address=localhost:65535",
		"--region=cn-north-2-gov-1 --leader-elect-namespace=live-notify-system",
		"--endpoint=http://live.example.com --sts-endpoint=http://live-emulator.ns.svc:8090 --allow-insecure-endpoints",
	} {
		if _, err := parse(t, strings.Fields(line)...); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// TestNoCertificate: a directory without a certificate is told with its flag.
func TestNoCertificate(t *testing.T) {
	o := options{metricsAddress: ":8443", metricsCertDir: t.TempDir()}
	for _, name := range []string{"tls.crt", "tls.key"} {
		if err := checkCertificate(o); err == nil || !strings.Contains(err.Error(), "--metrics-cert-dir: there is no file "+name) {
			t.Errorf("got %v", err)
		}
		if err := os.WriteFile(filepath.Join(o.metricsCertDir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := checkCertificate(o); err != nil {
		t.Error(err)
	}
}

// What is written with a blank in place of = must not change what the flags
// behind it do.
func TestMisplacedArguments(t *testing.T) {
	for line, want := range map[string]string{
		"--leader-elect=false --metrics-secure false --watch-namespaces media --require-account-ref": "write --metrics-secure=false",
		"--leader-elect true":                      "write --leader-elect=true",
		"--require-account-ref false":              "write --require-account-ref=false",
		"--zap-devel true":                         "write --zap-devel=true",
		"--watch-namespaces team-a, team-b":        `unexpected argument "team-b"`,
		"manager --leader-elect":                   `unexpected argument "manager"`,
		"--endpoint --metrics-bind-address :8443":  "--endpoint needs a value",
		"--watch-namespaces --require-account-ref": "--watch-namespaces needs a value",
		"--region= --leader-elect":                 "--region needs a value",
		"--metrics-bind-address= --leader-elect":   "--metrics-bind-address needs a value",
		"--health-probe-bind-address=":             "--health-probe-bind-address needs a value",
		"--max-concurrent-reconciles= --version":   "--max-concurrent-reconciles needs a value",
	} {
		if _, err := parse(t, strings.Fields(line)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", line, err, want)
		}
	}
	// These have a meaning when they are empty, which is their default.
	if _, err := parse(t, "--watch-namespaces=", "--watch-label-selector=", "--endpoint=", "--leader-elect-namespace", ""); err != nil {
		t.Error(err)
	}
}

func TestVersionFlag(t *testing.T) {
	for arg, want := range map[string]bool{"--version": true, "--leader-elect": false} {
		if o, err := parse(t, arg); err != nil || o.printVersion != want {
			t.Errorf("%s: got %v, %v, want %v", arg, o.printVersion, err, want)
		}
	}
}
