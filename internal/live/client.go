// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alibabacloud-go/tea/dara"
	"github.com/go-logr/logr"

	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

// Defaults of a Client.
const (
	DefaultRegion   = "cn-shanghai"
	DefaultEndpoint = "live.aliyuncs.com"
	// DefaultQuotaShare leaves a fifth of each limit to others who call the same
	// account: the console, scripts, another cluster.
	DefaultQuotaShare = 0.8
	// DefaultTimeout bounds one request, from connecting to the last byte.
	DefaultTimeout = 10 * time.Second
)

// Options configure a Client. Zero values are the defaults.
type Options struct {
	Region   string // such as cn-shanghai
	Endpoint string // [http[s]://]host[:port]
	// AllowInsecure permits a plain http endpoint that is not loopback.
	AllowInsecure bool
	Credentials   Credentials
	Limits        *quota.Limits  // of the account; its own if nil
	Breaker       *quota.Breaker // of the account; its own if nil
	Timeout       time.Duration  // of one request; DefaultTimeout if 0
	// Account is the name in metrics of who has the clock that replies tell of; if
	// empty, they do not.
	Account string
	Now     func() time.Time // our clock; time.Now if nil
}

// Client talks to the cloud as one account. It is safe for concurrent use.
type Client struct {
	wire        *wire
	credentials *source
	options     Options      // with the defaults
	skew        atomic.Int64 // of the cloud's clock against ours, in nanoseconds
	learned     sync.Map     // what families found out about the cloud
	unanswered  atomic.Pointer[Error]
	identities  sync.Map // what is known of configurations with an ID, by key
}

// NewClient returns a client. It fails on an endpoint that is malformed or not
// safe; credentials are not checked before the first request.
func NewClient(o Options) (*Client, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	endpoint, err := parseEndpoint(o.Endpoint, DefaultEndpoint, o.AllowInsecure)
	if err != nil {
		return nil, err
	}
	if err := quiet(); err != nil {
		return nil, err
	}
	if o.Limits == nil {
		o.Limits = quota.NewLimits(DefaultQuotaShare, quota.Report{})
	}
	if o.Breaker == nil {
		o.Breaker = quota.NewBreaker(nil)
	}
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	w := newWire(endpoint, apiVersion, cmp.Or(o.Region, DefaultRegion))
	return &Client{wire: w, credentials: o.Credentials.source, options: o}, nil
}

// apiVersion is that of ApsaraVideo Live.
const apiVersion = "2016-11-01"

// Host returns the host of the endpoint in lower case, with the port if it has one.
func (c *Client) Host() string { return strings.ToLower(c.wire.host) }

// Outage returns when a request may be tried again while the endpoint does not answer
// anyone; 0 if it does.
func (c *Client) Outage() time.Duration { return c.options.Breaker.Outage() }

// Unanswered says what was the last that came in place of an answer of the API, such as
// "Timeout: ..."; "" if nothing ever did.
func (c *Client) Unanswered() string {
	e := c.unanswered.Load()
	if e == nil {
		return ""
	}
	return e.Code + ": " + e.Message
}

// Hide returns what the endpoint said without the credentials of URLs, without some keys,
// and without what requests are signed with: the endpoint is told the ID of the access key
// and the security token, and may repeat them.
func (c *Client) Hide(text string, keys ...Key) string {
	secrets := c.credentials.used()
	for _, key := range keys {
		secrets = append(secrets, string(key))
	}
	return callback.HideIn(text, secrets...)
}

// maxSkew bounds how far a reply moves our idea of the time. The cloud refuses
// requests that are further from its own.
const maxSkew = 15 * time.Minute

// Now returns the cloud's time: ours, and what the Date of the last reply was ahead
// of it. Less than two seconds is no difference: a Date has no fractions.
func (c *Client) Now() time.Time { return c.options.Now().Add(time.Duration(c.skew.Load())) }

// compare notes the difference of the clocks. A Date that is further from our own clock
// than the cloud would take a request for is no clock of the cloud: ours is used then.
func (c *Client) compare(x *exchange) {
	if x.date.IsZero() {
		return
	}
	skew := max(-maxSkew, min(maxSkew, x.date.Sub(c.options.Now().Add(-time.Since(x.received))).Round(time.Second)))
	if skew.Abs() < 2*time.Second {
		skew = 0
	}
	known := skew
	if skew.Abs() >= maxSkew {
		known = 0
	}
	c.skew.Store(int64(known))
	if c.options.Account != "" {
		skews.WithLabelValues(label(c.options.Account)).Set(skew.Seconds())
	}
}

