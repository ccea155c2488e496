// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
	"github.com/alibabacloud-go/tea/dara"
)

// EventConfig is the subscription of a channel of an RTC application to its events.
// The zero value means that there is none.
type EventConfig struct {
	CallbackURL string
	// Events and Users are sorted and joined by commas, as JoinList returns them;
	// no Users are all.
	Events, Users string
	// SubID is given by the cloud and is no part of what is wanted.
	SubID string
}

// AllChannels is the channel of a subscription to all of an application.
const AllChannels = "*"

// EventKey returns the key of a subscription.
func EventKey(appID, channelID string) string { return appID + "/" + channelID }

// Fields returns the configuration as the resource spells it. All users are *, as an
// update replaces the users whatever there were: nothing has to be cleared.
func (c EventConfig) Fields() []Field {
	return []Field{{Name: "callbackURL", Value: c.CallbackURL}, {Name: "events", Value: c.Events}, {Name: "users", Value: cmp.Or(c.Users, "*")}}
}

// Event is the family of channel and user event subscriptions, by EventKey. The
// cloud knows them by IDs that it gives, and takes a second one for the same channel;
// so each step looks first which there is.
type Event struct{ withList[EventConfig] }

// NewEvent returns the family in the cloud of a client.
func NewEvent(c *Client) Event {
	f := Family[EventConfig]{client: c, reads: listEvent, creates: createEvent, updates: updateEvent}
	e := Event{withList[EventConfig]{Family: f, operation: eventRecords}}
	e.get, e.drop = e.find, e.unsubscribe
	e.write, e.records = e.send, e.reader
	return e
}

// subscription is the last that a client wrote, or read, of one. It has no ID if it
// may have been created, but the reply was lost.
type subscription struct {
	EventConfig

	ours    bool // an object owns it
	written time.Time
}

// inDoubt is for how long one that may have been created is looked for before another
// one is: the operation has no token that would tell a repeat.
const inDoubt = 20 * time.Second

// known returns what the client knows of a subscription.
func (e Event) known(key string) subscription {
	known, _ := e.client.subscribed.Load(key)
	s, _ := known.(subscription)
	return s
}

// Remind tells the client which subscription an object owns, "" for one that may have
// been created by a process that did not live to see the reply. What the client knows
// already is newer.
func (e Event) Remind(key, subID string) {
	if !e.known(key).ours {
		e.client.subscribed.Store(key, subscription{EventConfig{SubID: subID}, true, e.client.options.Now()})
	}
}

// find returns the subscription of a channel as the list has it. That there are several
// is an error of class Several, which names them.
func (e Event) find(ctx context.Context, t turn) (EventConfig, error) {
	app, channel, _ := strings.Cut(t.key, "/")
	reply, err := call[sdk.ListEventSubResponseBody](ctx, e.client, t, listEvent, &sdk.ListEventSubRequest{AppId: &app})
	switch {
	case ClassOf(err) == NotFound: // to the list, the application may be what is not there
		reply = &sdk.ListEventSubResponseBody{}
	case err != nil:
		return EventConfig{}, err
	}
	var have EventConfig
	var ids []string
	for _, s := range reply.Subscribers {
		if s != nil && (value(s.ChannelId) == channel || value(s.ChannelId) == "" && channel == AllChannels) {
			have = EventConfig{bounded(s.CallbackUrl, maxURL), members(s.Events), members(s.Users), bounded(s.SubId, maxID)}
			ids = append(ids, value(s.SubId))
		}
	}
	switch len(ids) {
	case 0:
		return EventConfig{}, nil
	case 1:
		e.client.subscribed.Store(t.key, subscription{EventConfig: have, ours: e.known(t.key).ours})
		return have, nil
	default:
		return EventConfig{}, found(Several, listEvent, "SeveralSubscriptions",
			fmt.Sprintf("the cloud has %d subscriptions for channel %s of application %s: %s", len(ids), channel, app, shownSubIDs(ids)))
	}
}

