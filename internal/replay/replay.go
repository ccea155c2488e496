// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/failures"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/planning"
	"github.com/live-notify/live-notify-operator/internal/report"
)

// Headers of a replayed callback.
const (
	ReplayHeader   = "X-Live-Notify-Replay"
	OriginalHeader = "X-Live-Notify-Original-Time"
	DeliveryHeader = "X-Live-Notify-Delivery"
)

// Results of an item.
const (
	Delivered  = "delivered"
	WasRefused = "refused"
	InDoubt    = "in doubt"
	Skipped    = "skipped" // it needs no replay
	// NotPossible is for what cannot be replayed: the request that the cloud made is not
	// known.
	NotPossible = "not possible"
	Pending     = "pending" // not reached: stopped, interrupted, or a dry run
)

// Item is what became of one callback.
type Item struct {
	failures.Item
	// To is the receiver that it was, or would be, sent to.
	To     string `json:"to"`
	Result string `json:"result"`
	// Status of the receiver's answer.
	Status int `json:"status,omitempty"`
	// Message says why.
	Message string `json:"message,omitempty"`

	event callback.Event
	key   live.Key
}

// hide returns a text without the key of the item's object, and without the credentials
// of URLs.
func (i *Item) hide(text string) string { return callback.HideIn(text, string(i.key)) }

// receiver returns the item's receiver as it is noted and shown.
func (i *Item) receiver() string { return i.hide(i.To) }

// Shown returns the item as it is shown: without a secret, and without its content, which
// may hold tokens.
func (i Item) Shown() Item {
	i.Content = ""
	i.Rewrite(i.hide)
	i.To = i.receiver()
	return i
}

// Summary counts the items.
type Summary struct {
	Selected  int `json:"selected"`
	Delivered int `json:"delivered"`
	Refused   int `json:"refused"`
	InDoubt   int `json:"inDoubt"`
	Skipped   int `json:"skipped"`
	// NotPossible are those whose request is not known.
	NotPossible int `json:"notPossible"`
	Pending     int `json:"pending"`
	// Journal is the file that remembers.
	Journal string `json:"journal"`
}

// Report is a replay.
type Report = report.Report[Summary, Item]

// Candidate is a failed callback, the object that it is of, and all that is recorded
// after it.
type Candidate struct {
	Subject planning.Subject
	Key     live.Key // to sign with; "" for not at all
	Failed  []failures.Item
	Records []live.Delivery
	// Barred says why none is delivered for this object; "" for nothing.
	Barred string
}

// Absent tells that a candidate's object is not in the cluster: nobody knows its receiver
// and its key.
func (c Candidate) Absent() bool { return c.Subject.Kind.Key(c.Subject.Object) == "" }

// doubt orders candidates of one callback: what the spec of the least says is done.
func (c Candidate) doubt() int {
	switch {
	case c.Barred != "":
		return 2
	case c.Absent():
		return 1
	default:
		return 0
	}
}

// Options of a selection.
type Options struct {
	ToURL             string // "" for the configured receiver
	IncludeSuperseded bool
}

// Select returns what is to be delivered, oldest first, and what is skipped with the
// reason. Each callback is there once for a receiver, and of an object that is absent or
// barred only if it is of no other one.
func Select(candidates []Candidate, journal func(delivery, to string) State, o Options) []Item {
	var items []Item
	seen, listed := map[target]bool{}, map[string]bool{}
	surestFirst := slices.SortedStableFunc(slices.Values(candidates), func(a, b Candidate) int { return cmp.Compare(a.doubt(), b.doubt()) })
	for _, c := range surestFirst {
		for _, f := range c.Failed {
			if c.doubt() > 0 && listed[f.Delivery] {
				continue // another object has it
			}
			listed[f.Delivery] = true
			i := Item{Item: f, To: cmp.Or(o.ToURL, configured(c.Subject), f.URL), Result: Pending, key: c.Key}
			if seen[target{f.Delivery, i.To}] {
				continue
			}
			seen[target{f.Delivery, i.To}] = true
			i.event = callback.Event{Family: c.Subject.Kind.Family, Domain: f.Key, Target: i.To, Content: f.Content}
			i.judge(c, journal(f.Delivery, i.receiver()), o)
			items = append(items, i)
		}
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(rank(a.Type), rank(b.Type)), cmp.Compare(a.Delivery, b.Delivery))
	})
	return items
}

// rank orders callbacks of the same second: what begins before what ends.
func rank(typed string) int {
	switch typed {
	case "publish", "record_started":
		return 0
	case "publish_done":
		return 2
	default:
		return 1
	}
}

// configured returns the receiver that an object's spec names.
func configured(s planning.Subject) string {
	for _, f := range s.Kind.Desired(s.Object, "").Fields() {
		if f.Name == "notifyURL" || f.Name == "callbackURL" {
			return f.Value
		}
	}
	return ""
}

