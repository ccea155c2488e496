// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/quota"
	"github.com/live-notify/live-notify-operator/internal/words"
)

// sync brings the cloud to what this pass wants, if there is something due.
func (p *pass) sync(ctx context.Context) outcome {
	p.move(ctx)
	auth, err := p.authentication(ctx)
	if err != nil {
		return outcome{fault: err}
	}
	auth.rotated = auth.rotated && !p.waits() // a new key waits with the rest of the change
	if !p.due(auth, p.changed() || auth.rotated) {
		return outcome{idle: true}
	}
	key, read, err := p.authKey(ctx)
	if err != nil {
		p.attempted(auth)
		return failed(err)
	}
	auth = read
	remote := p.remote()
	writes := remote.WriteRate(!kind.Wrote(p.obj))
	if wait := p.turn(writes); wait > 0 {
		return deferred(wait)
	}
	out := p.tried(auth, p.look(ctx, remote, key, auth))
	if out.deferral == nil {
		p.account.Limits.Leave(writes, p.key) // if nothing was written
	}
	return out
}

// look reads the configuration, and does about it what is planned.
func (p *pass) look(ctx context.Context, remote kind.Remote, key live.Key, auth authentication) outcome {
	have, err := remote.Get(ctx, p.lane, p.key)
	if err != nil {
		return failed(err)
	}
	p.mem.syncedAt = p.now
	p.kind.Observe(p.obj, have)
	if !equality.Semantic.DeepEqual(p.before, p.obj) { // else it was hidden before
		kind.Rewrite(p.obj, p.hide)
	}
	c := p.compare(have, key, auth)
	out := p.act(ctx, remote, c)
	out.read = out.deferral == nil || out.withdrawn
	return out
}

// remote returns the family in the cloud of the account, whose client knows what the
// status does.
func (p *pass) remote() kind.Remote {
	if p.kind.Remind != nil && p.mem.reminded != p.account.Version {
		if p.mem.reminded = p.account.Version; kind.Wrote(p.obj) {
			p.kind.Remind(p.account.Client, p.obj)
		}
	}
	return p.kind.Remote(p.account.Client)
}

// attempted notes what this pass tried, so that only a change of it is tried again
// before its time.
func (p *pass) attempted(auth authentication) { p.mem.tried, p.mem.triedKey = true, auth.version }

func (p *pass) tried(auth authentication, out outcome) outcome {
	if out.deferral == nil && out.fault == nil {
		p.attempted(auth)
	}
	return out
}

// patienceOfTurn is how soon a turn has to come for a pass to go on.
const patienceOfTurn = 50 * time.Millisecond

// turn returns the wait for a turn to write, where a write is to be expected: what
// was read would be too old by the time that it comes.
func (p *pass) turn(writes quota.Rate) time.Duration {
	if p.observes() || p.lane != quota.New && p.lane != quota.User {
		return 0
	}
	wait := p.account.Limits.Due(writes, p.lane, p.key)
	if wait <= patienceOfTurn {
		return 0
	}
	return wait
}

// move makes an object that now refers to another cloud account a new one there:
// what it owns is left to whoever has the account before.
func (p *pass) move(ctx context.Context) {
	a := p.status.Applied
	if a == nil || !kind.SignedBy(p.obj, a) || p.sameAsWritten(ctx) {
		return
	}
	where := "the operator's own account"
	if a.Account != "" {
		where = fmt.Sprintf("LiveAccount %q", a.Account)
	}
	why, stays := "spec.accountRef names another cloud account", "that of "+where
	if a.Account == p.account.Name {
		why, stays = "The credentials of "+where+" are those of another cloud account than before", "the one before"
	}
	p.tell(v1alpha1.EventRetained, fmt.Sprintf("%s; what this object wrote for %s stays in %s", why, p.key, stays))
	p.status.Applied = nil
	if p.kind.Wrote != nil {
		p.kind.Wrote(p.obj, nil)
	}
}

