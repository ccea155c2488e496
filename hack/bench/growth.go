// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/test/system"
)

// size is what one operator costs with so many objects.
type size struct {
	Objects, Accounts int
	ConvergeSeconds   float64 // from the first object until all were written
	BoundSeconds      float64 // that the limits of an account leave for its writes
	TakeOverSeconds   float64 // from the operator's start until all objects that stood were Ready, instead of these
	Edit              latency // from the API server to the cloud, while nothing else goes on
	ResidentMiB       float64
	LiveMiB           float64 // of it, what the last collection of garbage kept
	CPUPercent        float64 // of one core, in the steady state
	APIServerWrites   float64 // in the steady state
	APIServerReads    float64 // beside those that watch
	CloudPerSecond    float64
	CloudByInterval   float64 // what the intervals of the specs call for
	Throttled         int     // replies, from the first object on
	Restart           restarted
	HandOverSeconds   float64 // from when a leader was told to end until its successor, which was Ready, had written an edit
}

// elected are the flags of an operator to which another one can hand over.
var elected = []string{"--leader-elect", "--leader-elect-namespace", metav1.NamespaceDefault}

// bare is what the operator has without any object, in MiB: the bound of memory is
// for what comes above it.
const bare = 60

// grow measures the operator at a tenth and a hundredth of the objects first, and
// then adds the rest, in one system. With them all it measures also what some
// accounts in trouble do to the others.
func grow(ctx context.Context, cfg config) error {
	keys := []emulator.AccessKey{{ID: "bench", Secret: "bench-secret"}}
	for i := range cfg.accounts {
		name := tenantName(i)
		keys = append(keys, emulator.AccessKey{ID: name, Secret: name + "-secret", Account: name})
	}
	s, err := startSystem(ctx, cfg, mode{name: "growth", share: 80}, keys...)
	if err != nil {
		return err
	}
	defer s.stop()
	g := &growth{bench: s, fronts: openFronts(s.Cloud)}
	defer g.fronts.close()
	var sizes []*size
	for _, accounts := range stepsOf(cfg.accounts) {
		at, err := g.measure(ctx, accounts)
		if err != nil {
			return fmt.Errorf("with %d accounts: %w", accounts, err)
		}
		sizes = append(sizes, at)
		fmt.Println(growthTable(sizes))
	}
	return system.WriteJSON(cfg.json, sizes)
}

// stepsOf returns how many accounts there are at each size: each is full before
// the next one begins, so that only their number differs.
func stepsOf(accounts int) []int {
	var steps []int
	for _, part := range []int{100, 10} {
		if n := accounts / part; n > 0 {
			steps = append(steps, n)
		}
	}
	return append(steps, accounts)
}

func tenantName(i int) string { return fmt.Sprintf("tenant-%d", i) }

// growth is a system to which accounts are added.
type growth struct {
	*bench
	fronts  *fronts
	all     []member // that are there
	tenants int
	log     *callLog // since the first object
}

// measure adds accounts with their objects until there are so many, and measures.
func (g *growth) measure(ctx context.Context, accounts int) (*size, error) {
	fresh, err := g.add(ctx, accounts)
	if err != nil {
		return nil, err
	}
	at := &size{Accounts: accounts}
	if g.log == nil {
		g.log = g.follow()
	}
	before := g.log.throttledReplies
	if g.cfg.standing && len(g.all) > 0 {
		at.TakeOverSeconds, err = g.takeOver(ctx, fresh)
	} else {
		system.Say("converging %d more objects", len(fresh))
		g.StopOperator() // the last one elects a leader, whose renewals would count as writes
		if err := g.startOperator(ctx); err != nil {
			return nil, err
		}
		at.BoundSeconds = g.bound(fresh)
		at.ConvergeSeconds, err = g.converge(ctx, fresh)
	}
	if err != nil {
		return nil, err
	}
	g.all = append(g.all, fresh...)
	at.Objects = len(g.all)
	if err := g.awaitReady(ctx, len(g.all), g.log); err != nil {
		return nil, err
	}
	system.Say("%d objects are in sync; editing", len(g.all))
	if at.Edit, err = g.edits(ctx, g.all); err != nil {
		return nil, err
	}
	if err := g.awaitReady(ctx, len(g.all), g.log); err != nil {
		return nil, err
	}
	if err := g.steadily(ctx, at); err != nil {
		return nil, err
	}
	at.Throttled = g.log.throttledReplies - before
	if accounts == g.cfg.accounts {
		if err := g.troubled(ctx); err != nil {
			return nil, err
		}
		if err := g.awaitReady(ctx, len(g.all), g.log); err != nil {
			return nil, err
		}
	}
	if err := g.restarted(ctx, at); err != nil {
		return nil, err
	}
	return at, g.handedOver(ctx, at)
}

