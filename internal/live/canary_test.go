// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

// stored is a key that the cloud holds and that no request carries; appKey is that of a
// messaging application, which its replies show in clear.
const (
	stored = "Stored0123456789abcdef"
	appKey = "CanaryAppKey0123456789abcdef"
)

// Canaries of all fields that credentials are made of.
const (
	canaryID           = "LTAI5tCanaryKeyIdentity1"
	canarySecret       = "CanarySecretOfKey0123456789abc"
	canaryToken        = "CAISCanaryTokenOf0123456789/CanaryTokenEndABCDEF+x=="
	canaryExternal     = "CanaryExternalOf0123456789"
	canaryOIDC         = "eyJhbGciOiJSUzI1NiJ9.CanaryOIDCPayload0123456789.CanaryOIDCSignature0123456789"
	canarySession      = "STS.NTCanarySessionIdentity1"
	canarySessionKey   = "CanarySessionSecret0123456789a"
	canarySessionToken = "CAISCanarySessionToken0123456789+/CanarySessionEndABC"
)

// transcript collects what a log would show.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *transcript) logger() logr.Logger {
	return funcr.New(func(prefix, args string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		_, _ = fmt.Fprintln(&l.text, prefix, args)
	}, funcr.Options{Verbosity: 10})
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// metrics renders all metrics of the package.
func metrics(t *testing.T) string {
	t.Helper()
	registry := prometheus.NewRegistry()
	for _, c := range live.Collectors() {
		registry.MustRegister(c)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range families {
		text.WriteString(f.String() + "\n")
	}
	return text.String()
}

// spelled is an error in every way in which one gets printed.
func spelled(t *testing.T, err error) string {
	t.Helper()
	var text strings.Builder
	chain := []any{err, fmt.Errorf("wrapped: %w", err), errors.Join(err, io.EOF), struct{ Err error }{err}, []error{err}}
	for e := err; e != nil; e = errors.Unwrap(e) {
		chain = append(chain, e)
	}
	if e, ok := errors.AsType[*live.Error](err); ok {
		chain = append(chain, *e)
	}
	for _, e := range chain {
		_, _ = fmt.Fprintf(&text, "%v\n%+v\n%#v\n%s\n%q\n", e, e, e, e, e)
		encoded, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(encoded, '\n'))
	}
	return text.String()
}

// secrets are what no text may hold, in pieces that are left when someone takes
// the punctuation for an end.
var secrets = func() []string {
	all := []string{key, otherKey, stored, appKey}
	for _, field := range []string{canaryID, canarySecret, canaryToken, canaryExternal, canaryOIDC, canarySession, canarySessionKey, canarySessionToken} {
		for piece := range strings.FieldsFuncSeq(field, func(r rune) bool { return strings.ContainsRune(".+/=", r) }) {
			if len(piece) >= 16 {
				all = append(all, piece)
			}
		}
	}
	return all
}()

// keptSecret fails the test if a secret is in a text.
func keptSecret(t *testing.T, where, text string) {
	t.Helper()
	lower := strings.ToLower(text)
	for _, s := range spellings {
		within := text
		if s.anyCase {
			within = lower
		}
		if strings.Contains(within, s.told) {
			t.Errorf("%s is in %s, as %s:\n%s", s.secret, where, s.told, text)
		}
	}
}

// spelling is how a secret may be told. In any case means that of its letters.
type spelling struct {
	secret, told string
	anyCase      bool
}

// spellings are all of all secrets.
var spellings = func() (all []spelling) {
	for _, secret := range secrets {
		for _, told := range []string{secret, each(secret, "%%%02x"), each(secret, `\\u%04x`), each(secret, "&#%d;"), each(secret, "&#x%x;"), each(secret, "%02x")} {
			all = append(all, spelling{secret, strings.ToLower(told), true})
		}
		// In base64 the characters at both ends depend on what is around them.
		for before := range 3 {
			encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret))
			all = append(all, spelling{secret, encoded[before+1 : len(encoded)-1], false})
		}
	}
	return all
}()

