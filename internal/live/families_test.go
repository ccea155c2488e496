// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

func eventTo(url string) live.EventConfig {
	return live.EventConfig{CallbackURL: url, Events: live.JoinList([]string{"UserEvent", "ChannelEvent"})}
}

// TestEventCreatesWithLostReplies: a create whose reply is lost is not repeated
// before the list was looked at, so that 2,000 of them leave one each.
func TestEventCreatesWithLostReplies(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	events := live.NewEvent(c.client)
	applications, channels := 10, 20
	if os.Getenv("LONG") != "" {
		applications = 100
	}
	for i := range applications {
		app := fmt.Sprintf("app-%d", i)
		c.AddApp("", app)
		for n := range channels {
			if n%2 == 1 {
				c.Inject(emulator.Fault{Action: "CreateEventSub", Match: app, Times: 1, LoseReply: true})
			}
			key := live.EventKey(app, fmt.Sprintf("room-%d", n))
			for tries := 0; ; tries++ { // as the loop does it: read, then write what is missing
				have, err := events.Get(t.Context(), quota.User, key)
				if err != nil {
					t.Fatal(err)
				}
				if have.CallbackURL == hook {
					break
				}
				err = events.Put(t.Context(), quota.User, key, have, eventTo(hook), true)
				if tries == 2 || err != nil && live.ClassOf(err) != live.Unavailable {
					t.Fatalf("%s: %v", key, err)
				}
			}
		}
		subs := map[string]int{}
		for _, sub := range c.EventSubs(app) {
			subs[sub.ChannelID]++
		}
		if len(subs) != channels || len(c.EventSubs(app)) != channels {
			t.Fatalf("%s has %d subscriptions of %d channels, want %d", app, len(c.EventSubs(app)), len(subs), channels)
		}
	}
	creates := 0
	for _, call := range c.Calls() {
		if call.Action == "CreateEventSub" {
			creates++
		}
	}
	check(t, "creates", creates, applications*channels)
}

// TestEventCreateWhileReadsLag: what may have been created is looked for until it
// would be shown.
func TestEventCreateWhileReadsLag(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		var moved atomic.Int64
		c := newCloudWith(t, emulator.Options{Switches: emulator.Switches{ReadDelay: 8 * time.Second}},
			live.Options{Now: func() time.Time { return time.Now().Add(time.Duration(moved.Load())) }})
		c.AddApp("", app)
		advance := func(d time.Duration) { c.behind.Store(-moved.Add(int64(d))) }
		events, key := live.NewEvent(c.client), live.EventKey(app, "room")
		c.Inject(emulator.Fault{Action: "CreateEventSub", Times: 1, LoseReply: lost})
		if !lost {
			c.ClearFaults()
		}
		err := events.Put(t.Context(), quota.User, key, live.EventConfig{}, eventTo(hook), true)
		check(t, "the first fails", err != nil, lost)
		for range 4 { // as if the spec had changed meanwhile
			have, err := events.Get(t.Context(), quota.User, key)
			if err != nil {
				t.Fatal(err)
			}
			err = events.Put(t.Context(), quota.User, key, have, eventTo(hook3), true)
			if class := live.ClassOf(err); class != "" && class != live.Unavailable {
				t.Fatalf("got %v", err)
			}
			advance(4 * time.Second)
		}
		subs := c.EventSubs(app)
		check(t, "subscriptions", len(subs), 1)
		check(t, "URL", subs[0].CallbackURL, hook3)
		if err := events.Delete(t.Context(), quota.User, key); err != nil {
			t.Fatal(err)
		}
		check(t, "subscriptions after the removal", len(c.EventSubs(app)), 0)
	}
}

// TestEventRemovedBeforeItIsShown: the removal knows the ID of what it created.
func TestEventRemovedBeforeItIsShown(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{ReadDelay: time.Hour})
	c.AddApp("", app)
	events, key := live.NewEvent(c.client), live.EventKey(app, live.AllChannels)
	if err := events.Put(t.Context(), quota.User, key, live.EventConfig{}, eventTo(hook), true); err != nil {
		t.Fatal(err)
	}
	if err := events.Delete(t.Context(), quota.User, key); err != nil {
		t.Fatal(err)
	}
	check(t, "subscriptions", len(c.EventSubs(app)), 0)
}

