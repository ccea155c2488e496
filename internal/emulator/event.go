// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// eventOperations are the operations on the channel and user event subscriptions of an RTC application.
var eventOperations = []operation{
	{"CreateEventSub", postOnly, perSecond(100), []string{"AppId", "CallbackUrl"}, createEventSub},
	{"UpdateEventSub", postOnly, perSecond(50), []string{"AppId", "SubscribeId", "CallbackUrl"}, updateEventSub},
	{"DeleteEventSub", postOnly, perSecond(100), []string{"AppId", "SubscribeId"}, deleteEventSub},
	{"ListEventSub", getOnly, perSecond(50), []string{"AppId"}, listEventSubs},
	{
		"ListEventSubEvent", getOnly, perSecond(50),
		[]string{"AppId", "StartTime", "EndTime", "PageNo", "PageSize"}, listEventRecords,
	},
}

const (
	maxEventSubs     = 20
	maxEventPageSize = 100
	allChannels      = "*"
	// eventTimeFormat is in UTC+8, without a mark of that; records have milliseconds behind it.
	eventTimeFormat = "2006-01-02 15:04:05"
)

var (
	eventChannel = regexp.MustCompile(`^([*]|[A-Za-z0-9_-]{1,64})$`)
	eventKinds   = []string{"ChannelEvent", "UserEvent"}
	china        = time.FixedZone("", 8*60*60)
)

func errInput(what string) apiError {
	return serviceError(http.StatusBadRequest, "InputInvalid", what+" is invalid.")
}

// errNoEventSub answers for a subscription that is not there. That it does for an application, too, is undocumented.
var errNoEventSub = serviceError(http.StatusNotFound, "ResourceNotExist", "The resource does not exist.")

// EventSub is a subscription that CreateEventSub creates for an RTC application.
type EventSub struct {
	SubID       string    `json:"subID,omitempty"`
	ChannelID   string    `json:"channelID"` // * for all
	Events      []string  `json:"events"`
	Users       []string  `json:"users,omitempty"` // of the channel; empty means all
	CallbackURL string    `json:"callbackURL"`
	CreateTime  time.Time `json:"createTime,omitzero"`
	ModifyTime  time.Time `json:"modifyTime,omitzero"`
}

// EventSubs returns the subscriptions that an application has right now, whatever List shows.
func (s *Server) EventSubs(appID string) []EventSub {
	subs, _ := s.eventSubs.current(appID)
	return slices.Clone(subs)
}

// SetEventSubs replaces the subscriptions of an application behind the back of the API. Empty SubIDs and times are
// filled in. Like any other write, it is subject to Switches.ReadDelay.
func (s *Server) SetEventSubs(appID string, subs []EventSub) {
	subs = slices.Clone(subs)
	for i := range subs {
		setIfEmpty(&subs[i].SubID, newSubID())
		setIfEmpty(&subs[i].ChannelID, allChannels)
		if subs[i].CreateTime.IsZero() {
			subs[i].CreateTime, subs[i].ModifyTime = s.now(), s.now()
		}
	}
	s.eventSubs.put(appID, s.now(), &subs)
}

// rtcApp returns the RTC application that the request is about, if it belongs to the caller.
func (s *Server) rtcApp(r *request) (string, error) {
	appID := r.params["AppId"]
	account, ok := s.registry.app(appID)
	switch {
	case !mpuName.MatchString(appID):
		return "", errInput("AppId")
	case !ok || account != r.account:
		return "", errNoEventSub
	}
	return appID, nil
}

// apply takes over the parameters of a Create or Update, which replaces all.
func (sub *EventSub) apply(r *request) error {
	sub.CallbackURL, sub.ChannelID = r.params["CallbackUrl"], r.params["ChannelId"]
	sub.Events, sub.Users, sub.ModifyTime = r.params.list("Events"), r.params.list("Users"), r.now
	setIfEmpty(&sub.ChannelID, allChannels)
	switch {
	case !webURL(sub.CallbackURL):
		return errInput("CallbackUrl")
	case !eventChannel.MatchString(sub.ChannelID):
		return errInput("ChannelId")
	case len(sub.Users) > 0 && sub.ChannelID == allChannels:
		return errInput("Users")
	case len(sub.Events) == 0 || slices.ContainsFunc(sub.Events, func(e string) bool { return !slices.Contains(eventKinds, e) }):
		return errInput("Events")
	}
	return nil
}

// list returns the members of a list: Name.1, Name.2 and so on, or a JSON array as in older samples.
func (p params) list(name string) []string {
	var members []string
	if json.Unmarshal([]byte(p[name]), &members) == nil {
		return members
	}
	for i := 1; p.has(name + "." + strconv.Itoa(i)); i++ {
		members = append(members, p[name+"."+strconv.Itoa(i)])
	}
	return members
}

