// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"slices"
	"sync/atomic"
)

// Config is a configuration; its zero value is none.
type Config interface {
	comparable
	Fields() []Field
}

// habits are what a client learns of a cloud about the writes of one family, which
// the documentation leaves open.
type habits struct {
	takesEmpty atomic.Bool // fields that are sent empty are accepted
	leavesOut  atomic.Bool // they are refused, and so are left out
	clears     atomic.Bool // a field that is sent empty, or left out, becomes empty
}

// habitsOf returns what the client has learned of a family, by its operation.
func (c *Client) habitsOf(updates Operation) *habits {
	h, _ := c.learned.LoadOrStore(updates, &habits{})
	return h.(*habits)
}

// change brings one configuration to the cloud. With force it may remove what the
// cloud does not let it replace; without, that is an error of class Exists.
type change[C Config] struct {
	Family[C]

	habits     *habits
	have, want C
	force      bool
}

// put makes the cloud hold want where it held have, with one request if that is
// enough. The configuration is removed only where a field that has to be cleared
// stays otherwise, and only after the cloud has accepted what is wanted. Once
// something is written, the other steps do not give up their turn.
func (c change[C]) put(ctx context.Context, t turn) error {
	var none C
	create := c.have == none
	var err error
	if !create {
		err = c.send(ctx, t)
		create = ClassOf(err) == NotFound // gone since it was read
	}
	if create {
		err = c.create(ctx, t, c.want)
	}
	switch {
	case ClassOf(err) == Exists:
		return c.exists(ctx, t.finish(), err, create)
	case err != nil || create:
		return err
	default:
		return begun(c.clear(ctx, t.finish()))
	}
}

// send writes over what exists. A cloud that takes a field that is sent empty for
// one that is missing, or malformed, gets the request once more without it.
func (c change[C]) send(ctx context.Context, t turn) error {
	leaveOut := c.habits.leavesOut.Load()
	err := c.write(ctx, t, false, c.want, leaveOut)
	if leaveOut || !slices.ContainsFunc(c.want.Fields(), Field.empty) {
		return err
	}
	if err == nil {
		c.habits.takesEmpty.Store(true)
	}
	if ClassOf(err) != Rejected || c.habits.takesEmpty.Load() {
		return err
	}
	again := c.write(ctx, t.finish(), false, c.want, true)
	if again == nil || ClassOf(again) == Exists {
		c.habits.leavesOut.Store(true)
		c.habits.clears.Store(false) // what was learned is of the other way
	}
	return again
}

// exists goes on after the cloud refused to write over what exists; or, if it was to be
// created, to create it.
func (c change[C]) exists(ctx context.Context, t turn, refused error, created bool) error {
	now, err := c.read(ctx, t)
	var none C
	switch {
	case err != nil:
		return err
	case len(Diff(now.Fields(), c.want.Fields())) == 0 && !c.unread():
		return nil
	case !c.force:
		return refused
	}
	if c.have == none || len(Diff(now.Fields(), c.have.Fields())) > 0 {
		c.have = now // else it holds what cannot be read, too
	}
	if created { // what said that there is none, or shows none, may lag or lie
		switch err := c.send(ctx, t); ClassOf(err) {
		case "":
			return begun(c.clear(ctx, t))
		case Exists:
		case NotFound: // what it is that exists is not known
			return refused
		default:
			return err
		}
	}
	return c.replace(ctx, t, c.have)
}

// unread tells whether a field changes that the cloud never shows.
func (c change[C]) unread() bool {
	want := c.want.Fields()
	for i, f := range c.have.Fields() {
		if f.WriteOnly && f.Value != want[i].Value {
			return true
		}
	}
	return false
}

// clear sees to it that the fields that were to become empty are. Of one that the
// cloud never shows, this is known only if it was seen of others.
func (c change[C]) clear(ctx context.Context, t turn) error {
	var shown []int
	unread, want := false, c.want.Fields()
	for i, f := range c.have.Fields() {
		switch {
		case f.empty() || !want[i].empty():
		case f.WriteOnly:
			unread = true
		default:
			shown = append(shown, i)
		}
	}
	known, kept := c.habits.clears.Load(), unread
	if len(shown) > 0 {
		now, err := c.read(ctx, t)
		if err != nil {
			return err
		}
		fields := now.Fields()
		kept = slices.ContainsFunc(shown, func(i int) bool { return !fields[i].empty() })
		c.habits.clears.Store(!kept)
	}
	if !kept || known {
		// What is kept although such fields are known to be cleared was read too
		// early. If it was not, it is drift, and no longer known by then.
		return nil
	}
	return c.replace(ctx, t, c.have)
}

// replace removes the configuration and creates the wanted one. What began is
// finished, also when the operator is told to stop in between.
func (c change[C]) replace(ctx context.Context, t turn, before C) error {
	removing := c.remove(ctx, t)
	if Refused(removing) {
		return removing
	}
	ctx = context.WithoutCancel(ctx)
	err := c.create(ctx, t, c.want)
	var none C
	switch {
	case removing != nil: // nobody knows what was there when it was written
		return removing
	case Refused(err) && before != none:
		// What worked goes back. If that fails, the next pass finds nothing there.
		_ = c.create(ctx, t, before)
	}
	return begun(err)
}