// TestSeveralEventSubscriptions: which one is meant is not known, so they are named
// and nothing is touched.
func TestSeveralEventSubscriptions(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	c.AddApp("", app)
	subs := []emulator.EventSub{
		{SubID: "Sub-B", ChannelID: "room", Events: []string{"UserEvent"}, CallbackURL: hook},
		{SubID: "Sub-A", ChannelID: "room", Events: []string{"UserEvent"}, CallbackURL: hook2},
		{SubID: "Sub-C", ChannelID: "other", Events: []string{"UserEvent"}, CallbackURL: hook3},
	}
	c.SetEventSubs(app, subs)
	events, key := live.NewEvent(c.client), live.EventKey(app, "room")
	_, getErr := events.Get(t.Context(), quota.User, key)
	for what, err := range map[string]error{
		"get":    getErr,
		"put":    events.Put(t.Context(), quota.User, key, eventTo(hook), eventTo(hook3), true),
		"create": events.Put(t.Context(), quota.User, key, live.EventConfig{}, eventTo(hook3), true),
		"delete": events.Delete(t.Context(), quota.User, key),
	} {
		check(t, what, live.ClassOf(err), live.Several)
		if err != nil && !strings.Contains(err.Error(), "Sub-A, Sub-B") {
			t.Errorf("%s does not name them: %v", what, err)
		}
	}
	check(t, "subscriptions", len(c.EventSubs(app)), len(subs))
	other, err := events.Get(t.Context(), quota.User, live.EventKey(app, "other"))
	check(t, "error of another channel", err, nil)
	check(t, "the other", other.SubID, "Sub-C")
}

// TestEventCount: only the events of the channel count, by times of UTC+8.
func TestEventCount(t *testing.T) {
	t.Parallel()
	for _, byMinute := range []bool{false, true} {
		c := newCloud(t, emulator.Switches{EventTimesByMinute: byMinute})
		c.AddApp("", app)
		c.SetEventSubs(app, []emulator.EventSub{
			{SubID: "Sub-1", ChannelID: "room", Events: []string{"UserEvent"}, CallbackURL: hook},
			{SubID: "Sub-2", ChannelID: "other", Events: []string{"UserEvent"}, CallbackURL: hook2},
		})
		now := time.Now()
		var records []emulator.EventRecord
		for i := range 250 {
			r := emulator.EventRecord{AppID: app, SubID: "Sub-1", URL: hook, Time: now.Add(-2 * time.Minute).Add(-time.Duration(i) * time.Second)}
			if i%50 == 0 {
				r.Code = 500
			}
			records = append(records, r, emulator.EventRecord{AppID: app, SubID: "Sub-2", Code: 500, Time: r.Time})
		}
		records = append(records, emulator.EventRecord{AppID: app, SubID: "Sub-1", Code: emulator.NoAnswer, Time: now.Add(-2 * time.Hour)})
		c.AddRecords(emulator.Records{Event: records})
		events := live.NewEvent(c.client)
		var got live.Counts
		for {
			var err error
			if got, err = events.Count(t.Context(), live.EventKey(app, "room"), lastHour, got); err != nil {
				t.Fatal(err)
			}
			if !got.Unfinished() {
				break
			}
		}
		check(t, "total", got.Total, int64(250))
		check(t, "failed", got.Failed, int64(5))
		check(t, "the last failure", got.Last.Time.Unix(), now.Add(-2*time.Minute).Unix())
		check(t, "its URL", got.Last.URL, hook)
	}
}

// TestEventCountWithoutSubscription: nothing is sent, and nothing is asked for.
func TestEventCountWithoutSubscription(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	c.AddApp("", app)
	got, err := live.NewEvent(c.client).Count(t.Context(), live.EventKey(app, "room"), lastHour, live.Counts{})
	check(t, "error", err, nil)
	check(t, "total", got.Total, int64(0))
	check(t, "calls", c.actions(), "ListEventSub")
}

