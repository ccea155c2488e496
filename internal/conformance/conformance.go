// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package conformance finds out which branch the cloud takes at each point that its
// documentation leaves open. What it changes it takes a copy of first, restores in
// any case, and proves by a read.
package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/live-notify/live-notify-operator/internal/access"
	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
	"github.com/live-notify/live-notify-operator/internal/report"
)

// Options say what is tried on what.
type Options struct {
	Ingest, Streaming, AppID string
	Points                   []string // none for all
	ReadOnly                 bool
	Sleep                    func(context.Context, time.Duration) error
	Patience                 *access.Patience // that of the run
	// Restoring is called when the run was interrupted, before what was there is
	// restored; nil for nobody.
	Restoring func()
}

// Item is one open point.
type Item struct {
	Point string `json:"point"`
	// Sent and Came say what was sent, and what came.
	Sent string `json:"sent"`
	Came string `json:"came"`
	// Branch that the cloud takes; unknown, if none of those that the operator knows.
	Branch string `json:"branch"`
	Known  bool   `json:"known"`
	// Operator is what the operator makes of it.
	Operator string `json:"operator"`
	// EmulatorFlag makes the emulator answer so; empty where it does by default.
	EmulatorFlag string `json:"emulatorFlag,omitempty"`
}

// Summary counts the points.
type Summary struct {
	Known    int  `json:"known"`
	Unknown  int  `json:"unknown"`
	Skipped  int  `json:"skipped"`
	Restored bool `json:"restored"`
}

// Report is what was found out. It has no account, no key and no request ID.
type Report = report.Report[Summary, Item]

// trial is how one point is tried.
type trial struct {
	name   string
	writes bool
	on     func(Options) string // "" if there is nothing to try it on
	try    func(ctx context.Context, r *run) (Item, error)
}

func ingest(o Options) string    { return o.Ingest }
func streaming(o Options) string { return o.Streaming }
func app(o Options) string       { return o.AppID }

var trials = []trial{
	{"stream-describe-absent", true, ingest, streamDescribeAbsent},
	{"stream-delete-absent", true, ingest, streamDeleteAbsent},
	{"stream-set-existing", true, ingest, streamSetExisting},
	{"stream-set-omitted", true, ingest, streamSetOmitted},
	{"key-rules", true, ingest, keyRules},
	{"stream-key-type", true, ingest, keyType},
	{"read-delay", true, ingest, readDelay},
	{"record-update-omitted", true, streaming, recordUpdateOmitted},
	{snapshotDescribe, true, streaming, snapshotDescribeAbsent},
	{"mpu-describe-absent", false, app, mpuDescribeAbsent},
	{"stream-describe", false, ingest, streamDescribe},
}

// snapshotDescribe is the one point that takes the snapshot callbacks of a domain.
const snapshotDescribe = "snapshot-describe-absent"

// picks tells whether a point is to be tried.
func (o Options) picks(point string) bool {
	return len(o.Points) == 0 || slices.Contains(o.Points, point)
}

// Points returns the names of all.
func Points() []string {
	var names []string
	for _, t := range trials {
		names = append(names, t.name)
	}
	return names
}

// run is one run.
type run struct {
	Options
	client   *live.Client
	stream   live.Stream
	record   live.Record
	snapshot live.Family[live.SnapshotConfig]
	mpu      live.MPU
}

// copied is what was there before.
type copied struct {
	stream   live.StreamConfig
	record   live.RecordConfig
	snapshot live.SnapshotConfig
}

// Run tries the points, one after the other, and restores what was there: also when
// the context ends in the middle.
func Run(ctx context.Context, c *live.Client, o Options) (r *Report, err error) {
	r = report.New[Summary, Item]("Conformance")
	x := &run{
		Options: o, client: c, stream: live.NewStream(c), record: live.NewRecord(c),
		snapshot: live.NewSnapshot(c).Family, mpu: live.NewMPU(c),
	}
	before, err := x.keep(ctx)
	if err != nil {
		return r, err
	}
	if !o.ReadOnly {
		defer func() {
			// Whatever happened: what was there comes back.
			if ctx.Err() != nil && o.Restoring != nil {
				o.Restoring()
			}
			restoring, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreTimeout)
			defer cancel()
			restored := x.restore(restoring, before)
			r.Summary.Restored = restored == nil
			err = errors.Join(err, restored)
		}()
	}
	for _, t := range trials {
		if !o.picks(t.name) {
			continue
		}
		if t.on(o) == "" || t.writes && o.ReadOnly {
			r.Summary.Skipped++
			continue
		}
		i, err := t.try(ctx, x)
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if err != nil {
			reason, message := access.Explain(err)
			r.Fail(report.Problem{Object: t.name, Reason: reason, Message: message})
			continue
		}
		i.Point = t.name
		if i.Known = i.Branch != "unknown"; i.Known {
			r.Summary.Known++
		} else {
			r.Summary.Unknown++
		}
		r.Items = append(r.Items, i)
	}
	return r, nil
}

