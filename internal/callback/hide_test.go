// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package callback_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/callback"
)

// What a receiver says of a key is hidden, however it says it, and the rest stays.
func TestHide(t *testing.T) {
	const key = "CanaryStreamKey0000000000000001"
	each := func(format string) string {
		var b strings.Builder
		for _, c := range []byte(key) {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
	turned := ""
	for _, r := range key {
		turned = string(r) + turned
	}
	wide := strings.Map(func(r rune) rune { return r - '!' + '！' }, key)
	for name, said := range map[string]string{
		"as it is": key, "in capitals": strings.ToUpper(key), "a part": key[:15], "in lines": key[:9] + "\n" + key[9:20] + "\n" + key[20:],
		"in pieces": strings.Join(strings.Split(key, ""), " "), "quoted": `"` + strings.Join(strings.Split(key, ""), `","`) + `"`, "turned around": turned,
		"hex": hex.EncodeToString([]byte(key)), "base64": base64.StdEncoding.EncodeToString([]byte(key)), "behind a user": base64.URLEncoding.EncodeToString([]byte("u:" + key)),
		"behind more": base64.StdEncoding.EncodeToString([]byte("user:" + key + ":more")), "of a URL": url.QueryEscape(key), "escaped": each("%%%02X"),
		"of JSON": each(`\u%04x`), "of C": each(`\x%02x`), "octal": each(`\%03o`), "entities": each("&#%d;"), "numbers": each("%d, "), "wide": wide,
	} {
		got := callback.Hide("expected "+said+" of you", key)
		if got := strings.Trim(strings.TrimSuffix(strings.TrimPrefix(got, "expected "), " of you"), `"&#;%\/=ux, `); got != "(hidden)" {
			// What encodes something else before and behind it may stay.
			if !strings.HasPrefix(name, "behind") || strings.Count(got, "(hidden)") != 1 || len(got) > 24 {
				t.Errorf("%s: got %q", name, got)
			}
		}
	}
	for _, said := range []string{"", "ok", "直播 received, thank you very much", `{"code":0,"message":"0123456789 OK","time":1712345678}`, "the key is wrong"} {
		if got := callback.Hide(said, key, ""); got != said {
			t.Errorf("got %q of %q", got, said)
		}
	}
	if text, _ := json.Marshal(callback.Hide("a "+key+" b", key)); strings.Contains(string(text), "Canary") {
		t.Errorf("got %s", text)
	}
}

// The credentials of a URL are hidden, wherever it is, and nothing else is.
func TestCredentialsOfURLs(t *testing.T) {
	for value, want := range map[string]string{
		"https://me:pass@hooks.example.com/a@b":                     "https://(hidden)@hooks.example.com/a@b",
		"https://token@hooks.example.com":                           "https://(hidden)@hooks.example.com",
		"HTTP://me:p@ss@hooks.example.com/":                         "HTTP://(hidden)@hooks.example.com/",
		`{"url":"https:\/\/me:pass@hooks.example.com\/"}`:           `{"url":"https:\/\/(hidden)@hooks.example.com\/"}`,
		"https://a.example.com/?to=https%3A%2F%2Fme%3Apass%40b%2Fc": "https://a.example.com/?to=https%3A%2F%2F(hidden)@b%2Fc",
		"cannot reach https://me:pass@hooks.example.com: no answer": "cannot reach https://(hidden)@hooks.example.com: no answer",
		"https://hooks.example.com/a@b?c=d@e":                       "https://hooks.example.com/a@b?c=d@e",
		"https://hooks.example.com?c=d@e":                           "https://hooks.example.com?c=d@e",
		"write to me@example.com, see https://hooks.example.com/":   "write to me@example.com, see https://hooks.example.com/",
	} {
		if got := callback.HideIn(value, "CanaryStreamKey0000000000000001"); got != want {
			t.Errorf("got %s of %s", got, value)
		}
	}
}

// A value of a configuration that repeats a key is told from one that has a part of it,
// and nothing of the key is shown.
func TestValuesThatHoldAKey(t *testing.T) {
	const key = "CanaryStreamKey0000000000000001"
	var escaped strings.Builder
	for n, c := range []byte(key) {
		if n%2 == 0 {
			fmt.Fprintf(&escaped, "%%%02x", c)
		} else {
			escaped.WriteByte(c)
		}
	}
	for _, value := range []string{key, "%43" + key[1:], url.QueryEscape(escaped.String()), escaped.String(), hex.EncodeToString([]byte(key))} {
		value = "https://hooks.example.com/?k=" + value
		if !callback.Holds(value, key) {
			t.Errorf("%s does not hold the key", value)
		}
		if got := callback.HideIn(value, key); strings.Contains(got, key[1:9]) || strings.Contains(got, escaped.String()) || !strings.Contains(got, "(hidden)") {
			t.Errorf("got %s of %s", got, value)
		}
	}
	for _, value := range []string{"", "https://hooks.example.com/?k=" + key[:20], "https://hooks.example.com/%zz", "https://hooks.example.com/%41"} {
		if callback.Holds(value, key, "", "short") {
			t.Errorf("%s holds the key", value)
		}
	}
}