// createEventSub creates a second subscription for the same channel, as the cloud presumably does: it has no token that
// would tell a repeat. Only for all channels there can be one.
func createEventSub(s *Server, r *request) (fields, error) {
	appID, err := s.rtcApp(r)
	if err != nil {
		return nil, err
	}
	sub := EventSub{SubID: newSubID(), CreateTime: r.now}
	if err := sub.apply(r); err != nil {
		return nil, err
	}
	err = s.changeEventSubs(appID, r, func(subs []EventSub) ([]EventSub, error) {
		all := func(other EventSub) bool { return other.ChannelID == allChannels }
		if len(subs) >= maxEventSubs || sub.ChannelID == allChannels && slices.ContainsFunc(subs, all) {
			return nil, errInput("The number of subscriptions") // undocumented
		}
		return append(subs, sub), nil
	})
	return fields{"SubscribeId": sub.SubID}, err
}

func updateEventSub(s *Server, r *request) (fields, error) {
	appID, err := s.rtcApp(r)
	if err != nil {
		return nil, err
	}
	return nil, s.changeEventSubs(appID, r, func(subs []EventSub) ([]EventSub, error) {
		i := slices.IndexFunc(subs, func(sub EventSub) bool { return sub.SubID == r.params["SubscribeId"] })
		if i < 0 {
			return nil, errNoEventSub
		}
		return subs, subs[i].apply(r)
	})
}

func deleteEventSub(s *Server, r *request) (fields, error) {
	appID, err := s.rtcApp(r)
	if err != nil {
		return nil, err
	}
	return nil, s.changeEventSubs(appID, r, func(subs []EventSub) ([]EventSub, error) {
		left := slices.DeleteFunc(subs, func(sub EventSub) bool { return sub.SubID == r.params["SubscribeId"] })
		if len(left) == len(subs) {
			return nil, errNoEventSub
		}
		return left, nil
	})
}

// changeEventSubs lets a change work on a copy of the subscriptions of an application.
func (s *Server) changeEventSubs(appID string, r *request, change func([]EventSub) ([]EventSub, error)) error {
	return s.eventSubs.update(appID, r.now, func(old *[]EventSub) (*[]EventSub, error) {
		var subs []EventSub
		if old != nil {
			subs = slices.Clone(*old)
		}
		subs, err := change(subs)
		if err != nil {
			return nil, err
		}
		return &subs, nil
	})
}

func listEventSubs(s *Server, r *request) (fields, error) {
	appID, err := s.rtcApp(r)
	if err != nil {
		return nil, err
	}
	subs, _ := show(&s.eventSubs, r, appID)
	if len(subs) == 0 && r.switches.EventListNotFound {
		return nil, errNoEventSub
	}
	list := make([]fields, 0, len(subs))
	for _, sub := range subs {
		list = append(list, fields{
			"SubId": sub.SubID, "ChannelId": sub.ChannelID, "Events": sub.Events, "Users": append([]string{}, sub.Users...),
			"CallbackUrl": sub.CallbackURL, "Roles": 0,
			"CreateTime": sub.CreateTime.In(china).Format(eventTimeFormat), "ModifyTime": sub.ModifyTime.In(china).Format(eventTimeFormat),
		})
	}
	return fields{"Subscribers": list}, nil
}

func listEventRecords(s *Server, r *request) (fields, error) {
	appID, err := s.rtcApp(r)
	if err != nil {
		return nil, err
	}
	start, startErr := strconv.ParseInt(r.params["StartTime"], 10, 64)
	end, endErr := strconv.ParseInt(r.params["EndTime"], 10, 64)
	from, to := time.Unix(start, 0), time.Unix(end, 0)
	if startErr != nil || endErr != nil || !to.After(from) || r.now.Sub(from) > retention {
		return nil, errInput("StartTime or EndTime")
	}
	if r.switches.EventTimesByMinute {
		from, to = from.Truncate(time.Minute), to.Truncate(time.Minute)
	}
	size, sizeOK := r.params.pageSize(0, maxEventPageSize, r.switches)
	number, numberOK := r.params.number("PageNo", 0, math.MaxInt32)
	if !sizeOK || !numberOK {
		return nil, errInput("PageSize or PageNo")
	}
	q := query[EventRecord]{from: from, to: to, now: r.now, size: size, number: number}
	if subID := r.params["SubscribeId"]; subID != "" {
		q.match = func(e *EventRecord) bool { return e.SubID == subID }
	}
	items, total := s.eventRecords.page(appID, q)
	logs := make([]fields, 0, len(items))
	for _, e := range items {
		logs = append(logs, fields{
			"AppId": e.AppID, "SubId": e.SubID, "MessageId": e.MsgID, "Data": e.Data, "Url": e.URL, "Code": e.Code,
			"Time": e.Time.In(china).Format(eventTimeFormat + ".000"), "Cost": e.Cost.Milliseconds(),
		})
	}
	return fields{"Count": len(logs), "HasMore": total > size*number, "Logs": logs}, nil
}

