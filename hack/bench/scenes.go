// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/test/system"
)

// A scene measures what the operator promises under one kind of trouble. It prints
// figures beside the promise, and judges nothing: machines differ.
var scenes = map[string]func(context.Context, *bench) error{
	"neighbours": neighbours,
	"outage":     outage,
	"overload":   overload,
	"secrets":    secrets,
}

// onStream is the mix of streams alone.
var onStream = shares{100, 0, 0}

// play runs the scenes of these names, each in a system of its own.
func play(ctx context.Context, cfg config, names []string) error {
	for _, name := range names {
		s, err := startSystem(ctx, cfg, mode{name: name, share: 80})
		if err != nil {
			return err
		}
		err = scenes[name](ctx, s)
		s.stop()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func figure(what, format string, args ...any) {
	fmt.Printf("%-60s %s\n", what, fmt.Sprintf(format, args...))
}

// deadEnds are endpoints that never answer: one that says nothing, and one that
// drips a byte a second.
func deadEnds() (silent, dripping string, stop func(), err error) {
	var listeners []net.Listener
	for _, drip := range []bool{false, true} {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return "", "", nil, err
		}
		listeners = append(listeners, l)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go hang(c, drip)
			}
		}()
	}
	stop = func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	}
	return listeners[0].Addr().String(), listeners[1].Addr().String(), stop, nil
}

