// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// fewestSteps is how many steps the histories have in all, at least.
const fewestSteps = 10_000

// rapidly sets how much rapid does, unless the command line says it: how many
// histories there are of each kind, and how many steps they have on average. The
// long form draws new ones each time.
func rapidly() error {
	checks := "48"
	if long {
		checks = "1000"
	}
	err := errors.Join(flag.Set("rapid.checks", checks), flag.Set("rapid.steps", "45"))
	if !long {
		err = errors.Join(err, flag.Set("rapid.seed", "1"))
	}
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); testing.Short() && f.Value.String() == checks {
		err = errors.Join(err, f.Value.Set("10"))
	}
	return err
}

// TestHistories goes through random histories of two objects with one key: what
// people do to them, to the Secret and to the cloud, what goes wrong with calls,
// crashes, caches that lag behind, and time. After each step the invariants are
// checked that a history knows of. In the end calm returns, and everything is
// as the specs say.
//
// A history that fails is made as short as possible, and told step by step. It
// is also written to testdata/rapid, from where each further run repeats it
// first, until it passes or the file is deleted; -rapid.failfile and -rapid.seed,
// which the failure names, repeat it alone. A file is of no use once the steps
// here change: what is to stay is written down as a test of its own.
func TestHistories(t *testing.T) {
	var kinds, steps atomic.Int64
	t.Run("of", func(t *testing.T) {
		forEachKind(t, func(t *testing.T, f fixture) {
			kinds.Add(1)
			rapid.Check(t, func(t *rapid.T) {
				switches := drawSwitches(t)
				d := simulated(t, f, emulator.Options{Switches: switches, AnyDate: true})
				d.clock.stopped = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
				d.sim.scatter = true
				steps.Add(playHistory(t, d, switches))
			})
		})
	})
	t.Logf("%d steps", steps.Load())
	if all := kinds.Load() == int64(len(fixtures())); all && !t.Failed() && !testing.Short() && steps.Load() < fewestSteps {
		t.Errorf("%d steps are too few, want %d", steps.Load(), fewestSteps)
	}
}

// TestHistoriesWithRealAPIServer is a sample of the same: in the usual form one
// history of each of two kinds.
func TestHistoriesWithRealAPIServer(t *testing.T) {
	histories := 1
	if long {
		histories = 30
	}
	forKindsInTurn(t, func(t *testing.T, f fixture) {
		for seed := range histories {
			t.Run(strconv.Itoa(seed), func(t *testing.T) {
				random := rand.New(rand.NewPCG(uint64(seed), uint64(len(f.name))))
				var choices []byte
				for range 1 << 13 {
					choices = binary.LittleEndian.AppendUint64(choices, random.Uint64())
				}
				rapid.MakeFuzz(func(t *rapid.T) {
					switches := drawSwitches(t)
					playHistory(t, served(t, f, emulator.Options{Switches: switches, AnyDate: true}), switches)
				})(t, choices)
			})
		}
	})
}

// drawSwitches draws how the cloud behaves where its documentation is silent.
func drawSwitches(t *rapid.T) emulator.Switches {
	flip := func(name string) bool { return rapid.Bool().Draw(t, name) }
	return emulator.Switches{
		StreamDescribeAbsent: pick(t, "absent", "", emulator.AbsentMissing, emulator.AbsentNotFound),
		StreamSetMerges:      flip("Set merges"), StreamSetExists: flip("Set refuses"), StreamDeleteAbsentNotFound: flip("Delete of nothing"),
		StreamKeyAsNumber: flip("key as number"), RecordUpdateMerges: flip("Update merges"), MPUDescribeAbsentInvalid: flip("invalid"),
		AcceptAnyKey: flip("any key"), ReadDelay: pick(t, "read delay", 0, 0, 8*time.Second),
	}
}

// pick draws one of some values. The first is the simplest.
func pick[T any](t *rapid.T, what string, values ...T) T {
	return values[rapid.IntRange(0, len(values)-1).Draw(t, what)]
}

// names are the objects of a history. All have the same key.
var names = []string{"a", "b"}

// stranger is the object of the hostile tenant, with that key too.
const stranger = "h"

// history is a state machine: its actions are what may happen, its check is
// what holds whatever happened.
type history struct {
	*driver
	t        *rapid.T
	switches emulator.Switches
	steps    int64

	// hostile is a tenant with an account of its own, who names the same key; nil
	// before it came.
	hostile *driver

	key   string       // that is in the Secret and can be used; "" for none
	lag   bool         // the cache catches up only as far as is drawn
	fates map[int]fate // of the calls to come, by their number
	// throttled: the limiter remembers it, by a clock that no test can move.
	throttled bool
	// lied: a reply of the cloud was not true, or said how things had been.
	lied bool
	// unseen: switchNotifyURL in the cloud was changed by others, or by a write
	// that rests on a lie, or was kept by one that leaves out what it clears: if the
	// process dies before it removes all. Nothing that can be read tells of it.
	unseen bool

	// mu guards what is noted while a pass goes on.
	mu       sync.Mutex
	passing  string // the object that a pass is over
	claimed  bool   // it had a claim before
	meddled  bool   // someone changed something in the middle of it
	was      any    // in the cloud, before its next write
	breaches []string
}

