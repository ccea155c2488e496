// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// BenchmarkTake is one request while ten thousand wait, in one lane or in all: of
// who is sent away again, and of who has a turn and asks for the next.
func BenchmarkTake(b *testing.B) {
	const n = 10_000
	rate := Rate{"x", 100}
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint(i)
	}
	for _, c := range []struct {
		name  string
		lanes int
		step  time.Duration // between requests
	}{
		{"waiting in one lane", 1, 0},
		{"waiting in all lanes", lanes, 0},
		{"granted", lanes, 20 * time.Millisecond},
	} {
		for _, member := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/member=%t", c.name, member), func(b *testing.B) {
				now := time.Now()
				clock := func() time.Time { return now }
				l, shared := NewLimits(0.8, Report{}), NewLimits(0.8, Report{})
				l.now, shared.now = clock, clock
				if member {
					l.Join(shared)
				}
				ctx := context.Background()
				for i, key := range keys {
					_ = l.Take(ctx, rate, Lane(i%c.lanes), key, 0)
				}
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					if now = now.Add(c.step); c.step > 0 {
						_ = l.Take(ctx, rate, User, fmt.Sprint("user", i), 0)
					} else {
						_ = l.Take(ctx, rate, Lane(i%n%c.lanes), keys[i%n], 0)
					}
					i++
				}
			})
		}
	}
}
