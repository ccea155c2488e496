// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/test/system"
)

const (
	// The demo does not wait as long as the samples have it: these are the least
	// that the API allows.
	demoResyncInterval  = "1m"
	demoRecordsInterval = "30s"

	trafficInterval = time.Second
)

// samples are the objects of config/samples.
type samples []*unstructured.Unstructured

// readSamples reads what "kubectl apply -k" would apply.
func readSamples(dir string) (all samples) {
	found := system.Must(krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir))
	for _, resource := range found.Resources() {
		obj := &unstructured.Unstructured{}
		system.Check(obj.UnmarshalJSON(system.Must(resource.MarshalJSON())))
		all = append(all, obj)
	}
	return all
}

// text returns a text in an object; none if there is none.
func text(obj *unstructured.Unstructured, path ...string) string {
	text, _, _ := unstructured.NestedString(obj.Object, path...)
	return text
}

// first returns the first sample of a kind, an empty object if there is none.
func (s samples) first(kind string) *unstructured.Unstructured {
	if i := slices.IndexFunc(s, func(obj *unstructured.Unstructured) bool { return obj.GetKind() == kind }); i >= 0 {
		return s[i]
	}
	return &unstructured.Unstructured{Object: map[string]any{}}
}

// accessKeys are those in the Secrets.
func (s samples) accessKeys() (keys []emulator.AccessKey) {
	for _, obj := range s {
		if id := text(obj, "stringData", "accessKeyID"); id != "" {
			keys = append(keys, emulator.AccessKey{ID: id, Secret: text(obj, "stringData", "accessKeySecret")})
		}
	}
	return keys
}

// target is what callbacks are sent about.
type target struct {
	kind *system.Kind
	key  string // what the cloud knows it by
}

// targets are the objects of callback kinds.
func (s samples) targets() (all []target) {
	for _, obj := range s {
		if k := system.KindOf(obj.GetKind()); k != nil {
			all = append(all, target{k, text(obj, "spec", "domainName") + text(obj, "spec", "appID")})
		}
	}
	return all
}

// exist makes known to the cloud what the samples need.
func (s samples) exist(cloud *emulator.Server) {
	for _, to := range s.targets() {
		to.kind.Add(cloud, "", to.key)
	}
	for _, domain := range cloud.Domains(emulator.IngestDomain) {
		_ = cloud.MapDomain(domain, cloud.Domains(emulator.StreamingDomain)[0]) // both exist
	}
}

// send makes things happen in the cloud, for which it sends callbacks to whatever
// URLs are configured at that time. The cloud may refuse, because someone who plays
// with the demo removed a domain: the rest goes on.
func send(ctx context.Context, cloud *emulator.Server, all []target) {
	say("sending traffic through the cloud: a stream starts or stops, and a recording is reported, every %s", trafficInterval)
	for n := 0; ctx.Err() == nil; n++ {
		for _, to := range all {
			to.kind.Send(cloud, to.key, n)
		}
		system.Pause(ctx, trafficInterval)
	}
}

// adapt changes a sample so that it works here: callbacks go to the receiver,
// accounts are in the emulated cloud, and nothing has to be waited for long.
func adapt(obj *unstructured.Unstructured, receiver, emulatorURL string) {
	spec, found, err := unstructured.NestedMap(obj.Object, "spec")
	system.Check(err)
	if !found {
		return
	}
	for name, value := range spec {
		// The schema takes no eventCallbackURL on this machine.
		if text, ok := value.(string); ok && strings.HasSuffix(name, "URL") && name != "eventCallbackURL" {
			u := system.Must(url.Parse(text))
			u.Scheme, u.Host = "http", receiver // this machine has no TLS
			spec[name] = u.String()
		}
	}
	if obj.GetKind() == "LiveAccount" {
		spec["endpoint"] = emulatorURL
	}
	if k := system.KindOf(obj.GetKind()); k != nil {
		spec["resyncInterval"] = demoResyncInterval
		if k.Records != "" {
			system.Check(unstructured.SetNestedField(spec, demoRecordsInterval, "records", "interval"))
		}
	}
	system.Check(unstructured.SetNestedMap(obj.Object, spec, "spec"))
}

// apply applies the samples, adapted, as a user would.
func (s samples) apply(ctx context.Context, world *system.System, receiver string) {
	var manifest bytes.Buffer
	for _, sample := range s {
		obj := sample.DeepCopy()
		adapt(obj, receiver, world.URL)
		fmt.Fprintf(&manifest, "---\n%s", system.Must(yaml.Marshal(obj.Object)))
	}
	system.Check(os.WriteFile(appliedFile, manifest.Bytes(), 0o644))
	say("applying %s as %s, with changes: URLs lead to the receiver, the cloud is read back each %s and failures are counted each %s",
		samplesDir, appliedFile, demoResyncInterval, demoRecordsInterval)
	cmd := kubectl(ctx, world, "apply", "-f", appliedFile)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	system.Check(cmd.Run())
}
