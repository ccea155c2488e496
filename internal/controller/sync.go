// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// sync reads the configuration, compares it with the spec and writes it if
// that is called for.
func (p *pass[O, C]) sync(ctx context.Context, cloud *live.Client, remote Remote[C]) outcome {
	if err := p.move(ctx); err != nil {
		return outcome{fault: err}
	}
	version, err := p.keyVersion(ctx)
	if err != nil {
		return outcome{fault: err}
	}
	lane, due := p.due(attempt{p.obj.GetGeneration(), version, cloud})
	if !due {
		return outcome{idle: true}
	}
	p.lane = lane
	authKey, version, err := p.authKey(ctx)
	if err != nil {
		return failed(err)
	}
	have, err := remote.Get(ctx, lane, p.key)
	if err != nil {
		return failed(err)
	}
	p.mem.syncedAt = p.now
	var none C
	exists := have != none
	if p.kind.Unread != nil {
		have = p.kind.Unread.Recall(p.obj, have)
	}
	p.kind.Observed(p.obj, have)
	c := comparison[C]{lane: lane, exists: exists, have: have, want: p.kind.Desired(p.obj, authKey), secretVersion: version}
	c.diff = c.want.Diff(have)
	return p.act(ctx, remote, c)
}

// comparison is what the spec wants beside what the cloud has.
type comparison[C any] struct {
	lane          live.Lane
	exists        bool // the cloud has any
	have, want    C
	diff          []string
	secretVersion string // of the Secret that the wanted key is from
}

// due tells whether the configuration is to be looked at, and for whom. What
// was never tried is someone's change and due at once.
func (p *pass[O, C]) due(now attempt) (live.Lane, bool) {
	if p.isNew && p.readyNow() && (p.observes() || p.current(now.secretVersion)) {
		// Restarted: what the status says holds until its time has come.
		p.mem.tried = now
		p.mem.nextSync = nextDue(p.now, p.spec.ResyncInterval.Duration, p.obj.GetUID())
		if p.reason(v1alpha1.ConditionReady) == v1alpha1.ReasonApplied {
			p.mem.nextSync = p.now
		}
	}
	// Other credentials may mend what failed; what is in sync waits for its turn,
	// so that thousands of objects are not read at once.
	sameAccount := p.mem.tried.cloud == now.cloud || p.readyNow() && p.mem.tried.cloud != nil
	changed := p.mem.tried.generation != now.generation || p.mem.tried.secretVersion != now.secretVersion || !sameAccount
	if !changed {
		p.mem.tried.cloud = now.cloud
	}
	if changed {
		p.mem.tried, p.mem.failures = now, 0
	}
	lane := live.LaneSync
	switch {
	case p.status.LastSyncTime == nil:
		lane = live.LaneNew
	case changed || !p.observes() && !p.current(now.secretVersion):
		lane = live.LaneUser
	}
	return lane, changed || !p.now.Before(p.mem.nextSync)
}

// current tells whether the configuration of the spec, with that version of
// the key, is what was last applied.
func (p *pass[O, C]) current(secretVersion string) bool {
	return p.unchanged() && p.status.Applied.SecretVersion == secretVersion
}

// unchanged tells the same of the spec alone.
func (p *pass[O, C]) unchanged() bool {
	return p.status.Applied != nil && p.status.Applied.Revision == revision(p.kind.Desired(p.obj, ""))
}

// move makes an object that now refers to another account a new one there: what
// it owns is in the account before, and is left to whoever has that.
func (p *pass[O, C]) move(ctx context.Context) error {
	if p.status.Applied == nil || p.status.Applied.Account == p.account() {
		return nil
	}
	p.status.Applied = nil
	return p.release(ctx)
}

// account returns the name of the LiveAccount; "" for the operator's own.
func (p *pass[O, C]) account() string {
	if p.spec.AccountRef == nil {
		return ""
	}
	return p.spec.AccountRef.Name
}

func (p *pass[O, C]) observes() bool { return p.spec.ManagementPolicy == v1alpha1.Observe }

// revision identifies a configuration by its JSON, which leaves out the
// authentication key.
func revision[C any](config C) string {
	raw, err := json.Marshal(config)
	if err != nil {
		panic(err) // a struct of strings and booleans
	}
	return fmt.Sprintf("%x", sha256.Sum256(raw))[:32]
}