// hang holds a connection until the other side gives up.
func hang(c net.Conn, drip bool) {
	defer c.Close()
	if !drip {
		_, _ = bufio.NewReader(c).WriteTo(discard{})
		return
	}
	for _, b := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat(" ", 600)) {
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// hungObjects is how many objects a tenant has behind each dead end.
const hungObjects = 200

// neighbours measures the edits, counts and corrections of one tenant while the
// endpoints of others never answer, drip, or need a token service that hangs.
func neighbours(ctx context.Context, s *bench) error {
	silent, dripping, stop, err := deadEnds()
	if err != nil {
		return err
	}
	defer stop()
	if err := s.StartOperator(ctx, "--quota-share-percent", "80", "--allow-insecure-endpoints", "--sts-endpoint", "http://"+silent); err != nil {
		return err
	}
	s.cfg.resync = time.Minute
	mine := members("mine", veterans, onStream)
	if err := s.createAll(ctx, mine); err != nil {
		return err
	}
	if err := s.await(ctx, "the first objects are in sync", len(mine)); err != nil {
		return err
	}
	alone, err := s.editsFor(ctx, mine, 30*time.Second)
	if err != nil {
		return err
	}
	for name, spec := range map[string]v1alpha1.LiveAccountSpec{
		"silent":   {Endpoint: "http://" + silent},
		"dripping": {Endpoint: "http://" + dripping},
		"tokens":   {Endpoint: s.URL, AssumeRole: &v1alpha1.AssumeRole{RoleARN: "acs:ram::1234567890123456:role/any"}},
	} {
		if err := s.tenant(ctx, name, spec); err != nil {
			return err
		}
	}
	system.Pause(ctx, 5*time.Second)
	log, before := s.follow(), time.Now()
	beside, err := s.editsFor(ctx, mine, 2*time.Minute)
	if err != nil {
		return err
	}
	p, err := s.process(ctx)
	if err != nil {
		return err
	}
	corrected, err := s.corrections(ctx, mine)
	if err != nil {
		return err
	}
	figure("edits alone, p50 / p99", "%.0f / %.0f ms", alone.P50Millis, alone.P99Millis)
	figure(fmt.Sprintf("edits beside 3 x %d hung objects, p50 / p99 (2 s)", hungObjects), "%.0f / %.0f ms of %d", beside.P50Millis, beside.P99Millis, beside.Samples)
	figure("corrections of drift beside them, longest (60 s resync)", "%.1f s", corrected.Seconds())
	figure("records requests per object and 5 minutes (2)", "%.2f", s.recordsRate(log, len(mine), time.Since(before)))
	figure("resident memory", "%.0f MiB", p.resident)
	return s.Alive()
}

// editsFor edits one object after the other for some time.
func (s *bench) editsFor(ctx context.Context, among []member, long time.Duration) (latency, error) {
	var edits []time.Duration
	for start := time.Now(); time.Since(start) < long; system.Pause(ctx, 200*time.Millisecond) {
		wait, err := s.editOne(ctx, among)
		if err != nil {
			return latency{}, err
		}
		edits = append(edits, wait)
	}
	return quantiles(edits), nil
}

// recordsRate returns the requests for records per object and five minutes.
func (s *bench) recordsRate(log *callLog, objects int, long time.Duration) float64 {
	n := 0
	for _, call := range log.all() {
		if isRecords(call) {
			n++
		}
	}
	return float64(n) / float64(objects) * float64(recordsInterval) / float64(long)
}

// tenant creates a namespace with an account and objects that use it.
func (s *bench) tenant(ctx context.Context, name string, spec v1alpha1.LiveAccountSpec) error {
	if err := s.openAccount(ctx, name, "bench", spec); err != nil {
		return err
	}
	for i := range hungObjects {
		o := &v1alpha1.LiveNotifyConfig{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: fmt.Sprint("hung-", i)}}
		o.Spec.AccountRef = &v1alpha1.AccountReference{Name: accountName}
		o.Spec.DomainName, o.Spec.NotifyURL = fmt.Sprintf("hung-%d.%s.example.com", i, name), hook
		if err := s.API.Create(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// corrections edits objects in the cloud, and returns how long it took until the
// last of them was corrected.
func (s *bench) corrections(ctx context.Context, among []member) (time.Duration, error) {
	some := among[:10]
	start := time.Now()
	for _, m := range some {
		s.Cloud.SetStreamConfig(m.key(), emulator.StreamConfig{NotifyURL: "https://elsewhere.example.com/"})
	}
	log, missing := s.follow(), map[string]bool{}
	for _, m := range some {
		missing[m.key()] = true
	}
	for len(missing) > 0 {
		if time.Since(start) > 5*time.Minute {
			return 0, fmt.Errorf("%d changes in the cloud were not corrected", len(missing))
		}
		for _, call := range log.since() {
			if isWrite(call) && call.Code == "" {
				delete(missing, call.Key)
			}
		}
		system.Pause(ctx, 100*time.Millisecond)
	}
	return time.Since(start), nil
}

// outage measures what is sent while the cloud does not answer for a minute, and
// how soon edits made meanwhile are in it afterwards.
func outage(ctx context.Context, s *bench) error {
	const objects, edits = 300, 60
	if err := s.startOperator(ctx); err != nil {
		return err
	}
	s.cfg.resync = time.Minute
	all := members("out", objects, onStream)
	if err := s.createAll(ctx, all); err != nil {
		return err
	}
	if err := s.await(ctx, "all are in sync", objects); err != nil {
		return err
	}
	log := s.follow()
	s.Cloud.Inject(emulator.Fault{Drop: true})
	start := time.Now()
	wanted := map[string]string{}
	for i, m := range all[:edits] {
		url := fmt.Sprintf("%s/outage/%d", hook, i)
		if err := s.edit(ctx, m, url); err != nil {
			return err
		}
		wanted[m.key()] = url
	}
	system.Pause(ctx, time.Minute-time.Since(start))
	var dropped []time.Duration
	for _, call := range log.since() {
		dropped = append(dropped, call.Time.Sub(start))
	}
	back := time.Now()
	s.Cloud.ClearFaults()
	for len(wanted) > 0 && time.Since(back) < 5*time.Minute {
		for _, call := range log.since() {
			if isWrite(call) && call.Code == "" && wanted[call.Key] == call.Params["NotifyUrl"] {
				delete(wanted, call.Key)
			}
		}
		system.Pause(ctx, 10*time.Millisecond)
	}
	took := time.Since(back)
	if len(wanted) > 0 {
		return fmt.Errorf("%d edits are not in the cloud", len(wanted))
	}
	most := 0
	for i, at := range dropped {
		if at < 10*time.Second { // by then it is known
			continue
		}
		n := 0
		for _, other := range dropped[i:] {
			if other < at+4500*time.Millisecond {
				n++
			}
		}
		most = max(most, n)
	}
	figure("requests in the minute of the outage", "%d", len(dropped))
	figure("most within 4.5 s, after the first 10 s (1)", "%d", most)
	figure(fmt.Sprintf("all %d edits in the cloud after its end (10 s)", edits), "%.1f s", took.Seconds())
	return s.Alive()
}

// overload watches -n objects on one account that are a fifth more than the quota
// allows at the default intervals.
func overload(ctx context.Context, s *bench) error {
	share := max(1, 80*s.cfg.n/10_000) // of 1,000 reads a minute, which 10,000 objects ask for
	if err := s.startOperator(ctx); err != nil {
		return err
	}
	all := members("over", s.cfg.n, onStream)
	if err := s.createAll(ctx, all); err != nil {
		return err
	}
	if err := s.await(ctx, "all are in sync", len(all)); err != nil {
		return err
	}
	s.StopOperator()
	if err := s.StartOperator(ctx, "--quota-share-percent", fmt.Sprint(share)); err != nil {
		return err
	}
	system.Pause(ctx, time.Minute)
	versions, err := s.versions(ctx)
	if err != nil {
		return err
	}
	log := s.follow()
	before, err := s.process(ctx)
	if err != nil {
		return err
	}
	system.Pause(ctx, s.cfg.steady)
	after, err := s.process(ctx)
	if err != nil {
		return err
	}
	now, err := s.versions(ctx)
	if err != nil {
		return err
	}
	moved := 0
	for name, version := range versions {
		if now[name] != version {
			moved++
		}
	}
	m, err := s.Metrics(ctx)
	if err != nil {
		return err
	}
	reads := 0
	for _, call := range log.all() {
		if isRead(call) {
			reads++
		}
	}
	figure("objects, share of the documented limit", "%d, %d %%", len(all), share)
	figure("stretch of the intervals, reads / records", "%.2f / %.2f",
		m.Sum("live_notify_interval_stretch", action(families[0].Read)), m.Sum("live_notify_interval_stretch", action(families[0].Records)))
	figure("reads of those that the share allows", "%.2f", float64(reads)/(families[0].Reads*float64(share)/100*s.cfg.steady.Seconds()))
	figure(fmt.Sprintf("objects whose status moved in %s (0)", s.cfg.steady), "%d", moved)
	figure("writes to the API server (0)", "%.0f", after.apiWrites-before.apiWrites)
	figure("throttled replies (0)", "%d", s.throttled(log))
	return s.Alive()
}

func action(name string) func(map[string]string) bool {
	return func(l map[string]string) bool { return l["action"] == name }
}

// versions returns the resource version of each object.
func (s *bench) versions(ctx context.Context) (map[string]string, error) {
	versions := map[string]string{}
	err := s.each(ctx, func(_ *family, o client.Object, _ *v1alpha1.CallbackStatus) error {
		versions[o.GetName()] = o.GetResourceVersion()
		return nil
	})
	return versions, err
}

// secrets compares the memory of the operator with and without thousands of large
// Secrets that are none of its business.
func secrets(ctx context.Context, s *bench) error {
	const number, size = 2000, 100_000
	var resident, peak [2]float64
	for i := range resident {
		if err := s.startOperator(ctx); err != nil {
			return err
		}
		if i == 0 {
			if err := s.createAll(ctx, members("beside", 10, onStream)); err != nil {
				return err
			}
		}
		if err := s.await(ctx, "all are in sync", 10); err != nil {
			return err
		}
		system.Pause(ctx, time.Minute)
		p, err := s.process(ctx)
		if err != nil {
			return err
		}
		resident[i] = p.resident
		if peak[i], err = statusMiB(s.PID(), "VmHWM"); err != nil {
			return err
		}
		s.StopOperator()
		if i > 0 {
			break
		}
		// kubectl apply keeps a copy of the data in an annotation.
		value := bytes.Repeat([]byte("x"), size)
		for n := range number {
			secret := &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{
					Namespace: "kube-public", Name: fmt.Sprint("large-", n),
					Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: string(value)},
				},
				Data: map[string][]byte{"value": value},
			}
			if err := s.API.Create(ctx, secret); err != nil {
				return err
			}
		}
	}
	figure("resident memory without / with 2,000 Secrets (+5 MiB)", "%.1f / %.1f MiB", resident[0], resident[1])
	figure("peak memory without / with them (+40 MiB)", "%.1f / %.1f MiB", peak[0], peak[1])
	return nil
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

// sceneNames returns the names of all scenes.
func sceneNames() []string {
	var names []string
	for name := range scenes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
