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
type Record struct{ Client *Client }

// Get returns the configuration of a domain; the zero value if there is none. An
// error says nothing of what the cloud holds.
func (r Record) Get(ctx context.Context, lane quota.Lane, domain string) (RecordConfig, error) {
	return r.read(ctx, newTurn(lane, domain))
}

// Put makes the cloud hold want where it held have. With force, what the cloud does
// not let it replace is removed first; without, it is an error of class Exists.
func (r Record) Put(ctx context.Context, lane quota.Lane, domain string, have, want RecordConfig, force bool) error {
	c := change[RecordConfig]{r, r.Client.habitsOf("record"), have, want, force}
	return c.put(ctx, newTurn(lane, domain))
}

// Delete removes the configuration of a domain; absence is success.
func (r Record) Delete(ctx context.Context, lane quota.Lane, domain string) error {
	return r.remove(ctx, newTurn(lane, domain))
}

// ReadRate is the limit of the operation that Get calls.
func (Record) ReadRate() quota.Rate { return describeRecord.rate() }

// RecordsRate is the limit of the operation that Count calls, and how often it
// does so.
func (Record) RecordsRate() (quota.Rate, float64) { return recordRecords.rate(), requestsOfCount }

func (r Record) read(ctx context.Context, t turn) (RecordConfig, error) {
	reply, err := call(ctx, r.Client, t, describeRecord, r.Client.api().DescribeLiveRecordNotifyConfigWithContext,
		&sdk.DescribeLiveRecordNotifyConfigRequest{DomainName: &t.key})
	if err != nil || reply.Body.LiveRecordNotifyConfig == nil {
		return RecordConfig{}, ignoreNotFound(err)
	}
	have := reply.Body.LiveRecordNotifyConfig
	c := RecordConfig{
		NotifyURL: bounded(have.NotifyUrl, maxURL), OnDemandURL: bounded(have.OnDemandUrl, maxURL),
		NeedStatusNotify: have.NeedStatusNotify != nil && *have.NeedStatusNotify,
	}
	if have.NotifyReqAuth != nil && *have.NotifyReqAuth {
		c.Authentication, c.AuthKey = true, Key(bounded(have.NotifyAuthKey, maxID))
	}
	return c, nil
}

func (r Record) create(ctx context.Context, t turn, want RecordConfig) error {
	_, err := call(ctx, r.Client, t, addRecord, r.Client.api().AddLiveRecordNotifyConfigWithContext,
		&sdk.AddLiveRecordNotifyConfigRequest{
			DomainName: &t.key, NotifyUrl: &want.NotifyURL, OnDemandUrl: optional(want.OnDemandURL),
			NeedStatusNotify: &want.NeedStatusNotify, NotifyReqAuth: &want.Authentication, NotifyAuthKey: optional(string(want.AuthKey)),
		})
	return err
}

func (r Record) write(ctx context.Context, t turn, want RecordConfig, leaveOut bool) error {
	_, err := call(ctx, r.Client, t, updateRecord, r.Client.api().UpdateLiveRecordNotifyConfigWithContext,
		&sdk.UpdateLiveRecordNotifyConfigRequest{
			DomainName: &t.key, NotifyUrl: &want.NotifyURL, OnDemandUrl: parameter(want.OnDemandURL, leaveOut),
			NeedStatusNotify: &want.NeedStatusNotify, NotifyReqAuth: &want.Authentication, NotifyAuthKey: optional(string(want.AuthKey)),
		})
	return err
}

func (r Record) remove(ctx context.Context, t turn) error {
	_, err := call(ctx, r.Client, t, deleteRecord, r.Client.api().DeleteLiveRecordNotifyConfigWithContext,
		&sdk.DeleteLiveRecordNotifyConfigRequest{DomainName: &t.key})
	return ignoreNotFound(err)
}

// Count counts the callbacks of a domain in the window that ends now, with two or
// three requests, whatever the traffic. Recordings in OSS and in VOD both count.
func (r Record) Count(ctx context.Context, domain string, q Query, before Counts) (Counts, error) {
	start, end := q.span(r.Client.Now())
	t := newTurn(quota.Records, domain)
	return count(recordRecords, q, before, end, func(status string, size, number int32) (page, error) {
		storage := "all"
		reply, err := call(ctx, r.Client, t, recordRecords, r.Client.api().DescribeLiveRecordNotifyRecordsWithContext,
			&sdk.DescribeLiveRecordNotifyRecordsRequest{
				DomainName: &domain, StartTime: formatTime(start), EndTime: formatTime(end),
				AppName: optional(q.AppName), StreamName: optional(q.StreamName),
				Status: optional(status), StorageType: &storage, PageSize: new(int64(size)), PageNumber: new(int64(number)),
			})
		if err != nil {
			return page{}, err
		}
		p := page{total: reply.Body.TotalNum, size: len(reply.Body.CallbackList)}
		for _, c := range reply.Body.CallbackList {
			if c != nil { // null counts, and says nothing
				p.add(c.NotifyTime, c.NotifyType, c.NotifyUrl, c.AppName, c.StreamName, c.Description)
			}
		}
		return p, nil
	})
}
