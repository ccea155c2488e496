// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"math"
	"slices"
	"time"
)

const (
	// cycle is in how many turns each lane that waits has one for certain, so that
	// none waits for ever.
	cycle = 10
	// patience is for how long a place is kept for who was to come back.
	patience = 10 * time.Second
	// sweeping is how often places are looked through for those.
	sweeping = time.Second
	// maxLag is how many turns, or those of a second if they are more, can be made
	// up for when callers come late.
	maxLag = 8
	// contenders is how many wait for the same moment when turns are being made up
	// for: one of them is on time.
	contenders = 8
	// slowdown is by how much the time between turns grows when the cloud
	// throttles, up to maxSlowdown times what the quota allows; half of what was
	// added is gone after each recovery.
	slowdown    = 1.5
	maxSlowdown = 10
	recovery    = 30 * time.Second
	// rounding is what a product of floating point numbers may be off by.
	rounding = 1e-9
)

// pacer gives turns to the requests of one operation, evenly spaced. Who has no
// turn yet has a place in a line: by urgency of the lane, and in a lane in the
// order of coming. A turn that is due waits for who comes late, and does not keep
// the next one from the next in line. Its user holds a lock.
type pacer struct {
	rate    Rate
	spacing time.Duration // between turns, as the quota allows
	most    int           // turns in a window
	window  time.Duration
	spare   bool    // a person's request may take its turn early
	slowed  float64 // by how much longer the spacing is after throttling
	changed time.Time

	next    time.Time   // when the next turn is
	turn    int         // its number
	due     [lanes]int  // the number of the turn that a waiting lane has for certain
	used    []time.Time // when the last turns were used
	waiting [lanes][]*entry
	index   map[who]*entry
	swept   time.Time
}

// entry is a place in the line.
type entry struct {
	who    who
	lane   Lane
	number uint64    // in the order of coming
	back   time.Time // when it was told to come back
}

func newPacer(rate Rate, share float64) *pacer {
	p := &pacer{rate: rate, slowed: 1, index: map[who]*entry{}}
	p.setShare(share)
	return p
}

// setShare sets the pace that the quota allows.
func (p *pacer) setShare(share float64) {
	limit, pace := p.rate.PerSecond, p.rate.PerSecond*share
	p.spacing = seconds(1 / pace)
	// A window of the cloud may begin at any time: it has no more turns than the
	// limit, and only one more than the share, which makes good what came late.
	most := math.Floor(pace+rounding) + 1
	if share <= 1 {
		most = min(most, max(1, math.Floor(limit)))
	}
	p.most = int(most)
	// Below one in a second it is the spacing that counts.
	p.window = max(time.Second, seconds(0.9/pace), seconds(1/max(limit, pace)))
	// There is room for one that came late into a window, and one ahead of its turn.
	p.spare = math.Floor(limit)-math.Ceil(pace-rounding) >= 2 && p.spacing < time.Second
}

// seconds returns a duration, of a day at most.
func seconds(s float64) time.Duration {
	return time.Duration(min(s, (24*time.Hour).Seconds()) * float64(time.Second))
}

// pace is the time between turns that is kept.
func (p *pacer) pace() time.Duration {
	return time.Duration(float64(p.spacing) * p.slowed)
}

// slow is what throttling calls for.
func (p *pacer) slow(now time.Time, wait time.Duration) {
	p.slowed = min(p.slowed*slowdown, maxSlowdown)
	p.changed = now
	if resume := now.Add(max(wait, p.pace())); resume.After(p.next) {
		p.next = resume
	}
}

// recover takes back part of what throttling added.
func (p *pacer) recover(now time.Time) {
	for p.slowed > 1 && now.Sub(p.changed) >= recovery {
		p.changed = p.changed.Add(recovery)
		if p.slowed = 1 + (p.slowed-1)/2; p.slowed < 1.01 {
			p.slowed = 1
		}
	}
}

