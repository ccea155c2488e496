// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
	"github.com/google/go-cmp/cmp"
)

func TestGateway(t *testing.T) {
	const describe = "DescribeLiveStreamsNotifyUrlConfig"
	domain := url.Values{"DomainName": {push}}
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	unset := func(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }
	// change is for what happens to a request after it was signed.
	change := func(r *http.Request, changes ...func(*http.Request)) *http.Request {
		for _, c := range changes {
			c(r)
		}
		return r
	}
	at := func(c *cloud, offset time.Duration) func(*http.Request) {
		return set("x-acs-date", c.now().Add(offset).UTC().Format(timeFormat))
	}

	cases := map[string]struct {
		request func(c *cloud) *http.Request
		status  int
		code    string
	}{
		"a signed POST passes": {
			func(c *cloud) *http.Request { return c.signed("POST", describe, domain, "") }, 200, "",
		},
		"a signed GET passes": {
			func(c *cloud) *http.Request { return c.signed("GET", describe, domain, "") }, 200, "",
		},
		"parameters may come in a form": {
			func(c *cloud) *http.Request { return c.signed("POST", describe, nil, domain.Encode()) }, 200, "",
		},
		"a space, a plus and an asterisk in the query pass": {
			func(c *cloud) *http.Request {
				return c.signed("POST", describe, url.Values{"DomainName": {push}, "RegionId": {"a b+c*d~e"}}, "")
			}, 200, "",
		},
		"further signed headers pass": {
			func(c *cloud) *http.Request {
				return c.signed("POST", describe, domain, "", set("x-acs-credentials-provider", "static_ak"))
			}, 200, "",
		},
		"a date 15 minutes old passes": {
			func(c *cloud) *http.Request { return c.signed("POST", describe, domain, "", at(c, -15*time.Minute)) }, 200, "",
		},
		"a date 15 minutes ahead passes": {
			func(c *cloud) *http.Request { return c.signed("POST", describe, domain, "", at(c, 15*time.Minute)) }, 200, "",
		},
		"an older date is expired": {
			func(c *cloud) *http.Request {
				return c.signed("POST", describe, domain, "", at(c, -15*time.Minute-time.Second))
			}, 400, "InvalidTimeStamp.Expired",
		},
		"a date further ahead is expired": {
			func(c *cloud) *http.Request {
				return c.signed("POST", describe, domain, "", at(c, 15*time.Minute+time.Second))
			}, 400, "InvalidTimeStamp.Expired",
		},
		"a date with an offset is malformed": {
			func(c *cloud) *http.Request {
				return c.signed("POST", describe, domain, "", set("x-acs-date", "2026-01-02T03:04:05+00:00"))
			}, 400, "InvalidTimeStamp.Format",
		},
		"a date is mandatory": {
			func(c *cloud) *http.Request { return c.signed("POST", describe, domain, "", unset("x-acs-date")) },
			400, "MissingTimestamp",
		},
		"a nonce is mandatory": {
			func(c *cloud) *http.Request {
				return c.signed("POST", describe, domain, "", unset("x-acs-signature-nonce"))
			},
			400, "MissingSignatureNonce",
		},
		"an unknown operation": {
			func(c *cloud) *http.Request { return c.signed("POST", "DescribeNothing", domain, "") },
			404, "InvalidApi.NotFound",
		},
		"an unknown version": {
			func(c *cloud) *http.Request {
				return c.signed("POST", describe, domain, "", set("x-acs-version", "2014-05-26"))
			},
			404, "InvalidApi.NotFound",
		},
		"a wrong verb": {
			func(c *cloud) *http.Request { return c.signed("PUT", describe, domain, "") }, 404, "InvalidApi.NotFound",
		},
		"a wrong path": {
			func(c *cloud) *http.Request {
				return c.signed("POST", describe, domain, "", func(r *http.Request) { r.URL.Path = "/v1" })
			}, 404, "InvalidApi.NotFound",
		},
		"a date with fractions of a second is malformed": {
			func(c *cloud) *http.Request {
				return c.signed("POST", describe, domain, "", set("x-acs-date", "2026-01-02T03:04:05.000Z"))
			}, 400, "InvalidTimeStamp.Format",
		},
		"a missing parameter is found before the signature is looked at": {
			func(c *cloud) *http.Request {
				return change(c.signed("POST", describe, nil, ""), unset("Authorization"))
			}, 400, "MissingDomainName",
		},
		"no Authorization": {
			func(c *cloud) *http.Request {
				return change(c.signed("POST", describe, domain, ""), unset("Authorization"))
			}, 400, "MissingAccessKeyId",
		},
		"another kind of Authorization": {
			func(c *cloud) *http.Request {
				return change(c.signed("POST", describe, domain, ""), set("Authorization", "Bearer x"))
			}, 400, "SignatureDoesNotMatch",
		},
		"an unknown key": {
			func(c *cloud) *http.Request { c.key.ID = "unknown"; return c.signed("POST", describe, domain, "") },
			404, "InvalidAccessKeyId.NotFound",
		},
		"a wrong secret": {
			func(c *cloud) *http.Request { c.key.Secret = "wrong"; return c.signed("POST", describe, domain, "") },
			400, "SignatureDoesNotMatch",
		},
		"a parameter changed on the way": {
			func(c *cloud) *http.Request {
				return change(c.signed("POST", describe, domain, ""),
					func(r *http.Request) { r.URL.RawQuery = "DomainName=" + play })
			}, 400, "SignatureDoesNotMatch",
		},
		"a body that is not the one that was hashed": {
			func(c *cloud) *http.Request {
				return c.signed("POST", describe, domain, "a=b", set("x-acs-content-sha256", hashOfNothing))
			}, 400, "SignatureDoesNotMatch",
		},
		"a mandatory header that is not signed": {
			func(c *cloud) *http.Request {
				r := c.signed("POST", describe, domain, "")
				c.sign(r, []string{"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-content-sha256"}, "")
				return r
			}, 400, "SignatureDoesNotMatch",
		},
		"a session without its token": {
			func(c *cloud) *http.Request {
				c.key = AccessKey{ID: "session", Secret: "s"}
				return c.signed("POST", describe, domain, "")
			}, 400, "MissingSecurityToken",
		},
		"a session with a wrong token": {
			func(c *cloud) *http.Request {
				c.key = AccessKey{ID: "session", Secret: "s"}
				return c.signed("POST", describe, domain, "", set("x-acs-security-token", "other"))
			}, 400, "InvalidSecurityToken.MismatchWithAccessKey",
		},
		"a session whose token is not signed": {
			func(c *cloud) *http.Request {
				c.key = AccessKey{ID: "session", Secret: "s"}
				return change(c.signed("POST", describe, domain, ""), set("x-acs-security-token", "token"))
			}, 400, "SignatureDoesNotMatch",
		},
		"a token with a key that has none": {
			func(c *cloud) *http.Request {
				return c.signed("POST", describe, domain, "", set("x-acs-security-token", "token"))
			}, 400, "InvalidSecurityToken.MismatchWithAccessKey",
		},
		"a session with its token passes": {
			func(c *cloud) *http.Request {
				c.key = AccessKey{ID: "session", Secret: "s"}
				return c.signed("POST", describe, domain, "", set("x-acs-security-token", "token"))
			}, 200, "",
		},
		"a body beyond all measure": {
			func(c *cloud) *http.Request { return c.signed("POST", describe, nil, strings.Repeat("a", maxBody+1)) },
			400, "InvalidParam",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{
				Now:        newClock().now,
				AccessKeys: []AccessKey{{ID: "session", Secret: "s", SecurityToken: "token"}},
			})
			got := c.do(tc.request(c))
			if got.status != tc.status || got.code() != tc.code {
				t.Errorf("got %d %s, want %d %s: %v", got.status, got.code(), tc.status, tc.code, got.body["Message"])
			}
		})
	}
}