// playHistory plays a history through to its end and returns how many steps it
// had.
func playHistory(t *rapid.T, d *driver, switches emulator.Switches) int64 {
	if d.f.name == "LiveRtcEventSub" {
		// Nothing but a read keeps someone else's subscription apart: one that does
		// not show yet is doubled by whoever creates another.
		switches.ReadDelay = 0
		d.cloud.SetSwitches(switches)
	}
	m := &history{driver: d, t: t, switches: switches, fates: map[int]fate{}}
	m.gate.plan(m.meet)
	m.gate.after = m.written
	actions := m.actions()
	for name, act := range actions {
		actions[name] = func(t *rapid.T) {
			act(t)
			m.steps++
		}
	}
	actions[""] = func(*rapid.T) { m.check() }
	t.Repeat(actions)
	m.calm()
	m.part()
	return m.steps
}

// actions are what may happen. What is named thrice happens more often.
func (m *history) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"create": m.doCreate,
		"edit":   m.doEdit, "edit another time": m.doEdit, "edit a third time": m.doEdit,
		"delete": m.doDelete,
		"pass":   m.doPass, "pass another time": m.doPass, "pass a third time": m.doPass, "pass a fourth time": m.doPass,
		"passes":         m.doPasses,
		"time":           m.doTime,
		"cloud":          m.doCloud,
		"Secret":         m.doSecret,
		"fault":          m.doFault,
		"fate":           m.doFate,
		"cache":          m.doCache,
		"hostile tenant": m.doHostile, "hostile tenant another time": m.doHostile,
		"fail": m.doFail,
		"ask":  m.doAsk,
		"restart": func(t *rapid.T) {
			t.Log("restart")
			m.restart()
		},
	}
}

// living returns the objects that there are.
func (m *history) living() (living []string) {
	for _, name := range names {
		if !m.gone(name) {
			living = append(living, name)
		}
	}
	return living
}

// one draws one of the objects that there are, and skips the action without.
func (m *history) one(t *rapid.T) string {
	living := m.living()
	if len(living) == 0 {
		t.Skip("no object")
	}
	return pick(t, "name", living...)
}

func (m *history) doCreate(t *rapid.T) {
	absent := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !m.gone(name) })
	if len(absent) == 0 {
		t.Skip("all are there")
	}
	name := pick(t, "name", absent...)
	if rapid.Bool().Draw(t, "later") {
		m.nextSecond() // else there may be two of one age
	}
	var told []string
	m.create(name, func(o Object) {
		if rapid.Bool().Draw(t, "rarely counted") {
			rarely(o)
		}
		for range rapid.IntRange(0, 4).Draw(t, "edits") {
			what, edit := m.drawEdit(t)
			edit(o)
			told = append(told, what)
		}
	})
	t.Logf("create %s: %s", name, strings.Join(told, ", "))
}

func (m *history) doEdit(t *rapid.T) {
	name := m.one(t)
	what, edit := m.drawEdit(t)
	t.Logf("edit %s: %s", name, what)
	m.update(name, edit)
}

