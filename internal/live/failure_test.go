// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

// Codes of the package where the cloud sent none.
const (
	network   = "Network"
	timeout   = "Timeout"
	malformed = "MalformedReply"
)

// reads are all ways to read from the cloud.
var reads = map[string]func(context.Context, *live.Client) (zero bool, err error){
	"stream Get": func(ctx context.Context, c *live.Client) (bool, error) {
		got, err := live.NewStream(c).Get(ctx, quota.Sync, push)
		return got == live.StreamConfig{}, err
	},
	"record Get": func(ctx context.Context, c *live.Client) (bool, error) {
		got, err := live.NewRecord(c).Get(ctx, quota.Sync, play)
		return got == live.RecordConfig{}, err
	},
	"stream Count": func(ctx context.Context, c *live.Client) (bool, error) {
		got, err := live.NewStream(c).Count(ctx, push, lastHour, live.Counts{})
		return reflect.DeepEqual(got, live.Counts{}), err
	},
	"record Count": func(ctx context.Context, c *live.Client) (bool, error) {
		got, err := live.NewRecord(c).Count(ctx, play, lastHour, live.Counts{})
		return reflect.DeepEqual(got, live.Counts{}), err
	},
}

var lastHour = live.Query{Window: time.Hour}

// failure is what an error has to be.
func failure(t *testing.T, err error, class live.Class, code string) {
	t.Helper()
	e, ok := errors.AsType[*live.Error](err)
	if !ok {
		t.Fatalf("got %#v, want a *live.Error", err)
	}
	check(t, "class", e.Class, class)
	check(t, "code", e.Code, code)
	if e.Action == "" || e.Message == "" {
		t.Errorf("error without action or message: %#v", e)
	}
	check(t, "a request ID in the text", e.RequestID != "" && strings.Contains(e.Error(), e.RequestID), false)
}

// unreadable are replies of which nothing can be learned.
var unreadable = map[string]http.HandlerFunc{
	"empty":                      body(200, ""),
	"blank":                      body(200, " \n\t"),
	"no content":                 body(204, ""),
	"null":                       body(200, "null"),
	"an array":                   body(200, "[]"),
	"an array of objects":        body(200, `[{"RequestId":"REQ-1"}]`),
	"a string":                   body(200, `"ok"`),
	"a number":                   body(200, "42"),
	"true":                       body(200, "true"),
	"HTML":                       body(200, "<html><body>Welcome to the hotel</body></html>"),
	"HTML, 404":                  body(404, "<html><body>404 Not Found</body></html>"),
	"HTML, 502":                  body(502, "<html><body>Bad Gateway</body></html>"),
	"XML, 404":                   body(404, "<Error><Code>InvalidConfig.NotFound</Code></Error>"),
	"cut short":                  body(200, `{"RequestId":"REQ-1","LiveStreamsNotifyConfig":{"Noti`),
	"an open brace":              body(200, "{"),
	"with garbage behind":        body(200, `{"RequestId":"REQ-1"} and more`),
	"two objects":                body(200, `{"RequestId":"REQ-1"}{"RequestId":"REQ-1"}`),
	"binary":                     body(200, "\x00\x01\x02\xff"),
	"a byte order mark":          body(200, "\ufeff{\"RequestId\":\"R\"}"),
	"an object of someone else":  body(200, `{"status":"ok"}`),
	"an empty object":            body(200, `{}`),
	"an empty request ID":        body(200, `{"RequestId":""}`),
	"a request ID of wrong type": body(200, `{"RequestId":{"a":1}}`),
	"nested too deep":            body(200, `{"RequestId":"REQ-1","X":`+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)+"}"),
	"partial content":            body(206, `{"RequestId":"REQ-1"}`),
	"a redirect":                 redirect,
	"an upgrade":                 upgrade,
	"an error without a code":    body(404, `{"RequestId":"REQ-1","Message":"Not Found"}`),
	"an error with a code null":  body(404, `{"RequestId":"REQ-1","Code":null}`),
	"an error with an empty code": body(404,
		`{"RequestId":"REQ-1","Code":"","Message":"m"}`),
	"an empty 404":   body(404, ""),
	"an empty 500":   body(500, ""),
	"null with 404":  body(404, "null"),
	"array with 404": body(404, "[]"),
	"not gzip": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, `{"RequestId":"REQ-1"}`)
	},
	"a configuration that is an array":  body(200, configs("[]")),
	"a configuration that is a string":  body(200, configs(`"none"`)),
	"a configuration that is a number":  body(200, configs("0")),
	"a configuration that is false":     body(200, configs("false")),
	"a URL that is an object":           body(200, configs(`{"NotifyUrl":{}}`)),
	"a URL that is an array":            body(200, configs(`{"NotifyUrl":["http://a.example.com"]}`)),
	"totals that are a word":            body(200, configs(`[]`, `"many"`)),
	"totals that are an object":         body(200, configs(`[]`, `{}`)),
	"totals with an exponent":           body(200, configs(`[]`, `7e3`)),
	"totals beyond all bounds":          body(200, configs(`[]`, `99999999999999999999`)),
	"a known error in a success's mask": body(200, `{"RequestId":"REQ-1","Code":"ServiceUnavailable","Message":"busy"}`),
}

