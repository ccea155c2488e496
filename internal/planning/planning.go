// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/access"
	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/quota"
	"github.com/live-notify/live-notify-operator/internal/report"
)

// Change is what would become of an object's configuration, as one sign.
type Change string

// Changes.
const (
	Create  Change = "+"
	Update  Change = "~"
	Remove  Change = "-"
	InSync  Change = "="
	Blocked Change = "!"
	Unknown Change = "?"
	// Unmanaged is a configuration that no object names.
	Unmanaged Change = "*"
)

// Field is one that would change.
type Field struct {
	Name string `json:"name"`
	// Have is what the cloud shows, Want what it would hold. Of a key they say set,
	// not set, same, differs or unknown.
	Have string `json:"have"`
	Want string `json:"want"`
	// Unread: the cloud never shows this field.
	Unread bool `json:"unread,omitempty"`
}

// Item is the plan for one object.
type Item struct {
	Change    Change `json:"change"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Key is the domain or the application.
	Key string `json:"key"`
	// Action is what the operator would do, in the words of its log.
	Action string `json:"action,omitempty"`
	// Reason is that which the condition Ready would have.
	Reason  string  `json:"reason,omitempty"`
	Message string  `json:"message,omitempty"`
	Fields  []Field `json:"fields,omitempty"`
	// Notes say what a guard and a LiveRolloutPolicy make of the change.
	Notes []string `json:"notes,omitempty"`
}

// Summary counts the items by their change.
type Summary struct {
	Create  int `json:"create"`
	Change  int `json:"change"`
	Remove  int `json:"remove"`
	Blocked int `json:"blocked"`
	InSync  int `json:"inSync"`
	Unknown int `json:"unknown"`
	// Unmanaged are configured domains that no object names, if asked for.
	Unmanaged int `json:"unmanaged"`
}

// Report is a plan.
type Report = report.Report[Summary, Item]

// Subject is an object as it is, or as it would be once its manifest is applied.
type Subject struct {
	Kind   *kind.Kind
	Object kind.Object
}

// Keys finds the authentication key of an object. One that cannot be used is a
// plan.Unavailable; what cannot be known, as without permission, is ErrKeyUnknown.
type Keys func(ctx context.Context, k *kind.Kind, o kind.Object) (live.Key, error)

// ErrKeyUnknown tells that nobody can say which key an object's Secret holds.
var ErrKeyUnknown = errors.New("the authentication key cannot be read here")

// Planner plans.
type Planner struct {
	Clouds *access.Clouds
	Keys   Keys
	// Accounts are the LiveAccounts of the cluster, for who comes first, and their limits
	// of deletions.
	Accounts []v1alpha1.LiveAccount
	// Objects are all objects of the cluster, for who comes first, and whose turn it is.
	Objects []Subject
	// Policies are the LiveRolloutPolicies of the cluster, as they would be.
	Policies []v1alpha1.LiveRolloutPolicy
	Now      func() time.Time
	// Progress is told of each object that is done; nil for nobody.
	Progress func()

	inForce map[string][]kind.Policy // of Policies, by namespace
}

// parallel is how many objects are planned at once: enough to wait for the limits of
// several operations side by side.
const parallel = 16

// Plan returns the plan for objects, ordered by kind, namespace and name.
func (p *Planner) Plan(ctx context.Context, subjects []Subject) (*Report, error) {
	out := report.New[Summary, Item]("Plan")
	p.understand()
	all := p.all(subjects)
	p.bequeath(ctx, all, len(subjects))
	subjects = all[:len(subjects)]
	items, asking := make([]Item, len(subjects)), make([]*plan.Member, len(subjects))
	work := make(chan int)
	var wg sync.WaitGroup
	for range min(parallel, len(subjects)) {
		wg.Go(func() {
			for i := range work {
				items[i], asking[i] = p.item(ctx, subjects[i])
				if p.Progress != nil {
					p.Progress()
				}
			}
		})
	}
	for i := range subjects {
		select {
		case work <- i:
		case <-ctx.Done():
		}
	}
	close(work)
	wg.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	p.contend(all, items)
	p.takeTurns(all, items, asking)
	p.holdRemovals(all, items)
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	out.Items = append(out.Items, items...)
	for _, i := range items {
		out.Summary.Add(i.Change)
		if i.Change == Unknown {
			out.Fail(report.Problem{Object: i.Kind + "/" + i.Namespace + "/" + i.Name, Reason: i.Reason, Message: i.Message})
		}
	}
	return out, nil
}

// Add counts an item.
func (s *Summary) Add(c Change) {
	switch c {
	case Create:
		s.Create++
	case Update:
		s.Change++
	case Remove:
		s.Remove++
	case InSync:
		s.InSync++
	case Blocked:
		s.Blocked++
	case Unmanaged:
		s.Unmanaged++
	default:
		s.Unknown++
	}
}

// Changes tells whether anything is not in sync.
func (s Summary) Changes() bool { return s.Create+s.Change+s.Remove+s.Blocked+s.Unmanaged > 0 }

func newItem(s Subject) Item {
	return Item{Kind: s.Kind.Name, Namespace: s.Object.GetNamespace(), Name: s.Object.GetName(), Key: s.Kind.Key(s.Object)}
}

// all returns the objects of a run, as they would be, and then the others of the cluster.
func (p *Planner) all(subjects []Subject) []Subject {
	type identity struct{ kind, namespace, name string }
	of := func(s Subject) identity { return identity{s.Kind.Name, s.Object.GetNamespace(), s.Object.GetName()} }
	in := map[identity]bool{}
	for _, s := range subjects {
		in[of(s)] = true
	}
	return append(slices.Clone(subjects), slices.DeleteFunc(slices.Clone(p.Objects), func(s Subject) bool { return in[of(s)] })...)
}

// item plans one object as if it were alone, and returns it as a LiveRolloutPolicy sees
// it if its change has to ask one.
func (p *Planner) item(ctx context.Context, s Subject) (Item, *plan.Member) {
	spec, _ := s.Object.Callback()
	i := newItem(s)
	deleted := !s.Object.GetDeletionTimestamp().IsZero()
	if spec.Suspend && !deleted {
		return i.blocked(v1alpha1.ReasonSuspended, "spec.suspend is true: the operator makes no call to the cloud."), nil
	}
	cloud, err := p.Clouds.Of(ctx, s.Object.GetNamespace(), spec.AccountRef, s.Kind.Domain(s.Object))
	if err == nil {
		s = p.moved(s, cloud)
	}
	switch {
	case deleted:
		return p.removal(i, s, err), nil
	case err != nil:
		return i.failed(err), nil
	}
	key, keyErr := p.Keys(ctx, s.Kind, s.Object)
	if keyErr != nil && !errors.Is(keyErr, ErrKeyUnknown) {
		return i.failed(keyErr), nil
	}
	facts := kind.Facts{Now: p.Now(), Key: key, Missing: true} // the operator looks again before it corrects
	err = p.Clouds.Patience.Make(ctx, cloud.Client, func(ctx context.Context) (err error) {
		facts.Have, err = s.Kind.Remote(cloud.Client).Get(ctx, quota.Least, i.Key)
		return err
	})
	if err != nil {
		return i.failed(err), nil
	}
	_, status := s.Object.Callback()
	if a := status.Applied; s.Kind.KeyRef(s.Object) != nil && keyErr == nil {
		facts.Rotated = a == nil || a.KeyFingerprint != kind.Fingerprint(s.Object, key)
	}
	return p.guarded(decide(i, s, facts, keyErr != nil), s, facts)
}

// decide asks internal/plan.
func decide(i Item, s Subject, facts kind.Facts, keyUnknown bool) Item {
	c := s.Kind.Compare(s.Object, facts)
	if keyUnknown {
		c.Situation.Diff = slices.DeleteFunc(c.Situation.Diff, func(d live.Difference) bool {
			return d.Name == live.AuthenticationField && d.Have == "differs"
		})
	}
	hide := hiding(facts.Have, facts.Key)
	for n, d := range c.Situation.Diff {
		c.Situation.Diff[n].Have, c.Situation.Diff[n].Want = hide(d.Have), hide(d.Want)
	}
	todo := plan.Decide(c.Situation)
	i.Action, i.Reason, i.Message = string(todo.Action), todo.Verdict.Reason, todo.Verdict.Message
	i.Change = changeOf(todo, len(c.Situation.Diff) > 0)
	i.Fields = fieldsOf(c, keyUnknown && s.Kind.KeyRef(s.Object) != nil, i.Change, hide)
	return i
}

// hiding returns what takes the keys of an object out of a value: a receiver may be told
// its key in its URL.
func hiding(have kind.Config, key live.Key) func(string) string {
	keys := []string{string(key), string(kind.KeyOf(have))}
	return func(value string) string { return callback.HideIn(value, keys...) }
}

// changeOf returns the sign of what would be done.
func changeOf(todo plan.Plan, differs bool) Change {
	switch {
	case todo.Action == plan.Create:
		return Create
	case todo.Action.Writes():
		return Update
	case todo.Action == plan.Refuse, todo.Action == plan.Yield, todo.Action == plan.Report && differs:
		return Blocked
	default:
		return InSync
	}
}

// fieldsOf returns what differs, and what cannot be read.
func fieldsOf(c kind.Comparison, keyUnknown bool, change Change, hide func(string) string) []Field {
	var fields []Field
	for _, d := range c.Situation.Diff {
		f := Field{Name: d.Name, Have: d.Have, Want: d.Want}
		if !d.Secret {
			f.Have, f.Want = live.Bound(d.Have, shown), live.Bound(d.Want, shown)
		}
		fields = append(fields, f)
	}
	if keyUnknown {
		fields = append(fields, Field{Name: live.AuthenticationField, Have: "unknown", Want: "set"})
	}
	if change != Create && change != Update {
		return fields
	}
	for _, f := range c.Want.Fields() {
		if !f.WriteOnly {
			continue
		}
		if want := cmp.Or(live.Bound(hide(f.Value), shown), removed(c.Have, f.Name)); want != "" {
			fields = append(fields, Field{Name: f.Name, Have: "cannot be read", Want: want, Unread: true})
		}
	}
	return fields
}

// removed is what is wanted of a field that cannot be read and is to go: it was written
// before, as far as is known; "" if it was not.
func removed(have kind.Config, name string) string {
	if have != nil && slices.ContainsFunc(have.Fields(), func(f live.Field) bool { return f.Name == name && f.Value != "" }) {
		return "(removed)"
	}
	return ""
}

// shown bounds a value, in bytes.
const shown = 2083

func (i Item) blocked(reason, message string) Item {
	i.Change, i.Action, i.Reason, i.Message = Blocked, "", reason, message
	return i
}

// failed is the plan for an object of which something could not be found out. What
// the operator would say of it too is blocked; the rest is unknown.
func (i Item) failed(err error) Item {
	i.Reason, i.Message = access.Explain(err)
	i.Change = Unknown
	if _, ok := errors.AsType[*plan.Unavailable](err); ok {
		i.Change = Blocked
	}
	switch live.ClassOf(err) {
	case live.DomainNotFound, live.WrongDomainType, live.Rejected:
		i.Change = Blocked
	}
	return i
}

// Markdown returns the plan as a comment of a pull request.
func Markdown(r *Report) string {
	var b strings.Builder
	b.WriteString("### Plan of live-notify\n\n" + Line(r.Summary) + "\n\n")
	if len(r.Items) > 0 {
		b.WriteString("| | Object | Domain or application | Change |\n|---|---|---|---|\n")
	}
	for _, i := range r.Items {
		change := []string{}
		for _, f := range i.Fields {
			change = append(change, "`"+f.Name+"`: "+code(f.Have)+" → "+code(f.Want))
		}
		switch why := strings.TrimSuffix(i.Reason+": "+i.Message, ": "); {
		case i.Change == Blocked || i.Change == Unknown:
			change = append([]string{escape(why)}, change...)
		case len(change) == 0 && i.Message != "":
			change = append(change, escape(i.Message))
		}
		b.WriteString("| `" + string(i.Change) + "` | " + i.Kind + " `" + i.Namespace + "/" + i.Name + "` | " + code(i.Key) + " | " + strings.Join(change, "<br>") + " |\n")
	}
	return b.String()
}

// code quotes a value for a cell of a table.
func code(s string) string {
	if s == "" {
		return "(empty)"
	}
	return "`" + strings.NewReplacer("`", "'", "|", "\\|", "\n", " ").Replace(s) + "`"
}

// escape keeps a text for a cell of a table from being markup.
func escape(s string) string {
	return strings.NewReplacer("\n", " ", "<", "&lt;", "&", "&amp;", "\\", "\\\\", "|", "\\|", "`", "\\`", "*", "\\*", "_", "\\_",
		"[", "\\[", "]", "\\]", "~", "\\~").Replace(s)
}
