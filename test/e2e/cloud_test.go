// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// cloud is an emulator in the cluster. Its admin API is reached through the API
// server, so that the tests need no way of their own into the cluster.
type cloud struct {
	world
	namespace string
}

// endpoint returns the address in the cluster.
func (c cloud) endpoint() string { return "http://live-emulator." + c.namespace + ".svc:8090" }

// call makes a request to the admin API that must succeed.
func (c cloud) call(method, path string, body any) []byte {
	c.Helper()
	reply, err := c.try(method, path, body)
	if err != nil {
		c.Fatalf("%s %s: %v: %s", method, path, err, reply)
	}
	return reply
}

func (c cloud) try(method, path string, body any) ([]byte, error) {
	c.Helper()
	r := direct.CoreV1().RESTClient().Verb(method).Namespace(c.namespace).Resource("services").
		Name("http:live-emulator:8090").SubResource("proxy").Suffix("_emulator/" + path)
	if body != nil {
		text, err := json.Marshal(body)
		c.must(err)
		r = r.Body(text).SetHeader("Content-Type", "application/json")
	}
	return r.DoRaw(c.Context())
}

// domain makes an ingest domain known.
func (c cloud) domain(name string) {
	c.Helper()
	c.call(http.MethodPost, "domains", map[string]string{"name": name, "kind": "ingest"})
}

// streamURL returns which URL the cloud has for the streams of a domain; "" for
// none.
func (c cloud) streamURL(domain string) string {
	c.Helper()
	reply, err := c.try(http.MethodGet, "configs/stream/"+domain, nil)
	if apierrors.IsNotFound(err) {
		return ""
	}
	c.must(err)
	var config emulator.StreamConfig
	c.must(json.Unmarshal(reply, &config))
	return config.NotifyURL
}

// calls returns those after the first n, and how many there were in all.
func (c cloud) calls(n int) ([]emulator.Call, int) {
	c.Helper()
	var log struct {
		Total int             `json:"total"`
		Calls []emulator.Call `json:"calls"`
	}
	c.must(json.Unmarshal(c.call(http.MethodGet, "calls", nil), &log))
	return log.Calls[len(log.Calls)-(log.Total-n):], log.Total
}

// count returns how many calls there were.
func (c cloud) count() int {
	c.Helper()
	_, total := c.calls(0)
	return total
}

// unwritten fails the test if something was written after the first n calls.
func (c cloud) unwritten(n int) {
	c.Helper()
	calls, _ := c.calls(n)
	for _, call := range calls {
		if !strings.HasPrefix(call.Action, "Describe") {
			c.Errorf("%s of %s, want no write", call.Action, call.Key)
		}
	}
}

// startCloud starts an emulator that is no part of a release. It has the limits of
// the cloud a hundred times, so that they are not what is measured.
func (w world) startCloud(namespace string) cloud {
	w.Helper()
	text, err := os.ReadFile(root + "/config/trial/emulator.yaml")
	w.must(err)
	manifest := string(text)
	for from, to := range map[string]string{
		"namespace: " + system:     "namespace: " + namespace,
		"image: live-emulator:dev": "image: " + emulated,
		"- --traffic=10s":          "- --qps-scale=100",
	} {
		if !strings.Contains(manifest, from) {
			w.Fatalf("config/trial/emulator.yaml has no %q", from)
		}
		manifest = strings.ReplaceAll(manifest, from, to)
	}
	w.do(manifest, kubectl, "apply", "--server-side", "-f", "-")
	w.rolledOut(namespace)
	return cloud{w, namespace}
}

// streamDomains is n of them.
func streamDomains(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("push-%d.example.com", i))
	}
	return all
}

// writes counts successful writes of stream callbacks by what was written.
func writes(calls []emulator.Call) map[written]int {
	n := map[written]int{}
	for _, call := range calls {
		if call.Action == "SetLiveStreamsNotifyUrlConfig" && call.Code == "" {
			n[written{call.Key, call.Params["NotifyUrl"]}]++
		}
	}
	return n
}

type written struct{ domain, url string }

// sum adds up a count.
func sum(n map[written]int) int {
	total := 0
	for v := range maps.Values(n) {
		total += v
	}
	return total
}
