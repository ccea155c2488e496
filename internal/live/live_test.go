// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

func TestParseEndpoint(t *testing.T) {
	t.Parallel()
	const junk, insecure = "is not host or host:port", "in clear"
	for name, tc := range map[string]struct {
		endpoint string
		insecure bool
		want     endpoint
		refused  string // what the error says
	}{
		"default":                           {"", false, endpoint{"https", "live.aliyuncs.com"}, ""},
		"a host":                            {"live.ap-southeast-1.aliyuncs.com", false, endpoint{"https", "live.ap-southeast-1.aliyuncs.com"}, ""},
		"host and port":                     {"live.aliyuncs.com:8443", false, endpoint{"https", "live.aliyuncs.com:8443"}, ""},
		"https":                             {"https://live.aliyuncs.com", false, endpoint{"https", "live.aliyuncs.com"}, ""},
		"https and an address":              {"https://10.0.0.1:8443", false, endpoint{"https", "10.0.0.1:8443"}, ""},
		"https and an IPv6 address":         {"https://[2001:db8::1]:8443", false, endpoint{"https", "[2001:db8::1]:8443"}, ""},
		"http to localhost":                 {"http://localhost:8080", false, endpoint{"http", "localhost:8080"}, ""},
		"http to localhost without port":    {"http://localhost", false, endpoint{"http", "localhost"}, ""},
		"http to 127.0.0.1":                 {"http://127.0.0.1:8080", false, endpoint{"http", "127.0.0.1:8080"}, ""},
		"http to another of 127":            {"http://127.8.8.8", false, endpoint{"http", "127.8.8.8"}, ""},
		"http to ::1":                       {"http://[::1]:8080", false, endpoint{"http", "[::1]:8080"}, ""},
		"http to ::1 without port":          {"http://[::1]", false, endpoint{"http", "[::1]"}, ""},
		"http to 127 in IPv6":               {"http://[::ffff:127.0.0.1]:80", false, endpoint{"http", "[::ffff:127.0.0.1]:80"}, ""},
		"http elsewhere":                    {"http://live.aliyuncs.com", false, endpoint{}, insecure},
		"http to an address":                {"http://10.0.0.1:8080", false, endpoint{}, insecure},
		"http to all addresses":             {"http://0.0.0.0:8080", false, endpoint{}, insecure},
		"http to a name like localhost":     {"http://localhost.example.com", false, endpoint{}, insecure},
		"http to a name like 127.0.0.1":     {"http://127.0.0.1.example.com", false, endpoint{}, insecure},
		"http to a short form":              {"http://127.1:8080", false, endpoint{}, insecure},
		"http to a subdomain of localhost":  {"http://a.localhost", false, endpoint{}, insecure},
		"http elsewhere, allowed":           {"http://live-emulator.default.svc:8080", true, endpoint{"http", "live-emulator.default.svc:8080"}, ""},
		"another scheme":                    {"ftp://live.aliyuncs.com", false, endpoint{}, junk},
		"another scheme, insecure":          {"ws://live.aliyuncs.com", true, endpoint{}, junk},
		"a path":                            {"https://live.aliyuncs.com/api", false, endpoint{}, junk},
		"a slash":                           {"https://live.aliyuncs.com/", false, endpoint{}, junk},
		"a query":                           {"live.aliyuncs.com?x=1", false, endpoint{}, junk},
		"a fragment":                        {"live.aliyuncs.com#x", false, endpoint{}, junk},
		"a user":                            {"https://user:pass@live.aliyuncs.com", false, endpoint{}, junk},
		"localhost as a user":               {"http://localhost:80@live.aliyuncs.com", false, endpoint{}, junk},
		"no host":                           {"https://", false, endpoint{}, junk},
		"a port alone":                      {":8080", false, endpoint{}, junk},
		"no port behind the colon":          {"live.aliyuncs.com:", false, endpoint{}, junk},
		"a port that is none":               {"live.aliyuncs.com:https", false, endpoint{}, junk},
		"a port beyond all":                 {"live.aliyuncs.com:65536", false, endpoint{}, junk},
		"port zero":                         {"live.aliyuncs.com:0", false, endpoint{}, junk},
		"two ports":                         {"live.aliyuncs.com:80:80", false, endpoint{}, junk},
		"an open bracket":                   {"http://[::1", false, endpoint{}, junk},
		"IPv6 without brackets":             {"::1", false, endpoint{}, junk},
		"a space":                           {"live.aliyuncs.com ", false, endpoint{}, junk},
		"a line break":                      {"live.aliyuncs.com\n", false, endpoint{}, junk},
		"a percent sign":                    {"live%2ealiyuncs.com", false, endpoint{}, junk},
		"two schemes":                       {"https://https://live.aliyuncs.com", false, endpoint{}, junk},
		"a scheme in upper case, not known": {"HTTP://live.aliyuncs.com", false, endpoint{}, junk},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseEndpoint(tc.endpoint, DefaultEndpoint, tc.insecure)
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
			if (err != nil) != (tc.refused != "") || err != nil && !strings.Contains(err.Error(), tc.refused) {
				t.Errorf("got error %v, want %q", err, tc.refused)
			}
			if (CheckEndpoint(tc.endpoint, tc.insecure) == nil) != (err == nil) {
				t.Error("CheckEndpoint says something else")
			}
			if err != nil && len(tc.endpoint) > 9 && strings.Contains(err.Error(), tc.endpoint) {
				t.Errorf("the error repeats the endpoint: %v", err)
			}
		})
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"": "live.aliyuncs.com", "https://LIVE.aliyuncs.com": "live.aliyuncs.com", "Live.example.com:8443": "live.example.com:8443", "http://[::1]:80": "[::1]:80",
	} {
		c, err := NewClient(Options{Endpoint: endpoint, Credentials: testKey(t)})
		if err != nil {
			t.Fatal(err)
		}
		if c.Host() != want || HostOf(endpoint) != want {
			t.Errorf("%s: got %q and %q, want %q", endpoint, c.Host(), HostOf(endpoint), want)
		}
	}
}

