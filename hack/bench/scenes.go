// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/test/system"
)

// A scene measures what the operator promises under one kind of trouble. It prints
// figures beside the promise, and judges nothing: machines differ.
type scene struct {
	objects int           // that it begins with; 0 is -n
	resync  time.Duration // of these; 0 is -resync
	play    func(ctx context.Context, s *bench, all []member)
}

var scenes = map[string]scene{
	"commands":   {0, time.Minute, commands},
	"neighbours": {veterans, time.Minute, neighbours},
	"outage":     {300, time.Minute, outage},
	"overload":   {0, 0, overload},
	"secrets":    {10, 0, secrets},
}

// sceneNames returns the names of all scenes.
func sceneNames() []string { return slices.Sorted(maps.Keys(scenes)) }

// onStream is the mix of streams alone.
var onStream = shares{100, 0, 0}

// play runs the scenes of these names, each in a system of its own.
func play(ctx context.Context, cfg config, names []string) error {
	for _, name := range names {
		scene := scenes[name]
		s := system.Must(startSystem(ctx, cfg, mode{name: name, share: 80}))
		s.cfg.resync = cmp.Or(scene.resync, cfg.resync)
		err := system.Caught(func() {
			scene.play(ctx, s, members(name, cmp.Or(scene.objects, cfg.n), onStream))
			system.Check(s.Alive())
		})
		s.stop()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// begin starts the operator, creates objects, and waits until these are in sync.
func (s *bench) begin(ctx context.Context, all []member, flags ...string) {
	system.Check(s.startOperator(ctx, flags...))
	system.Check(s.createAll(ctx, all))
	s.await(ctx, len(all))
}

func figure(what, format string, args ...any) {
	fmt.Printf("%-60s %s\n", what, fmt.Sprintf(format, args...))
}

// drip answers a byte a second.
func drip(w http.ResponseWriter, _ *http.Request) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	for _, b := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat(" ", 600)) {
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// hungObjects is how many objects a tenant has behind each dead end.
const hungObjects = 200

// neighbours measures the edits, counts and corrections of one tenant while the
// endpoints of others never answer, drip, or need a token service that hangs.
func neighbours(ctx context.Context, s *bench, mine []member) {
	silent, dripping := httptest.NewServer(http.HandlerFunc(system.Hang)), httptest.NewServer(http.HandlerFunc(drip))
	for _, end := range []*httptest.Server{silent, dripping} {
		defer end.Close()
		defer end.CloseClientConnections()
	}
	s.begin(ctx, mine, "--allow-insecure-endpoints", "--sts-endpoint", silent.URL)
	alone := s.editsFor(ctx, mine, 30*time.Second)
	for name, spec := range map[string]v1alpha1.LiveAccountSpec{
		"silent":   {Endpoint: silent.URL},
		"dripping": {Endpoint: dripping.URL},
		"tokens":   {Endpoint: s.URL, AssumeRole: &v1alpha1.AssumeRole{RoleARN: "acs:ram::1234567890123456:role/any"}},
	} {
		s.tenant(ctx, name, spec)
	}
	system.Pause(ctx, 5*time.Second)
	log, before := s.follow(), time.Now()
	beside := s.editsFor(ctx, mine, 2*time.Minute)
	m := system.Must(s.Metrics(ctx))
	drifted, start, some := s.follow(), time.Now(), map[string]string{}
	for _, m := range mine[:10] {
		s.Cloud.SetStreamConfig(m.key(), emulator.StreamConfig{NotifyURL: system.Elsewhere})
		some[m.key()] = ""
	}
	corrected := system.Must(drifted.writes(ctx, 5*time.Minute, some)).Sub(start)
	counts := float64(log.count(isRecords)) / float64(len(mine)) * float64(recordsInterval) / float64(time.Since(before))
	figure("edits alone, p50 / p99", "%.0f / %.0f ms", alone.P50Millis, alone.P99Millis)
	figure(fmt.Sprintf("edits beside 3 x %d hung objects, p50 / p99 (2 s)", hungObjects), "%.0f / %.0f ms of %d", beside.P50Millis, beside.P99Millis, beside.Samples)
	figure("corrections of drift beside them, longest (60 s resync)", "%.1f s", corrected.Seconds())
	figure("records requests per object and 5 minutes (2)", "%.2f", counts)
	figure("resident memory", "%.0f MiB", m.ResidentMiB())
}

// editsFor edits one object after the other for some time.
func (s *bench) editsFor(ctx context.Context, among []member, long time.Duration) latency {
	var edits []time.Duration
	for start := time.Now(); time.Since(start) < long; system.Pause(ctx, 200*time.Millisecond) {
		edits = append(edits, system.Must(s.editOne(ctx, among)))
	}
	return quantiles(edits)
}

// tenant creates a namespace with an account and objects that use it.
func (s *bench) tenant(ctx context.Context, name string, spec v1alpha1.LiveAccountSpec) {
	system.Check(s.openAccount(ctx, name, "bench", spec))
	hung := members("hung-"+name, hungObjects, onStream)
	for i := range hung {
		hung[i].namespace = name
	}
	system.Check(s.createAll(ctx, hung))
}

// outage measures what is sent while the cloud does not answer for a minute, and
// how soon edits made meanwhile are in it afterwards.
func outage(ctx context.Context, s *bench, all []member) {
	s.begin(ctx, all)
	log := s.follow()
	s.Cloud.Inject(emulator.Fault{Drop: true})
	start, wanted := time.Now(), map[string]string{}
	for i, m := range all[:60] {
		wanted[m.key()] = fmt.Sprintf("%s/outage/%d", hook, i)
		system.Check(s.edit(ctx, m, wanted[m.key()]))
	}
	edits := len(wanted)
	system.Pause(ctx, time.Minute-time.Since(start))
	dropped := log.since()
	s.Cloud.ClearFaults()
	over := time.Now()
	took := system.Must(log.writes(ctx, 5*time.Minute, wanted)).Sub(over)
	most := 0
	for i, call := range dropped {
		if call.Time.Sub(start) > 10*time.Second { // by then it is known
			late := func(c emulator.Call) bool { return c.Time.Sub(call.Time) >= 4500*time.Millisecond }
			n := slices.IndexFunc(dropped[i:], late)
			if n < 0 {
				n = len(dropped) - i
			}
			most = max(most, n)
		}
	}
	figure("requests in the minute of the outage", "%d", len(dropped))
	figure("most within 4.5 s, after the first 10 s (1)", "%d", most)
	figure(fmt.Sprintf("all %d edits in the cloud after its end (10 s)", edits), "%.1f s", took.Seconds())
}

// overload watches -n objects on one account that are a fifth more than the quota
// allows at the default intervals.
func overload(ctx context.Context, s *bench, all []member) {
	s.begin(ctx, all)
	s.readBack(ctx)
	share := max(1, 80*s.cfg.n/10_000) // of 1,000 reads a minute, which 10,000 objects ask for
	s.StopOperator()
	system.Check(s.StartOperator(ctx, "--quota-share-percent", fmt.Sprint(share)))
	system.Pause(ctx, time.Minute)
	versions := system.Must(s.versionsOf(ctx, all))
	before, after := s.aroundSteady(ctx)
	now := system.Must(s.versionsOf(ctx, all))
	// The cloud forgets the calls of so many objects: the operator's own figures tell.
	requests := func(is func(l map[string]string) bool) float64 {
		return after.Sum("live_notify_api_requests_total", is) - before.Sum("live_notify_api_requests_total", is)
	}
	reads := requests(func(l map[string]string) bool { return l["action"] == families[0].Read })
	throttled := requests(func(l map[string]string) bool { return strings.HasPrefix(l["code"], "Throttling") })
	stretch := func(action string) float64 {
		return after.Sum("live_notify_interval_stretch", func(l map[string]string) bool { return l["action"] == action })
	}
	figure("objects, share of the documented limit", "%d, %d %%", len(all), share)
	figure("stretch of the intervals, reads / records", "%.2f / %.2f", stretch(families[0].Read), stretch(families[0].Records))
	figure("reads of those that the share allows", "%.2f", reads/(families[0].Reads*float64(share)/100*s.cfg.steady.Seconds()))
	figure(fmt.Sprintf("objects whose status moved in %s (0)", s.cfg.steady), "%d", moved(versions, now))
	figure("writes to the API server (0)", "%.0f", after.APIServerWrites()-before.APIServerWrites())
	figure("throttled replies (0)", "%.0f", throttled)
}

// readBack waits until the cloud was read after the last write of each object: until
// then its status has something to tell.
func (s *bench) readBack(ctx context.Context) {
	for start := time.Now(); time.Since(start) < time.Hour; system.Pause(ctx, 10*time.Second) {
		waiting := false
		for _, f := range families {
			list := f.NewList()
			system.Check(errors.Join(s.API.List(ctx, list), ctx.Err()))
			system.Check(meta.EachListItem(list, func(o runtime.Object) error {
				_, status := o.(kind.Object).Callback()
				ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
				waiting = waiting || ready == nil || ready.Reason != v1alpha1.ReasonInSync
				return nil
			}))
		}
		if !waiting {
			return
		}
	}
	system.Check(errors.New("not all objects were read back within an hour"))
}

// moved is how many of these objects have another version now.
func moved(versions, now map[string]string) (n int) {
	for name, version := range versions {
		if now[name] != version {
			n++
		}
	}
	return n
}

// secrets compares the memory of the operator with and without thousands of large
// Secrets that are none of its business.
func secrets(ctx context.Context, s *bench, all []member) {
	s.begin(ctx, all)
	without, peak := s.memory(ctx)
	s.StopOperator()
	// kubectl apply keeps a copy of the data in an annotation.
	value := bytes.Repeat([]byte("x"), 100_000)
	for n := range 2000 {
		secret := &corev1.Secret{Data: map[string][]byte{"value": value}}
		secret.Namespace, secret.Name = "kube-public", fmt.Sprint("large-", n)
		secret.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: string(value)}
		system.Check(s.API.Create(ctx, secret))
	}
	system.Check(s.startOperator(ctx))
	with, peakWith := s.memory(ctx)
	figure("resident memory without / with 2,000 Secrets (+5 MiB)", "%.1f / %.1f MiB", without, with)
	figure("peak memory without / with them (+40 MiB)", "%.1f / %.1f MiB", peak, peakWith)
}

// memory is what the operator has, and the most that it has had, in MiB.
func (s *bench) memory(ctx context.Context) (resident, peak float64) {
	system.Pause(ctx, time.Minute)
	return system.Must(statusMiB(s.PID(), "VmRSS")), system.Must(statusMiB(s.PID(), "VmHWM"))
}

// statusMiB is a figure of a process in MiB, such as VmHWM, the most memory that it
// has had.
func statusMiB(pid int, name string) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, name+": %f kB", &kib); n == 1 {
			return kib / 1024, nil
		}
	}
	return 0, errors.New("the system does not tell")
}