// configs is a reply of all reading operations with the member that they look
// for.
func configs(config string, total ...string) string {
	if total == nil {
		total = []string{"null"}
	}
	return `{"RequestId":"REQ-1","LiveStreamsNotifyConfig":` + config + `,"LiveRecordNotifyConfig":` + config + `,"TotalNum":` + total[0] + `}`
}

func body(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

func redirect(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/elsewhere" {
		_, _ = io.WriteString(w, `{"RequestId":"REQ-1"}`)
		return
	}
	http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
}

// upgrade makes a connection of another protocol of the request's, and says no more.
func upgrade(w http.ResponseWriter, _ *http.Request) {
	conn, _, _ := w.(http.Hijacker).Hijack()
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	_, _ = io.Copy(io.Discard, conn) // until the client closes it
}

// The rule that prevents outages: what cannot be read is not absent.
func TestUnreadableIsNotAbsent(t *testing.T) {
	t.Parallel()
	for name, answer := range unreadable {
		for operation, read := range reads {
			t.Run(name+", "+operation, func(t *testing.T) {
				t.Parallel()
				c := against(t, answer)
				zero, err := read(t.Context(), c)
				code := malformed
				if name == "a known error in a success's mask" {
					code = "ServiceUnavailable"
				}
				failure(t, err, live.Unavailable, code)
				check(t, "zero value", zero, true)
				_, again := read(t.Context(), c)
				check(t, "text of the same failure", again.Error(), err.Error())
			})
		}
	}
}

// TestReplyAboutAnother: a reply that names another domain than was asked for says
// nothing of this one.
func TestReplyAboutAnother(t *testing.T) {
	t.Parallel()
	const config = `{"DomainName":"other.example.com","NotifyUrl":"http://hooks.example.com/"}`
	c := against(t, body(200, `{"RequestId":"REQ-1","DomainName":"other.example.com","AppId":"other","SubInfo":{"AppId":"other","CallbackUrl":"http://hooks.example.com/"},`+
		`"EventCallbackUrl":"http://hooks.example.com/","NotifyUrl":"http://hooks.example.com/",`+
		`"LiveStreamsNotifyConfig":`+config+`,"LiveRecordNotifyConfig":`+config+`,"LiveDetectNotifyConfig":`+config+`}`))
	gets := map[string]func() error{
		"stream":   func() error { _, err := live.NewStream(c).Get(t.Context(), quota.Sync, push); return err },
		"record":   func() error { _, err := live.NewRecord(c).Get(t.Context(), quota.Sync, play); return err },
		"snapshot": func() error { _, err := live.NewSnapshot(c).Get(t.Context(), quota.Sync, play); return err },
		"detect":   func() error { _, err := live.Detect(c).Get(t.Context(), quota.Sync, play); return err },
		"relay":    func() error { _, err := live.NewMPU(c).Get(t.Context(), quota.Sync, "app"); return err },
		"message":  func() error { _, err := live.Message(c).Get(t.Context(), quota.Sync, "cn-shanghai/app"); return err },
	}
	for name, get := range gets {
		t.Run(name, func(t *testing.T) { failure(t, get(), live.Unavailable, malformed) })
	}
}

