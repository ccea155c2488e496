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

// Remind tells the client which subscription an object owns, "" for one that may have
// been created by a process that did not live to see the reply.
func (e Event) Remind(key, subID string) { e.client.remind(key, subID) }

// find returns the subscription of a channel as the list has it. That there are several
// is an error of class Several, which names them.
func (e Event) find(ctx context.Context, t turn) (have EventConfig, err error) {
	app, channel, _ := strings.Cut(t.key, "/")
	reply, err := call[sdk.ListEventSubResponseBody](ctx, e.client, t, listEvent, &sdk.ListEventSubRequest{AppId: &app})
	if err != nil {
		return have, ignoreNotFound(err) // to the list, the application may be what is not there
	}
	var ids []string
	for _, s := range reply.Subscribers {
		if s != nil && (value(s.ChannelId) == channel || value(s.ChannelId) == "" && channel == AllChannels) {
			have = EventConfig{bounded(s.CallbackUrl, maxURL), members(s.Events), members(s.Users), bounded(s.SubId, maxID)}
			ids = append(ids, value(s.SubId))
		}
	}
	if len(ids) > 1 {
		return EventConfig{}, found(Several, listEvent, "SeveralSubscriptions",
			fmt.Sprintf("the cloud has %d subscriptions for channel %s of application %s: %s", len(ids), channel, app, shownSubIDs(ids)))
	}
	if len(ids) == 1 {
		e.client.shown(t.key, have.SubID)
	}
	return have, nil
}

// target returns the subscription that the list has, and the ID of the one that a
// change is for.
func (e Event) target(ctx context.Context, t turn) (have EventConfig, id string, err error) {
	if have, err = e.find(ctx, t); err == nil && have.SubID == "" {
		id, err = e.client.owned(t.key, createEvent)
		return have, id, err
	}
	return have, have.SubID, err
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
	if id != "" {
		err = e.client.noted(t.key, id, do(ctx, e.client, t.finish(), updateEvent,
			&sdk.UpdateEventSubRequest{AppId: &app, SubscribeId: &id, ChannelId: &channel, CallbackUrl: &want.CallbackURL, Events: events, Users: users}))
		if ClassOf(err) != NotFound || !create {
			return err
		}
	}
	reply, err := call[sdk.CreateEventSubResponseBody](ctx, e.client, t.finish(), createEvent,
		&sdk.CreateEventSubRequest{AppId: &app, ChannelId: &channel, CallbackUrl: &want.CallbackURL, Events: events, Users: users})
	if id = ""; err == nil {
		id = bounded(reply.SubscribeId, maxID)
	}
	if err = e.client.noted(t.key, id, noApplication(err)); ClassOf(err) == Rejected { // perhaps for one that the list did not show yet
		return e.means(ctx, t, Exists, err)
	}
	return err
}

func (e Event) unsubscribe(ctx context.Context, t turn) error {
	_, id, err := e.target(ctx, t)
	if err != nil || id == "" {
		return err
	}
	app, _, _ := strings.Cut(t.key, "/")
	err = do(ctx, e.client, t.finish(), deleteEvent, &sdk.DeleteEventSubRequest{AppId: &app, SubscribeId: &id})
	return e.client.removed(t.key, err)
}

// reader reads the records of a subscription by pages.
func (e Event) reader(ctx context.Context, t turn) reader {
	return func(start, end time.Time, page int) ([]delivery, bool, error) {
		id := e.client.identified(t.key).id
		if id == "" {
			have, err := e.find(ctx, t)
			if id = have.SubID; id == "" { // nothing was sent for want of a subscription
				return nil, false, err
			}
		}
		app, _, _ := strings.Cut(t.key, "/")
		from, to := byTheMinute(start, end, e.client.Now())
		reply, err := call[sdk.ListEventSubEventResponseBody](ctx, e.client, t, eventRecords, &sdk.ListEventSubEventRequest{
			AppId: &app, SubscribeId: &id, StartTime: new(from.Unix()), EndTime: new(to.Unix()),
			PageSize: new(int64(listPage)), PageNo: new(int64(page)),
		})
		if err != nil {
			if ClassOf(err) == NotFound { // another one took its place, or none
				_, _ = e.find(ctx, t)
			}
			return nil, false, err
		}
		return listed(eventRecords, reply.HasMore, reply.Logs, func(r *sdk.ListEventSubEventResponseBodyLogs) delivery {
			return newDelivery("event", r.MessageId, inChina(value(r.Time)), r.Url, int64(dara.Int32Value(r.Code)), r.Data)
		})
	}
}
