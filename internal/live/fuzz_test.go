// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

// roundTrip is a server without a network: everything above the connection is
// what the operator runs, the vendor's SDK included.
type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	reply := f(r)
	reply.Request = r
	return reply, nil
}

// wired returns a client whose requests a function answers.
func wired(tb testing.TB, answer roundTrip) *Client {
	tb.Helper()
	credentials, err := AccessKey("test-id", "test-secret", "")
	if err != nil {
		tb.Fatal(err)
	}
	c, err := NewClient(Options{
		Endpoint: "http://127.0.0.1:1", Credentials: credentials,
		Limits: quota.NewLimits(1e6, quota.Report{}), // no quota is a hindrance
	})
	if err != nil {
		tb.Fatal(err)
	}
	c.wire.client.Transport = answer
	return c
}

// answered is a server that says the same to everyone.
func answered(status int, header http.Header, body []byte) roundTrip {
	return func(*http.Request) *http.Response {
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(body))}
	}
}

// statusOf makes a possible status of any number.
func statusOf(n uint16) int { return 100 + int(n)%500 }

const (
	fuzzDomain = "push.example.com"
	fuzzKey    = "Canary0123456789abcdef"
)

// spellings are the ways in which a server may repeat a key in a message.
var spellings = []func(key string) string{
	func(key string) string { return key },
	strings.ToLower,
	strings.ToUpper,
	func(key string) string { return each(key, "%%%02X") },
	func(key string) string { return url.QueryEscape(each(key, "%%%02x")) },
	func(key string) string { return each(key, `\u%04x`) },
	func(key string) string { return each(key, `\\u%04X`) },
	func(key string) string { return each(key, "&#%d;") },
	func(key string) string { return each(key, "&#x%x;") },
	func(key string) string { return hex.EncodeToString([]byte(key)) },
	func(key string) string { return base64.StdEncoding.EncodeToString([]byte(key)) },
	func(key string) string {
		return base64.RawURLEncoding.EncodeToString([]byte("NotifyAuthKey=" + key + "&NotifyUrl=u"))
	},
	func(key string) string { return base64.StdEncoding.EncodeToString([]byte("AuthKey=" + key + "?>")) },
}

