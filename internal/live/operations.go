// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"net/http"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

// Operation is a call of the cloud API and its documented limit.
type Operation struct {
	Action string  // the RAM action is live:<Action>
	Limit  float64 // requests per second and account, as documented
	Write  bool
	// OfDomain: a RAM policy can grant the call for single domains. The others
	// are granted for all resources or not at all. It is the "resource type" of
	// the operation's page; for the update, describe and delete of MPU
	// subscriptions, whose pages have none, that of their create.
	OfDomain bool
	OfApp    bool // likewise for single RTC or messaging applications
	Tool     bool // only the command line calls it, never the operator
	get      bool // a GET, where all others are a POST
}

// Method returns the HTTP method of the requests.
func (op Operation) Method() string {
	if op.get {
		return http.MethodGet
	}
	return http.MethodPost
}

// rate is the limit of the operation.
func (op Operation) rate() quota.Rate { return quota.Rate{Name: op.Action, PerSecond: op.Limit} }

// The operations in use. Limits are those of the vendor's pages; that of
// DescribeLiveStreamsNotifyUrlConfig is given per minute in the Chinese
// original (docs/cloud-api.md).
var (
	setStream      = use(Operation{Action: "SetLiveStreamsNotifyUrlConfig", Limit: 15, Write: true})
	deleteStream   = use(Operation{Action: "DeleteLiveStreamsNotifyUrlConfig", Limit: 15, Write: true, OfDomain: true})
	describeStream = use(Operation{Action: "DescribeLiveStreamsNotifyUrlConfig", Limit: 1000.0 / 60})
	streamRecords  = use(Operation{Action: "DescribeLiveStreamsNotifyRecords", Limit: 100, OfDomain: true})

	addRecord      = use(Operation{Action: "AddLiveRecordNotifyConfig", Limit: 30, Write: true, OfDomain: true})
	updateRecord   = use(Operation{Action: "UpdateLiveRecordNotifyConfig", Limit: 30, Write: true, OfDomain: true})
	deleteRecord   = use(Operation{Action: "DeleteLiveRecordNotifyConfig", Limit: 30, Write: true, OfDomain: true})
	describeRecord = use(Operation{Action: "DescribeLiveRecordNotifyConfig", Limit: 50})
	recordRecords  = use(Operation{Action: "DescribeLiveRecordNotifyRecords", Limit: 100, OfDomain: true})

	createMPU   = use(Operation{Action: "CreateRtcMPUEventSub", Limit: 50, Write: true})
	updateMPU   = use(Operation{Action: "UpdateRtcMPUEventSub", Limit: 50, Write: true})
	deleteMPU   = use(Operation{Action: "DeleteRtcMPUEventSub", Limit: 50, Write: true})
	describeMPU = use(Operation{Action: "DescribeRtcMPUEventSub", Limit: 50})
	mpuRecords  = use(Operation{Action: "ListRtcMPUEventSubRecord", Limit: 100})

	addSnapshot      = use(Operation{Action: "AddLiveSnapshotNotifyConfig", Limit: 30, Write: true, OfDomain: true})
	updateSnapshot   = use(Operation{Action: "UpdateLiveSnapshotNotifyConfig", Limit: 30, Write: true, OfDomain: true})
	deleteSnapshot   = use(Operation{Action: "DeleteLiveSnapshotNotifyConfig", Limit: 30, Write: true})
	describeSnapshot = use(Operation{Action: "DescribeLiveSnapshotNotifyConfig", Limit: 30, OfDomain: true})
	snapshotJobs     = use(Operation{Action: "DescribeLiveSnapshotConfig", Limit: 100})

	addDetect      = use(Operation{Action: "AddLiveDetectNotifyConfig", Limit: 30, Write: true, OfDomain: true})
	updateDetect   = use(Operation{Action: "UpdateLiveDetectNotifyConfig", Limit: 30, Write: true, OfDomain: true})
	deleteDetect   = use(Operation{Action: "DeleteLiveDetectNotifyConfig", Limit: 30, Write: true, OfDomain: true})
	describeDetect = use(Operation{Action: "DescribeLiveDetectNotifyConfig", Limit: 50})

	addAudit      = use(Operation{Action: "AddLiveAudioAuditNotifyConfig", Limit: 10, Write: true, OfDomain: true})
	updateAudit   = use(Operation{Action: "UpdateLiveAudioAuditNotifyConfig", Limit: 10, Write: true, OfDomain: true})
	deleteAudit   = use(Operation{Action: "DeleteLiveAudioAuditNotifyConfig", Limit: 10, Write: true, OfDomain: true})
	describeAudit = use(Operation{Action: "DescribeLiveAudioAuditNotifyConfig", Limit: 10})

	createEvent  = use(Operation{Action: "CreateEventSub", Limit: 100, Write: true, OfApp: true})
	updateEvent  = use(Operation{Action: "UpdateEventSub", Limit: 50, Write: true, OfApp: true})
	deleteEvent  = use(Operation{Action: "DeleteEventSub", Limit: 100, Write: true, OfApp: true})
	listEvent    = use(Operation{Action: "ListEventSub", Limit: 50, OfApp: true, get: true})
	eventRecords = use(Operation{Action: "ListEventSubEvent", Limit: 50, OfApp: true, get: true})

	modifyMessage   = use(Operation{Action: "ModifyLiveMessageAppCallback", Limit: 50, Write: true, OfApp: true})
	describeMessage = use(Operation{Action: "DescribeLiveMessageApp", Limit: 50, OfApp: true})
)

var operations []Operation

// use makes an operation one of Operations.
func use(op Operation) Operation {
	operations = append(operations, op)
	return op
}

// Operations returns all operations that the package calls, by family.
func Operations() []Operation { return operations }