// ask gives a place in the line to who has none, and returns how long it is until
// the turn of that place: no time at all if it is due.
func (p *pacer) ask(now time.Time, w who, lane Lane, number uint64) (*entry, time.Duration) {
	if now.Sub(p.swept) >= sweeping {
		p.swept = now
		p.drop(func(e *entry) bool { return now.Sub(e.back) > patience })
	}
	// Turns that nobody waited for are gone: idle time saves up no burst.
	lag := max(time.Second, maxLag*p.pace())
	if len(p.index) == 0 {
		lag = 0
	}
	if earliest := now.Add(-lag); p.next.Before(earliest) {
		p.next = earliest
	}
	e := p.enter(w, lane, number)
	i, _ := p.find(e)
	place := p.place(e.lane, i)
	wait := p.next.Sub(now) + seconds(float64(place)*p.pace().Seconds())
	if place == 0 && e.lane == User && p.spare && p.slowed == 1 {
		wait -= p.spacing
	}
	if wait <= 0 && p.room(now, 0) <= 0 {
		return e, 0
	}
	return e, max(wait, p.room(now, place/contenders))
}

// room returns how long it is until the window has room for one more, after as
// many others.
func (p *pacer) room(now time.Time, others int) time.Duration {
	if i := len(p.used) - p.most; i >= 0 {
		return p.used[min(i+others, len(p.used)-1)].Add(p.window).Sub(now)
	}
	return 0
}

// use uses the turn of a place.
func (p *pacer) use(e *entry, now time.Time) {
	p.leave(e)
	for e.lane > User && p.due[e.lane] <= p.turn {
		p.due[e.lane] += cycle
	}
	p.turn++
	p.count(now)
}

// count notes that a turn was used.
func (p *pacer) count(now time.Time) {
	p.next = p.next.Add(p.pace())
	if p.used = append(p.used, now); len(p.used) > p.most {
		p.used = p.used[1:]
	}
}

// place returns how many turns come before that of the i-th in a lane. Turns go
// to the most urgent lane that waits, but that each lower one has a turn of its
// own in each cycle, never two such in a row, and one later if a person waits, who
// then goes first. Further away than turns can be due,
// it is an estimate: no less than what the lanes above and the cycles leave.
func (p *pacer) place(lane Lane, i int) int {
	var left [lanes]int // who waits
	for l := range left {
		left[l] = len(p.waiting[l])
	}
	left[lane] = i + 1
	due := p.due
	for n := range p.most + cycle {
		l := pick(p.turn+n, &left, &due)
		if left[l]--; left[l] == 0 && l == lane {
			return n
		}
	}
	ahead := -1
	for _, waiting := range left[:lane+1] {
		ahead += waiting
	}
	return p.most + cycle + min(ahead, cycle*(left[lane]-1))
}

// pick returns the lane that a turn is for.
func pick(turn int, left, due *[lanes]int) Lane {
	first, owed, latest := -1, -1, turn
	if left[User] > 0 {
		latest--
	}
	for l := range left {
		if left[l] == 0 {
			continue
		}
		if first < 0 {
			first = l
		}
		if Lane(l) > User && due[l] <= latest && (owed < 0 || due[l] < due[owed]) {
			owed = l
		}
	}
	if owed < 0 {
		return Lane(first)
	}
	for due[owed] <= turn {
		due[owed] += cycle
	}
	return Lane(owed)
}

// enter returns the place of who; a more urgent lane moves it up.
func (p *pacer) enter(w who, lane Lane, number uint64) *entry {
	e := p.index[w]
	switch {
	case e == nil:
		e = &entry{who: w, lane: lane, number: number}
	case e.lane <= lane:
		return e
	default:
		p.leave(e)
		e.lane = lane
	}
	if len(p.waiting[lane]) == 0 { // the turn of this lane in the cycle
		slot := 2 * int(lane)
		p.due[lane] = p.turn + (slot-p.turn%cycle+cycle)%cycle
	}
	i, _ := p.find(e)
	p.waiting[lane] = slices.Insert(p.waiting[lane], i, e)
	p.index[w] = e
	return e
}

// leave gives up a place; nil is none.
func (p *pacer) leave(e *entry) {
	if e == nil {
		return
	}
	if i, ok := p.find(e); ok {
		p.waiting[e.lane] = slices.Delete(p.waiting[e.lane], i, i+1)
		delete(p.index, e.who)
	}
}

// find returns where in its lane a place is, or would be.
func (p *pacer) find(e *entry) (int, bool) {
	return slices.BinarySearchFunc(p.waiting[e.lane], e.number, func(e *entry, number uint64) int {
		return int(e.number) - int(number)
	})
}

// drop gives up all places of a kind.
func (p *pacer) drop(gone func(*entry) bool) {
	for l := range p.waiting {
		p.waiting[l] = slices.DeleteFunc(p.waiting[l], func(e *entry) bool {
			if !gone(e) {
				return false
			}
			delete(p.index, e.who)
			return true
		})
	}
}
