// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package callback

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// outcome is what is known of a callback to a receiver.
type outcome struct {
	taken, doubtful bool
	trouble         string
}

// Whatever is wrong with a receiver has a line of its own, and is told from a
// callback that was taken.
func TestReceiversThatMisbehave(t *testing.T) {
	serve := func(h http.HandlerFunc) string {
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		return srv.URL
	}
	hold := make(chan struct{})
	defer close(hold) // before the servers close, which wait for their handlers
	for name, tc := range map[string]struct {
		url  string
		want outcome
	}{
		"takes it": {serve(func(http.ResponseWriter, *http.Request) {}), outcome{taken: true}},
		"redirects": {serve(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}), outcome{trouble: "answered with a redirect, which the cloud is not known to follow: configure the URL that it leads to"}},
		"refuses": {serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }), outcome{trouble: "refused it: HTTP status 418"}},
		"hangs": {serve(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		}), outcome{doubtful: true, trouble: "the receiver did not answer within 5s"}},
		"answers slowly": {serve(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("it goes on"))
			_ = http.NewResponseController(w).Flush()
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		}), outcome{taken: true, trouble: "answered 200, and did not come to an end of its answer within 5s"}},
		"drops the connection in the body": {serve(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half of"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}), outcome{taken: true, trouble: "answered 200, and then dropped the connection in the body"}},
		"drops the connection":      {serve(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), outcome{doubtful: true, trouble: "the receiver dropped the connection without an answer"}},
		"refuses connections":       {"http://127.0.0.1:1/", outcome{trouble: "the receiver refuses connections"}},
		"another protocol":          {raw(t, "220 mail.example.com ESMTP\r\n"), outcome{doubtful: true, trouble: "the receiver does not answer in HTTP/1.1, which the cloud speaks"}},
		"HTTP/2 alone":              {raw(t, "\x00\x00\x00\x04\x00\x00\x00\x00\x00"), outcome{doubtful: true, trouble: "the receiver does not answer in HTTP/1.1, which the cloud speaks"}},
		"no TLS where it should be": {strings.Replace(serve(func(http.ResponseWriter, *http.Request) {}), "http:", "https:", 1), outcome{trouble: "the receiver does not speak TLS: use http://"}},
		"an expired certificate":    {secure(t, certificate(t, "127.0.0.1", -time.Hour)), outcome{trouble: "the certificate of the receiver has expired, or is not valid yet"}},
		"a foreign certificate":     {secure(t, foreign(t)), outcome{trouble: "the certificate of the receiver is of an authority that is not trusted"}},
		"a length below none":       {raw(t, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), outcome{doubtful: true, trouble: "the receiver answers with headers that cannot be read"}},
		"headers without end":       {raw(t, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("a", 20<<20)), outcome{doubtful: true, trouble: "the receiver answers with headers that cannot be read"}},
		"another name":              {secure(t, certificate(t, "192.0.2.1", time.Hour)), outcome{trouble: "the certificate of the receiver is for another name"}},
		"HTTPS":                     {secure(t, certificate(t, "127.0.0.1", time.Hour)), outcome{taken: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewSender(trusted)
			if tc.want.trouble == "" || !strings.Contains(tc.want.trouble, Timeout.String()) {
				s.timeout = time.Minute // nothing is waited for, so that a busy machine has time
			} else {
				s.timeout = 500 * time.Millisecond
			}
			x := s.Send(t.Context(), Request{Method: http.MethodGet, URL: tc.url}, nil)
			if got := (outcome{x.Taken(), x.Doubtful(), x.Trouble}); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

// An answer that gives the connection away is one, and nothing of what comes after it is
// waited for: no deadline covers that.
func TestUpgradedConnectionIsNotRead(t *testing.T) {
	url := silent(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	ended := make(chan Exchange, 1)
	go func() {
		ended <- NewSender(nil).Send(t.Context(), Request{Method: http.MethodGet, URL: url}, nil)
	}()
	select {
	case x := <-ended:
		if got, want := (outcome{x.Taken(), x.Doubtful(), x.Trouble}), (outcome{trouble: "refused it: HTTP status 101"}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	case <-time.After(4 * Timeout):
		t.Fatal("the connection is still read")
	}
}

// silent returns the URL of a server that says a text, and then nothing more.
func silent(t *testing.T, text string) string {
	t.Helper()
	hold := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = c.Write([]byte(text))
		<-hold
	}))
	t.Cleanup(func() { close(hold); srv.Close() })
	return srv.URL
}

// A name is told from one that does not exist.
func TestNames(t *testing.T) {
	for want, err := range map[string]error{
		"the name of the receiver does not exist":     &net.DNSError{IsNotFound: true},
		"the name of the receiver cannot be resolved": &net.DNSError{Err: "server misbehaving"},
	} {
		if got := describe(err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// An answer is cut, and cannot steer a terminal.
func TestAnswerIsShown(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("\x1b]0;title\x07\x1b[31m\xff\u009b\u202e" + strings.Repeat("a", 1<<20)))
	}))
	defer srv.Close()
	x := NewSender(nil).Send(t.Context(), Request{Method: http.MethodGet, URL: srv.URL}, nil)
	if len(x.Answer) > MaxAnswer || strings.ContainsAny(x.Answer, "\x1b\x07\u009b\u202e") || x.Trouble != "" {
		t.Errorf("got %q, %q", x.Answer, x.Trouble)
	}
}

// Only addresses that everybody reaches are public.
func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"203.0.113.1:443": true, "[2001:db8::1]:443": true, "hooks.example.com": true, "10.0.0.1": false, "192.168.1.1:80": false, "172.16.3.4": false,
		"127.0.0.1:80": false, "[::1]:80": false, "100.64.1.1": false, "169.254.169.254": false, "[fe80::1]": false, "[fd00::1]:1": false, "[::ffff:10.0.0.1]:1": false, "0.0.0.0": false,
	} {
		if got := Public(address); got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
}

// authority signs the certificates that are trusted.
var (
	authority, trusted = newAuthority()
)

type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority() (signer, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return signer{cert, key}, pool
}

// certificate returns one of the authority for an address, which ends after a while.
func certificate(t *testing.T, address string, left time.Duration) tls.Certificate {
	t.Helper()
	return authority.sign(t, address, left)
}

// foreign returns a certificate of an authority that nobody trusts.
func foreign(t *testing.T) tls.Certificate {
	t.Helper()
	other, _ := newAuthority()
	return other.sign(t, "127.0.0.1", time.Hour)
}

func (s signer) sign(t *testing.T, address string, left time.Duration) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(left),
		IPAddresses: []net.IP{net.ParseIP(address)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, s.cert, &key.PublicKey, s.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// secure returns the URL of a receiver with a certificate.
func secure(t *testing.T, c tls.Certificate) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{c}}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL
}

// raw returns the URL of a server that says a text and hangs up.
func raw(t *testing.T, text string) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 4096)
			_, _ = c.Read(b)
			_, _ = c.Write([]byte(text))
			_ = c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}