// EventRecord is the cloud's record of one delivery of a channel or user event.
type EventRecord struct {
	Time  time.Time     `json:"time,omitzero"`
	AppID string        `json:"appID"`
	SubID string        `json:"subID,omitempty"`
	MsgID string        `json:"msgID,omitempty"`
	Data  string        `json:"data,omitempty"` // JSON
	URL   string        `json:"url,omitempty"`
	Code  int           `json:"code,omitempty"` // the HTTP status; NoAnswer for none
	Cost  time.Duration `json:"cost,omitempty"` // in JSON: nanoseconds
}

func (e EventRecord) key() string     { return e.AppID }
func (e EventRecord) when() time.Time { return e.Time }

// completedEvents fills in what planted records leave out: as AddRecords says, with the first subscription.
func (s *Server) completedEvents(list []EventRecord, now time.Time) []EventRecord {
	list = slices.Clone(list)
	for i := range list {
		e := &list[i]
		if e.Time.IsZero() {
			e.Time = now
		}
		if e.Code == 0 {
			e.Code = http.StatusOK
		}
		setIfEmpty(&e.MsgID, newUUID())
		if subs, _ := s.eventSubs.current(e.AppID); len(subs) > 0 {
			setIfEmpty(&e.SubID, subs[0].SubID)
			setIfEmpty(&e.URL, subs[0].CallbackURL)
		}
	}
	return list
}

// userTags are the events of users. Open and Close are those of channels.
var userTags = []string{"Join", "Leave", "Publish", "Unpublish", "Roleupdate"}

// EmitEvent sends an event of a channel, or of a user in it, to the subscriptions of an RTC application that are for it.
// Tag is Open or Close of a channel; Join, Leave, Publish, Unpublish or Roleupdate of a user.
func (s *Server) EmitEvent(appID, channelID, userID, tag string) error {
	if _, ok := s.registry.app(appID); !ok {
		return fmt.Errorf("application %q is not known", appID)
	}
	kind := "UserEvent"
	switch {
	case tag == "Open" || tag == "Close":
		kind = "ChannelEvent"
	case !slices.Contains(userTags, tag):
		return fmt.Errorf("tag %q: want Open, Close or one of %s", tag, strings.Join(userTags, ", "))
	}
	now := s.now().Unix()
	what := map[string]any{"EventTag": tag, "Timestamp": now}
	if kind == "UserEvent" {
		what["UserId"], what["SessionId"], what["Reason"] = userID, newUUID(), 1
		what["Role"], what["TerminalType"], what["UserType"] = 1, 1, 1
	}
	for _, sub := range s.EventSubs(appID) {
		if sub.ChannelID != allChannels && sub.ChannelID != channelID || !slices.Contains(sub.Events, kind) ||
			kind == "UserEvent" && len(sub.Users) > 0 && !slices.Contains(sub.Users, userID) {
			continue
		}
		s.sendEvent(appID, channelID, sub, map[string]any{"Event": kind, kind: what})
	}
	return nil
}

func (s *Server) sendEvent(appID, channelID string, sub EventSub, what map[string]any) {
	msgID := newUUID()
	content := jsonText(map[string]any{
		"MsgId": msgID, "MsgTimestamp": s.now().Unix(), "SubscribeID": sub.SubID, "AppId": appID, "ChannelID": channelID,
		"Contents": []any{what},
	})
	s.sender.send(delivery{
		method: http.MethodPost,
		url:    sub.CallbackURL,
		header: mpuHeader,
		body:   []byte(content),
		done: func(out outcome) {
			record := EventRecord{
				Time: out.time, AppID: appID, SubID: sub.SubID, MsgID: msgID, Data: content, URL: sub.CallbackURL,
				Code: out.status, Cost: out.cost,
			}
			if out.status == 0 {
				record.Code = NoAnswer
			}
			s.log.Info("callback", "type", "event", "app", appID, "result", out.result(), "description", out.description)
			s.eventRecords.add(s.now(), []EventRecord{record})
		},
	})
}
