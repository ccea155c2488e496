// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxReply bounds a reply in bytes. A page of 500 records with their contents
// is well below.
const maxReply = 16 << 20

// transport carries the SDK's requests. It turns every failure into an *Error
// before the SDK sees it: the SDK prints request URLs, which hold
// authentication keys, drops the wait that a throttled reply asks for, and
// reports an HTML error page as a JSON syntax error without its status.
type transport struct {
	client *http.Client
}

func newTransport() *transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	return &transport{client: &http.Client{
		Transport: t,
		// The API never redirects, and a signed request must not follow one.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// exchange is what the SDK's models do not carry out of a reply. It travels in
// the context since the SDK passes nothing else through.
type exchange struct{ requestID string }

type exchangeKey struct{}

// Call sends a request and returns its reply with the body read, or an *Error.
// It implements the SDK's HttpClient; the SDK's transport is not used.
func (t *transport) Call(req *http.Request, _ *http.Transport) (*http.Response, error) {
	action := req.Header["x-acs-action"][0] //nolint:staticcheck // the SDK sets it as it is signed, in lower case
	key := Key(req.URL.Query().Get("NotifyAuthKey"))
	reply, err := t.client.Do(req)
	if err != nil {
		return nil, networkError(req.Context(), action, req.URL.Host, err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(io.LimitReader(reply.Body, maxReply+1))
	if err != nil {
		return nil, networkError(req.Context(), action, req.URL.Host, err)
	}
	if reply.StatusCode >= http.StatusBadRequest {
		return nil, replyError(action, reply, body, key)
	}
	var head struct {
		RequestID string `json:"RequestId"`
		Code      json.RawMessage
	}
	if len(body) > maxReply || reply.StatusCode != http.StatusOK || !isObject(body) || json.Unmarshal(body, &head) != nil {
		return nil, malformedReply(action, reply.StatusCode)
	}
	if _, isError := classes[codeOf(head.Code)]; isError {
		return nil, replyError(action, reply, body, key)
	}
	requestID := redact(head.RequestID, "", key)
	if requestID == "" {
		// Every reply of the API has one. An object of someone else, such as a
		// proxy, holds no configuration and would read as its absence.
		return nil, malformedReply(action, reply.StatusCode)
	}
	if x, ok := req.Context().Value(exchangeKey{}).(*exchange); ok {
		x.requestID = requestID
	}
	reply.Body = io.NopCloser(bytes.NewReader(body))
	return reply, nil
}

// isObject tells whether a body can be a reply: the SDK's models need an object.
func isObject(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) }

// codeOf returns an error code as text. A success of the records operations has
// the number 0.
func codeOf(code json.RawMessage) string { return strings.Trim(string(code), `" `) }

// replyError reads a reply that is an error.
func replyError(action string, reply *http.Response, body []byte, key Key) *Error {
	var fault struct {
		RequestID string `json:"RequestId"`
		Code      json.RawMessage
		Message   string
	}
	code := ""
	if json.Unmarshal(body, &fault) == nil {
		code = codeOf(fault.Code)
	}
	shown := redact(code, "", key)
	if shown == "" || code == "null" {
		return malformedReply(action, reply.StatusCode)
	}
	class, wait := classify(reply.StatusCode, code), retryAfter(reply.Header)
	switch {
	case wait > 0: // a reply that asks to wait is throttling, whatever its code
		class = Throttled
	case class == Throttled:
		wait = timeLeft(reply.Header)
	}
	requestID := strings.TrimSpace(fault.RequestID)
	message := redact(fault.Message, requestID, key)
	if strings.HasPrefix(code, "SignatureDoesNotMatch") {
		// What follows is the whole signed request.
		message = "the signature does not match: check the access key secret"
	}
	return &Error{
		Class: class, Action: action,
		Code: shown, Message: message,
		RequestID: redact(requestID, "", key), RetryAfter: wait,
	}
}

func malformedReply(action string, status int) *Error {
	return &Error{
		Class: Unavailable, Action: action, Code: codeMalformed,
		Message: fmt.Sprintf("HTTP %d with a body that is not a reply of the API", status),
	}
}

// retryAfter returns the wait that an error asks for in x-acs-retry-after, in
// milliseconds; 0 if it does not.
func retryAfter(h http.Header) time.Duration {
	ms, err := strconv.ParseInt(h.Get("x-acs-retry-after"), 10, 32)
	if err != nil || ms < 0 {
		return 0
	}
	return min(time.Duration(ms)*time.Millisecond, maxRetryAfter)
}

// maxRetryAfter bounds the wait that a reply may ask for: nobody sends the
// operator to sleep for days.
const maxRetryAfter = 10 * time.Minute

// timeLeft returns when a quota that is used up is renewed, from the headers
// that came before x-acs-retry-after: Limit:1,Remain:0,TimeLeft:2000,Reset:1
// with TimeLeft in milliseconds. They describe the quota whatever the reply
// says, so that they mean nothing unless it is throttled.
func timeLeft(h http.Header) time.Duration {
	var longest time.Duration
	for _, name := range []string{"x-ratelimit-user-api", "x-ratelimit-user"} {
		for part := range strings.SplitSeq(h.Get(name), ",") {
			value, found := strings.CutPrefix(strings.TrimSpace(part), "TimeLeft:")
			ms, err := strconv.ParseInt(value, 10, 32)
			if found && err == nil {
				longest = max(longest, min(time.Duration(ms)*time.Millisecond, maxRetryAfter))
			}
		}
	}
	return longest
}

// networkError describes a failure to get a reply by its kind. The text of the
// underlying error is not used: it holds the request URL.
func networkError(ctx context.Context, action, host string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	e := &Error{Class: Unavailable, Action: action, Code: codeNetwork}
	var timeout net.Error
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		e.Code, e.Message = codeTimeout, "no reply from "+host+" in time"
	case errors.As(err, &dns):
		e.Message = "cannot resolve " + dns.Name
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Message = "connection refused by " + host
	case errors.As(err, &certificate):
		e.Message = "the TLS certificate of " + host + " is not trusted"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		e.Message = "connection closed by " + host + " before it replied"
	default:
		e.Message = fmt.Sprintf("no connection to %s (%T)", host, innermost(err))
	}
	return e
}

// innermost unwraps an error to the one at its root.
func innermost(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}