// connections are servers that do not get as far as a reply.
var connections = map[string]struct {
	serve   http.HandlerFunc
	message string
}{
	"dropped at once": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "connection closed by"},
	"dropped in the header": {func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n")
		_ = conn.Close()
	}, "connection closed by"},
	"dropped in the body": {func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"RequestId":"REQ-1"}`)
	}, "connection closed by"},
	"dropped in a chunk": {func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"RequestId":"REQ-1"}`)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}, "connection closed by"},
	"reset": {func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}, "connection closed by"},
	"not HTTP": {func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		_, _ = io.WriteString(conn, "220 mail.example.com ESMTP\r\n")
		_ = conn.Close()
	}, "no connection to"},
}

func TestNoConnectionIsNotAbsent(t *testing.T) {
	t.Parallel()
	for name, tc := range connections {
		for operation, read := range reads {
			t.Run(name+", "+operation, func(t *testing.T) {
				t.Parallel()
				c := against(t, tc.serve)
				zero, err := read(t.Context(), c)
				failure(t, err, live.Unavailable, network)
				check(t, "zero value", zero, true)
				if !strings.Contains(err.Error(), tc.message) {
					t.Errorf("got %q, want it to say %q", err, tc.message)
				}
				_, again := read(t.Context(), c)
				check(t, "text of the same failure", again.Error(), err.Error())
			})
		}
	}
}

// nobody returns an endpoint at a port that is taken, so that no other test gets it,
// and that nobody listens at.
func nobody(t *testing.T) string {
	t.Helper()
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(s) })
	if err := syscall.Bind(s, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(s)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}

func TestWrongEndpoint(t *testing.T) {
	t.Parallel()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	for name, tc := range map[string]struct{ endpoint, message string }{
		"nobody listens":   {nobody(t), "connection refused by 127.0.0.1"},
		"not trusted":      {untrusted.URL, "TLS certificate"},
		"https to http":    {strings.Replace(plain.URL, "http://", "https://", 1), "does not speak TLS"},
		"a name of no one": {"https://live.invalid", "cannot resolve live.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for operation, read := range reads {
				_, err := read(t.Context(), newClient(t, live.Options{Endpoint: tc.endpoint}))
				check(t, operation+": class", live.ClassOf(err), live.Unavailable)
				if err == nil || !strings.Contains(err.Error(), tc.message) {
					t.Errorf("%s: got %v, want it to say %q", operation, err, tc.message)
				}
			}
		})
	}
}

// hang holds a request until its sender has gone.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// hangInBody does so after a part of the reply.
func hangInBody(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, `{"RequestId":"REQ-1",`)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func TestTimeoutIsNotAbsent(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]http.HandlerFunc{"no header": hang, "no end of the body": hangInBody} {
		for operation, read := range reads {
			t.Run(name+", "+operation, func(t *testing.T) {
				t.Parallel()
				c := newClient(t, live.Options{Endpoint: listen(t, serve), Timeout: 100 * time.Millisecond})
				_, err := read(t.Context(), c)
				failure(t, err, live.Unavailable, timeout)
			})
		}
	}
}

func TestCancellation(t *testing.T) {
	t.Parallel()
	for operation, read := range reads {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan struct{}, 1)
			c := against(t, func(w http.ResponseWriter, r *http.Request) {
				arrived <- struct{}{}
				hang(w, r)
			})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-arrived
				cancel()
			}()
			if _, err := read(ctx, c); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want %v", err, context.Canceled)
			}
		})
	}
}

