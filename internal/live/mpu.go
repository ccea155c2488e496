// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"strconv"
	"strings"
	"time"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"

	"github.com/live-notify/live-notify-operator/internal/quota"
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

// Channels returns the channel IDs of the subscription, sorted; none for all
// channels.
func (c MPUConfig) Channels() []string { return SplitList(c.ChannelIDs) }

// Fields returns the configuration as the resource spells it.
func (c MPUConfig) Fields() []Field {
	return []Field{{Name: "callbackURL", Value: c.CallbackURL}, {Name: "channelIDs", Value: c.ChannelIDs}}
}

// MPU is the family of mixed-stream relay event subscriptions, by application.
type MPU struct{ Client *Client }

// Get returns the subscription of an application; the zero value if there is
// none. An error says nothing of what the cloud holds.
func (m MPU) Get(ctx context.Context, lane quota.Lane, appID string) (MPUConfig, error) {
	return m.read(ctx, newTurn(lane, appID))
}

// Put makes the cloud hold want where it held have. With force, what the cloud does
// not let it replace is removed first; without, it is an error of class Exists.
func (m MPU) Put(ctx context.Context, lane quota.Lane, appID string, have, want MPUConfig, force bool) error {
	c := change[MPUConfig]{m, m.Client.habitsOf("mpu"), have, want, force}
	return c.put(ctx, newTurn(lane, appID))
}

// Delete removes the subscription of an application; absence is success.
func (m MPU) Delete(ctx context.Context, lane quota.Lane, appID string) error {
	return m.remove(ctx, newTurn(lane, appID))
}

// ReadRate is the limit of the operation that Get calls.
func (MPU) ReadRate() quota.Rate { return describeMPU.rate() }

// RecordsRate is the limit of the operation that Count calls, and how often it
// does so. Usually one page holds what is new.
func (MPU) RecordsRate() (quota.Rate, float64) { return mpuRecords.rate(), 1 }

func (m MPU) read(ctx context.Context, t turn) (MPUConfig, error) {
	reply, err := call[sdk.DescribeRtcMPUEventSubResponseBody](ctx, m.Client, t, describeMPU,
		&sdk.DescribeRtcMPUEventSubRequest{AppId: &t.key})
	if codeOf(err) == invalidParam {
		// The application ID, of which a wrong one is InvalidAppId, is the only
		// parameter: there is no subscription.
		return MPUConfig{}, nil
	}
	if err != nil || reply.SubInfo == nil {
		return MPUConfig{}, err
	}
	have := reply.SubInfo
	return MPUConfig{bounded(have.CallbackUrl, maxURL), channelsOf(value(have.ChannelIds)), bounded(have.SubId, maxID)}, nil
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

// invalidParam is the code that stands, among others, for a subscription that is
// missing, or exists already: the family has none of its own for these.
const invalidParam = "InvalidParam"

// means finds out what an error of InvalidParam stands for.
func (m MPU) means(ctx context.Context, t turn, class Class, err error) error {
	if codeOf(err) != invalidParam {
		return err
	}
	return means(ctx, m, t, class, err)
}

func (m MPU) create(ctx context.Context, t turn, want MPUConfig) error {
	_, err := call[sdk.CreateRtcMPUEventSubResponseBody](ctx, m.Client, t, createMPU,
		&sdk.CreateRtcMPUEventSubRequest{AppId: &t.key, CallbackUrl: &want.CallbackURL, ChannelIds: optional(want.ChannelIDs)})
	return m.means(ctx, t, Exists, err)
}

func (m MPU) write(ctx context.Context, t turn, want MPUConfig, leaveOut bool) error {
	_, err := call[sdk.UpdateRtcMPUEventSubResponseBody](ctx, m.Client, t, updateMPU,
		&sdk.UpdateRtcMPUEventSubRequest{AppId: &t.key, CallbackUrl: &want.CallbackURL, ChannelIds: parameter(want.ChannelIDs, leaveOut)})
	return m.means(ctx, t, NotFound, err)
}

func (m MPU) remove(ctx context.Context, t turn) error {
	_, err := call[sdk.DeleteRtcMPUEventSubResponseBody](ctx, m.Client, t, deleteMPU,
		&sdk.DeleteRtcMPUEventSubRequest{AppId: &t.key})
	return ignoreNotFound(m.means(ctx, t, NotFound, err))
}

// Count counts the events that were sent since the counts before, and returns the
// counts of the whole window that ends now. With very many of them, or an error,
// the counts are Unfinished.
func (m MPU) Count(ctx context.Context, appID string, q Query, before Counts) (Counts, error) {
	return countListed(q, before, m.Client.Now, m.records(ctx, newTurn(quota.Records, appID)))
}

// records reads the records of an application by pages.
func (m MPU) records(ctx context.Context, t turn) reader {
	return func(start, end time.Time, page int) ([]delivery, bool, error) {
		reply, err := call[sdk.ListRtcMPUEventSubRecordResponseBody](ctx, m.Client, t, mpuRecords,
			&sdk.ListRtcMPUEventSubRecordRequest{
				AppId: &t.key, StartTime: formatTime(start), EndTime: formatTime(end), PageSize: new(int32(listPage)), PageNo: new(int32(page)),
			})
		if err != nil {
			return nil, false, err
		}
		return listed(mpuRecords, reply.HasMore, reply.Logs, func(r *sdk.ListRtcMPUEventSubRecordResponseBodyLogs) delivery {
			return newDelivery("mpu", r.MsgId, r.Time, r.CallbackUrl, httpStatus(r.HTTPCode), r.Data)
		})
	}
}

// httpStatus reads the HTTP status of a record; 0 for what is none.
func httpStatus(code *string) int64 {
	status, _ := strconv.ParseInt(value(code), 10, 32)
	return status
}
