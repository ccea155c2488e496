// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/access"
	"github.com/live-notify/live-notify-operator/internal/account"
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
	// Accounts are the LiveAccounts of the cluster, for who comes first.
	Accounts []v1alpha1.LiveAccount
	// Objects are all objects of the cluster, for who comes first.
	Objects []Subject
	// Policies are the LiveRolloutPolicies of the cluster.
	Policies []v1alpha1.LiveRolloutPolicy
	Now      func() time.Time
	// Progress is told of each object that is done; nil for nobody.
	Progress func()
}

// parallel is how many objects are planned at once: enough to wait for the limits of
// several operations side by side.
const parallel = 16

// Plan returns the plan for objects, ordered by kind, namespace and name.
func (p *Planner) Plan(ctx context.Context, subjects []Subject) (*Report, error) {
	out := report.New[Summary, Item]("Plan")
	items, winners := make([]Item, len(subjects)), p.winners(subjects)
	work := make(chan int)
	var wg sync.WaitGroup
	for range min(parallel, len(subjects)) {
		wg.Go(func() {
			for i := range work {
				items[i] = p.item(ctx, subjects[i], winners[i])
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
	p.contend(subjects, items)
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

// item plans one object, which another one may come before.
func (p *Planner) item(ctx context.Context, s Subject, winner kind.Object) Item {
	spec, _ := s.Object.Callback()
	i := newItem(s)
	if winner != nil {
		return i.blocked(v1alpha1.ReasonConflict, i.Key+" belongs to "+s.Kind.Name+" "+winner.GetNamespace()+"/"+winner.GetName()+", which comes first.")
	}
	deleted := !s.Object.GetDeletionTimestamp().IsZero()
	_, status := s.Object.Callback()
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); deleted && ready != nil && ready.Reason == v1alpha1.ReasonDeletionHeld {
		return i.blocked(ready.Reason, ready.Message)
	}
	if spec.Suspend && !deleted {
		return i.blocked(v1alpha1.ReasonSuspended, "spec.suspend is true: the operator makes no call to the cloud.")
	}
	cloud, err := p.Clouds.Of(ctx, s.Object.GetNamespace(), spec.AccountRef, s.Kind.Domain(s.Object))
	if err != nil {
		return i.failed(err)
	}
	if deleted {
		return i.removal(s, spec)
	}
	key, keyErr := p.Keys(ctx, s.Kind, s.Object)
	if keyErr != nil && !errors.Is(keyErr, ErrKeyUnknown) {
		return i.failed(keyErr)
	}
	var have kind.Config
	err = p.Clouds.Patience.Make(ctx, cloud.Client, func(ctx context.Context) (err error) {
		have, err = s.Kind.Remote(cloud.Client).Get(ctx, quota.Least, i.Key)
		return err
	})
	if err != nil {
		return i.failed(err)
	}
	p.move(s, cloud)
	i = decide(i, s, have, key, keyErr != nil, p.Now())
	if i.Action == string(plan.Apply) {
		i.Notes = p.steps(s)
	}
	return i
}

// steps says in which steps a change of an object is made, and what watches it.
func (p *Planner) steps(s Subject) (notes []string) {
	if s.Kind.Records == nil {
		return nil
	}
	spec, _ := kind.Shared(s.Object)
	guard := spec.Guard
	var here []v1alpha1.LiveRolloutPolicy
	for _, policy := range p.Policies {
		if policy.Namespace == s.Object.GetNamespace() {
			here = append(here, policy)
		}
	}
	for _, policy := range kind.Policies(here) {
		if !policy.Covers(s.Kind, s.Object) {
			continue
		}
		if guard == nil {
			guard = &policy.Spec.Guard
		}
		most := plan.MaxConcurrent(policy.Spec.MaxConcurrent, int(policy.Status.Selected))
		note := fmt.Sprintf("LiveRolloutPolicy %q lets %d such changes be watched at once; %d are, and %d wait.", policy.Name, most, policy.Status.Watching, policy.Status.Waiting)
		switch {
		case policy.Spec.Paused:
			note = fmt.Sprintf("It waits: LiveRolloutPolicy %q is paused.", policy.Name)
		case meta.IsStatusConditionTrue(policy.Status.Conditions, v1alpha1.ConditionHalted):
			note = fmt.Sprintf("It waits: LiveRolloutPolicy %q is halted, since a change failed.", policy.Name)
		}
		notes = append(notes, note)
		break
	}
	if guard != nil {
		g := plan.GuardOf(*guard)
		then := "it is rolled back"
		if g.Report {
			then = "that is reported"
		}
		notes = append(notes, fmt.Sprintf("It is watched for %s; with %d failed callbacks %s.", plan.Short(g.Window), g.MaxFailures, then))
	}
	return notes
}

// removal is the plan for an object that is being deleted.
func (i Item) removal(s Subject, spec *v1alpha1.CallbackSpec) Item {
	i.Change, i.Action = Remove, "delete"
	if !kind.Wrote(s.Object) || spec.Suspend || spec.DeletionPolicy == v1alpha1.DeletionRetain || spec.ManagementPolicy == v1alpha1.Observe {
		i.Change, i.Action, i.Message = InSync, "retain", "It is being deleted; what is in the cloud stays."
	}
	return i
}

// move makes an object that refers to another cloud account than it wrote to a new
// one there, as the operator does.
func (p *Planner) move(s Subject, cloud *account.Account) {
	_, status := s.Object.Callback()
	a := status.Applied
	if a == nil || !kind.SignedBy(s.Object, a) || a.Account == cloud.Name {
		return
	}
	for _, la := range p.Accounts {
		if la.Namespace == s.Object.GetNamespace() && la.Name == cloud.Name && a.AccountID != "" && kind.CloudOf(&la).ID == a.AccountID {
			return
		}
	}
	status.Applied = nil
	if s.Kind.Wrote != nil {
		s.Kind.Wrote(s.Object, nil)
	}
}

// decide asks internal/plan.
func decide(i Item, s Subject, have kind.Config, key live.Key, keyUnknown bool, now time.Time) Item {
	facts := kind.Facts{Now: now, Have: have, Key: key}
	_, status := s.Object.Callback()
	if a := status.Applied; s.Kind.KeyRef(s.Object) != nil && !keyUnknown {
		facts.Rotated = a == nil || a.KeyFingerprint != kind.Fingerprint(s.Object, key)
	}
	c := s.Kind.Compare(s.Object, facts)
	if keyUnknown {
		c.Situation.Diff = slices.DeleteFunc(c.Situation.Diff, func(d live.Difference) bool {
			return d.Name == live.AuthenticationField && d.Have == "differs"
		})
	}
	hide := hiding(have, key)
	for n, d := range c.Situation.Diff {
		c.Situation.Diff[n].Have, c.Situation.Diff[n].Want = hide(d.Have), hide(d.Want)
	}
	todo := plan.Decide(c.Situation)
	i.Action, i.Reason, i.Message = string(todo.Action), todo.Verdict.Reason, todo.Verdict.Message
	i.Change = changeOf(todo, len(c.Situation.Diff) > 0)
	i.Fields = fieldsOf(c, keyUnknown && s.Kind.KeyRef(s.Object) != nil, i.Change, hide)
	if held := heldBack(s, facts.Key); held != nil && todo.Action.Writes() {
		return i.blocked(held.Reason, held.Message)
	}
	return i
}

// hiding returns what takes the keys of an object out of a value: a receiver may be told
// its key in its URL.
func hiding(have kind.Config, key live.Key) func(string) string {
	keys := []string{string(key), string(kind.KeyOf(have))}
	return func(value string) string { return callback.HideIn(value, keys...) }
}

// heldBack returns the condition Ready of an object whose change the operator does
// not write for now: it was rolled back, or it waits for its turn; nil for none.
func heldBack(s Subject, key live.Key) *metav1.Condition {
	spec, counted := kind.Shared(s.Object)
	_, status := s.Object.Callback()
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || counted.CountedStatus == nil || counted.Guard == nil || counted.Guard.Change == nil || spec.ManagementPolicy == v1alpha1.Observe {
		return nil
	}
	c := counted.Guard.Change
	sameKey := key == "" || kind.Fingerprint(s.Object, key) == c.KeyFingerprint
	requested := s.Object.GetAnnotations()[v1alpha1.AnnotationReconcileRequestedAt]
	if c.Generation != s.Object.GetGeneration() || !sameKey || requested != "" && requested != status.LastHandledReconcileAt {
		return nil
	}
	if c.State == v1alpha1.ChangeRolledBack && ready.Reason == v1alpha1.ReasonRolledBack ||
		c.State == v1alpha1.ChangeWaiting && ready.Reason == v1alpha1.ReasonWaitingForRollout {
		return ready
	}
	return nil
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
	i.Change, i.Reason, i.Message = Blocked, reason, message
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
		if len(change) == 0 && i.Message != "" {
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
	return "`" + escape(strings.ReplaceAll(s, "`", "'")) + "`"
}

func escape(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(s)
}