// codes are all documented codes that concern operations in use.
var codes = map[string]struct {
	status int
	class  live.Class
}{
	// The gateway.
	"InvalidProduct.NotFound":         {404, live.Rejected},
	"InvalidApi.NotFound":             {404, live.Rejected},
	"InvalidProtocol.NeedSsl":         {400, live.Rejected},
	"MissingDomainName":               {400, live.Rejected},
	"MissingParameter":                {400, live.Rejected},
	"InvalidAccessKeyId.NotFound":     {404, live.AccessDenied},
	"InvalidAccessKeyId.Inactive":     {400, live.AccessDenied},
	"InvalidTimeStamp.Format":         {400, live.AccessDenied},
	"InvalidTimeStamp.Expired":        {400, live.Unavailable},
	"SignatureNonceUsed":              {400, live.Unavailable},
	"SignatureDoesNotMatch":           {400, live.AccessDenied},
	"Throttling":                      {400, live.Throttled},
	"Throttling.User":                 {400, live.Throttled},
	"Throttling.Api":                  {400, live.Throttled},
	"Rejected.Throttling":             {400, live.Throttled},
	"ServiceUnavailable":              {503, live.Unavailable},
	"Forbidden.RAM":                   {403, live.AccessDenied},
	"NoPermission":                    {403, live.AccessDenied},
	"InvalidSecurityToken.Expired":    {400, live.AccessDenied},
	"InvalidSecurityToken.Malformed":  {400, live.AccessDenied},
	"InvalidIdentity.ServiceDisabled": {400, live.AccessDenied},
	// Live, common.
	"Forbidden":                  {401, live.AccessDenied},
	"InvalidDomain.NotFound":     {404, live.DomainNotFound},
	"IllegalOperation":           {403, live.WrongDomainType},
	"ConfigAlreadyExists":        {400, live.Exists},
	"CodeConfigAlreadyExists":    {400, live.Exists},
	"ConfigExisted":              {400, live.Exists},
	"InternalError":              {500, live.Unavailable},
	"CodeGetPushbackDomainError": {400, live.Rejected},
	"AppInfoNotExist":            {404, live.DomainNotFound},
	// Stream, recording, records.
	"InvalidParam":                   {400, live.Rejected},
	"CodeGetMainPlaybackDomainError": {400, live.Rejected},
	"CodeNotPushDomain":              {400, live.WrongDomainType},
	"InvalidNotifyUrl.Malformed":     {400, live.Rejected},
	"InvalidNotifyUrl.Unsafe":        {400, live.Rejected},
	"InvalidOnDemandUrl.Malformed":   {400, live.Rejected},
	"InvalidOnDemandUrl.Unsafe":      {400, live.Rejected},
	"InvalidStartTime.Malformed":     {400, live.Rejected},
	"InvalidEndTime.Malformed":       {400, live.Rejected},
	"InvalidEndTime.Mismatch":        {400, live.Rejected},
	"Duration.Exceed":                {400, live.Rejected},
	"MalformedParam":                 {400, live.Rejected},
	"MissingParam":                   {404, live.Rejected},
	// RTC.
	"InvalidAppId":    {400, live.DomainNotFound},
	"OperationDenied": {403, live.AccessDenied},
	"InputInvalid":    {400, live.Rejected},
	"NoAuth":          {403, live.AccessDenied},
	"ServerError":     {500, live.Unavailable},
	// Unknown ones. A retry may help, and none of them means absent.
	"SomethingNew":            {400, live.Unavailable},
	"Something.NotFound":      {404, live.Unavailable},
	"DomainNotFound":          {404, live.Unavailable},
	"InvalidDomain.Offline":   {404, live.Unavailable},
	"InvalidConfig.NotFoundX": {404, live.Unavailable},
	"invalidconfig.notfound":  {404, live.Unavailable},
	"NotFound":                {404, live.Unavailable},
	"BackendTimeout":          {500, live.Unavailable},
	"Missing.From.Backend":    {500, live.Unavailable},
}

func TestClassByCode(t *testing.T) {
	t.Parallel()
	for code, tc := range codes {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, emulator.Switches{})
			c.Inject(emulator.Fault{Code: code, Status: tc.status, Message: "Because."})
			// A new client each time: an outage is no answer to each request.
			another := func() *live.Client { return newClient(t, live.Options{Endpoint: c.url}) }
			for operation, read := range reads {
				zero, err := read(t.Context(), another())
				failure(t, err, tc.class, code)
				check(t, operation+": zero value", zero, true)
				_, again := read(t.Context(), another())
				check(t, operation+": text of the same failure", again.Error(), err.Error())
				check(t, operation+": refused", live.Refused(err), tc.class != live.Unavailable || code == "InvalidTimeStamp.Expired")
			}
			want := live.StreamConfig{NotifyURL: hook}
			failure(t, live.NewStream(another()).Put(t.Context(), quota.User, push, live.StreamConfig{}, want, false), tc.class, code)
			failure(t, live.NewRecord(another()).Put(t.Context(), quota.User, play, live.RecordConfig{}, live.RecordConfig{NotifyURL: hook}, false), tc.class, code)
			failure(t, live.NewStream(another()).Delete(t.Context(), quota.User, push), tc.class, code)
			failure(t, live.NewRecord(another()).Delete(t.Context(), quota.User, play), tc.class, code)
		})
	}
}