// each spells every character by a format.
func each(s, format string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		_, _ = fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

// writes are all requests that carry a key, and one of each other sort of write. The
// cloud has held a configuration with another key before.
var writes = map[string]func(context.Context, *live.Client) error{
	"Set": func(ctx context.Context, c *live.Client) error {
		return live.NewStream(c).Put(ctx, quota.User, push, live.StreamConfig{},
			live.StreamConfig{NotifyURL: hook, Authentication: true, AuthKey: key}, false)
	},
	"Set over another": func(ctx context.Context, c *live.Client) error {
		return live.NewStream(c).Put(ctx, quota.User, push,
			live.StreamConfig{NotifyURL: hook, ExceptionNotifyURL: hook, Authentication: true, AuthKey: otherKey},
			live.StreamConfig{NotifyURL: hook, Authentication: true, AuthKey: key}, true)
	},
	"Add": func(ctx context.Context, c *live.Client) error {
		return live.NewRecord(c).Put(ctx, quota.User, play, live.RecordConfig{},
			live.RecordConfig{NotifyURL: hook, Authentication: true, AuthKey: key}, false)
	},
	"Update": func(ctx context.Context, c *live.Client) error {
		return live.NewRecord(c).Put(ctx, quota.User, play,
			live.RecordConfig{NotifyURL: hook, Authentication: true, AuthKey: otherKey},
			live.RecordConfig{NotifyURL: hook, Authentication: true, AuthKey: key}, true)
	},
	"snapshot Add": func(ctx context.Context, c *live.Client) error {
		return live.NewSnapshot(c).Put(ctx, quota.User, play, live.SnapshotConfig{},
			live.SnapshotConfig{NotifyURL: hook, Authentication: true, AuthKey: key}, false)
	},
	"snapshot Update": func(ctx context.Context, c *live.Client) error {
		return live.NewSnapshot(c).Put(ctx, quota.User, play,
			live.SnapshotConfig{NotifyURL: hook, Authentication: true, AuthKey: otherKey},
			live.SnapshotConfig{NotifyURL: hook, Authentication: true, AuthKey: key}, true)
	},
	"MPU": written(func(c *live.Client) offered[live.MPUConfig] { return live.NewMPU(c) }, app,
		live.MPUConfig{CallbackURL: hook}, live.MPUConfig{CallbackURL: hook2}),
	"detect": written(func(c *live.Client) offered[live.DetectConfig] { return live.Detect(c) }, play,
		live.DetectConfig{NotifyURL: hook}, live.DetectConfig{NotifyURL: hook2}),
	"audit": written(func(c *live.Client) offered[live.AuditConfig] { return live.Audit(c) }, play,
		live.AuditConfig{CallbackURL: hook}, live.AuditConfig{CallbackURL: hook2}),
	"event": written(func(c *live.Client) offered[live.EventConfig] { return live.NewEvent(c) }, live.EventKey(app, live.AllChannels),
		eventTo(hook), eventTo(hook2)),
	"message": written(func(c *live.Client) offered[live.MessageConfig] { return live.Message(c) }, live.MessageKey("cn-shanghai", app),
		live.MessageConfig{EventCallbackURL: hook}, live.MessageConfig{EventCallbackURL: hook2}),
}

// offered is what a family offers for a configuration of type C.
type offered[C any] interface {
	Get(ctx context.Context, lane quota.Lane, key string) (C, error)
	Put(ctx context.Context, lane quota.Lane, key string, have, want C, force bool) error
	Delete(ctx context.Context, lane quota.Lane, key string) error
}

// written creates a configuration, writes over it and removes it. The first error is
// told, and the rest is tried all the same.
func written[C any](of func(*live.Client) offered[C], key string, first, second C) func(context.Context, *live.Client) error {
	return func(ctx context.Context, c *live.Client) error {
		f := of(c)
		var none C
		return errors.Join(
			f.Put(ctx, quota.User, key, none, first, false),
			f.Put(ctx, quota.User, key, first, second, true),
			f.Delete(ctx, quota.User, key),
		)
	}
}

// fetched reads a configuration, spells it in all ways in which one gets printed, and
// tells the error. Nothing of a reply but the configuration comes out of a family.
func fetched[C interface{ Fields() []live.Field }](of func(*live.Client) offered[C], key string) func(*testing.T, context.Context, *live.Client) error {
	return func(t *testing.T, ctx context.Context, c *live.Client) error {
		got, err := of(c).Get(ctx, quota.Sync, key)
		encoded, failed := json.Marshal([]any{got, got.Fields()})
		if failed != nil {
			t.Fatal(failed)
		}
		keptSecret(t, "what was read", fmt.Sprintf("%v %+v %#v %v %#v %s", got, got, got, got.Fields(), got.Fields(), encoded))
		return err
	}
}

// fetches are the reads of all families.
var fetches = map[string]func(*testing.T, context.Context, *live.Client) error{
	"stream":   fetched(func(c *live.Client) offered[live.StreamConfig] { return live.NewStream(c) }, push),
	"record":   fetched(func(c *live.Client) offered[live.RecordConfig] { return live.NewRecord(c) }, play),
	"MPU":      fetched(func(c *live.Client) offered[live.MPUConfig] { return live.NewMPU(c) }, app),
	"snapshot": fetched(func(c *live.Client) offered[live.SnapshotConfig] { return live.NewSnapshot(c) }, play),
	"detect":   fetched(func(c *live.Client) offered[live.DetectConfig] { return live.Detect(c) }, play),
	"audit":    fetched(func(c *live.Client) offered[live.AuditConfig] { return live.Audit(c) }, play),
	"event":    fetched(func(c *live.Client) offered[live.EventConfig] { return live.NewEvent(c) }, live.EventKey(app, live.AllChannels)),
	"message":  fetched(func(c *live.Client) offered[live.MessageConfig] { return live.Message(c) }, live.MessageKey("cn-shanghai", app)),
	"event records": func(_ *testing.T, ctx context.Context, c *live.Client) error {
		_, err := live.NewEvent(c).Count(ctx, live.EventKey(app, live.AllChannels), lastHour, live.Counts{})
		return err
	},
	"MPU records": func(_ *testing.T, ctx context.Context, c *live.Client) error {
		_, err := live.NewMPU(c).Count(ctx, app, lastHour, live.Counts{})
		return err
	},
}

// said is all that a request says, and what an endpoint may repeat of it: its URL,
// its headers with the signature, its body. An ingenious one adds what it knows of
// its own: what it has stored.
func said(r *http.Request) string {
	b := &strings.Builder{}
	_, _ = fmt.Fprintf(b, "%s https://%s%s\n", r.Method, r.Host, r.URL)
	_ = r.Header.Write(b)
	_, _ = io.Copy(b, r.Body)
	_, _ = fmt.Fprintf(b, "\nNotifyAuthKey=%s AppKey=%s CanonicalRequest=%s", stored, appKey, url.QueryEscape(r.URL.RawQuery))
	for _, secret := range secrets { // also what is sent hashed, as a server knows it
		_, _ = fmt.Fprintf(b, "\nknown: %s", secret)
	}
	return b.String()
}

// encodings are the ways in which it may repeat it.
var encodings = map[string]func(string) string{
	"as it is":            func(s string) string { return s },
	"in lower case":       strings.ToLower,
	"percent-encoded":     func(s string) string { return each(s, "%%%02x") },
	"encoded twice":       func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	"in JSON escapes":     func(s string) string { return each(s, `\\u%04x`) },
	"in references":       func(s string) string { return each(s, "&#%d;") },
	"in hex references":   func(s string) string { return each(s, "&#x%x;") },
	"in octal":            func(s string) string { return each(s, `\%03o`) },
	"in hex":              func(s string) string { return each(s, "%02x") },
	"in hex, spaced":      func(s string) string { return each(s, "%02x ") },
	"in hex, with colons": func(s string) string { return each(s, "%02X:") },
	"in decimal":          func(s string) string { return "[" + each(s, "%d ") + "]" },
	"in base64":           func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"in base64 for URLs":  func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"quoted":              func(s string) string { return fmt.Sprintf("%q", fmt.Sprintf("%q", s)) },
	"as JSON":             func(s string) string { b, _ := json.Marshal(map[string]string{"request": s}); return string(b) },
	"behind much else":    func(s string) string { return strings.Repeat("x ", 120) + s },
}

// failing is an endpoint that fails every request.
type failing struct {
	endpoint string           // without a server of the test
	answer   http.HandlerFunc // of a server
	tls      bool             // its certificate is not trusted
	code     string           // of the error
}

// failures are all failures of an endpoint of the cloud, or of its token service. What
// can be repeated of the request is.
func failures(t *testing.T) map[string]failing {
	t.Helper()
	all := map[string]failing{
		"refused":       {endpoint: nobody(t), code: network},
		"no such host":  {endpoint: "https://live.invalid", code: network},
		"not trusted":   {answer: http.NotFound, tls: true, code: network},
		"https to http": {endpoint: strings.Replace(listen(t, hang), "http://", "https://", 1), code: network},
		"no reply":      {answer: hang, code: timeout},
		"no end":        {answer: hangInBody, code: timeout},
		"SignatureDoesNotMatch": {code: "SignatureDoesNotMatch", answer: func(w http.ResponseWriter, r *http.Request) {
			reply(w, 400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string to sign is:"+said(r), "R")
		}},
		"another signature error": {code: "IncompleteSignature", answer: func(w http.ResponseWriter, r *http.Request) {
			reply(w, 400, "IncompleteSignature", "server CanonicalRequest is:"+said(r), "R")
		}},
		"a request ID within": {code: "InvalidParam", answer: func(w http.ResponseWriter, r *http.Request) {
			reply(w, 400, "InvalidParam", strings.ReplaceAll(said(r), "0123", "01REQ-123"), "REQ-1")
		}},
		"a code of control characters": {code: "Other", answer: func(w http.ResponseWriter, _ *http.Request) { reply(w, 400, "\x1b\x7f", "m", "R") }},
		"a code that says it":          {code: "Other", answer: func(w http.ResponseWriter, r *http.Request) { reply(w, 400, said(r), "m", "R") }},
		"a redirect that keeps the query": {code: malformed, answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere?"+url.QueryEscape(said(r)), http.StatusTemporaryRedirect)
		}},
		"a redirect that cannot be read": {code: network, answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://[::1?"+url.QueryEscape(said(r)))
			w.WriteHeader(http.StatusTemporaryRedirect)
		}},
		"a huge body": {code: malformed, answer: func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"RequestId":"`+url.QueryEscape(said(r))+strings.Repeat("x", 1<<20)+`"}`)
		}},
		"a huge error": {code: malformed, answer: echo(400, func(r *http.Request) string { return strings.Repeat(url.QueryEscape(said(r)), 100) })},
		"a deep body": {code: malformed, answer: func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, `{"RequestId":"R","X":%s%q%s}`, strings.Repeat("[", 500), url.QueryEscape(said(r)), strings.Repeat("]", 500))
		}},
	}
	for _, secret := range secrets {
		all["the code "+secret] = failing{code: "Other", answer: func(w http.ResponseWriter, _ *http.Request) { reply(w, 400, secret, "m", "R") }}
		all["the request ID "+secret] = failing{code: "InvalidParam", answer: func(w http.ResponseWriter, _ *http.Request) { reply(w, 400, "InvalidParam", "m", secret) }}
	}
	for name, encode := range encodings {
		message := func(r *http.Request) string { return encode(strings.Repeat("x ", 2) + said(r)) }
		// An error of more than 64 KiB is none of the API.
		short := func(r *http.Request) string { m := message(r); return m[:min(len(m), 30<<10)] }
		all["400, the request "+name] = failing{code: "InvalidParam", answer: echo(400, short)}
		all["500, the request "+name] = failing{code: "InternalError", answer: echo(500, short)}
		all["HTML, the request "+name] = failing{code: malformed, answer: page(502, "<html>", message)}
		all["XML, the request "+name] = failing{code: malformed, answer: page(400, "<Error><Message>", message)}
		all["text, the request "+name] = failing{code: malformed, answer: page(200, "", message)}
		all["JSON cut short, the request "+name] = failing{code: malformed, answer: page(400, `{"RequestId":"R","Code":"InvalidParam","Message":"`, message)}
		all["a status line, the request "+name] = failing{code: network, answer: raw(func(r *http.Request) string { return short(r) + "\r\n\r\n" })}
		all["a header, the request "+name] = failing{code: network, answer: raw(func(r *http.Request) string {
			return "HTTP/1.1 200 OK\r\n" + strings.ReplaceAll(short(r), ":", "") + "\r\n\r\n"
		})}
	}
	for name, tc := range connections {
		all["connection "+name] = failing{code: network, answer: tc.serve}
	}
	return all
}

func echo(status int, message func(*http.Request) string) http.HandlerFunc {
	code := map[int]string{400: "InvalidParam", 500: "InternalError"}[status]
	return func(w http.ResponseWriter, r *http.Request) { reply(w, status, code, message(r), "R") }
}

func reply(w http.ResponseWriter, status int, code, message, requestID string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"RequestId": requestID, "HostId": "h", "Code": code, "Message": message})
}

