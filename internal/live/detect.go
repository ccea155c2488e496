// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
)

// DetectConfig is the video-review callback configuration of a main streaming
// domain. The zero value means that there is none.
type DetectConfig struct{ NotifyURL string }

// Fields returns the configuration as the resource spells it.
func (c DetectConfig) Fields() []Field { return []Field{{Name: "notifyURL", Value: c.NotifyURL}} }

// Detect returns the family of video-review callbacks, by main streaming domain.
func Detect(c *Client) Family[DetectConfig] {
	f := Family[DetectConfig]{client: c, reads: describeDetect, creates: addDetect, updates: updateDetect}
	f.get = func(ctx context.Context, t turn) (DetectConfig, error) {
		reply, err := call[sdk.DescribeLiveDetectNotifyConfigResponseBody](ctx, c, t, describeDetect,
			&sdk.DescribeLiveDetectNotifyConfigRequest{DomainName: &t.key})
		if err != nil || reply.LiveDetectNotifyConfig == nil {
			return DetectConfig{}, err
		}
		have := reply.LiveDetectNotifyConfig
		return DetectConfig{bounded(have.NotifyUrl, maxURL)}, elsewhere(describeDetect, t, have.DomainName)
	}
	f.write = func(ctx context.Context, t turn, create bool, want DetectConfig, _ bool) error {
		request := &sdk.AddLiveDetectNotifyConfigRequest{DomainName: &t.key, NotifyUrl: &want.NotifyURL}
		return do(ctx, c, t, f.writes(create), request)
	}
	f.drop = func(ctx context.Context, t turn) error {
		return do(ctx, c, t, deleteDetect, &sdk.DeleteLiveDetectNotifyConfigRequest{DomainName: &t.key})
	}
	return f
}
