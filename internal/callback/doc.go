// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package callback makes the requests that the cloud makes to a receiver: one table
// says how, for each family. It knows neither Kubernetes nor the API of the cloud.
package callback