// drawEdit draws a change of a spec that the schema accepts.
func (m *history) drawEdit(t *rapid.T) (what string, edit func(Object)) {
	url := pick(t, "url", "http://hooks.example.com/one", "http://hooks.example.com/two", "")
	field := rapid.IntRange(0, 2).Draw(t, "field")
	channels := pick(t, "channels", nil, []string{"one"}, []string{"two", "one"})
	edits := []struct {
		what string
		edit func(Object)
	}{
		{fmt.Sprintf("URL %d is %q", field, url), func(o Object) { setURL(o, field, url) }},
		{"sign", m.f.sign},
		{"do not sign", func(o Object) { setSigned(o, nil) }},
		{fmt.Sprintf("channels %v, or a toggle", channels), func(o Object) {
			switch o := o.(type) {
			case *v1alpha1.LiveRtcMPUEventSub:
				o.Spec.ChannelIDs = channels
			case *v1alpha1.LiveRtcEventSub:
				o.Spec.Users = channels
			case *v1alpha1.LiveRecordNotifyConfig:
				o.Spec.NeedStatusNotify = !o.Spec.NeedStatusNotify
			case *v1alpha1.LiveAudioAuditNotifyConfig:
				if o.Spec.CallbackTemplate == "" {
					o.Spec.CallbackTemplate = "{Result}"
				} else {
					o.Spec.CallbackTemplate = ""
				}
			case *v1alpha1.LiveNotifyConfig:
				o.Spec.SwitchNotifyURL = ""
				setURL(o, 2, o.Spec.SwitchNotifyURL)
			}
		}},
		{"toggle the guard", func(o Object) {
			if spec(o).Guard != nil {
				spec(o).Guard = nil
			} else {
				guarded(time.Minute, 1, v1alpha1.OnFailureRollBack)(o)
			}
		}},
		{"toggle suspend", func(o Object) { spec(o).Suspend = !spec(o).Suspend }},
		{"toggle managementPolicy", func(o Object) {
			spec(o).ManagementPolicy = other(spec(o).ManagementPolicy, v1alpha1.Manage, v1alpha1.Observe)
		}},
		{"toggle driftPolicy", func(o Object) {
			spec(o).DriftPolicy = other(spec(o).DriftPolicy, v1alpha1.DriftCorrect, v1alpha1.DriftReport)
		}},
		{"toggle adoptionPolicy", func(o Object) {
			spec(o).AdoptionPolicy = other(spec(o).AdoptionPolicy, v1alpha1.AdoptIfIdentical, v1alpha1.AdoptAlways)
		}},
		{"toggle deletionPolicy", func(o Object) {
			spec(o).DeletionPolicy = other(spec(o).DeletionPolicy, v1alpha1.DeletionDelete, v1alpha1.DeletionRetain)
		}},
	}
	e := pick(t, "edit", append(edits, edits[0], edits[0])...)
	return e.what, e.edit
}

// setURL sets a URL of a spec, by its number, to the given value, or to another
// where that is not valid.
func setURL(o Object, field int, url string) {
	fallback := func(first *string, others ...string) {
		if *first == "" && strings.Join(others, "") == "" {
			*first = "http://hooks.example.com/needed"
		}
	}
	switch o := o.(type) {
	case *v1alpha1.LiveNotifyConfig:
		*[]*string{&o.Spec.NotifyURL, &o.Spec.ExceptionNotifyURL, &o.Spec.SwitchNotifyURL}[field] = url
		fallback(&o.Spec.NotifyURL, o.Spec.ExceptionNotifyURL, o.Spec.SwitchNotifyURL)
	case *v1alpha1.LiveRecordNotifyConfig:
		*[]*string{&o.Spec.NotifyURL, &o.Spec.OnDemandURL}[field%2] = url
		fallback(&o.Spec.NotifyURL)
	case *v1alpha1.LiveRtcMPUEventSub:
		o.Spec.CallbackURL = url
		fallback(&o.Spec.CallbackURL)
	default:
		target := urlOf(o)
		*target = url
		fallback(target)
	}
}

// urlOf returns the URL of a kind that has one alone.
func urlOf(o Object) *string {
	switch o := o.(type) {
	case *v1alpha1.LiveSnapshotNotifyConfig:
		return &o.Spec.NotifyURL
	case *v1alpha1.LiveDetectNotifyConfig:
		return &o.Spec.NotifyURL
	case *v1alpha1.LiveAudioAuditNotifyConfig:
		return &o.Spec.CallbackURL
	case *v1alpha1.LiveRtcEventSub:
		return &o.Spec.CallbackURL
	case *v1alpha1.LiveMessageAppCallback:
		return &o.Spec.EventCallbackURL
	default:
		return nil
	}
}

func setSigned(o Object, auth *v1alpha1.AuthenticationSpec) {
	switch o := o.(type) {
	case *v1alpha1.LiveNotifyConfig:
		o.Spec.Authentication = auth
	case *v1alpha1.LiveRecordNotifyConfig:
		o.Spec.Authentication = auth
	case *v1alpha1.LiveSnapshotNotifyConfig:
		o.Spec.Authentication = auth
	}
}

func signed(o Object) bool {
	switch o := o.(type) {
	case *v1alpha1.LiveNotifyConfig:
		return o.Spec.Authentication != nil
	case *v1alpha1.LiveRecordNotifyConfig:
		return o.Spec.Authentication != nil
	case *v1alpha1.LiveSnapshotNotifyConfig:
		return o.Spec.Authentication != nil
	}
	return false
}

func (m *history) doDelete(t *rapid.T) {
	name := m.one(t)
	t.Logf("delete %s", name)
	m.remove(name)
}

func (m *history) doTime(t *rapid.T) {
	d := pick(t, "time", time.Second, 200*time.Millisecond, 10*time.Second, time.Minute, 5*time.Minute, 11*time.Minute, 2*time.Hour)
	t.Logf("%s pass", d)
	m.clock.advance(d)
}

