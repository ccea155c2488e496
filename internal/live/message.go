// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"strings"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
)

// MessageConfig is the event callback of an interactive-messaging application. The
// zero value means that there is none.
type MessageConfig struct{ EventCallbackURL string }

// Fields returns the configuration as the resource spells it.
func (c MessageConfig) Fields() []Field {
	return []Field{{Name: "eventCallbackURL", Value: c.EventCallbackURL}}
}

// MessageKey returns the key of an application: there may be one of the same ID in
// each data center.
func MessageKey(dataCenter, appID string) string { return dataCenter + "/" + appID }

// Message returns the family of event callbacks of interactive-messaging
// applications, by MessageKey. The callback is a field of the application, which is
// neither created nor deleted here. What else the cloud shows of it, such as its
// AppKey, is read nowhere.
func Message(c *Client) Family[MessageConfig] {
	f := Family[MessageConfig]{client: c, reads: describeMessage, creates: modifyMessage, updates: modifyMessage}
	f.get = func(ctx context.Context, t turn) (MessageConfig, error) {
		center, app, _ := strings.Cut(t.key, "/")
		reply, err := call[sdk.DescribeLiveMessageAppResponseBody](ctx, c, t, describeMessage,
			&sdk.DescribeLiveMessageAppRequest{DataCenter: &center, AppId: &app})
		if err != nil {
			return MessageConfig{}, noApplication(err)
		}
		if reply.AppId == nil { // of an application without a callback there is this
			return MessageConfig{}, malformed(describeMessage.Action, "the reply does not say which application it is about")
		}
		return MessageConfig{bounded(reply.EventCallbackUrl, maxURL)}, unlessAbout(describeMessage, "application", app, reply.AppId)
	}
	modify := func(ctx context.Context, t turn, url *string) error {
		center, app, _ := strings.Cut(t.key, "/")
		return noApplication(do(ctx, c, t, modifyMessage,
			&sdk.ModifyLiveMessageAppCallbackRequest{DataCenter: &center, AppId: &app, EventCallbackUrl: url}))
	}
	f.write = func(ctx context.Context, t turn, create bool, want MessageConfig, _ bool) error {
		if create {
			// The operation overwrites: what turned up since it was read would be lost.
			have, err := f.get(ctx, t)
			if err == nil && have != (MessageConfig{}) && have != want {
				err = found(Exists, modifyMessage, "ConfigAlreadyExists", "the application has an event callback already")
			}
			if err != nil {
				return err
			}
			t = t.finish()
		}
		return modify(ctx, t, &want.EventCallbackURL)
	}
	f.drop = func(ctx context.Context, t turn) error {
		err := modify(ctx, t, new(string))
		if ClassOf(err) == Rejected { // a cloud that takes what is empty for what is missing
			err = modify(ctx, t.finish(), nil)
		}
		return err
	}
	return f
}

// noApplication makes NotFound, of which none of the operations on something in an
// application documents a code for, the lack of the application.
func noApplication(err error) error {
	if ClassOf(err) != NotFound {
		return err
	}
	return withClass(err, DomainNotFound)
}
