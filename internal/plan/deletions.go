// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/words"
)

// Deletions is how many removals an account allows within an hour, and how many it
// had. These are kept by the minute in which they were made. The hour counts from
// the end of that minute: whichever hour one looks at, it has no more than PerHour.
type Deletions struct {
	PerHour int // 0 is no limit
	Recent  []v1alpha1.DeletionCount
	Where   string // it is the limit of, and is set, for people
}

// DeletionsOf returns the limit of a LiveAccount; nil for none.
func DeletionsOf(a *v1alpha1.LiveAccount) *Deletions {
	if a.Spec.MaxDeletionsPerHour == 0 {
		return nil
	}
	return &Deletions{int(a.Spec.MaxDeletionsPerHour), a.Status.Deletions, fmt.Sprintf("LiveAccount %q, by spec.maxDeletionsPerHour,", a.Name)}
}

// remembered is for how long after the begin of its minute a removal counts.
const remembered = time.Hour + time.Minute

// Current returns the removals that still count, oldest first. Those of the future,
// by the clock of another process, are taken to be of now.
func (d Deletions) Current(now time.Time) []v1alpha1.DeletionCount {
	this := now.UTC().Truncate(time.Minute)
	sums := map[time.Time]int32{}
	for _, r := range d.Recent {
		minute := r.Minute.UTC().Truncate(time.Minute)
		if minute.After(this) {
			minute = this
		}
		if now.Sub(minute) < remembered && r.Count > 0 {
			sums[minute] += r.Count
		}
	}
	current := make([]v1alpha1.DeletionCount, 0, len(sums))
	for minute, count := range sums {
		current = append(current, v1alpha1.DeletionCount{Minute: metav1.NewTime(minute), Count: count})
	}
	slices.SortFunc(current, func(a, b v1alpha1.DeletionCount) int { return a.Minute.Compare(b.Minute.Time) })
	return current
}

// Take returns what is to be kept once one more removal was allowed, and whether it
// is.
func (d Deletions) Take(now time.Time) ([]v1alpha1.DeletionCount, bool) {
	current := d.Current(now)
	if sum(current) >= d.PerHour {
		return current, false
	}
	d.Recent = append(current, v1alpha1.DeletionCount{Minute: metav1.NewTime(now), Count: 1})
	return d.Current(now), true
}

func sum(counts []v1alpha1.DeletionCount) (total int) {
	for _, c := range counts {
		total += int(c.Count)
	}
	return total
}

// Turn returns when a removal is allowed that so many others are ahead of, provided
// that each of them takes its own turn.
func (d Deletions) Turn(now time.Time, ahead int) time.Time {
	current := d.Current(now)
	used := sum(current)
	free := d.PerHour - used
	if ahead < free {
		return now
	}
	if free > 0 { // these are taken now, and come back when an hour is over
		current = append(current, v1alpha1.DeletionCount{Minute: metav1.NewTime(now), Count: int32(free)})
	}
	// Turns come back in the order in which they were taken. Of a limit that was
	// lowered, the first ones do not.
	extra := max(-free, 0)
	n := ahead - max(free, 0)
	rounds := n / d.PerHour
	index := extra + n%d.PerHour
	for _, c := range current {
		if index -= int(c.Count); index < 0 {
			return c.Minute.Add(remembered * time.Duration(rounds+1))
		}
	}
	return now.Add(remembered) // not reached: they are as many as PerHour and extra
}

// Held is the verdict on a removal that so many others are ahead of, and whose turn is
// yet to come.
func (d Deletions) Held(now time.Time, ahead int) Verdict {
	turn := d.Turn(now, ahead)
	v := verdict(metav1.ConditionUnknown, v1alpha1.ReasonDeletionHeld,
		"%s allows %s an hour, and had them. The turn of this one is at about %s. To have it removed sooner, raise the limit; or set deletionPolicy: Retain, which releases this object and leaves the configuration.",
		d.Where, words.Count(d.PerHour, "removal"), turn.UTC().Add(time.Minute-time.Nanosecond).Truncate(time.Minute).Format(time.RFC3339))
	v.Event = v1alpha1.EventDeletionHeld
	v.After = max(turn.Sub(now), time.Second)
	return v
}
