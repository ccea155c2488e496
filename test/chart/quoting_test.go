// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// word stands in values for one that YAML takes for something else than a text, where
// nobody quotes it. words are such: all can be names in Kubernetes.
const word = "zzz"

var words = []string{"y", "n", "on", "off", "123", "1e3", "0x10", "true", "null", "2026-11-28"}

// everyValue are values of the operator's chart that set all texts which go into
// objects, in as many installations as it takes, since some exclude each other.
var everyValue = map[string]string{
	"no value": `{}`,
	"manifests": `{
		"global": {"imageRegistry": "zzz", "imagePullSecrets": ["zzz"]}, "imagePullSecrets": [{"name": "zzz-more"}],
		"image": {"repository": "zzz", "tag": "zzz"},
		"commonLabels": {"zzz": "zzz"}, "podLabels": {"zzz-pod": "zzz"}, "podAnnotations": {"zzz": "zzz"}, "deploymentAnnotations": {"zzz": "zzz"},
		"extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "zzz", "labels": {"release": "{{ .Release.Name }}"}}, "data": {"zzz": "zzz"}}],
		"watchNamespaces": ["zzz"], "oidc": {"enabled": true, "namespaces": ["zzz"]}, "watchLabelSelector": "zzz",
		"region": "cn-zzz", "endpoint": "zzz.example.com", "stsEndpoint": "zzz.example.com", "credentials": {"existingSecret": "zzz"},
		"serviceAccount": {"name": "zzz", "annotations": {"zzz": "zzz"}},
		"affinity": {"nodeAffinity": {"zzz": "zzz"}}, "nodeSelector": {"zzz": "zzz"}, "priorityClassName": "zzz",
		"tolerations": [{"key": "zzz", "operator": "Equal", "value": "zzz", "effect": "NoSchedule"}],
		"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zzz", "whenUnsatisfiable": "DoNotSchedule"}],
		"extraArgs": ["--flag=zzz"], "extraEnv": [{"name": "zzz", "value": "zzz"}],
		"extraVolumes": [{"name": "zzz", "configMap": {"name": "zzz"}}], "extraVolumeMounts": [{"name": "zzz", "mountPath": "zzz"}],
		"networkPolicy": {"enabled": true, "metricsFrom": [{"podSelector": {"matchLabels": {"zzz": "zzz"}}}]},
		"metrics": {"certificate": {"existingSecret": "zzz"}, "readerRole": {"subjects": [{"kind": "ServiceAccount", "name": "zzz", "namespace": "zzz"}]}},
		"serviceMonitor": {"enabled": true, "labels": {"zzz-monitor": "zzz"}, "relabelings": [{"sourceLabels": ["zzz"], "replacement": "zzz"}]},
		"prometheusRule": {"enabled": true, "labels": {"zzz-rule": "zzz"}},
		"grafanaDashboard": {"enabled": true, "labels": {"grafana_dashboard": "zzz"}, "annotations": {"zzz": "zzz"}}
	}`,
	"bare names": `{
		"fullnameOverride": "zzz", "nameOverride": "zzz", "serviceMonitor": {"enabled": true}, "prometheusRule": {"enabled": true},
		"metrics": {"certificate": {"certManager": {"enabled": true, "issuerRef": {"kind": "zzz", "name": "zzz", "group": "zzz"}}}},
		"emulator": {"enabled": true, "image": {"repository": "zzz", "tag": "zzz"}, "args": ["--flag=zzz"]}, "networkPolicy": {"enabled": true}
	}`,
	"the release's name": `{
		"nameOverride": "zzz", "metrics": {"certificate": {"certManager": {"enabled": true}}}, "serviceMonitor": {"enabled": true}, "podDisruptionBudget": {"maxUnavailable": "50%"},
		"rrsa": {"enabled": true, "roleARN": "acs:ram::1:role/zzz", "oidcProviderARN": "acs:ram::1:oidc-provider/zzz"}
	}`,
}

const callbackTexts = `{
	"commonLabels": {"zzz": "zzz"}, "commonAnnotations": {"zzz": "zzz"}, "defaults": {"accountRef": {"name": "zzz"}},
	"livenotifyconfigs": [
		{"name": "zzz", "labels": {"zzz-own": "zzz"}, "annotations": {"zzz-own": "zzz"}, "domainName": "push.example.com", "notifyURL": "https://hooks.example.com/zzz",
			"authentication": {"keySecretRef": {"name": "zzz", "key": "zzz"}}},
		{"domainName": "zzz.example.com", "notifyURL": "https://hooks.example.com/zzz"}
	],
	"livertcmpueventsubs": [{"name": "zzz", "appID": "zzz", "channelIDs": ["zzz"], "callbackURL": "https://hooks.example.com/"}]
}`

// rendered renders a chart as a release and in a namespace of that name, with what
// word stands for, and returns all objects as JSON.
func rendered(t *testing.T, chart, values, name string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(values, word, name)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := helm(t, "template", name, chart, "-n", name, "-f", file)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var all strings.Builder
	docs := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(out)), 4096)
	for {
		var o map[string]any
		if err := docs.Decode(&o); errors.Is(err, io.EOF) {
			return all.String()
		} else if err != nil {
			t.Fatal(err)
		}
		if o == nil {
			continue
		}
		text, err := json.MarshalIndent(o, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		all.Write(append(text, '\n'))
	}
}

// sorted has the keys of each object in order, whatever they are.
func sorted(t *testing.T, objects string) string {
	t.Helper()
	var all strings.Builder
	for docs := json.NewDecoder(strings.NewReader(objects)); docs.More(); {
		var o any
		if err := docs.Decode(&o); err != nil {
			t.Fatal(err)
		}
		text, err := json.MarshalIndent(o, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		all.Write(append(text, '\n'))
	}
	return all.String()
}

// TestTextsStayTexts: a name or a value that YAML would take for a truth, a number,
// nothing or a date is a text in every object, as any other is.
func TestTextsStayTexts(t *testing.T) {
	check := func(t *testing.T, chart, values string) {
		t.Parallel()
		want := rendered(t, chart, values, word)
		for _, name := range words {
			// Objects have a letter in front.
			got := strings.ReplaceAll(rendered(t, chart, values, name), "lno-"+name, name)
			if diff := cmp.Diff(sorted(t, strings.ReplaceAll(want, word, name)), sorted(t, got)); diff != "" {
				t.Errorf("%q is not what another word (-) is:\n%s", name, diff)
			}
		}
	}
	for name, values := range everyValue {
		t.Run(name, func(t *testing.T) { check(t, dir, values) })
	}
	t.Run("callbacks", func(t *testing.T) { check(t, callbacks, callbackTexts) })
}

// TestNumbersStayNumbers: in a file of values every number is a float, of which Go
// writes a large one as 1e+06.
func TestNumbersStayNumbers(t *testing.T) {
	t.Parallel()
	values := `{"maxConcurrentReconciles": 1000, "quotaSharePercent": 1000000, "maxDeletionsPerHour": 100000, "logging": {"level": 5},
		"replicas": 6000000, "terminationGracePeriodSeconds": 7000000, "podDisruptionBudget": {"minAvailable": 8000000}}`
	got := rendered(t, dir, values, "numbers")
	for _, want := range []string{
		`"--max-concurrent-reconciles=1000"`, `"--quota-share-percent=1000000"`, `"--max-deletions-per-hour=100000"`, `"--zap-log-level=5"`,
		`"replicas": 6000000`, `"terminationGracePeriodSeconds": 7000000`, `"minAvailable": 8000000`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s", want)
		}
	}
}
