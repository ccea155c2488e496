// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"log/slog"
	"time"
)

// Options configure a Server. The zero value of each field is the documented behaviour of the cloud, but for throttling,
// which is off.
type Options struct {
	// AccessKeys are the keys that may call the cloud API. Without any, every call is refused.
	AccessKeys []AccessKey
	// QPSScale multiplies the documented call limits: 1 is as documented, 0 turns throttling off. A scaled limit is
	// never less than one call.
	QPSScale float64
	// Throttle is how a limit is counted.
	Throttle ThrottleModel
	// Switches choose among the behaviours that the documentation leaves open.
	Switches Switches
	// RequireMapping makes SetLiveStreamsNotifyUrlConfig answer CodeGetMainPlaybackDomainError for an ingest domain
	// that is not mapped to a streaming domain. Off by default, so that a trial needs no mapping.
	RequireMapping bool
	// CallbackTimeout is how long a receiver has to answer a callback; default 5s.
	CallbackTimeout time.Duration
	// CallbackRetryInterval is the pause before a callback that timed out is sent again; default 1s.
	CallbackRetryInterval time.Duration
	// Now tells the time; default time.Now. It does not drive timeouts and pauses. The header Date of each answer has it.
	Now func() time.Time
	// AnyDate accepts requests of any date: for tests that move Now, but not the clock of the client.
	AnyDate bool
	// Logger receives a line per call and per callback, never with a parameter that could hold a secret; default none.
	Logger *slog.Logger
}

// AccessKey is one identity that may call the cloud API.
type AccessKey struct {
	ID, Secret string
	// SecurityToken must come with each call; empty means that none is required.
	SecurityToken string
	// Account owns domains, applications, roles and call limits; empty means "default".
	Account string
	// AccountID is the number of the account, which its keys share: the first that is given counts. Empty means one that
	// is derived from the name of the account, see [Server.AccountID].
	AccountID string
}

const defaultAccount = "default"

// ThrottleModel is how calls are counted against a limit.
type ThrottleModel string

const (
	// FixedWindow is the default: it counts calls in windows aligned to the clock: of a second for limits documented per
	// second, of a minute for limits documented per minute.
	FixedWindow ThrottleModel = "fixed-window"
	// TokenBucket refills a bucket steadily; the bucket holds what refills in one second.
	TokenBucket ThrottleModel = "token-bucket"
)

// ParseThrottleModel returns the model with the given name; the empty name is FixedWindow.
func ParseThrottleModel(name string) (ThrottleModel, error) {
	switch m := ThrottleModel(name); m {
	case "":
		return FixedWindow, nil
	case FixedWindow, TokenBucket:
		return m, nil
	}
	return "", fmt.Errorf("throttle model %q: want %s or %s", name, FixedWindow, TokenBucket)
}