// TestAppKeyStaysInside: what the cloud shows of a messaging application is not in
// what is made of it, nor in an error.
func TestAppKeyStaysInside(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	const secret = "AppKeyCanary0123456789"
	if err := c.AddMessageApp(emulator.MessageApp{AppID: app, AppKey: secret, EventCallbackURL: hook}); err != nil {
		t.Fatal(err)
	}
	messages, key := live.Message(c.client), live.MessageKey("cn-shanghai", app)
	have, err := messages.Get(t.Context(), quota.User, key)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "what is read", have, live.MessageConfig{EventCallbackURL: hook})
	for _, body := range []string{
		`{"RequestId":"1","AppKey":"` + secret + `","EventCallbackUrl":7}`,
		`{"RequestId":"1","AppKey":{"` + secret + `":1}}`,
		`{"AppKey":"` + secret + `"}`,
		`{"RequestId":"1","Code":"` + secret + `","AppKey":"` + secret + `"`,
	} {
		c.Inject(emulator.Fault{Action: "DescribeLiveMessageApp", Times: 1, Body: body})
		got, err := messages.Get(t.Context(), quota.User, key)
		if text := fmt.Sprintf("%+v %v %#v", got, err, err); strings.Contains(text, secret) {
			t.Errorf("%s: got %s", body, text)
		}
	}
}

// TestMessageCallbackIsCleared, also where what is sent empty counts as missing.
func TestMessageCallbackIsCleared(t *testing.T) {
	t.Parallel()
	for _, empty := range []string{emulator.EmptyValue, emulator.EmptyMissing, emulator.EmptyRefused} {
		c := newCloud(t, emulator.Switches{EmptyParameters: empty})
		if err := c.AddMessageApp(emulator.MessageApp{DataCenter: "ap-southeast-1", AppID: app, EventCallbackURL: hook}); err != nil {
			t.Fatal(err)
		}
		messages, key := live.Message(c.client), live.MessageKey("ap-southeast-1", app)
		if err := messages.Delete(t.Context(), quota.User, key); err != nil {
			t.Fatalf("%s: %v", empty, err)
		}
		got, ok := c.MessageApp("ap-southeast-1", app)
		check(t, empty+": the application stays", ok, true)
		check(t, empty+": its callback", got.EventCallbackURL, "")
		_, err := messages.Get(t.Context(), quota.User, live.MessageKey("cn-shanghai", app))
		check(t, "of the other data center", live.ClassOf(err), live.DomainNotFound)
	}
}

// TestOtherSnapshotCallbacks: the older callbacks of applications are told of, and
// that they cannot be read is no failure.
func TestOtherSnapshotCallbacks(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	snapshots := live.NewSnapshot(c.client)
	jobs := []emulator.SnapshotJob{{App: "*", Callback: hook}, {App: "quiet"}}
	for i := range 40 {
		jobs = append(jobs, emulator.SnapshotJob{App: fmt.Sprintf("app-%02d", i)})
	}
	c.SetSnapshotJobs(play, append(jobs, emulator.SnapshotJob{App: "last", Callback: hook2}))
	got, err := snapshots.Get(t.Context(), quota.User, play)
	check(t, "error", err, nil)
	check(t, "where there is none", got, live.SnapshotConfig{})
	c.SetSnapshotConfig(play, emulator.SnapshotConfig{NotifyURL: hook})
	got, err = snapshots.Get(t.Context(), quota.User, play)
	check(t, "error", err, nil)
	check(t, "others", got.Applications(), []string{"*", "last"})
	c.Inject(emulator.Fault{Action: "DescribeLiveSnapshotConfig", Code: "Forbidden.RAM", Status: 403})
	got, err = snapshots.Get(t.Context(), quota.User, play)
	check(t, "error", err, nil)
	check(t, "unknown", got, live.SnapshotConfig{NotifyURL: hook, OthersUnknown: true})
}

