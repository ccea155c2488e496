// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

// behaviour is what a cloud does where the documentation leaves it open.
type behaviour struct {
	merges       bool   // a write keeps what it leaves out
	ignoresEmpty bool   // what is sent empty counts as left out
	refusesEmpty string // the code by which what is sent empty is refused
	exists       bool   // a write over what exists is refused
	late         int    // so many reads after a write show the state before
	numbers      bool   // keys of digits are shown as numbers
	absent       string // the reply where nothing is there
}

// pretend is the plane of one family, with any behaviour. It knows a
// configuration by the parameters of its last write.
type pretend struct {
	behaviour

	family kin

	mu     sync.Mutex
	held   map[string]string // nil for none
	before map[string]string // what a late read shows
	reads  int               // since the last write
	calls  []string
	lose   string // the action whose reply is lost, once
}

// kin is what families differ in.
type kin struct {
	optional []string // parameters that may be left out
	shows    func(held map[string]string, numbers bool) string
}

const unsafe = "https://unsafe.example.com"

// ServeHTTP answers a request.
func (p *pretend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	action := r.Header.Get("X-Acs-Action")
	verb := verbOf(action)
	p.calls = append(p.calls, verb)
	status, reply := p.answer(verb, r)
	if p.lose == verb {
		p.lose, status, reply = "", http.StatusBadGateway, "<html>"
	}
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, reply)
}

// verbOf returns the first word of an action.
func verbOf(action string) string {
	for _, verb := range []string{"Set", "Add", "Create", "Update", "Describe", "Delete"} {
		if strings.HasPrefix(action, verb) {
			return verb
		}
	}
	return action
}

func refusal(code string) (int, string) {
	return http.StatusBadRequest, `{"RequestId":"R","Code":"` + code + `","Message":"m"}`
}

func (p *pretend) answer(verb string, r *http.Request) (int, string) {
	exists, missing := "ConfigAlreadyExists", "InvalidConfig.NotFound"
	if strings.Contains(r.Header.Get("X-Acs-Action"), "MPU") {
		exists, missing = "InvalidParam", "InvalidParam"
	}
	switch verb {
	case "Describe":
		p.reads++
		shown := p.held
		if p.reads <= p.late {
			shown = p.before
		}
		switch {
		case shown != nil:
			return http.StatusOK, p.family.shows(shown, p.numbers)
		case p.absent != "":
			return http.StatusNotFound, `{"RequestId":"R","Code":"` + p.absent + `","Message":"m"}`
		default:
			return http.StatusOK, `{"RequestId":"R"}`
		}
	case "Delete":
		if p.held == nil && p.absent != "" {
			return refusal(missing)
		}
		p.write(nil)
		return http.StatusOK, `{"RequestId":"R"}`
	case "Update":
		if p.held == nil {
			return refusal(missing)
		}
	case "Add", "Create":
		if p.held != nil {
			return refusal(exists)
		}
	}
	if p.exists && p.held != nil && exists != missing { // that of MPU would say anything
		return refusal(exists)
	}
	next := map[string]string{}
	for _, name := range p.family.optional {
		sent, is := r.URL.Query()[name]
		switch {
		case is && sent[0] == "" && p.refusesEmpty != "":
			return refusal(p.refusesEmpty)
		case is && strings.HasPrefix(sent[0], unsafe):
			return refusal("InvalidNotifyUrl.Unsafe")
		case is && (sent[0] != "" || !p.ignoresEmpty):
			next[name] = sent[0]
		case p.merges:
			next[name] = p.held[name]
		}
	}
	p.write(next)
	return http.StatusOK, `{"RequestId":"R"}`
}

func (p *pretend) write(next map[string]string) {
	p.before, p.held, p.reads = p.held, next, 0
}

var streamKin = kin{
	optional: []string{"NotifyUrl", "ExceptionNotifyUrl", "SwitchNotifyUrl", "NotifyReqAuth", "NotifyAuthKey"},
	shows: func(held map[string]string, numbers bool) string {
		return shown("LiveStreamsNotifyConfig", map[string]any{
			"NotifyUrl": held["NotifyUrl"], "ExceptionNotifyUrl": held["ExceptionNotifyUrl"],
			"NotifyReqAuth": held["NotifyReqAuth"], "NotifyAuthKey": number(held["NotifyAuthKey"], numbers),
		})
	},
}