// judge says why an item is skipped, if it is.
func (i *Item) judge(c Candidate, known State, o Options) {
	skip := func(message string) { i.Result, i.Message = Skipped, message }
	cannot := func(message string) { i.Result, i.Message = NotPossible, message }
	_, err := i.event.Build("", time.Time{})
	switch {
	case c.Barred != "":
		cannot(c.Barred)
	case known == Taken:
		skip("the journal says that this receiver has taken it")
	case known == Doubt:
		i.Result = InDoubt
		i.Message = "it was sent before, and no answer is noted: look for its delivery at the receiver; another --journal sends it"
	case i.Content == "":
		cannot("its content is not known: list failures with --content")
	case strings.Contains(i.Content+i.To, callback.Hidden):
		cannot("a secret is hidden in what is known of it: name its object, in place of -f")
	case err != nil:
		cannot(err.Error()) // in our own words
	case slices.ContainsFunc(c.Records, func(d live.Delivery) bool { return !d.Failed && d.URL == i.To && i.same(d) && !d.Time.Before(i.Time) }):
		skip("the same receiver has taken it since")
	case !o.IncludeSuperseded && i.Type == "publish" && slices.ContainsFunc(c.Records, func(d live.Delivery) bool {
		return d.Type == "publish_done" && d.AppName == i.App && d.StreamName == i.Stream && !i.after(d)
	}):
		skip("the stream has stopped since: --include-superseded sends it all the same")
	}
}

// after tells whether an item is of after a record: by when the cloud says in both that
// it happened, else by when the cloud told it. Both are in seconds: of two in one second,
// a stop counts as the later one, since a stream that runs tells so again.
func (i *Item) after(d live.Delivery) bool {
	if mine, theirs := happened(i.Content), happened(d.Content); mine != 0 && theirs != 0 && mine != theirs {
		return mine > theirs
	}
	return i.Time.After(d.Time)
}

// happened returns the Unix time in the content of a callback; 0 if it has none.
func happened(content string) int64 {
	var facts struct{ Time json.Number }
	if i := strings.IndexByte(content, '{'); i < 0 || json.Unmarshal([]byte(content[i:]), &facts) != nil {
		return 0
	}
	at, err := facts.Time.Int64()
	if err != nil {
		return 0
	}
	return at
}

// same tells whether a record is of the same callback.
func (i *Item) same(d live.Delivery) bool {
	return d.Type == i.Type && d.AppName == i.App && d.StreamName == i.Stream && d.Content == i.Content
}

// Runner delivers.
type Runner struct {
	Journal   func(Item) *Journal
	Sender    *callback.Sender
	Rate      float64 // deliveries a second; 0 for no limit
	StopAfter int     // failures in a row
	Now       func() time.Time
	Sleep     func(context.Context, time.Duration) error
	Progress  func()
}

// Run delivers what is pending, one at a time, in the order of the items. It ends
// early after too many failures in a row, with the context, or when the journal
// fails: what is left is still pending.
func (r *Runner) Run(ctx context.Context, items []Item) error {
	row := 0
	next := r.Now()
	for n := range items {
		i := &items[n]
		if i.Result != Pending {
			continue
		}
		if r.Rate > 0 {
			if wait := next.Sub(r.Now()); wait > 0 {
				if err := r.Sleep(ctx, wait); err != nil {
					return err
				}
			}
			next = r.Now().Add(time.Duration(float64(time.Second) / r.Rate))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := r.deliver(ctx, i); err != nil {
			return err
		}
		if r.Progress != nil {
			r.Progress()
		}
		if row++; i.Result == Delivered {
			row = 0
		}
		if r.StopAfter > 0 && row >= r.StopAfter {
			return nil
		}
	}
	return ctx.Err()
}

// deliver sends one callback. It is noted before, so that no end of this program
// makes it sent twice.
func (r *Runner) deliver(ctx context.Context, i *Item) error {
	req, err := i.event.Build(string(i.key), r.Now())
	if err != nil {
		i.Result, i.Message = NotPossible, err.Error()
		return nil
	}
	journal := r.Journal(*i)
	if err := journal.Note(i.Delivery, i.receiver(), Sending, 0); err != nil {
		return err
	}
	ctx, cancel := lingering(ctx)
	defer cancel()
	x := r.Sender.Send(ctx, req, http.Header{
		ReplayHeader: {"1"}, OriginalHeader: {i.Time.UTC().Format(time.RFC3339)}, DeliveryHeader: {i.Delivery},
	})
	i.Status, i.Message = x.Status, x.Trouble
	state := Refused
	switch {
	case x.Taken():
		i.Result, state = Delivered, Taken
	case x.Doubtful():
		i.Result, state = InDoubt, Doubt
		i.Message += "; it may have taken it: look for its delivery at the receiver"
	default:
		i.Result = WasRefused
	}
	return journal.Note(i.Delivery, i.receiver(), state, x.Status)
}

// linger is for how long an answer is waited for once the program is told to end.
const linger = 800 * time.Millisecond

// lingering returns a context that ends a moment after another one: what was sent
// has a chance of its answer.
func lingering(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(linger, cancel) })
	return longer, func() {
		stop()
		cancel()
	}
}

// Sum counts items.
func Sum(items []Item) Summary {
	s := Summary{Selected: len(items)}
	for _, i := range items {
		switch i.Result {
		case Delivered:
			s.Delivered++
		case WasRefused:
			s.Refused++
		case InDoubt:
			s.InDoubt++
		case Skipped:
			s.Skipped++
		case NotPossible:
			s.NotPossible++
		default:
			s.Pending++
		}
	}
	return s
}
