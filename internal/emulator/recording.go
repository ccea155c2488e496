// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import "net/http"

// recordingOperations are the operations on the recording callbacks of a main streaming domain.
var recordingOperations = []operation{
	{"AddLiveRecordNotifyConfig", anyVerb, perSecond(30), []string{"DomainName", "NotifyUrl"}, addRecordConfig},
	{"UpdateLiveRecordNotifyConfig", anyVerb, perSecond(30), []string{"DomainName", "NotifyUrl"}, updateRecordConfig},
	{"DescribeLiveRecordNotifyConfig", anyVerb, perSecond(50), []string{"DomainName"}, describeRecordConfig},
	{"DeleteLiveRecordNotifyConfig", anyVerb, perSecond(30), []string{"DomainName"}, deleteRecordConfig},
	{
		"DescribeLiveRecordNotifyRecords", anyVerb, perSecond(100),
		[]string{"DomainName", "StartTime", "EndTime", "PageSize", "PageNumber"}, describeRecordRecords,
	},
}

// The code *.Unsafe exists, too. Which URLs it means is undocumented, so only an injected fault answers it.
var (
	errNotifyURL = serviceError(http.StatusBadRequest, "InvalidNotifyUrl.Malformed",
		"Specified NotifyUrl is invalid.")
	errOnDemandURL = serviceError(http.StatusBadRequest, "InvalidOnDemandUrl.Malformed",
		"Specified OnDemandUrl is invalid.")
)

// maxRecordKey is the longest authentication key of a recording configuration.
const maxRecordKey = 32

func addRecordConfig(s *Server, r *request) (fields, error) {
	name, err := s.domainOf(r, StreamingDomain, errIllegalOperation)
	if err != nil {
		return nil, err
	}
	return nil, s.recordConfigs.update(name, r.now, func(old *RecordConfig) (*RecordConfig, error) {
		if old != nil {
			return nil, errConfigExists
		}
		var c RecordConfig
		return &c, c.apply(r, merging{})
	})
}

func updateRecordConfig(s *Server, r *request) (fields, error) {
	name, err := s.domainOf(r, StreamingDomain, errIllegalOperation)
	if err != nil {
		return nil, err
	}
	return nil, s.recordConfigs.update(name, r.now, func(old *RecordConfig) (*RecordConfig, error) {
		if old == nil {
			return nil, errConfigNotFound
		}
		var c RecordConfig
		if r.switches.RecordUpdateMerges {
			c = *old
		}
		return &c, c.apply(r, merging{r.switches.RecordUpdateMerges, r.switches.RecordUpdateKeepsEmpty})
	})
}

// apply takes over the parameters of an Add or Update.
func (c *RecordConfig) apply(r *request, merge merging) error {
	r.params.replaceIn(&c.NotifyURL, "NotifyUrl", merge)
	if !webURL(c.NotifyURL) {
		return errNotifyURL
	}
	r.params.replaceIn(&c.OnDemandURL, "OnDemandUrl", merge)
	if c.OnDemandURL != "" && !webURL(c.OnDemandURL) {
		return errOnDemandURL
	}
	if !merge.keeps(r.params, "NeedStatusNotify") {
		on, ok := trueFalse(r.params["NeedStatusNotify"])
		if !ok {
			return errInvalidParam
		}
		c.NeedStatusNotify = on
	}
	return applyAuth(r, &c.Auth, &c.AuthKey, eitherSpelling, maxRecordKey, merge)
}

func describeRecordConfig(s *Server, r *request) (fields, error) {
	name, err := s.domainOf(r, StreamingDomain, errIllegalOperation)
	if err != nil {
		return nil, err
	}
	c, ok := show(&s.recordConfigs, r, name)
	if !ok {
		return nil, errConfigNotFound
	}
	return fields{"LiveRecordNotifyConfig": fields{
		"DomainName":       name,
		"NotifyUrl":        c.NotifyURL,
		"OnDemandUrl":      c.OnDemandURL,
		"NeedStatusNotify": c.NeedStatusNotify,
		"NotifyReqAuth":    c.Auth,
		"NotifyAuthKey":    c.AuthKey,
	}}, nil
}

func deleteRecordConfig(s *Server, r *request) (fields, error) {
	name, err := s.domainOf(r, StreamingDomain, errIllegalOperation)
	if err != nil {
		return nil, err
	}
	return nil, s.recordConfigs.update(name, r.now, func(old *RecordConfig) (*RecordConfig, error) {
		if old == nil {
			return nil, errConfigNotFound
		}
		return nil, nil
	})
}

func describeRecordRecords(s *Server, r *request) (fields, error) {
	name, err := s.domainOf(r, StreamingDomain, errIllegalOperation)
	if err != nil {
		return nil, err
	}
	storage := r.params["StorageType"]
	switch storage {
	case "":
		storage = storageOSS // undocumented default: the operation knew nothing else before
	case storageOSS, storageVOD, storageAll:
	default:
		return nil, errInvalidParam
	}
	page, err := s.domainRecords(&s.recordRecords, r, name, storage)
	if err != nil {
		return nil, err
	}
	list := make([]fields, 0, len(page.items))
	for _, c := range page.items {
		entry := c.fields()
		entry["StorageType"] = c.Storage
		list = append(list, entry)
	}
	reply := page.fields()
	reply["Code"], reply["Msg"], reply["CallbackList"] = 0, "ok", list
	return reply, nil
}
