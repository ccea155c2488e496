// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/live-notify/live-notify-operator/internal/quota"
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
	users := c.Users
	if users == "" {
		users = "*"
	}
	return []Field{{Name: "callbackURL", Value: c.CallbackURL}, {Name: "events", Value: c.Events}, {Name: "users", Value: users}}
}

// Event is the family of channel and user event subscriptions, by EventKey. The
// cloud knows them by IDs that it gives, and takes a second one for the same channel;
// so each step looks first which there is.
type Event struct{ Family[EventConfig] }

// NewEvent returns the family in the cloud of a client.
func NewEvent(c *Client) Event {
	f := Family[EventConfig]{client: c, name: "event", reads: listEvent, creates: createEvent, writes: updateEvent}
	e := Event{f}
	e.get, e.add, e.drop = e.find, e.subscribe, e.unsubscribe
	e.set = func(ctx context.Context, t turn, want EventConfig, _ bool) error {
		id, err := e.id(ctx, t)
		if err == nil && id == "" {
			err = &Error{Class: NotFound, Action: updateEvent.action, Code: "ResourceNotExist", Message: "the channel has no subscription"}
		}
		if err != nil {
			return err
		}
		return e.replace(ctx, t.finish(), id, want)
	}
	return e
}

// find returns the subscription of a channel. That there are several is an error of
// class Several, which names them.
func (e Event) find(ctx context.Context, t turn) (EventConfig, error) {
	app, channel, _ := strings.Cut(t.key, "/")
	reply, err := call(ctx, e.client, t, listEvent, e.client.api().ListEventSubWithContext, &sdk.ListEventSubRequest{AppId: &app})
	if err != nil {
		return EventConfig{}, ignoreNotFound(err) // to the list, the application may be what is not there
	}
	var found []EventConfig
	var ids []string
	for _, s := range reply.Body.Subscribers {
		if s == nil || value(s.ChannelId) != channel && (value(s.ChannelId) != "" || channel != AllChannels) {
			continue
		}
		found = append(found, EventConfig{bounded(s.CallbackUrl, maxURL), members(s.Events), members(s.Users), bounded(s.SubId, maxID)})
		ids = append(ids, shownSubID(value(s.SubId)))
	}
	if len(found) > 1 {
		slices.Sort(ids)
		shown := strings.Join(ids[:min(len(ids), 5)], ", ")
		if len(ids) > 5 {
			shown += " and more"
		}
		return EventConfig{}, &Error{
			Class: Several, Action: listEvent.action, Code: "SeveralSubscriptions",
			Message: fmt.Sprintf("the cloud has %d subscriptions for channel %s of application %s: %s", len(ids), channel, app, shown),
		}
	}
	if len(found) == 0 {
		return EventConfig{}, nil
	}
	e.client.subscribed.Store(t.key, subscription{id: found[0].SubID})
	return found[0], nil
}

// id returns the ID of the subscription of a channel: as the list has it, or as the
// cloud gave it a moment ago; "" for none.
func (e Event) id(ctx context.Context, t turn) (string, error) {
	have, err := e.find(ctx, t)
	if s := e.known(t.key); err == nil && have.SubID == "" && e.since(s.at) < inLag {
		return s.id, nil
	}
	return have.SubID, err
}

// subscription is what a client knows of one: its ID, "" if one may have been created
// whose reply was lost, and when that was.
type subscription struct {
	id string
	at time.Time
}

// Reads may lag behind writes, and the operation has no token that would keep a repeat
// from creating a second subscription.
const (
	// inLag is for how long one that was created is known without being shown.
	inLag = time.Minute
	// inDoubt is for how long one that may have been created is looked for, before
	// another one is.
	inDoubt = 20 * time.Second
)

// known returns what the client knows of a subscription.
func (e Event) known(key string) subscription {
	s, _ := e.client.subscribed.Load(key)
	known, _ := s.(subscription)
	return known
}

func (e Event) since(t time.Time) time.Duration { return max(e.client.now().Sub(t), 0) }

