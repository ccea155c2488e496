// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

const objects = 100

// TestOperate installs the operator beside a cloud that outlives it, and then
// does to it what happens in a year: it is ended, killed, upgraded, rolled back,
// removed and installed again, while objects are edited. Nothing is lost, and
// nothing written twice.
func TestOperate(t *testing.T) {
	w := newWorld(t)
	w.namespace(system)
	w.namespace("media")
	c := w.startCloud(marker)
	w.credentials(system)
	w.chart("install", system, c.values(image), "--wait")
	f := newFleet(c, "media", objects)

	w.sub("edits", func(w world) {
		f.world = w
		r := f.during(func() { time.Sleep(3 * time.Second) })
		w.Log(r)
		if r.writes != r.edits {
			w.Errorf("%d writes of %d edits that nothing disturbed", r.writes, r.edits)
		}
	})

	w.sub("the leader is told to end", func(w world) {
		f.world = w
		for range 3 {
			var took time.Duration
			r := f.during(func() {
				old := w.leader(system)
				name, _, _ := strings.Cut(old, "_") // a pod is its host's name
				start := time.Now()
				w.must(api.Delete(w.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: name}}))
				took = w.succeeded(system, old, start)
			})
			w.Logf("another led after %s; %s", took.Round(time.Millisecond), r)
			if took >= lease {
				w.Errorf("the hand-over took %s: the leader did not give back its lease, which lasts %s", took, lease)
			}
			w.rolledOut(system)
		}
	})

	w.sub("the leader is killed", func(w world) {
		f.world = w
		old := w.leader(system)
		var pid int
		for _, pod := range w.pods(system, release) {
			if strings.HasPrefix(old, pod.Name+"_") {
				pid, _ = w.process(pod, program)
			}
		}
		if pid == 0 {
			w.Skip("the process of the leader is not on this machine")
		}
		var took time.Duration
		r := f.during(func() {
			start := time.Now()
			w.must(syscall.Kill(pid, syscall.SIGKILL))
			took = w.succeeded(system, old, start)
		})
		w.Logf("another led after %s; %s", took.Round(time.Millisecond), r)
		w.rolledOut(system)
	})

	// There is no release yet to upgrade from: the versions differ in their image.
	w.sub("upgrade", func(w world) {
		f.world = w
		next := c.values(nextImage)
		next["podAnnotations"] = values{"example.com/rolled": "yes"} // also if the image is the same
		f.readBack()
		from := c.count()
		w.chart("upgrade", system, next, "--wait")
		w.runs(nextImage)
		w.must(f.edit(w.Context())) // what leads now has looked at all that it finds
		f.settled()
		calls, _ := c.calls(from)
		if n := sum(writes(calls)); n != 1 {
			w.Errorf("the upgrade and one edit made %d writes to the cloud, want that of the edit", n)
		}
	})

	w.sub("roll back", func(w world) {
		f.world = w
		r := f.during(func() { w.do("", helm, "rollback", release, "--namespace", system, "--wait") })
		w.Log(r)
		w.runs(image)
	})

	w.sub("uninstall", func(w world) {
		f.world = w
		f.readBack()
		from := c.count()
		w.do("", helm, "uninstall", release, "--namespace", system, "--wait")
		if pods := w.pods(system, release); len(pods) > 0 {
			w.Errorf("%d pods still run", len(pods))
		}
		installed, err := filepath.Glob("../../config/crd/bases/*.yaml")
		if err != nil || len(installed) == 0 {
			w.Fatalf("%d CRDs are known (%v)", len(installed), err)
		}
		if crds, err := ourCRDs(); err != nil || len(crds) != len(installed) {
			w.Errorf("%d CRDs are left, want %d (%v)", len(crds), len(installed), err)
		}
		for i, domain := range f.domains {
			o := notify("media", fmt.Sprint("o-", i), "", "")
			w.get(o)
			if !ready(o) || len(o.Finalizers) != 1 || o.DeletionTimestamp != nil {
				w.Errorf("%s is left ready: %t, with finalizers %v, to be deleted at %v", o.Name, ready(o), o.Finalizers, o.DeletionTimestamp)
			}
			if have := c.streamURL(domain); have != f.last[domain] {
				w.Errorf("the cloud has %s for %s, want %s", have, domain, f.last[domain])
			}
		}
		c.unwritten(from)
	})

	w.sub("install again", func(w world) {
		f.world = w
		from := c.count()
		o := notify("media", "o-0", "", "")
		w.get(o)
		before := o.ResourceVersion
		w.chart("install", system, c.values(image), "--wait")
		w.eventually("somebody leads", func() bool { return w.leader(system) != "" })
		// What is new is taken up; by then all else has been looked at.
		c.domain("new.example.com")
		fresh := notify("media", "new", "new.example.com", "http://hooks.example.com/new")
		w.must(api.Create(w.Context(), fresh))
		w.becomesReady(fresh)
		calls, _ := c.calls(from)
		if n := writes(calls); len(n) != 1 || n[written{"new.example.com", "http://hooks.example.com/new"}] != 1 {
			w.Errorf("written: %v, want the new object once", n)
		}
		if w.get(o); o.ResourceVersion != before {
			w.Errorf("a steady object was written to the API server")
		}
		w.delete(fresh)
		w.must(f.edit(w.Context()))
		f.settled()
	})

	w.sub("delete", func(w world) {
		for i, domain := range f.domains {
			w.delete(notify("media", fmt.Sprint("o-", i), "", ""))
			c := cloud{w, marker}
			if have := c.streamURL(domain); have != "" {
				w.Errorf("the cloud still has %s for %s", have, domain)
			}
		}
	})
}