func page(status int, start string, message func(*http.Request) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, start+message(r))
	}
}

// raw answers with something else than HTTP.
func raw(answer func(*http.Request) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text := answer(r)
		conn, _, _ := w.(http.Hijacker).Hijack()
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}

// serve starts the server of a failure, if it has one. It returns the endpoint, and
// what tells how many requests came.
func (f failing) serve(t *testing.T) (endpoint string, met func() bool) {
	t.Helper()
	if f.answer == nil {
		return f.endpoint, func() bool { return true }
	}
	var came atomic.Bool
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came.Store(true)
		f.answer(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if f.tls {
		came.Store(true) // as far as the handshake
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL, came.Load
}

// keptSignature fails the test if something like a signature is in a text.
func keptSignature(t *testing.T, where, text string) {
	t.Helper()
	if signature.MatchString(text) {
		t.Errorf("the signature of a request is in %s:\n%s", where, text)
	}
}

var signature = regexp.MustCompile(`(?i)[0-9a-f]{32}`)

// caller is a kind of credentials, and who fails: the endpoint or the token service.
type caller struct {
	// call makes a request with new credentials, at an endpoint that fails. It waits
	// for a reply no longer than that, unless it is 0.
	call func(ctx context.Context, endpoint string, wait time.Duration) error
	// late is the code where the other side takes too long.
	late string
}

// canaryRoles are the kinds of role sessions, from a token service; another works.
func canaryRoles(t *testing.T, works *live.TokenService) map[string]func(*live.TokenService) live.Credentials {
	mint := func(context.Context) (string, error) { return canaryOIDC, nil }
	return map[string]func(*live.TokenService) live.Credentials{
		"a role that is assumed": func(s *live.TokenService) live.Credentials {
			return s.Assume(canaryKey(t), "acs:ram::1:role/r", canaryExternal)
		},
		"a role for a token": func(s *live.TokenService) live.Credentials {
			return s.Exchange("acs:ram::1:role/r", "acs:ram::1:oidc-provider/p", mint)
		},
		"a role by a role": func(s *live.TokenService) live.Credentials {
			return s.Assume(works.Exchange("acs:ram::1:role/r", "acs:ram::1:oidc-provider/p", mint), "acs:ram::1:role/s", canaryExternal)
		},
	}
}

func canaryKey(t *testing.T) live.Credentials {
	c, err := live.AccessKey(canaryID, canarySecret, canaryToken)
	if err != nil {
		t.Error(err)
	}
	return c
}

// callers returns all of them. The token service of those whose endpoint fails works.
func callers(t *testing.T) map[string]caller {
	t.Helper()
	works, err := live.NewTokenService(listen(t, tokens), false)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]func() live.Credentials{"an access key": func() live.Credentials { return canaryKey(t) }}
	all := map[string]caller{}
	for name, role := range canaryRoles(t, works) {
		kinds[name] = func() live.Credentials { return role(works) }
		all[name+", loaded"] = caller{late: "NoCredentials", call: func(ctx context.Context, endpoint string, wait time.Duration) error {
			s, err := live.NewTokenService(endpoint, false)
			if err != nil {
				return err
			}
			ctx, cancel := limited(ctx, wait)
			defer cancel()
			return role(s).Load(ctx)
		}}
	}
	for name, credentials := range kinds {
		all[name+", identified"] = caller{late: timeout, call: func(ctx context.Context, endpoint string, wait time.Duration) error {
			s, err := live.NewTokenService(endpoint, false)
			c := credentials()
			if err := errors.Join(err, c.Load(ctx)); err != nil {
				return err
			}
			ctx, cancel := limited(ctx, wait)
			defer cancel()
			_, err = s.Identify(ctx, c)
			return err
		}}
		all[name+", at the endpoint"] = caller{late: timeout, call: func(ctx context.Context, endpoint string, wait time.Duration) error {
			client, err := live.NewClient(live.Options{Endpoint: endpoint, Credentials: credentials(), Timeout: wait})
			if err != nil {
				return err
			}
			return writes["Set"](ctx, client)
		}}
	}
	return all
}

// limited is a context that ends after a time; 0 is never.
func limited(ctx context.Context, wait time.Duration) (context.Context, context.CancelFunc) {
	if wait == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, wait)
}