// add creates the namespaces and accounts up to so many, and returns the objects
// that they are to have.
func (g *growth) add(ctx context.Context, accounts int) ([]member, error) {
	var fresh []member
	for ; g.tenants < accounts; g.tenants++ {
		name := tenantName(g.tenants)
		spec := v1alpha1.LiveAccountSpec{Endpoint: g.fronts.of(g.tenants, g.cfg.accounts)}
		if err := g.openAccount(ctx, name, name, spec); err != nil {
			return nil, err
		}
		for _, m := range members(fmt.Sprintf("t%d", g.tenants), g.cfg.n/g.cfg.accounts, g.cfg.mix) {
			m.namespace = name
			fresh = append(fresh, m)
		}
	}
	return fresh, nil
}

// converge creates objects, and returns after how many seconds all were written.
func (g *growth) converge(ctx context.Context, fresh []member) (float64, error) {
	missing := make(map[string]bool, len(fresh))
	for _, m := range fresh {
		missing[m.key()] = true
	}
	start := time.Now()
	created := make(chan error, 1)
	go func() { created <- g.createAll(ctx, fresh) }()
	moved := start
	for len(missing) > 0 {
		system.Pause(ctx, 500*time.Millisecond)
		left := len(missing)
		for _, call := range g.log.since() {
			if isWrite(call) && call.Code == "" {
				delete(missing, call.Key)
			}
		}
		if len(missing) < left {
			moved = time.Now()
		}
		if time.Since(moved) > 5*time.Minute {
			return 0, fmt.Errorf("%d objects of %d are not written, and none was for 5 minutes", len(missing), len(fresh))
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if err := g.Alive(); err != nil {
			return 0, err
		}
	}
	return time.Since(start).Seconds(), <-created
}

// bound is how long the limits of an account leave for the writes of its objects:
// those of the slowest kind.
func (g *growth) bound(fresh []member) float64 {
	writes := map[string]map[*family]float64{}
	for _, m := range fresh {
		if writes[m.namespace] == nil {
			writes[m.namespace] = map[*family]float64{}
		}
		writes[m.namespace][m.family]++
	}
	longest := 0.0
	for _, of := range writes {
		for f, n := range of {
			longest = max(longest, n/(f.Writes*g.cfg.scale*0.8))
		}
	}
	return longest
}

// awaitReady waits until as many objects are Ready, as the metrics tell.
func (s *bench) awaitReady(ctx context.Context, n int, log *callLog) error {
	pace := time.Second + time.Duration(n)*200*time.Microsecond // a scrape of them all takes time, too
	for start := time.Now(); time.Since(start) < 30*time.Minute; system.Pause(ctx, pace) {
		if err := errors.Join(ctx.Err(), s.Alive()); err != nil {
			return err
		}
		m, _ := s.Metrics(ctx) // a start takes a moment
		ready := 0
		for _, series := range m["live_notify_ready"].GetMetric() {
			if series.GetGauge().GetValue() == 1 {
				ready++
			}
		}
		if ready >= n {
			return nil
		}
		log.since() // lest the cloud forgets calls that were not looked at
	}
	return fmt.Errorf("fewer than %d objects are Ready", n)
}

// edits edits objects one after the other.
func (g *growth) edits(ctx context.Context, among []member) (latency, error) {
	var took []time.Duration
	for range g.cfg.edits {
		wait, err := g.editOne(ctx, []member{among[rand.N(len(among))]})
		if err != nil {
			return latency{}, err
		}
		took = append(took, wait)
		system.Pause(ctx, 50*time.Millisecond+rand.N(100*time.Millisecond))
	}
	return quantiles(took), nil
}

// steadily watches the operator while nothing changes. It is not asked for its
// metrics meanwhile, which with so many objects would be most of its work.
func (g *growth) steadily(ctx context.Context, at *size) error {
	system.Say("watching the steady state for %s", g.cfg.steady)
	system.Pause(ctx, 30*time.Second) // the last edits are read back, and first counts are taken
	before, err := g.Metrics(ctx)
	if err != nil {
		return err
	}
	system.Pause(ctx, 20*time.Second) // what the scrape left behind is collected
	log, start := g.follow(), time.Now()
	used, err := cpuOf(g.PID())
	if err != nil {
		return err
	}
	system.Pause(ctx, g.cfg.steady)
	now, err := cpuOf(g.PID())
	if err != nil {
		return err
	}
	long := time.Since(start)
	at.CPUPercent = 100 * (now - used).Seconds() / long.Seconds()
	at.CloudPerSecond = float64(g.Cloud.CallCount()-log.begin) / long.Seconds()
	if at.ResidentMiB, err = statusMiB(g.PID(), "VmRSS"); err != nil {
		return err
	}
	after, err := g.Metrics(ctx)
	if err != nil {
		return err
	}
	g.log.since()
	at.LiveMiB = after.Sum("go_gc_heap_live_bytes", nil) / (1 << 20)
	at.APIServerWrites = after.APIServerWrites() - before.APIServerWrites()
	at.APIServerReads = after.APIServerReads() - before.APIServerReads()
	for _, m := range g.all {
		at.CloudByInterval += m.family.ReadRequests()/g.cfg.resync.Seconds() + m.family.CountRequests/recordsInterval.Seconds()
	}
	return g.Alive()
}

// restarted stops the operator, edits an object, and measures how soon another
// operator writes that, and what else it asks the cloud in its first minute.
func (g *growth) restarted(ctx context.Context, at *size) error {
	system.Say("restarting")
	g.StopOperator()
	edited := g.all[rand.N(len(g.all))]
	url := fmt.Sprintf("%s/while-down-%d", hook, at.Objects)
	if err := g.edit(ctx, edited, url); err != nil {
		return err
	}
	log, start := g.follow(), time.Now()
	if err := g.startOperator(ctx, elected...); err != nil {
		return err
	}
	r := &at.Restart
	g.firstMinute(ctx, log, start, r, map[string]*float64{url: &r.EditSeconds})
	for _, m := range g.all {
		r.ReadsByInterval += m.family.ReadRequests() * float64(time.Minute) / float64(g.cfg.resync)
	}
	return g.Alive()
}

// troubled measures the edits of all other accounts, and whether anything moves
// for them, while a tenth of the accounts is behind a cloud that drops each
// request, a tenth behind one that throttles each, and a tenth behind one that
// never answers.
func (g *growth) troubled(ctx context.Context) error {
	well := g.well()
	if len(well) == 0 || len(well) == len(g.all) {
		return nil
	}
	versions, err := g.versionsOf(ctx, well)
	if err != nil {
		return err
	}
	g.fronts.trouble(true)
	defer g.fronts.trouble(false)
	system.Say("three times %d accounts are in trouble", g.cfg.accounts/10)
	system.Pause(ctx, 30*time.Second)
	mine := map[string]bool{}
	for _, m := range well {
		mine[m.key()] = true
	}
	log, start := g.follow(), time.Now()
	few := well[:min(len(well), 50)]
	var took []time.Duration
	for time.Since(start) < 2*time.Minute {
		wait, err := g.editOne(ctx, few)
		if err != nil {
			return err
		}
		took = append(took, wait)
		system.Pause(ctx, 200*time.Millisecond)
	}
	calls, wanted := 0, 0.0
	for _, call := range log.all() {
		if mine[call.Key] && !isWrite(call) {
			calls++
		}
	}
	for _, m := range well {
		wanted += (m.family.ReadRequests()/g.cfg.resync.Seconds() + m.family.CountRequests/recordsInterval.Seconds()) * time.Since(start).Seconds()
	}
	now, err := g.versionsOf(ctx, well)
	if err != nil {
		return err
	}
	figure("accounts in an outage, throttled, hung / others", "%d each / %d", g.cfg.accounts/10, g.cfg.accounts-3*(g.cfg.accounts/10))
	figure("edits of the others, p50 / p99 / max", "%s", quantiles(took))
	figure("reads and counts of the others, by the intervals (1)", "%.2f", float64(calls)/wanted)
	figure(fmt.Sprintf("objects of the others that moved, but for the %d edited (0)", len(few)), "%d", moved(versions, now))
	return g.Alive()
}

// well returns the objects of the accounts that stay out of trouble.
func (g *growth) well() []member {
	var well []member
	for _, m := range g.all {
		var tenant int
		if _, err := fmt.Sscanf(m.namespace, "tenant-%d", &tenant); err == nil && g.fronts.kindOf(tenant, g.cfg.accounts) == 0 {
			well = append(well, m)
		}
	}
	return well
}

// versionsOf returns the resource versions of objects, but for the first 50, which
// are edited.
func (s *bench) versionsOf(ctx context.Context, among []member) (map[string]string, error) {
	wanted := map[string]bool{}
	for _, m := range among[min(len(among), 50):] {
		wanted[m.namespace+"/"+m.name] = true
	}
	versions := map[string]string{}
	for i := range families {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(families[i].Name + "List"))
		for {
			if err := s.API.List(ctx, list, client.Limit(5000), client.Continue(list.Continue)); err != nil {
				return nil, err
			}
			for _, o := range list.Items {
				if name := o.Namespace + "/" + o.Name; wanted[name] {
					versions[name] = o.ResourceVersion
				}
			}
			if list.Continue == "" {
				break
			}
		}
	}
	return versions, nil
}

