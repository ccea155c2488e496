// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/test/system"
)

// mode is a way to run the operator.
type mode struct {
	name      string
	share     int  // percent of the documented limits
	forgetful bool // it does not know what it read before a restart
}

// veterans is how many objects are there before all others, to be edited while
// these converge.
const veterans = 50

// measure runs the whole scenario once.
func measure(ctx context.Context, cfg config, m mode) *figures {
	s := system.Must(startSystem(ctx, cfg, m))
	defer s.stop()
	f := &figures{Mode: m.name, Objects: cfg.n, QPSScale: cfg.scale, Throttle: string(cfg.throttle)}
	old := members("old", veterans, onStream)
	s.begin(ctx, old)
	fresh := members("new", cfg.n, cfg.mix)
	s.backlog(ctx, f, old, fresh)
	s.idle(ctx, f, old)
	s.steady(ctx, f, append(slices.Clone(old), fresh...))
	s.restart(ctx, f, old)
	s.failing(ctx, f, old)
	f.ResidentMiB = max(f.ResidentMiB, system.Must(s.Metrics(ctx)).ResidentMiB())
	return f
}

// backlog creates all objects at once, and edits old ones while they converge.
func (s *bench) backlog(ctx context.Context, f *figures, old, fresh []member) {
	system.Say("%s: converging %d objects", s.mode.name, len(fresh))
	log := s.follow()
	start := time.Now()
	created := make(chan error, 1)
	go func() { created <- s.createAll(ctx, fresh) }()

	var edits []time.Duration
	missing, applied, count := map[string]*family{}, map[*family]time.Duration{}, map[*family]int{}
	for _, m := range fresh {
		missing[m.key()] = m.family
		count[m.family]++
	}
	lost := time.Duration(30*float64(len(fresh))/s.cfg.scale)*time.Second/10 + 5*time.Minute
	for len(missing) > 0 {
		if time.Since(start) > lost {
			system.Check(fmt.Errorf("%d objects of %d are not written after %s", len(missing), len(fresh), lost))
		}
		edits = append(edits, system.Must(s.editOne(ctx, old)))
		for _, call := range log.since() {
			if of := missing[call.Key]; of != nil && isWrite(call) && call.Code == "" {
				delete(missing, call.Key)
				applied[of] = max(applied[of], call.Time.Sub(start))
			}
		}
		system.Pause(ctx, time.Second)
	}
	system.Check(<-created)
	f.BacklogEdit = quantiles(edits)
	for _, of := range families {
		n := count[of]
		if n == 0 {
			continue
		}
		if of == old[0].family {
			n += len(edits) // these took turns, too
		}
		bound := float64(n) / (of.Writes * s.cfg.scale * 0.8)
		f.Converge = append(f.Converge, converged{
			Kind: of.Name, Writes: n, Seconds: applied[of].Seconds(), BoundSeconds: bound, Ratio: applied[of].Seconds() / bound,
		})
	}
	s.await(ctx, len(old)+len(fresh))
	f.InSyncSeconds = time.Since(start).Seconds()
	f.ThrottledReplies = log.count(isThrottled)
}

// idle edits one object after the other while nothing else goes on.
func (s *bench) idle(ctx context.Context, f *figures, old []member) {
	system.Say("%s: %d edits while idle", s.mode.name, s.cfg.edits)
	var edits []time.Duration
	for range s.cfg.edits {
		edits = append(edits, system.Must(s.editOne(ctx, old)))
		system.Pause(ctx, 200*time.Millisecond+rand.N(300*time.Millisecond))
	}
	f.IdleEdit = quantiles(edits)
	s.await(ctx, len(old)+s.cfg.n)
}

// steady watches what the operator does when nothing changes.
func (s *bench) steady(ctx context.Context, f *figures, all []member) {
	if s.cfg.steady == 0 {
		return
	}
	system.Say("%s: watching the steady state for %s", s.mode.name, s.cfg.steady)
	system.Pause(ctx, 30*time.Second) // the last edits are read back, and first counts are taken
	log := s.follow()
	before, after := s.aroundSteady(ctx)
	hours := s.cfg.steady.Hours()
	perHour := func(n int) float64 { return float64(n) / float64(len(all)) / hours }
	st := &steady{
		Minutes: s.cfg.steady.Minutes(), CloudWrites: log.count(isWrite), APIServerWrites: after.APIServerWrites() - before.APIServerWrites(),
		ReadsPerObjectHour: perHour(log.count(isRead)), RecordsPerObjectHour: perHour(log.count(isRecords)),
	}
	for _, m := range all {
		st.ReadsByInterval += float64(time.Hour) / float64(s.cfg.resync)
		st.RecordsByInterval += m.family.CountRequests * float64(time.Hour) / float64(recordsInterval)
	}
	for _, perObject := range []*float64{&st.ReadsByInterval, &st.RecordsByInterval} {
		*perObject /= float64(len(all))
	}
	cpu := after.Sum("process_cpu_seconds_total", nil) - before.Sum("process_cpu_seconds_total", nil)
	ours := func(l map[string]string) bool { return system.KindOf(l["controller"]) != nil }
	passes := after.Sum("controller_runtime_reconcile_total", ours) - before.Sum("controller_runtime_reconcile_total", ours)
	st.CPUPercent, st.CPUMillisPerReconcile = 100*cpu/s.cfg.steady.Seconds(), 1000*cpu/max(passes, 1)
	f.Steady, f.ResidentMiB = st, max(before.ResidentMiB(), after.ResidentMiB())
	system.Check(s.Alive())
}

