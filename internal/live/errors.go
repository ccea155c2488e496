// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

// Class says what an error means for the caller, whatever its spelling.
type Class string

// Error classes.
const (
	// Unavailable: the cloud was not reached, or failed. Retrying may help; so
	// it is also the class of everything unknown.
	Unavailable Class = "Unavailable"
	// Throttled: a request quota is used up. Error.RetryAfter says for how long.
	Throttled Class = "Throttled"
	// AccessDenied: the credentials were refused, or lack a permission.
	AccessDenied Class = "AccessDenied"
	// NoCredentials: no credentials could be loaded; nothing was sent.
	NoCredentials Class = "NoCredentials"
	// NotFound: there is no such configuration. Get never returns it: absence is
	// a value there.
	NotFound Class = "NotFound"
	// Exists: there is such a configuration already.
	Exists Class = "Exists"
	// Several: there are several where there can be one, so that it is not known
	// which is meant.
	Several Class = "Several"
	// DomainNotFound: the account has no such domain or application.
	DomainNotFound Class = "DomainNotFound"
	// WrongDomainType: the domain is not of the type that the family is for.
	WrongDomainType Class = "WrongDomainType"
	// Rejected: the request was refused for what it says.
	Rejected Class = "Rejected"
)

// Error is a failed request. Its text is the same for the same failure: no
// request ID, time or URL is in it, nor an authentication key.
type Error struct {
	Class   Class
	Action  string // the operation, such as SetLiveStreamsNotifyUrlConfig
	Code    string // the cloud's code; Network, Timeout or MalformedReply where it sent none
	Message string // the cloud's message, as Clean returns it

	RequestID  string        // for the log and the vendor's support
	RetryAfter time.Duration // the wait that the cloud asks for; 0 if none

	begun bool // an earlier step of the same change was done
}

// Error returns the action, the code and the message.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Action, e.Code, e.Message)
}

// ClassOf returns the class of an error: that of the *Error in its chain, else
// Unavailable, since nobody knows that a retry would not help. It returns ""
// for nil.
func ClassOf(err error) Class {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Unavailable
}

// altered returns a copy of an error of the cloud with a change; any other error as it
// is.
func altered(err error, change func(*Error)) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	other := *e
	change(&other)
	return &other
}

// withClass returns an error of the cloud as one of another class.
func withClass(err error, class Class) error {
	return altered(err, func(e *Error) { e.Class = class })
}

// found returns an error of what the client itself found out, in the cloud's words.
func found(class Class, op Operation, code, message string) *Error {
	return &Error{Class: class, Action: op.Action, Code: code, Message: message}
}

// begun marks the failure of a later step of a change, of which an earlier one was
// done: it is no refusal of the change, whatever it says.
func begun(err error) error {
	if d, ok := errors.AsType[*quota.Deferral](err); ok {
		return &Error{Class: Throttled, Action: d.Name, Code: codeNoTurn, Message: "a change that has begun has no turn to go on", RetryAfter: d.Wait, begun: true}
	}
	return altered(err, func(e *Error) { e.begun = true })
}

// Refused tells whether nothing was done, for certain: the cloud refused, or nothing
// was sent, as of a request that has no turn yet. Of a write that failed otherwise
// nobody knows.
func Refused(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		return !e.begun && (e.Class != "" && e.Class != Unavailable || e.Code == codeExpired || e.Code == codeClock)
	}
	_, later := errors.AsType[*quota.Deferral](err)
	return later
}

// Unanswered tells whether the party that was asked gave no reply of its own: it was
// not reached, it was late, it is out of service, or something else replied.
func (e *Error) Unanswered() bool {
	return e.Code == codeNetwork || e.Code == codeTimeout || e.Code == codeMalformed || e.Code == "ServiceUnavailable"
}

// label returns the code for metrics. A code that is not known becomes Other,
// so that no endpoint can make up series without end.
func (e *Error) label() string {
	_, known := classes[e.Code]
	if known || e.Code == codeNetwork || e.Code == codeTimeout || e.Code == codeMalformed {
		return e.Code
	}
	return codeOther
}

// Codes that did not come from the cloud.
const (
	codeNetwork   = "Network"
	codeTimeout   = "Timeout"
	codeMalformed = "MalformedReply"
	codeOther     = "Other" // it sent one that is none, or must not be shown
)