func TestVendorEndpoint(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"live.aliyuncs.com": true, "live.aliyuncs.com:443": true, "live.ap-southeast-1.aliyuncs.com": true, "live-vpc.cn-shanghai.aliyuncs.com": true,
		"": false, "live.aliyuncs.com:8443": false, "live.aliyuncs.com.example.com": false, "xlive.aliyuncs.com": false, "live.a.b.aliyuncs.com": false,
		"live-vpc.aliyuncs.com": false, "live-aliyuncs.com": false, "livexaliyuncs.com": false, "127.0.0.1": false, "evil.com/live.aliyuncs.com": false, "live..aliyuncs.com": false,
	} {
		if got := VendorEndpoint(host); got != want {
			t.Errorf("%q: got %t", host, got)
		}
	}
}

// testKey are credentials that need no one.
func testKey(tb testing.TB) Credentials {
	tb.Helper()
	c, err := AccessKey("test-id", "test-secret", "")
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestEveryRequestHasADeadline(t *testing.T) {
	t.Parallel()
	reply := answered(200, http.Header{}, []byte(`{"RequestId":"R"}`))
	c := wired(t, func(r *http.Request) *http.Response {
		deadline, ok := r.Context().Deadline()
		if left := time.Until(deadline); !ok || left > DefaultTimeout {
			t.Errorf("got a deadline in %s (%t), want %s", left, ok, DefaultTimeout)
		}
		return reply(r)
	})
	if _, err := NewStream(c).Get(t.Context(), quota.User, "d"); err != nil {
		t.Fatal(err)
	}
}

// panicking is a reply that cannot be read without a panic.
type panicking struct{}

var panicsWith any

func (*panicking) UnmarshalJSON([]byte) error { panic(panicsWith) }

// A panic of a library is an error like others, what it says is not told, and the
// breaker hears of it. The places of replies that are decoded are free after it.
func TestPanicOfALibrary(t *testing.T) {
	t.Parallel()
	const key = "Canary0123456789abcdef"
	for name, value := range map[string]any{"text": key, "error": errors.New(key), "pointer": new(key)} {
		t.Run(name, func(t *testing.T) {
			var reports []bool
			c := wired(t, answered(200, http.Header{}, []byte(`{"RequestId":"R"}`)))
			c.options.Breaker = quota.NewBreaker(func(ok bool) { reports = append(reports, ok) })
			for range 5 {
				panicsWith = value
				_, err := call[panicking](t.Context(), c, newTurn(quota.User, "k"), describeStream, nil)
				e, ok := errors.AsType[*Error](err)
				if !ok || e.Class != Unavailable || strings.Contains(e.Error(), key) {
					t.Errorf("got %v, want class %s and no key", err, Unavailable)
				}
			}
			if len(reports) != 1 || reports[0] {
				t.Errorf("the breaker reported %v, want that it opened", reports)
			}
			if n := len(c.wire.decoding); n != 0 {
				t.Errorf("%d places are not free", n)
			}
		})
	}
}

// A panic of what reports, outside of the SDK, loses nothing either.
func TestPanicOfAReport(t *testing.T) {
	t.Parallel()
	c := wired(t, answered(200, http.Header{}, []byte(`{"RequestId":"R"}`)))
	broken := true
	c.options.Limits = quota.NewLimits(1e6, quota.Report{Limit: func(string, float64) {
		if broken {
			panic("no label")
		}
	}})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the report did not panic")
			}
		}()
		_, _ = NewStream(c).Get(t.Context(), quota.User, "d")
	}()
	broken = false
	if _, err := NewStream(c).Get(t.Context(), quota.User, "d"); err != nil {
		t.Error(err)
	}
}

