// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"cmp"
	"context"
	"slices"
	"time"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

// The domains of an account, for a command line: every call has the least lane.

var (
	listDomains    = use(Operation{Action: "DescribeLiveUserDomains", Limit: 100, Tool: true})
	domainMapping  = use(Operation{Action: "DescribeLiveDomainMapping", Limit: 500.0 / 60, Tool: true, get: true})
	describeDomain = use(Operation{Action: "DescribeLiveDomainDetail", Limit: 50, Tool: true})
)

// Types of domains.
const (
	IngestType    = "liveEdge"  // streams are pushed to it
	StreamingType = "liveVideo" // main streaming and sub-streaming domains
)

// PlayRole is the role in its mapping of a sub-streaming domain, which has no
// configuration of its own.
const PlayRole = "play"

// Domain is one of an account.
type Domain struct {
	Name   string
	Type   string // IngestType or StreamingType
	Status string // online, offline, configuring, or another that is no use yet
}

// Channels returns the channels of an RTC application that have an event
// subscription, sorted and at most 100; AllChannels is one to all of them.
func (c *Client) Channels(ctx context.Context, appID string) ([]string, error) {
	reply, err := call[sdk.ListEventSubResponseBody](ctx, c, newTurn(quota.Least, appID), listEvent, &sdk.ListEventSubRequest{AppId: &appID})
	if err != nil {
		return nil, err
	}
	var channels []string
	for _, s := range reply.Subscribers[:min(len(reply.Subscribers), 100)] {
		if s != nil {
			channels = append(channels, cmp.Or(bounded(s.ChannelId, maxID), AllChannels))
		}
	}
	slices.Sort(channels)
	return slices.Compact(channels), nil
}

// MaxDomainsPage is the most domains that the cloud lists at once.
const MaxDomainsPage = 50

// Domains returns a page, counted from 1, of the account's domains of a type, "" for
// all, and how many there are in all.
func (c *Client) Domains(ctx context.Context, domainType string, number int) (page []Domain, total int, err error) {
	reply, err := call[sdk.DescribeLiveUserDomainsResponseBody](ctx, c, newTurn(quota.Least, domainType), listDomains,
		&sdk.DescribeLiveUserDomainsRequest{
			LiveDomainType: optional(domainType), PageSize: new(int32(MaxDomainsPage)), PageNumber: new(int32(number)),
		})
	if err != nil {
		return nil, 0, err
	}
	if !isTotal(reply.TotalCount) {
		return nil, 0, malformed(listDomains.Action, noTotal) // unknown is not the end
	}
	if reply.Domains != nil {
		for _, d := range reply.Domains.PageData {
			if d != nil {
				page = append(page, Domain{bounded(d.DomainName, maxName), bounded(d.LiveDomainType, maxID), bounded(d.LiveDomainStatus, maxID)})
			}
		}
	}
	return page, int(*reply.TotalCount), nil
}

// Mapping returns the role of each domain that is tied to a domain, which may be
// among them.
func (c *Client) Mapping(ctx context.Context, domain string) (map[string]string, error) {
	reply, err := call[sdk.DescribeLiveDomainMappingResponseBody](ctx, c, newTurn(quota.Least, domain), domainMapping,
		&sdk.DescribeLiveDomainMappingRequest{DomainName: &domain})
	if err != nil {
		return nil, err
	}
	roles := map[string]string{}
	if reply.LiveDomainModels != nil {
		for _, m := range reply.LiveDomainModels.LiveDomainModel {
			if m != nil {
				roles[bounded(m.DomainName, maxName)] = bounded(m.Type, maxID)
			}
		}
	}
	return roles, nil
}

// Domain returns one of the account's domains.
func (c *Client) Domain(ctx context.Context, name string) (Domain, error) {
	reply, err := call[sdk.DescribeLiveDomainDetailResponseBody](ctx, c, newTurn(quota.Least, name), describeDomain,
		&sdk.DescribeLiveDomainDetailRequest{DomainName: &name})
	if err != nil {
		return Domain{}, err
	}
	d := reply.DomainDetail
	if d == nil {
		return Domain{}, malformed(describeDomain.Action, "the reply has no DomainDetail")
	}
	return Domain{bounded(d.DomainName, maxName), bounded(d.LiveDomainType, maxID), bounded(d.DomainStatus, maxID)}, nil
}

// Delivery is one callback as the cloud recorded it, with what may hold tokens: its
// content, and the receiver's answer.
type Delivery struct {
	Failure
	ID       string // of the message, where there is one
	Failed   bool
	Content  string // the parameters as JSON, or the body
	Response string // the receiver's answer
	Header   string // of the request, one a line
}

// Span selects deliveries.
type Span struct {
	From, To            time.Time
	AppName, StreamName string
	FailedOnly          bool
}

const (
	// DeliveriesPage is how many records are read at once.
	DeliveriesPage = 500
	maxContent     = 64 << 10
	maxResponse    = 2048
)

// OldestRecord is the earliest time of which the cloud has records.
func (c *Client) OldestRecord() time.Time { return c.Now().Add(-maxAge) }

// status returns the filter of requests.
func (s Span) status() *string {
	if s.FailedOnly {
		return new("failed")
	}
	return nil
}

// Deliveries returns a page, counted from 1, of the recorded callbacks of a domain, and
// how many there are in all.
func (f withTotals[C]) Deliveries(ctx context.Context, domain string, q Span, number int) (page []Delivery, total int, err error) {
	all, records, err := f.read(ctx, newTurn(quota.Least, domain), q, DeliveriesPage, int32(number))
	for _, r := range records {
		page = append(page, Delivery{
			Failure: *r.failure().kept(), Failed: !r.succeeded(),
			Content: text(r.content, maxContent), Response: text(r.response, maxResponse), Header: text(r.header, maxResponse),
		})
	}
	return page, int(all), err
}

// Deliveries returns a page, counted from 1, of the recorded events of a subscription,
// and how many there are in all. As that is not known, it is said to be one more than
// was read as long as there are more. A family whose times are by the minute has some
// beside the span, which are left out.
func (f withList[C]) Deliveries(ctx context.Context, key string, q Span, number int) ([]Delivery, int, error) {
	records, more, err := f.records(ctx, newTurn(quota.Least, key))(q.From, q.To, number)
	if err != nil {
		return nil, 0, err
	}
	var list []Delivery
	for _, d := range records {
		if q.FailedOnly && !d.failed || d.as.Time.Before(q.From) || d.as.Time.After(q.To) {
			continue
		}
		list = append(list, Delivery{Failure: *d.as.kept(), ID: Bound(d.id, maxName), Failed: d.failed, Content: text(d.content, maxContent)})
	}
	total := (number-1)*listPage + len(records)
	if more {
		total = number*listPage + 1
	}
	return list, total, nil
}

// text returns what a record holds as it is, cut to a length; it may be delivered
// again.
func text(s *string, most int) string {
	v := value(s)
	return v[:min(len(v), most)]
}