// act does what was decided.
func (p *pass[O, C]) act(ctx context.Context, remote Remote[C], c comparison[C]) outcome {
	todo := decide(situation{
		observe: p.observes(),
		claimed: p.claimed(),
		exists:  c.exists,
		ours:    p.status.Applied != nil && p.status.Applied.Revision == revision(c.have),
		diff:    c.diff,
		changed: !p.unchanged(),
		pending: !p.current(c.secretVersion),
		age:     p.sinceWrite(),
		adopt:   p.spec.AdoptionPolicy == v1alpha1.AdoptAlways,
		report:  p.spec.DriftPolicy == v1alpha1.DriftReport,
		braked:  p.mem.braked(p.now),
	})
	fields := strings.Join(c.diff, ", ")
	switch todo {
	case adoptEqual:
		if p.kind.Unread != nil && p.kind.Unread.Set(c.want) {
			return p.put(ctx, remote, c, todo)
		}
		return p.settle(ctx, c, true)
	case settle:
		return p.settle(ctx, c, false)
	case report:
		// What an object that only observes finds at first is no drift.
		p.drifted(c.diff, !p.observes() || p.reason(v1alpha1.ConditionDrifted) == v1alpha1.ReasonNoDrift)
		return p.observed(ctx)
	case refuse:
		p.drifted(c.diff, false)
		return outcome{
			ready: metav1.ConditionFalse, reason: v1alpha1.ReasonExistingConfiguration, stalled: true, event: v1alpha1.EventConflict,
			message: fmt.Sprintf("The cloud already holds another configuration for %s; it differs in %s. Set adoptionPolicy: Always to replace it, or make this spec equal to it.", p.key, fields),
		}
	case await:
		return p.await(fields)
	case yield:
		p.drifted(c.diff, true)
		return progressing(fmt.Sprintf("Someone keeps changing %s in the cloud: it was corrected %d times in %s. Find who else writes it; the operator corrects it again later.", fields, maxCorrections, warPeriod), warPeriod/2)
	default:
		return p.put(ctx, remote, c, todo)
	}
}

// await is the outcome of a write that does not show yet. It is looked at again
// after as long as has passed, and at the latest when what shows is drift.
func (p *pass[O, C]) await(fields string) outcome {
	age := p.sinceWrite()
	out := applied(min(max(age, readBack), settling-age))
	out.message = fmt.Sprintf("The cloud accepted this configuration, but still shows another in %s. If it does so %s after the write, that is drift.", fields, settling)
	return out
}

// settle notes that the cloud holds the spec.
func (p *pass[O, C]) settle(ctx context.Context, c comparison[C], adopted bool) outcome {
	p.noDrift()
	if p.observes() {
		return p.observed(ctx)
	}
	if err := p.claim(ctx); err != nil {
		return outcome{fault: err}
	}
	if adopted {
		p.tell(v1alpha1.EventAdopted, "The cloud already held this configuration for %s; it is managed from now on", p.key)
	}
	p.applied(c, p.lastWrite())
	return inSync()
}

// observed is the outcome of a configuration that is read and left alone. An
// object that only observes gives up its claim, so that its deletion leaves
// the cloud as it is.
func (p *pass[O, C]) observed(ctx context.Context) outcome {
	if p.observes() {
		if err := p.release(ctx); err != nil {
			return outcome{fault: err}
		}
	}
	return observed()
}

// put writes the spec to the cloud.
func (p *pass[O, C]) put(ctx context.Context, remote Remote[C], c comparison[C], why action) outcome {
	if others := p.driftBesides(c.diff); why == apply && len(others) > 0 {
		p.drifted(others, true)
	}
	if why == correct {
		p.drifted(c.diff, true)
		c.lane = live.LaneSync
	}
	if err := p.own(ctx); err != nil {
		return outcome{fault: err}
	}
	if why == replace && p.kind.Unread != nil {
		c.have = p.kind.Unread.Foreign(c.have)
	}
	// What began is finished, also when the operator is told to end: the next one
	// would write it again.
	logged := logr.NewContext(context.WithoutCancel(ctx), log.FromContext(ctx).WithValues("why", why, "fields", c.diff))
	if err := remote.Put(logged, c.lane, p.key, c.have, c.want); err != nil {
		p.doubt(c, err)
		return p.notPut(ctx, err)
	}
	p.noDrift()
	p.applied(c, &metav1.Time{Time: p.clock.Now().Truncate(time.Second)})
	fields := strings.Join(c.diff, ", ")
	switch {
	case why == correct:
		p.mem.corrected = append(p.mem.corrected, p.now)
		p.tell(v1alpha1.EventDriftCorrected, "Restored %s of %s", fields, p.key)
	case why == adoptEqual:
		p.tell(v1alpha1.EventAdopted, "The cloud already held what can be read of this configuration for %s; the rest is written, and all of it managed from now on", p.key)
	case why == replace:
		p.tell(v1alpha1.EventAdopted, "Replaced another configuration of %s, which differed in %s", p.key, fields)
	case len(c.diff) == 0:
		p.tell(v1alpha1.EventApplied, "Wrote the configuration of %s", p.key)
	default:
		p.tell(v1alpha1.EventApplied, "Wrote %s of %s", fields, p.key)
	}
	return applied(readBack)
}