var recordKin = kin{
	optional: []string{"NotifyUrl", "OnDemandUrl", "NeedStatusNotify", "NotifyReqAuth", "NotifyAuthKey"},
	shows: func(held map[string]string, numbers bool) string {
		return shown("LiveRecordNotifyConfig", map[string]any{
			"NotifyUrl": held["NotifyUrl"], "OnDemandUrl": held["OnDemandUrl"], "NeedStatusNotify": held["NeedStatusNotify"] == "true",
			"NotifyReqAuth": held["NotifyReqAuth"] == "true", "NotifyAuthKey": number(held["NotifyAuthKey"], numbers),
		})
	},
}

var mpuKin = kin{
	optional: []string{"CallbackUrl", "ChannelIds"},
	shows: func(held map[string]string, _ bool) string {
		return shown("SubInfo", map[string]any{"SubId": "Sub-1", "CallbackUrl": held["CallbackUrl"], "ChannelIds": held["ChannelIds"]})
	},
}

func shown(member string, config map[string]any) string {
	text, _ := json.Marshal(map[string]any{"RequestId": "R", member: config})
	return string(text)
}

func number(key string, numbers bool) any {
	if numbers && key != "" && key[0] != '0' && strings.Trim(key, "0123456789") == "" {
		return json.Number(key)
	}
	return key
}

// plane is a family of package live over a pretended one.
type plane[C interface {
	comparable
	Fields() []live.Field
}] struct {
	kin    kin
	get    func(context.Context, *live.Client) (C, error)
	put    func(ctx context.Context, c *live.Client, have, want C, force bool) error
	params func(C) map[string]string // of the configuration in the cloud
}

var streamPlane = plane[live.StreamConfig]{
	streamKin,
	func(ctx context.Context, c *live.Client) (live.StreamConfig, error) {
		return live.NewStream(c).Get(ctx, quota.Sync, push)
	},
	func(ctx context.Context, c *live.Client, have, want live.StreamConfig, force bool) error {
		return live.NewStream(c).Put(ctx, quota.User, push, have, want, force)
	},
	func(c live.StreamConfig) map[string]string {
		p := map[string]string{"NotifyUrl": c.NotifyURL, "ExceptionNotifyUrl": c.ExceptionNotifyURL, "SwitchNotifyUrl": c.SwitchNotifyURL, "NotifyReqAuth": "no"}
		if c.Authentication {
			p["NotifyReqAuth"], p["NotifyAuthKey"] = "yes", string(c.AuthKey)
		}
		return p
	},
}

var recordPlane = plane[live.RecordConfig]{
	recordKin,
	func(ctx context.Context, c *live.Client) (live.RecordConfig, error) {
		return live.NewRecord(c).Get(ctx, quota.Sync, play)
	},
	func(ctx context.Context, c *live.Client, have, want live.RecordConfig, force bool) error {
		return live.NewRecord(c).Put(ctx, quota.User, play, have, want, force)
	},
	func(c live.RecordConfig) map[string]string {
		p := map[string]string{"NotifyUrl": c.NotifyURL, "OnDemandUrl": c.OnDemandURL, "NeedStatusNotify": fmt.Sprint(c.NeedStatusNotify), "NotifyReqAuth": fmt.Sprint(c.Authentication)}
		if c.Authentication {
			p["NotifyAuthKey"] = string(c.AuthKey)
		}
		return p
	},
}

var mpuPlane = plane[live.MPUConfig]{
	mpuKin,
	func(ctx context.Context, c *live.Client) (live.MPUConfig, error) {
		got, err := live.NewMPU(c).Get(ctx, quota.Sync, app)
		got.SubID = ""
		return got, err
	},
	func(ctx context.Context, c *live.Client, have, want live.MPUConfig, force bool) error {
		return live.NewMPU(c).Put(ctx, quota.User, app, have, want, force)
	},
	func(c live.MPUConfig) map[string]string {
		return map[string]string{"CallbackUrl": c.CallbackURL, "ChannelIds": c.ChannelIDs}
	},
}

