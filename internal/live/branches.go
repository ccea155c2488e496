// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"encoding/json"
	"errors"

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

// errMissing is the error of a family's get for a reply without the object that has the
// configuration.
var errMissing error = &Error{Class: NotFound, Code: string(ShapeMissing)}

// Describe makes one request that reads a configuration.
func (f Family[C]) Describe(ctx context.Context, key string) (C, Shape, error) {
	have, err := f.get(ctx, newTurn(quota.Least, key))
	var none C
	switch {
	case errors.Is(err, errMissing):
		return none, ShapeMissing, nil
	case ClassOf(err) == NotFound:
		return none, ShapeNotFound, nil
	case err != nil:
		return none, "", err
	case have == none:
		return none, ShapeEmpty, nil
	default:
		return have, ShapePresent, nil
	}
}

// Add makes one request that creates a configuration.
func (f Family[C]) Add(ctx context.Context, key string, want C) error {
	return f.create(ctx, newTurn(quota.Least, key), want)
}

// Update makes one request that writes over a configuration: what is empty is left out,
// or sent empty.
func (f Family[C]) Update(ctx context.Context, key string, want C, leaveOut bool) error {
	return f.write(ctx, newTurn(quota.Least, key), false, want, leaveOut)
}

// Remove makes one Delete. Absence is an error of class NotFound where the cloud says
// so.
func (f Family[C]) Remove(ctx context.Context, key string) error {
	return f.drop(ctx, newTurn(quota.Least, key))
}

// KeyIsNumber makes one request that reads a configuration, and returns whether its
// authentication key is a number there.
func (s Stream) KeyIsNumber(ctx context.Context, domain string) (bool, error) {
	type described struct {
		LiveStreamsNotifyConfig struct {
			URL any `json:"NotifyUrl"`
			Key any `json:"NotifyAuthKey"`
		}
	}
	reply, err := call[described](ctx, s.client, newTurn(quota.Least, domain), describeStream,
		&sdk.DescribeLiveStreamsNotifyUrlConfigRequest{DomainName: &domain})
	if err != nil {
		return false, err
	}
	_, number := reply.LiveStreamsNotifyConfig.Key.(json.Number)
	return number, nil
}
