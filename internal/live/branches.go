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

// Set makes one Set of a domain: what is empty is left out, or sent empty.
func (s Stream) Set(ctx context.Context, domain string, want StreamConfig, leaveOut bool) error {
	return s.write(ctx, newTurn(quota.Least, domain), false, want, leaveOut)
}

// Remove makes one Delete of a domain. Absence is an error of class NotFound where
// the cloud says so.
func (s Stream) Remove(ctx context.Context, domain string) error {
	return s.drop(ctx, newTurn(quota.Least, domain))
}

// Add makes one Add of a domain.
func (r Record) Add(ctx context.Context, domain string, want RecordConfig) error {
	return r.create(ctx, newTurn(quota.Least, domain), want)
}

// Update makes one Update of a domain: what is empty is left out, or sent empty.
func (r Record) Update(ctx context.Context, domain string, want RecordConfig, leaveOut bool) error {
	return r.write(ctx, newTurn(quota.Least, domain), false, want, leaveOut)
}

// codeOf returns the cloud's code of an error.
func codeOf(err error) string {
	if e, ok := err.(*Error); ok { //nolint:errorlint // call returns it unwrapped
		return e.Code
	}
	return ""
}
