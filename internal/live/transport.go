// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Bounds of a reply, so that no endpoint fills the memory. What is made of a reply can
// be many times as large as its bytes: it is its tokens that count, and how many
// replies are decoded at once. A page of 100 records is well below.
const (
	maxReply   = 1 << 20  // bytes, after unpacking
	maxSmall   = 64 << 10 // one that is larger is read and decoded alone
	maxFault   = maxSmall // of an error
	maxHeader  = 64 << 10
	maxTokens  = 20_000
	maxDepth   = 16
	maxDecoded = 2
)

// newWire returns the way to an endpoint.
func newWire(e endpoint, version, region string) *wire {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	t.MaxResponseHeaderBytes = maxHeader
	t.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, reply *http.Response) error {
		if reply.StatusCode != http.StatusOK {
			return proxyError(reply.StatusCode)
		}
		return nil
	}
	return &wire{
		endpoint: e, version: version, region: region,
		client: &http.Client{
			Transport: t,
			// The API never redirects, and a signed request must not follow one.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		decoding: make(chan struct{}, maxDecoded),
		large:    make(chan struct{}, 1),
	}
}

// proxyError is the status with which a proxy refused to connect.
type proxyError int

func (e proxyError) Error() string { return "HTTP " + strconv.Itoa(int(e)) }

// exchange is one request and what the models do not carry out of its reply.
type exchange struct {
	action    string
	requestID string
	received  time.Time // when there was a reply of the API; zero if there was none
	date      time.Time // what the cloud's clock said then; zero if it did not
	places    []chan struct{}
	ails      bool        // the reply speaks of a failure
	stray     func() bool // whether the reply has URLs that the model does not know; nil if there was none
}

// normalize makes an *Error of what a request returned. Errors of the transport
// are one already; anything else is of what reads a reply, and its text may hold that.
func normalize(ctx context.Context, action string, err error) error {
	switch e, ok := errors.AsType[*Error](err); {
	case err == nil:
		return nil
	case ok:
		return e
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Class: Unavailable, Action: action, Code: codeTimeout, Message: "no reply in time"}
	default:
		return malformed(action, "the reply has a value of another type than is documented")
	}
}

// malformed is the error of a reply that is none of the API, or does not say what it has
// to.
func malformed(action, message string) *Error {
	return &Error{Class: Unavailable, Action: action, Code: codeMalformed, Message: message}
}

// notOfAPI is the error of a reply whose status or body is none of the API.
func notOfAPI(action string, reply *http.Response) *Error {
	return malformed(action, fmt.Sprintf("HTTP %d with a body that is not a reply of the API", reply.StatusCode))
}

// call sends a request and returns the body of its reply, or an *Error.
func (w *wire) call(req *http.Request, x *exchange) ([]byte, error) {
	ctx := req.Context()
	reply, err := w.client.Do(req)
	if err != nil {
		return nil, networkError(ctx, x.action, req.URL.Host, err)
	}
	defer reply.Body.Close()
	most, isError := maxReply, reply.StatusCode >= http.StatusBadRequest
	switch {
	case isError:
		most = maxFault
	case reply.StatusCode != http.StatusOK:
		// Its body is not read: that of an upgraded connection ends when the server
		// likes, whatever the context of the request says.
		return nil, notOfAPI(x.action, reply)
	}
	body, err := w.read(ctx, x, reply.Body, most)
	if unpacking(err) {
		return nil, malformed(x.action, fmt.Sprintf("HTTP %d with a body that cannot be unpacked", reply.StatusCode))
	}
	if err != nil {
		return nil, networkError(ctx, x.action, req.URL.Host, err)
	}
	head, ok := headOf(body.Bytes(), most)
	code := head.code()
	if !ok || isError && (code == "" || code == "null") {
		return nil, notOfAPI(x.action, reply)
	}
	if _, known := classes[code]; known || isError {
		return nil, x.fault(reply, head)
	}
	if strings.EqualFold(strings.Trim(string(head.Success), `" `), "false") {
		return nil, malformed(x.action, "a reply that is no success, without a code that says why")
	}
	if head.RequestID == "" {
		// Every reply of the API has one. An object of someone else, such as a
		// proxy, holds no configuration and would read as its absence.
		return nil, malformed(x.action, "a reply without RequestId, which is none of the API")
	}
	x.requestID = shownID(head.RequestID)
	x.came(reply)
	return body.Bytes(), nil
}

