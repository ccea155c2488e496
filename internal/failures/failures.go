// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package failures

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/live-notify/live-notify-operator/internal/access"
	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/planning"
	"github.com/live-notify/live-notify-operator/internal/report"
)

// Query selects failures.
type Query struct {
	From, To     time.Time // the cloud has those of 7 days
	Type         string    // such as publish_done; "" for all
	App, Stream  string
	URL, Reason  string // globs; "" for all
	Limit        int    // of what is shown; 0 for all
	WithContent  bool
	WithResponse bool
	// EachObject lists a callback for each object that names its domain or application.
	EachObject bool
	// Keys are hidden in what is recorded; nil for what is not to be shown.
	Keys planning.Keys
}

// Check tells which glob is none.
func (q Query) Check() error {
	for _, glob := range []string{q.URL, q.Reason} {
		if _, err := path.Match(glob, ""); err != nil {
			return fmt.Errorf("the glob %q is malformed", glob)
		}
	}
	return nil
}

// Item is one failed callback.
type Item struct {
	Time      time.Time `json:"time"`
	Kind      string    `json:"kind"`
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	// Key is the domain or the application.
	Key        string `json:"key"`
	Type       string `json:"type"`
	App        string `json:"appName,omitempty"`
	Stream     string `json:"streamName,omitempty"`
	URL        string `json:"url"`
	HTTPStatus int32  `json:"httpStatus,omitempty"`
	Reason     string `json:"reason"`
	// Response is what the receiver answered, if it was asked for.
	Response string `json:"response,omitempty"`
	// Delivery is the same for the same callback, always.
	Delivery string `json:"delivery"`
	// Content is the body, or the parameters as JSON. It may hold tokens, and is there
	// only if it was asked for.
	Content string `json:"content,omitempty"`
}