func TestNonceCannotBeUsedTwice(t *testing.T) {
	clk := newClock()
	c := newCloud(t, Options{Now: clk.now})
	request := func() *http.Request {
		return c.signed("POST", "DescribeLiveStreamsNotifyUrlConfig", url.Values{"DomainName": {push}}, "",
			func(r *http.Request) { r.Header.Set("x-acs-signature-nonce", "the-same") })
	}
	steps := []struct {
		wait time.Duration
		code string
	}{
		{0, ""},
		{0, "SignatureNonceUsed"},
		{15 * time.Minute, "SignatureNonceUsed"},
		{15 * time.Minute, "SignatureNonceUsed"},
		{2 * time.Hour, ""}, // forgotten
	}
	for i, step := range steps {
		clk.advance(step.wait)
		if i == len(steps)-1 {
			c.post("DescribeLiveStreamsNotifyUrlConfig", "DomainName", push) // nonces age when others come
			clk.advance(time.Hour)
		}
		if got := c.do(request()).code(); got != step.code {
			t.Errorf("step %d: got %q, want %q", i, got, step.code)
		}
	}
}

// TestSDKWithSecurityToken signs in as a session with the official client.
func TestSDKWithSecurityToken(t *testing.T) {
	session := AccessKey{ID: "session", Secret: "s", SecurityToken: "token"}
	c := newCloud(t, Options{AccessKeys: []AccessKey{session}})
	got := make(map[string]string)
	for name, token := range map[string]string{"right": "token", "wrong": "other"} {
		c.key = AccessKey{ID: session.ID, Secret: session.Secret, SecurityToken: token}
		_, err := c.sdk().DescribeLiveStreamsNotifyUrlConfig(
			&sdk.DescribeLiveStreamsNotifyUrlConfigRequest{DomainName: new(push)})
		got[name] = codeOf(err)
	}
	want := map[string]string{"right": "", "wrong": "InvalidSecurityToken.MismatchWithAccessKey"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

func TestErrorBody(t *testing.T) {
	c := newCloud(t, Options{})
	uuid := regexp.MustCompile(`^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$`)
	cases := map[string]struct {
		got  answer
		want map[string]any
	}{
		"the gateway's has a link": {
			c.post("DescribeLiveStreamsNotifyUrlConfig"),
			map[string]any{
				"HostId": c.host, "Code": "MissingDomainName", "Message": "DomainName is mandatory for this action.",
				"Recommend": "https://error-center.aliyun.com/status/search?Keyword=MissingDomainName&source=PopGw",
			},
		},
		"the service's has none": {
			c.post("DescribeLiveStreamsNotifyUrlConfig", "DomainName", "unknown.example.com"),
			map[string]any{
				"HostId": c.host, "Code": "InvalidDomain.NotFound",
				"Message": "The domain provided does not exist in our records.",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			id, _ := tc.got.body["RequestId"].(string)
			if !uuid.MatchString(id) {
				t.Errorf("RequestId %q is not a UUID in upper case", id)
			}
			delete(tc.got.body, "RequestId")
			if diff := cmp.Diff(tc.want, tc.got.body); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAccountsAreApart has the domain of one account hidden from another.
func TestAccountsAreApart(t *testing.T) {
	c := newCloud(t, Options{AccessKeys: []AccessKey{{ID: "other", Secret: "o", Account: "other"}}})
	c.key = AccessKey{ID: "other", Secret: "o"}
	got := map[string]string{
		"domain": c.post("DescribeLiveStreamsNotifyUrlConfig", "DomainName", push).code(),
		"app":    c.post("DescribeRtcMPUEventSub", "AppId", appID).code(),
	}
	want := map[string]string{"domain": "InvalidDomain.NotFound", "app": "InvalidAppId"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

// TestEmptyParameters sends parameters empty to a gateway that passes them on, one that takes them for absent, and one
// that refuses them.
func TestEmptyParameters(t *testing.T) {
	type answers struct{ Required, Optional, Stored string }
	cases := map[string]struct {
		switches Switches
		want     answers
	}{
		"a value":            {Switches{}, answers{"MissingParameter", "", ""}},
		"a value, by name":   {Switches{EmptyParameters: EmptyValue}, answers{"MissingParameter", "", ""}},
		"missing":            {Switches{EmptyParameters: EmptyMissing}, answers{"MissingDomainName", "", ""}},
		"missing, so kept":   {Switches{EmptyParameters: EmptyMissing, StreamSetMerges: true}, answers{"MissingDomainName", "", "http://x"}},
		"refused":            {Switches{EmptyParameters: EmptyRefused}, answers{"MissingDomainName", "MissingParameter", "http://x"}},
		"a value, not kept":  {Switches{StreamSetMerges: true}, answers{"MissingParameter", "", ""}},
		"a value, also kept": {Switches{StreamSetMerges: true, StreamSetKeepsEmpty: true}, answers{"MissingParameter", "", "http://x"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{Switches: tc.switches})
			c.SetStreamConfig(push, StreamConfig{NotifyURL: "http://a", ExceptionNotifyURL: "http://x"})
			set := func(domain string) string {
				return c.post("SetLiveStreamsNotifyUrlConfig", "DomainName", domain, "NotifyUrl", "http://a", "ExceptionNotifyUrl", "").code()
			}
			var got answers
			got.Optional = set(push)
			config, _ := c.StreamConfig(push)
			got.Stored = config.ExceptionNotifyURL
			got.Required = c.post("DescribeLiveStreamsNotifyUrlConfig", "DomainName", "").code()
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
			if logged, ok := c.Calls()[0].Params["ExceptionNotifyUrl"]; !ok || logged != "" {
				t.Error("the call log hides a parameter that was sent empty")
			}
		})
	}
}

// TestDate has each answer bear the time of the emulator, not that of the machine.
func TestDate(t *testing.T) {
	clk := newClock()
	c := newCloud(t, Options{Now: clk.now})
	c.Inject(Fault{Action: "DescribeRtcMPUEventSub", Body: "{}"})
	const want = "Fri, 02 Jan 2026 03:04:05 GMT"
	for name, got := range map[string]answer{
		"a success":      c.post("DescribeLiveStreamsNotifyUrlConfig", "DomainName", push),
		"an error":       c.post("DescribeLiveStreamsNotifyUrlConfig"),
		"a spoilt reply": c.post("DescribeRtcMPUEventSub", "AppId", appID),
	} {
		if date := got.header.Values("Date"); len(date) != 1 || date[0] != want {
			t.Errorf("%s is of %q, want %q", name, date, want)
		}
	}
	clk.advance(-24 * time.Hour)
	if got := c.post("GetCallerIdentity").header.Get("Date"); got != "Thu, 01 Jan 2026 03:04:05 GMT" {
		t.Errorf("a day before, it is of %s", got)
	}
}