// sameAsWritten tells whether the account in use is the one that the object wrote
// to: by the IDs that the token service vouches for, or else by name.
func (p *pass) sameAsWritten(ctx context.Context) bool {
	was, id, named := p.writtenTo(), p.account.ID, p.account.Name == p.status.Applied.Account
	if was != "" && id == "" && (!named || !p.account.Asked) {
		// Other credentials may be those of another cloud account, and another name
		// that of the same: this is when to know. Not to know is an answer.
		id, _ = p.accounts.Identify(ctx, p.account)
	}
	if was == "" || id == "" {
		return named
	}
	return id == was
}

// writtenTo returns the ID of the cloud account that the object wrote to; "" if it
// was never verified.
func (p *pass) writtenTo() string {
	a := p.status.Applied
	if a.AccountID != "" {
		return a.AccountID
	}
	return p.accounts.KnownID(p.obj.GetNamespace(), a.Account)
}

// revision identifies what this pass brings the cloud to, but for the authentication
// key.
func (p *pass) revision() string { return p.kind.Revision(p.wanted()) }

// changed tells whether the spec asks for something else than was last written, or
// something was not written for certain.
func (p *pass) changed() bool { return p.kind.Changed(p.wanted()) }

// comparison is what the spec wants beside what the cloud has.
type comparison struct {
	kind.Comparison
	auth authentication
}

// compare describes the situation, for a plan.
func (p *pass) compare(have kind.Config, key live.Key, auth authentication) comparison {
	known := true
	if p.waits() && auth.rotated {
		key, auth, known = p.keyBefore(have)
	}
	c := comparison{p.kind.Compare(p.wanted(), kind.Facts{
		Now: p.now, Have: have, Key: key, Rotated: auth.rotated, Missing: p.mem.missed(have != nil, p.now),
	}), auth}
	c.Situation.Report = c.Situation.Report || !known // what it cannot sign is not written again
	for i := range c.Situation.Diff {
		c.Situation.Diff[i].Have = p.hide(c.Situation.Diff[i].Have)
	}
	return c
}

// keyBefore returns the key that the cloud holds while a new one waits for its turn:
// nobody but the cloud has it. Known tells that it is the one that was last written.
func (p *pass) keyBefore(have kind.Config) (key live.Key, auth authentication, known bool) {
	a := p.status.Applied
	key = kind.KeyOf(have)
	return key, authentication{version: a.SecretVersion, fingerprint: a.KeyFingerprint},
		key != "" && kind.Fingerprint(p.obj, key) == a.KeyFingerprint
}

// act does what is planned.
func (p *pass) act(ctx context.Context, remote kind.Remote, c comparison) outcome {
	todo := plan.Decide(c.Situation)
	if todo.Action == plan.Confirm {
		return deferred(todo.Verdict.After)
	}
	p.drift(c.Situation, todo)
	switch {
	case p.returning && todo.Action == plan.Apply:
		return p.takeBack(ctx, c)
	case todo.Action.Writes():
		return p.put(ctx, remote, c, todo)
	}
	out := outcome{Verdict: todo.Verdict}
	switch {
	case p.observes():
		out.fault = p.disown(ctx)
	case todo.Action == plan.Refuse:
		out.fault = p.release(ctx) // of what was refused when it was written
	case todo.Action == plan.Settle || todo.Action == plan.Adopt:
		if out.fault = p.own(ctx); out.fault == nil {
			p.wrote(c, ptr.Deref(p.status.Applied, v1alpha1.Applied{}).Time)
			p.arrived(c.Want, false)
		}
	}
	if todo.Event != "" {
		p.tell(todo.Event, todo.Note)
	}
	return out
}

