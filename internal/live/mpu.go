// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
)

// MPUConfig is the mixed-stream relay (MPU) event subscription of an RTC
// application. The zero value means that there is none.
type MPUConfig struct {
	CallbackURL string
	// ChannelIDs are sorted and joined by commas, as JoinChannels returns them;
	// "" is all channels.
	ChannelIDs string
	// SubID is given by the cloud and is no part of what is wanted.
	SubID string `json:"-"`
}

// JoinChannels returns channel IDs as MPUConfig has them.
func JoinChannels(ids []string) string {
	return strings.Join(slices.Sorted(slices.Values(ids)), ",")
}

// Channels returns the channel IDs of the subscription, sorted; none for all
// channels.
func (c MPUConfig) Channels() []string {
	if c.ChannelIDs == "" {
		return nil
	}
	return strings.Split(c.ChannelIDs, ",")
}

// Diff names the fields, as the resource spells them, in which have differs
// from c.
func (c MPUConfig) Diff(have MPUConfig) []string {
	return differing(
		field{"callbackURL", c.CallbackURL == have.CallbackURL},
		field{"channelIDs", c.ChannelIDs == have.ChannelIDs},
	)
}

// MPU is the family of mixed-stream relay event subscriptions.
type MPU struct{ Client *Client }

// Get returns the subscription of an application; the zero value if there is
// none. An error says nothing of what the cloud holds.
func (m MPU) Get(ctx context.Context, lane Lane, appID string) (MPUConfig, error) {
	reply, err := call(ctx, m.Client, lane, describeMPU, m.Client.api().DescribeRtcMPUEventSubWithContext,
		&sdk.DescribeRtcMPUEventSubRequest{AppId: &appID})
	if isInvalidParam(err) {
		// The application ID, of which a wrong one is InvalidAppId, is the only
		// parameter: there is no subscription.
		return MPUConfig{}, nil
	}
	if err != nil {
		return MPUConfig{}, err
	}
	have := reply.Body.SubInfo
	if have == nil {
		return MPUConfig{}, nil
	}
	c := MPUConfig{CallbackURL: value(have.CallbackUrl), SubID: value(have.SubId)}
	if ids := value(have.ChannelIds); ids != "" {
		c.ChannelIDs = JoinChannels(strings.Split(ids, ","))
	}
	return c, nil
}

// isInvalidParam finds the code that stands, among others, for a subscription
// that is missing, or exists already: the family has none of its own for these.
func isInvalidParam(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == "InvalidParam"
}

// Put makes the cloud hold want where it held have. If the cloud held none but
// has one by now, the error is of class Exists and nothing is overwritten.
func (m MPU) Put(ctx context.Context, lane Lane, appID string, have, want MPUConfig) error {
	if have == (MPUConfig{}) {
		return m.create(ctx, lane, appID, want)
	}
	c := change[MPUConfig]{
		write: func(ctx context.Context) error {
			_, err := call(ctx, m.Client, lane, updateMPU, m.Client.api().UpdateRtcMPUEventSubWithContext,
				&sdk.UpdateRtcMPUEventSubRequest{AppId: &appID, CallbackUrl: &want.CallbackURL, ChannelIds: optional(want.ChannelIDs)})
			return err
		},
		create: func(ctx context.Context) error { return m.create(ctx, lane, appID, want) },
		read:   func(ctx context.Context) (MPUConfig, error) { return m.Get(ctx, lane, appID) },
		remove: func(ctx context.Context) error { return m.Delete(ctx, lane, appID) },
	}
	if !cleared(want.ChannelIDs, have.ChannelIDs) {
		return c.put(ctx, nil)
	}
	return c.put(ctx, func(now MPUConfig) bool { return cleared(want.ChannelIDs, now.ChannelIDs) })
}

func (m MPU) create(ctx context.Context, lane Lane, appID string, want MPUConfig) error {
	_, err := call(ctx, m.Client, lane, createMPU, m.Client.api().CreateRtcMPUEventSubWithContext,
		&sdk.CreateRtcMPUEventSubRequest{AppId: &appID, CallbackUrl: &want.CallbackURL, ChannelIds: optional(want.ChannelIDs)})
	if !isInvalidParam(err) {
		return err
	}
	switch now, readErr := m.Get(ctx, lane, appID); {
	case readErr != nil: // what was meant is not known
		return readErr
	case now != MPUConfig{}:
		return &Error{Class: Exists, Action: createMPU.action, Code: "InvalidParam", Message: "the application has a subscription already"}
	default:
		return err
	}
}

// Delete removes the subscription of an application; absence is success.
func (m MPU) Delete(ctx context.Context, lane Lane, appID string) error {
	_, err := call(ctx, m.Client, lane, deleteMPU, m.Client.api().DeleteRtcMPUEventSubWithContext,
		&sdk.DeleteRtcMPUEventSubRequest{AppId: &appID})
	if !isInvalidParam(err) {
		return err
	}
	switch now, readErr := m.Get(ctx, lane, appID); {
	case readErr != nil: // what was meant is not known
		return readErr
	case now == MPUConfig{}:
		return nil
	default:
		return err
	}
}

// mpuPage is the most records that the cloud returns at once.
const mpuPage = 100

// Count counts the events that were sent since the counts before, and returns
// the counts of the whole window. With very many of them the counts are
// Unfinished.
func (m MPU) Count(ctx context.Context, appID string, q Query, before Counts) (Counts, error) {
	return countListed(q, before, func(start, end time.Time, page int) ([]delivery, bool, error) {
		size, number := int32(mpuPage), int32(page)
		reply, err := call(ctx, m.Client, LaneRecords, mpuRecords, m.Client.api().ListRtcMPUEventSubRecordWithContext,
			&sdk.ListRtcMPUEventSubRecordRequest{
				AppId: &appID, StartTime: formatTime(start), EndTime: formatTime(end), PageSize: &size, PageNo: &number,
			})
		if err != nil {
			return nil, false, err
		}
		if reply.Body.HasMore == nil {
			// Unknown is not the end.
			return nil, false, &Error{Class: Unavailable, Action: mpuRecords.action, Code: codeMalformed, Message: "the reply has no HasMore"}
		}
		var deliveries []delivery
		for _, r := range reply.Body.Logs {
			if r == nil {
				return nil, false, &Error{Class: Unavailable, Action: mpuRecords.action, Code: codeMalformed, Message: "a record of the reply is null"}
			}
			deliveries = append(deliveries, mpuDelivery(r))
		}
		return deliveries, *reply.Body.HasMore, nil
	})
}

// mpuDelivery reads a record. Its HTTPCode is text; anything but 2xx is a
// failure.
func mpuDelivery(r *sdk.ListRtcMPUEventSubRecordResponseBodyLogs) delivery {
	code, err := strconv.ParseInt(value(r.HTTPCode), 10, 32)
	answered := err == nil && code >= 100
	reason := "no answer"
	if answered {
		reason = "HTTP status " + value(r.HTTPCode)
	}
	d := delivery{
		id: value(r.MsgId), failed: !answered || code < 200 || code > 299,
		as: Failure{Time: parseTime(value(r.Time)), Type: "mpu", URL: value(r.CallbackUrl), Reason: reason},
	}
	if answered {
		d.as.HTTPStatus = int32(code)
	}
	return d
}

// Pace notes how often the callbacks are counted, and returns by how much that
// has to be stretched. Usually one page
// holds what is new.
func (m MPU) Pace(appID string, interval time.Duration) Pace {
	return m.Client.limits.poll(mpuRecords, appID, interval, 1)
}