// The configurations of which each is changed into each other one: all fields,
// each optional one left out, each one another, each one alone.
var (
	streams = []live.StreamConfig{
		{NotifyURL: hook, ExceptionNotifyURL: hook2, SwitchNotifyURL: hook3, Authentication: true, AuthKey: key},
		{ExceptionNotifyURL: hook2, SwitchNotifyURL: hook3, Authentication: true, AuthKey: key},
		{NotifyURL: hook, SwitchNotifyURL: hook3, Authentication: true, AuthKey: key},
		{NotifyURL: hook, ExceptionNotifyURL: hook2, Authentication: true, AuthKey: key},
		{NotifyURL: hook, ExceptionNotifyURL: hook2, SwitchNotifyURL: hook3},
		{NotifyURL: hook2, ExceptionNotifyURL: hook2, SwitchNotifyURL: hook3, Authentication: true, AuthKey: key},
		{NotifyURL: hook, ExceptionNotifyURL: hook2, SwitchNotifyURL: hook, Authentication: true, AuthKey: key},
		{NotifyURL: hook, ExceptionNotifyURL: hook2, SwitchNotifyURL: hook3, Authentication: true, AuthKey: otherKey},
		{NotifyURL: hook, Authentication: true, AuthKey: digits},
		{NotifyURL: hook}, {ExceptionNotifyURL: hook}, {SwitchNotifyURL: hook},
	}
	recordings = []live.RecordConfig{
		{NotifyURL: hook, OnDemandURL: hook2, NeedStatusNotify: true, Authentication: true, AuthKey: key},
		{NotifyURL: hook, NeedStatusNotify: true, Authentication: true, AuthKey: key},
		{NotifyURL: hook, OnDemandURL: hook2, Authentication: true, AuthKey: key},
		{NotifyURL: hook, OnDemandURL: hook2, NeedStatusNotify: true},
		{NotifyURL: hook3, OnDemandURL: hook2, NeedStatusNotify: true, Authentication: true, AuthKey: digits},
		{NotifyURL: hook, OnDemandURL: hook3}, {NotifyURL: hook},
	}
	subscriptions = []live.MPUConfig{
		{CallbackURL: hook, ChannelIDs: "a,b"}, {CallbackURL: hook, ChannelIDs: "b"}, {CallbackURL: hook + "b", ChannelIDs: "a,b"},
		{CallbackURL: hook}, {CallbackURL: hook + "b"},
	}
)

// behaviours are all combinations of what bears upon a write.
func behaviours() map[string]behaviour {
	all := map[string]behaviour{}
	for i, keeps := range []behaviour{{}, {merges: true}, {merges: true, ignoresEmpty: true}} {
		for j := range 8 {
			b := keeps
			b.exists, b.late = j&1 != 0, j>>1&1
			if j&4 != 0 {
				b.refusesEmpty = "MissingParameter"
			}
			if b.numbers = (i+j)%2 == 0; b.numbers {
				b.absent = "InvalidConfig.NotFound"
			}
			all[fmt.Sprintf("%+v", b)] = b
		}
	}
	return all
}

func TestPutStream(t *testing.T) { t.Parallel(); putAll(t, streamPlane, streams) }
func TestPutRecord(t *testing.T) { t.Parallel(); putAll(t, recordPlane, recordings) }
func TestPutMPU(t *testing.T)    { t.Parallel(); putAll(t, mpuPlane, subscriptions) }

// putAll changes configurations into each other, in every cloud. The cloud
// ends up with what is wanted, and is without a configuration for a moment only
// where it leaves no other way.
func putAll[C interface {
	comparable
	Fields() []live.Field
}](t *testing.T, f plane[C], configs []C) {
	t.Helper()
	var none C
	for name, b := range behaviours() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &pretend{behaviour: b, family: f.kin}
			url := listen(t, p.ServeHTTP)
			for i, have := range append(configs, none) {
				for j, want := range configs {
					if few := len(configs) - 4; i > 0 && j > 0 && (i < few || j < few) {
						continue // from and to all fields, and among those with few
					}
					client := newClient(t, live.Options{Endpoint: url})
					p.held, p.before, p.calls, p.reads = nil, nil, nil, p.late
					if have != none {
						p.held = f.params(have)
					}
					if err := f.put(t.Context(), client, have, want, true); err != nil {
						t.Fatalf("%v to %v: %v (%v)", have.Fields(), want.Fields(), err, p.calls)
					}
					if diff := cmp.Diff(set(f.params(want)), set(p.held)); diff != "" {
						t.Errorf("%v to %v, by %v, in the cloud (-want +got):\n%s", have.Fields(), want.Fields(), p.calls, diff)
					}
					if removed := slices.Index(p.calls, "Delete"); removed >= 0 && !mayRemove(b, have.Fields(), want.Fields()) || removed == 0 {
						t.Errorf("%v to %v: %v", have.Fields(), want.Fields(), p.calls)
					}
					if most := 6; len(p.calls) > most {
						t.Errorf("%v to %v: %v", have.Fields(), want.Fields(), p.calls)
					}
					p.reads = p.late
					got, err := f.get(t.Context(), client)
					if diff := live.Diff(got.Fields(), want.Fields()); err != nil || diff != nil {
						t.Errorf("read back: %v, %v", diff, err)
					}
				}
			}
		})
	}
}