// aroundSteady returns the metrics before and after as long as the steady state is
// watched.
func (s *bench) aroundSteady(ctx context.Context) (before, after system.Metrics) {
	before = system.Must(s.Metrics(ctx))
	system.Pause(ctx, s.cfg.steady)
	return before, system.Must(s.Metrics(ctx))
}

// recordsInterval is the default of spec.records.interval.
const recordsInterval = 5 * time.Minute

// restart stops the operator, changes things meanwhile, and starts it again.
func (s *bench) restart(ctx context.Context, f *figures, old []member) {
	system.Say("%s: restarting", s.mode.name)
	s.StopOperator()
	if s.mode.forgetful {
		s.forget(ctx)
	}
	edited, newcomer := old[0], members("late", 1, onStream)[0]
	const url = hook + "/while-down"
	system.Check(s.edit(ctx, edited, url))
	system.Check(s.create(ctx, newcomer))
	log := s.follow()
	start := time.Now()
	system.Check(s.startOperator(ctx))
	r := &restarted{}
	s.firstMinute(ctx, log, start, r, map[string]*float64{url: &r.EditSeconds, hook: &r.NewSeconds})
	r.ReadsByInterval = float64(len(old)+s.cfg.n) * float64(time.Minute) / float64(s.cfg.resync)
	f.Restart = r
	system.Check(s.Alive())
}

// firstMinute watches the first minute of an operator: what it asks the cloud, and
// after how many seconds it writes these URLs.
func (s *bench) firstMinute(ctx context.Context, log *callLog, start time.Time, r *restarted, wrote map[string]*float64) {
	for time.Since(start) < time.Minute && ctx.Err() == nil {
		for _, call := range log.since() {
			if at := wrote[wroteURL(call)]; at != nil && *at == 0 && isWrite(call) && call.Code == "" {
				*at = call.Time.Sub(start).Seconds()
			}
			if isRead(call) {
				r.Reads++
			}
			if call.Code != "" {
				r.Refused++
			}
		}
		system.Pause(ctx, 100*time.Millisecond)
	}
}

// failing creates objects that the cloud rejects for ever.
func (s *bench) failing(ctx context.Context, f *figures, old []member) {
	if s.cfg.failing == 0 {
		return
	}
	system.Say("%s: %d objects that the cloud rejects", s.mode.name, s.cfg.failing)
	bad := members("bad", s.cfg.failing, onStream)
	rejected := map[string]bool{}
	for _, m := range bad {
		rejected[m.key()] = true
		s.Cloud.Inject(emulator.Fault{Action: m.family.Create, Match: m.key(), Code: "InvalidNotifyUrl.Malformed"})
	}
	log := s.follow()
	system.Check(s.createAll(ctx, bad))
	s.awaitRejected(ctx, len(bad))
	first := log.count(func(c emulator.Call) bool { return rejected[c.Key] && isWrite(c) })
	log = s.follow()
	edits := s.editsFor(ctx, old, time.Minute)
	// One round of attempts after 15 s, doubling up to 30 minutes (docs/decisions.md).
	f.Failing = &rejects{
		Objects: len(bad), FirstWrites: first, Edit: edits,
		CallsInNextMinute: log.count(func(c emulator.Call) bool { return rejected[c.Key] && !isRecords(c) }),
		QuotaPercent:      100 * float64(first) / (bad[0].family.Writes * s.cfg.scale * (30 * time.Minute).Seconds()),
	}
	system.Check(s.Alive())
}

var editNumber int

// editOne edits one of the objects, and returns the time from just before the
// API server is asked until the cloud accepted the write.
func (s *bench) editOne(ctx context.Context, among []member) (time.Duration, error) {
	editNumber++
	m := among[editNumber%len(among)]
	url := fmt.Sprintf("%s/%d", hook, editNumber)
	log, start := s.follow(), time.Now()
	if err := s.edit(ctx, m, url); err != nil {
		return 0, err
	}
	last, err := log.writes(ctx, 2*time.Minute, map[string]string{m.key(): url})
	if err != nil {
		return 0, fmt.Errorf("an edit of %s: %w: %s", m.name, err, s.state(ctx, m))
	}
	return last.Sub(start), nil
}