// TestAuditOfTheDomain: only the entry of the domain that was asked for counts.
func TestAuditOfTheDomain(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	audits := live.Audit(c.client)
	for list, want := range map[string]live.AuditConfig{
		``:     {},
		`null`: {},
		`{"DomainName":"other.example.com","Callback":"` + hook + `"}`:                                   {},
		`null,{"DomainName":"LIVE.example.com","Callback":"` + hook + `","CallbackTemplate":"{Result}"}`: {CallbackURL: hook, CallbackTemplate: "{Result}"},
		`{"Callback":"` + hook + `"}`: {CallbackURL: hook},
	} {
		c.Inject(emulator.Fault{
			Action: "DescribeLiveAudioAuditNotifyConfig", Times: 1,
			Body: `{"RequestId":"1","LiveAudioAuditNotifyConfigList":{"LiveAudioAuditNotifyConfig":[` + list + `]}}`,
		})
		got, err := audits.Get(t.Context(), quota.User, play)
		check(t, list+": error", err, nil)
		check(t, list, got, want)
	}
}

// TestEventListThatLags: a subscription that an object owns is changed and removed by its
// ID, also by another process, while the list shows nothing. One that is gone is made anew.
func TestEventListThatLags(t *testing.T) {
	t.Parallel()
	const empty = `{"RequestId":"R","Subscribers":[]}`
	for name, again := range map[string]bool{"the same process": false, "another one": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, emulator.Switches{})
			c.AddApp("", app)
			client, key := c.client, live.EventKey(app, "room")
			if err := live.NewEvent(client).Put(t.Context(), quota.User, key, live.EventConfig{}, eventTo(hook), true); err != nil {
				t.Fatal(err)
			}
			id := c.EventSubs(app)[0].SubID
			if again {
				client = newClient(t, live.Options{Endpoint: c.url})
				live.NewEvent(client).Remind(key, id)
			}
			events := live.NewEvent(client)
			c.Inject(emulator.Fault{Action: "ListEventSub", Body: empty})
			have, err := events.Get(t.Context(), quota.User, key)
			check(t, "what is shown", have, live.EventConfig{})
			check(t, "error", err, nil)
			check(t, "put", events.Put(t.Context(), quota.User, key, have, eventTo(hook3), true), nil)
			check(t, "subscriptions", len(c.EventSubs(app)), 1)
			check(t, "URL", c.EventSubs(app)[0].CallbackURL, hook3)
			check(t, "delete", events.Delete(t.Context(), quota.User, key), nil)
			check(t, "subscriptions after the removal", len(c.EventSubs(app)), 0)
			c.ClearFaults()

			live.NewEvent(client).Remind(key, id) // which is gone
			check(t, "put anew", events.Put(t.Context(), quota.User, key, live.EventConfig{}, eventTo(hook), true), nil)
			check(t, "subscriptions anew", len(c.EventSubs(app)), 1)
		})
	}
}

// TestEventThatMayHaveBeenCreated: another process waits as the one does whose create
// had no reply.
func TestEventThatMayHaveBeenCreated(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	c.AddApp("", app)
	events, key := live.NewEvent(c.client), live.EventKey(app, "room")
	events.Remind(key, "")
	for what, err := range map[string]error{
		"put":    events.Put(t.Context(), quota.User, key, live.EventConfig{}, eventTo(hook), true),
		"delete": events.Delete(t.Context(), quota.User, key),
	} {
		e, _ := errors.AsType[*live.Error](err)
		if e == nil || e.Class != live.Unavailable || e.RetryAfter <= 0 || e.RetryAfter > 20*time.Second {
			t.Errorf("%s: got %v", what, err)
		}
	}
	check(t, "subscriptions", len(c.EventSubs(app)), 0)
}