func (m *history) doCloud(t *rapid.T) {
	before := m.f.have(m.cloud)
	if rapid.Bool().Draw(t, "erase") {
		t.Log("erase the cloud")
		m.f.erase(m.cloud)
	} else {
		t.Log("edit the cloud")
		m.f.edit(m.cloud)
		if before == nil && m.f.writes[0] == "CreateEventSub" {
			// The cloud takes a second one, and nobody can tell before it shows the first.
			m.clock.advance(m.switches.ReadDelay)
		}
		if c, ok := m.f.have(m.cloud).(emulator.StreamConfig); ok && rapid.Bool().Draw(t, "switchNotifyURL too") {
			c.SwitchNotifyURL = "http://elsewhere.example.com/"
			m.cloud.SetStreamConfig(ingestDomain, c)
		}
	}
	if switchIn(before) != switchIn(m.f.have(m.cloud)) {
		m.unseen = true
	}
}

// doFail lets callbacks to all URLs fail, or none.
func (m *history) doFail(t *rapid.T) {
	if !m.f.counts() {
		t.Skip("nobody counts them")
	}
	t.Log("callbacks fail")
	m.fails(pick(t, "url", "http://hooks.example.com/one", "http://hooks.example.com/two", "http://hooks.example.com/needed"), 1)
}

// doAsk asks for a look now.
func (m *history) doAsk(t *rapid.T) {
	name := m.one(t)
	t.Logf("ask for a look at %s", name)
	m.ask(name, strconv.FormatInt(m.steps, 10))
}

// switchIn returns the field of a configuration that cannot be read.
func switchIn(have any) string {
	c, _ := have.(emulator.StreamConfig)
	return c.SwitchNotifyURL
}

func (m *history) doSecret(t *rapid.T) {
	if !m.f.signs {
		t.Skip("it cannot sign")
	}
	switch key := pick(t, "key", firstKey, secondKey, "9876543210987654", "0123456789012345", "canary00canary00canary00", "malformed!", ""); key {
	case "":
		t.Log("delete the Secret")
		m.drop(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "key"}})
		m.key = ""
	case "malformed!":
		t.Log("a malformed key is in the Secret")
		m.secret(key)
		m.key = ""
	default:
		t.Logf("the key is %s", key)
		m.secret(key)
		m.key = key
	}
}

// doFault lets something go wrong with calls to the cloud.
func (m *history) doFault(t *rapid.T) {
	faults := append(networkFaults(), allCodes()...)
	if i := rapid.IntRange(0, 1).Draw(t, "code"); i == 0 { // these are few, and each is of its own sort
		faults = networkFaults()
	}
	f := pick(t, "fault", faults...)
	f.fault.Action = pick(t, "action", slices.Concat([]string{"", m.f.describe}, m.f.records, m.f.writes)...)
	f.fault.Times = rapid.IntRange(1, 3).Draw(t, "times")
	t.Logf("%s for %d calls of %q", f.name, f.fault.Times, f.fault.Action)
	m.cloud.Inject(f.fault)
	m.throttled = m.throttled || f.class == live.Throttled
	m.lied = m.lied || f.fault.Stale || f.class == live.NotFound || f.class == live.Exists || f.class == live.DomainNotFound || f.name == "InvalidParam"
}

// doFate decides what happens at one of the next calls.
func (m *history) doFate(t *rapid.T) {
	in := rapid.IntRange(0, 5).Draw(t, "calls until then")
	what := pick(t, "fate", "dies before", "dies after", "API server", "edit")
	var f fate
	switch what {
	case "dies before":
		f.dieBefore = true
	case "dies after":
		f.dieAfter = true
	case "API server":
		fault := pick(t, "failure", apiFaults()...)
		f = fault.fate
		what = fault.name + " of the API server"
	case "edit":
		if m.sim == nil {
			t.Skip("the cache moves by itself")
		}
		name := m.one(t)
		edits, edit := m.drawEdit(t)
		what = fmt.Sprintf("edit of %s: %s", name, edits)
		f.hold = func() {
			m.mu.Lock()
			m.meddled = true
			m.mu.Unlock()
			if !m.gone(name) {
				m.update(name, edit)
			}
		}
	}
	t.Logf("in %d calls: %s", in, what)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fates[len(m.gate.calls())+in] = f
}

