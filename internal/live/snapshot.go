// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"slices"
	"strings"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

// SnapshotConfig is the snapshot callback configuration of a main streaming domain.
// The zero value means that there is none.
type SnapshotConfig struct {
	NotifyURL      string
	Authentication bool
	AuthKey        Key
	// Others are the applications whose snapshot job has a callback of its own, which
	// the cloud calls too, sorted and each on a line. OthersUnknown tells that they
	// could not be read. They are no part of what is wanted.
	Others        string
	OthersUnknown bool
}

// MaxSnapshotKey is the most characters of an authentication key.
const MaxSnapshotKey = 32

// Applications returns what is in Others.
func (c SnapshotConfig) Applications() []string {
	if c.Others == "" {
		return nil
	}
	return strings.Split(c.Others, "\n")
}

// Fields returns the configuration as the resource spells it.
func (c SnapshotConfig) Fields() []Field {
	return []Field{{Name: "notifyURL", Value: c.NotifyURL}, authentication(c.Authentication, c.AuthKey)}
}

// Snapshot is the family of snapshot callbacks, by main streaming domain.
type Snapshot struct{ Family[SnapshotConfig] }

// NewSnapshot returns the family in the cloud of a client.
func NewSnapshot(c *Client) Snapshot {
	f := Family[SnapshotConfig]{client: c, reads: describeSnapshot, creates: addSnapshot, updates: updateSnapshot}
	f.get = func(ctx context.Context, t turn) (SnapshotConfig, error) {
		reply, err := call[sdk.DescribeLiveSnapshotNotifyConfigResponseBody](ctx, c, t, describeSnapshot,
			&sdk.DescribeLiveSnapshotNotifyConfigRequest{DomainName: &t.key})
		if err != nil {
			return SnapshotConfig{}, err
		}
		config := SnapshotConfig{NotifyURL: bounded(reply.NotifyUrl, maxURL)}
		if isOn(reply.NotifyReqAuth) {
			config.Authentication, config.AuthKey = true, Key(bounded(reply.NotifyAuthKey, maxID))
		}
		return config, elsewhere(describeSnapshot, t, reply.DomainName)
	}
	f.write = func(ctx context.Context, t turn, create bool, want SnapshotConfig, _ bool) error {
		request := &sdk.AddLiveSnapshotNotifyConfigRequest{
			DomainName: &t.key, NotifyUrl: &want.NotifyURL,
			NotifyReqAuth: yesNo(want.Authentication), NotifyAuthKey: optional(string(want.AuthKey)),
		}
		return do(ctx, c, t, f.writes(create), request)
	}
	f.drop = func(ctx context.Context, t turn) error {
		return do(ctx, c, t, deleteSnapshot, &sdk.DeleteLiveSnapshotNotifyConfigRequest{DomainName: &t.key})
	}
	return Snapshot{f}
}

// Get returns the configuration of a domain, with Others if there is one; the zero
// value if there is none. An error says nothing of what the cloud holds.
func (s Snapshot) Get(ctx context.Context, lane quota.Lane, domain string) (SnapshotConfig, error) {
	t := newTurn(lane, domain)
	have, err := s.read(ctx, t)
	if err == nil && have != (SnapshotConfig{}) {
		others, err := s.others(ctx, t)
		have.Others, have.OthersUnknown = others, err != nil // which is for information alone
	}
	return have, err
}

// Bounds of what is read of the snapshot jobs of a domain, and of what is kept.
const (
	jobsPage  = 30
	jobsPages = 4
	maxOthers = 20
)

// others returns the applications whose snapshot job has a callback of its own.
func (s Snapshot) others(ctx context.Context, t turn) (string, error) {
	var names []string
	for number := int32(1); number <= jobsPages; number++ {
		reply, err := call[sdk.DescribeLiveSnapshotConfigResponseBody](ctx, s.client, t, snapshotJobs,
			&sdk.DescribeLiveSnapshotConfigRequest{DomainName: &t.key, PageSize: new(int32(jobsPage)), PageNum: &number})
		if err != nil {
			return "", ignoreNotFound(err)
		}
		list := reply.LiveStreamSnapshotConfigList
		if list == nil {
			break
		}
		for _, job := range list.LiveStreamSnapshotConfig {
			if job != nil && value(job.Callback) != "" {
				names = append(names, Clean(value(job.AppName), maxName))
			}
		}
		if len(list.LiveStreamSnapshotConfig) < jobsPage {
			break
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return strings.Join(names[:min(len(names), maxOthers)], "\n"), nil
}
