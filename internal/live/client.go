// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/go-logr/logr"
)

// Defaults of a Client.
const (
	DefaultRegion   = "cn-shanghai"
	DefaultEndpoint = "live.aliyuncs.com"
)

// DefaultTimeout bounds one request, from connecting to the last byte.
const DefaultTimeout = 10 * time.Second

// Options configure a Client. Zero values are the defaults.
type Options struct {
	Region   string // such as cn-shanghai
	Endpoint string // [http[s]://]host[:port]
	// AllowInsecure permits a plain http endpoint that is not loopback.
	AllowInsecure bool
	Credentials   Credentials
	Limits        *Limits       // of the account; its own if nil
	Timeout       time.Duration // of one request; DefaultTimeout if 0
}

// Client talks to the cloud as one account. It is safe for concurrent use.
type Client struct {
	sdk         *sdk.Client
	credentials Credentials
	limits      *Limits
	timeout     time.Duration
}

// NewClient returns a client. It fails on an endpoint that is malformed or not
// safe; credentials are not checked before the first request.
func NewClient(o Options) (*Client, error) {
	if debug := os.Getenv("DEBUG"); leaks(debug) {
		return nil, fmt.Errorf("DEBUG=%s makes the vendor's SDK print requests with authentication keys: unset it", debug)
	}
	endpoint, err := parseEndpoint(o.Endpoint, o.AllowInsecure)
	if err != nil {
		return nil, err
	}
	if o.Region == "" {
		o.Region = DefaultRegion
	}
	if o.Limits == nil {
		o.Limits = NewLimits("")
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	c, err := sdk.NewClient(&utils.Config{
		RegionId:   &o.Region,
		Endpoint:   &endpoint.host,
		Protocol:   &endpoint.scheme,
		Credential: o.Credentials.provider,
		HttpClient: newTransport(),
	})
	if err != nil {
		return nil, fmt.Errorf("setting up the SDK: %w", err)
	}
	// Of the embedded client: without it the SDK replaces our errors by its own.
	c.Client.DisableSDKError = new(true)
	return &Client{sdk: c, credentials: o.Credentials, limits: o.Limits, timeout: o.Timeout}, nil
}

// leaks tells whether a value of DEBUG turns on the debug output of the SDK or
// of the credentials library.
func leaks(debug string) bool {
	return slices.ContainsFunc(strings.Split(debug, ","), func(name string) bool {
		return slices.Contains([]string{"dara", "tea", "credential", "sdk"}, name)
	})
}

// api returns the SDK's client for one request. A copy, since the SDK writes to
// its client on each request and so is no use to several at once.
func (c *Client) api() *sdk.Client {
	one := *c.sdk
	return &one
}

type endpoint struct{ scheme, host string }

// parseEndpoint splits [http[s]://]host[:port]. Plain http is for loopback,
// since requests carry authentication keys, unless insecure is true.
func parseEndpoint(s string, insecure bool) (endpoint, error) {
	if s == "" {
		s = DefaultEndpoint
	}
	scheme, host, found := strings.Cut(s, "://")
	if !found {
		scheme, host = "https", s
	}
	u, err := url.Parse(scheme + "://" + host)
	if err != nil || scheme != "http" && scheme != "https" || u.Hostname() == "" || u.Host != host || !isPort(u.Port(), host) {
		return endpoint{}, fmt.Errorf("endpoint %q is not host or host:port, with or without https:// in front", s)
	}
	if scheme == "http" && !insecure && !isLoopback(host) {
		return endpoint{}, fmt.Errorf("endpoint %q would send authentication keys in clear: use https://, or run the operator with --allow-insecure-endpoints", s)
	}
	return endpoint{scheme, host}, nil
}

// isPort tells whether the port of a host is a number from 1 to 65535, or left
// out together with its colon.
func isPort(port, host string) bool {
	if port == "" {
		return !strings.HasSuffix(host, ":")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// isLoopback tells whether host[:port] is an address of this machine. A name is
// taken at its word for localhost only.
func isLoopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback()
}

// call is the one road to the network. It waits for the operation's turn, makes
// the request with a timeout, records metrics, logs writes, and returns every
// failure as an *Error or the context's error.
func call[Req, Resp any](
	ctx context.Context, c *Client, lane Lane, op operation,
	do func(context.Context, Req, *dara.RuntimeOptions) (Resp, error), req Req,
) (Resp, error) {
	var none Resp
	start := time.Now()
	err := c.limits.wait(ctx, op, lane)
	observeWait(op, lane, time.Since(start), err)
	if err != nil {
		return none, err
	}
	// The SDK would send the request with whatever the library returned.
	if err := c.credentials.load(op.action); err != nil {
		return none, err
	}

	var x exchange
	start = time.Now()
	reply, err := timed(context.WithValue(ctx, exchangeKey{}, &x), c.timeout, do, req)
	err = normalize(ctx, op.action, err)
	observeRequest(op, err, time.Since(start))
	if e, ok := errors.AsType[*Error](err); ok && e.Class == Throttled {
		c.limits.slow(op, e.RetryAfter)
	}
	if err != nil {
		return none, err
	}
	if op.write {
		logr.FromContextOrDiscard(ctx).Info("wrote to the cloud", "action", op.action, "requestID", x.requestID)
	}
	return reply, nil
}

// timed makes a request with the request timeout. A panic of the SDK becomes an
// error: its text, which may hold the request, must not reach the log.
func timed[Req, Resp any](ctx context.Context, timeout time.Duration, do func(context.Context, Req, *dara.RuntimeOptions) (Resp, error), req Req) (reply Resp, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic of the SDK: %T", p)
		}
	}()
	return do(ctx, req, &dara.RuntimeOptions{})
}

// normalize makes an *Error of what the SDK returned. Errors of the transport
// are one already; anything else is described by its type alone, as its text
// may hold the request.
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
		return &Error{Class: Unavailable, Action: action, Code: codeMalformed, Message: fmt.Sprintf("the SDK cannot read the reply (%T)", innermost(err))}
	}
}

// noCredentials describes a failure to load credentials. The library's text is
// cut to its first line: what follows may be a reply of the token service.
func noCredentials(action string, err error) *Error {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return &Error{Class: NoCredentials, Action: action, Code: codeNoCreds, Message: redact(volatile.ReplaceAllString(first, ""), "")}
}

// volatile is what differs each time in the text of one failure: the request ID
// of the token service, and our side of a connection.
var volatile = regexp.MustCompile(`(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b(read|write) \w+ [^ ]+->`)

// optional returns a parameter that is left out when empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// value returns what an optional string of a reply holds, "" for none.
func value(s *string) string { return dara.StringValue(s) }
