// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"strconv"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
	"github.com/alibabacloud-go/tea/dara"
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
type Record struct{ withTotals[RecordConfig] }

// NewRecord returns the family in the cloud of a client.
func NewRecord(c *Client) Record {
	f := Family[RecordConfig]{client: c, reads: describeRecord, creates: addRecord, updates: updateRecord}
	f.get = func(ctx context.Context, t turn) (RecordConfig, error) {
		reply, err := call[sdk.DescribeLiveRecordNotifyConfigResponseBody](ctx, c, t, describeRecord,
			&sdk.DescribeLiveRecordNotifyConfigRequest{DomainName: &t.key})
		if err != nil || reply.LiveRecordNotifyConfig == nil {
			return RecordConfig{}, err
		}
		have := reply.LiveRecordNotifyConfig
		config := RecordConfig{
			NotifyURL: bounded(have.NotifyUrl, maxURL), OnDemandURL: bounded(have.OnDemandUrl, maxURL),
			NeedStatusNotify: dara.BoolValue(have.NeedStatusNotify),
		}
		if dara.BoolValue(have.NotifyReqAuth) {
			config.Authentication, config.AuthKey = true, Key(bounded(have.NotifyAuthKey, maxID))
		}
		return config, elsewhere(describeRecord, t, have.DomainName)
	}
	f.write = func(ctx context.Context, t turn, create bool, want RecordConfig, leaveOut bool) error {
		request := &sdk.AddLiveRecordNotifyConfigRequest{
			DomainName: &t.key, NotifyUrl: &want.NotifyURL, OnDemandUrl: parameter(want.OnDemandURL, leaveOut),
			NeedStatusNotify: &want.NeedStatusNotify, NotifyReqAuth: &want.Authentication, NotifyAuthKey: optional(string(want.AuthKey)),
		}
		return do(ctx, c, t, f.writes(create), request)
	}
	f.drop = func(ctx context.Context, t turn) error {
		return do(ctx, c, t, deleteRecord, &sdk.DeleteLiveRecordNotifyConfigRequest{DomainName: &t.key})
	}
	return Record{withTotals[RecordConfig]{f, recordRecords, listRecord}}
}

// listRecord reads a page of the records of a main streaming domain: recordings in OSS
// and in VOD both count.
func listRecord(ctx context.Context, c *Client, t turn, q Span, size, number int32) (*int32, []record, error) {
	reply, err := call[sdk.DescribeLiveRecordNotifyRecordsResponseBody](ctx, c, t, recordRecords,
		&sdk.DescribeLiveRecordNotifyRecordsRequest{
			DomainName: &t.key, StartTime: formatTime(q.From), EndTime: formatTime(q.To),
			AppName: optional(q.AppName), StreamName: optional(q.StreamName), Status: q.status(),
			StorageType: new("all"), PageSize: new(int64(size)), PageNumber: new(int64(number)),
		})
	if err != nil {
		return nil, nil, err
	}
	records, err := rows(recordRecords, reply.CallbackList, func(r *sdk.DescribeLiveRecordNotifyRecordsResponseBodyCallbackList) record {
		return record{
			r.NotifyTime, r.NotifyType, r.NotifyUrl, r.AppName, r.StreamName, r.Description,
			r.NotifyResult, r.NotifyContent, r.NotifyResponse, r.NotifyHeader,
		}
	})
	return reply.TotalNum, records, err
}
