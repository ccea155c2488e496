// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/access"
	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/failures"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/planning"
	"github.com/live-notify/live-notify-operator/internal/replay"
	"github.com/live-notify/live-notify-operator/internal/report"
)

type replayOptions struct {
	selection
	recordFlags
	file, toURL, journal string
	rate                 float64
	most, stopAfter      int
	superseded           bool
	consent
}

func (a *app) replay() *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay TYPE/NAME | -f failures.jsonl",
		Short: "Deliver failed callbacks again, each at most once",
		Long: "Deliver failed callbacks again, from where this runs, to the configured receiver or another one: the request that the cloud made, signed anew, oldest first.\n\n" +
			"A journal remembers what was delivered: run it again to go on. Not possible are exceptions and switches, which the cloud does not record, and the signature of MPU and RTC events, whose formula is not published.",
		Example: "  # What would be sent to whom, of the last two hours:\n  " + a.name + " replay lnc/push-example-com --since 2h --dry-run\n\n" +
			"  # Send it:\n  " + a.name + " replay lnc/push-example-com --since 2h",
		ValidArgsFunction: a.completeObjects,
		RunE: func(cmd *cobra.Command, args []string) error {
			q, err := o.query(cmd)
			if err != nil {
				return err
			}
			return a.doReplay(cmd.Context(), o, q, args)
		},
	}
	o.selection.flags(cmd)
	o.recordFlags.flags(cmd)
	f := cmd.Flags()
	f.StringVarP(&o.file, "filename", "f", "", "Failures as \"failures --content -o jsonl\" prints them, or - for stdin.")
	f.StringVar(&o.toURL, "to-url", "", "Another receiver than the configured one.")
	f.Float64Var(&o.rate, "rate", 5, "Deliveries a second; 0 for no limit.")
	f.IntVar(&o.most, "max", 100, "Refuse to deliver more than this.")
	f.IntVar(&o.stopAfter, "stop-after", 5, "Stop after so many failures in a row; 0 for never.")
	f.BoolVar(&o.superseded, "include-superseded", false, "Deliver also a publish after which the stream has stopped.")
	f.StringVar(&o.journal, "journal", "", "File that remembers what was delivered. Default: one for each object in the user's state directory.")
	o.consent.flags(cmd, "Show what would be delivered.")
	a.outputFlag(cmd, "jsonl")
	return cmd
}

// leastRate and mostRate bound --rate.
const leastRate, mostRate = 0.001, 10_000.0

func (o replayOptions) check(args []string) error {
	if err := checkReceiver("to-url", o.toURL); err != nil {
		return err
	}
	switch {
	case o.file == "" && len(args) == 0 && !o.all && o.selector == "":
		return usage("name the objects as TYPE/NAME, or give failures with -f")
	case o.file != "" && (len(args) > 0 || o.all || o.selector != ""):
		return usage("give TYPE/NAME or -f, not both")
	case o.most < 0, o.stopAfter < 0:
		return usage("--max and --stop-after must not be negative")
	case o.rate != 0 && !(o.rate >= leastRate && o.rate <= mostRate): // NaN is neither
		return usage("--rate: want 0 for no limit, or %v to %v", leastRate, mostRate)
	}
	return nil
}

func (a *app) doReplay(ctx context.Context, o replayOptions, q failures.Query, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	cluster, clouds, err := a.connect(ctx, o.file == "")
	if err != nil {
		return err
	}
	r := report.New[replay.Summary, replay.Item]("Replay")
	var failed []failures.Item
	var subjects []planning.Subject
	if o.file != "" {
		if failed, err = unless(ctx, func() ([]failures.Item, error) { return a.readFailures(o.file) }); err == nil {
			subjects, err = subjectsOf(ctx, cluster, failed)
		}
	} else if subjects, err = a.subjects(ctx, cluster, o.selection, args); err == nil {
		if len(subjects) == 0 {
			a.nothing(cluster, o.selection, args)
		}
		if subjects, err = owners(subjects, byName(args), r); err == nil {
			failed, err = a.failed(ctx, clouds, subjects, q, byName(args), r)
		}
	}
	if err != nil {
		return err
	}
	candidates, err := a.candidates(ctx, cluster, clouds, subjects, failed, o.file != "" || byName(args), r)
	if err != nil {
		return err
	}
	return a.deliver(ctx, o, candidates, r)
}