// takeBack makes an object under a guard own what it wrote before it stopped to
// manage: what its spec asks for now is a change like any other.
func (p *pass) takeBack(ctx context.Context, c comparison) outcome {
	if err := p.own(ctx); err != nil {
		return outcome{fault: err}
	}
	p.status.Applied.UID = p.obj.GetUID()
	a := p.record()
	a.Revision, a.Pending, a.Refused = live.Revision(c.Held.Fields()), "", false
	p.learnPrevious(comparison{Comparison: kind.Comparison{Have: c.Held}})
	return outcome{Verdict: plan.Verdict{
		Ready: metav1.ConditionUnknown, Reason: v1alpha1.ReasonProgressing, After: minWait,
		Message: "The cloud holds what this object wrote before. The change since then is next.",
	}}
}

// own makes sure that the object, and the account that it needs, stay until its
// configuration is removed.
func (p *pass) own(ctx context.Context) error {
	if err := p.accounts.Hold(ctx, p.obj.GetNamespace(), p.spec.AccountRef); err != nil {
		return &apiFault{"patching the finalizer of the LiveAccount", err}
	}
	return p.claim(ctx)
}

// put writes the spec to the cloud. Before the first request the status says so:
// the patch also finds out whether the object still is as this pass sees it, and
// this operator still the one that works on it.
func (p *pass) put(ctx context.Context, remote kind.Remote, c comparison, todo plan.Plan) outcome {
	if err := p.own(ctx); err != nil {
		return outcome{fault: err}
	}
	unsure := c.Situation.Unsure
	a := p.record()
	a.Pending = p.revision()
	a.Refused = a.Refused && !unsure
	refused := p.beginChange(c, todo.Action)
	if err := p.patchStatus(ctx); err != nil {
		return outcome{fault: &apiFault{"noting what is about to be written", err}}
	}
	lane := p.lane
	if todo.Action == plan.Correct || todo.Action == plan.Respell {
		lane = quota.Sync
	}
	// What began is finished, also when the operator is told to end: the next one
	// would write it again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), passTimeout)
	defer cancel()
	logged := logr.NewContext(ctx, log.FromContext(ctx).WithValues("why", todo.Action, "fields", live.Names(c.Situation.Diff)))
	force := c.Situation.Owns || c.Situation.Adopt || todo.Action == plan.Complete
	p.writing = p.account.Client.Now().UTC().Truncate(time.Second)
	if err := remote.Put(logged, lane, p.key, c.Have, c.Want, force); err != nil {
		if live.Refused(err) && !unsure {
			refused()
		}
		return p.notPut(err, unsure)
	}
	if todo.Action == plan.Correct {
		drift := ptr.Deref(p.status.Drift, v1alpha1.Drift{})
		drift.Corrected = append(kind.Corrections(p.obj, p.now), metav1.Time{Time: p.now.Truncate(time.Second)})
		p.status.Drift = &drift
	}
	p.noDrift()
	p.wrote(c, &metav1.Time{Time: p.clock.Now().Truncate(time.Second)})
	p.arrived(c.Want, true)
	p.respell(c.Situation.Diff, todo.Action)
	if todo.Event != "" {
		p.tell(todo.Event, todo.Note)
	}
	return outcome{Verdict: todo.Verdict}
}

// record returns what is noted as applied, after signing it.
func (p *pass) record() *v1alpha1.Applied {
	a := p.status.Applied
	if a == nil || !kind.SignedBy(p.obj, a) {
		a = &v1alpha1.Applied{}
		p.status.Applied = a
	}
	if kind.Legacy(a) { // of which nothing was in doubt
		a.Revision = "0:" + a.Revision
	}
	a.UID, a.Account = p.obj.GetUID(), p.account.Name
	if p.account.ID != "" {
		a.AccountID = p.account.ID
	}
	return a
}

