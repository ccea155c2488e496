// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
)

// The demo does not wait as long as the samples have it: these are the least
// that the API allows.
const (
	demoResyncInterval  = "1m"
	demoRecordsInterval = "30s"
)

// samples are the objects of config/samples.
type samples []*unstructured.Unstructured

// readSamples reads the files that the kustomization in a directory lists, so
// that the demo applies what "kubectl apply -k" would.
func readSamples(dir string) (samples, error) {
	text, err := os.ReadFile(filepath.Join(dir, "kustomization.yaml"))
	if err != nil {
		return nil, err
	}
	var kustomization struct{ Resources []string }
	if err := yaml.Unmarshal(text, &kustomization); err != nil {
		return nil, fmt.Errorf("%s/kustomization.yaml: %w", dir, err)
	}
	var all samples
	for _, name := range kustomization.Resources {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		objects, err := parseSamples(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, objects...)
	}
	return all, nil
}

func parseSamples(text []byte) (samples, error) {
	var all samples
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var obj unstructured.Unstructured
		err := decoder.Decode(&obj.Object)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if len(obj.Object) > 0 {
			all = append(all, &obj)
		}
	}
}

// ours are the samples of our kinds.
func (s samples) ours() samples {
	var ours samples
	for _, obj := range s {
		if obj.GroupVersionKind().Group == v1alpha1.GroupVersion.Group {
			ours = append(ours, obj)
		}
	}
	return ours
}

// first returns the first sample of a kind, an empty object if there is none.
func (s samples) first(kind string) *unstructured.Unstructured {
	for _, obj := range s {
		if obj.GetKind() == kind {
			return obj
		}
	}
	return &unstructured.Unstructured{}
}

// adapt changes a sample so that it works here: callbacks go to the receiver,
// accounts are in the emulated cloud, and nothing has to be waited for long.
func adapt(obj *unstructured.Unstructured, receiver, emulatorURL string) error {
	spec, found, err := unstructured.NestedMap(obj.Object, "spec")
	if err != nil || !found {
		return err
	}
	sends := false
	for name, value := range spec {
		if text, ok := value.(string); ok && strings.HasSuffix(name, "URL") {
			sends = true
			if name == "eventCallbackURL" { // of which the schema takes none on this machine
				continue
			}
			if spec[name], err = redirect(text, receiver); err != nil {
				return err
			}
		}
	}
	if obj.GetKind() == "LiveAccount" {
		spec["endpoint"] = emulatorURL
	}
	if sends {
		spec["resyncInterval"] = demoResyncInterval
	}
	if sends && isCounted(obj.GetKind()) {
		if err := unstructured.SetNestedField(spec, demoRecordsInterval, "records", "interval"); err != nil {
			return err
		}
	}
	return unstructured.SetNestedMap(obj.Object, spec, "spec")
}

// isCounted tells whether the cloud has callback records of a kind.
func isCounted(name string) bool {
	return slices.ContainsFunc(kind.All, func(k *kind.Kind) bool { return k.Name == name && k.Records != nil })
}

// redirect replaces the host of a URL by one on this machine, which has no TLS.
func redirect(text, host string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", err
	}
	u.Scheme, u.Host = "http", host
	return u.String(), nil
}

// applySamples applies the samples, adapted, as a user would.
func applySamples(ctx context.Context, c *cluster, s samples, receiver, emulatorURL string) error {
	var manifest bytes.Buffer
	encoder := serializer.NewSerializerWithOptions(serializer.DefaultMetaFactory, nil, nil, serializer.SerializerOptions{Yaml: true})
	for _, sample := range s {
		obj := sample.DeepCopy()
		if err := adapt(obj, receiver, emulatorURL); err != nil {
			return fmt.Errorf("%s %s: %w", obj.GetKind(), obj.GetName(), err)
		}
		manifest.WriteString("---\n")
		if err := encoder.Encode(obj, &manifest); err != nil {
			return err
		}
	}
	if err := os.WriteFile(appliedFile, manifest.Bytes(), 0o644); err != nil {
		return err
	}
	say("applying %s as %s, with changes: URLs lead to the receiver, the cloud is read back each %s and failures are counted each %s",
		samplesDir, appliedFile, demoResyncInterval, demoRecordsInterval)
	output, err := c.apply(ctx, appliedFile)
	fmt.Print(output)
	return err
}

// apply runs kubectl apply. A new API server needs a moment to make the default
// namespace.
func (c *cluster) apply(ctx context.Context, file string) (output string, err error) {
	for deadline := time.Now().Add(startTimeout); ; {
		cmd := exec.CommandContext(ctx, c.kubectl, "apply", "--cache-dir", kubectlCache, "-f", file)
		cmd.Env = append(environment(), "KUBECONFIG="+kubeconfig)
		text, err := cmd.CombinedOutput()
		switch {
		case err == nil:
			return string(text), nil
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		case time.Now().After(deadline) || !bytes.Contains(text, []byte(`namespaces "default" not found`)):
			return string(text), fmt.Errorf("kubectl apply -f %s: %w", file, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