// Foretell says what would be tried.
func Foretell(o Options) *Report {
	r := report.New[Summary, Item]("Conformance")
	for _, t := range trials {
		if !o.picks(t.name) {
			continue
		}
		if t.on(o) == "" || t.writes && o.ReadOnly {
			r.Summary.Skipped++
			continue
		}
		r.Items = append(r.Items, Item{Point: t.name, Came: "to be tried on " + t.on(o)})
	}
	return r
}

const (
	// restoreTimeout bounds the way back, restoreTries how often what is there is looked
	// at, and restorePause the time between two tries.
	restoreTimeout = 2 * time.Minute
	restoreTries   = 20
	restorePause   = 8 * time.Second
	// steady is for how long what is copied must not change: reads may lag behind.
	steady = 3 * time.Second
)

// Error is what went wrong with the copy, in words of our own.
type Error struct {
	Message string
	Cause   error // nil for none
	// Was is what is to be put back, a line each, without keys.
	Was []string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// patiently makes a request when it has its turn.
func (r *run) patiently(ctx context.Context, request func(context.Context) error) error {
	return r.Patience.Make(ctx, r.client, request)
}

// copy reads what is there.
func (r *run) copy(ctx context.Context) (before copied, err error) {
	if r.Ingest != "" {
		err = r.patiently(ctx, func(ctx context.Context) (err error) {
			before.stream, err = r.stream.Get(ctx, quota.Least, r.Ingest)
			return err
		})
	}
	if r.Streaming != "" && err == nil {
		err = r.patiently(ctx, func(ctx context.Context) (err error) {
			before.record, err = r.record.Get(ctx, quota.Least, r.Streaming)
			return err
		})
	}
	if r.Streaming != "" && err == nil && r.picks(snapshotDescribe) {
		err = r.patiently(ctx, func(ctx context.Context) (err error) {
			before.snapshot, err = r.snapshot.Get(ctx, quota.Least, r.Streaming)
			return err
		})
	}
	return before, err
}

// keep copies what is there, and what it will come back to.
func (r *run) keep(ctx context.Context) (copied, error) {
	before, err := r.copy(ctx)
	if err != nil || r.ReadOnly {
		return before, err
	}
	if err := r.Sleep(ctx, steady); err != nil {
		return before, err
	}
	now, err := r.copy(ctx)
	if err == nil && now != before {
		err = &Error{Message: "what the domain has changes at present, so that no copy of it would be the right one: nothing was written. Wait a minute, and see to it that nobody else changes it"}
	}
	return before, err
}

// restore writes back what was there until a read shows it. What fails is tried again:
// nobody else has what was there.
func (r *run) restore(ctx context.Context, before copied) error {
	pause := time.Second
	var failed error
	for range restoreTries {
		now, err := r.copy(ctx)
		if err == nil && now == before {
			return nil
		}
		if err == nil {
			err = r.putBack(ctx, now, before)
		}
		failed = cmp.Or(err, failed)
		if r.Sleep(ctx, pause) != nil {
			break
		}
		pause = min(2*pause, restorePause)
	}
	return before.lost(r.Options, failed)
}

// putBack makes the cloud, which has now, hold before.
func (r *run) putBack(ctx context.Context, now, before copied) error {
	return errors.Join(
		putBack(ctx, r, r.stream.Family, r.Ingest, now.stream, before.stream),
		putBack(ctx, r, r.record.Family, r.Streaming, now.record, before.record),
		putBack(ctx, r, r.snapshot, r.Streaming, now.snapshot, before.snapshot),
	)
}

// putBack does so for one family.
func putBack[C live.Config](ctx context.Context, r *run, family live.Family[C], domain string, now, before C) error {
	var none C
	if now == before {
		return nil
	}
	return r.patiently(ctx, func(ctx context.Context) error {
		if before == none {
			return family.Delete(ctx, quota.Least, domain)
		}
		return family.Put(ctx, quota.Least, domain, now, before, true)
	})
}

// lost says that what was there before is not there again, and what it was.
func (c copied) lost(o Options, cause error) error {
	e := &Error{
		Message: "what was there before could not be put back, and is lost in the cloud: put it back by hand, by the lines above, with the key that the receiver has", Cause: cause,
	}
	for _, had := range []struct {
		of     string
		fields []live.Field
	}{{o.Ingest, c.stream.Fields()}, {o.Streaming, c.record.Fields()}, {o.Streaming + " (snapshots)", c.snapshot.Fields()}} {
		key := string(live.KeyOf(had.fields))
		for _, f := range had.fields {
			if f.Value != "" && f.Value != "false" {
				e.Was = append(e.Was, had.of+" had "+callback.HideIn(live.Bound(f.String(), maxShown), key))
			}
		}
	}
	slices.Sort(e.Was)
	return e
}

// maxShown bounds a value that is shown to be put back, in bytes: that of a URL.
const maxShown = 2200

// trialURL is one that nobody answers at.
const trialURL = "https://conformance.live-notify.invalid/"

// set makes one Set, whatever was there.
func (r *run) set(ctx context.Context, c live.StreamConfig) error {
	return r.patiently(ctx, func(ctx context.Context) error { return r.stream.Update(ctx, r.Ingest, c, true) })
}

func (r *run) clear(ctx context.Context) error {
	return r.patiently(ctx, func(ctx context.Context) error { return r.stream.Delete(ctx, quota.Least, r.Ingest) })
}

func (r *run) describe(ctx context.Context) (c live.StreamConfig, shape live.Shape, err error) {
	err = r.patiently(ctx, func(ctx context.Context) (err error) {
		c, shape, err = r.stream.Describe(ctx, r.Ingest)
		return err
	})
	return c, shape, err
}

// settled reads until a configuration shows, or a while has passed.
func (r *run) settled(ctx context.Context, shows func(live.StreamConfig, live.Shape) bool) (c live.StreamConfig, shape live.Shape, reads int, err error) {
	for reads = 1; reads <= settleReads; reads++ {
		if c, shape, err = r.describe(ctx); err != nil || shows(c, shape) {
			return c, shape, reads, err
		}
		if err := r.Sleep(ctx, time.Second); err != nil {
			return c, shape, reads, err
		}
	}
	return c, shape, reads, nil
}

const settleReads = 10

func streamDescribeAbsent(ctx context.Context, r *run) (Item, error) {
	i := Item{Sent: "Delete, then Describe", Operator: "there is no configuration: it may create one"}
	if err := r.clear(ctx); err != nil {
		return i, err
	}
	_, shape, _, err := r.settled(ctx, func(_ live.StreamConfig, s live.Shape) bool { return s != live.ShapePresent })
	i.Came = string(shape)
	i.Branch, i.EmulatorFlag = "unknown", ""
	switch shape {
	case live.ShapeEmpty:
		i.Branch = "empty"
	case live.ShapeMissing:
		i.Branch, i.EmulatorFlag = "missing", "--stream-describe-absent=missing"
	case live.ShapeNotFound:
		i.Branch, i.EmulatorFlag = "notfound", "--stream-describe-absent=notfound"
	}
	return i, err
}

func streamDeleteAbsent(ctx context.Context, r *run) (Item, error) {
	i := Item{Sent: "Delete, twice", Operator: "removed"}
	if err := r.clear(ctx); err != nil {
		return i, err
	}
	err := r.patiently(ctx, func(ctx context.Context) error { return r.stream.Remove(ctx, r.Ingest) })
	switch live.ClassOf(err) {
	case "":
		i.Came, i.Branch = "success", "success"
	case live.NotFound:
		i.Came, i.Branch, i.EmulatorFlag, err = "a not-found error", "notfound", "--stream-delete-absent-not-found", nil
	}
	return i, err
}

func streamSetExisting(ctx context.Context, r *run) (Item, error) {
	i := Item{Sent: "Set, and Set with another notifyURL", Operator: "reads and compares; removes first only what it owns"}
	if err := r.clear(ctx); err != nil {
		return i, err
	}
	if err := r.set(ctx, live.StreamConfig{NotifyURL: trialURL + "1"}); err != nil {
		return i, err
	}
	err := r.set(ctx, live.StreamConfig{NotifyURL: trialURL + "2"})
	switch live.ClassOf(err) {
	case "":
		i.Came, i.Branch = "success", "overwritten"
	case live.Exists:
		i.Came, i.Branch, i.EmulatorFlag, err = "an error that it exists", "exists", "--stream-set-exists", nil
	}
	return i, err
}

func streamSetOmitted(ctx context.Context, r *run) (Item, error) {
	i := Item{Sent: "Set with two URLs, and Set with one of them", Operator: "removes, and sets again, where a field has to be cleared and stays"}
	if err := r.clear(ctx); err != nil {
		return i, err
	}
	if err := r.set(ctx, live.StreamConfig{NotifyURL: trialURL + "1", ExceptionNotifyURL: trialURL + "e"}); err != nil {
		return i, err
	}
	if err := r.set(ctx, live.StreamConfig{NotifyURL: trialURL + "2"}); err != nil {
		if live.ClassOf(err) == live.Exists {
			i.Came, i.Branch = "an error that it exists", "not to be seen: see stream-set-existing"
			return i, nil
		}
		return i, err
	}
	c, _, _, err := r.settled(ctx, func(c live.StreamConfig, _ live.Shape) bool { return c.NotifyURL == trialURL+"2" })
	switch c.ExceptionNotifyURL {
	case "":
		i.Came, i.Branch = "the other one is gone", "cleared"
	case trialURL + "e":
		i.Came, i.Branch, i.EmulatorFlag = "the other one is still there", "kept", "--stream-set-merges"
	default:
		i.Came, i.Branch = "another value", "unknown"
	}
	return i, err
}

func keyRules(ctx context.Context, r *run) (Item, error) {
	i := Item{Sent: "Set with a key of 6 characters", Operator: "refuses such a key itself: AuthKeyUnavailable"}
	if err := r.clear(ctx); err != nil {
		return i, err
	}
	err := r.set(ctx, live.StreamConfig{NotifyURL: trialURL, Authentication: true, AuthKey: "123456"})
	switch live.ClassOf(err) {
	case "":
		i.Came, i.Branch, i.EmulatorFlag = "success", "accepted", "--accept-any-key"
	case live.Rejected:
		i.Came, i.Branch, err = "it is refused", "enforced", nil
	}
	return i, err
}

func keyType(ctx context.Context, r *run) (Item, error) {
	i := Item{Sent: "Set with a key of digits, and Describe", Operator: "takes both for the same key"}
	if err := r.clear(ctx); err != nil {
		return i, err
	}
	want := live.StreamConfig{NotifyURL: trialURL + "k", Authentication: true, AuthKey: "1234567890123456"}
	if err := r.set(ctx, want); err != nil {
		return i, err
	}
	c, _, _, err := r.settled(ctx, func(c live.StreamConfig, _ live.Shape) bool { return c == want })
	switch {
	case err != nil:
		return i, err
	case c != want:
		i.Came, i.Branch = "another key, or none", "unknown"
		return i, nil
	}
	var number bool
	err = r.patiently(ctx, func(ctx context.Context) (err error) {
		number, err = r.stream.KeyIsNumber(ctx, r.Ingest)
		return err
	})
	i.Came, i.Branch = "the key as a string", "string"
	if number {
		i.Came, i.Branch, i.EmulatorFlag = "the key as a number", "number", "--stream-key-as-number"
	}
	return i, err
}

func snapshotDescribeAbsent(ctx context.Context, r *run) (Item, error) {
	i := Item{Sent: "Delete, then Describe of the snapshot callbacks", Operator: "there is no configuration: it may create one"}
	err := r.patiently(ctx, func(ctx context.Context) error { return r.snapshot.Delete(ctx, quota.Least, r.Streaming) })
	shape := live.ShapePresent
	for reads := 0; err == nil && shape == live.ShapePresent && reads < settleReads; reads++ {
		if reads > 0 {
			if err := r.Sleep(ctx, time.Second); err != nil {
				return i, err
			}
		}
		err = r.patiently(ctx, func(ctx context.Context) (err error) {
			_, shape, err = r.snapshot.Describe(ctx, r.Streaming)
			return err
		})
	}
	switch i.Came = string(shape); shape {
	case live.ShapeEmpty, live.ShapeMissing:
		i.Branch = "empty"
	case live.ShapeNotFound:
		i.Branch, i.EmulatorFlag = "notfound", "--snapshot-describe-not-found"
	default:
		i.Branch = "unknown"
	}
	return i, err
}

func readDelay(ctx context.Context, r *run) (Item, error) {
	i := Item{Sent: "Delete, Set, and Describe until it shows", Operator: "takes what still shows the old state for no drift, for 60 s"}
	if err := r.clear(ctx); err != nil {
		return i, err
	}
	if err := r.set(ctx, live.StreamConfig{NotifyURL: trialURL + "d"}); err != nil {
		return i, err
	}
	_, shape, reads, err := r.settled(ctx, func(c live.StreamConfig, _ live.Shape) bool { return c.NotifyURL == trialURL+"d" })
	switch {
	case shape != live.ShapePresent:
		i.Came, i.Branch = "it does not show within 10 s", "unknown"
	case reads == 1:
		i.Came, i.Branch = "it shows at once", "none"
	default:
		i.Came, i.Branch, i.EmulatorFlag = "it shows after some seconds", "some seconds", fmt.Sprintf("--read-delay=%ds", reads-1)
	}
	return i, err
}

func recordUpdateOmitted(ctx context.Context, r *run) (Item, error) {
	i := Item{Sent: "Add with onDemandURL, and Update without", Operator: "sends all fields, and removes where one has to be cleared and stays"}
	steps := []func(context.Context) error{
		func(ctx context.Context) error { return r.record.Delete(ctx, quota.Least, r.Streaming) },
		func(ctx context.Context) error {
			return r.record.Add(ctx, r.Streaming, live.RecordConfig{NotifyURL: trialURL + "1", OnDemandURL: trialURL + "o"})
		},
		func(ctx context.Context) error {
			return r.record.Update(ctx, r.Streaming, live.RecordConfig{NotifyURL: trialURL + "2"}, true)
		},
	}
	for _, step := range steps {
		if err := r.patiently(ctx, step); err != nil {
			return i, err
		}
	}
	for range settleReads {
		now, err := r.copy(ctx)
		if err != nil {
			return i, err
		}
		switch {
		case now.record.NotifyURL != trialURL+"2":
			i.Came, i.Branch = "the update does not show within 10 s", "unknown"
		case now.record.OnDemandURL == "":
			i.Came, i.Branch = "onDemandURL is gone", "reset"
			return i, nil
		default:
			i.Came, i.Branch, i.EmulatorFlag = "onDemandURL is still there", "kept", "--record-update-merges"
			return i, nil
		}
		if err := r.Sleep(ctx, time.Second); err != nil {
			return i, err
		}
	}
	return i, nil
}

func mpuDescribeAbsent(ctx context.Context, r *run) (Item, error) {
	i := Item{Sent: "Describe of an application", Operator: "there is no subscription: it may create one"}
	var shape live.Shape
	err := r.patiently(ctx, func(ctx context.Context) (err error) {
		_, shape, err = r.mpu.Describe(ctx, r.AppID)
		return err
	})
	i.Came = string(shape)
	switch shape {
	case live.ShapePresent:
		i.Branch, i.Operator = "not to be seen: there is a subscription", "compares it"
	case live.ShapeMissing, live.ShapeEmpty:
		i.Branch = "empty"
	default:
		i.Came, i.Branch, i.EmulatorFlag = "InvalidParam", "invalid", "--mpu-describe-absent-invalid"
	}
	return i, err
}

func streamDescribe(ctx context.Context, r *run) (Item, error) {
	i := Item{Sent: "Describe", Operator: "compares what there is"}
	_, shape, err := r.describe(ctx)
	i.Came, i.Branch = string(shape), "readable"
	return i, err
}

// Markdown returns the report to paste into an issue.
func Markdown(r *Report) string {
	var b strings.Builder
	b.WriteString("| Point | Sent | Came | Branch | The operator |\n|---|---|---|---|---|\n")
	for _, i := range r.Items {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", i.Point, i.Sent, i.Came, i.Branch, i.Operator)
	}
	for _, p := range r.Errors {
		fmt.Fprintf(&b, "| %s | | %s | could not be found out | |\n", p.Object, p.Reason)
	}
	return b.String()
}

// EmulatorFlags returns the flags that make the emulator answer as the cloud does.
func EmulatorFlags(r *Report) string {
	var flags []string
	for _, i := range r.Items {
		if i.EmulatorFlag != "" {
			flags = append(flags, i.EmulatorFlag)
		}
	}
	return strings.Join(flags, " ") + "\n"
}