// set returns the parameters that are not empty; without authentication a key
// means nothing.
func set(params map[string]string) map[string]string {
	list := map[string]string{}
	for name, value := range params {
		if value != "" && (name != "NotifyAuthKey" || params["NotifyReqAuth"] == "yes" || params["NotifyReqAuth"] == "true") {
			list[name] = value
		}
	}
	return list
}

// mayRemove tells whether a configuration has to be removed on the way from one to
// another: the cloud takes no write over it, or keeps a field that is to be cleared
// as far as can be seen, or one is to be cleared that cannot be seen and nothing
// tells that it was.
func mayRemove(b behaviour, have, want []live.Field) bool {
	var shown, unseen bool
	for i := range have {
		if have[i].Value != "" && want[i].Value == "" && !have[i].Secret {
			shown = shown || !have[i].WriteOnly
			unseen = unseen || have[i].WriteOnly
		}
	}
	keeps := b.merges && (b.ignoresEmpty || b.refusesEmpty != "")
	return b.exists || shown && (keeps || b.late > 0) || unseen && !shown
}

// TestPutIsOneRequest: where a cloud does as documented, nothing is asked but what
// has to be.
func TestPutIsOneRequest(t *testing.T) {
	t.Parallel()
	p := &pretend{family: streamKin}
	client := against(t, p.ServeHTTP)
	full := streams[0]
	for _, tc := range []struct {
		have, want live.StreamConfig
		calls      string
	}{
		{live.StreamConfig{}, full, "Set"},
		{full, streams[5], "Set"},
		{full, streams[6], "Set"},
		{full, streams[7], "Set"},
		{full, streams[4], "Set"},
		// Of another's switchNotifyURL nothing is known: it is sent empty.
		{live.StreamConfig{NotifyURL: hook}, live.StreamConfig{NotifyURL: hook2}, "Set"},
		{full, streams[3], "Set Delete Set"},      // whether it clears is not known yet
		{full, streams[1], "Set Describe"},        // this tells
		{full, streams[3], "Set"},                 // now it is known
		{full, streams[9], "Set Describe"},        // what can be seen is looked at all the same
		{streams[11], streams[9], "Set"},          // from switchNotifyURL alone to another alone
		{live.StreamConfig{}, streams[11], "Set"}, // which reads as nothing
	} {
		p.held, p.calls = nil, nil
		if tc.have != (live.StreamConfig{}) {
			p.held = streamPlane.params(tc.have)
		}
		if err := streamPlane.put(t.Context(), client, tc.have, tc.want, false); err != nil {
			t.Fatal(err)
		}
		check(t, fmt.Sprint(tc.have.Fields(), tc.want.Fields()), strings.Join(p.calls, " "), tc.calls)
		check(t, "in the cloud", set(p.held), set(streamPlane.params(tc.want)))
	}
}

// TestPutLearns: how a cloud wants empty fields is found out once.
func TestPutLearns(t *testing.T) {
	t.Parallel()
	p := &pretend{family: recordKin, behaviour: behaviour{refusesEmpty: "InvalidOnDemandUrl.Malformed"}}
	client := against(t, p.ServeHTTP)
	for i, want := range []string{"Update Update Describe", "Update Describe", "Update Describe"} {
		p.held, p.calls = recordPlane.params(recordings[0]), nil
		if err := recordPlane.put(t.Context(), client, recordings[0], recordings[1], true); err != nil {
			t.Fatal(err)
		}
		check(t, fmt.Sprint("calls of time ", i), strings.Join(p.calls, " "), want)
	}
	// The other way round: a cloud that takes empty fields is not asked twice.
	p.refusesEmpty, client = "", against(t, p.ServeHTTP)
	for _, want := range []live.RecordConfig{recordings[1], {NotifyURL: unsafe}} {
		p.held, p.calls = recordPlane.params(recordings[0]), nil
		err := recordPlane.put(t.Context(), client, recordings[0], want, true)
		check(t, "class", live.ClassOf(err), map[bool]live.Class{true: live.Rejected}[want.NotifyURL == unsafe])
		check(t, "calls", p.calls[0]+fmt.Sprint(len(p.calls)), map[bool]string{false: "Update2", true: "Update1"}[want.NotifyURL == unsafe])
	}
}

