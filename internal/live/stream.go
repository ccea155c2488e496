// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"

	"github.com/live-notify/live-notify-operator/internal/quota"
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

// Stream is the family of stream-ingest callbacks, by ingest domain.
type Stream struct{ Client *Client }

// Get returns the configuration of a domain, without SwitchNotifyURL. Absence has
// many spellings in the cloud; here it is the zero value. An error says nothing of
// what the cloud holds.
func (s Stream) Get(ctx context.Context, lane quota.Lane, domain string) (StreamConfig, error) {
	return s.read(ctx, newTurn(lane, domain))
}

// Put makes the cloud hold want where it held have. SwitchNotifyURL of have is what
// was last written, "" if that is not known. With force, what the cloud does not
// let it replace is removed first; without, it is an error of class Exists.
func (s Stream) Put(ctx context.Context, lane quota.Lane, domain string, have, want StreamConfig, force bool) error {
	c := change[StreamConfig]{s, s.Client.habitsOf("stream"), have, want, force}
	return c.put(ctx, newTurn(lane, domain))
}

// Delete removes the configuration of a domain; absence is success.
func (s Stream) Delete(ctx context.Context, lane quota.Lane, domain string) error {
	return s.remove(ctx, newTurn(lane, domain))
}

// ReadRate is the limit of the operation that Get calls.
func (Stream) ReadRate() quota.Rate { return describeStream.rate() }

// RecordsRate is the limit of the operation that Count calls, and how often it
// does so.
func (Stream) RecordsRate() (quota.Rate, float64) { return streamRecords.rate(), requestsOfCount }

func (s Stream) read(ctx context.Context, t turn) (StreamConfig, error) {
	reply, err := call[sdk.DescribeLiveStreamsNotifyUrlConfigResponseBody](ctx, s.Client, t, describeStream,
		&sdk.DescribeLiveStreamsNotifyUrlConfigRequest{DomainName: &t.key})
	if err != nil || reply.LiveStreamsNotifyConfig == nil {
		return StreamConfig{}, ignoreNotFound(err)
	}
	have := reply.LiveStreamsNotifyConfig
	if err := elsewhere(describeStream, t, have.DomainName); err != nil {
		return StreamConfig{}, err
	}
	c := StreamConfig{NotifyURL: bounded(have.NotifyUrl, maxURL), ExceptionNotifyURL: bounded(have.ExceptionNotifyUrl, maxURL)}
	if value(have.NotifyReqAuth) == yes {
		c.Authentication, c.AuthKey = true, Key(bounded(have.NotifyAuthKey, maxID))
	}
	return c, nil
}

func (s Stream) create(ctx context.Context, t turn, want StreamConfig) error {
	return s.write(ctx, t, want, true)
}

func (s Stream) write(ctx context.Context, t turn, want StreamConfig, leaveOut bool) error {
	_, err := call[sdk.SetLiveStreamsNotifyUrlConfigResponseBody](ctx, s.Client, t, setStream,
		&sdk.SetLiveStreamsNotifyUrlConfigRequest{
			DomainName:         &t.key,
			NotifyUrl:          parameter(want.NotifyURL, leaveOut),
			ExceptionNotifyUrl: parameter(want.ExceptionNotifyURL, leaveOut),
			SwitchNotifyUrl:    parameter(want.SwitchNotifyURL, leaveOut),
			NotifyReqAuth:      yesNo(want.Authentication),
			NotifyAuthKey:      optional(string(want.AuthKey)),
		})
	return err
}

func (s Stream) remove(ctx context.Context, t turn) error {
	_, err := call[sdk.DeleteLiveStreamsNotifyUrlConfigResponseBody](ctx, s.Client, t, deleteStream,
		&sdk.DeleteLiveStreamsNotifyUrlConfigRequest{DomainName: &t.key})
	return ignoreNotFound(err)
}

// Count counts the callbacks of a domain in the window that ends now, with two or
// three requests, whatever the traffic.
func (s Stream) Count(ctx context.Context, domain string, q Query, before Counts) (Counts, error) {
	start, end := q.span(s.Client.Now())
	t := newTurn(quota.Records, domain)
	return count(streamRecords, q, before, end, func(status string, size, number int32) (page, error) {
		reply, err := call[sdk.DescribeLiveStreamsNotifyRecordsResponseBody](ctx, s.Client, t, streamRecords,
			&sdk.DescribeLiveStreamsNotifyRecordsRequest{
				DomainName: &domain, StartTime: formatTime(start), EndTime: formatTime(end),
				AppName: optional(q.AppName), StreamName: optional(q.StreamName),
				Status: optional(status), PageSize: &size, PageNumber: &number,
			})
		if err != nil {
			return page{}, err
		}
		p := page{total: reply.TotalNum}
		if info := reply.NotifyRecordsInfo; info != nil {
			p.size = len(info.LiveStreamNotifyRecordsInfo)
			for _, r := range info.LiveStreamNotifyRecordsInfo {
				if r != nil { // null counts, and says nothing
					p.add(r.NotifyTime, r.NotifyType, r.NotifyUrl, r.AppName, r.StreamName, r.Description)
				}
			}
		}
		return p, nil
	})
}