// doCache lets the cache lag behind, or the next process begin with an old one.
func (m *history) doCache(t *rapid.T) {
	if m.sim == nil {
		t.Skip("the cache is a real one")
	}
	switch pick(t, "cache", "catches up", "lags", "of the past") {
	case "catches up":
		t.Log("the cache keeps up")
		m.lag = false
	case "lags":
		t.Log("the cache lags")
		m.lag = true
	default:
		past := rapid.IntRange(0, m.sim.revision()).Draw(t, "revisions ago")
		t.Logf("restart on a cache of %d revisions ago", past)
		m.sim.rewind(m.sim.revision() - past)
		m.restart()
		m.lag = true
	}
}

func (m *history) doPass(t *rapid.T) {
	name := pick(t, "name", names...)
	if m.lag {
		for _, kind := range m.sim.kinds() {
			m.sim.catchUpBy(kind, rapid.IntRange(0, 3).Draw(t, kind))
		}
	} else {
		m.catchUp()
	}
	m.oncePassed(name)
}

// doPasses makes passes, each when it is due, for a while.
func (m *history) doPasses(t *rapid.T) {
	name := m.one(t)
	span := pick(t, "span", 10*time.Second, 2*time.Minute, 11*time.Minute)
	t.Logf("passes over %s for %s", name, span)
	m.lag = false
	for range 12 {
		m.catchUp()
		wait := m.oncePassed(name)
		if wait == 0 || wait > span {
			return
		}
		m.clock.advance(wait)
		span -= wait
	}
}

// intrude makes the tenant whose cloud account does not have the key.
func (m *history) intrude() {
	w := *m.world
	w.namespace += "-hostile"
	m.hostile = &driver{world: &w, f: m.f}
	m.Expect(w.api.Create(w.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}})).To(Succeed())
	w.accessKeySecret(map[string]string{"accessKeyID": strangerID, "accessKeySecret": keySecret})
	w.account(byAccessKey)
}

// doHostile lets another tenant do what it can to the key, and the operator look at
// it. Whatever that is, it touches nothing that is not the tenant's.
func (m *history) doHostile(t *rapid.T) {
	if m.sim == nil {
		t.Skip("the cache has one namespace")
	}
	if m.hostile == nil {
		m.intrude()
	}
	h := m.hostile
	switch what := pick(t, "what", "nothing", "create", "edit", "delete"); {
	case what == "create" && h.gone(stranger):
		h.create(stranger, viaAccount, func(o Object) {
			spec(o).AdoptionPolicy = v1alpha1.AdoptAlways
			if rapid.Bool().Draw(t, "finalizer") {
				o.SetFinalizers([]string{v1alpha1.Finalizer})
			}
		})
	case what == "edit" && !h.gone(stranger):
		h.update(stranger, m.f.change)
	case what == "delete" && !h.gone(stranger):
		h.remove(stranger)
	}
	m.passHostile()
}

// passHostile makes a pass over the object of the other tenant, and returns the wait
// until the next; 0 if there is none.
func (m *history) passHostile() time.Duration {
	m.t.Helper()
	m.hostile.r, m.hostile.accounts = m.r, m.accounts
	before := m.f.have(m.cloud)
	m.mu.Lock()
	m.passing, m.meddled = "", true // no write of it is judged but by what the cloud has then
	m.mu.Unlock()
	m.cloud.ResetCalls()
	m.catchUp()
	wait, err := m.hostile.try(stranger)
	m.hostile.hurry()
	m.t.Logf("hostile pass: %v", err)
	if m.gate.revive() {
		m.restart()
	}
	m.Expect(m.f.have(m.cloud) == before).To(BeTrue(), "a stranger changed the cloud")
	for _, call := range m.cloud.Calls() {
		m.Expect(call.Account).To(Equal("stranger"), "%+v", call)
	}
	return wait
}

// cachedObject returns an object as the operator sees it, nil for none, and
// whether another one has the better claim.
func (m *history) cachedObject(name string) (obj Object, loses bool) {
	m.t.Helper()
	obj = m.f.empty()
	if err := m.mgr.GetClient().Get(m.ctx, client.ObjectKey{Namespace: m.namespace, Name: name}, obj); err != nil {
		return nil, false
	}
	winner, err := m.r.(*Reconciler).begin(obj.DeepCopyObject().(Object)).winner(m.ctx)
	m.Expect(err).NotTo(HaveOccurred())
	return obj, winner != nil
}

