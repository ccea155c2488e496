// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"strings"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
)

// AuditConfig is the audio-review callback configuration of a main streaming
// domain. The zero value means that there is none.
type AuditConfig struct{ CallbackURL, CallbackTemplate string }

// maxTemplate is the most that is kept of a template, in bytes.
const maxTemplate = 2048

// Fields returns the configuration as the resource spells it.
func (c AuditConfig) Fields() []Field {
	return []Field{{Name: "callbackURL", Value: c.CallbackURL}, {Name: "callbackTemplate", Value: c.CallbackTemplate}}
}

// Audit returns the family of audio-review callbacks, by main streaming domain.
func Audit(c *Client) Family[AuditConfig] {
	f := Family[AuditConfig]{client: c, reads: describeAudit, creates: addAudit, updates: updateAudit}
	f.get = func(ctx context.Context, t turn) (AuditConfig, error) {
		reply, err := call[sdk.DescribeLiveAudioAuditNotifyConfigResponseBody](ctx, c, t, describeAudit,
			&sdk.DescribeLiveAudioAuditNotifyConfigRequest{DomainName: &t.key})
		if err != nil || reply.LiveAudioAuditNotifyConfigList == nil {
			return AuditConfig{}, err
		}
		for _, have := range reply.LiveAudioAuditNotifyConfigList.LiveAudioAuditNotifyConfig {
			// That the list is of the domain that was asked for is not documented.
			if have != nil && (have.DomainName == nil || strings.EqualFold(*have.DomainName, t.key)) {
				return AuditConfig{bounded(have.Callback, maxURL), bounded(have.CallbackTemplate, maxTemplate)}, nil
			}
		}
		return AuditConfig{}, nil
	}
	f.write = func(ctx context.Context, t turn, create bool, want AuditConfig, leaveOut bool) error {
		request := &sdk.AddLiveAudioAuditNotifyConfigRequest{
			DomainName: &t.key, Callback: &want.CallbackURL, CallbackTemplate: parameter(want.CallbackTemplate, leaveOut),
		}
		return do(ctx, c, t, f.writes(create), request)
	}
	f.drop = func(ctx context.Context, t turn) error {
		return do(ctx, c, t, deleteAudit, &sdk.DeleteLiveAudioAuditNotifyConfigRequest{DomainName: &t.key})
	}
	return f
}
