// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

// operation is a call of the cloud API and its documented limit.
type operation struct {
	action string
	limit  float64 // requests per second and account, as documented
	write  bool
}

// The operations in use. Limits are those of the vendor's pages; that of
// DescribeLiveStreamsNotifyUrlConfig is given per minute in the Chinese
// original (docs/cloud-api.md).
var (
	setStream      = operation{action: "SetLiveStreamsNotifyUrlConfig", limit: 15, write: true}
	deleteStream   = operation{action: "DeleteLiveStreamsNotifyUrlConfig", limit: 15, write: true}
	describeStream = operation{action: "DescribeLiveStreamsNotifyUrlConfig", limit: 1000.0 / 60}
	streamRecords  = operation{action: "DescribeLiveStreamsNotifyRecords", limit: 100}

	addRecord      = operation{action: "AddLiveRecordNotifyConfig", limit: 30, write: true}
	updateRecord   = operation{action: "UpdateLiveRecordNotifyConfig", limit: 30, write: true}
	deleteRecord   = operation{action: "DeleteLiveRecordNotifyConfig", limit: 30, write: true}
	describeRecord = operation{action: "DescribeLiveRecordNotifyConfig", limit: 50}
	recordRecords  = operation{action: "DescribeLiveRecordNotifyRecords", limit: 100}

	createMPU   = operation{action: "CreateRtcMPUEventSub", limit: 50, write: true}
	updateMPU   = operation{action: "UpdateRtcMPUEventSub", limit: 50, write: true}
	deleteMPU   = operation{action: "DeleteRtcMPUEventSub", limit: 50, write: true}
	describeMPU = operation{action: "DescribeRtcMPUEventSub", limit: 50}
	mpuRecords  = operation{action: "ListRtcMPUEventSubRecord", limit: 100}
)