// notPut is the outcome of a failed write. What was refused for certain is not in
// the cloud; unless a write before it is in doubt, the object owns no more than it
// did.
func (p *pass) notPut(err error, unsure bool) outcome {
	if live.Refused(err) && !unsure {
		p.status.Applied.Refused = true
	}
	if live.ClassOf(err) == live.Exists && p.mem.failures == 0 {
		return outcome{err: err, Verdict: plan.Verdict{
			Ready: metav1.ConditionUnknown, Reason: v1alpha1.ReasonProgressing, Transient: true,
			Message: words.Sentence(err.Error()) + " It was created in the meantime; the operator looks again.",
		}}
	}
	if d, ok := errors.AsType[*quota.Deferral](err); ok {
		return outcome{deferral: d, withdrawn: true}
	}
	return failed(err)
}

// wrote notes in the status what the cloud was made, or found, equal to.
func (p *pass) wrote(c comparison, written *metav1.Time) {
	a := p.record()
	a.Revision, a.Pending, a.Refused, a.Time = p.revision(), "", false, written
	a.SecretVersion, a.KeyFingerprint = c.auth.version, c.auth.fingerprint
	if p.kind.Wrote != nil {
		p.kind.Wrote(p.obj, c.Want)
	}
}

// respell notes the spelling that the cloud had for what was written before it was
// written again. A spelling of something else is forgotten.
func (p *pass) respell(diff []live.Difference, done plan.Action) {
	p.status.Applied.Spellings = nil
	if done != plan.Respell {
		return
	}
	for _, d := range diff {
		p.status.Applied.Spellings = append(p.status.Applied.Spellings, v1alpha1.Spelling{Field: d.Name, Shown: d.Have})
	}
}

// drift sets the condition Drifted. What changed behind the object's back is
// counted; what it found there at first is not.
func (p *pass) drift(s plan.Situation, todo plan.Plan) {
	switch {
	case todo.Action.Writes() && len(todo.Drifted) > 0:
		p.found(todo.Drifted) // which is not left so
	case len(todo.Drifted) > 0:
		p.drifted(todo.Drifted, true)
	case todo.Action == plan.Report:
		// A spec that was changed differs too, and nothing has changed in the cloud.
		p.drifted(live.Names(s.Diff), p.reason(v1alpha1.ConditionDrifted) == v1alpha1.ReasonNoDrift && p.status.ObservedGeneration == p.obj.GetGeneration())
	case todo.Action == plan.Refuse:
		p.drifted(live.Names(s.Diff), false)
	case !todo.Action.Writes() && todo.Action != plan.Await:
		p.noDrift()
	}
}

// drifted notes differences, and counts those that are news.
func (p *pass) drifted(fields []string, counted bool) {
	drift := ptr.Deref(p.status.Drift, v1alpha1.Drift{})
	known := meta.IsStatusConditionTrue(p.status.Conditions, v1alpha1.ConditionDrifted) && p.status.Drift != nil && slices.Equal(drift.Fields, fields)
	names := strings.Join(fields, ", ")
	p.setCondition(v1alpha1.ConditionDrifted, metav1.ConditionTrue, v1alpha1.ReasonDriftDetected,
		fmt.Sprintf("The cloud differs from this spec in %s.", names))
	switch {
	case known:
	case counted:
		p.found(fields)
	default:
		drift.Fields = fields
		p.status.Drift = &drift
	}
}

// found counts drift that is news.
func (p *pass) found(fields []string) {
	drift := ptr.Deref(p.status.Drift, v1alpha1.Drift{})
	drift.Fields = fields
	drift.Count++
	drift.LastDetectedTime = &metav1.Time{Time: p.now.Truncate(time.Second)}
	p.status.Drift = &drift
	p.warn(v1alpha1.EventDriftDetected, fmt.Sprintf("%s of %s changed in the cloud", strings.Join(fields, ", "), p.key))
}

// noDrift clears Drifted. What drifted last stays in the status.
func (p *pass) noDrift() {
	p.setCondition(v1alpha1.ConditionDrifted, metav1.ConditionFalse, v1alpha1.ReasonNoDrift, "The cloud does not differ from this spec.")
}
