// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// How an object stands to the configuration in the cloud, by its own status. The
// loop and the command line both read it here, so that a plan cannot disagree with
// what is done.

// Claimed tells whether an object has the finalizer.
func Claimed(o client.Object) bool { return controllerutil.ContainsFinalizer(o, v1alpha1.Finalizer) }

// SignedBy tells whether what is noted as applied is of this very object, not of one
// whose status was restored or copied. Versions before this note had no UID; but
// these had the finalizer.
func SignedBy(o Object, a *v1alpha1.Applied) bool {
	return a != nil && (a.UID == o.GetUID() || Legacy(a) && Claimed(o))
}

// Legacy tells that applied is in the form of the versions before 0.2, which knew
// neither UIDs nor formats of revisions.
func Legacy(a *v1alpha1.Applied) bool {
	return a.UID == "" && a.Revision != "" && !HasFormat(a.Revision)
}

// HasFormat tells whether a revision is in a format of live.Revision. Those of the
// versions before have none.
func HasFormat(revision string) bool { return strings.Contains(revision, ":") }

// Wrote tells whether an object has something in the cloud, by its own status.
func Wrote(o Object) bool {
	_, status := o.Callback()
	a := status.Applied
	return Claimed(o) && SignedBy(o, a) && mayHold(a)
}

// mayHold tells whether what is noted as applied may be in the cloud.
func mayHold(a *v1alpha1.Applied) bool { return a.Revision != "" || a.Pending != "" && !a.Refused }

// LostFinalizer tells that the finalizer of an object was taken away, as by
// kubectl replace, and not given up.
func LostFinalizer(o Object) bool {
	spec, status := o.Callback()
	a := status.Applied
	return !Claimed(o) && a != nil && a.UID == o.GetUID() && mayHold(a) && spec.ManagementPolicy != v1alpha1.Observe
}

// Revision identifies what the spec asks for, but for the authentication key.
func (k *Kind) Revision(o Object) string { return live.Revision(k.Desired(o, "").Fields()) }

// Changed tells whether the spec asks for something else than was last written, or
// something was not written for certain.
func (k *Kind) Changed(o Object) bool {
	_, status := o.Callback()
	a := status.Applied
	switch {
	case a == nil || !Wrote(o):
		return false
	case a.Pending != "" || a.Revision == "":
		return true
	case !strings.HasPrefix(a.Revision, live.RevisionFormat):
		// Of another version of the operator: what it says cannot be compared.
		return status.ObservedGeneration != o.GetGeneration()
	default:
		return a.Revision != k.Revision(o)
	}
}

// Fingerprint tells one key from another, as a format number and 16 bits of a hash
// that is salted with the object's UID: of all keys that someone may guess, one in
// 65,536 has the same, so that it confirms no guess.
func Fingerprint(o Object, key live.Key) string {
	h := hmac.New(sha256.New, []byte(o.GetUID()))
	h.Write([]byte(key)) // never fails
	return fmt.Sprintf("1:%x", h.Sum(nil)[:2])
}

// SinceWrite returns the time since the last write, negative for never. A write of
// the future, by the clock of another leader, is as old as can be.
func SinceWrite(o Object, now time.Time) time.Duration {
	_, status := o.Callback()
	if status.Applied == nil || status.Applied.Time == nil {
		return -1
	}
	t := status.Applied.Time
	if t.After(now.Add(plan.Settling)) {
		return plan.Settling
	}
	return max(now.Sub(t.Time), 0)
}

// maxRequest bounds what of the annotation is looked at, in bytes: it goes into
// the status.
const maxRequest = 128

// RequestOf returns the last request of a person to look at an object now; "" for
// none.
func RequestOf(o client.Object) string {
	return live.Bound(o.GetAnnotations()[v1alpha1.AnnotationReconcileRequestedAt], maxRequest)
}

// Requested tells whether someone asks to look now, and that is still to be done.
func Requested(o Object) bool {
	_, status := o.Callback()
	request := RequestOf(o)
	return request != "" && request != status.LastHandledReconcileAt
}

// Standing returns how an object under a guard, which owns something, stands to its last
// change. Key is the fingerprint of its key as it is, which is another one than was last
// written, or not.
func (k *Kind) Standing(o Object, key string, rotated bool) plan.Standing {
	_, status := Shared(o)
	a, revision, guard := status.Applied, k.Revision(o), v1alpha1.GuardStatus{}
	if status.Guard != nil {
		guard = *status.Guard
	}
	c, previous := guard.Change, guard.Previous
	return plan.Standing{
		Last: c, Generation: o.GetGeneration(), Key: key, Asked: Requested(o),
		Back:  previous != nil && previous.Revision == revision && (a.Revision != revision || c != nil && c.Revision != revision),
		Other: HasFormat(a.Revision) && a.Revision != revision,
		Rotated: rotated && k.KeyRef(o) != nil &&
			(a.KeyFingerprint != "" || !Legacy(a)), // else it is not known which key was written
	}
}

