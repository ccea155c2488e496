// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxSending is how many callbacks are in flight at once; more wait in a queue.
	maxSending = 64
	// maxRetries is how often a callback that timed out is sent again.
	maxRetries = 5
	// maxRedirects is how many redirects are followed, if any are.
	maxRedirects = 5
	// maxResponse is how much of a receiver's answer is kept.
	maxResponse = 2048
	userAgent   = "Go-http-client/1.1"
)

// delivery is a callback to be sent.
type delivery struct {
	method string
	url    string
	header func(at time.Time) http.Header // called for each attempt, so that signatures are fresh
	body   []byte
	done   func(outcome) // called at the end, unless the delivery is abandoned
}

// outcome is what became of a delivery in its last attempt.
type outcome struct {
	time        time.Time // of the first attempt
	status      int       // 0: no answer
	description string    // "success", or what went wrong
	response    string
	header      string
	cost        time.Duration
}

func (o outcome) result() string {
	if o.status == http.StatusOK {
		return ResultSuccess
	}
	return ResultFailed
}

// sender delivers callbacks with a bounded number of workers, which are there only while there is something to do.
type sender struct {
	client   *http.Client
	timeout  time.Duration
	interval time.Duration
	now      func() time.Time

	mu      sync.Mutex
	idle    *sync.Cond // no worker is left, hence nothing is queued or in flight
	queue   []delivery
	workers int
	closed  bool
	ctx     context.Context // of deliveries in flight
	cancel  context.CancelFunc
}

// newSender returns a sender that asks follow whether to follow a redirect.
func newSender(timeout, interval time.Duration, now func() time.Time, follow func() bool) *sender {
	s := &sender{
		client: &http.Client{
			Transport: &http.Transport{MaxIdleConnsPerHost: maxSending, IdleConnTimeout: 30 * time.Second},
			CheckRedirect: func(_ *http.Request, via []*http.Request) error {
				switch {
				case !follow():
					return http.ErrUseLastResponse
				case len(via) > maxRedirects:
					return errors.New("too many redirects")
				}
				return nil
			},
		},
		timeout:  timeout,
		interval: interval,
		now:      now,
	}
	s.idle = sync.NewCond(&s.mu)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// send queues deliveries. After close it does nothing.
func (s *sender) send(list ...delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.queue = append(s.queue, list...)
	for ; s.workers < min(maxSending, len(s.queue)); s.workers++ {
		go s.work()
	}
}

// work delivers until the queue is empty.
func (s *sender) work() {
	for {
		d, ctx, ok := s.next()
		if !ok {
			return
		}
		if out, ok := s.deliver(ctx, d); ok {
			d.done(out)
		}
	}
}

func (s *sender) next() (delivery, context.Context, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		if s.workers--; s.workers == 0 {
			s.idle.Broadcast()
		}
		return delivery{}, nil, false
	}
	d := s.queue[0]
	s.queue[0] = delivery{} // or it would live as long as the slice
	s.queue = s.queue[1:]
	return d, s.ctx, true
}

func (s *sender) wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.workers > 0 {
		s.idle.Wait()
	}
}

// abandon drops what is queued, interrupts what is in flight, and waits until it is gone.
func (s *sender) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = nil
	s.cancel()
	for s.workers > 0 {
		s.idle.Wait()
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
}

func (s *sender) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.abandon()
	s.cancel()
	s.client.CloseIdleConnections()
}

// deliver sends a callback, again after a timeout. That other failures are final is undocumented. It reports false if
// the delivery was abandoned.
func (s *sender) deliver(ctx context.Context, d delivery) (outcome, bool) {
	first := s.now()
	for retries := 0; ; retries++ {
		out, timedOut := s.attempt(ctx, d)
		out.time = first
		if ctx.Err() != nil {
			return outcome{}, false
		}
		if !timedOut || retries == maxRetries {
			return out, true
		}
		select {
		case <-time.After(s.interval):
		case <-ctx.Done():
			return outcome{}, false
		}
	}
}

func (s *sender) attempt(ctx context.Context, d delivery) (out outcome, timedOut bool) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, d.method, d.url, bytes.NewReader(d.body))
	if err != nil {
		return outcome{description: "malformed URL"}, false
	}
	req.Header = d.header(s.now())
	req.Header.Set("User-Agent", userAgent)
	out.header = headerText(req)
	start := time.Now()
	out.status, out.response, err = s.exchange(req)
	out.cost = time.Since(start)
	out.description = describe(out.status, err)
	return out, isTimeout(err)
}

// exchange returns the status and the start of the body that the receiver answers. A body that does not come in time is
// no answer.
func (s *sender) exchange(req *http.Request) (status int, response string, err error) {
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	if err != nil {
		return 0, "", err
	}
	return resp.StatusCode, strings.ToValidUTF8(string(body), "?"), nil
}

func describe(status int, err error) string {
	switch {
	case isTimeout(err):
		return "timeout"
	case err != nil:
		if urlErr, ok := errors.AsType[*url.Error](err); ok {
			err = urlErr.Err // without the URL, which the record has anyway
		}
		return err.Error()
	case status != http.StatusOK:
		return fmt.Sprintf("unexpected HTTP status %d", status)
	}
	return ResultSuccess
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && timeout.Timeout()
}

// headerText lists the headers of a request as the cloud's records do.
func headerText(req *http.Request) string {
	lines := []string{"Host: " + req.URL.Host}
	names := make([]string, 0, len(req.Header))
	for name := range req.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		lines = append(lines, name+": "+req.Header.Get(name))
	}
	return strings.Join(append(lines, "Accept-Encoding: gzip"), "\n") // which the transport adds
}
