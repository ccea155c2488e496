// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/planning"
	"github.com/live-notify/live-notify-operator/internal/probing"
	"github.com/live-notify/live-notify-operator/internal/words"
)

type probeOptions struct {
	url, as, typed   string
	keyFrom, keyFile string
	verify           bool
	count            int
	consent
}

func (a *app) probe() *cobra.Command {
	var o probeOptions
	cmd := &cobra.Command{
		Use:   "probe TYPE/NAME | --url URL --as stream|record|ondemand|snapshot|mpu|rtc",
		Short: "Send a receiver one callback as the cloud would",
		Long: "Send a receiver one callback as the cloud would, marked by X-Live-Notify-Probe: 1 and a stream name that says so.\n\n" +
			"It is sent from where this runs: the cloud's own way to the receiver is not tested.",
		Example: "  # To the receiver of an object, signed with its key, and whether it refuses wrong ones:\n  " + a.name + " probe lnc/push-example-com --verify\n\n" +
			"  # To any URL:\n  " + a.name + " probe --url https://hooks.example.com/live --as record",
		Args: cobra.MaximumNArgs(2), ValidArgsFunction: a.completeObjects,
		RunE: func(cmd *cobra.Command, args []string) error { return a.doProbe(cmd.Context(), o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.url, "url", "", "Receiver, in place of that of an object.")
	f.StringVar(&o.as, "as", "", "Which callback: stream, record, ondemand, snapshot, mpu or rtc.")
	f.StringVar(&o.typed, "type", "", "Type of the callback, such as publish_done of stream or record_started of record.")
	f.StringVar(&o.keyFrom, "key-from", "", "Key to sign with, as secret/NAME/ENTRY.")
	f.StringVar(&o.keyFile, "key-file", "", "File with the key to sign with, or - for stdin.")
	f.BoolVar(&o.verify, "verify", false, "Send also a wrong key, a stale time and no signature: a receiver that takes any is a no.")
	f.IntVar(&o.count, "count", 1, "How many to send.")
	o.flags(cmd, "Show what would be sent.")
	a.outputFlag(cmd, "jsonl")
	return cmd
}

func (o probeOptions) check(args []string) error {
	switch {
	case len(args) == 0 && o.url == "":
		return usage("name an object as TYPE/NAME, or a receiver with --url")
	case checkReceiver("url", o.url) != nil:
		return checkReceiver("url", o.url)
	case len(args) == 0 && o.as == "":
		return usage("say with --as which callback to send")
	case o.as != "" && callback.Family(o.as).Method() == "":
		return usage("--as %q: want stream, record, ondemand, snapshot, mpu or rtc", o.as)
	case o.count < 1 || o.count > 100:
		return usage("--count: want 1 to 100")
	case o.keyFrom != "" && o.keyFile != "":
		return usage("give --key-from or --key-file, not both")
	}
	return nil
}

func (a *app) doProbe(ctx context.Context, o probeOptions, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	open := a.cluster
	if len(args) > 0 || o.keyFrom != "" {
		open = a.needCluster
	}
	cluster, err := open()
	if err != nil {
		return err
	}
	t, err := a.target(ctx, cluster, o, args)
	if err != nil {
		return err
	}
	if o.verify && (t.Key == "" || !t.Family.Signed()) {
		return usage("--verify needs a key, and callbacks that are signed: give --key-from or --key-file")
	}
	n := o.count
	if o.verify {
		n += 3
	}
	fmt.Fprintf(a.err, "Probe: %s of %s, %s, to %s\n", words.Count(n, "callback"), t.Family, map[bool]string{true: "unsigned", false: "signed"}[t.Key == ""], oneLine(t.Shown()))
	if o.dryRun {
		return show(a, probing.Foretell(t, o.verify, o.count), probeView())
	}
	if err := a.confirm(ctx, o.yes, "Send?"); err != nil {
		return err
	}
	r, err := probing.Probe(ctx, callback.NewSender(nil), t, o.verify, o.count, time.Now)
	if err != nil {
		return err
	}
	if err := show(a, r, probeView()); err != nil {
		return err
	}
	if r.Summary.Bad > 0 {
		return errNo
	}
	return nil
}

// target returns what is probed, if the cloud could send such a callback.
func (a *app) target(ctx context.Context, cluster client.Client, o probeOptions, args []string) (t probing.Target, err error) {
	t = probing.Target{Family: callback.Family(o.as), URL: o.url, Type: o.typed}
	if len(args) > 0 {
		if err := a.aim(ctx, cluster, &t, args); err != nil {
			return t, err
		}
	}
	if types := t.Family.Types(); t.Type != "" && !slices.Contains(types, t.Type) {
		if len(types) == 0 {
			return t, usage("--type: callbacks of %s do not differ by a type", t.Family)
		}
		return t, usage("--type: want for callbacks of %s one of %s", t.Family, strings.Join(types, ", "))
	}
	if o.keyFrom != "" || o.keyFile != "" {
		if t.Key, err = unless(ctx, func() (live.Key, error) { return a.givenKey(ctx, cluster, o) }); err != nil {
			return t, err
		}
	}
	if t.Key != "" {
		if _, err := live.ParseKey(string(t.Key), maxKey(t.Family)); err != nil {
			return t, usage("the key %s", err)
		}
	}
	t.Secrets = append(t.Secrets, string(t.Key))
	if !t.Family.Signed() {
		t.Key = "" // what is sent is not signed, whatever is given
	}
	return t, nil
}

// maxKey returns the most characters that the cloud takes for the key that callbacks of
// a family are signed with.
func maxKey(f callback.Family) int {
	switch f {
	case callback.Record, callback.OnDemand:
		return live.MaxRecordKey
	case callback.Snapshot:
		return live.MaxSnapshotKey
	default:
		return live.MaxStreamKey
	}
}

// aim makes a target that of an object.
func (a *app) aim(ctx context.Context, c client.Client, t *probing.Target, args []string) error {
	subjects, err := a.subjects(ctx, c, selection{}, args)
	if err != nil {
		return err
	}
	if len(subjects) != 1 {
		return usage("name one object")
	}
	s := subjects[0]
	t.Domain = s.Kind.Key(s.Object)
	if t.Family == "" {
		t.Family = s.Kind.Family
	}
	if t.Family == "" {
		return usage("say with --as which callback to send: those of %s are not known", s.Kind.Name)
	}
	if t.URL == "" {
		for _, f := range s.Kind.Desired(s.Object, "").Fields() {
			if f.Name == receiverField(t.Family) {
				t.URL = f.Value
			}
		}
	}
	if t.URL == "" {
		return usage("the object names no receiver of these callbacks: give one with --url")
	}
	for _, said := range []string{lostOf(s), contradiction(s)} {
		if said != "" {
			fmt.Fprintln(a.err, "Warning:", said)
		}
	}
	t.Key, err = planning.KeysFrom(secretsOf(c))(ctx, s.Kind, s.Object)
	t.Secrets = []string{string(t.Key)}
	return err
}

// receiverField is the field of a spec that names the receiver of a family.
func receiverField(f callback.Family) string {
	switch f {
	case callback.OnDemand:
		return "onDemandURL"
	case callback.MPU, callback.RTC:
		return "callbackURL"
	default:
		return "notifyURL"
	}
}

// maxKeyFile bounds what is read of a file with a key.
const maxKeyFile = 4096

// givenKey reads the key that flags name.
func (a *app) givenKey(ctx context.Context, c client.Client, o probeOptions) (live.Key, error) {
	var text string
	if o.keyFile != "" {
		in, err := a.open("--key-file", o.keyFile)
		if err != nil {
			return "", err
		}
		defer in.Close()
		b, err := io.ReadAll(io.LimitReader(in, maxKeyFile))
		if err != nil {
			return "", unknown("--key-file: it cannot be read")
		}
		text = strings.TrimRight(string(b), "\r\n")
	} else {
		parts := strings.Split(o.keyFrom, "/")
		if len(parts) != 3 || parts[0] != "secret" || parts[1] == "" || noPart(parts[1]) {
			return "", usage("--key-from: want secret/NAME/ENTRY")
		}
		namespace, err := a.namespace()
		if err != nil {
			return "", err
		}
		secret, err := secretsOf(c)(ctx, namespace, parts[1])
		if err != nil {
			return "", err
		}
		if secret == nil || secret.Data[parts[2]] == nil {
			return "", usage("--key-from: the Secret, or its entry, does not exist")
		}
		text = string(secret.Data[parts[2]])
	}
	if text == "" {
		return "", usage("the key is empty")
	}
	return live.Key(text), nil // what is wrong with it depends on what it signs
}

func probeView() view[probing.Item] {
	return view[probing.Item]{
		head: []string{"CASE", "GOOD", "STATUS", "TIME", "ADDRESS", "TLS", "DAYS LEFT", "MESSAGE"}, wide: []string{"CERTIFICATE", "ANSWER"},
		row: func(i probing.Item) []string {
			good, status, took, days := "-", "-", "-", "-" // of what was not sent
			if i.Good != nil {
				good, took = map[bool]string{true: "yes", false: "no"}[*i.Good], fmt.Sprintf("%d ms", i.Milliseconds)
			}
			if i.Status != 0 {
				status = fmt.Sprint(i.Status)
			}
			if i.DaysLeft != nil {
				days = fmt.Sprint(*i.DaysLeft)
			}
			return []string{i.Case, good, status, took, orDash(i.Connected), orDash(i.TLS), days, i.Message, orDash(i.Certificate), i.Answer}
		},
		name: func(i probing.Item) string { return i.Case },
	}
}