// Removal is what is pending while a configuration is removed.
const Removal = "removal"

// Retained says why the configuration of an object that is deleted is to stay in the
// cloud; "" if it is not.
func Retained(o Object) string {
	switch spec, _ := o.Callback(); {
	case spec.DeletionPolicy == v1alpha1.DeletionRetain:
		return "deletionPolicy is Retain"
	case spec.ManagementPolicy == v1alpha1.Observe:
		return "managementPolicy is Observe"
	case spec.Suspend:
		return "spec.suspend is true"
	default:
		return ""
	}
}

// AwaitsRemoval tells whether an object is deleted, may have something to remove, and
// has not begun to.
func AwaitsRemoval(o Object) bool {
	_, status := o.Callback()
	return !o.GetDeletionTimestamp().IsZero() && Wrote(o) && status.Applied.Pending != Removal && Retained(o) == ""
}

// DeletedBefore orders the removals from an account: the oldest deletion first, then by
// name.
func DeletedBefore(a, b Object) int {
	at, bt := a.GetDeletionTimestamp(), b.GetDeletionTimestamp()
	return cmp.Or(at.Compare(bt.Time), cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
}

// Corrections returns when drift of an object was corrected within plan.WarPeriod.
func Corrections(o Object, now time.Time) []metav1.Time {
	_, status := o.Callback()
	all := slices.Clone(ptr.Deref(status.Drift, v1alpha1.Drift{}).Corrected)
	return slices.DeleteFunc(all, func(t metav1.Time) bool { return now.Sub(t.Time) >= plan.WarPeriod || t.After(now) })
}

// Facts are what is known of an object's configuration besides the object.
type Facts struct {
	Now     time.Time
	Have    Config   // what the cloud shows; nil for nothing
	Key     live.Key // that callbacks are to be signed with
	Rotated bool     // it is another key than was last written
	Missing bool     // nothing was shown a while ago already, where something was written
}

// Comparison is what the spec wants beside what the cloud has, for a plan.
type Comparison struct {
	// Have is completed with what the object wrote and the cloud never shows.
	Have, Want Config
	// Held is Have where the object wrote it before, and does not own it any more.
	Held      Config
	Situation plan.Situation
}

// Compare describes an object's situation, for a plan.
func (k *Kind) Compare(o Object, f Facts) Comparison {
	spec, status := o.Callback()
	a, owns := status.Applied, Wrote(o) || LostFinalizer(o)
	c := Comparison{Have: f.Have, Want: k.Desired(o, f.Key)}
	written := f.Have
	if k.Recall != nil && a != nil {
		written = k.Recall(o, f.Have)
	}
	if owns && (f.Have != nil || written != nil && len(Diff(nil, c.Want)) == 0) {
		c.Have = written
	}
	s := plan.Situation{
		Name: k.Key(o), Observe: spec.ManagementPolicy == v1alpha1.Observe,
		Adopt: spec.AdoptionPolicy == v1alpha1.AdoptAlways, Report: spec.DriftPolicy == v1alpha1.DriftReport,
		Owns: owns, Exists: f.Have != nil, Missing: f.Missing, Diff: Diff(f.Have, c.Want),
		Age: SinceWrite(o, f.Now), Corrected: len(Corrections(o, f.Now)),
	}
	if owns {
		changed := k.Changed(o)
		s.Unread = Unread(written, c.Want)
		s.Unsure = a.Pending != "" && !a.Refused
		s.Rotated = f.Rotated && !changed && (a.KeyFingerprint != "" || !Legacy(a))
		s.Changed = changed || s.Rotated
		if live.Masked(fields(f.Have)) { // what it holds cannot be read
			s.Diff = slices.DeleteFunc(s.Diff, func(d live.Difference) bool { return d.Secret && d.Have == "differs" })
			s.Unread = s.Unread || s.Rotated
		}
	} else {
		s.Unread = Unread(nil, c.Want)
		if s.Held = a != nil && f.Have != nil && HeldBefore(a, live.Revision(written.Fields())); s.Held {
			c.Held = written
		}
	}
	s.Spelled, s.Respelled = spelled(a, s.Diff)
	c.Situation = s
	return c
}

// HeldBefore tells whether a revision is what the object last wrote before it
// stopped to manage it, or what it tried to write when the cloud refused.
func HeldBefore(a *v1alpha1.Applied, revision string) bool {
	return a.Revision == revision || a.Refused && a.Pending == revision
}

// spelled tells whether all that differs is the cloud's own spelling of what was
// written, and whether it showed that after a second write too.
func spelled(a *v1alpha1.Applied, diff []live.Difference) (spelled, twice bool) {
	if len(diff) == 0 || a == nil {
		return false, false
	}
	twice = true
	for _, d := range diff {
		if d.Secret || !live.Spelling(d.Have, d.Want) {
			return false, false
		}
		twice = twice && slices.ContainsFunc(a.Spellings, func(s v1alpha1.Spelling) bool {
			return s.Field == d.Name && s.Shown == d.Have
		})
	}
	return true, twice
}