func each(s, format string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

// base64Spellings are what of a key is the same in the base64 of every text that
// holds it: one for each place in a group of three characters.
func base64Spellings(key string) []string {
	var all []string
	for before := range 3 {
		padded := append(make([]byte, before, before+len(key)), key...)
		encoded := base64.RawStdEncoding.EncodeToString(padded)
		// The first and the last character may share bits with a neighbour.
		all = append(all, encoded[(before*8+5)/6:len(padded)*8/6])
	}
	return all
}

// FuzzRedact has a server refuse a key and repeat it in one spelling or
// another. The error must not show it, in any spelling.
func FuzzRedact(f *testing.F) {
	for spelling := range spellings {
		f.Add(uint8(spelling), "the key ", " is not allowed", "R", "InvalidParam", fuzzKey)
		f.Add(uint8(spelling), `{\"NotifyAuthKey\":\"`, `\"}`, "e", "Key.", "0123456789012345")
	}
	f.Fuzz(func(t *testing.T, spelling uint8, before, after, requestID, code, secret string) {
		if _, err := ParseKey(secret, MaxStreamKey); err != nil {
			t.Skip()
		}
		spelled := spellings[int(spelling)%len(spellings)](secret)
		if slices.ContainsFunc([]string{before, after, requestID, code}, func(s string) bool { return strings.Contains(spelled, s) && len(s) >= 4 }) {
			t.Skip() // says a part of the key by itself
		}
		for _, where := range []struct{ message, code, requestID string }{
			{before + spelled + after, code, requestID},
			{before, code + spelled, requestID},
			{before, code, spelled + requestID},
		} {
			body, err := json.Marshal(map[string]string{"RequestId": where.requestID, "Code": where.code, "Message": where.message})
			if err != nil {
				t.Skip()
			}
			err = NewStream(wired(t, answered(400, http.Header{}, body))).Put(context.Background(), quota.User, fuzzDomain, StreamConfig{},
				StreamConfig{NotifyURL: "http://a.example.com", Authentication: true, AuthKey: Key(secret)}, false)
			if err == nil {
				t.Fatal("a refusal is a success")
			}
			text := fmt.Sprintf("%v %#v", err, err)
			for i, spell := range spellings {
				if i > 9 {
					break // the parts of a longer text, below
				}
				if told := spell(secret); strings.Contains(text, told) {
					t.Fatalf("spelling %d of the key %s is in %q", i, secret, text)
				}
			}
			for _, told := range base64Spellings(secret) {
				if strings.Contains(text, told) {
					t.Fatalf("%s, in base64 the key %s, is in %q", told, secret, text)
				}
			}
		}
	})
}

// FuzzError reads errors with anything in them.
func FuzzError(f *testing.F) {
	f.Add(uint16(304), "InvalidParam", "m", "R", "1500", "Limit:1,Remain:0,TimeLeft:2000,Reset:1")
	f.Add(uint16(403), "Throttling.User", "Request was denied", "R", "-1", "TimeLeft:9999999999999999999")
	f.Add(uint16(100), "0", strings.Repeat("é", 200), "", "", "")
	f.Fuzz(func(t *testing.T, status uint16, code, message, requestID, after, limit string) {
		body, err := json.Marshal(map[string]string{"RequestId": requestID, "Code": code, "Message": message})
		if err != nil {
			t.Skip()
		}
		header := http.Header{"X-Acs-Retry-After": {after}, "X-Ratelimit-User-Api": {limit}}
		err = NewRecord(wired(t, answered(statusOf(status), header, body))).Delete(context.Background(), quota.User, fuzzDomain)
		if err == nil {
			if _, known := classes[code]; known && !saysAbsent(code) || statusOf(status) != 200 && !saysAbsent(strings.Trim(code, `" `)) {
				t.Fatalf("HTTP %d %s is a success", statusOf(status), body)
			}
			return
		}
		e, ok := errors.AsType[*Error](err)
		switch {
		case !ok || e.Class == "" || e.Code == "" || e.Action == "":
			t.Fatalf("got %#v", err)
		case len(e.Message) > maxMessage || len(e.Code) > 64:
			t.Fatalf("%d bytes of message, %d of code", len(e.Message), len(e.Code))
		case e.RetryAfter < 0 || e.RetryAfter > maxRetryAfter:
			t.Fatalf("wait %s", e.RetryAfter)
		case strings.ContainsAny(e.Message, "\n\r\x00\x1b") || strings.ContainsAny(e.Code, "\n\r\x00\x1b"):
			t.Fatalf("control characters in %q", e)
		}
		if _, known := classes[e.label()]; !known && !slices.Contains([]string{codeNetwork, codeTimeout, codeMalformed, "Other"}, e.label()) {
			t.Fatalf("a series of its own for %q", e.label())
		}
	})
}

// FuzzParseKey takes anything for a key. What is taken is what the cloud takes,
// and what is refused is not quoted.
func FuzzParseKey(f *testing.F) {
	f.Add(fuzzKey, MaxStreamKey)
	f.Add(" "+fuzzKey+"\n", MaxRecordKey)
	f.Add("0123456789é012345", MaxRecordKey)
	f.Add("", 0)
	f.Fuzz(func(t *testing.T, value string, most int) {
		k, err := ParseKey(value, most)
		if err == nil {
			if string(k) != value || len(k) < minKey || len(k) > most || strings.ContainsFunc(value, func(r rune) bool { return !isAlphanumeric(r) }) {
				t.Fatalf("%q is taken for a key", value)
			}
			if !k.same(k) {
				t.Fatal("a key differs from itself")
			}
			return
		}
		if k != "" || len(value) > 12 && strings.Contains(err.Error(), value) {
			t.Fatalf("%q: %q, %v", value, string(k), err)
		}
	})
}

// FuzzParseEndpoint takes anything for an endpoint. What is taken is a scheme
// and a host alone, and in clear only a loopback address.
func FuzzParseEndpoint(f *testing.F) {
	for _, s := range []string{
		"", "live.aliyuncs.com", "https://live.aliyuncs.com:443", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:80",
		"http://localhost@evil.example.com", "http://127.0.0.1.evil.example.com", "http://[::1%25lo]", "HTTP://localhost", "http://localhost\x00.example.com",
		"http://ⅼocalhost", "http://127.0.0.1:80:90", "https://a..b", "https://a.", "http://0x7f.1", "http://[::ffff:127.0.0.1]",
	} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, insecure bool) {
		e, err := parseEndpoint(s, DefaultEndpoint, insecure)
		if err != nil {
			return
		}
		u, err := url.Parse(e.scheme + "://" + e.host + "/?x=1")
		if err != nil || u.Host != e.host || u.User != nil || u.Path != "/" || u.Scheme != "http" && u.Scheme != "https" {
			t.Fatalf("%q became %+v: %v, %v", s, e, u, err)
		}
		if _, err := http.NewRequest(http.MethodPost, u.String(), nil); err != nil { //nolint:noctx // it is not sent
			t.Fatalf("%q: %v", s, err)
		}
		if e.scheme == "http" && !insecure && u.Hostname() != "localhost" {
			if addr, err := netip.ParseAddr(u.Hostname()); err != nil || !addr.IsLoopback() {
				t.Fatalf("%q is in clear", s)
			}
		}
	})
}