// oncePassed makes a pass, checks that it made only the calls that the object
// may, and returns the wait until the next; 0 if there is none.
func (m *history) oncePassed(name string) time.Duration {
	m.t.Helper()
	before, loses := m.cachedObject(name)
	m.mu.Lock()
	m.passing, m.meddled, m.was = name, false, m.f.have(m.cloud)
	m.claimed = before != nil && hasClaim(before)
	m.mu.Unlock()
	m.cloud.ResetCalls()
	// A pass that begins with an object of the past ends where it finds that out,
	// with what the status said before.
	spoilt := before != nil && (m.gone(name) || m.get(name).GetResourceVersion() != before.GetResourceVersion())
	made := m.gate.many()
	wait, err := m.try(name)
	got, most := spent(m.gate.since(made)), mostOf(m.f)
	m.Expect(got.reads <= most.reads && got.writes <= most.writes && got.api <= most.api).To(BeTrue(), "a pass takes %+v, want at most %+v", got, most)
	spoilt = spoilt || err != nil
	for _, call := range m.cloud.Calls() {
		spoilt = spoilt || call.Fault
	}
	reads, writes, records := m.calls()
	all := slices.Concat(reads, writes, records)
	m.t.Logf("pass over %s: %v, then %s %v", name, all, m.brief(name), err)
	if m.gate.revive() {
		spoilt = true
		m.t.Log("restart after death")
		m.restart()
		wait = time.Second
	}
	if err != nil {
		wait = time.Second
		m.hidesKeys("the error", err.Error())
	}
	m.letTurnsPass(name)

	switch {
	case before == nil:
		m.Expect(all).To(BeEmpty(), "for an object that is not there")
	case loses:
		m.Expect(all).To(BeEmpty(), "for one that lost")
	case spec(before).Suspend:
		m.Expect(all).To(BeEmpty(), "for one that is suspended")
	case !before.GetDeletionTimestamp().IsZero() && (!hasClaim(before) || spec(before).DeletionPolicy == v1alpha1.DeletionRetain):
		m.Expect(all).To(BeEmpty(), "for one that is deleted, and owns nothing or leaves it")
	case spec(before).ManagementPolicy == v1alpha1.Observe:
		m.Expect(writes).To(BeEmpty(), "for one that observes")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Expect(m.breaches).To(BeEmpty())
	if before != nil && !hasClaim(before) && len(writes) == 0 && !m.gone(name) && hasClaim(m.get(name)) {
		// Adopted as it reads; what cannot be read is taken for equal.
		m.unseen = m.unseen || switchIn(m.f.have(m.cloud)) != switchIn(m.wanted(m.get(name)))
	}
	if !spoilt && !m.meddled && m.switches.ReadDelay == 0 && slices.Contains(reads, m.f.describe) && !m.gone(name) {
		if obj := m.get(name); inSyncNow(obj) && !m.confirms(name) {
			m.Expect(m.holds(obj)).To(BeTrue(), "%s says InSync, the cloud holds %+v", name, m.f.have(m.cloud))
		}
	}
	return wait
}

func hasClaim(o Object) bool { return slices.Contains(o.GetFinalizers(), v1alpha1.Finalizer) }

// inSyncNow tells whether Ready says InSync of the spec as it is.
func inSyncNow(o Object) bool {
	c := meta.FindStatusCondition(statusOf(o).Conditions, v1alpha1.ConditionReady)
	return c != nil && c.Reason == v1alpha1.ReasonInSync && c.ObservedGeneration == o.GetGeneration()
}

// brief says how an object is.
func (m *history) brief(name string) string {
	if m.gone(name) {
		return "gone"
	}
	obj := m.get(name)
	return fmt.Sprintf("%s of generation %d of %d, claim %t", reasonIn(obj, v1alpha1.ConditionReady),
		statusOf(obj).ObservedGeneration, obj.GetGeneration(), hasClaim(obj))
}

// holds tells whether the cloud holds what an object wants, as far as anyone
// can know.
func (m *history) holds(obj Object) bool {
	have, want := m.f.have(m.cloud), m.wanted(obj)
	if m.unseen {
		have, want = readable(have), readable(want)
	}
	return have == want
}

// readable is what can be read of a configuration.
func readable(config any) any {
	c, ok := config.(emulator.StreamConfig)
	if !ok && config != nil {
		return config
	}
	c.SwitchNotifyURL = ""
	return c
}

// wanted returns what the cloud is to hold for an object.
func (m *history) wanted(obj Object) any {
	if !signed(obj) {
		return m.f.want(obj, "")
	}
	return m.f.want(obj, m.key)
}

// meet says what happens to a call, and notes a breach if it is a write that
// the object may not make. It goes by what the API server has, which the cache
// may not show yet: all that a pass goes by is confirmed before it writes, but
// for who else has the key.
func (m *history) meet(n int, call string) fate {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.fates[n]
	delete(m.fates, n)
	if !isCloud(call) || isRead(call) {
		return f
	}
	breach := func(format string, args ...any) {
		m.breaches = append(m.breaches, call+fmt.Sprintf(format, args...))
	}
	obj := m.f.empty()
	err := m.api.Get(m.ctx, client.ObjectKey{Namespace: m.namespace, Name: m.passing}, obj)
	switch removes := strings.HasPrefix(call, "Delete") || call == "ModifyLiveMessageAppCallback"; {
	case m.passing == "": // of a stranger
	case err != nil:
		breach(" for an object that cannot be read: %v", err)
	case !hasClaim(obj):
		breach(" without a claim")
	case m.meddled: // after the last look; no condition can be put on a write to the cloud
	case spec(obj).Suspend:
		breach(" while suspended")
	case spec(obj).ManagementPolicy == v1alpha1.Observe:
		breach(" by an observer")
	case !obj.GetDeletionTimestamp().IsZero() && !removes:
		breach(" for an object that is deleted")
	case !obj.GetDeletionTimestamp().IsZero() && spec(obj).DeletionPolicy == v1alpha1.DeletionRetain:
		breach(" under Retain")
	case obj.GetDeletionTimestamp().IsZero() && signed(obj) && m.key == "":
		breach(" without a key")
	}
	return f
}

// written notes a breach if a write to the cloud that was just accepted left it
// with what the spec did not ask for.
func (m *history) written(action string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was, have := m.was, m.f.have(m.cloud)
	if calls := m.cloud.Calls(); have == was && calls[len(calls)-1].Fault {
		return // answered as if, and nothing done
	}
	m.was = have
	if have == nil {
		m.unseen = false
		return
	}
	obj := m.f.empty()
	if m.api.Get(m.ctx, client.ObjectKey{Namespace: m.namespace, Name: m.passing}, obj) != nil {
		return // a breach already
	}
	asked := []any{m.wanted(obj)}
	if m.meddled || spec(obj).Guard != nil { // then what was before may be written again
		for _, o := range m.asked {
			if o.GetUID() == obj.GetUID() {
				asked = append(asked, m.wanted(o))
			}
		}
	}
	merges := m.switches.StreamSetMerges && strings.Contains(action, "Streams") || m.switches.RecordUpdateMerges && strings.Contains(action, "UpdateLiveRecord")
	if !slices.ContainsFunc(asked, func(want any) bool { return have == want || merges && have == kept(was, want) }) {
		m.breaches = append(m.breaches, fmt.Sprintf("%s left %+v, asked was %+v", action, have, asked))
	}
	invisible := was != nil && readable(was) == any(emulator.StreamConfig{}) || m.unseen && m.claimed
	m.unseen = switchIn(have) != switchIn(asked[0]) && (m.lied || m.switches.ReadDelay > 0 || invisible || merges)
}

// kept returns what the cloud holds after a write that keeps omitted fields.
func kept(was, want any) any {
	if was == nil {
		return want
	}
	merged := reflect.New(reflect.TypeOf(want)).Elem()
	merged.Set(reflect.ValueOf(want))
	for i := range merged.NumField() {
		if f := merged.Field(i); f.Kind() == reflect.String && f.String() == "" && merged.Type().Field(i).Name != "AuthKey" {
			f.SetString(reflect.ValueOf(was).Field(i).String())
		}
	}
	return merged.Interface()
}

// check is what holds after each step.
func (m *history) check() {
	m.t.Helper()
	for _, name := range m.living() {
		obj := m.get(name)
		raw, err := json.Marshal(statusOf(obj))
		m.Expect(err).NotTo(HaveOccurred())
		m.hidesKeys("the status of "+name, string(raw))
		m.Expect(statusOf(obj).ObservedGeneration).To(BeNumerically("<=", obj.GetGeneration()))
	}
	if m.sim != nil {
		m.sim.mu.Lock()
		told := strings.Join(m.sim.told, "\n")
		m.sim.told = nil
		m.sim.mu.Unlock()
		m.hidesKeys("an event", told)
	}
}

// hidesKeys checks that a text holds no key.
func (m *history) hidesKeys(what, text string) {
	m.t.Helper()
	for _, key := range m.keys {
		if bytes.Contains([]byte(text), []byte(key)) {
			m.t.Fatalf("%s holds a key: %s", what, text)
		}
	}
}

// calm lets nothing more go wrong, and gives all objects what they need. Then
// the cloud comes to hold the spec of the winner, status says so, and nothing is
// written any more.
func (m *history) calm() {
	m.t.Helper()
	m.t.Log("calm returns")
	m.quiet()
	if m.f.signs && m.key == "" {
		m.key = firstKey
		m.secret(m.key)
	}
	for _, name := range m.living() {
		m.update(name, func(o Object) {
			spec(o).Suspend, spec(o).ManagementPolicy = false, v1alpha1.Manage
			spec(o).Guard = nil
			spec(o).AdoptionPolicy, spec(o).DriftPolicy = v1alpha1.AdoptAlways, v1alpha1.DriftCorrect
		})
	}
	m.rest()
}

// quiet lets nothing more go wrong.
func (m *history) quiet() {
	m.cloud.ClearFaults()
	m.mu.Lock()
	m.fates = nil
	m.mu.Unlock()
	m.lag = false
	if m.throttled {
		m.restart()
	}
}

// part deletes all objects. Nothing is left of them, or under Retain everything.
func (m *history) part() {
	m.t.Helper()
	living := m.living()
	if len(living) == 0 {
		return
	}
	policy := pick(m.t, "in the end", v1alpha1.DeletionDelete, v1alpha1.DeletionRetain)
	m.t.Logf("delete all: %s", policy)
	before := m.f.have(m.cloud)
	for _, name := range living {
		m.update(name, func(o Object) { spec(o).DeletionPolicy = policy })
	}
	for _, name := range living {
		m.remove(name)
	}
	m.rest()
	m.Expect(m.living()).To(BeEmpty())
	if policy == v1alpha1.DeletionRetain {
		m.Expect(m.f.have(m.cloud) == before).To(BeTrue(), "under Retain")
	} else {
		m.Expect(m.f.have(m.cloud)).To(BeNil())
	}
}

// rest makes passes, each when it is due, until all is as it is to be and
// nothing was written, neither to the cloud nor to the API server, for two
// resyncs.
func (m *history) rest() {
	m.t.Helper()
	const twoResyncs, most = 22 * time.Minute, 4 * time.Hour
	due := map[string]time.Time{}
	start := m.clock.Now()
	for _, name := range m.living() {
		due[name] = start
	}
	writes := func() int {
		e := ending{calls: m.gate.calls()}
		return len(e.writes(true)) + len(e.writes(false))
	}
	all := names
	if m.hostile != nil && !m.hostile.gone(stranger) {
		all, due[stranger] = append(slices.Clone(names), stranger), start
	}
	for was, last := writes(), start; ; {
		amiss := m.amiss()
		now := m.clock.Now()
		if amiss == "" && (now.Sub(last) >= twoResyncs || len(m.living()) == 0) {
			return
		}
		if now.Sub(start) > most {
			m.t.Fatalf("no rest: last write %s ago; %s", now.Sub(last), amiss)
		}
		next := slices.MinFunc(all, func(a, b string) int { return later(due, a).Compare(later(due, b)) })
		if due[next].IsZero() {
			m.t.Fatalf("nothing is due: %s", amiss)
		}
		m.clock.advance(max(due[next].Sub(now), 0))
		m.catchUp()
		wait := m.passNext(next)
		now = m.clock.Now()
		delete(due, next)
		if wait > 0 {
			due[next] = now.Add(wait)
		}
		if made := writes(); made != was {
			was, last = made, now
			for _, name := range m.living() { // a change wakes the rivals
				if name != next {
					due[name] = now
				}
			}
		}
	}
}

// passNext makes a pass over an object, be it the other tenant's.
func (m *history) passNext(name string) time.Duration {
	m.t.Helper()
	if name == stranger {
		return m.passHostile()
	}
	return m.oncePassed(name)
}

// later returns when an object is due; what is not comes last.
func later(due map[string]time.Time, name string) time.Time {
	if t, ok := due[name]; ok {
		return t
	}
	return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
}

// amiss says what is not yet as it is to be; "" for nothing.
func (m *history) amiss() string {
	m.t.Helper()
	var winner Object
	for _, name := range m.living() {
		if obj := m.get(name); winner == nil || kind.Precedes(obj, winner) {
			winner = obj
		}
	}
	for _, name := range m.living() {
		obj := m.get(name)
		want := v1alpha1.ReasonConflict
		if name == winner.GetName() {
			want = v1alpha1.ReasonInSync
		}
		ready := meta.FindStatusCondition(statusOf(obj).Conditions, v1alpha1.ConditionReady)
		switch {
		case !obj.GetDeletionTimestamp().IsZero():
			return name + " is still there"
		case ready == nil || ready.Reason != want || ready.ObservedGeneration != obj.GetGeneration() || statusOf(obj).ObservedGeneration != obj.GetGeneration():
			return fmt.Sprintf("%s is %s, want %s: %s", name, m.brief(name), want, messageOf(obj, v1alpha1.ConditionReady))
		case want == v1alpha1.ReasonInSync && (!hasClaim(obj) || !m.holds(obj)):
			return fmt.Sprintf("the cloud holds %+v, %s wants %+v", m.f.have(m.cloud), name, m.wanted(obj))
		case want == v1alpha1.ReasonConflict && hasClaim(obj):
			return name + " lost and has a claim"
		}
	}
	return ""
}

// other returns the one of two values that v is not.
func other[T comparable](v, a, b T) T {
	if v == a {
		return b
	}
	return a
}
