// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"

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
	return shaped(describedStream(ctx, s.client, newTurn(quota.Least, domain)))
}

// Describe makes one Describe of an application.
func (m MPU) Describe(ctx context.Context, appID string) (MPUConfig, Shape, error) {
	return shaped(describedMPU(ctx, m.client, newTurn(quota.Least, appID)))
}

// shaped tells an object that is empty, and an error that is an answer.
func shaped[C config](have C, shape Shape, err error) (C, Shape, error) {
	var none C
	switch {
	case ClassOf(err) == NotFound:
		return none, ShapeNotFound, nil
	case err != nil:
		return none, "", err
	case shape == ShapePresent && have == none:
		return none, ShapeEmpty, nil
	}
	return have, shape, nil
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

// codeOf returns the cloud's code of an error.
func codeOf(err error) string {
	if e, ok := err.(*Error); ok { //nolint:errorlint // call returns it unwrapped
		return e.Code
	}
	return ""
}