// lease is how long that of a leader lasts which does not give it back: the default
// of controller-runtime.
const lease = 15 * time.Second

// program is the operator's.
const program = "live-notify-operator"

// sub runs a part of a test, without which the rest makes no sense.
func (w world) sub(name string, do func(w world)) {
	w.Helper()
	if !w.Run(name, func(t *testing.T) { do(world{t}) }) {
		w.FailNow()
	}
}

// credentials creates the Secret with the operator's own.
func (w world) credentials(namespace string) {
	w.Helper()
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "live-notify-credentials"}}
	s.StringData = map[string]string{"accessKeyID": "emulator", "accessKeySecret": "emulator"}
	w.must(api.Create(w.Context(), s))
}

// values are the chart's for this cloud.
func (c cloud) values(image string) values {
	return values{
		"image": imageValues(image), "endpoint": c.endpoint(), "allowInsecureEndpoints": true,
		"credentials": values{"existingSecret": "live-notify-credentials"},
		// The emulator has a hundred times the limits.
		"extraArgs": []string{"--quota-share-percent=5000"},
	}
}

// runs fails the test unless all pods of the operator run an image.
func (w world) runs(image string) {
	w.Helper()
	pods := w.pods(system, release)
	for _, p := range pods {
		if have := p.Spec.Containers[0].Image; have != image {
			w.Errorf("pod %s runs %s, want %s", p.Name, have, image)
		}
	}
	if len(pods) != 2 {
		w.Errorf("%d pods run, want 2", len(pods))
	}
}

// TestNamespaces installs the operator for some namespaces: it needs no role for
// the others, and leaves what is in them alone.
func TestNamespaces(t *testing.T) {
	w := newWorld(t)
	w.namespace(system)
	for _, name := range []string{"team-a", "team-b", "outside"} {
		w.namespace(name)
	}
	c := w.startCloud(marker)
	w.credentials(system)
	v := c.values(image)
	v["watchNamespaces"] = []string{"team-a", "team-b"}
	w.chart("install", system, v, "--wait")
	from := c.count()
	all := map[string]*v1alpha1.LiveNotifyConfig{}
	for _, name := range []string{"outside", "team-a", "team-b"} {
		c.domain(name + ".example.com")
		all[name] = notify(name, "stream", name+".example.com", "http://hooks.example.com/"+name)
		w.must(api.Create(w.Context(), all[name]))
	}
	w.becomesReady(all["team-a"], all["team-b"])
	w.delete(all["team-a"])

	w.get(all["outside"])
	if o := all["outside"]; len(o.Finalizers) > 0 || len(o.Status.Conditions) > 0 {
		w.Errorf("what is outside has finalizers %v and conditions %v", o.Finalizers, o.Status.Conditions)
	}
	calls, _ := c.calls(from)
	for _, call := range calls {
		if call.Key == "outside.example.com" {
			w.Errorf("%s of what is outside", call.Action)
		}
	}
	// Each object is written once, and one is deleted.
	if n := writes(calls); len(n) != 2 || sum(n) != 2 {
		w.Errorf("written: %v, want two objects once each", n)
	}
	if have := c.streamURL("team-a.example.com"); have != "" {
		w.Errorf("the cloud still has %s of a deleted object", have)
	}
	w.local()
	w.delete(all["team-b"])
	w.must(api.Delete(w.Context(), all["outside"]))
	w.do("", helm, "uninstall", release, "--namespace", system, "--wait")
}