// owners refuses an object that was named and whose domain or application another one has:
// the spec of that one says what the cloud does. One that was not named is left out.
func owners(subjects []planning.Subject, named bool, r *replay.Report) (list []planning.Subject, err error) {
	for _, s := range subjects {
		switch lost := lostOf(s); {
		case lost == "":
			list = append(list, s)
		case named:
			return nil, usage("%s Replay the callbacks of that one", lost)
		default:
			r.Warn(lost + " It is left out.")
		}
	}
	return list, nil
}

// lostOf says of an object who has what it names; "" if the operator says of no other one.
func lostOf(s planning.Subject) string {
	if lost := s.Lost(); lost != "" {
		return referred(s.Kind.Name, s.Object.GetNamespace(), s.Object.GetName()) + " does not have what it names: " + lost
	}
	return ""
}

// contradiction says that an object's spec and the cloud do not agree on whether callbacks
// are signed, or that nobody knows whether what is sent unsigned should be; else "".
func contradiction(s planning.Subject) string {
	signed, known := s.Signed()
	name, asks := referred(s.Kind.Name, s.Object.GetNamespace(), s.Object.GetName()), s.Kind.KeyRef(s.Object) != nil
	switch {
	case !known && !asks && s.Kind.Authentication != nil:
		return name + ": these callbacks are sent unsigned, as the spec has no authentication, and the operator has not read whether the cloud signs them."
	case !known || signed == asks:
		return ""
	case asks:
		return name + ": the cloud does not sign these callbacks, as the operator has read it last, and they are sent signed, as the spec says."
	default:
		return name + ": the cloud signs these callbacks, as the operator has read it last, and they are sent unsigned, as the spec has no authentication."
	}
}

// failed returns the failures of objects. One that cannot be read ends the call if it was
// named; else it is an error of the report, and left out.
func (a *app) failed(ctx context.Context, clouds *access.Clouds, subjects []planning.Subject, q failures.Query, named bool, r *replay.Report) ([]failures.Item, error) {
	q.WithContent, q.WithResponse, q.EachObject = true, true, true // each has a journal
	found, err := failures.List(ctx, clouds, subjects, q)
	if err != nil {
		return nil, err
	}
	if named && len(found.Errors) > 0 {
		a.tell(found.Warnings, found.Errors)
		return nil, errTold
	}
	a.tell(found.Warnings, nil)
	r.Errors = append(r.Errors, found.Errors...)
	return found.Items, nil
}

// maxLine bounds a line of failures.
const maxLine = 1 << 20

// readFailures reads failures from a file.
func (a *app) readFailures(name string) ([]failures.Item, error) {
	in, err := a.open("-f", name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var items []failures.Item
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var i failures.Item
		if err := json.Unmarshal(lines.Bytes(), &i); err != nil || i.Delivery == "" || i.Namespace == "" || i.Name == "" || i.Time.IsZero() ||
			kindOf(i.Kind, v1alpha1.GroupVersion.String()) == nil {
			return nil, usage("-f: line %d is no failure, as \"failures --content -o jsonl\" prints them", n)
		}
		items = append(items, i)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, usage("-f: a line is longer than %d bytes, and none of failures is", maxLine)
	case err != nil:
		return nil, unknown("-f: the failures cannot be read")
	case len(items) == 0:
		return nil, usage("-f: there is no failure in it. Look at the path, or at what writes to the pipe")
	}
	return items, nil
}

// subjectsOf returns the objects that failures are of, as far as there is a cluster
// that has them.
func subjectsOf(ctx context.Context, c client.Client, items []failures.Item) ([]planning.Subject, error) {
	var list []planning.Subject
	for _, i := range items {
		if slices.ContainsFunc(list, i.IsOf) {
			continue
		}
		k := kindOf(i.Kind, v1alpha1.GroupVersion.String())
		o := k.New()
		o.SetNamespace(i.Namespace)
		o.SetName(i.Name)
		if c != nil {
			err := c.Get(ctx, types.NamespacedName{Namespace: i.Namespace, Name: i.Name}, o)
			if err != nil && !apierrors.IsNotFound(err) {
				return nil, err
			}
		}
		list = append(list, planning.Subject{Kind: k, Object: o})
	}
	return list, nil
}