// target returns the subscription that the list has, and the ID of the one that a
// change is for: one that an object owns counts although the list, which may lag, does
// not have it.
func (e Event) target(ctx context.Context, t turn) (have EventConfig, id string, err error) {
	if have, err = e.find(ctx, t); err != nil || have.SubID != "" {
		return have, have.SubID, err
	}
	s := e.known(t.key)
	if age := max(e.client.options.Now().Sub(s.written), 0); s.ours && s.SubID == "" && age < inDoubt {
		err = &Error{Class: Unavailable, Action: createEvent.Action, Code: codeTimeout, RetryAfter: inDoubt - age,
			Message: "it is not known yet whether it was created; the operator looks again before it goes on"}
	}
	if !s.ours {
		return have, "", nil
	}
	return have, s.SubID, err
}

// send creates the subscription of a channel that has none, or replaces all of the one
// that it has.
func (e Event) send(ctx context.Context, t turn, create bool, want EventConfig, _ bool) error {
	have, id, err := e.target(ctx, t)
	switch {
	case err != nil:
		return err
	case create && have.SubID != "":
		return found(Exists, createEvent, "ConfigAlreadyExists", "the channel has a subscription already")
	case !create && id == "":
		return found(NotFound, updateEvent, "ResourceNotExist", "the channel has no subscription")
	}
	app, channel, _ := strings.Cut(t.key, "/")
	events, users := dara.StringSlice(SplitList(want.Events)), dara.StringSlice(SplitList(want.Users))
	if want.SubID = id; id != "" {
		err = do(ctx, e.client, t.finish(), updateEvent,
			&sdk.UpdateEventSubRequest{AppId: &app, SubscribeId: &id, ChannelId: &channel, CallbackUrl: &want.CallbackURL, Events: events, Users: users})
		e.wrote(t, want, err)
	}
	if id != "" && (ClassOf(err) != NotFound || !create) {
		return err
	}
	want.SubID = ""
	reply, err := call[sdk.CreateEventSubResponseBody](ctx, e.client, t.finish(), createEvent,
		&sdk.CreateEventSubRequest{AppId: &app, ChannelId: &channel, CallbackUrl: &want.CallbackURL, Events: events, Users: users})
	if err = noApplication(err); err == nil {
		want.SubID = bounded(reply.SubscribeId, maxID)
	}
	e.wrote(t, want, err)
	if ClassOf(err) == Rejected { // perhaps for one that the list did not show yet
		return e.means(ctx, t, Exists, err)
	}
	return err
}

// wrote notes what was written, or may have been.
func (e Event) wrote(t turn, want EventConfig, err error) {
	switch {
	case !Refused(err):
		e.client.subscribed.Store(t.key, subscription{want, true, e.client.options.Now()})
	case ClassOf(err) == NotFound:
		e.client.subscribed.Delete(t.key)
	}
}

func (e Event) unsubscribe(ctx context.Context, t turn) error {
	_, id, err := e.target(ctx, t)
	if err != nil || id == "" {
		return err
	}
	app, _, _ := strings.Cut(t.key, "/")
	err = do(ctx, e.client, t.finish(), deleteEvent,
		&sdk.DeleteEventSubRequest{AppId: &app, SubscribeId: &id})
	if err == nil || ClassOf(err) == NotFound {
		e.client.subscribed.Delete(t.key)
	}
	return err
}

// reader reads the records of a subscription by pages.
func (e Event) reader(ctx context.Context, t turn) reader {
	return func(start, end time.Time, page int) (_ []delivery, _ bool, err error) {
		s := e.known(t.key)
		if s.SubID == "" {
			if s.EventConfig, err = e.find(ctx, t); err != nil || s.SubID == "" { // nothing was sent for want of a subscription
				return nil, false, err
			}
		}
		app, _, _ := strings.Cut(t.key, "/")
		from, to := byTheMinute(start, end, e.client.Now())
		reply, err := call[sdk.ListEventSubEventResponseBody](ctx, e.client, t, eventRecords, &sdk.ListEventSubEventRequest{
			AppId: &app, SubscribeId: &s.SubID, StartTime: new(from.Unix()), EndTime: new(to.Unix()),
			PageSize: new(int64(listPage)), PageNo: new(int64(page)),
		})
		if ClassOf(err) == NotFound { // another one took its place, or none
			e.client.subscribed.Delete(t.key)
		}
		if err != nil {
			return nil, false, err
		}
		return listed(eventRecords, reply.HasMore, reply.Logs, func(r *sdk.ListEventSubEventResponseBodyLogs) delivery {
			return newDelivery("event", r.MessageId, inChina(value(r.Time)), r.Url, int64(dara.Int32Value(r.Code)), r.Data)
		})
	}
}