// A cloud that clears fields, and once shows the state before a write: it was read
// too early, and nothing is removed. If it stays so, it is another cloud by now.
func TestPutDoesNotTrustALateRead(t *testing.T) {
	t.Parallel()
	p := &pretend{family: recordKin}
	client := against(t, p.ServeHTTP)
	for i, want := range []string{"Update Describe", "Update Describe", "Update Describe Delete Add"} {
		p.held, p.calls, p.late, p.reads = recordPlane.params(recordings[0]), nil, min(i, 1), 1
		if err := recordPlane.put(t.Context(), client, recordings[0], recordings[1], true); err != nil {
			t.Fatal(err)
		}
		check(t, fmt.Sprint("calls of time ", i), strings.Join(p.calls, " "), want)
		check(t, "in the cloud", set(p.held), set(recordPlane.params(recordings[1])))
	}
}

// TestPutRefused: what a cloud refuses leaves everything as it was, also where it
// refuses only once the old configuration is gone.
func TestPutRefused(t *testing.T) {
	t.Parallel()
	for name, b := range behaviours() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, b, streamPlane, streams[0], live.StreamConfig{NotifyURL: unsafe})
			refused(t, b, recordPlane, recordings[0], live.RecordConfig{NotifyURL: unsafe})
		})
	}
}

func refused[C interface {
	comparable
	Fields() []live.Field
}](t *testing.T, b behaviour, f plane[C], have, want C) {
	t.Helper()
	var none C
	for _, before := range []C{have, none} {
		p := &pretend{behaviour: b, family: f.kin}
		if before != none {
			p.held = f.params(before)
		}
		p.reads = p.late
		err := f.put(t.Context(), against(t, p.ServeHTTP), before, want, true)
		check(t, "class", live.ClassOf(err), live.Rejected)
		if before == none {
			check(t, "in the cloud", p.held, nil)
			continue
		}
		check(t, fmt.Sprint("in the cloud after ", p.calls), set(p.held), set(f.params(before)))
		if slices.Contains(p.calls, "Delete") && !b.exists {
			t.Errorf("removed: %v", p.calls)
		}
	}
}

// TestPutWithoutForce: what someone else put there in the meantime stays, unless it
// is what is wanted.
func TestPutWithoutForce(t *testing.T) {
	t.Parallel()
	withoutForce(t, streamPlane, behaviour{exists: true}, streams[9], streams[10])
	withoutForce(t, recordPlane, behaviour{}, recordings[0], recordings[6])
	withoutForce(t, mpuPlane, behaviour{}, subscriptions[0], subscriptions[4])
}

func withoutForce[C interface {
	comparable
	Fields() []live.Field
}](t *testing.T, f plane[C], b behaviour, theirs, ours C) {
	t.Helper()
	var none C
	for _, force := range []bool{false, true} {
		p := &pretend{behaviour: b, family: f.kin, held: f.params(theirs)}
		err := f.put(t.Context(), against(t, p.ServeHTTP), none, ours, force)
		if force {
			check(t, "error with force", err, nil)
			check(t, "in the cloud", set(p.held), set(f.params(ours)))
			continue
		}
		check(t, "class", live.ClassOf(err), live.Exists)
		check(t, "in the cloud", set(p.held), set(f.params(theirs)))
		check(t, "removed", slices.Contains(p.calls, "Delete"), false)

		p.held, p.calls = f.params(ours), nil
		check(t, "error where it is what is wanted", f.put(t.Context(), against(t, p.ServeHTTP), none, ours, false), nil)
		check(t, "removed", slices.Contains(p.calls, "Delete"), false)
	}
}

// A switchNotifyURL that is to be written and cannot be seen is not there because
// the rest is.
func TestPutUnseenWhereThereIsOne(t *testing.T) {
	t.Parallel()
	p := &pretend{behaviour: behaviour{exists: true}, family: streamKin, held: streamPlane.params(streams[9])}
	client := against(t, p.ServeHTTP)
	want := live.StreamConfig{NotifyURL: hook, SwitchNotifyURL: hook2}
	err := streamPlane.put(t.Context(), client, live.StreamConfig{}, want, false)
	check(t, "class", live.ClassOf(err), live.Exists)
	check(t, "error with force", streamPlane.put(t.Context(), client, live.StreamConfig{}, want, true), nil)
	check(t, "in the cloud", set(p.held), set(streamPlane.params(want)))
}

