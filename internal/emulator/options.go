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
	// Now tells the time; default time.Now. It does not drive timeouts and pauses.
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
	// Account owns domains, applications and call limits; empty means "default".
	Account string
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
	// StreamSetExists makes SetLiveStreamsNotifyUrlConfig refuse an existing configuration: ConfigAlreadyExists.
	StreamSetExists bool `json:"streamSetExists"`
	// StreamDeleteAbsentNotFound makes DeleteLiveStreamsNotifyUrlConfig answer InvalidConfig.NotFound when nothing is
	// configured, instead of success.
	StreamDeleteAbsentNotFound bool `json:"streamDeleteAbsentNotFound"`
	// StreamKeyAsNumber makes DescribeLiveStreamsNotifyUrlConfig return an all-digit key as a JSON number. A key with a
	// leading zero stays a string, since JSON has no such number.
	StreamKeyAsNumber bool `json:"streamKeyAsNumber"`
	// RecordUpdateMerges makes UpdateLiveRecordNotifyConfig keep omitted fields instead of resetting them.
	RecordUpdateMerges bool `json:"recordUpdateMerges"`
	// MPUDescribeAbsentInvalid makes DescribeRtcMPUEventSub answer InvalidParam when there is no subscription, instead
	// of success without SubInfo.
	MPUDescribeAbsentInvalid bool `json:"mpuDescribeAbsentInvalid"`
	// ReadDelay is for how long after a write Describe still shows the state before it.
	ReadDelay time.Duration `json:"readDelay"`
	// AcceptAnyKey turns off the rules for length and characters of authentication keys.
	AcceptAnyKey bool `json:"acceptAnyKey"`
}

// Values of Switches.StreamDescribeAbsent; empty means AbsentEmpty.
const (
	AbsentEmpty    = "empty"    // an object without fields
	AbsentMissing  = "missing"  // no object
	AbsentNotFound = "notfound" // 404 InvalidConfig.NotFound
)

// Validate reports a value that no switch has.
func (sw Switches) Validate() error {
	switch sw.StreamDescribeAbsent {
	case "", AbsentEmpty, AbsentMissing, AbsentNotFound:
	default:
		return fmt.Errorf("streamDescribeAbsent %q: want %s, %s or %s",
			sw.StreamDescribeAbsent, AbsentEmpty, AbsentMissing, AbsentNotFound)
	}
	if sw.ReadDelay < 0 {
		return fmt.Errorf("readDelay %s: want no less than 0s", sw.ReadDelay)
	}
	return nil
}