// Absent is what these codes say, and a Get returns it as a value; of anything
// else they are errors.
func TestNotFoundCodes(t *testing.T) {
	t.Parallel()
	for code, status := range map[string]int{
		"InvalidConfig.NotFound": 404, "ConfigNotFound": 400, "CodeConfigNotFound": 400, "ResourceNotExist": 404,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, emulator.Switches{})
			c.Inject(emulator.Fault{Code: code, Status: status, Message: "Config does not exist."})
			for operation, read := range reads {
				zero, err := read(t.Context(), c.client)
				check(t, operation+": zero value", zero, true)
				if strings.HasSuffix(operation, "Get") {
					check(t, operation, err, nil)
				} else {
					failure(t, err, live.NotFound, code)
				}
			}
			check(t, "stream Delete", live.NewStream(c.client).Delete(t.Context(), quota.User, push), nil)
			check(t, "record Delete", live.NewRecord(c.client).Delete(t.Context(), quota.User, play), nil)
		})
	}
}

// A numeric code is no known one, and no reason to fall over.
func TestNumericCode(t *testing.T) {
	t.Parallel()
	c := against(t, body(403, `{"RequestId":"REQ-1","Code":403,"Message":"no"}`))
	_, err := live.NewStream(c).Get(t.Context(), quota.Sync, push)
	failure(t, err, live.Unavailable, "403")
}