// Summary counts.
type Summary struct {
	// Failed callbacks that match, Shown those that are listed.
	Failed int `json:"failed"`
	Shown  int `json:"shown"`
	// AtLeast: there are more records than are read.
	AtLeast bool      `json:"atLeast,omitempty"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	// Groups count by what --group-by names, most first.
	Groups []Group `json:"groups,omitempty"`
}

// Group counts the failures that have one thing in common.
type Group struct {
	Value  string    `json:"value"`
	Failed int       `json:"failed"`
	Last   time.Time `json:"last"`
}

// Report are failures.
type Report = report.Report[Summary, Item]

// maxPages bounds the records that are read of one object: 100,000 of a domain.
const maxPages = 200

// kept is how long the cloud keeps records.
const kept = 7 * 24 * time.Hour

// List returns the failures of objects.
func List(ctx context.Context, clouds *access.Clouds, subjects []planning.Subject, q Query) (*Report, error) {
	r := report.New[Summary, Item]("Failures")
	r.Summary.From, r.Summary.To = q.From.UTC(), q.To.UTC()
	if time.Since(q.From) > kept+time.Minute {
		r.Warn("The cloud keeps records for 7 days: what is older is not here.")
	}
	listed := map[string]planning.Subject{} // of which object each callback is
	for _, s := range owners(subjects, r) {
		if s.Kind.Records == nil {
			r.Warn("The cloud keeps no records of the callbacks of " + s.Kind.Name + " that could be listed.")
			continue
		}
		deliveries, atLeast, err := Read(ctx, clouds, s, live.Span{From: q.From, To: q.To, AppName: q.App, StreamName: q.Stream, FailedOnly: true})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			reason, message := access.Explain(err)
			r.Fail(report.Problem{Object: s.Kind.Name + "/" + s.Object.GetNamespace() + "/" + s.Object.GetName(), Reason: reason, Message: message})
			continue
		}
		r.Summary.AtLeast = r.Summary.AtLeast || atLeast
		for _, d := range deliveries {
			if i := itemOf(s, d); d.Failed && q.match(d) {
				of, there := listed[i.Delivery]
				if there && !i.IsOf(of) && !q.EachObject {
					r.Warn(nameOf(s) + " names what " + nameOf(of) + " names: its callbacks are listed once.")
					continue
				}
				listed[i.Delivery] = s
				r.Items = append(r.Items, i)
			}
		}
	}
	q.conclude(ctx, r, subjects)
	return r, nil
}

// conclude orders what is listed, and leaves in it what was asked for.
func (q Query) conclude(ctx context.Context, r *Report, subjects []planning.Subject) {
	slices.SortStableFunc(r.Items, func(a, b Item) int { return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.Delivery, b.Delivery)) })
	r.Summary.Failed = len(r.Items)
	if q.Limit > 0 && len(r.Items) > q.Limit {
		r.Items = r.Items[:q.Limit]
	}
	r.Summary.Shown = len(r.Items)
	for i := range r.Items {
		if !q.WithContent {
			r.Items[i].Content = ""
		}
		if !q.WithResponse {
			r.Items[i].Response = ""
		}
	}
	if q.Keys != nil {
		q.hide(ctx, r, subjects)
	}
}

// owners leaves out, with a warning, the objects whose domain or application another one of
// them has, and tells of the others that have none.
func owners(subjects []planning.Subject, r *Report) (list []planning.Subject) {
	var lost []planning.Subject
	for _, s := range subjects {
		if s.Lost() == "" {
			list = append(list, s)
		} else {
			lost = append(lost, s)
		}
	}
	for _, s := range lost {
		told := nameOf(s) + " does not have what it names: " + s.Lost()
		if slices.ContainsFunc(list, s.Same) {
			r.Warn(told + " Its callbacks are listed once, of the other one.")
			continue
		}
		r.Warn(told + " What is listed is of the domain or the application.")
		list = append(list, s)
	}
	return list
}

// nameOf returns an object as people name it.
func nameOf(s planning.Subject) string {
	i := itemOf(s, live.Delivery{})
	return i.object()
}

// Read returns the recorded callbacks of an object, and whether there are more.
func Read(ctx context.Context, clouds *access.Clouds, s planning.Subject, span live.Span) (all []live.Delivery, atLeast bool, err error) {
	spec, _ := s.Object.Callback()
	account, err := clouds.Of(ctx, s.Object.GetNamespace(), spec.AccountRef, s.Kind.Domain(s.Object))
	if err != nil {
		return nil, false, err
	}
	if oldest := account.Client.OldestRecord(); span.From.Before(oldest) {
		span.From = oldest
	}
	source := s.Kind.Records(account.Client)
	for number := 1; number <= maxPages; number++ {
		var page []live.Delivery
		var total int
		err := clouds.Patience.Make(ctx, account.Client, func(ctx context.Context) (err error) {
			page, total, err = source.Deliveries(ctx, s.Kind.Key(s.Object), span, number)
			return err
		})
		if err != nil {
			return nil, false, err
		}
		all = append(all, page...)
		if s.Kind.OfDomain && (len(page) == 0 || len(all) >= total) || !s.Kind.OfDomain && total < number*100+1 {
			return all, false, nil
		}
	}
	return all, true, nil
}

// match tells whether a delivery is one of those that are asked for.
func (q Query) match(d live.Delivery) bool {
	glob := func(pattern, value string) bool {
		ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(value, "/", "\x00"))
		return pattern == "" || err == nil && ok // a * goes over slashes
	}
	return (q.Type == "" || d.Type == q.Type) && (q.App == "" || d.AppName == q.App) && (q.Stream == "" || d.StreamName == q.Stream) &&
		glob(q.URL, d.URL) && glob(q.Reason, d.Reason)
}

// keyLike is whatever may be a key: as it is, or escaped.
var keyLike = regexp.MustCompile(`(?:[A-Za-z0-9]|%[0-9A-Fa-f]{2}){16,}`)

// hide takes the keys of the objects, and the credentials of URLs, out of what is
// recorded. Where a key is not known, whatever may be one is taken out.
func (q Query) hide(ctx context.Context, r *Report, subjects []planning.Subject) {
	rewrites := map[string]func(string) string{}
	for n := range r.Items {
		i := &r.Items[n]
		rewrite := rewrites[i.object()]
		if rewrite == nil {
			s := subjects[slices.IndexFunc(subjects, i.IsOf)]
			key, err := q.Keys(ctx, s.Kind, s.Object)
			rewrite = remembered(func(text string) string { return callback.HideIn(text, string(key)) })
			signed, _ := s.Signed()
			if err != nil || s.Lost() != "" || key == "" && signed { // the cloud's key is another one, or not known
				r.Warn("Not every authentication key could be read: what may be one is hidden in what is recorded of its callbacks.")
				rewrite = func(text string) string { return keyLike.ReplaceAllString(callback.HideIn(text), callback.Hidden) }
			}
			rewrites[i.object()] = rewrite
		}
		i.Rewrite(rewrite)
	}
}

// remembered is a function that remembers what it made of short texts: most of what is
// recorded comes again.
func remembered(rewrite func(string) string) func(string) string {
	made := map[string]string{}
	return func(text string) string {
		if len(text) > maxRemembered {
			return rewrite(text)
		}
		said, again := made[text]
		if !again {
			said = rewrite(text)
			made[text] = said
		}
		return said
	}
}

// maxRemembered is how long a text is that may come again, in bytes.
const maxRemembered = 512

// object returns the object of an item, as people name it.
func (i *Item) object() string {
	return strings.ToLower(i.Kind) + "/" + i.Name + " (" + i.Namespace + ")"
}

// IsOf tells whether an item is of an object.
func (i *Item) IsOf(s planning.Subject) bool {
	return s.Kind.Name == i.Kind && s.Object.GetNamespace() == i.Namespace && s.Object.GetName() == i.Name
}

// Rewrite rewrites all that is recorded of a callback.
func (i *Item) Rewrite(rewrite func(string) string) {
	for _, said := range []*string{&i.Type, &i.App, &i.Stream, &i.URL, &i.Reason, &i.Response, &i.Content} {
		*said = rewrite(*said)
	}
}

// itemOf returns a delivery as an item, with all that is known of it.
func itemOf(s planning.Subject, d live.Delivery) Item {
	return Item{
		Time: d.Time, Kind: s.Kind.Name, Namespace: s.Object.GetNamespace(), Name: s.Object.GetName(), Key: s.Kind.Key(s.Object),
		Type: d.Type, App: d.AppName, Stream: d.StreamName, URL: d.URL, HTTPStatus: d.HTTPStatus, Reason: d.Reason,
		Response: live.Bound(d.Response, 2048), Delivery: DeliveryID(s.Kind.Key(s.Object), d), Content: d.Content,
	}
}

// DeliveryID identifies a callback: by its message, where it has an ID, else by all
// that is recorded of it but its fate. Receivers can tell doubles by it.
func DeliveryID(key string, d live.Delivery) string {
	parts := []string{key, d.Type, d.ID}
	if d.ID == "" {
		parts = append(parts, d.Time.UTC().Format(time.RFC3339), d.AppName, d.StreamName, d.URL, d.Content)
	}
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s\n", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// GroupBy are what failures can be grouped by.
var GroupBy = []string{"reason", "url", "type", "stream", "object"}

// Grouped counts the items by one of GroupBy.
func Grouped(items []Item, by string) []Group {
	groups := map[string]*Group{}
	for _, i := range items {
		value := map[string]string{
			"reason": i.Reason, "url": i.URL, "type": i.Type, "stream": i.App + "/" + i.Stream,
			"object": i.object(),
		}[by]
		g := groups[value]
		if g == nil {
			g = &Group{Value: value}
			groups[value] = g
		}
		g.Failed++
		if i.Time.After(g.Last) {
			g.Last = i.Time
		}
	}
	var list []Group
	for _, g := range groups {
		list = append(list, *g)
	}
	slices.SortFunc(list, func(a, b Group) int { return cmp.Or(cmp.Compare(b.Failed, a.Failed), cmp.Compare(a.Value, b.Value)) })
	return list
}