// quiet fails if the debug output of the vendor's libraries is on.
func quiet() error {
	for name := range strings.SplitSeq(os.Getenv("DEBUG"), ",") {
		if slices.Contains([]string{"dara", "tea", "credential", "sdk"}, name) {
			return fmt.Errorf("DEBUG=%s makes the vendor's libraries print requests with authentication keys: unset it", name)
		}
	}
	return nil
}

// turn is on whose behalf a request is made, and for how long it may wait for its
// turn within the quota while it holds a worker.
type turn struct {
	lane     quota.Lane
	key      string // of the configuration
	patience time.Duration
}

const (
	patience = 50 * time.Millisecond
	// finishing is the patience of the later steps of a change that has begun.
	finishing = 5 * time.Second
)

func newTurn(lane quota.Lane, key string) turn { return turn{lane, key, patience} }

// finish returns the turn of the later steps of a change: nothing gives up in the
// middle of it for want of a turn.
func (t turn) finish() turn { return turn{t.lane, t.key, finishing} }

// call is the one road to the network. It keeps to the quota and to the breaker,
// makes the request with a timeout, records metrics, logs writes, and returns every
// failure as an *Error, a *quota.Deferral or the context's error.
func call[Reply any](ctx context.Context, c *Client, t turn, op Operation, request any) (*Reply, error) {
	signed, done, err := c.enter(ctx, t, op)
	if err != nil {
		return nil, err
	}
	answer := quota.Unanswered // also of what panics
	defer func() { done(answer) }()
	reply, x, err := ask[Reply](ctx, c.wire, c.options.Timeout, signed, op.Method(), op.Action, request)
	if answer = answerOf(err); answer == quota.Unanswered {
		e, _ := errors.AsType[*Error](err)
		c.unanswered.Store(e)
	}
	c.compare(x)
	err = c.credentials.judge(signed, err)
	if e, ok := errors.AsType[*Error](err); ok && e.Class == Throttled {
		c.options.Limits.Slow(op.rate(), e.RetryAfter)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case x.ails: // nobody knows what became of it
		return nil, malformed(op.Action, "a reply that speaks of a failure in a way that is not documented")
	case op.Write:
		logr.FromContextOrDiscard(ctx).Info("wrote to the cloud", "action", op.Action, "requestID", x.requestID)
	case t.lane != quota.Records && x.stray(): // nobody knows what there is
		return nil, malformed(op.Action, "a reply with URLs, of which none is where one belongs")
	}
	return reply, nil
}

// do is call for a request whose reply says nothing but that it was done.
func do(ctx context.Context, c *Client, t turn, op Operation, request any) error {
	_, err := call[struct{}](ctx, c, t, op, request)
	return err
}

// enter waits until a request may be made, and returns what it is signed with, and
// what is to be told how it went. Credentials come before the quota: a turn is not
// taken for a request that cannot be signed.
func (c *Client) enter(ctx context.Context, t turn, op Operation) (*keys, func(quota.Answer), error) {
	if err := c.options.Breaker.Ready(); err != nil {
		return nil, nil, err
	}
	signed, err := c.credentials.load(ctx)
	if err != nil {
		return nil, nil, err
	}
	start := time.Now()
	err = c.options.Limits.Take(ctx, op.rate(), t.lane, t.key, t.patience)
	observeWait(op, t.lane, time.Since(start), err)
	if err != nil {
		return nil, nil, err
	}
	done, err := c.options.Breaker.Enter(t.key)
	return signed, done, err
}

// answerOf tells the breaker what an error says of the endpoint.
func answerOf(err error) quota.Answer {
	e, ok := errors.AsType[*Error](err)
	switch {
	case err != nil && !ok:
		return quota.Unsaid // cancelled
	case ok && e.Unanswered():
		return quota.Unanswered
	default:
		return quota.Answered
	}
}

// optional returns a parameter that is left out when empty.
func optional(s string) *string { return parameter(s, true) }

// value returns what an optional string of a reply holds, "" for none.
func value(s *string) string { return dara.StringValue(s) }