func TestErrorsOfTheEmulatorItself(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	streams, recordings := live.NewStream(c.client), live.NewRecord(c.client)
	url := live.StreamConfig{NotifyURL: hook}
	get := func(_ live.StreamConfig, err error) error { return err }
	for name, tc := range map[string]struct {
		err   error
		class live.Class
		code  string
	}{
		"unknown domain, Get":    {get(streams.Get(t.Context(), quota.Sync, "other.example.com")), live.DomainNotFound, "InvalidDomain.NotFound"},
		"unknown domain, Put":    {streams.Put(t.Context(), quota.User, "other.example.com", live.StreamConfig{}, url, false), live.DomainNotFound, "InvalidDomain.NotFound"},
		"unknown domain, Delete": {streams.Delete(t.Context(), quota.User, "other.example.com"), live.DomainNotFound, "InvalidDomain.NotFound"},
		"playback domain, Put":   {streams.Put(t.Context(), quota.User, play, live.StreamConfig{}, url, false), live.WrongDomainType, "CodeNotPushDomain"},
		"playback domain, Get":   {get(streams.Get(t.Context(), quota.Sync, play)), live.WrongDomainType, "IllegalOperation"},
		"ingest domain, Put": {
			recordings.Put(t.Context(), quota.User, push, live.RecordConfig{}, live.RecordConfig{NotifyURL: hook}, false), live.WrongDomainType, "IllegalOperation",
		},
		"a short key": {
			streams.Put(t.Context(), quota.User, push, live.StreamConfig{}, live.StreamConfig{NotifyURL: hook, Authentication: true, AuthKey: "short"}, false), live.Rejected, "InvalidParam",
		},
		"a URL that is none": {
			recordings.Put(t.Context(), quota.User, play, live.RecordConfig{}, live.RecordConfig{NotifyURL: "ftp://a"}, false), live.Rejected, "InvalidNotifyUrl.Malformed",
		},
	} {
		t.Run(name, func(t *testing.T) { failure(t, tc.err, tc.class, tc.code) })
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const acs, userAPI, user = "x-acs-retry-after", "x-ratelimit-user-api", "x-ratelimit-user"
	for name, tc := range map[string]struct {
		code   string
		header map[string]string
		class  live.Class
		wait   time.Duration
	}{
		"milliseconds":             {"Throttling.User", map[string]string{acs: "1500"}, live.Throttled, 1500 * time.Millisecond},
		"the older header":         {"Throttling", map[string]string{userAPI: "Limit:1,Remain:0,TimeLeft:2000,Reset:1234"}, live.Throttled, 2 * time.Second},
		"the older user header":    {"Throttling.User", map[string]string{user: "Limit:1, Remain:0, TimeLeft:700, Reset:1234"}, live.Throttled, 700 * time.Millisecond},
		"the longer of two":        {"Throttling.Api", map[string]string{userAPI: "TimeLeft:100", user: "TimeLeft:900"}, live.Throttled, 900 * time.Millisecond},
		"the newer header wins":    {"Throttling", map[string]string{acs: "50", userAPI: "TimeLeft:2000"}, live.Throttled, 50 * time.Millisecond},
		"none":                     {"Throttling", nil, live.Throttled, 0},
		"zero":                     {"Throttling", map[string]string{acs: "0"}, live.Throttled, 0},
		"negative":                 {"Throttling", map[string]string{acs: "-5", userAPI: "TimeLeft:-5"}, live.Throttled, 0},
		"junk":                     {"Throttling", map[string]string{acs: "soon", userAPI: "TimeLeft:later,,:"}, live.Throttled, 0},
		"beyond all bounds":        {"Throttling", map[string]string{acs: "99999999999999999999"}, live.Throttled, 0},
		"of an unknown code":       {"TooFast", map[string]string{acs: "10"}, live.Throttled, 10 * time.Millisecond},
		"of a server error":        {"InternalError", map[string]string{acs: "10"}, live.Throttled, 10 * time.Millisecond},
		"a new kind of throttling": {"Throttling.Resource", nil, live.Throttled, 0},
		"its name at the end":      {"Denied.Throttling", nil, live.Throttled, 0},
		// The quota's state says nothing about an error of another kind.
		"quota left, no configuration": {"InvalidConfig.NotFound", map[string]string{userAPI: "Limit:100,Remain:97,TimeLeft:800,Reset:800"}, "", 0},
		"quota left, no permission":    {"Forbidden", map[string]string{userAPI: "Limit:100,Remain:97,TimeLeft:800,Reset:800"}, live.AccessDenied, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := against(t, func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range tc.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(http.StatusBadRequest)
				_, _ = fmt.Fprintf(w, `{"RequestId":"REQ-1","Code":%q,"Message":"m"}`, tc.code)
			})
			_, err := live.NewStream(c).Get(t.Context(), quota.Sync, push)
			check(t, "class", live.ClassOf(err), tc.class)
			if e, ok := errors.AsType[*live.Error](err); ok {
				check(t, "wait", e.RetryAfter, tc.wait)
			}
		})
	}
}