// Codes of the cloud that are told apart.
const (
	codeExpired   = "InvalidSecurityToken.Expired"
	codeClock     = "InvalidTimeStamp.Expired"
	codeNoTurn    = "NoTurn"
	codeSignature = "SignatureDoesNotMatch"
)

// messages take the place of the cloud's own, where that is the whole request, or
// does not say what to do.
var messages = map[string]string{
	codeSignature:         "the signature does not match: check the access key secret",
	"IncompleteSignature": "the signature does not match: check the access key secret",
	codeClock:             "the clock of this machine is off: the cloud takes the request for an old one",
}

// classes are the documented codes, by what they mean. Codes that are not
// listed are classified by prefix and status in classify.
var classes = map[string]Class{
	"ServiceUnavailable": Unavailable,
	"InternalError":      Unavailable,
	"ServerError":        Unavailable,
	// A nonce of ours was seen before: the next request has another.
	"SignatureNonceUsed": Unavailable,
	// A clock is off, which passes.
	codeClock: Unavailable,

	"Throttling":          Throttled,
	"Throttling.User":     Throttled,
	"Throttling.Api":      Throttled,
	"Rejected.Throttling": Throttled,

	"Forbidden":                                  AccessDenied,
	"Forbidden.RAM":                              AccessDenied,
	"NoPermission":                               AccessDenied,
	"NoAuth":                                     AccessDenied,
	"OperationDenied":                            AccessDenied,
	"InvalidIdentity.ServiceDisabled":            AccessDenied,
	"InvalidAccessKeyId.NotFound":                AccessDenied,
	"InvalidAccessKeyId.Inactive":                AccessDenied,
	"InvalidTimeStamp.Format":                    AccessDenied,
	codeSignature:                                AccessDenied,
	codeExpired:                                  AccessDenied, // for good; a session is renewed
	"InvalidSecurityToken.Malformed":             AccessDenied,
	"InvalidSecurityToken.MismatchWithAccessKey": AccessDenied,

	"InvalidConfig.NotFound": NotFound,
	"ConfigNotFound":         NotFound,
	"CodeConfigNotFound":     NotFound,
	"ResourceNotExist":       NotFound,

	"ConfigAlreadyExists":     Exists,
	"CodeConfigAlreadyExists": Exists,
	"ConfigExisted":           Exists,

	"InvalidDomain.NotFound": DomainNotFound,
	"AppInfoNotExist":        DomainNotFound,
	"InvalidAppId":           DomainNotFound,

	"CodeNotPushDomain": WrongDomainType,
	"IllegalOperation":  WrongDomainType,

	"InvalidParam":                   Rejected,
	"InputInvalid":                   Rejected,
	"MalformedParam":                 Rejected,
	"InvalidNotifyUrl.Malformed":     Rejected,
	"InvalidNotifyUrl.Unsafe":        Rejected,
	"InvalidOnDemandUrl.Malformed":   Rejected,
	"InvalidOnDemandUrl.Unsafe":      Rejected,
	"InvalidStartTime.Malformed":     Rejected,
	"InvalidEndTime.Malformed":       Rejected,
	"InvalidEndTime.Mismatch":        Rejected,
	"Duration.Exceed":                Rejected,
	"CodeGetMainPlaybackDomainError": Rejected,
	"CodeGetPushbackDomainError":     Rejected,
	"InvalidProduct.NotFound":        Rejected,
	"InvalidApi.NotFound":            Rejected,
	"InvalidProtocol.NeedSsl":        Rejected,
}

// Codes returns the documented codes, by what they mean, for documentation.
func Codes() map[string]Class { return maps.Clone(classes) }

// classify says what an error code means.
func classify(status int, code string) Class {
	class, known := classes[code]
	switch {
	case known:
		return class
	case strings.Contains(code, "Throttling"): // of a kind that is not documented
		return Throttled
	case status >= http.StatusInternalServerError:
		return Unavailable
	case strings.HasPrefix(code, "Missing"): // MissingDomainName, MissingParameter, MissingParam
		return Rejected
	default:
		return Unavailable
	}
}

// maxMessage bounds, in bytes, what is kept of a message from the cloud.
const maxMessage = 300
