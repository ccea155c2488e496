// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
)

// Who and what the emulator of a test knows.
const (
	keyID     = "test-id"
	keySecret = "test-secret"
	push      = "push.example.com"
	play      = "play.example.com"
	appID     = "app-1"
	// authKey suits all families.
	authKey = "0123456789abcdefABCDEF"
)

// clock is a time that a test sets.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

// newClock starts at a fixed time, 5 s into a minute.
func newClock() *clock { return &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

// newSDKClock starts at the present, since the official client dates its requests by the real time.
func newSDKClock() *clock { return &clock{t: time.Now().UTC().Truncate(time.Second)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// cloud is an emulator behind a real port.
type cloud struct {
	*Server
	t    *testing.T
	host string
	now  func() time.Time
	// key is what post signs with.
	key AccessKey
}

// newCloud starts an emulator that knows the constants above.
func newCloud(t *testing.T, opts Options) *cloud {
	t.Helper()
	key := AccessKey{ID: keyID, Secret: keySecret}
	opts.AccessKeys = append(opts.AccessKeys, key)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := New(opts)
	s.AddDomain("", push, IngestDomain)
	s.AddDomain("", play, StreamingDomain)
	s.AddApp("", appID)
	if err := s.MapDomain(push, play); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	return &cloud{Server: s, t: t, host: strings.TrimPrefix(server.URL, "http://"), now: opts.Now, key: key}
}

// sdk returns the official client, with typed errors.
func (c *cloud) sdk() *sdk.Client {
	c.t.Helper()
	config := &utils.Config{
		AccessKeyId: new(c.key.ID), AccessKeySecret: new(c.key.Secret),
		Endpoint: new(c.host), Protocol: new("http"), RegionId: new("cn-shanghai"),
		ConnectTimeout: new(5000), ReadTimeout: new(5000),
	}
	if c.key.SecurityToken != "" {
		config.SecurityToken = new(c.key.SecurityToken)
	}
	client, err := sdk.NewClient(config)
	if err != nil {
		c.t.Fatal(err)
	}
	client.Client.DisableSDKError = new(true)
	return client
}

// codeOf is the error code that the official client found, "" without an error, or the text of any other error.
func codeOf(err error) string {
	if e, ok := errors.AsType[*openapi.ThrottlingError](err); ok {
		return *e.Code
	}
	if e, ok := errors.AsType[*openapi.ClientError](err); ok {
		return *e.Code
	}
	if e, ok := errors.AsType[*openapi.ServerError](err); ok {
		return *e.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// answer is what the emulator says to one request.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

// code is the error code; a success has none, or an integer.
func (a answer) code() string {
	code, _ := a.body["Code"].(string)
	return code
}

// post calls an operation with a request that is signed as it should be. Parameters come in pairs.
func (c *cloud) post(action string, pairs ...string) answer {
	c.t.Helper()
	return c.do(c.signed(http.MethodPost, action, inPairs(pairs), "", c.withToken))
}

// get is post for the operations that are read with GET.
func (c *cloud) get(action string, pairs ...string) answer {
	c.t.Helper()
	return c.do(c.signed(http.MethodGet, action, inPairs(pairs), "", c.withToken))
}

// withToken adds the security token that the key has, if any.
func (c *cloud) withToken(r *http.Request) {
	if c.key.SecurityToken != "" {
		r.Header.Set(tokenHeader, c.key.SecurityToken)
	}
}

func inPairs(pairs []string) url.Values {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values
}

// signed builds a request and signs it. mutations change it before that.
func (c *cloud) signed(method, action string, query url.Values, form string, mutations ...func(*http.Request)) *http.Request {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method,
		"http://"+c.host+"/?"+query.Encode(), strings.NewReader(form))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("x-acs-action", action)
	r.Header.Set("x-acs-version", cmp.Or(operations[action].version, apiVersion))
	r.Header.Set("x-acs-date", c.now().UTC().Format(timeFormat))
	r.Header.Set("x-acs-signature-nonce", newUUID())
	r.Header.Set("x-acs-content-sha256", hexSHA256(form))
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, mutate := range mutations {
		mutate(r)
	}
	names := []string{"host"}
	for name := range r.Header {
		names = append(names, strings.ToLower(name))
	}
	c.sign(r, names, form)
	return r
}

func (c *cloud) sign(r *http.Request, names []string, form string) {
	canonical := canonicalRequest(r.Method, r.URL.Query(), names, headerOf(r), hexSHA256(form))
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s,SignedHeaders=%s,Signature=%s",
		signatureAlgorithm, c.key.ID, strings.Join(names, ";"), sign(c.key.Secret, stringToSign(canonical))))
}

func (c *cloud) do(r *http.Request) answer {
	c.t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header}
	if err := json.Unmarshal(text, &a.body); err != nil {
		c.t.Fatalf("answer %q: %v", text, err)
	}
	return a
}

// receiver is a customer's server that callbacks are sent to.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	seen []received
}

// received is one request that a receiver got.
type received struct {
	method string
	query  url.Values
	header http.Header
	body   string
}

// newReceiver answers the n-th request, counted from 0, with what the handler does.
func newReceiver(t *testing.T, handle func(n int, w http.ResponseWriter, r *http.Request)) *receiver {
	t.Helper()
	rec := &receiver{}
	rec.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		rec.mu.Lock()
		n := len(rec.seen)
		rec.seen = append(rec.seen, received{r.Method, r.URL.Query(), r.Header, string(body)})
		rec.mu.Unlock()
		handle(n, w, r)
	}))
	t.Cleanup(rec.Close)
	return rec
}

// requests returns what the receiver got so far.
func (rec *receiver) requests() []received {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return append([]received(nil), rec.seen...)
}

func answerOK(_ int, w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "thanks") }

// dig returns a member of nested objects.
func dig(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}