// openAccount creates a namespace with a LiveAccount that calls with the access
// key of this ID.
func (s *bench) openAccount(ctx context.Context, namespace, keyID string, spec v1alpha1.LiveAccountSpec) error {
	spec.Credentials.AccessKeySecretRef = &v1alpha1.LocalSecretReference{Name: "key"}
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "key"},
			StringData: map[string]string{"accessKeyID": keyID, "accessKeySecret": keyID + "-secret"},
		},
		&v1alpha1.LiveAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: accountName}, Spec: spec},
	} {
		if err := s.API.Create(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// accountName is that of the one LiveAccount of a namespace.
const accountName = "account"

// cpuOf is the CPU time that a process has used.
func cpuOf(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name of the program, in parentheses, may have spaces.
	after := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var user, kernel int64
	if _, err := fmt.Sscan(after[11]+" "+after[12], &user, &kernel); err != nil {
		return 0, err
	}
	const tick = time.Second / 100 // USER_HZ
	return time.Duration(user+kernel) * tick, nil
}

// growthTable shows the sizes side by side, and each figure of an object beside
// that of the smaller size.
func growthTable(sizes []*size) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := func(name string, cell func(s *size) string) {
		cells := []string{name}
		for _, s := range sizes {
			cells = append(cells, cell(s))
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	perObject := func(format string, of func(*size) float64) func(*size) string {
		return func(s *size) string {
			at := slices.Index(sizes, s)
			if at == 0 || of(sizes[at-1]) <= 0 {
				return fmt.Sprintf(format, of(s))
			}
			return fmt.Sprintf(format+" (x %.2f)", of(s), of(s)/of(sizes[at-1]))
		}
	}
	row("objects, accounts", func(s *size) string { return fmt.Sprintf("%d, %d", s.Objects, s.Accounts) })
	row("all written after / bound of the limits", func(s *size) string { return fmt.Sprintf("%.0f s / %.0f s", s.ConvergeSeconds, s.BoundSeconds) })
	row("or taken over, all Ready after", func(s *size) string { return fmt.Sprintf("%.0f s", s.TakeOverSeconds) })
	row("throttled replies", func(s *size) string { return fmt.Sprint(s.Throttled) })
	row("edit to cloud write (p50/p99/max)", func(s *size) string { return s.Edit.String() })
	row("resident memory", func(s *size) string { return fmt.Sprintf("%.0f MiB", s.ResidentMiB) })
	row(fmt.Sprintf("  of an object, above %d MiB", bare), perObject("%.2f KiB", func(s *size) float64 { return (s.ResidentMiB - bare) * 1024 / float64(s.Objects) }))
	row("  live after a collection, of an object", perObject("%.2f KiB", func(s *size) float64 { return s.LiveMiB * 1024 / float64(s.Objects) }))
	row("CPU in the steady state", func(s *size) string { return fmt.Sprintf("%.1f %% of a core", s.CPUPercent) })
	row("  of an object and minute", perObject("%.3f ms", func(s *size) float64 { return s.CPUPercent / 100 * 60_000 / float64(s.Objects) }))
	row("requests to the cloud / by the intervals", func(s *size) string { return fmt.Sprintf("%.1f / %.1f a second", s.CloudPerSecond, s.CloudByInterval) })
	row("  CPU of one", perObject("%.2f ms", func(s *size) float64 { return s.CPUPercent / 100 * 1000 / max(s.CloudPerSecond, 1e-9) }))
	row("writes to / reads from the API server", func(s *size) string { return fmt.Sprintf("%.0f / %.0f", s.APIServerWrites, s.APIServerReads) })
	row("restart: edit in the cloud after", func(s *size) string { return after(s.Restart.EditSeconds) })
	row("  reads in its first minute / by the intervals", func(s *size) string {
		return fmt.Sprintf("%d / %.0f, %d refused", s.Restart.Reads, s.Restart.ReadsByInterval, s.Restart.Refused)
	})
	row("hand-over to a successor: edit in the cloud after", func(s *size) string { return after(s.HandOverSeconds) })
	_ = w.Flush() // into a strings.Builder
	return text.String()
}
