// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
)

// MPUConfig is the mixed-stream relay (MPU) event subscription of an RTC
// application. The zero value means that there is none.
type MPUConfig struct {
	CallbackURL string
	// ChannelIDs are sorted and joined by commas, as JoinList returns them;
	// "" is all channels.
	ChannelIDs string
	// SubID is given by the cloud and is no part of what is wanted.
	SubID string
}

// maxChannels is the most channel IDs of a subscription.
const maxChannels = 20

// Fields returns the configuration as the resource spells it.
func (c MPUConfig) Fields() []Field {
	return []Field{{Name: "callbackURL", Value: c.CallbackURL}, {Name: "channelIDs", Value: c.ChannelIDs}}
}

// MPU is the family of mixed-stream relay event subscriptions, by application.
type MPU struct{ withList[MPUConfig] }

// NewMPU returns the family in the cloud of a client.
func NewMPU(c *Client) MPU {
	f := Family[MPUConfig]{client: c, reads: describeMPU, creates: createMPU, updates: updateMPU}
	m := MPU{withList[MPUConfig]{Family: f, operation: mpuRecords}}
	m.get = func(ctx context.Context, t turn) (MPUConfig, error) {
		reply, err := call[sdk.DescribeRtcMPUEventSubResponseBody](ctx, c, t, describeMPU,
			&sdk.DescribeRtcMPUEventSubRequest{AppId: &t.key})
		if isInvalidParam(err) {
			// The application ID, of which a wrong one is InvalidAppId, is the only
			// parameter: there is no subscription.
			err = withClass(err, NotFound)
		}
		if err != nil || reply.SubInfo == nil {
			return MPUConfig{}, cmp.Or(err, errMissing)
		}
		have := reply.SubInfo
		return MPUConfig{bounded(have.CallbackUrl, maxURL), channelsOf(value(have.ChannelIds)), bounded(have.SubId, maxID)},
			unlessAbout(describeMPU, "application", t.key, have.AppId)
	}
	m.write = func(ctx context.Context, t turn, create bool, want MPUConfig, leaveOut bool) error {
		request := &sdk.CreateRtcMPUEventSubRequest{AppId: &t.key, CallbackUrl: &want.CallbackURL, ChannelIds: parameter(want.ChannelIDs, leaveOut)}
		if create {
			return m.means(ctx, t, Exists, do(ctx, c, t, createMPU, request))
		}
		return m.means(ctx, t, NotFound, do(ctx, c, t, updateMPU, (*sdk.UpdateRtcMPUEventSubRequest)(request)))
	}
	m.drop = func(ctx context.Context, t turn) error {
		return m.means(ctx, t, NotFound, do(ctx, c, t, deleteMPU, &sdk.DeleteRtcMPUEventSubRequest{AppId: &t.key}))
	}
	m.records = m.reader
	return m
}

// channelsOf reads a list of channel IDs, of which it keeps what a subscription may
// have. One that was cut has a mark, and so has a list.
func channelsOf(list string) string {
	ids := strings.SplitN(list, ",", maxChannels+1)
	if len(ids) > maxChannels {
		ids = append(ids[:maxChannels-1], cut)
	}
	for i, id := range ids {
		ids[i] = Bound(id, maxID)
	}
	return JoinList(ids)
}

// isInvalidParam tells whether an error has the code that stands, among others, for a
// subscription that is missing, or exists already: the family has none of its own for
// these.
func isInvalidParam(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == "InvalidParam"
}

// means finds out what an error of InvalidParam stands for.
func (m MPU) means(ctx context.Context, t turn, class Class, err error) error {
	if !isInvalidParam(err) {
		return err
	}
	return m.Family.means(ctx, t, class, err)
}

// reader reads the records of an application by pages.
func (m MPU) reader(ctx context.Context, t turn) reader {
	return func(start, end time.Time, page int) ([]delivery, bool, error) {
		reply, err := call[sdk.ListRtcMPUEventSubRecordResponseBody](ctx, m.client, t, mpuRecords,
			&sdk.ListRtcMPUEventSubRecordRequest{
				AppId: &t.key, StartTime: formatTime(start), EndTime: formatTime(end), PageSize: new(int32(listPage)), PageNo: new(int32(page)),
			})
		if err != nil {
			return nil, false, err
		}
		return listed(mpuRecords, reply.HasMore, reply.Logs, func(r *sdk.ListRtcMPUEventSubRecordResponseBodyLogs) delivery {
			status, _ := strconv.ParseInt(value(r.HTTPCode), 10, 32) // 0 for what is none
			return newDelivery("mpu", r.MsgId, r.Time, r.CallbackUrl, status, r.Data)
		})
	}
}