// tokens is a token service that works.
func tokens(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(map[string]any{"RequestId": "R", "AccountId": "1234567890123456", "Credentials": map[string]string{
		"AccessKeyId": canarySession, "AccessKeySecret": canarySessionKey, "SecurityToken": canarySessionToken,
		"Expiration": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	}})
}

// attempted tells whether the nth of many attempts is made: all in the long form, every
// other one in the usual form, and one in four in the short one.
func attempted(n int) bool {
	switch {
	case os.Getenv("LONG") != "":
		return true
	case testing.Short():
		return n%4 == 0
	default:
		return n%2 == 0
	}
}

// Whatever the other side does, nothing of what credentials are made of gets out:
// into an error, a log or a metric. The same failure has the same text.
func TestCredentialsAreNotTold(t *testing.T) {
	t.Parallel()
	log := &transcript{}
	all, failed := callers(t), failures(t)
	for n, name := range slices.Sorted(maps.Keys(failed)) {
		f := failed[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, caller := range slices.Sorted(maps.Keys(all)) {
				if !attempted(n + i) {
					continue
				}
				c := all[caller]
				endpoint, met := f.serve(t)
				once := func() error {
					var wait time.Duration
					if f.code == timeout {
						wait = 50 * time.Millisecond
					}
					return c.call(logr.NewContext(t.Context(), log.logger()), endpoint, wait)
				}
				err, again := once(), once()
				e, ok := errors.AsType[*live.Error](err)
				if !ok || again == nil {
					t.Errorf("%s: got %v and %v", caller, err, again)
					continue
				}
				want := f.code
				if want == timeout {
					want = c.late
				} else if !met() {
					t.Errorf("%s: the failure was not met: %v", caller, err)
				}
				check(t, caller+": code of "+err.Error(), e.Code, want)
				if !strings.HasPrefix(name, "the request ID") {
					check(t, caller+": text of the same failure", again.Error(), err.Error())
				}
				keptSecret(t, "the error of "+caller, spelled(t, err))
				keptSignature(t, "the error of "+caller, spelled(t, err))
			}
		})
	}
	t.Cleanup(func() {
		for where, text := range map[string]string{"the log": log.String(), "the metrics": metrics(t)} {
			keptSecret(t, where, text)
			keptSignature(t, where, text)
		}
	})
}

