// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"strconv"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

// RecordConfig is the recording callback configuration of a main streaming domain.
// The zero value means that there is none.
type RecordConfig struct {
	NotifyURL        string
	OnDemandURL      string
	NeedStatusNotify bool
	Authentication   bool
	AuthKey          Key
}

// MaxRecordKey is the most characters of an authentication key.
const MaxRecordKey = 32

// Fields returns the configuration as the resource spells it.
func (c RecordConfig) Fields() []Field {
	return []Field{
		{Name: "notifyURL", Value: c.NotifyURL},
		{Name: "onDemandURL", Value: c.OnDemandURL},
		{Name: "needStatusNotify", Value: strconv.FormatBool(c.NeedStatusNotify)},
		authentication(c.Authentication, c.AuthKey),
	}
}

// Record is the family of recording callbacks, by main streaming domain.
type Record struct{ Family[RecordConfig] }

// NewRecord returns the family in the cloud of a client.
func NewRecord(c *Client) Record {
	f := Family[RecordConfig]{client: c, name: "record", reads: describeRecord, creates: addRecord, updates: updateRecord}
	f.get = func(ctx context.Context, t turn) (RecordConfig, error) {
		reply, err := call[sdk.DescribeLiveRecordNotifyConfigResponseBody](ctx, c, t, describeRecord,
			&sdk.DescribeLiveRecordNotifyConfigRequest{DomainName: &t.key})
		if err != nil || reply.LiveRecordNotifyConfig == nil {
			return RecordConfig{}, err
		}
		have := reply.LiveRecordNotifyConfig
		config := RecordConfig{
			NotifyURL: bounded(have.NotifyUrl, maxURL), OnDemandURL: bounded(have.OnDemandUrl, maxURL),
			NeedStatusNotify: have.NeedStatusNotify != nil && *have.NeedStatusNotify,
		}
		if have.NotifyReqAuth != nil && *have.NotifyReqAuth {
			config.Authentication, config.AuthKey = true, Key(bounded(have.NotifyAuthKey, maxID))
		}
		return config, elsewhere(describeRecord, t, have.DomainName)
	}
	f.write = func(ctx context.Context, t turn, create bool, want RecordConfig, leaveOut bool) error {
		request := &sdk.AddLiveRecordNotifyConfigRequest{
			DomainName: &t.key, NotifyUrl: &want.NotifyURL, OnDemandUrl: parameter(want.OnDemandURL, leaveOut),
			NeedStatusNotify: &want.NeedStatusNotify, NotifyReqAuth: &want.Authentication, NotifyAuthKey: optional(string(want.AuthKey)),
		}
		if create {
			return do(ctx, c, t, addRecord, request)
		}
		return do(ctx, c, t, updateRecord, (*sdk.UpdateLiveRecordNotifyConfigRequest)(request))
	}
	f.drop = func(ctx context.Context, t turn) error {
		return do(ctx, c, t, deleteRecord, &sdk.DeleteLiveRecordNotifyConfigRequest{DomainName: &t.key})
	}
	return Record{f}
}

// RecordsRate is the limit of the operation that Count calls, and how often it
// does so.
func (Record) RecordsRate() (quota.Rate, float64) { return recordRecords.rate(), requestsOfCount }

// Count counts the callbacks of a domain in the window that ends now, with two or
// three requests, whatever the traffic. Recordings in OSS and in VOD both count.
func (r Record) Count(ctx context.Context, domain string, q Query, before Counts) (Counts, error) {
	start, end := q.span(r.client.Now())
	t := newTurn(quota.Records, domain)
	return count(recordRecords, q, before, end, func(status string, size, number int32) (page, error) {
		storage := "all"
		reply, err := call[sdk.DescribeLiveRecordNotifyRecordsResponseBody](ctx, r.client, t, recordRecords,
			&sdk.DescribeLiveRecordNotifyRecordsRequest{
				DomainName: &domain, StartTime: formatTime(start), EndTime: formatTime(end),
				AppName: optional(q.AppName), StreamName: optional(q.StreamName),
				Status: optional(status), StorageType: &storage, PageSize: new(int64(size)), PageNumber: new(int64(number)),
			})
		if err != nil {
			return page{}, err
		}
		p := page{total: reply.TotalNum, size: len(reply.CallbackList)}
		for _, c := range reply.CallbackList {
			if c != nil { // null counts, and says nothing
				p.add(c.NotifyTime, c.NotifyType, c.NotifyUrl, c.AppName, c.StreamName, c.Description)
			}
		}
		return p, nil
	})
}