// TestTrial installs the operator with the chart's emulator, as one who tries it
// does, where Pod Security is enforced.
func TestTrial(t *testing.T) {
	w := newWorld(t)
	w.namespace(system)
	w.namespace("media")
	c := cloud{w, system}
	v := values{
		"image":         imageValues(image),
		"emulator":      values{"enabled": true, "image": imageValues(emulated)},
		"networkPolicy": values{"enabled": true},
	}
	manifest := w.samples(c)
	start := time.Now()
	w.chart("install", system, v)
	w.do(manifest, kubectl, "--namespace", "media", "apply", "-f", "-")
	stream := notify("media", "push-example-com", "", "")
	w.becomesReady(stream)
	took := time.Since(start)
	w.Logf("from helm install to a Ready sample: %s", took.Round(time.Millisecond))
	if most := time.Minute; took > most {
		w.Errorf("it took %s until a sample was Ready, want at most %s", took, most)
	}
	record := &v1alpha1.LiveRecordNotifyConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "live-example-com"}}
	relay := &v1alpha1.LiveRtcMPUEventSub{ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "conference"}}
	w.becomesReady(record, relay)
	w.rolledOut(system)

	w.sub("status", func(w world) {
		w.eventually("it is read back", func() bool {
			w.get(stream)
			return stream.Status.Observed != nil
		})
		if o := stream.Status.Observed; o.NotifyURL != stream.Spec.NotifyURL || o.ExceptionNotifyURL != stream.Spec.ExceptionNotifyURL || !o.AuthenticationEnabled {
			w.Errorf("observed is %+v", o)
		}
		if have := (cloud{w, system}).streamURL("push.example.com"); have != stream.Spec.NotifyURL {
			w.Errorf("the cloud has %s, want %s", have, stream.Spec.NotifyURL)
		}
		if columns := w.do("", kubectl, "--namespace", "media", "get", "live"); strings.Count(columns, "True") < 4 {
			w.Errorf("kubectl get live shows\n%s", columns)
		}
		if story := w.do("", kubectl, "--namespace", "media", "describe", "lnc", stream.Name); !strings.Contains(story, v1alpha1.EventApplied) {
			w.Errorf("no event of the write:\n%s", story)
		}
	})

	w.sub("callbacks", func(w world) {
		c := cloud{w, system}
		c.domain("counted.example.com")
		// The emulator answers 200 at one of its own paths, and 404 at another.
		o := notify("media", "counted", "counted.example.com", c.endpoint()+"/_emulator/healthz")
		o.Spec.Records.Interval = metav1.Duration{Duration: 30 * time.Second}
		o.Spec.Records.StreamName = "s" // the emulator has traffic of its own
		w.must(api.Create(w.Context(), o))
		w.becomesReady(o)
		stream := map[string]string{"domain": o.Spec.DomainName, "app": "live", "stream": "s"}
		c.call(http.MethodPost, "streams/start", stream)
		c.call(http.MethodPost, "wait", nil)
		failing := c.endpoint() + "/_emulator/nothing-is-here"
		w.must(api.Patch(w.Context(), o, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"notifyURL":"`+failing+`"}}`))))
		w.becomesReady(o)
		c.call(http.MethodPost, "streams/stop", stream)
		c.call(http.MethodPost, "wait", nil)
		w.eventually("the failure is counted", func() bool {
			w.get(o)
			return o.Status.Callbacks != nil && o.Status.Callbacks.Failed > 0
		})
		if have := *o.Status.Callbacks; have.Total != 2 || have.Failed != 1 || have.LastFailure == nil ||
			have.LastFailure.URL != failing || !strings.Contains(have.LastFailure.Reason, "404") {
			w.Errorf("callbacks are %+v, the last failure %+v, want one delivered and one that %s answered with 404", have, have.LastFailure, failing)
		}
		w.delete(o)
	})

	w.sub("pods", func(w world) {
		pods := w.pods(system, release)
		if len(pods) != 2 {
			w.Errorf("%d pods, want 2", len(pods))
		}
		for _, p := range pods {
			w.confined(p, program, true)
		}
		pods = w.pods(system, "live-emulator")
		if len(pods) != 1 {
			w.Errorf("%d pods of the emulator, want 1", len(pods))
		}
		for _, p := range pods {
			w.confined(p, "live-emulator", false)
		}
	})
	w.networkPolicies()

	w.delete(stream, record, relay) // before the account that they are managed through
	w.do(manifest, kubectl, "--namespace", "media", "delete", "--ignore-not-found", "--timeout", patience.String(), "-f", "-")
	w.do("", helm, "uninstall", release, "--namespace", system, "--wait")
}

// samples are those of config/samples, with a domain, a key and an account that
// are there.
func (w world) samples(c cloud) string {
	w.Helper()
	manifest := w.do("", kubectl, "kustomize", root+"/config/samples")
	for from, to := range map[string]string{
		"ReplaceMeAccessKeyID":     "emulator",
		"ReplaceMeAccessKeySecret": "emulator",
		"region: cn-shanghai":      "endpoint: " + c.endpoint(),
	} {
		if !strings.Contains(manifest, from) {
			w.Fatalf("the samples have no %q:\n%s", from, manifest)
		}
		manifest = strings.ReplaceAll(manifest, from, to)
	}
	return manifest
}