// late is by how much a callback may be recorded later than what happened after it: the
// cloud tries six times, for 5 s each.
const late = time.Minute

// candidates completes failures with the keys to sign with, and with what is recorded
// after them. An object of which that cannot be read is as with failed.
func (a *app) candidates(ctx context.Context, c client.Client, clouds *access.Clouds, subjects []planning.Subject, failed []failures.Item, named bool, r *replay.Report) ([]replay.Candidate, error) {
	keys := planning.KeysFrom(secretsOf(c))
	var list []replay.Candidate
	for _, s := range subjects {
		one := replay.Candidate{Subject: s, Barred: lostOf(s)}
		for _, i := range failed {
			if i.IsOf(s) {
				one.Failed = append(one.Failed, i)
			}
		}
		if len(one.Failed) == 0 {
			continue
		}
		if one.Barred == "" && !one.Absent() {
			err := complete(ctx, &one, keys, clouds)
			switch {
			case ctx.Err() != nil:
				return nil, ctx.Err()
			case err != nil && named:
				return nil, because(err, "%s", referred(s.Kind.Name, s.Object.GetNamespace(), s.Object.GetName()))
			case err != nil:
				r.Fail(problemOf(s, err))
				continue
			}
			warnOfSignature(r, s)
		}
		list = append(list, one)
	}
	return list, nil
}

// complete reads the key of a candidate, and what is recorded since its oldest failure.
func complete(ctx context.Context, one *replay.Candidate, keys planning.Keys, clouds *access.Clouds) (err error) {
	s := one.Subject
	if one.Key, err = keys(ctx, s.Kind, s.Object); err != nil {
		return err // its receiver would refuse them, or take what it should not
	}
	oldest := slices.MinFunc(one.Failed, func(a, b failures.Item) int { return a.Time.Compare(b.Time) })
	one.Records, _, err = failures.Read(ctx, clouds, s, live.Span{From: oldest.Time.Add(-late), To: time.Now().Truncate(time.Second).Add(time.Second)})
	return err
}

// problemOf tells why an object is left out.
func problemOf(s planning.Subject, err error) report.Problem {
	reason, message := access.Explain(err)
	if errors.Is(err, planning.ErrKeyUnknown) {
		reason = v1alpha1.ReasonAuthKeyUnavailable
	}
	if _, ours := errors.AsType[*unknownError](err); ours {
		message = explained(err)
	}
	return report.Problem{Object: s.Kind.Name + "/" + s.Object.GetNamespace() + "/" + s.Object.GetName(), Reason: reason, Message: message}
}

// warnOfSignature tells what is odd in how the callbacks of an object are signed.
func warnOfSignature(r *replay.Report, s planning.Subject) {
	if odd := contradiction(s); odd != "" {
		r.Warn(odd)
	}
	if !s.Kind.Family.Signed() {
		r.Warn(referred(s.Kind.Name, s.Object.GetNamespace(), s.Object.GetName()) + ": events of RTC applications are sent unsigned, since the formula of their signature is not published.")
	}
}

// deliver says what is to be sent, asks, and sends it.
func (a *app) deliver(ctx context.Context, o replayOptions, candidates []replay.Candidate, r *replay.Report) error {
	journals, err := openJournals(o.journal, candidates)
	if err != nil {
		return err
	}
	defer journals.close()
	r.Items = append(r.Items, replay.Select(candidates, journals.state, replay.Options{ToURL: o.toURL, IncludeSuperseded: o.superseded})...)
	warnOfAbsent(r, candidates, o.toURL)
	r.Summary = replay.Sum(r.Items)
	r.Summary.Journal = journals.name
	a.foretell(r, o)
	switch {
	case r.Summary.Pending == 0 || o.dryRun:
		return a.showReplay(r, o, nil)
	case r.Summary.Pending > o.most:
		return usage("%s to be delivered, more than --max %s: narrow the selection, or raise it", many(r.Summary.Pending, "callback"), thousands(o.most))
	}
	if err := a.confirm(ctx, o.yes, fmt.Sprintf("Deliver %s?", many(r.Summary.Pending, "callback"))); err != nil {
		return err
	}
	step, done := a.progress(r.Summary.Pending, "delivering")
	runner := &replay.Runner{
		Journal: func(i replay.Item) *replay.Journal { return journals.of(i.Kind, i.Namespace, i.Name) },
		Sender:  callback.NewSender(nil), Rate: o.rate, StopAfter: o.stopAfter, Now: time.Now, Sleep: a.sleep, Progress: step,
	}
	err = runner.Run(ctx, r.Items)
	done()
	journal := r.Summary.Journal
	r.Summary = replay.Sum(r.Items)
	r.Summary.Journal = journal
	return a.showReplay(r, o, err)
}

