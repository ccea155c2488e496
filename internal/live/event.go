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
// may have been created, but the reply was lost. Written is zero for what was read.
type subscription struct {
	EventConfig

	written time.Time
}

// inLag is for how long a subscription is known without being shown: reads may lag
// behind writes.
const inLag = time.Minute

// inDoubt is for how long one that may have been created is looked for before another
// one is: the operation has no token that would tell a repeat.
const inDoubt = 20 * time.Second

// known returns what the client knows of a subscription, and how long ago that was
// written.
func (e Event) known(key string) (subscription, time.Duration) {
	known, _ := e.client.subscribed.Load(key)
	s, _ := known.(subscription)
	return s, max(e.client.options.Now().Sub(s.written), 0)
}

// find returns the subscription of a channel: as the list has it, or as it was created
// a moment ago. That there are several is an error of class Several, which names them.
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
	switch s, age := e.known(t.key); {
	case len(ids) > 1:
		return EventConfig{}, found(Several, listEvent, "SeveralSubscriptions",
			fmt.Sprintf("the cloud has %d subscriptions for channel %s of application %s: %s", len(ids), channel, app, shownSubIDs(ids)))
	case len(ids) == 1:
		e.client.subscribed.Store(t.key, subscription{EventConfig: have})
	case s.SubID != "" && age < inLag:
		return s.EventConfig, nil
	}
	return have, nil
}

// send creates the subscription of a channel that has none, or replaces all of the one
// that it has.
func (e Event) send(ctx context.Context, t turn, create bool, want EventConfig, _ bool) error {
	have, err := e.find(ctx, t)
	switch s, age := e.known(t.key); {
	case err != nil:
		return err
	case create && have != EventConfig{}:
		return found(Exists, createEvent, "ConfigAlreadyExists", "the channel has a subscription already")
	case !create && have.SubID == "":
		return found(NotFound, updateEvent, "ResourceNotExist", "the channel has no subscription")
	case create && s.SubID == "" && age < inDoubt:
		return &Error{Class: Unavailable, Action: createEvent.Action, Code: codeTimeout, RetryAfter: inDoubt - age,
			Message: "it is not known yet whether it was created; the operator looks again before it creates another one"}
	}
	app, channel, _ := strings.Cut(t.key, "/")
	events, users := dara.StringSlice(SplitList(want.Events)), dara.StringSlice(SplitList(want.Users))
	if want.SubID = have.SubID; create {
		reply, failed := call[sdk.CreateEventSubResponseBody](ctx, e.client, t.finish(), createEvent,
			&sdk.CreateEventSubRequest{AppId: &app, ChannelId: &channel, CallbackUrl: &want.CallbackURL, Events: events, Users: users})
		if err = noApplication(failed); err == nil {
			want.SubID = bounded(reply.SubscribeId, maxID)
		}
	} else {
		err = do(ctx, e.client, t.finish(), updateEvent,
			&sdk.UpdateEventSubRequest{AppId: &app, SubscribeId: &want.SubID, ChannelId: &channel, CallbackUrl: &want.CallbackURL, Events: events, Users: users})
	}
	switch class := ClassOf(err); {
	case !Refused(err):
		e.client.subscribed.Store(t.key, subscription{want, e.client.options.Now()})
	case class == NotFound:
		e.client.subscribed.Delete(t.key)
	case class == Rejected && create: // perhaps for one that the list did not show yet
		return e.means(ctx, t, Exists, err)
	}
	return err
}

func (e Event) unsubscribe(ctx context.Context, t turn) error {
	have, err := e.find(ctx, t)
	if err != nil || have.SubID == "" {
		return err
	}
	app, _, _ := strings.Cut(t.key, "/")
	err = do(ctx, e.client, t.finish(), deleteEvent,
		&sdk.DeleteEventSubRequest{AppId: &app, SubscribeId: &have.SubID})
	if err == nil || ClassOf(err) == NotFound {
		e.client.subscribed.Delete(t.key)
	}
	return err
}

// reader reads the records of a subscription by pages.
func (e Event) reader(ctx context.Context, t turn) reader {
	return func(start, end time.Time, page int) (_ []delivery, _ bool, err error) {
		s, _ := e.known(t.key)
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