// No key of callbacks gets out either, by any operation.
func TestKeyIsNotTold(t *testing.T) {
	t.Parallel()
	log := &transcript{}
	all := failures(t)
	for name, answer := range unreadable {
		all["reply "+name] = failing{answer: answer}
	}
	for name, text := range map[string]string{
		"a configuration of the wrong type": `{"RequestId":"R","LiveStreamsNotifyConfig":["` + stored + `"],"LiveRecordNotifyConfig":"` + stored + `"}`,
		"a field of the wrong type":         `{"RequestId":"R","LiveStreamsNotifyConfig":{"NotifyAuthKey":["` + stored + `"]},"LiveRecordNotifyConfig":{"NotifyAuthKey":["` + stored + `"]}}`,
		"a flag that is the key":            `{"RequestId":"R","LiveStreamsNotifyConfig":{"NotifyUrl":["` + stored + `"]},"LiveRecordNotifyConfig":{"NeedStatusNotify":"` + stored + `"}}`,
		"a body that is cut short":          `{"RequestId":"R","LiveStreamsNotifyConfig":{"NotifyAuthKey":"` + stored,
		"what the cloud holds":              `{"RequestId":"R","LiveStreamsNotifyConfig":{"NotifyUrl":"u","NotifyReqAuth":"yes","NotifyAuthKey":"` + stored + `"},"LiveRecordNotifyConfig":{"NotifyUrl":"u","NotifyReqAuth":true,"NotifyAuthKey":"` + stored + `"}}`,
		"a request ID that is the key":      `{"RequestId":"` + key + `"}`,
		"what the cloud holds, flat":        `{"RequestId":"R","NotifyUrl":"u","NotifyReqAuth":"yes","NotifyAuthKey":"` + stored + `","AppKey":"` + appKey + `","EventCallbackUrl":"u"}`,
		"a flat field of the wrong type":    `{"RequestId":"R","NotifyAuthKey":["` + stored + `"],"AppKey":["` + appKey + `"]}`,
		"a flat body that is cut short":     `{"RequestId":"R","EventCallbackUrl":"u","AppKey":"` + appKey,
		"an AppKey in a list":               `{"RequestId":"R","Subscribers":["` + appKey + `"],"LiveAudioAuditNotifyConfigList":"` + appKey + `","SubInfo":"` + appKey + `"}`,
	} {
		all[name] = failing{answer: body(200, text)}
	}
	for n, name := range slices.Sorted(maps.Keys(all)) {
		f, next := all[name], n
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint, met := f.serve(t)
			attempt := func(operation string, do func(context.Context, *live.Client) error) {
				next++
				if !attempted(next) {
					return
				}
				o := live.Options{Endpoint: endpoint}
				if f.code == timeout {
					o.Timeout = 50 * time.Millisecond
				}
				if err := do(logr.NewContext(t.Context(), log.logger()), newClient(t, o)); err != nil {
					keptSecret(t, "the error of "+operation, spelled(t, err))
				} else if f.code != "" {
					t.Errorf("%s met no failure", operation)
				}
			}
			for operation, write := range writes {
				attempt(operation, write)
			}
			for operation, fetch := range fetches {
				if operation == "MPU" && f.code == "InvalidParam" {
					continue // by which the family says that there is none
				}
				attempt(operation, func(ctx context.Context, c *live.Client) error { return fetch(t, ctx, c) })
			}
			for operation, read := range reads {
				attempt(operation, func(ctx context.Context, c *live.Client) error {
					_, err := read(ctx, c)
					return err
				})
			}
			if f.code != timeout && !met() && !testing.Short() {
				t.Error("the failure was not met")
			}
		})
	}
	t.Cleanup(func() {
		keptSecret(t, "the log", log.String())
		keptSecret(t, "the metrics", metrics(t))
	})
}