// TestPutOverWhatDoesNotShow: what exists, and does not show for now, is written over and
// not removed.
func TestPutOverWhatDoesNotShow(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{ReadDelay: time.Hour})
	c.SetRecordConfig(play, emulator.RecordConfig{NotifyURL: hook2})
	c.SetSnapshotConfig(play, emulator.SnapshotConfig{NotifyURL: hook2})
	c.SetDetectConfig(play, emulator.DetectConfig{NotifyURL: hook2})
	c.SetAuditConfig(play, emulator.AuditConfig{CallbackURL: hook2})
	ctx, lane := t.Context(), quota.User
	for what, err := range map[string]error{
		"record":   live.NewRecord(c.client).Put(ctx, lane, play, live.RecordConfig{}, live.RecordConfig{NotifyURL: hook}, true),
		"snapshot": live.NewSnapshot(c.client).Put(ctx, lane, play, live.SnapshotConfig{}, live.SnapshotConfig{NotifyURL: hook}, true),
		"detect":   live.Detect(c.client).Put(ctx, lane, play, live.DetectConfig{}, live.DetectConfig{NotifyURL: hook}, true),
		"audit":    live.Audit(c.client).Put(ctx, lane, play, live.AuditConfig{}, live.AuditConfig{CallbackURL: hook}, true),
	} {
		check(t, what, err, nil)
	}
	for _, call := range c.Calls() {
		if strings.HasPrefix(call.Action, "Delete") {
			t.Errorf("%s", call.Action)
		}
	}
	record, _ := c.RecordConfig(play)
	check(t, "record", record.NotifyURL, hook)
}

// TestUpdateThatFindsNothing: that a change says there is nothing is no reason to remove
// what is there.
func TestUpdateThatFindsNothing(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	c.AddApp("", app)
	c.SetRecordConfig(play, emulator.RecordConfig{NotifyURL: hook2})
	c.SetSnapshotConfig(play, emulator.SnapshotConfig{NotifyURL: hook2})
	c.SetDetectConfig(play, emulator.DetectConfig{NotifyURL: hook2})
	c.SetAuditConfig(play, emulator.AuditConfig{CallbackURL: hook2})
	c.SetEventSubs(app, []emulator.EventSub{{SubID: "Sub-A", ChannelID: "room", Events: []string{"UserEvent", "ChannelEvent"}, CallbackURL: hook2}})
	for action, code := range map[string]string{
		"UpdateLiveRecordNotifyConfig": "InvalidConfig.NotFound", "UpdateLiveDetectNotifyConfig": "InvalidConfig.NotFound",
		"UpdateLiveSnapshotNotifyConfig": "ConfigNotFound", "UpdateLiveAudioAuditNotifyConfig": "ConfigNotFound", "UpdateEventSub": "ResourceNotExist",
	} {
		c.Inject(emulator.Fault{Action: action, Code: code, Status: 404, Times: 1})
	}
	ctx, lane, key := t.Context(), quota.User, live.EventKey(app, "room")
	old := eventTo(hook2)
	old.SubID = "Sub-A"
	for what, err := range map[string]error{
		"record":   live.NewRecord(c.client).Put(ctx, lane, play, live.RecordConfig{NotifyURL: hook2}, live.RecordConfig{NotifyURL: hook}, true),
		"snapshot": live.NewSnapshot(c.client).Put(ctx, lane, play, live.SnapshotConfig{NotifyURL: hook2}, live.SnapshotConfig{NotifyURL: hook}, true),
		"detect":   live.Detect(c.client).Put(ctx, lane, play, live.DetectConfig{NotifyURL: hook2}, live.DetectConfig{NotifyURL: hook}, true),
		"audit":    live.Audit(c.client).Put(ctx, lane, play, live.AuditConfig{CallbackURL: hook2}, live.AuditConfig{CallbackURL: hook}, true),
		"event":    live.NewEvent(c.client).Put(ctx, lane, key, old, eventTo(hook), true),
	} {
		check(t, what, err, nil)
	}
	for _, call := range c.Calls() {
		if strings.HasPrefix(call.Action, "Delete") {
			t.Errorf("%s", call.Action)
		}
	}
	subs := c.EventSubs(app)
	check(t, "subscriptions", len(subs), 1)
	check(t, "its URL and ID", subs[0].CallbackURL+" "+subs[0].SubID, hook+" Sub-A")
	detect, _ := c.DetectConfig(play)
	check(t, "detect", detect.NotifyURL, hook)
}