// warnOfAbsent tells of the objects that are not in the cluster, and for which something is
// to be sent.
func warnOfAbsent(r *replay.Report, candidates []replay.Candidate, toURL string) {
	where := ""
	if toURL == "" {
		where = " to the URL that failed"
	}
	for _, c := range candidates {
		s := c.Subject
		if c.Absent() && slices.ContainsFunc(r.Items, func(i replay.Item) bool { return i.Result == replay.Pending && i.IsOf(s) }) {
			r.Warn(referred(s.Kind.Name, s.Object.GetNamespace(), s.Object.GetName()) + " is not in the cluster: its callbacks are sent unsigned" + where + ", whatever came after them.")
		}
	}
}

// foretell says how many, to whom, of which types, of which span, and how long.
func (a *app) foretell(r *replay.Report, o replayOptions) {
	receivers, typed, private := map[string]int{}, map[string]int{}, map[string]bool{}
	var first, last time.Time
	for _, i := range r.Items {
		if i.Result != replay.Pending {
			continue
		}
		at, shown := i.To, i.Shown()
		receivers[shown.To]++
		typed[shown.Type]++
		if u, err := url.Parse(at); err == nil && !callback.Public(u.Host) {
			private[shown.To] = true
		}
		if first.IsZero() {
			first = i.Time
		}
		last = i.Time
	}
	fmt.Fprintf(a.err, "Replay: %s to deliver, %s skipped, %s in doubt%s.\n", thousands(r.Summary.Pending), thousands(r.Summary.Skipped), thousands(r.Summary.InDoubt), notPossible(r.Summary))
	switch {
	case len(r.Items) == 0 && o.file != "":
		fmt.Fprintln(a.err, "The file holds no failures.")
	case len(r.Items) == 0 && len(r.Errors) == 0:
		fmt.Fprintln(a.err, "No failed callback is recorded that is asked for. Look further back with --since, or select more.")
	}
	if r.Summary.Pending == 0 {
		return
	}
	if !o.dryRun {
		for _, w := range r.Warnings { // which the report has too, when it is late
			fmt.Fprintln(a.err, "  Note:", w)
		}
		for _, p := range r.Errors {
			fmt.Fprintf(a.err, "  Left out: %s: %s: %s\n", p.Object, p.Reason, p.Message)
		}
	}
	for _, to := range slices.Sorted(maps.Keys(receivers)) {
		fmt.Fprintf(a.err, "  %s to %s\n", thousands(receivers[to]), oneLine(to))
		if private[to] {
			fmt.Fprintln(a.err, "    This address is not public: the cloud itself cannot reach it.")
		}
	}
	for _, t := range slices.Sorted(maps.Keys(typed)) {
		fmt.Fprintf(a.err, "  %s of type %s\n", thousands(typed[t]), oneLine(t))
	}
	fmt.Fprintf(a.err, "  of %s to %s\n", first.Format(time.RFC3339), last.Format(time.RFC3339))
	if o.rate > 0 {
		fmt.Fprintf(a.err, "  in about %s\n", time.Duration(float64(r.Summary.Pending)/o.rate*float64(time.Second)).Round(time.Second))
	}
}

