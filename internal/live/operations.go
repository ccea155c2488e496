// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"net/http"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

// operation is a call of the cloud API and its documented limit.
type operation struct {
	action string
	limit  float64 // requests per second and account, as documented
	write  bool
	// ofDomain: a RAM policy can grant the call for single domains. The others
	// are granted for all resources or not at all. It is the "resource type" of
	// the operation's page; for the update, describe and delete of MPU
	// subscriptions, whose pages have none, that of their create.
	ofDomain bool
	// tool: only the command line calls it, never the operator.
	tool  bool
	ofApp bool // likewise for single RTC or messaging applications
	get   bool // a GET, where all others are a POST
}

func (op operation) method() string {
	if op.get {
		return http.MethodGet
	}
	return http.MethodPost
}

// rate is the limit of the operation.
func (op operation) rate() quota.Rate { return quota.Rate{Name: op.action, PerSecond: op.limit} }

// The operations in use. Limits are those of the vendor's pages; that of
// DescribeLiveStreamsNotifyUrlConfig is given per minute in the Chinese
// original (docs/cloud-api.md).
var (
	setStream      = use(operation{action: "SetLiveStreamsNotifyUrlConfig", limit: 15, write: true})
	deleteStream   = use(operation{action: "DeleteLiveStreamsNotifyUrlConfig", limit: 15, write: true, ofDomain: true})
	describeStream = use(operation{action: "DescribeLiveStreamsNotifyUrlConfig", limit: 1000.0 / 60})
	streamRecords  = use(operation{action: "DescribeLiveStreamsNotifyRecords", limit: 100, ofDomain: true})

	addRecord      = use(operation{action: "AddLiveRecordNotifyConfig", limit: 30, write: true, ofDomain: true})
	updateRecord   = use(operation{action: "UpdateLiveRecordNotifyConfig", limit: 30, write: true, ofDomain: true})
	deleteRecord   = use(operation{action: "DeleteLiveRecordNotifyConfig", limit: 30, write: true, ofDomain: true})
	describeRecord = use(operation{action: "DescribeLiveRecordNotifyConfig", limit: 50})
	recordRecords  = use(operation{action: "DescribeLiveRecordNotifyRecords", limit: 100, ofDomain: true})

	createMPU   = use(operation{action: "CreateRtcMPUEventSub", limit: 50, write: true})
	updateMPU   = use(operation{action: "UpdateRtcMPUEventSub", limit: 50, write: true})
	deleteMPU   = use(operation{action: "DeleteRtcMPUEventSub", limit: 50, write: true})
	describeMPU = use(operation{action: "DescribeRtcMPUEventSub", limit: 50})
	mpuRecords  = use(operation{action: "ListRtcMPUEventSubRecord", limit: 100})

	addSnapshot      = use(operation{action: "AddLiveSnapshotNotifyConfig", limit: 30, write: true, ofDomain: true})
	updateSnapshot   = use(operation{action: "UpdateLiveSnapshotNotifyConfig", limit: 30, write: true, ofDomain: true})
	deleteSnapshot   = use(operation{action: "DeleteLiveSnapshotNotifyConfig", limit: 30, write: true})
	describeSnapshot = use(operation{action: "DescribeLiveSnapshotNotifyConfig", limit: 30, ofDomain: true})
	snapshotJobs     = use(operation{action: "DescribeLiveSnapshotConfig", limit: 100})

	addDetect      = use(operation{action: "AddLiveDetectNotifyConfig", limit: 30, write: true, ofDomain: true})
	updateDetect   = use(operation{action: "UpdateLiveDetectNotifyConfig", limit: 30, write: true, ofDomain: true})
	deleteDetect   = use(operation{action: "DeleteLiveDetectNotifyConfig", limit: 30, write: true, ofDomain: true})
	describeDetect = use(operation{action: "DescribeLiveDetectNotifyConfig", limit: 50})

	addAudit      = use(operation{action: "AddLiveAudioAuditNotifyConfig", limit: 10, write: true, ofDomain: true})
	updateAudit   = use(operation{action: "UpdateLiveAudioAuditNotifyConfig", limit: 10, write: true, ofDomain: true})
	deleteAudit   = use(operation{action: "DeleteLiveAudioAuditNotifyConfig", limit: 10, write: true, ofDomain: true})
	describeAudit = use(operation{action: "DescribeLiveAudioAuditNotifyConfig", limit: 10})

	createEvent  = use(operation{action: "CreateEventSub", limit: 100, write: true, ofApp: true})
	updateEvent  = use(operation{action: "UpdateEventSub", limit: 50, write: true, ofApp: true})
	deleteEvent  = use(operation{action: "DeleteEventSub", limit: 100, write: true, ofApp: true})
	listEvent    = use(operation{action: "ListEventSub", limit: 50, ofApp: true, get: true})
	eventRecords = use(operation{action: "ListEventSubEvent", limit: 50, ofApp: true, get: true})

	modifyMessage   = use(operation{action: "ModifyLiveMessageAppCallback", limit: 50, write: true, ofApp: true})
	describeMessage = use(operation{action: "DescribeLiveMessageApp", limit: 50, ofApp: true})
)

// Operation describes a call of the cloud API, for documentation.
type Operation struct {
	Action   string  // the RAM action is live:<Action>
	Limit    float64 // requests per second and account, as documented
	Write    bool
	OfDomain bool // a RAM policy can grant it for single domains
	Tool     bool // only the command line calls it
	OfApp    bool // a RAM policy can grant it for single applications
	Method   string
}

var operations []Operation

// use makes an operation one of Operations.
func use(op operation) operation {
	operations = append(operations, Operation{Action: op.action, Limit: op.limit, Write: op.write, OfDomain: op.ofDomain, OfApp: op.ofApp, Tool: op.tool, Method: op.method()})
	return op
}

// Operations returns all operations that the package calls, by family.
func Operations() []Operation { return operations }
