// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

// fleet are objects that are edited, and what became of the edits is known from
// the cloud's call log.
type fleet struct {
	world
	cloud     cloud
	namespace string
	domains   []string
	edits     atomic.Int64
	last      map[string]string // URL by domain
}

// newFleet creates n objects.
func newFleet(c cloud, namespace string, n int) *fleet {
	c.Helper()
	f := &fleet{world: c.world, cloud: c, namespace: namespace, domains: streamDomains(n), last: map[string]string{}}
	for i, domain := range f.domains {
		c.domain(domain)
		f.last[domain] = "http://hooks.example.com/0"
		f.must(api.Create(f.Context(), notify(namespace, fmt.Sprint("o-", i), domain, f.last[domain])))
	}
	f.settled()
	return f
}

// edit changes the next object.
func (f *fleet) edit(ctx context.Context) error {
	n := int(f.edits.Add(1))
	i, url := n%len(f.domains), fmt.Sprint("http://hooks.example.com/", n)
	o := notify(f.namespace, fmt.Sprint("o-", i), "", "")
	f.last[f.domains[i]] = url
	return api.Patch(ctx, o, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"notifyURL":"`+url+`"}}`)))
}

// keepEditing edits until the context ends.
func (f *fleet) keepEditing(ctx context.Context) error {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		if err := f.edit(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// settled waits until all objects say that their specs are in the cloud.
func (f *fleet) settled() {
	f.Helper()
	f.all("ready", func(*v1alpha1.LiveNotifyConfig) bool { return true })
}

// readBack waits until the cloud has said so too: a steady object.
func (f *fleet) readBack() {
	f.Helper()
	f.all("in sync", func(o *v1alpha1.LiveNotifyConfig) bool {
		return meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonInSync
	})
}

func (f *fleet) all(what string, are func(*v1alpha1.LiveNotifyConfig) bool) {
	f.Helper()
	f.eventually("all objects are "+what, func() bool {
		var list v1alpha1.LiveNotifyConfigList
		f.must(api.List(f.Context(), &list, client.InNamespace(f.namespace)))
		for i := range list.Items {
			if o := &list.Items[i]; !ready(o) || !are(o) {
				return false
			}
		}
		return len(list.Items) == len(f.domains)
	})
}

// result is what happened to edits while something else was done.
type result struct {
	edits, writes int
	// cutShort is how many processes of the operator ended without finishing what
	// they had begun.
	cutShort int
	// gap is the longest time without a write.
	gap time.Duration
}

func (r result) String() string {
	return fmt.Sprintf("%d edits, %d writes, at most %s without one, %d processes cut short", r.edits, r.writes, r.gap.Round(time.Millisecond), r.cutShort)
}

// pace is the time between two edits.
const pace = 100 * time.Millisecond

// during edits objects steadily while something is done, and a while before and
// after. It fails the test if an edit was lost, or written twice although no process
// was cut short: what that one had begun is in doubt, and is written again. Edits of
// one object that follow each other while nobody leads are one.
func (f *fleet) during(do func()) result {
	f.Helper()
	from, edits := f.cloud.count(), f.edits.Load()
	ctx, stop := context.WithCancel(f.Context())
	defer stop()
	cutShort := f.cutShort()
	ended := make(chan error, 1)
	go func() { ended <- f.keepEditing(ctx) }()
	some := func() {
		f.Helper()
		enough := f.edits.Load() + 20
		f.eventually("edits go on", func() bool { return f.edits.Load() >= enough })
	}
	some()
	do()
	some()
	stop()
	f.must(<-ended)
	f.settled()

	calls, _ := f.cloud.calls(from)
	r := result{edits: int(f.edits.Load() - edits), cutShort: cutShort()}
	n := writes(calls)
	r.writes = sum(n)
	for w, times := range n {
		if times > 1+r.cutShort {
			f.Errorf("%s of %s was written %d times", w.url, w.domain, times)
		}
	}
	for _, domain := range f.domains {
		if have := f.cloud.streamURL(domain); have != f.last[domain] {
			f.Errorf("%s of %s was lost: the cloud has %s", f.last[domain], domain, have)
		}
	}
	if r.writes > r.edits && r.cutShort == 0 {
		f.Errorf("%d writes of %d edits", r.writes, r.edits)
	}
	var before time.Time
	for _, call := range calls {
		if strings.HasPrefix(call.Action, "Set") && call.Code == "" {
			if !before.IsZero() {
				r.gap = max(r.gap, call.Time.Sub(before))
			}
			before = call.Time
		}
	}
	return r
}

// cutShort returns what tells how many processes of the operator have ended since
// otherwise than by doing what they were told: killed, or without their lease.
func (w world) cutShort() func() int {
	w.Helper()
	pods := direct.CoreV1().Pods(system)
	list, err := pods.List(w.Context(), metav1.ListOptions{})
	w.must(err)
	before := map[string]bool{}
	for i := range list.Items {
		maps.Copy(before, failedEnds(&list.Items[i]))
	}
	changes, err := pods.Watch(w.Context(), metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	w.must(err)
	ended := make(chan map[string]bool, 1)
	go func() {
		since := map[string]bool{}
		for change := range changes.ResultChan() {
			if pod, ok := change.Object.(*corev1.Pod); ok {
				maps.Copy(since, failedEnds(pod))
			}
		}
		ended <- since
	}()
	return func() int {
		changes.Stop()
		since := <-ended
		maps.DeleteFunc(since, func(id string, _ bool) bool { return before[id] })
		return len(since)
	}
}

// failedEnds returns the containers of a pod that ended with a failure, by their IDs.
func failedEnds(pod *corev1.Pod) map[string]bool {
	ends := map[string]bool{}
	for _, s := range pod.Status.ContainerStatuses {
		for _, state := range []corev1.ContainerState{s.State, s.LastTerminationState} {
			if end := state.Terminated; end != nil && end.ExitCode != 0 {
				ends[end.ContainerID] = true
			}
		}
	}
	return ends
}

// leader returns who holds the lease; "" for nobody.
func (w world) leader(namespace string) string {
	w.Helper()
	var leases coordinationv1.LeaseList
	w.must(api.List(w.Context(), &leases, client.InNamespace(namespace)))
	for _, lease := range leases.Items {
		if holder := lease.Spec.HolderIdentity; holder != nil {
			return *holder
		}
	}
	return ""
}

// succeeded waits until another than this one leads, and returns how long after
// the start that was.
func (w world) succeeded(namespace, old string, start time.Time) time.Duration {
	w.Helper()
	w.eventually("another leads", func() bool {
		now := w.leader(namespace)
		return now != "" && now != old
	})
	return time.Since(start)
}
