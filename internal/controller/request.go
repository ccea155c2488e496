// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// maxRequest bounds what of the annotation is looked at, in bytes: it goes into
// the status.
const maxRequest = 128

// requestOf returns the last request of a person to look at an object now; "" for
// none.
func requestOf(o client.Object) string {
	return live.Bound(o.GetAnnotations()[v1alpha1.AnnotationReconcileRequestedAt], maxRequest)
}

// requested tells whether someone asks to look now, and that is still to be done.
func (p *pass) requested() bool {
	request := requestOf(p.obj)
	return request != "" && request != p.status.LastHandledReconcileAt
}

// handled notes that what someone asked for is done: this pass had an outcome,
// whatever it was, and has no records left to count.
func (p *pass) handled() {
	if p.requested() && !p.countsOn {
		p.status.LastHandledReconcileAt = requestOf(p.obj)
	}
}
