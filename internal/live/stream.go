// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"time"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
)

// StreamConfig is the stream-ingest callback configuration of an ingest
// domain. The zero value means that there is none.
type StreamConfig struct {
	NotifyURL          string
	ExceptionNotifyURL string
	SwitchNotifyURL    string // write-only: Get leaves it empty
	Authentication     bool
	AuthKey            Key `json:"-"`
}

// SwitchField is what Diff calls SwitchNotifyURL, which the cloud never returns.
const SwitchField = "switchNotifyURL"

// MaxStreamKey is the most characters of an authentication key.
const MaxStreamKey = 64

// Diff names the fields, as the resource spells them, in which have differs
// from c.
func (c StreamConfig) Diff(have StreamConfig) []string {
	return differing(
		field{"notifyURL", c.NotifyURL == have.NotifyURL},
		field{"exceptionNotifyURL", c.ExceptionNotifyURL == have.ExceptionNotifyURL},
		field{SwitchField, c.SwitchNotifyURL == have.SwitchNotifyURL},
		field{AuthenticationField, sameAuthentication(c.Authentication, have.Authentication, c.AuthKey, have.AuthKey)},
	)
}

// Stream is the family of stream-ingest callbacks.
type Stream struct{ Client *Client }

// Get returns the configuration of an ingest domain, without SwitchNotifyURL.
// Absence has many spellings in the cloud; here it is the zero value. An error
// says nothing of what the cloud holds.
func (s Stream) Get(ctx context.Context, lane Lane, domain string) (StreamConfig, error) {
	reply, err := call(ctx, s.Client, lane, describeStream, s.Client.api().DescribeLiveStreamsNotifyUrlConfigWithContext,
		&sdk.DescribeLiveStreamsNotifyUrlConfigRequest{DomainName: &domain})
	if ClassOf(err) == NotFound {
		return StreamConfig{}, nil
	}
	if err != nil {
		return StreamConfig{}, err
	}
	have := reply.Body.LiveStreamsNotifyConfig
	if have == nil {
		return StreamConfig{}, nil
	}
	c := StreamConfig{NotifyURL: value(have.NotifyUrl), ExceptionNotifyURL: value(have.ExceptionNotifyUrl)}
	if value(have.NotifyReqAuth) == yes {
		c.Authentication, c.AuthKey = true, Key(value(have.NotifyAuthKey))
	}
	return c, nil
}

// Put makes the cloud hold want where it held have. When SwitchNotifyURL is
// cleared, which cannot be verified, the configuration is written, removed and
// written again: the domain is without callbacks between the last two requests.
func (s Stream) Put(ctx context.Context, lane Lane, domain string, have, want StreamConfig) error {
	set := func(ctx context.Context) error {
		_, err := call(ctx, s.Client, lane, setStream, s.Client.api().SetLiveStreamsNotifyUrlConfigWithContext, setRequest(domain, want))
		return err
	}
	c := change[StreamConfig]{
		write: set, create: set,
		read:   func(ctx context.Context) (StreamConfig, error) { return s.Get(ctx, lane, domain) },
		remove: func(ctx context.Context) error { return s.Delete(ctx, lane, domain) },
	}
	if have == (StreamConfig{}) {
		err := set(ctx)
		if ClassOf(err) != Exists {
			return err
		}
		if now, readErr := c.read(ctx); readErr != nil || now != (StreamConfig{}) {
			return err
		}
		return c.replace(ctx) // one of a SwitchNotifyURL alone, which reads as none
	}
	if cleared(want.SwitchNotifyURL, have.SwitchNotifyURL) {
		return c.rewrite(ctx)
	}
	if !cleared(want.NotifyURL, have.NotifyURL) && !cleared(want.ExceptionNotifyURL, have.ExceptionNotifyURL) {
		return c.put(ctx, nil)
	}
	return c.put(ctx, func(now StreamConfig) bool {
		return cleared(want.NotifyURL, now.NotifyURL) || cleared(want.ExceptionNotifyURL, now.ExceptionNotifyURL)
	})
}

func setRequest(domain string, want StreamConfig) *sdk.SetLiveStreamsNotifyUrlConfigRequest {
	auth := no
	if want.Authentication {
		auth = yes
	}
	return &sdk.SetLiveStreamsNotifyUrlConfigRequest{
		DomainName:         &domain,
		NotifyUrl:          optional(want.NotifyURL),
		ExceptionNotifyUrl: optional(want.ExceptionNotifyURL),
		SwitchNotifyUrl:    optional(want.SwitchNotifyURL),
		NotifyReqAuth:      &auth,
		NotifyAuthKey:      optional(string(want.AuthKey)),
	}
}

// Delete removes the configuration of a domain; absence is success.
func (s Stream) Delete(ctx context.Context, lane Lane, domain string) error {
	_, err := call(ctx, s.Client, lane, deleteStream, s.Client.api().DeleteLiveStreamsNotifyUrlConfigWithContext,
		&sdk.DeleteLiveStreamsNotifyUrlConfigRequest{DomainName: &domain})
	return ignoreNotFound(err)
}

// Count counts the callbacks of a domain with two requests, whatever the
// traffic.
func (s Stream) Count(ctx context.Context, domain string, q Query, _ Counts) (Counts, error) {
	return count(streamRecords, q, func(status string, size int32) (page, error) {
		reply, err := call(ctx, s.Client, LaneRecords, streamRecords, s.Client.api().DescribeLiveStreamsNotifyRecordsWithContext,
			&sdk.DescribeLiveStreamsNotifyRecordsRequest{
				DomainName: &domain, StartTime: q.start(), EndTime: q.end(),
				AppName: optional(q.AppName), StreamName: optional(q.StreamName),
				Status: optional(status), PageSize: &size,
			})
		if err != nil {
			return page{}, err
		}
		p := page{total: reply.Body.TotalNum}
		if info := reply.Body.NotifyRecordsInfo; info != nil {
			for _, r := range info.LiveStreamNotifyRecordsInfo {
				if r == nil {
					continue // null: it counts, and says nothing
				}
				p.records = append(p.records, Failure{
					Time: parseTime(value(r.NotifyTime)), Type: value(r.NotifyType), URL: value(r.NotifyUrl),
					AppName: value(r.AppName), StreamName: value(r.StreamName), Reason: value(r.Description),
				})
			}
		}
		return p, nil
	})
}

// Pace notes how often the callbacks are counted, and returns by how much that
// has to be stretched.
func (s Stream) Pace(domain string, interval time.Duration) Pace {
	return s.Client.limits.poll(streamRecords, domain, interval, requestsOfCount)
}