// TestPutWhatIsGone: a configuration that someone removed since it was read is
// created.
func TestPutWhatIsGone(t *testing.T) {
	t.Parallel()
	for _, absent := range []string{"", "InvalidConfig.NotFound"} {
		p := &pretend{family: recordKin, behaviour: behaviour{absent: absent}}
		check(t, "error", recordPlane.put(t.Context(), against(t, p.ServeHTTP), recordings[0], recordings[1], true), nil)
		check(t, "calls", strings.Join(p.calls, " "), "Update Add")
		p = &pretend{family: mpuKin, behaviour: behaviour{absent: "InvalidParam"}}
		check(t, "error", mpuPlane.put(t.Context(), against(t, p.ServeHTTP), subscriptions[0], subscriptions[1], true), nil)
		check(t, "calls", strings.Join(p.calls, " "), "Update Describe Create")
	}
}

// TestPutFailsHalfway: whichever reply of a change in steps is lost, the cloud does
// not stay without a configuration, and the error says that nobody knows.
func TestPutFailsHalfway(t *testing.T) {
	t.Parallel()
	for _, lose := range []string{"Set", "Describe", "Delete"} {
		p := &pretend{family: streamKin, behaviour: behaviour{merges: true, ignoresEmpty: true}, held: streamPlane.params(streams[0]), lose: lose}
		client := against(t, p.ServeHTTP)
		err := streamPlane.put(t.Context(), client, streams[0], streams[9], true)
		check(t, "class", live.ClassOf(err), live.Unavailable)
		check(t, lose+": there is a configuration", p.held != nil, true)
		check(t, "error of the next pass", streamPlane.put(t.Context(), client, streams[0], streams[9], true), nil)
		check(t, "in the cloud", set(p.held), set(streamPlane.params(streams[9])))
	}
}

// TestPutIsFinished: who is told to stop after the removal still writes what is
// wanted.
func TestPutIsFinished(t *testing.T) {
	t.Parallel()
	p := &pretend{family: streamKin, held: streamPlane.params(streams[0])}
	ctx, stop := context.WithCancel(t.Context())
	client := against(t, func(w http.ResponseWriter, r *http.Request) {
		p.ServeHTTP(w, r)
		if verbOf(r.Header.Get("X-Acs-Action")) == "Delete" {
			stop()
		}
	})
	_ = streamPlane.put(ctx, client, streams[0], streams[3], true)
	check(t, "in the cloud", set(p.held), set(streamPlane.params(streams[3])))
	check(t, "stopped", ctx.Err() != nil, true)
}

// TestGetIsBounded: whatever a cloud shows, what is kept of it is bounded, and
// never equals something that it was cut to.
func TestGetIsBounded(t *testing.T) {
	t.Parallel()
	long := "https://a.example.com/" + strings.Repeat("x", 100_000)
	held := map[string]string{}
	for _, f := range []kin{streamKin, recordKin, mpuKin} {
		for _, name := range f.optional {
			held[name] = long
		}
	}
	held["NotifyReqAuth"], held["ChannelIds"] = "yes", strings.Repeat("channel,", 10_000)
	bounded := func(fields []live.Field, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			if len(f.Value) > 2083 || strings.HasPrefix(long, f.Value) && f.Value != "" {
				t.Errorf("%s has %d bytes: %.99q", f.Name, len(f.Value), f.Value)
			}
		}
	}
	stream, err := streamPlane.get(t.Context(), against(t, (&pretend{family: streamKin, held: held}).ServeHTTP))
	bounded(stream.Fields(), err)
	held["NotifyReqAuth"] = "true"
	record, err := recordPlane.get(t.Context(), against(t, (&pretend{family: recordKin, held: held}).ServeHTTP))
	bounded(record.Fields(), err)
	mpu, err := mpuPlane.get(t.Context(), against(t, (&pretend{family: mpuKin, held: held}).ServeHTTP))
	bounded(mpu.Fields(), err)
	check(t, "channels", len(live.SplitList(mpu.ChannelIDs)), 20)
}
