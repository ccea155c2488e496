// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"net/http"
	"regexp"
)

// streamOperations are the operations on the callbacks of an ingest domain.
var streamOperations = []operation{
	{"SetLiveStreamsNotifyUrlConfig", anyVerb, perSecond(15), []string{"DomainName"}, setStreamConfig},
	{"DescribeLiveStreamsNotifyUrlConfig", anyVerb, perMinute(1000), []string{"DomainName"}, describeStreamConfig},
	{"DeleteLiveStreamsNotifyUrlConfig", anyVerb, perSecond(15), []string{"DomainName"}, deleteStreamConfig},
	{
		"DescribeLiveStreamsNotifyRecords", anyVerb, perSecond(100),
		[]string{"DomainName", "StartTime", "EndTime"}, describeStreamRecords,
	},
}

var (
	errNotPushDomain = serviceError(http.StatusBadRequest, "CodeNotPushDomain",
		"The domain name is not a push domain name.")
	errNoPlaybackDomain = serviceError(http.StatusBadRequest, "CodeGetMainPlaybackDomainError",
		"Failed to obtain the main playback domain name.")
)

// maxStreamKey is the longest authentication key of a stream configuration.
const maxStreamKey = 64

func setStreamConfig(s *Server, r *request) (fields, error) {
	name, err := s.domainOf(r, IngestDomain, errNotPushDomain)
	if err != nil {
		return nil, err
	}
	if _, mapped := s.registry.streamingOf(name); s.opts.RequireMapping && !mapped {
		return nil, errNoPlaybackDomain
	}
	return nil, s.streamConfigs.update(name, r.now, func(old *StreamConfig) (*StreamConfig, error) {
		if old != nil && r.switches.StreamSetExists {
			return nil, errConfigExists
		}
		var c StreamConfig
		if old != nil && r.switches.StreamSetMerges {
			c = *old
		}
		return &c, c.apply(r)
	})
}

// apply takes over the parameters of a Set. All of them may be absent: a configuration without a URL is undocumented,
// and accepted.
func (c *StreamConfig) apply(r *request) error {
	merge := merging{r.switches.StreamSetMerges, r.switches.StreamSetKeepsEmpty}
	r.params.replaceIn(&c.NotifyURL, "NotifyUrl", merge)
	r.params.replaceIn(&c.ExceptionNotifyURL, "ExceptionNotifyUrl", merge)
	r.params.replaceIn(&c.SwitchNotifyURL, "SwitchNotifyUrl", merge)
	for _, url := range []string{c.NotifyURL, c.ExceptionNotifyURL, c.SwitchNotifyURL} {
		if url != "" && !webURL(url) {
			return errInvalidParam
		}
	}
	return applyAuth(r, &c.Auth, &c.AuthKey, yesNo, maxStreamKey, merge)
}

// applyAuth takes over NotifyReqAuth and NotifyAuthKey. Without authentication no key is kept.
func applyAuth(
	r *request, auth *bool, key *string, read func(string) (on, ok bool), longest int, merge merging,
) error {
	if !merge.keeps(r.params, "NotifyReqAuth") {
		on, ok := read(r.params["NotifyReqAuth"])
		if !ok {
			return errInvalidParam
		}
		*auth = on
	}
	r.params.replaceIn(key, "NotifyAuthKey", merge)
	if !*auth {
		*key = ""
		return nil
	}
	if !validKey(*key, longest, r.switches) {
		return errInvalidParam
	}
	return nil
}

// notPush is what Describe and Delete of a configuration answer for a domain that is no ingest domain.
func notPush(sw Switches) apiError {
	if sw.StreamNotPushDomain {
		return errNotPushDomain
	}
	return errIllegalOperation
}

func describeStreamConfig(s *Server, r *request) (fields, error) {
	name, err := s.domainOf(r, IngestDomain, notPush(r.switches))
	if err != nil {
		return nil, err
	}
	c, ok := show(&s.streamConfigs, r, name)
	if !ok {
		switch r.switches.StreamDescribeAbsent {
		case AbsentMissing:
			return nil, nil
		case AbsentNotFound:
			return nil, errConfigNotFound
		}
		return fields{"LiveStreamsNotifyConfig": fields{}}, nil
	}
	reqAuth := "no"
	if c.Auth {
		reqAuth = "yes"
	}
	return fields{"LiveStreamsNotifyConfig": fields{ // SwitchNotifyUrl can only be written
		"DomainName":         name,
		"NotifyUrl":          c.NotifyURL,
		"ExceptionNotifyUrl": c.ExceptionNotifyURL,
		"NotifyReqAuth":      reqAuth,
		"NotifyAuthKey":      jsonKey(c.AuthKey, r.switches),
	}}, nil
}

var jsonNumber = regexp.MustCompile(`^[1-9][0-9]*$`)

// jsonKey is the form that a key has in JSON.
func jsonKey(key string, sw Switches) any {
	if sw.StreamKeyAsNumber && jsonNumber.MatchString(key) {
		return json.Number(key)
	}
	return key
}

func deleteStreamConfig(s *Server, r *request) (fields, error) {
	name, err := s.domainOf(r, IngestDomain, notPush(r.switches))
	if err != nil {
		return nil, err
	}
	return nil, s.streamConfigs.update(name, r.now, func(old *StreamConfig) (*StreamConfig, error) {
		if old == nil && r.switches.StreamDeleteAbsentNotFound {
			return nil, errConfigNotFound
		}
		return nil, nil
	})
}

func describeStreamRecords(s *Server, r *request) (fields, error) {
	name, err := s.domainOf(r, IngestDomain, errIllegalOperation)
	if err != nil {
		return nil, err
	}
	page, err := s.domainRecords(&s.streamRecords, r, name, "")
	if err != nil {
		return nil, err
	}
	list := make([]fields, 0, len(page.items))
	for _, c := range page.items {
		list = append(list, c.fields())
	}
	reply := page.fields()
	reply["NotifyRecordsInfo"] = fields{"LiveStreamNotifyRecordsInfo": list}
	return reply, nil
}
