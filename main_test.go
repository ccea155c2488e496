// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"maps"
	"os"
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

func TestBadFlags(t *testing.T) {
	for arg, want := range map[string]string{
		"--watch-label-selector=a b":      "--watch-label-selector",
		"--max-concurrent-reconciles=0":   "--max-concurrent-reconciles",
		"--max-concurrent-reconciles=-10": "--max-concurrent-reconciles",
		"--quota-share-percent=0":         "--quota-share-percent",
		"--watch-namespaces=Bad_NS":       "--watch-namespaces",
		"--watch-namespaces=a,,b":         "--watch-namespaces",
	} {
		if _, err := parse(t, arg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error that names the flag", arg, err)
		}
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
