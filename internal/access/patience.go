// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
	"github.com/live-notify/live-notify-operator/internal/words"
)

const (
	// maxThrottled is how often a request that the cloud throttled is made again.
	maxThrottled = 5
	// longestWait is the longest that the cloud may ask to wait: who is to wait for
	// longer is told so instead.
	longestWait = time.Minute
	// memory is for how long an operation is one that the cloud throttles time and
	// again.
	memory = time.Minute
)

// Patience is how long the requests of a run wait for their turns. The cloud may
// throttle an operation for as long as somebody else uses up its limit: then one
// request finds that out, and the others do not wait for it again.
//
// A nil Patience waits too, and remembers nothing.
type Patience struct {
	// Sleep waits; nil for time itself.
	Sleep func(context.Context, time.Duration) error

	mu    sync.Mutex
	spent map[operation]spent
}

// operation is one of an account.
type operation struct {
	client *live.Client
	action string
}

// spent is what was said last of an operation, and when.
type spent struct {
	err error
	at  time.Time
}

// Make makes a request of a client until it has had its turn within the limits. What
// the cloud throttles all the same is tried again, a few times. An endpoint that
// does not answer is an error.
func (p *Patience) Make(ctx context.Context, c *live.Client, request func(context.Context) error) error {
	for throttled := 0; ; {
		err := request(ctx)
		wait := time.Duration(0)
		d, deferred := errors.AsType[*quota.Deferral](err)
		switch {
		case deferred && d.Outage:
			return &live.Error{Class: live.Unavailable, Action: "every call", Code: "Network", Message: "the endpoint does not answer"}
		case deferred:
			if before := p.said(operation{c, d.Name}); before != nil {
				return before
			}
			wait = d.Wait
		case live.ClassOf(err) == live.Throttled:
			e, _ := errors.AsType[*live.Error](err)
			op := operation{c, e.Action}
			if throttled++; throttled > maxThrottled || e.RetryAfter > longestWait || p.said(op) != nil {
				p.note(op, err)
				return err
			}
			wait = max(e.RetryAfter, time.Second)
		default:
			return err
		}
		if err := p.sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// said returns what the cloud said of an operation that it throttles time and again;
// nil for another.
func (p *Patience) said(op operation) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, ok := p.spent[op]; ok && time.Since(s.at) < memory {
		return s.err
	}
	return nil
}

// note remembers what the cloud said of an operation.
func (p *Patience) note(op operation, err error) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spent == nil {
		p.spent = map[operation]spent{}
	}
	p.spent[op] = spent{err, time.Now()}
}

// sleep waits, or ends with the context.
func (p *Patience) sleep(ctx context.Context, wait time.Duration) error {
	if p != nil && p.Sleep != nil {
		return p.Sleep(ctx, wait)
	}
	return quota.Sleep(ctx, wait)
}

// usedUp says which limit is used up, and what to do about it.
func usedUp(action string) string {
	limit := "The limit"
	operations := live.Operations()
	if i := slices.IndexFunc(operations, func(o live.Operation) bool { return o.Action == action }); i >= 0 {
		limit = fmt.Sprintf("The limit of %s %s a second", strconv.FormatFloat(operations[i].Limit, 'g', 3, 64), words.Plural(int(math.Ceil(operations[i].Limit)), "call"))
	}
	return limit + " that the account has for it is used up, also by others: try again later, or use less of it with --quota-share-percent."
}
