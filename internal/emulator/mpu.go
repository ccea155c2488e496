// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// mpuOperations are the operations on the relay event subscription of an RTC application.
var mpuOperations = []operation{
	{"CreateRtcMPUEventSub", anyVerb, perSecond(50), []string{"AppId", "CallbackUrl"}, createMPUSub},
	{"UpdateRtcMPUEventSub", anyVerb, perSecond(50), []string{"AppId"}, updateMPUSub},
	{"DescribeRtcMPUEventSub", anyVerb, perSecond(50), []string{"AppId"}, describeMPUSub},
	{"DeleteRtcMPUEventSub", anyVerb, perSecond(50), []string{"AppId"}, deleteMPUSub},
	{
		"ListRtcMPUEventSubRecord", anyVerb, perSecond(100),
		[]string{"AppId", "StartTime", "EndTime", "PageSize", "PageNo"}, listMPURecords,
	},
}

const (
	maxMPUPageSize = 100
	maxMPUPageNo   = math.MaxInt32 // undocumented: no bound but the type's
	maxChannels    = 20
	maxMPUURL      = 2083
	// createTimeFormat is the one of the documentation's sample, not of its text, which says ISO 8601.
	createTimeFormat = "2006-01-02 15:04:05Z"
)

var (
	mpuName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	// mpuURLChars adds the colon to the documented characters: no URL can do without.
	mpuURLChars = regexp.MustCompile(`^[A-Za-z0-9\-_?%=#./+:]*$`)
)

func errMPUParam(message string) apiError {
	return serviceError(http.StatusBadRequest, "InvalidParam", message)
}

// errNoMPUSub is undocumented: the family has no code of its own for a missing subscription.
var errNoMPUSub = errMPUParam("The subscription does not exist.")

// appOf returns the application that the request is about, if it belongs to the caller.
func (s *Server) appOf(r *request) (string, error) {
	appID := r.params["AppId"]
	if appID == "" {
		return "", serviceError(http.StatusNotFound, "MissingParam", "AppId is missing.")
	}
	if account, ok := s.registry.app(appID); !ok || account != r.account || !mpuName.MatchString(appID) {
		return "", serviceError(http.StatusBadRequest, "InvalidAppId", "The AppId is invalid.")
	}
	return appID, nil
}

func createMPUSub(s *Server, r *request) (fields, error) {
	appID, err := s.appOf(r)
	if err != nil {
		return nil, err
	}
	sub := MPUSub{SubID: newSubID(), CreateTime: r.now}
	if err := sub.apply(r); err != nil {
		return nil, err
	}
	err = s.mpuSubs.update(appID, r.now, func(old *MPUSub) (*MPUSub, error) {
		if old != nil {
			return nil, errMPUParam("The subscription already exists.") // undocumented
		}
		return &sub, nil
	})
	return fields{"SubId": sub.SubID}, err
}

// updateMPUSub replaces ChannelIds in any case, since without them the subscription is for all channels, and keeps an
// omitted CallbackUrl. Both are undocumented.
func updateMPUSub(s *Server, r *request) (fields, error) {
	appID, err := s.appOf(r)
	if err != nil {
		return nil, err
	}
	return nil, s.mpuSubs.update(appID, r.now, func(old *MPUSub) (*MPUSub, error) {
		if old == nil {
			return nil, errNoMPUSub
		}
		sub := *old
		return &sub, sub.apply(r)
	})
}

// apply takes over the parameters of a Create or Update.
func (sub *MPUSub) apply(r *request) error {
	r.params.replaceIn(&sub.CallbackURL, "CallbackUrl", merging{keepAbsent: true})
	if url := sub.CallbackURL; !webURL(url) || len(url) > maxMPUURL || !mpuURLChars.MatchString(url) {
		return errMPUParam("CallbackUrl is invalid.")
	}
	r.params.replaceIn(&sub.ChannelIDs, "ChannelIds", merging{})
	if !validChannels(sub.ChannelIDs) {
		return errMPUParam("ChannelIds is invalid.")
	}
	return nil
}

func validChannels(list string) bool {
	seen := make(map[string]bool)
	for _, id := range splitChannels(list) {
		if seen[id] || !mpuName.MatchString(id) {
			return false
		}
		seen[id] = true
	}
	return len(seen) <= maxChannels
}

func splitChannels(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

func describeMPUSub(s *Server, r *request) (fields, error) {
	appID, err := s.appOf(r)
	if err != nil {
		return nil, err
	}
	sub, ok := show(&s.mpuSubs, r, appID)
	if !ok {
		if r.switches.MPUDescribeAbsentInvalid {
			return nil, errNoMPUSub
		}
		return nil, nil
	}
	info := fields{
		"AppId":       appID,
		"SubId":       sub.SubID,
		"CallbackUrl": sub.CallbackURL,
		"CreateTime":  sub.CreateTime.UTC().Format(createTimeFormat),
	}
	if sub.ChannelIDs != "" {
		info["ChannelIds"] = sub.ChannelIDs
	}
	return fields{"SubInfo": info}, nil
}

func deleteMPUSub(s *Server, r *request) (fields, error) {
	appID, err := s.appOf(r)
	if err != nil {
		return nil, err
	}
	return nil, s.mpuSubs.update(appID, r.now, func(old *MPUSub) (*MPUSub, error) {
		if old == nil {
			return nil, errNoMPUSub
		}
		return nil, nil
	})
}

func listMPURecords(s *Server, r *request) (fields, error) {
	appID, err := s.appOf(r)
	if err != nil {
		return nil, err
	}
	start, end, err := mpuSpan(r)
	if err != nil {
		return nil, err
	}
	size, sizeOK := r.params.pageSize(0, maxMPUPageSize, r.switches)
	number, numberOK := r.params.number("PageNo", 0, maxMPUPageNo)
	if !sizeOK || !numberOK {
		return nil, errMPUParam("PageSize or PageNo is invalid.")
	}
	q := query[MPURecord]{from: start, to: end, now: r.now, size: size, number: number}
	if subID := r.params["SubId"]; subID != "" {
		q.match = func(m *MPURecord) bool { return m.SubID == subID }
	}
	items, total := s.mpuRecords.page(appID, q)
	logs := make([]fields, 0, len(items))
	for _, m := range items {
		logs = append(logs, m.fields())
	}
	return fields{"Count": len(logs), "HasMore": total > size*number, "Logs": logs}, nil
}

// mpuSpan reads the times of a records query. Which code answers a wrong one is undocumented.
func mpuSpan(r *request) (start, end time.Time, err error) {
	start, end, err = r.params.span(r.now)
	if err != nil {
		return start, end, errMPUParam("StartTime or EndTime is invalid.")
	}
	return start, end, nil
}

// fields is the record as ListRtcMPUEventSubRecord shows it.
func (m MPURecord) fields() fields {
	return fields{
		"AppId":       m.AppID,
		"SubId":       m.SubID,
		"MsgId":       m.MsgID,
		"Data":        m.Data,
		"Time":        m.Time.UTC().Format(timeFormat),
		"Cost":        m.Cost.Milliseconds(),
		"CallbackUrl": m.CallbackURL,
		"HTTPCode":    strconv.Itoa(m.HTTPCode),
	}
}

func newSubID() string { return "Sub-" + newUUID() }