// read reads a body, and a byte more if it has more than most. It waits for the
// places that the reply then has until it is decoded.
func (w *wire) read(ctx context.Context, x *exchange, from io.Reader, most int) (*bytes.Buffer, error) {
	var body bytes.Buffer
	n, err := body.ReadFrom(io.LimitReader(from, maxSmall+1))
	if err == nil && n > maxSmall && most > maxSmall {
		if err = x.enter(ctx, w.large); err == nil {
			_, err = body.ReadFrom(io.LimitReader(from, int64(most)-n+1))
		}
	}
	if err == nil {
		err = x.enter(ctx, w.decoding)
	}
	return &body, err
}

// unpacking tells whether a body was packed in a way that cannot be read.
func unpacking(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum)
}

// enter waits for a place, which the exchange has until it is over.
func (x *exchange) enter(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		x.places = append(x.places, places)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// came notes that the API replied, and when by its clock.
func (x *exchange) came(reply *http.Response) {
	x.received = time.Now()
	x.date, _ = http.ParseTime(reply.Header.Get("Date"))
}

// head is what all replies have.
type head struct {
	RequestID string `json:"RequestId"`
	Code      json.RawMessage
	Success   json.RawMessage // some products have it
	Message   string
}

// code returns the error code. A success of the records operations has the number 0.
func (h head) code() string { return strings.Trim(string(h.Code), `" `) }

// headOf reads a body that is one object within the bounds. Nothing but the head is
// made of it before its tokens are counted.
func headOf(body []byte, most int) (h head, ok bool) {
	if len(body) > most || !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) || json.Unmarshal(body, &h) != nil {
		return head{}, false
	}
	return h, isModest(body)
}

// isModest tells whether valid JSON keeps to the bounds of tokens and of depth, and has
// no number with an exponent, of which the SDK reads what comes before that. Each token
// but the first is behind one of the characters that are counted.
func isModest(body []byte) bool {
	tokens, depth, quoted := 1, 0, false
	for i := 0; i < len(body) && tokens <= maxTokens && depth <= maxDepth; i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case (c == 'e' || c == 'E') && i > 0 && body[i-1] >= '0' && body[i-1] <= '9':
			return false
		case c == '{' || c == '[':
			tokens, depth = tokens+2, depth+1
		case c == '}' || c == ']':
			depth--
		case c == ',' || c == ':':
			tokens++
		}
	}
	return tokens <= maxTokens && depth <= maxDepth
}

// fault reads a reply that is an error.
func (x *exchange) fault(reply *http.Response, h head) *Error {
	x.came(reply)
	code := h.code()
	class, wait := classify(reply.StatusCode, code), milliseconds(reply.Header.Get("x-acs-retry-after"))
	switch {
	case wait > 0: // a reply that asks to wait is throttling, whatever its code
		class = Throttled
	case class == Throttled:
		wait = timeLeft(reply.Header)
	case class == NotFound && (h.RequestID == "" || reply.StatusCode < http.StatusBadRequest || reply.StatusCode >= http.StatusInternalServerError):
		class = Unavailable // none of the API's own refusals: it says nothing of what there is
	}
	message, own := messages[code]
	if !own {
		if id := strings.TrimSpace(h.RequestID); idShape.MatchString(id) {
			h.Message = strings.ReplaceAll(h.Message, id, "")
		}
		message = Clean(h.Message, maxMessage)
	}
	if message == "" {
		message = "the cloud says no more"
	}
	return &Error{
		Class: class, Action: x.action, Code: shownCode(code), Message: message,
		RequestID: shownID(h.RequestID), RetryAfter: wait,
	}
}

// milliseconds reads the wait that a reply asks for, as its header has it; 0 if it is
// none.
func milliseconds(s string) time.Duration {
	ms, err := strconv.ParseInt(s, 10, 32)
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
			if left, found := strings.CutPrefix(strings.TrimSpace(part), "TimeLeft:"); found {
				longest = max(longest, milliseconds(left))
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
	host = Bound(host, 300)
	e := &Error{Class: Unavailable, Action: action, Code: codeNetwork}
	var timeout net.Error
	var dns *net.DNSError
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var proxy proxyError
	switch {
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		e.Code, e.Message = codeTimeout, "no reply from "+host+" in time"
	case errors.As(err, &proxy):
		e.Message = "the proxy does not connect to " + host + ": " + proxy.Error()
	case errors.As(err, &op) && op.Op == "proxyconnect":
		e.Message = "no connection to the proxy"
	case errors.As(err, &dns):
		e.Message = "cannot resolve " + host
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Message = "connection refused by " + host
	case errors.As(err, &certificate):
		e.Message = "the TLS certificate of " + host + " is not trusted"
	case errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &record):
		e.Message = host + " does not speak TLS"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		e.Message = "connection closed by " + host + " before its reply had ended"
	default:
		e.Message = "no connection to " + host
	}
	return e
}
