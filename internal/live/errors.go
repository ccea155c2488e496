// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"
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
	Message string // the cloud's message, redacted

	RequestID  string        // for the log and the vendor's support
	RetryAfter time.Duration // the wait that the cloud, or our own quota, asks for; 0 if none
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

// label returns the code for metrics. A code that is not known becomes Other,
// so that no endpoint can make up series without end.
func (e *Error) label() string {
	_, known := classes[e.Code]
	if known || e.Code == codeNetwork || e.Code == codeTimeout || e.Code == codeMalformed {
		return e.Code
	}
	return "Other"
}

// Codes that did not come from the cloud.
const (
	codeNetwork   = "Network"
	codeTimeout   = "Timeout"
	codeMalformed = "MalformedReply"
	codeQuota     = "LocalQuota"
	codeNoCreds   = "NoCredentials"
)

// classes are the documented codes, by what they mean. Codes that are not
// listed are classified by prefix and status in classify.
var classes = map[string]Class{
	"ServiceUnavailable": Unavailable,
	"InternalError":      Unavailable,
	"ServerError":        Unavailable,
	// A nonce of ours was seen before: the next request has another.
	"SignatureNonceUsed": Unavailable,

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
	"InvalidTimeStamp.Expired":                   AccessDenied,
	"SignatureDoesNotMatch":                      AccessDenied,
	"InvalidSecurityToken.Expired":               AccessDenied,
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

// keyParameter finds an authentication key that is called by its name: as a
// request parameter, in JSON or in XML, also where that was quoted or
// percent-encoded again, as in a string to sign.
var keyParameter = regexp.MustCompile(`(?i)(AuthKey` + between + `*(?:[=:>]|%(?:25)*3[ade])` + between + `*)[a-z0-9]+`)

// between is a character that may stand between the name of a key and the key.
const between = `(?:[\s+"'\\=:>]|%(?:25)*(?:2[027b]|3[ade]|5c))`

// redact returns a message from the cloud that is safe and stable: keys are
// hidden, the request ID is removed, the length is bounded.
func redact(message, requestID string, keys ...Key) string {
	message = hide(message, keys)
	if requestID != "" {
		// What was apart may be a key now.
		message = hide(strings.ReplaceAll(message, requestID, ""), keys)
	}
	message = strings.Join(strings.FieldsFunc(message, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "..."
	}
	return message
}

// hide replaces keys, those that are known and those called by their name.
func hide(message string, keys []Key) string {
	for _, k := range keys {
		if k != "" {
			message = spelled(k).ReplaceAllString(message, hidden)
		}
	}
	return keyParameter.ReplaceAllString(message, "${1}"+hidden)
}

// spelled finds a key as a server may repeat it: in either case, percent-encoded,
// as escapes of JSON or references of HTML and XML, in hex or in base64.
func spelled(k Key) *regexp.Regexp {
	var letters, digits strings.Builder
	for _, c := range []byte(k) {
		fmt.Fprintf(&letters, `(?:%[1]s|%%(?:25)*%02[2]x|\\+(?:u00|x)%02[2]x|&#(?:0*%[2]d|x0*%[2]x);)`, regexp.QuoteMeta(string(c)), c)
		fmt.Fprintf(&digits, "%02x", c)
	}
	return regexp.MustCompile(`(?i)` + letters.String() + `|` + digits.String() + `|(?-i:` + strings.Join(base64Spellings(string(k)), "|") + `)`)
}

// base64Spellings are what of a key is the same in the base64 of every text that
// holds it: one for each place in a group of three characters.
func base64Spellings(key string) []string {
	var all []string
	for before := range 3 {
		padded := make([]byte, before, before+len(key))
		padded = append(padded, key...)
		encoded := base64.RawStdEncoding.EncodeToString(padded)
		// The first and the last character may share bits with a neighbour.
		from, to := (before*8+5)/6, len(padded)*8/6
		all = append(all, regexp.QuoteMeta(encoded[from:to]))
	}
	return all
}