// subscribe creates a subscription for a channel that has none.
func (e Event) subscribe(ctx context.Context, t turn, want EventConfig) error {
	id, err := e.id(ctx, t)
	switch s := e.known(t.key); {
	case err != nil:
		return err
	case id != "" && !s.at.IsZero(): // of our own, and not shown yet
		if err := e.replace(ctx, t.finish(), id, want); ClassOf(err) != NotFound {
			return err
		}
	case id != "":
		return &Error{Class: Exists, Action: createEvent.action, Code: "ConfigAlreadyExists", Message: "the channel has a subscription already"}
	case s.id == "" && e.since(s.at) < inDoubt:
		return &Error{
			Class: Unavailable, Action: createEvent.action, Code: codeTimeout, RetryAfter: inDoubt - e.since(s.at),
			Message: "it is not known yet whether it was created; the operator looks again before it creates another one",
		}
	}
	app, channel, _ := strings.Cut(t.key, "/")
	reply, err := call(ctx, e.client, t.finish(), createEvent, e.client.api().CreateEventSubWithContext, &sdk.CreateEventSubRequest{
		AppId: &app, ChannelId: &channel, CallbackUrl: &want.CallbackURL, Events: pointers(want.Events), Users: pointers(want.Users),
	})
	switch {
	case err == nil:
		e.client.subscribed.Store(t.key, subscription{bounded(reply.Body.SubscribeId, maxID), e.client.now()})
	case !Refused(err):
		e.client.subscribed.Store(t.key, subscription{at: e.client.now()})
	case ClassOf(err) == Rejected: // perhaps for one that the list did not show yet
		if have, _ := e.find(ctx, t.finish()); have != (EventConfig{}) {
			return withClass(err, Exists)
		}
	}
	return noApplication(err)
}

// replace writes all of a subscription.
func (e Event) replace(ctx context.Context, t turn, id string, want EventConfig) error {
	app, channel, _ := strings.Cut(t.key, "/")
	_, err := call(ctx, e.client, t, updateEvent, e.client.api().UpdateEventSubWithContext, &sdk.UpdateEventSubRequest{
		AppId: &app, SubscribeId: &id, ChannelId: &channel, CallbackUrl: &want.CallbackURL,
		Events: pointers(want.Events), Users: pointers(want.Users),
	})
	return err
}

func (e Event) unsubscribe(ctx context.Context, t turn) error {
	id, err := e.id(ctx, t)
	if err != nil || id == "" {
		return err
	}
	app, _, _ := strings.Cut(t.key, "/")
	_, err = call(ctx, e.client, t.finish(), deleteEvent, e.client.api().DeleteEventSubWithContext,
		&sdk.DeleteEventSubRequest{AppId: &app, SubscribeId: &id})
	if err == nil || ClassOf(err) == NotFound {
		e.client.subscribed.Delete(t.key)
	}
	return err
}

// eventPage is the most records that the cloud returns at once.
const eventPage = 100

// RecordsRate is the limit of the operation that Count calls, and how often it
// does so. Usually one page holds what is new.
func (Event) RecordsRate() (quota.Rate, float64) { return eventRecords.rate(), 1 }

// Count counts the events that were sent since the counts before, and returns the
// counts of the whole window that ends now. With very many of them, or an error,
// the counts are Unfinished.
func (e Event) Count(ctx context.Context, key string, q Query, before Counts) (Counts, error) {
	t := newTurn(quota.Records, key)
	app, _, _ := strings.Cut(key, "/")
	id := e.known(key).id
	if id == "" {
		have, err := e.find(ctx, t)
		if err != nil {
			return before, err
		}
		id = have.SubID
	}
	return countListed(q, before, e.client.Now, func(start, end time.Time, page int) ([]delivery, bool, error) {
		if id == "" { // nothing was sent for want of a subscription
			return nil, false, nil
		}
		from, to := byTheMinute(start, end, e.client.Now())
		reply, err := call(ctx, e.client, t, eventRecords, e.client.api().ListEventSubEventWithContext, &sdk.ListEventSubEventRequest{
			AppId: &app, SubscribeId: &id, StartTime: new(from.Unix()), EndTime: new(to.Unix()),
			PageSize: new(int64(eventPage)), PageNo: new(int64(page)),
		})
		if ClassOf(err) == NotFound { // another one took its place, or none
			e.client.subscribed.Delete(key)
		}
		if err != nil {
			return nil, false, err
		}
		return listed(eventRecords, reply.Body.HasMore, reply.Body.Logs, func(r *sdk.ListEventSubEventResponseBodyLogs) delivery {
			return newDelivery("event", r.MessageId, inChina(value(r.Time)), r.Url, int64(dara.Int32Value(r.Code)))
		})
	})
}