// The connection is dropped at every point of a write against a cloud that
// works otherwise: nothing but the cloud knows the key.
func TestKeyIsNotToldByFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"dropped":    {Drop: true},
		"reply lost": {LoseReply: true},
		"malformed":  {Body: "{\"NotifyAuthKey\":\"" + stored},
		"too late":   {Latency: time.Second},
		"exists":     {Code: "ConfigAlreadyExists", Message: "Config has already exist."},
		"none":       {Action: "None"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, emulator.Switches{})
			c.SetStreamConfig(push, emulator.StreamConfig{NotifyURL: hook, Auth: true, AuthKey: otherKey})
			c.SetRecordConfig(play, emulator.RecordConfig{NotifyURL: hook, Auth: true, AuthKey: otherKey})
			c.SetSnapshotConfig(play, emulator.SnapshotConfig{NotifyURL: hook, Auth: true, AuthKey: otherKey})
			c.AddApp("", app)
			if err := c.AddMessageApp(emulator.MessageApp{AppID: app, AppKey: appKey}); err != nil {
				t.Fatal(err)
			}
			c.Inject(fault)
			log := &transcript{}
			for operation, write := range writes {
				ctx, cancel := context.WithTimeout(logr.NewContext(t.Context(), log.logger()), 200*time.Millisecond)
				if err := write(ctx, c.client); err != nil {
					keptSecret(t, "the error of "+operation, spelled(t, err))
				}
				cancel()
			}
			keptSecret(t, "the log", log.String())
			keptSecret(t, "the metrics", metrics(t))
		})
	}
}

