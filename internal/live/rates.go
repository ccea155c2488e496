// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import "github.com/live-notify/live-notify-operator/internal/quota"

// RevisionFormat is what each revision begins with that can be compared with those
// of this version.
const RevisionFormat = "1:"

// WriteRate is the limit of the operation that Put calls first.
func (Stream) WriteRate(bool) quota.Rate { return setStream.rate() }

// WriteRate is the limit of the operation that Put calls first.
func (MPU) WriteRate(create bool) quota.Rate {
	if create {
		return createMPU.rate()
	}
	return updateMPU.rate()
}