// Switches choose among behaviours that the cloud's documentation leaves open. The zero value is the likeliest guess.
type Switches struct {
	// StreamDescribeAbsent is the answer of DescribeLiveStreamsNotifyUrlConfig when nothing is configured.
	StreamDescribeAbsent string `json:"streamDescribeAbsent"`
	// StreamSetMerges makes SetLiveStreamsNotifyUrlConfig keep omitted fields instead of clearing them.
	StreamSetMerges bool `json:"streamSetMerges"`
	// StreamSetKeepsEmpty makes it keep also fields that are sent empty. It needs StreamSetMerges.
	StreamSetKeepsEmpty bool `json:"streamSetKeepsEmpty"`
	// StreamSetExists makes SetLiveStreamsNotifyUrlConfig refuse an existing configuration: ConfigAlreadyExists.
	StreamSetExists bool `json:"streamSetExists"`
	// StreamDeleteAbsentNotFound makes DeleteLiveStreamsNotifyUrlConfig answer InvalidConfig.NotFound when nothing is
	// configured, instead of success.
	StreamDeleteAbsentNotFound bool `json:"streamDeleteAbsentNotFound"`
	// StreamKeyAsNumber makes DescribeLiveStreamsNotifyUrlConfig return an all-digit key as a JSON number. A key with a
	// leading zero stays a string, since JSON has no such number.
	StreamKeyAsNumber bool `json:"streamKeyAsNumber"`
	// StreamNotPushDomain makes Describe and Delete of a stream configuration answer CodeNotPushDomain for a streaming
	// domain, as Set always does, instead of IllegalOperation.
	StreamNotPushDomain bool `json:"streamNotPushDomain"`
	// RecordUpdateMerges makes UpdateLiveRecordNotifyConfig keep omitted fields instead of resetting them.
	RecordUpdateMerges bool `json:"recordUpdateMerges"`
	// RecordUpdateKeepsEmpty makes it keep also fields that are sent empty. It needs RecordUpdateMerges.
	RecordUpdateKeepsEmpty bool `json:"recordUpdateKeepsEmpty"`
	// MPUDescribeAbsentInvalid makes DescribeRtcMPUEventSub answer InvalidParam when there is no subscription, instead
	// of success without SubInfo.
	MPUDescribeAbsentInvalid bool `json:"mpuDescribeAbsentInvalid"`
	// SnapshotDescribeNotFound makes DescribeLiveSnapshotNotifyConfig answer ConfigNotFound when nothing is configured,
	// instead of empty strings.
	SnapshotDescribeNotFound bool `json:"snapshotDescribeNotFound"`
	// SnapshotUpdateMerges makes UpdateLiveSnapshotNotifyConfig keep omitted fields instead of resetting them.
	SnapshotUpdateMerges bool `json:"snapshotUpdateMerges"`
	// SnapshotDeleteNotFound makes DeleteLiveSnapshotNotifyConfig answer ConfigNotFound when nothing is configured.
	SnapshotDeleteNotFound bool `json:"snapshotDeleteNotFound"`
	// DetectDeleteNotFound makes DeleteLiveDetectNotifyConfig answer InvalidConfig.NotFound when nothing is configured.
	DetectDeleteNotFound bool `json:"detectDeleteNotFound"`
	// AuditDescribeNotFound makes DescribeLiveAudioAuditNotifyConfig answer ConfigNotFound when nothing is configured,
	// instead of an empty list.
	AuditDescribeNotFound bool `json:"auditDescribeNotFound"`
	// AuditUpdateMerges makes UpdateLiveAudioAuditNotifyConfig keep omitted fields instead of clearing them.
	AuditUpdateMerges bool `json:"auditUpdateMerges"`
	// AuditUpdateKeepsEmpty makes it keep also fields that are sent empty. It needs AuditUpdateMerges.
	AuditUpdateKeepsEmpty bool `json:"auditUpdateKeepsEmpty"`
	// AuditDeleteNotFound makes DeleteLiveAudioAuditNotifyConfig answer ConfigNotFound when nothing is configured.
	AuditDeleteNotFound bool `json:"auditDeleteNotFound"`
	// EventListNotFound makes ListEventSub answer ResourceNotExist for an application without subscriptions, instead of
	// an empty list.
	EventListNotFound bool `json:"eventListNotFound"`
	// EventTimesByMinute makes ListEventSubEvent count both its times down to the minute.
	EventTimesByMinute bool `json:"eventTimesByMinute"`
	// MessageOmittedKept makes ModifyLiveMessageAppCallback keep the callback when it is omitted, instead of clearing it.
	MessageOmittedKept bool `json:"messageOmittedKept"`
	// ReadDelay is for how long after a write Describe still shows the state before it.
	ReadDelay time.Duration `json:"readDelay"`
	// AcceptAnyKey turns off the rules for length and characters of authentication keys.
	AcceptAnyKey bool `json:"acceptAnyKey"`
	// EmptyParameters is what the gateway makes of a parameter that is sent empty, whatever the operation.
	EmptyParameters string `json:"emptyParameters"`
	// RecordsOrder is in which order the callback records of a domain come.
	RecordsOrder string `json:"recordsOrder"`
	// MaxPageSize lowers the largest page of callback records; 0 means as documented.
	MaxPageSize int `json:"maxPageSize"`
	// ClampPageSize makes a larger page the largest there can be, instead of refusing it.
	ClampPageSize bool `json:"clampPageSize"`
	// MappingOmitsQueried leaves the domain that is asked about out of the answer of DescribeLiveDomainMapping.
	MappingOmitsQueried bool `json:"mappingOmitsQueried"`
	// FollowRedirects makes the sender of callbacks follow redirects, which otherwise are failures.
	FollowRedirects bool `json:"followRedirects"`
}

// Values of Switches.StreamDescribeAbsent; empty means AbsentEmpty.
const (
	AbsentEmpty    = "empty"    // an object without fields
	AbsentMissing  = "missing"  // no object
	AbsentNotFound = "notfound" // 404 InvalidConfig.NotFound
)

// Values of Switches.EmptyParameters; empty means EmptyValue.
const (
	EmptyValue   = "value"   // passed on to the operation, which tells it from an absent one
	EmptyMissing = "missing" // counts as absent: Missing<Name> where the operation needs it
	EmptyRefused = "refused" // Missing<Name> where the operation needs it, MissingParameter elsewhere
)

// Values of Switches.RecordsOrder; empty means OrderNewest.
const (
	OrderNewest   = "newest"   // newest first
	OrderOldest   = "oldest"   // oldest first
	OrderShuffled = "shuffled" // by nothing that a caller could know, and the same each time
)

// Validate reports a value that no switch has.
func (sw Switches) Validate() error {
	if err := oneOf("streamDescribeAbsent", sw.StreamDescribeAbsent,
		AbsentEmpty, AbsentMissing, AbsentNotFound); err != nil {
		return err
	}
	if err := oneOf("emptyParameters", sw.EmptyParameters, EmptyValue, EmptyMissing, EmptyRefused); err != nil {
		return err
	}
	if err := oneOf("recordsOrder", sw.RecordsOrder, OrderNewest, OrderOldest, OrderShuffled); err != nil {
		return err
	}
	if sw.ReadDelay < 0 {
		return fmt.Errorf("readDelay %s: want no less than 0s", sw.ReadDelay)
	}
	if sw.MaxPageSize < 0 {
		return fmt.Errorf("maxPageSize %d: want no less than 0", sw.MaxPageSize)
	}
	return nil
}

// oneOf reports a value of a switch that is neither empty nor one of three.
func oneOf(name, value, a, b, c string) error {
	switch value {
	case "", a, b, c:
		return nil
	}
	return fmt.Errorf("%s %q: want %s, %s or %s", name, value, a, b, c)
}
