// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"net/url"
	"testing"
)

const hashOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// TestSignature holds the signature to the vectors of the vendor's documentation and of the Go SDK.
func TestSignature(t *testing.T) {
	cases := map[string]struct {
		secret, host, action, version, date, nonce, query string
		want                                              string
	}{
		"the vendor's sample": {
			secret: "YourAccessKeySecret", host: "ecs.cn-shanghai.aliyuncs.com",
			action: "RunInstances", version: "2014-05-26",
			date: "2023-10-26T10:22:32Z", nonce: "3156853299f313e23d1673dc12e1703d",
			query: "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai",
			want:  "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
		},
		"the vendor's sample with another date and nonce": {
			secret: "YourAccessKeySecret", host: "ecs.cn-shanghai.aliyuncs.com",
			action: "RunInstances", version: "2014-05-26",
			date: "2023-10-26T09:01:01Z", nonce: "d410180a5abf7fe235dd9b74aca91fc0",
			query: "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai",
			want:  "e521358f7776c97df52e6b2891a8bc73026794a071b50c3323388c4e0df64804",
		},
		"the Go SDK's": {
			secret: "testsecret", host: "live.aliyuncs.com",
			action: "DescribeLiveStreamsNotifyUrlConfig", version: "2016-11-01",
			date: "2026-01-02T03:04:05Z", nonce: "0123456789abcdef0123456789abcdef",
			query: "DomainName=push.example.com",
			want:  "35b8797ddbbc4008992bc4b2858a140b322a3bd9f6da8b2f5af556b43970048f",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			query, err := url.ParseQuery(tc.query)
			if err != nil {
				t.Fatal(err)
			}
			headers := map[string]string{
				"host": tc.host, "x-acs-action": tc.action, "x-acs-version": tc.version, "x-acs-date": tc.date,
				"x-acs-signature-nonce": tc.nonce, "x-acs-content-sha256": hashOfNothing,
			}
			canonical := canonicalRequest("POST", query, mustSign,
				func(name string) string { return headers[name] }, hashOfNothing)
			if got := sign(tc.secret, stringToSign(canonical)); got != tc.want {
				t.Errorf("signature %s, want %s, of\n%s", got, tc.want, canonical)
			}
		})
	}
}

func TestCanonicalQuery(t *testing.T) {
	cases := map[string]struct{ wire, want string }{
		"nothing stays nothing":            {"", ""},
		"keys are sorted by their bytes":   {"b=1&a=2&B=3", "B=3&a=2&b=1"},
		"a plus was a space":               {"a=x+y", "a=x%20y"},
		"an encoded plus stays one":        {"a=x%2By", "a=x%2By"},
		"an asterisk is encoded":           {"a=*", "a=%2A"},
		"a tilde is not":                   {"a=%7E", "a=~"},
		"an empty value keeps its =":       {"a", "a="},
		"more than ASCII is encoded UTF-8": {"a=%e4%b8%ad", "a=%E4%B8%AD"},
		"a slash and a colon are encoded":  {"u=http://h:1/p", "u=http%3A%2F%2Fh%3A1%2Fp"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			query, err := url.ParseQuery(tc.wire)
			if err != nil {
				t.Fatal(err)
			}
			if got := canonicalQuery(query); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestCallbackSignature(t *testing.T) {
	cases := map[string]struct{ domain, timestamp, key, want string }{
		"the vendor's sample": {
			"learn.aliyundoc.com", "1519375990", "yourkey", "9e226fc2c250be266e3657e156f68c12",
		},
		"a key as long as demanded": {
			"push.example.com", "1519375990", "0123456789abcdef", "afdba09323819de8df9b195474c4df7b",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := callbackSignature(tc.domain, tc.timestamp, tc.key); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// TestLegacySignature holds the older signature to the vendor's sample.
func TestLegacySignature(t *testing.T) {
	toSign := legacyStringToSign("GET", params{
		"AccessKeyId": "testid", "Action": "DescribeRegions", "Format": "XML", "SignatureMethod": "HMAC-SHA1",
		"SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf", "SignatureVersion": "1.0",
		"Timestamp": "2016-02-23T12:46:24Z", "Version": "2014-05-26", "Signature": "whatever",
	}, params{})
	const want = "OLeaidS1JvxuMvnyHOwuJ+uX5qY="
	if got := legacySign("testsecret", toSign); got != want {
		t.Errorf("signature %s, want %s, of\n%s", got, want, toSign)
	}
}