// What the breaker is told.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]quota.Answer{
		codeNetwork: quota.Unanswered, codeTimeout: quota.Unanswered, codeMalformed: quota.Unanswered, "ServiceUnavailable": quota.Unanswered,
		"InternalError": quota.Answered, "Throttling": quota.Answered, "Forbidden": quota.Answered, codeOther: quota.Answered,
	} {
		if got := answerOf(&Error{Code: code}); got != want {
			t.Errorf("%s: got %v, want %v", code, got, want)
		}
	}
	if answerOf(nil) != quota.Answered || answerOf(context.Canceled) != quota.Unsaid {
		t.Error("a reply, or a cancelled request, is told as something else")
	}
}

// Nothing is sent while the breaker is open; a probe closes it.
func TestOutage(t *testing.T) {
	t.Parallel()
	down, calls := true, 0
	c := wired(t, func(*http.Request) *http.Response {
		calls++
		if down {
			return &http.Response{StatusCode: 502, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("<html>"))}
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"RequestId":"R"}`))}
	})
	for i := range 5 {
		if _, err := NewStream(c).Get(t.Context(), quota.User, fmt.Sprint(i)); ClassOf(err) != Unavailable {
			t.Fatal(err)
		}
	}
	_, err := NewStream(c).Get(t.Context(), quota.User, "1")
	later, ok := errors.AsType[*quota.Deferral](err)
	if !ok || !later.Outage || !Refused(err) || calls != 5 {
		t.Fatalf("got %v after %d calls, want to be sent away after 5", err, calls)
	}
}

// Credentials come before the quota: what cannot be signed takes no turn.
func TestNoTurnWithoutCredentials(t *testing.T) {
	t.Parallel()
	c := wired(t, answered(200, http.Header{}, []byte(`{"RequestId":"R"}`)))
	c.options.Limits = quota.NewLimits(0.001, quota.Report{}) // one turn, and then none for a minute
	good := c.credentials
	c.credentials = from(func(context.Context, bool) (session, error) { return session{}, noCredentials("none") }).source
	if _, err := NewStream(c).Get(t.Context(), quota.User, "d"); ClassOf(err) != NoCredentials || !Refused(err) {
		t.Fatalf("got %v", err)
	}
	c.credentials = good
	if _, err := NewStream(c).Get(t.Context(), quota.User, "d"); err != nil {
		t.Fatalf("the turn is gone: %v", err)
	}
	_, err := NewStream(c).Get(t.Context(), quota.User, "e")
	if later, ok := errors.AsType[*quota.Deferral](err); !ok || later.Outage || !Refused(err) || ClassOf(err) != Unavailable {
		t.Fatalf("got %#v, want to be sent away", err)
	}
}

// A throttled reply lowers the pace of its operation.
func TestThrottledIsSlower(t *testing.T) {
	t.Parallel()
	c := wired(t, answered(400, http.Header{"X-Acs-Retry-After": {"60000"}}, []byte(`{"RequestId":"R","Code":"Throttling.User","Message":"m"}`)))
	if _, err := NewStream(c).Get(t.Context(), quota.User, "d"); ClassOf(err) != Throttled || !Refused(err) {
		t.Fatalf("got %v", err)
	}
	_, err := NewStream(c).Get(t.Context(), quota.User, "d")
	if later, ok := errors.AsType[*quota.Deferral](err); !ok || later.Wait < 30*time.Second {
		t.Errorf("got %#v, want to wait for a minute", err)
	}
	if err := NewStream(c).Delete(t.Context(), quota.User, "d"); ClassOf(err) != Throttled {
		t.Errorf("another operation: got %v", err)
	}
}

// The cloud's time is that of the Date of its replies, and not that of a page of
// someone else, or one that the cloud cannot mean.
func TestNow(t *testing.T) {
	t.Parallel()
	ok := `{"RequestId":"R"}`
	for name, tc := range map[string]struct {
		ahead  time.Duration
		body   string
		status int
		want   time.Duration
	}{
		"equal": {0, ok, 200, 0}, "a second": {time.Second, ok, 200, 0}, "ahead": {5 * time.Minute, ok, 200, 5 * time.Minute}, "behind": {-14 * time.Minute, ok, 200, -14 * time.Minute},
		"far ahead": {3 * time.Hour, ok, 200, 0}, "far behind": {-1e5 * time.Hour, ok, 200, 0},
		"of an error":       {5 * time.Minute, `{"RequestId":"R","Code":"InvalidParam","Message":"m"}`, 400, 5 * time.Minute},
		"of someone else":   {5 * time.Minute, `<html>`, 200, 0},
		"of someone's JSON": {5 * time.Minute, `{"a":1}`, 200, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := wired(t, func(*http.Request) *http.Response {
				date := time.Now().Add(tc.ahead).UTC().Format(http.TimeFormat)
				return &http.Response{StatusCode: tc.status, Header: http.Header{"Date": {date}}, Body: io.NopCloser(strings.NewReader(tc.body))}
			})
			const busy = 30 * time.Second // what may go by on a busy machine between two lines
			if got := time.Until(c.Now()); got.Abs() > busy {
				t.Errorf("got %s before the first reply", got)
			}
			_, _ = NewStream(c).Get(t.Context(), quota.User, "d")
			if got := time.Duration(c.skew.Load()) - tc.want; got.Abs() > busy {
				t.Errorf("got %s more than %s", got, tc.want)
			}
		})
	}
	c := wired(t, answered(200, http.Header{"Date": {"yesterday"}}, []byte(ok)))
	if _, err := NewStream(c).Get(t.Context(), quota.User, "d"); err != nil || c.skew.Load() != 0 {
		t.Errorf("a Date that is none: %v, %d", err, c.skew.Load())
	}
}

// Once a change has begun, it waits for its turns.
func TestFinish(t *testing.T) {
	t.Parallel()
	begun := newTurn(quota.Sync, "k")
	if want := (turn{quota.Sync, "k", finishing}); begun.finish() != want || begun.patience != patience || patience >= finishing {
		t.Errorf("got %+v and %+v", begun, begun.finish())
	}
}
