// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"slices"
	"strings"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

// Family is a family of configurations, each found by its key. What the families
// share stands here, above all those that are added, updated, described and deleted
// by domain: a family is the members, and what [Detect] and the like put into them.
type Family[C Config] struct {
	client *Client
	// The operations whose limits decide when there is a turn.
	reads, creates, updates Operation

	// The requests, by the key of the turn. NotFound is no error of get and drop. The
	// write is one where there is no configuration, to create it, or over one that
	// exists; optional fields that are to be empty are sent empty, or left out.
	get   func(context.Context, turn) (C, error)
	write func(ctx context.Context, t turn, create bool, want C, leaveOut bool) error
	drop  func(context.Context, turn) error
}

// Get returns the configuration of a key; the zero value if there is none. An error
// says nothing of what the cloud holds.
func (f Family[C]) Get(ctx context.Context, lane quota.Lane, key string) (C, error) {
	return f.read(ctx, newTurn(lane, key))
}

// Put makes the cloud hold want where it held have. With force, what the cloud does
// not let it replace is removed first; without, it is an error of class Exists.
func (f Family[C]) Put(ctx context.Context, lane quota.Lane, key string, have, want C, force bool) error {
	c := change[C]{f, f.client.habitsOf(f.updates), have, want, force}
	return c.put(ctx, newTurn(lane, key))
}

// Delete removes the configuration of a key; absence is success.
func (f Family[C]) Delete(ctx context.Context, lane quota.Lane, key string) error {
	return f.remove(ctx, newTurn(lane, key))
}

// ReadRate is the limit of the operation that Get calls.
func (f Family[C]) ReadRate() quota.Rate { return f.reads.rate() }

// WriteRate is the limit of the operation that Put calls first.
func (f Family[C]) WriteRate(create bool) quota.Rate { return f.writes(create).rate() }

// writes returns the operation of a write. Where both operations take the same
// parameters, the model of the one is that of the other.
func (f Family[C]) writes(create bool) Operation {
	if create {
		return f.creates
	}
	return f.updates
}

func (f Family[C]) read(ctx context.Context, t turn) (C, error) {
	have, err := f.get(ctx, t)
	if err != nil {
		var none C
		return none, ignoreNotFound(err)
	}
	return have, nil
}

func (f Family[C]) create(ctx context.Context, t turn, want C) error {
	return f.write(ctx, t, true, want, true)
}

func (f Family[C]) remove(ctx context.Context, t turn) error {
	return ignoreNotFound(f.drop(ctx, t))
}

// means makes a refusal, whose code may stand for several things, one of the given
// class, if that is what it stands for: that there is a configuration, or none.
func (f Family[C]) means(ctx context.Context, t turn, class Class, refused error) error {
	now, err := f.read(ctx, t.finish())
	var none C
	switch {
	case err != nil: // what was meant is not known
		return err
	case (now != none) == (class == Exists):
		return withClass(refused, class)
	default:
		return refused
	}
}

// isOn reads a truth value where the cloud does not use booleans. It has several
// spellings in the API; one that is not known is not taken for off.
func isOn(s *string) bool {
	return !slices.Contains([]string{"", no, "false", "off", "0"}, strings.ToLower(value(s)))
}

// yesNo is a truth value where the cloud does not use booleans.
func yesNo(on bool) *string {
	if on {
		return &yes
	}
	return &no
}