// state tells what the operator says of an object: its status, and the end of what was
// logged of it.
func (s *bench) state(ctx context.Context, m member) string {
	o := m.object(hook)
	getErr := s.API.Get(ctx, client.ObjectKeyFromObject(o), o)
	_, status := o.Callback()
	text, textErr := json.Marshal(status)
	log, logErr := os.ReadFile(s.Log())
	if err := errors.Join(getErr, textErr, logErr); err != nil {
		return err.Error()
	}
	lines := slices.DeleteFunc(strings.Split(string(log), "\n"), func(line string) bool { return !strings.Contains(line, strconv.Quote(m.name)) })
	return fmt.Sprintf("generation %d, status %s\n%s", o.GetGeneration(), text, strings.Join(lines[max(0, len(lines)-5):], "\n"))
}

// createAll creates objects, some at a time.
func (s *bench) createAll(ctx context.Context, all []member) error {
	return inParallel(ctx, all, s.create)
}

// inParallel does something with each member, with several at once.
func inParallel(ctx context.Context, all []member, do func(context.Context, member) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, m := range all {
		group.Go(func() error {
			if err := do(ctx, m); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// await waits until so many objects are Ready, as the metrics tell.
func (s *bench) await(ctx context.Context, n int) { system.Check(s.awaitReady(ctx, n, s.follow())) }

// awaitRejected waits until so many objects are rejected, after which no retry is due
// soon.
func (s *bench) awaitRejected(ctx context.Context, n int) {
	rejected := func(l map[string]string) bool { return l["reason"] == v1alpha1.ReasonRejected }
	for start := time.Now(); time.Since(start) < 10*time.Minute; system.Pause(ctx, time.Second) {
		if system.Must(s.Metrics(ctx)).Sum("live_notify_not_ready", rejected) >= float64(n) {
			return
		}
	}
	system.Check(errors.New("objects that the cloud rejects are not rejected"))
}

// forget takes from the status what the operator did, as if it did not note it.
func (s *bench) forget(ctx context.Context) {
	for _, f := range families {
		list := f.NewList()
		system.Check(s.API.List(ctx, list))
		system.Check(meta.EachListItem(list, func(o runtime.Object) error {
			before, obj := o.DeepCopyObject().(client.Object), o.(kind.Object)
			_, status := obj.Callback()
			status.Applied, status.Conditions = nil, nil
			return s.API.Status().Patch(ctx, obj, client.MergeFrom(before))
		}))
	}
}

func isThrottled(call emulator.Call) bool {
	return call.Status == 429 || call.Code == "Throttling.Api" || call.Code == "Throttling.User" || call.Code == "Throttling"
}

// callLog reads the log of the cloud onwards from where it began.
type callLog struct {
	cloud            *emulator.Server
	begin, next      int
	throttledReplies int // of those that were looked at
}

func (s *bench) follow() *callLog {
	n := s.Cloud.CallCount()
	return &callLog{cloud: s.Cloud, begin: n, next: n}
}

// since returns the calls since it was last asked, as far as the cloud still
// knows them.
func (l *callLog) since() []emulator.Call {
	total := l.cloud.CallCount()
	if total == l.next {
		return nil // without copying the whole log
	}
	calls := l.cloud.CallsSince(l.next)
	l.next += len(calls)
	for _, call := range calls {
		if isThrottled(call) {
			l.throttledReplies++
		}
	}
	return calls
}

// all returns the calls since it began.
func (l *callLog) all() []emulator.Call { return l.cloud.CallsSince(l.begin) }

// count returns how many calls since it began are of a sort.
func (l *callLog) count(is func(emulator.Call) bool) (n int) {
	for _, call := range l.all() {
		if is(call) {
			n++
		}
	}
	return n
}

// writes waits until each of these keys is written, with its URL if it has one, and
// returns when the last one was.
func (l *callLog) writes(ctx context.Context, within time.Duration, wanted map[string]string) (last time.Time, err error) {
	start := time.Now()
	for len(wanted) > 0 && ctx.Err() == nil {
		if time.Since(start) > within {
			return last, fmt.Errorf("%d writes are not in the cloud within %s", len(wanted), within)
		}
		for _, call := range l.since() {
			if url, ok := wanted[call.Key]; ok && isWrite(call) && call.Code == "" && (url == "" || url == wroteURL(call)) {
				delete(wanted, call.Key)
				last = call.Time
			}
		}
		system.Pause(ctx, time.Millisecond)
	}
	return last, ctx.Err()
}

func isWrite(c emulator.Call) bool {
	return slices.ContainsFunc(families[:], func(f *family) bool { return c.Action == f.Create || c.Action == f.Update })
}

// wroteURL is the callback URL that a write has set.
func wroteURL(c emulator.Call) string {
	return c.Params["NotifyUrl"] + c.Params["CallbackUrl"] + c.Params["Callback"] + c.Params["EventCallbackUrl"]
}

func isRead(c emulator.Call) bool {
	return c.Action == "DescribeLiveSnapshotConfig" || // who else is told of snapshots
		slices.ContainsFunc(families[:], func(f *family) bool { return c.Action == f.Read })
}

func isRecords(c emulator.Call) bool { return system.IsRecords(c.Action) }
