// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// messageOperations are the operations on an interactive-messaging application. Their errors are not in our sources.
var messageOperations = []operation{
	{"ModifyLiveMessageAppCallback", postOnly, perSecond(50), []string{"AppId"}, modifyMessageCallback},
	{"DescribeLiveMessageApp", postOnly, perSecond(50), []string{"AppId"}, describeMessageApp},
}

// errNoMessageApp is of the list of codes that all operations may answer.
var errNoMessageApp = serviceError(http.StatusNotFound, "AppInfoNotExist", "The application does not exist.")

// dataCenters are where messaging applications live; the first is the default.
var dataCenters = []string{"cn-shanghai", "ap-southeast-1"}

// MessageApp is an interactive-messaging application.
type MessageApp struct {
	DataCenter       string `json:"dataCenter"`
	AppID            string `json:"appID"`
	Account          string `json:"account,omitempty"`
	AppKey           string `json:"appKey,omitempty"` // which the cloud shows in clear
	EventCallbackURL string `json:"eventCallbackURL,omitempty"`
}

func (a MessageApp) key() string { return a.DataCenter + "/" + a.AppID }

// AddMessageApp makes an interactive-messaging application known. Where empty, DataCenter becomes cn-shanghai, Account
// default, and AppKey a new one.
func (s *Server) AddMessageApp(a MessageApp) error {
	setIfEmpty(&a.DataCenter, dataCenters[0])
	setIfEmpty(&a.AppKey, newUUID())
	a.Account = orDefault(a.Account)
	if !slices.Contains(dataCenters, a.DataCenter) || !mpuName.MatchString(a.AppID) {
		return fmt.Errorf("application %q of data center %q: want up to 64 letters, digits, _ or - and one of %v", a.AppID, a.DataCenter, dataCenters)
	}
	s.knowAccount(a.Account)
	s.messageApps.put(a.key(), s.now(), &a)
	return nil
}

// MessageApp returns an application as it is right now, whatever Describe shows.
func (s *Server) MessageApp(dataCenter, appID string) (MessageApp, bool) {
	return s.messageApps.current(dataCenter + "/" + appID)
}

// MessageApps returns all applications, sorted by data center and id.
func (s *Server) MessageApps() []MessageApp {
	all := s.messageApps.all()
	list := make([]MessageApp, 0, len(all))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[key])
	}
	return list
}

// SetMessageCallback changes the event callback of an application behind the back of the API; empty clears it.
func (s *Server) SetMessageCallback(dataCenter, appID, url string) error {
	return s.messageApps.update(dataCenter+"/"+appID, s.now(), func(old *MessageApp) (*MessageApp, error) {
		if old == nil {
			return nil, fmt.Errorf("application %q of data center %q is not known", appID, dataCenter)
		}
		a := *old
		a.EventCallbackURL = url
		return &a, nil
	})
}

// messageKey returns the key of the application that a request is about.
func messageKey(r *request) string {
	center := r.params["DataCenter"]
	setIfEmpty(&center, dataCenters[0])
	return MessageApp{DataCenter: center, AppID: r.params["AppId"]}.key()
}

func modifyMessageCallback(s *Server, r *request) (fields, error) {
	var changed MessageApp
	err := s.messageApps.update(messageKey(r), r.now, func(old *MessageApp) (*MessageApp, error) {
		if old == nil || old.Account != r.account {
			return nil, errNoMessageApp
		}
		a := *old
		r.params.replaceIn(&a.EventCallbackURL, "EventCallbackUrl", merging{keepAbsent: r.switches.MessageOmittedKept})
		if url := a.EventCallbackURL; url != "" && (!webURL(url) || hasPort(url)) {
			return nil, errInvalidParam
		}
		changed = a
		return &a, nil
	})
	if err != nil {
		return nil, err
	}
	reply := fields{"AppId": changed.AppID, "AppSign": "sign-" + changed.AppID, "EventCallbackNeedAuthentication": true}
	if changed.EventCallbackURL != "" {
		reply["EventCallbackUrl"] = changed.EventCallbackURL
	}
	return reply, nil
}

func describeMessageApp(s *Server, r *request) (fields, error) {
	a, ok := show(&s.messageApps, r, messageKey(r))
	if now, known := s.messageApps.current(messageKey(r)); !ok && known {
		a, ok = now, true // an application that was added a moment ago
	}
	if !ok || a.Account != r.account {
		return nil, errNoMessageApp
	}
	return fields{
		"AppId": a.AppID, "AppName": a.AppID, "AppKey": a.AppKey, "AppSign": "sign-" + a.AppID, "AuditType": 0,
		"EventCallbackUrl": a.EventCallbackURL, "DataCenter": a.DataCenter, "Disable": false, "MsgLifeCycle": 0,
		"CreateTime": r.now.Unix(), "ModifyTime": r.now.Unix(),
	}, nil
}

// Events of the users of an application.
const (
	MessageLogon  = 1
	MessageLogoff = 2
	MessageJoin   = 3
	MessageLeave  = 4
)

// EmitMessageEvent sends an event of a user to the event callback of an application. The signature, which is made with
// the AppKey by a formula that is not documented, is left out.
func (s *Server) EmitMessageEvent(dataCenter, appID, userID string, event int) error {
	a, ok := s.MessageApp(dataCenter, appID)
	if !ok {
		return fmt.Errorf("application %q of data center %q is not known", appID, dataCenter)
	}
	if a.EventCallbackURL == "" {
		return nil
	}
	what := map[string]any{"e": event}
	switch event {
	case MessageLogoff:
		what["r"] = 1
	case MessageJoin, MessageLeave:
		what["g"] = "group-1"
	}
	content := jsonText(map[string]any{
		"transactionid": newUUID(), "appid": appID,
		"eves": []any{map[string]any{"uid": userID, "sid": newUUID(), "events": []any{what}}},
	})
	s.sender.send(delivery{
		method: http.MethodPost,
		url:    a.EventCallbackURL,
		header: messageHeader,
		body:   []byte(content),
		done: func(out outcome) {
			s.log.Info("callback", "type", "message", "app", appID, "event", strconv.Itoa(event), "result", out.result(), "description", out.description)
		},
	})
	return nil
}