// driftBesides returns the fields that were changed in the cloud, where a key
// that was rotated is about to be written with all the rest.
func (p *pass[O, C]) driftBesides(diff []string) []string {
	if !p.unchanged() || p.sinceWrite() < settling {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(diff), func(name string) bool { return name == live.AuthenticationField })
}

// doubt notes that a failed write, which may have arrived or not, or in part,
// would have changed what cannot be read. Whatever the spec asks for next is
// written: also what it asked for before.
func (p *pass[O, C]) doubt(c comparison[C], err error) {
	unread := p.kind.Unread
	if unread == nil {
		return
	}
	changes := slices.ContainsFunc(c.diff, func(name string) bool { return slices.Contains(unread.Fields, name) }) ||
		p.status.Applied == nil && unread.Set(c.want)
	if !changes || live.ClassOf(err) == live.Exists && p.status.Applied == nil {
		return
	}
	doubtful := v1alpha1.Applied{Account: p.account()}
	if p.status.Applied != nil {
		doubtful = *p.status.Applied
	}
	doubtful.Revision = ""
	p.status.Applied = &doubtful
}

// notPut is the outcome of a failed write. If a configuration that was never
// ours turned up in the meantime, the claim on it is given back: whether to
// replace it is for adoptionPolicy to say.
func (p *pass[O, C]) notPut(ctx context.Context, err error) outcome {
	if live.ClassOf(err) == live.Exists && p.status.Applied == nil {
		if err := p.release(ctx); err != nil {
			return outcome{fault: err}
		}
	}
	return failed(err)
}

// applied notes in the status what the cloud was made, or found, equal to.
func (p *pass[O, C]) applied(c comparison[C], written *metav1.Time) {
	if p.kind.Unread != nil {
		p.kind.Unread.Applied(p.obj, c.want)
	}
	p.status.Applied = &v1alpha1.Applied{
		Revision: revision(p.kind.Desired(p.obj, "")), Account: p.account(), SecretVersion: c.secretVersion, Time: written,
	}
}

// lastWrite returns when the cloud was last written; nil for never.
func (p *pass[O, C]) lastWrite() *metav1.Time {
	if p.status.Applied == nil {
		return nil
	}
	return p.status.Applied.Time
}

// sinceWrite returns the time since the last write, negative for never.
func (p *pass[O, C]) sinceWrite() time.Duration {
	if t := p.lastWrite(); t != nil {
		return max(p.now.Sub(t.Time), 0)
	}
	return -1
}

// drifted sets Drifted. Differences that are news are counted, unless they are
// no change behind our back.
func (p *pass[O, C]) drifted(fields []string, counted bool) {
	known := meta.IsStatusConditionTrue(p.status.Conditions, v1alpha1.ConditionDrifted) &&
		p.status.Drift != nil && strings.Join(p.status.Drift.Fields, ",") == strings.Join(fields, ",")
	names := strings.Join(fields, ", ")
	p.setCondition(v1alpha1.ConditionDrifted, metav1.ConditionTrue, v1alpha1.ReasonDriftDetected,
		fmt.Sprintf("The cloud differs from this spec in %s.", names))
	if known {
		return
	}
	drift := v1alpha1.Drift{}
	if p.status.Drift != nil {
		drift = *p.status.Drift
	}
	drift.Fields = fields
	if counted {
		drift.Count++
		drift.LastDetectedTime = &metav1.Time{Time: p.now.Truncate(time.Second)}
		p.warn(v1alpha1.EventDriftDetected, "%s of %s changed in the cloud", names, p.key)
		countDrift(p.kind.Name, p.obj)
	}
	p.status.Drift = &drift
}

// noDrift clears Drifted. What drifted last stays in the status.
func (p *pass[O, C]) noDrift() {
	p.setCondition(v1alpha1.ConditionDrifted, metav1.ConditionFalse, v1alpha1.ReasonNoDrift, "The cloud does not differ from this spec.")
}
