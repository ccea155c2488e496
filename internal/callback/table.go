// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package callback

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Family are callbacks that are sent alike.
type Family string

// Families.
const (
	Stream   Family = "stream"   // start and stop of an ingest stream
	Record   Family = "record"   // recordings
	OnDemand Family = "ondemand" // whether to record a stream
	Snapshot Family = "snapshot"
	MPU      Family = "mpu" // events of mixed streams
	RTC      Family = "rtc" // events of channels and users
)

// shape is how the callbacks of a family are sent.
type shape struct {
	method      string
	contentType string // of the body; "" for parameters of the URL
	// signs returns what of the configuration the signature is over; nil for a
	// family that is sent unsigned here.
	signs func(domain, target string) string
	// stamp is a header with the time, for a family whose signature is not known.
	stamp string
	// types of the callbacks, as they are recorded; none for a family that has one.
	types []string
}

func ofDomain(domain, _ string) string { return domain }

func ofReceiver(_, target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// table says how the cloud sends callbacks. The sender of the emulator is tested
// against it.
var table = map[Family]shape{
	Stream:   {method: http.MethodGet, signs: ofDomain, types: []string{"publish", "publish_done"}},
	OnDemand: {method: http.MethodGet, signs: ofReceiver},
	Record: {method: http.MethodPost, contentType: "application/json", signs: ofReceiver, types: []string{
		"file_created", "record_started", "record_paused", "record_resumed", "record_error", "record_force_transcode_fail", "transformat_error",
	}},
	Snapshot: {method: http.MethodPost, contentType: "application/json", signs: ofReceiver, types: []string{"snapshot"}},
	MPU:      {method: http.MethodPost, contentType: "application/json; charset=utf-8", stamp: "Ali-Rtc-Timestamp"},
	RTC:      {method: http.MethodPost, contentType: "application/json; charset=utf-8", stamp: "Ali-Rtc-Timestamp"},
}

// UserAgent is what the cloud calls itself.
const UserAgent = "Go-http-client/1.1"

// Headers of a signature.
const (
	TimestampHeader = "ALI-LIVE-TIMESTAMP"
	SignatureHeader = "ALI-LIVE-SIGNATURE"
)

// Signed tells whether callbacks of a family can be signed. The formulas for MPU and
// RTC are not published.
func (f Family) Signed() bool { return table[f].signs != nil }

// Method returns the HTTP method of a family; "" if it is not known.
func (f Family) Method() string { return table[f].method }

// Types returns the types that callbacks of a family have, the usual one first; none
// for a family whose callbacks do not differ.
func (f Family) Types() []string { return slices.Clone(table[f].types) }

// Event is one callback to be sent.
type Event struct {
	Family Family
	Domain string // whose configuration it is
	Target string // URL of the receiver
	// Content is the body, or the parameters as a JSON object.
	Content string
}

// Request is one to a receiver.
type Request struct {
	Method, URL string
	Header      http.Header
	Body        []byte
}

// Build returns the request for an event, signed with a key, "" for not at all, at a
// time.
func (e Event) Build(key string, at time.Time) (Request, error) {
	s, ok := table[e.Family]
	if !ok {
		return Request{}, fmt.Errorf("there are no callbacks of the family %q", string(e.Family))
	}
	r := Request{Method: s.method, URL: e.Target, Header: http.Header{"User-Agent": {UserAgent}}}
	if s.contentType != "" {
		r.Header.Set("Content-Type", s.contentType)
		r.Body = []byte(body(e.Content))
	} else {
		facts, err := parameters(e.Content)
		if err != nil {
			return Request{}, err
		}
		r.URL = withQuery(e.Target, facts)
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	if s.stamp != "" {
		r.Header.Set(s.stamp, timestamp)
	}
	if key != "" && s.signs != nil {
		r.Header.Set(TimestampHeader, timestamp)
		r.Header.Set(SignatureHeader, Signature(s.signs(e.Domain, e.Target), timestamp, key))
	}
	return r, nil
}

// Signature returns that of a callback.
func Signature(domain, timestamp, key string) string {
	sum := md5.Sum([]byte(domain + "|" + timestamp + "|" + key)) // as the cloud does it
	return hex.EncodeToString(sum[:])
}

// object returns the JSON object of a recorded content, which may stand behind a
// prefix of the log; "" if there is none.
func object(content string) string {
	i := strings.IndexByte(content, '{')
	if i < 0 || !json.Valid([]byte(content[i:])) {
		return ""
	}
	return content[i:]
}

// body returns what was the body: the content, without the prefix of a log.
func body(content string) string {
	if o := object(content); o != "" {
		return o
	}
	return content
}

// errContent tells that the cloud recorded no parameters.
var errContent = errors.New("the recorded content is no JSON object: the parameters of the callback are not known")

// parameters returns the parameters that a content stands for.
func parameters(content string) (url.Values, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(object(content))))
	d.UseNumber()
	var facts map[string]any
	if err := d.Decode(&facts); err != nil {
		return nil, errContent
	}
	values := url.Values{}
	for name, v := range facts {
		switch v := v.(type) {
		case string:
			values.Set(name, v)
		case json.Number:
			values.Set(name, v.String())
		case bool:
			values.Set(name, strconv.FormatBool(v))
		case nil:
			values.Set(name, "")
		default:
			return nil, errContent
		}
	}
	return values, nil
}

// withQuery adds parameters to a URL.
func withQuery(target string, values url.Values) string {
	base, fragment, found := strings.Cut(target, "#")
	separator := "?"
	if strings.Contains(base, "?") {
		separator = "&"
	}
	if found && fragment != "" {
		fragment = "#" + fragment
	}
	return base + separator + values.Encode() + fragment
}