// showReplay prints what was done, also when it came to an end in the middle.
func (a *app) showReplay(r *replay.Report, o replayOptions, ended error) error {
	for n, i := range r.Items {
		r.Items[n] = i.Shown()
	}
	if err := show(a, r, replayView()); err != nil {
		return err
	}
	s := r.Summary
	fmt.Fprintf(a.err, "Replay: %s delivered, %s refused, %s in doubt, %s skipped, %s pending%s. Journal: %s\n",
		thousands(s.Delivered), thousands(s.Refused), thousands(s.InDoubt), thousands(s.Skipped), thousands(s.Pending), notPossible(s), s.Journal)
	switch {
	case ended != nil && !errors.Is(ended, context.Canceled):
		return ended
	case ended != nil:
		fmt.Fprintln(a.err, "Run the same again to go on.")
		return ended
	case s.Pending > 0 && !o.dryRun:
		fmt.Fprintf(a.err, "Stopped after %s in a row. Mend the receiver, and run the same again to go on.\n", many(o.stopAfter, "failure"))
	}
	switch {
	case len(r.Errors) > 0:
		return errTold
	case !o.dryRun && s.Pending+s.Refused+s.InDoubt+s.NotPossible > 0:
		return errNo
	}
	return nil
}

// notPossible tells how many cannot be replayed, if there are any.
func notPossible(s replay.Summary) string {
	if s.NotPossible == 0 {
		return ""
	}
	return ", " + thousands(s.NotPossible) + " not possible"
}

func replayView() view[replay.Item] {
	return view[replay.Item]{
		head: []string{"TIME", "TYPE", "STREAM", "RESULT", "MESSAGE"}, wide: []string{"TO", "DELIVERY"},
		row: func(i replay.Item) []string {
			return []string{i.Time.Format(time.RFC3339), i.Type, orDash(strings.Trim(i.App+"/"+i.Stream, "/")), i.Result, orDash(i.Message), i.To, i.Delivery}
		},
		name: func(i replay.Item) string { return i.Delivery },
	}
}

// journals are those of the objects.
type journals struct {
	name string // of the file, or of the directory
	open map[string]*replay.Journal
	one  *replay.Journal
}

var noFile = regexp.MustCompile("[^A-Za-z0-9.-]")

func journalName(kind, namespace, name string) string {
	return noFile.ReplaceAllString(strings.ToLower(kind)+"_"+namespace+"_"+name, "_") + ".jsonl"
}

// openJournals opens one journal for all, or one for each object.
func openJournals(path string, candidates []replay.Candidate) (*journals, error) {
	j := &journals{name: path, open: map[string]*replay.Journal{}}
	if path != "" {
		var err error
		if j.one, err = replay.Open(path, time.Now); err != nil {
			return nil, usage("%s", err)
		}
		return j, nil
	}
	dir, err := stateDirectory()
	if err != nil {
		return nil, err
	}
	j.name = filepath.Join(dir, "replay")
	for _, c := range candidates {
		name := journalName(c.Subject.Kind.Name, c.Subject.Object.GetNamespace(), c.Subject.Object.GetName())
		if len(candidates) == 1 {
			j.name = filepath.Join(j.name, name)
		}
		if j.open[name], err = replay.Open(filepath.Join(dir, "replay", name), time.Now); err != nil {
			j.close()
			return nil, usage("%s", err)
		}
	}
	return j, nil
}

func (j *journals) of(kind, namespace, name string) *replay.Journal {
	if j.one != nil {
		return j.one
	}
	return j.open[journalName(kind, namespace, name)]
}

// state returns what is known of a callback and a receiver, whichever object it was sent
// for: several may name one domain.
func (j *journals) state(delivery, to string) replay.State {
	if j.one != nil {
		return j.one.State(delivery, to)
	}
	var known []replay.State
	for _, one := range j.open {
		known = append(known, one.State(delivery, to))
	}
	for _, s := range []replay.State{replay.Taken, replay.Doubt, replay.Refused} {
		if slices.Contains(known, s) {
			return s
		}
	}
	return replay.Fresh
}

func (j *journals) close() {
	for _, one := range j.open {
		if one != nil {
			_ = one.Close() // each line is on the disk
		}
	}
	if j.one != nil {
		_ = j.one.Close() // each line is on the disk
	}
}

// stateDirectory returns where programs of the user keep what they remember.
func stateDirectory() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "live-notify"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", usage("there is no home directory to keep a journal in: name a file with --journal")
	}
	return filepath.Join(home, ".local", "state", "live-notify"), nil
}