// The message stays useful: only what may be a secret is cut out of it.
func TestRedactionSparesTheRest(t *testing.T) {
	t.Parallel()
	const long = "(hidden)"
	for name, tc := range map[string]struct{ message, want string }{
		"a sentence":               {"The specified domain is not found, or does not belong to the account.", "The specified domain is not found, or does not belong to the account."},
		"a rule about the key":     {"NotifyAuthKey must be 16 to 64 letters or digits.", "NotifyAuthKey must be 16 to 64 letters or digits."},
		"the key in a sentence":    {"The key " + key + " is too weak.", "The key " + long + " is too weak."},
		"a query":                  {"DomainName=a.example.com&NotifyAuthKey=" + key + "&NotifyUrl=u", "DomainName=a.example.com&" + long + "&NotifyUrl=u"},
		"a stored key":             {`"NotifyAuthKey": "` + stored + `", "NotifyUrl": "u"`, `"NotifyAuthKey": "` + long + `", "NotifyUrl": "u"`},
		"words of the API":         {"SetLiveStreamsNotifyUrlConfig: ExceptionNotifyUrl and NeedStatusNotify: InvalidNotifyUrl.Malformed", "SetLiveStreamsNotifyUrlConfig: ExceptionNotifyUrl and NeedStatusNotify: InvalidNotifyUrl.Malformed"},
		"a word of the API and =":  {"ExceptionNotifyUrl= is empty", "ExceptionNotifyUrl= is empty"},
		"a URL":                    {"https://hooks.example.com/a?x=1 is unsafe", "https://hooks.example.com/a?x=1 is unsafe"},
		"an empty key":             {"NotifyAuthKey=&NotifyUrl=u", "NotifyAuthKey=&NotifyUrl=u"},
		"a letter outside ASCII":   {"é and 域名 stay", "é and 域名 stay"},
		"a time":                   {"until 2026-11-26T23:07:22Z, 23:07:22 or 2026-11-26", "until " + long + ", " + long + " or " + long},
		"a number":                 {"account 1234567890, port 8443, limit 2083", "account " + long + ", port 8443, limit 2083"},
		"a request ID":             {"see 7D5C5C3A-0B1C-5D6E-9F00-112233445566", "see " + long},
		"15 characters":            {"a012345678901bc d", "a" + long + "bc d"},
		"with what cannot be seen": {"Canary01\u200b23456789abcdef and Can\x00ary", long + " and Can ary"},
		"a key letter by letter":   {"key " + strings.Join(strings.Split(key, ""), " ") + " is bad", "key " + long + " is bad"},
		"a key with dashes":        {"key " + strings.Join(strings.Split(key, ""), "-") + " is bad", "key " + long + " is bad"},
		"a key in two halves":      {"first LeakCanary01 then Canary567", "first " + long + " then " + long},
		"a region":                 {"cn-shanghai is not ap-southeast-1", "cn-shanghai is not ap-southeast-1"},
		"nothing":                  {"", "the cloud says no more"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := writes["Set"](t.Context(), against(t, echo(400, func(*http.Request) string { return tc.message })))
			e, ok := errors.AsType[*live.Error](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			check(t, "message", e.Message, tc.want)
		})
	}
}

