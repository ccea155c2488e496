// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package callback

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"
)

// Timeout is how long the cloud waits for an answer.
const Timeout = 5 * time.Second

// MaxAnswer is how much of an answer is kept, in bytes.
const MaxAnswer = 200

// Exchange is what came of a request.
type Exchange struct {
	// Status that the receiver answered with; 0 for no answer.
	Status int
	// Sent tells that the request, or part of it, may have reached the receiver.
	Sent bool
	// Trouble says what went wrong, in words of our own; "" for nothing.
	Trouble string
	// Answer is the beginning of the receiver's answer.
	Answer string
	Cost   time.Duration

	Addresses   []string // that the name has
	Address     string   // that was connected to
	Resolved    time.Duration
	Connected   time.Duration
	Handshaken  time.Duration
	Certificate *x509.Certificate // of the receiver
	TLSVersion  string
}

// Taken tells that the receiver took the callback.
func (x Exchange) Taken() bool { return x.Status >= 200 && x.Status <= 299 }

// Doubtful tells that nobody knows whether the receiver took it: something was
// sent, and no answer came.
func (x Exchange) Doubtful() bool { return x.Status == 0 && x.Sent }

// Sender sends callbacks as the cloud does: HTTP/1.1, no redirects, no proxy.
type Sender struct {
	client  *http.Client
	timeout time.Duration
}

// NewSender returns a sender that trusts certificates as this machine does, or the
// given ones.
func NewSender(roots *x509.CertPool) *Sender {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &Sender{timeout: Timeout, client: &http.Client{
		Transport: &http.Transport{
			Protocols: protocols, TLSClientConfig: &tls.Config{RootCAs: roots},
			// A connection is used once: package http sends a request again by itself
			// when one that is used again breaks. The request does not say so.
			MaxIdleConnsPerHost: -1,
			TLSHandshakeTimeout: Timeout, ResponseHeaderTimeout: Timeout,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Send sends a request, with more headers.
func (s *Sender) Send(ctx context.Context, r Request, more http.Header) Exchange {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	t := &tracing{}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, t.trace()), r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return Exchange{Trouble: "the URL is malformed"}
	}
	req.Header = r.Header.Clone()
	maps.Copy(req.Header, more)
	t.began(time.Now())
	resp, err := s.client.Do(req)
	x := t.end()
	if err != nil {
		x.Trouble = describe(err)
		return x
	}
	defer resp.Body.Close()
	x.Status = resp.StatusCode
	answer, err := readAnswer(resp)
	x.Answer, x.Cost = printable(string(answer)), t.since()
	switch {
	case err != nil && isTimeout(err):
		x.Trouble = "answered " + resp.Status[:min(len(resp.Status), 3)] + ", and did not come to an end of its answer within " + Timeout.String()
	case err != nil:
		x.Trouble = "answered " + resp.Status[:min(len(resp.Status), 3)] + ", and then dropped the connection in the body"
	case resp.StatusCode >= 300 && resp.StatusCode <= 399:
		x.Trouble = "answered with a redirect, which the cloud is not known to follow: configure the URL that it leads to"
	case !x.Taken():
		x.Trouble = "refused it: HTTP status " + resp.Status[:min(len(resp.Status), 3)]
	}
	return x
}

// readAnswer reads the beginning of an answer. The body of an upgraded connection is the
// connection itself, which no deadline and no context ends: there is none to read.
func readAnswer(resp *http.Response) ([]byte, error) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, nil
	}
	return io.ReadAll(io.LimitReader(resp.Body, MaxAnswer))
}

// tracing times the steps of a request. Its hooks may run when the request is over.
type tracing struct {
	mu    sync.Mutex
	start time.Time
	x     Exchange
}

func (t *tracing) began(at time.Time) { t.with(func() { t.start = at }) }

func (t *tracing) with(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	do()
}

func (t *tracing) since() (d time.Duration) {
	t.with(func() { d = time.Since(t.start) })
	return d
}

func (t *tracing) end() (x Exchange) {
	t.with(func() {
		t.x.Cost = time.Since(t.start)
		x = t.x
	})
	return x
}

func (t *tracing) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSDone: func(i httptrace.DNSDoneInfo) {
			t.with(func() {
				t.x.Resolved = time.Since(t.start)
				for _, a := range i.Addrs {
					t.x.Addresses = append(t.x.Addresses, a.String())
				}
			})
		},
		ConnectDone: func(_, addr string, err error) {
			t.with(func() {
				if err == nil {
					t.x.Connected, t.x.Address = time.Since(t.start), addr
				}
			})
		},
		TLSHandshakeDone: func(s tls.ConnectionState, _ error) {
			t.with(func() {
				t.x.Handshaken = time.Since(t.start)
				if s.Version != 0 { // none was agreed on
					t.x.TLSVersion = tls.VersionName(s.Version)
				}
				if len(s.PeerCertificates) > 0 {
					t.x.Certificate = s.PeerCertificates[0]
				}
			})
		},
		// From here on something may be on its way.
		WroteHeaders: func() { t.with(func() { t.x.Sent = true }) },
		WroteRequest: func(httptrace.WroteRequestInfo) { t.with(func() { t.x.Sent = true }) },
	}
}

// describe says what went wrong, each in its own line.
func describe(err error) string {
	var (
		dns       *net.DNSError
		expired   x509.CertificateInvalidError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return "it was interrupted before the receiver answered"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "the name of the receiver does not exist"
	case isTimeout(err):
		return "the receiver did not answer within " + Timeout.String()
	case errors.As(err, &dns):
		return "the name of the receiver cannot be resolved"
	case errors.As(err, &expired) && expired.Reason == x509.Expired:
		return "the certificate of the receiver has expired, or is not valid yet"
	case errors.As(err, &authority):
		return "the certificate of the receiver is of an authority that is not trusted"
	case errors.As(err, &name):
		return "the certificate of the receiver is for another name"
	case errors.As(err, &expired):
		return "the certificate of the receiver is not valid for a server"
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "the receiver does not speak TLS: use http://"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the receiver refuses connections"
	case strings.Contains(err.Error(), "malformed HTTP"):
		return "the receiver does not answer in HTTP/1.1, which the cloud speaks"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the receiver dropped the connection without an answer"
	case strings.Contains(err.Error(), "transport connection broken"), strings.Contains(err.Error(), "response headers exceeded"):
		return "the receiver answers with headers that cannot be read"
	default:
		return "the receiver cannot be reached"
	}
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// printable returns an answer as it may be shown on a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' ' // what a terminal obeys, or what turns the direction of the text
	}, strings.ToValidUTF8(s, "?"))
}

// Public tells whether an address, with or without a port, can be reached from
// everywhere.
func Public(address string) bool {
	host := address
	if h, _, err := net.SplitHostPort(address); err == nil {
		host = h
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return true // a name may be anything
	}
	a = a.Unmap()
	shared := netip.MustParsePrefix("100.64.0.0/10")
	return !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsUnspecified() && !a.IsMulticast() && !shared.Contains(a)
}