// What the cloud says ends up in conditions: it has to be the same each time,
// of bounded length and on one line.
func TestErrorText(t *testing.T) {
	t.Parallel()
	n := 0
	c := against(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		id := "4F3A-" + strconv.Itoa(n)
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"RequestId":" %s","Code":"InvalidParam","Message":"Parameter\n invalid (request %s). %s"}`, id, id, strings.Repeat("é", 1000))
	})
	_, first := live.NewStream(c).Get(t.Context(), quota.Sync, push)
	_, second := live.NewStream(c).Get(t.Context(), quota.Sync, push)
	check(t, "text of the same failure", second.Error(), first.Error())
	const start = "DescribeLiveStreamsNotifyUrlConfig: InvalidParam: Parameter invalid (request ). é"
	if text := first.Error(); !strings.HasPrefix(text, start) || len(text) > 400 || strings.ContainsAny(text, "\n\ufffd") {
		t.Errorf("got %q, want it to start with %q, short and whole", text, start)
	}
	e, _ := errors.AsType[*live.Error](second)
	check(t, "request ID", e.RequestID, "4F3A-2")
}

func TestClassOf(t *testing.T) {
	t.Parallel()
	check(t, "nil", live.ClassOf(nil), "")
	check(t, "another error", live.ClassOf(errors.New("other")), live.Unavailable)
	check(t, "a wrapped one", live.ClassOf(fmt.Errorf("wrapped: %w", &live.Error{Class: live.Rejected})), live.Rejected)
	check(t, "a joined one", live.ClassOf(errors.Join(errors.New("other"), &live.Error{Class: live.Exists})), live.Exists)
}

// A write whose reply is lost may have happened: its error says neither, and
// the next read tells.
func TestLostReply(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	c.Inject(emulator.Fault{Action: "AddLiveRecordNotifyConfig", LoseReply: true, Times: 1})
	recordings := live.NewRecord(c.client)
	want := live.RecordConfig{NotifyURL: hook}
	failure(t, recordings.Put(t.Context(), quota.User, play, live.RecordConfig{}, want, false), live.Unavailable, network)
	check(t, "calls: the request is not sent twice", c.actions(), "Add")
	have, err := recordings.Get(t.Context(), quota.Sync, play)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "have", have, want)
}

// A reply that is larger than any of the API is none, however it is built; one that
// is as large as they get is read.
func TestBoundsOfAReply(t *testing.T) {
	t.Parallel()
	const open = `{"RequestId":"REQ-1","X":`
	for name, tc := range map[string]struct {
		status int
		body   string
		code   string // "" for success
	}{
		"a long string":          {200, open + `"` + strings.Repeat("x", 1<<20) + `"}`, malformed},
		"nearly as long":         {200, open + `"` + strings.Repeat("x", 1<<20-100) + `"}`, ""},
		"many objects":           {200, open + `[` + strings.Repeat("{},", 10_000) + `{}]}`, malformed},
		"a full page of records": {200, open + `[` + strings.Repeat(`{"a":"b","c":"d","e":"f","g":1,"h":"i","j":"k","l":"m","n":"o","p":"q"},`, 500) + `{}]}`, ""},
		"deep":                   {200, open + strings.Repeat("[", 16) + strings.Repeat("]", 16) + "}", malformed},
		"nearly as deep":         {200, open + strings.Repeat("[", 15) + strings.Repeat("]", 15) + "}", ""},
		"deep objects":           {200, open + strings.Repeat(`{"a":`, 16) + "1" + strings.Repeat("}", 16) + "}", malformed},
		"a long error":           {400, `{"RequestId":"R","Code":"InvalidParam","Message":"` + strings.Repeat("x ", 33<<10) + `"}`, malformed},
		"nearly as long an error": {
			400, `{"RequestId":"R","Code":"InvalidParam","Message":"` + strings.Repeat("x ", 31<<10) + `"}`, "InvalidParam",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := live.NewRecord(against(t, body(tc.status, tc.body))).Get(t.Context(), quota.Sync, play)
			e, _ := errors.AsType[*live.Error](err)
			switch {
			case tc.code == "":
				check(t, "error", err, nil)
			case e == nil:
				t.Errorf("got %v, want code %s", err, tc.code)
			default:
				check(t, "code", e.Code, tc.code)
			}
		})
	}
}

// part of a body, that many times.
type part struct {
	times int
	text  string
}

// reader reads parts without ever having them in memory.
func reader(parts ...part) io.Reader {
	var all []io.Reader
	for _, p := range parts {
		for range p.times {
			all = append(all, strings.NewReader(p.text))
		}
	}
	return io.MultiReader(all...)
}

// plain answers with parts, and zipped with them in gzip.
func plain(parts ...part) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, reader(parts...)) }
}

func zipped(parts ...part) http.HandlerFunc {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.Copy(z, reader(parts...))
	_ = z.Close()
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	}
}

// bodies are replies that are made to take memory.
func bodies() map[string]http.HandlerFunc {
	open := part{1, `{"RequestId":"R","HasMore":false,"TotalNum":1,"Logs":[`}
	objects := part{1_000, strings.Repeat("{},", 5_000)} // 15 MB
	blank := strings.Repeat(" ", 64<<10)
	k := strings.Repeat("k", 100)
	keys := &strings.Builder{}
	for i := range 900 {
		_, _ = fmt.Fprintf(keys, `"%01000d":1,`, i)
	}
	return map[string]http.HandlerFunc{
		"15 MB of objects":         plain(open, objects, part{1, "{}]}"}),
		"as many tokens as may be": plain(open, part{999, strings.Repeat("{},", 10)}, part{1, "{}]}"}),
		"objects, zipped":          zipped(open, objects, part{1, "{}]}"}),
		"a bomb":                   zipped(part{1, `{"RequestId":"R","X":"`}, part{4_000, blank}, part{1, `"}`}),
		"strings of 100 bytes":     plain(open, part{9_900, `"` + k + `",`}, part{1, "1]}"}),
		"strings in records":       plain(open, part{120, `{"MsgId":"` + strings.Repeat("é", 4_000) + `"},`}, part{1, "{}]}"}),
		"one string":               plain(open, part{1, `{"MsgId":"`}, part{10_000, k}, part{1, `"}]}`}),
		"escapes":                  plain(open, part{1, `{"MsgId":"`}, part{17_000, strings.Repeat(`\u0041`, 10)}, part{1, `"}]}`}),
		"control characters":       plain(open, part{1, `{"MsgId":"`}, part{17_000, strings.Repeat(`\u0001`, 10)}, part{1, `"}]}`}),
		"long keys":                plain(part{1, `{"RequestId":"R",` + keys.String() + `"x":1}`}),
		"one key":                  plain(part{1, `{"RequestId":"R","`}, part{10_000, k}, part{1, `":1}`}),
		"deep":                     plain(part{1, `{"RequestId":"R","X":`}, part{10_000, strings.Repeat("[", 50)}, part{10_000, strings.Repeat("]", 50)}, part{1, "}"}),
		"numbers":                  plain(part{1, `{"RequestId":"R","X":[`}, part{10_000, strings.Repeat("1,", 50)}, part{1, "1]}"}),
		"one number":               plain(part{1, `{"RequestId":"R","X":`}, part{10_000, strings.Repeat("1", 100)}, part{1, "}"}),
		"an error of 1 MiB": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			plain(part{1, `{"Code":"InvalidParam","Message":"`}, part{16, blank}, part{1, `"}`})(w, r)
		},
		"a header of 1 MiB": raw(func(*http.Request) string {
			return "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Long: "+blank+"\r\n", 16) + "\r\n"
		}),
		"without an end": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, blank); err != nil {
					return
				}
			}
		},
		"a byte a second": func(w http.ResponseWriter, r *http.Request) {
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-tick.C:
				case <-r.Context().Done():
					return
				}
			}
		},
	}
}

// One client takes less than 100 MiB, whatever its endpoint answers. Not parallel:
// the heap is everyone's.
func TestMemoryOfReplies(t *testing.T) {
	if testing.Short() {
		t.Skip("what the race detector takes is not ours; the usual form measures it")
	}
	requests := 12 // of which two are decoded at once, as of any number
	if os.Getenv("LONG") != "" {
		requests = 30
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // as the operator has it, whatever the tests have
	for name, answer := range bodies() {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, live.Options{Endpoint: listen(t, answer), Timeout: time.Second})
			base := heap(true)
			var peak atomic.Uint64
			done, sampled := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(sampled)
				for {
					select {
					case <-done:
						return
					case <-time.After(2 * time.Millisecond):
						peak.Store(max(peak.Load(), heap(false)))
					}
				}
			}()
			var group sync.WaitGroup
			for i := range requests {
				group.Go(func() {
					switch i % 3 {
					case 0:
						_, _ = live.NewMPU(c).Count(t.Context(), fmt.Sprint(i), lastHour, live.Counts{})
					case 1:
						_, _ = live.NewStream(c).Get(t.Context(), quota.User, fmt.Sprint(i))
					default:
						_, _ = live.NewRecord(c).Count(t.Context(), fmt.Sprint(i), lastHour, live.Counts{})
					}
				})
			}
			group.Wait()
			close(done)
			<-sampled
			taken := (int64(peak.Load()) - int64(base)) >> 20
			t.Logf("%d requests took %d MiB", requests, taken)
			if taken > 100 {
				t.Errorf("%d requests took %d MiB, want 100 at most", requests, taken)
			}
		})
	}
}

// heap returns the size of the heap.
func heap(collect bool) uint64 {
	if collect {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
