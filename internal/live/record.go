// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"time"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
)

// RecordConfig is the recording callback configuration of a main streaming
// domain. The zero value means that there is none.
type RecordConfig struct {
	NotifyURL        string
	OnDemandURL      string
	NeedStatusNotify bool
	Authentication   bool
	AuthKey          Key `json:"-"`
}

// MaxRecordKey is the most characters of an authentication key.
const MaxRecordKey = 32

// Diff names the fields, as the resource spells them, in which have differs
// from c.
func (c RecordConfig) Diff(have RecordConfig) []string {
	return differing(
		field{"notifyURL", c.NotifyURL == have.NotifyURL},
		field{"onDemandURL", c.OnDemandURL == have.OnDemandURL},
		field{"needStatusNotify", c.NeedStatusNotify == have.NeedStatusNotify},
		field{AuthenticationField, sameAuthentication(c.Authentication, have.Authentication, c.AuthKey, have.AuthKey)},
	)
}

// Record is the family of recording callbacks.
type Record struct{ Client *Client }

// Get returns the configuration of a main streaming domain; the zero value if
// there is none. An error says nothing of what the cloud holds.
func (r Record) Get(ctx context.Context, lane Lane, domain string) (RecordConfig, error) {
	reply, err := call(ctx, r.Client, lane, describeRecord, r.Client.api().DescribeLiveRecordNotifyConfigWithContext,
		&sdk.DescribeLiveRecordNotifyConfigRequest{DomainName: &domain})
	if ClassOf(err) == NotFound {
		return RecordConfig{}, nil
	}
	if err != nil {
		return RecordConfig{}, err
	}
	have := reply.Body.LiveRecordNotifyConfig
	if have == nil {
		return RecordConfig{}, nil
	}
	c := RecordConfig{
		NotifyURL: value(have.NotifyUrl), OnDemandURL: value(have.OnDemandUrl),
		NeedStatusNotify: have.NeedStatusNotify != nil && *have.NeedStatusNotify,
	}
	if have.NotifyReqAuth != nil && *have.NotifyReqAuth {
		c.Authentication, c.AuthKey = true, Key(value(have.NotifyAuthKey))
	}
	return c, nil
}

// Put makes the cloud hold want where it held have. If the cloud held none but
// has one by now, the error is of class Exists and nothing is overwritten.
func (r Record) Put(ctx context.Context, lane Lane, domain string, have, want RecordConfig) error {
	add := func(ctx context.Context) error {
		_, err := call(ctx, r.Client, lane, addRecord, r.Client.api().AddLiveRecordNotifyConfigWithContext, &sdk.AddLiveRecordNotifyConfigRequest{
			DomainName: &domain, NotifyUrl: &want.NotifyURL, OnDemandUrl: optional(want.OnDemandURL),
			NeedStatusNotify: &want.NeedStatusNotify, NotifyReqAuth: &want.Authentication, NotifyAuthKey: optional(string(want.AuthKey)),
		})
		return err
	}
	if have == (RecordConfig{}) {
		return add(ctx)
	}
	c := change[RecordConfig]{
		write: func(ctx context.Context) error {
			_, err := call(ctx, r.Client, lane, updateRecord, r.Client.api().UpdateLiveRecordNotifyConfigWithContext, &sdk.UpdateLiveRecordNotifyConfigRequest{
				DomainName: &domain, NotifyUrl: &want.NotifyURL, OnDemandUrl: optional(want.OnDemandURL),
				NeedStatusNotify: &want.NeedStatusNotify, NotifyReqAuth: &want.Authentication, NotifyAuthKey: optional(string(want.AuthKey)),
			})
			return err
		},
		create: add,
		read:   func(ctx context.Context) (RecordConfig, error) { return r.Get(ctx, lane, domain) },
		remove: func(ctx context.Context) error { return r.Delete(ctx, lane, domain) },
	}
	if !cleared(want.OnDemandURL, have.OnDemandURL) {
		return c.put(ctx, nil)
	}
	return c.put(ctx, func(now RecordConfig) bool { return cleared(want.OnDemandURL, now.OnDemandURL) })
}

// Delete removes the configuration of a domain; absence is success.
func (r Record) Delete(ctx context.Context, lane Lane, domain string) error {
	_, err := call(ctx, r.Client, lane, deleteRecord, r.Client.api().DeleteLiveRecordNotifyConfigWithContext,
		&sdk.DeleteLiveRecordNotifyConfigRequest{DomainName: &domain})
	return ignoreNotFound(err)
}

// Count counts the callbacks of a domain with two requests, whatever the
// traffic. Recordings in OSS and in VOD both count.
func (r Record) Count(ctx context.Context, domain string, q Query, _ Counts) (Counts, error) {
	return count(recordRecords, q, func(status string, size int32) (page, error) {
		pageSize, pageNumber, storage := int64(size), int64(1), "all"
		reply, err := call(ctx, r.Client, LaneRecords, recordRecords, r.Client.api().DescribeLiveRecordNotifyRecordsWithContext,
			&sdk.DescribeLiveRecordNotifyRecordsRequest{
				DomainName: &domain, StartTime: q.start(), EndTime: q.end(),
				AppName: optional(q.AppName), StreamName: optional(q.StreamName),
				Status: optional(status), StorageType: &storage, PageSize: &pageSize, PageNumber: &pageNumber,
			})
		if err != nil {
			return page{}, err
		}
		p := page{total: reply.Body.TotalNum}
		for _, r := range reply.Body.CallbackList {
			if r == nil {
				continue // null: it counts, and says nothing
			}
			p.records = append(p.records, Failure{
				Time: parseTime(value(r.NotifyTime)), Type: value(r.NotifyType), URL: value(r.NotifyUrl),
				AppName: value(r.AppName), StreamName: value(r.StreamName), Reason: value(r.Description),
			})
		}
		return p, nil
	})
}

// Pace notes how often the callbacks are counted, and returns by how much that
// has to be stretched.
func (r Record) Pace(domain string, interval time.Duration) Pace {
	return r.Client.limits.poll(recordRecords, domain, interval, requestsOfCount)
}
