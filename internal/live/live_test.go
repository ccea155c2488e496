// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alibabacloud-go/tea/dara"
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
			got, err := parseEndpoint(tc.endpoint, tc.insecure)
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
			if (err != nil) != (tc.refused != "") || err != nil && !strings.Contains(err.Error(), tc.refused) {
				t.Errorf("got error %v, want %q", err, tc.refused)
			}
		})
	}
}

// A request that is sent away takes no turn from others, also among many at once,
// and is not sent away for long.
func TestLimiterGivesSlotsBack(t *testing.T) {
	t.Parallel()
	l := NewLimits("slots")
	op := operation{action: "Slots", limit: 0.25 / DefaultQuotaShare} // a turn in 4 s
	if err := l.wait(t.Context(), op, LaneUser); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			for range 200 {
				_ = l.wait(t.Context(), op, LaneUser)
			}
		})
	}
	group.Wait()
	err := l.wait(t.Context(), op, LaneUser)
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Class != Throttled || e.RetryAfter > maxPromise {
		t.Errorf("got %#v, want to be told of a turn", err)
	}
}

// A caller who has gone before the turn does not take it from others.
func TestLimiterContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimits("context")
		op := operation{action: "Context", limit: 2 / DefaultQuotaShare}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.wait(t.Context(), op, LaneUser); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if err := l.wait(gone, op, LaneUser); !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v, want %v", err, context.Canceled)
			}
		}
		start := time.Now()
		if err := l.wait(t.Context(), op, LaneUser); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 900*time.Millisecond {
			t.Errorf("waited for %s, want one turn of 500ms", took)
		}
	})
}

func TestEveryRequestHasADeadline(t *testing.T) {
	t.Parallel()
	_, err := timed(t.Context(), DefaultTimeout, func(ctx context.Context, _ struct{}, _ *dara.RuntimeOptions) (struct{}, error) {
		deadline, ok := ctx.Deadline()
		if left := time.Until(deadline); !ok || left > DefaultTimeout || left < DefaultTimeout/2 {
			t.Errorf("got a deadline in %s (%t), want %s", left, ok, DefaultTimeout)
		}
		return struct{}{}, nil
	}, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
}

// What the credentials library says is different each time, and in a condition
// it must not be.
func TestNoCredentialsText(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ said, want string }{
		"plain":                     {"the OIDCTokenFilePath is empty", "the OIDCTokenFilePath is empty"},
		"a reply of the service":    {`get session token failed: {"RequestId":"7D5C5C3A-0B1C-5D6E-9F00-112233445566","Code":"NoPermission"}`, `get session token failed: {"RequestId":"","Code":"NoPermission"}`},
		"a connection that is lost": {"read tcp 10.1.2.3:54321->100.100.100.200:80: i/o timeout", "100.100.100.200:80: i/o timeout"},
		"several lines":             {"first\nsecond", "first"},
	} {
		if got := noCredentials("A", errors.New(tc.said)).Message; got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// A panic of the SDK is an error like others, and what it says is not told.
func TestPanicOfTheSDK(t *testing.T) {
	t.Parallel()
	const key = "Canary0123456789abcdef"
	own, err := OwnCredentials()
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewClient(Options{Credentials: own})
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{"text": key, "error": errors.New(key), "pointer": new(key)} {
		t.Run(name, func(t *testing.T) {
			_, err := call(t.Context(), c, LaneUser, operation{action: "Panic", limit: 1000},
				func(context.Context, string, *dara.RuntimeOptions) (*string, error) { panic(value) }, key)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Class != Unavailable || strings.Contains(e.Error(), key) {
				t.Errorf("got %v, want class %s and no key", err, Unavailable)
			}
		})
	}
}
