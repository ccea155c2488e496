// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"cmp"
	"context"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
)

// StreamConfig is the stream-ingest callback configuration of an ingest domain.
// The zero value means that there is none.
type StreamConfig struct {
	NotifyURL          string
	ExceptionNotifyURL string
	SwitchNotifyURL    string // write-only: Get leaves it empty
	Authentication     bool
	AuthKey            Key
}

// MaxStreamKey is the most characters of an authentication key.
const MaxStreamKey = 64

// Fields returns the configuration as the resource spells it.
func (c StreamConfig) Fields() []Field {
	return []Field{
		{Name: "notifyURL", Value: c.NotifyURL},
		{Name: "exceptionNotifyURL", Value: c.ExceptionNotifyURL},
		{Name: "switchNotifyURL", Value: c.SwitchNotifyURL, WriteOnly: true},
		authentication(c.Authentication, c.AuthKey),
	}
}

// Stream is the family of stream-ingest callbacks, by ingest domain. Get leaves
// SwitchNotifyURL empty; in what Put is told that the cloud holds, it is what was last
// written, "" if that is not known.
type Stream struct{ withTotals[StreamConfig] }

// NewStream returns the family in the cloud of a client.
func NewStream(c *Client) Stream {
	f := Family[StreamConfig]{client: c, reads: describeStream, creates: setStream, updates: setStream}
	f.get = func(ctx context.Context, t turn) (StreamConfig, error) {
		reply, err := call[sdk.DescribeLiveStreamsNotifyUrlConfigResponseBody](ctx, c, t, describeStream,
			&sdk.DescribeLiveStreamsNotifyUrlConfigRequest{DomainName: &t.key})
		if err != nil || reply.LiveStreamsNotifyConfig == nil {
			return StreamConfig{}, cmp.Or(err, errMissing)
		}
		have := reply.LiveStreamsNotifyConfig
		config := StreamConfig{NotifyURL: bounded(have.NotifyUrl, maxURL), ExceptionNotifyURL: bounded(have.ExceptionNotifyUrl, maxURL)}
		if isOn(have.NotifyReqAuth) {
			config.Authentication, config.AuthKey = true, Key(bounded(have.NotifyAuthKey, maxID))
		}
		return config, elsewhere(describeStream, t, have.DomainName)
	}
	f.write = func(ctx context.Context, t turn, _ bool, want StreamConfig, leaveOut bool) error {
		return do(ctx, c, t, setStream, &sdk.SetLiveStreamsNotifyUrlConfigRequest{
			DomainName:         &t.key,
			NotifyUrl:          parameter(want.NotifyURL, leaveOut),
			ExceptionNotifyUrl: parameter(want.ExceptionNotifyURL, leaveOut),
			SwitchNotifyUrl:    parameter(want.SwitchNotifyURL, leaveOut),
			NotifyReqAuth:      yesNo(want.Authentication),
			NotifyAuthKey:      optional(string(want.AuthKey)),
		})
	}
	f.drop = func(ctx context.Context, t turn) error {
		return do(ctx, c, t, deleteStream, &sdk.DeleteLiveStreamsNotifyUrlConfigRequest{DomainName: &t.key})
	}
	return Stream{withTotals[StreamConfig]{f, streamRecords, listStream}}
}

// listStream reads a page of the records of an ingest domain.
func listStream(ctx context.Context, c *Client, t turn, q Span, size, number int32) (*int32, []record, error) {
	reply, err := call[sdk.DescribeLiveStreamsNotifyRecordsResponseBody](ctx, c, t, streamRecords,
		&sdk.DescribeLiveStreamsNotifyRecordsRequest{
			DomainName: &t.key, StartTime: formatTime(q.From), EndTime: formatTime(q.To),
			AppName: optional(q.AppName), StreamName: optional(q.StreamName), Status: q.status(),
			PageSize: &size, PageNumber: &number,
		})
	if err != nil {
		return nil, nil, err
	}
	if reply.NotifyRecordsInfo == nil {
		return reply.TotalNum, nil, nil
	}
	records, err := rows(streamRecords, reply.NotifyRecordsInfo.LiveStreamNotifyRecordsInfo, func(r *sdk.DescribeLiveStreamsNotifyRecordsResponseBodyNotifyRecordsInfoLiveStreamNotifyRecordsInfo) record {
		return record{
			r.NotifyTime, r.NotifyType, r.NotifyUrl, r.AppName, r.StreamName, r.Description,
			r.NotifyResult, r.NotifyContent, r.NotifyResponse, r.NotifyHeader,
		}
	})
	return reply.TotalNum, records, err
}
