// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

// Single requests, as they are answered: for finding out which branch the cloud
// takes where its documentation leaves several open. Everyone else uses Get, Put and
// Delete, which take all branches.

// Shape is how a reply says that there is no configuration.
type Shape string

// Shapes.
const (
	ShapePresent  Shape = "a configuration"
	ShapeEmpty    Shape = "an empty object"
	ShapeMissing  Shape = "no object"
	ShapeNotFound Shape = "a not-found error"
)

// Describe makes one Describe of a domain.
func (s Stream) Describe(ctx context.Context, domain string) (StreamConfig, Shape, error) {
	reply, err := call[sdk.DescribeLiveStreamsNotifyUrlConfigResponseBody](ctx, s.Client, newTurn(quota.Least, domain), describeStream,
		&sdk.DescribeLiveStreamsNotifyUrlConfigRequest{DomainName: &domain})
	switch {
	case ClassOf(err) == NotFound:
		return StreamConfig{}, ShapeNotFound, nil
	case err != nil:
		return StreamConfig{}, "", err
	case reply.LiveStreamsNotifyConfig == nil:
		return StreamConfig{}, ShapeMissing, nil
	}
	have := reply.LiveStreamsNotifyConfig
	c := StreamConfig{NotifyURL: bounded(have.NotifyUrl, maxURL), ExceptionNotifyURL: bounded(have.ExceptionNotifyUrl, maxURL)}
	if value(have.NotifyReqAuth) == yes {
		c.Authentication, c.AuthKey = true, Key(bounded(have.NotifyAuthKey, maxID))
	}
	if (c == StreamConfig{}) {
		return c, ShapeEmpty, nil
	}
	return c, ShapePresent, nil
}

// Set makes one Set of a domain: what is empty is left out, or sent empty.
func (s Stream) Set(ctx context.Context, domain string, want StreamConfig, leaveOut bool) error {
	return s.write(ctx, newTurn(quota.Least, domain), want, leaveOut)
}

// Remove makes one Delete of a domain. Absence is an error of class NotFound where
// the cloud says so.
func (s Stream) Remove(ctx context.Context, domain string) error {
	_, err := call[sdk.DeleteLiveStreamsNotifyUrlConfigResponseBody](ctx, s.Client, newTurn(quota.Least, domain), deleteStream,
		&sdk.DeleteLiveStreamsNotifyUrlConfigRequest{DomainName: &domain})
	return err
}

// Add makes one Add of a domain.
func (r Record) Add(ctx context.Context, domain string, want RecordConfig) error {
	return r.create(ctx, newTurn(quota.Least, domain), want)
}

// Update makes one Update of a domain: what is empty is left out, or sent empty.
func (r Record) Update(ctx context.Context, domain string, want RecordConfig, leaveOut bool) error {
	return r.write(ctx, newTurn(quota.Least, domain), want, leaveOut)
}

// Describe makes one Describe of an application.
func (m MPU) Describe(ctx context.Context, appID string) (MPUConfig, Shape, error) {
	reply, err := call[sdk.DescribeRtcMPUEventSubResponseBody](ctx, m.Client, newTurn(quota.Least, appID), describeMPU,
		&sdk.DescribeRtcMPUEventSubRequest{AppId: &appID})
	switch {
	case ClassOf(err) == Rejected && codeOf(err) == invalidParam:
		return MPUConfig{}, ShapeNotFound, nil
	case err != nil:
		return MPUConfig{}, "", err
	case reply.SubInfo == nil:
		return MPUConfig{}, ShapeMissing, nil
	}
	have := reply.SubInfo
	c := MPUConfig{bounded(have.CallbackUrl, maxURL), channelsOf(value(have.ChannelIds)), bounded(have.SubId, maxID)}
	if (c == MPUConfig{}) {
		return c, ShapeEmpty, nil
	}
	return c, ShapePresent, nil
}

// codeOf returns the cloud's code of an error.
func codeOf(err error) string {
	if e, ok := err.(*Error); ok { //nolint:errorlint // call returns it unwrapped
		return e.Code
	}
	return ""
}