func TestBound(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		s    string
		most int
		want string
	}{
		"as it is":            {hook2 + key, 2083, hook2 + key},
		"as long as may be":   {"12345", 5, "12345"},
		"longer":              {"123456", 5, "12…"},
		"within a character":  {"1éé456", 5, "1…"},
		"shorter than a mark": {"123456", 2, "…"},
		"a control character": {"a\x00b\nc\x1b", 9, "a�b�"},
		"no UTF-8":            {"a\xffb", 9, "a�b"},
		"backwards":           {"a\u202eb", 9, "a�b"},
	} {
		if got := live.Bound(tc.s, tc.most); !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// The log has one line for each write that succeeded, for the vendor's support.
func TestLog(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	log := &transcript{}
	ctx := logr.NewContext(t.Context(), log.logger())
	recordings := live.NewRecord(c.client)
	config := live.RecordConfig{NotifyURL: hook, Authentication: true, AuthKey: key}
	if err := recordings.Put(ctx, quota.User, play, live.RecordConfig{}, config, false); err != nil {
		t.Fatal(err)
	}
	if _, err := recordings.Get(ctx, quota.Sync, play); err != nil {
		t.Fatal(err)
	}
	config.NotifyURL = hook2
	if err := recordings.Put(ctx, quota.User, play, live.RecordConfig{}, config, false); err == nil {
		t.Fatal("a second Add succeeded")
	}
	check(t, "log", strings.TrimSpace(log.String()),
		`"level"=0 "msg"="wrote to the cloud" "action"="AddLiveRecordNotifyConfig" "requestID"="`+c.Calls()[0].RequestID+`"`)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	c := newCloudWith(t, emulator.Options{}, live.Options{Limits: quota.NewLimits(0.5, live.Report("metrics/test"))})
	streams := live.NewStream(c.client)
	_ = streams.Put(t.Context(), quota.User, push, live.StreamConfig{}, live.StreamConfig{NotifyURL: hook}, false)
	c.Inject(emulator.Fault{Code: "MadeUp.ByAnEndpoint", Times: 1})
	_ = streams.Delete(t.Context(), quota.User, push)
	_, _ = streams.Get(t.Context(), quota.Sync, push)
	text := strings.ReplaceAll(metrics(t), "  ", " ")
	for _, want := range []string{
		`name:"account" value:"metrics/test"} label:{name:"action" value:"SetLiveStreamsNotifyUrlConfig"} gauge:{value:7.5}`,
		`name:"action" value:"SetLiveStreamsNotifyUrlConfig"} label:{name:"code" value:"OK"}`,
		`name:"action" value:"DeleteLiveStreamsNotifyUrlConfig"} label:{name:"code" value:"Other"}`,
		`name:"action" value:"DescribeLiveStreamsNotifyUrlConfig"} label:{name:"lane" value:"sync"}`,
		`name:"live_notify_api_request_duration_seconds"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(text, "MadeUp") {
		t.Error("a code that is not documented has become a series")
	}
}
