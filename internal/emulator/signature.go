// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const signatureAlgorithm = "ACS3-HMAC-SHA256"

// authorization is the content of an Authorization header.
type authorization struct {
	keyID         string
	signedHeaders []string
	signature     string
}

// mustSign are the headers that a signature has to cover.
var mustSign = []string{
	"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version",
}

// parseAuthorization reads "ACS3-HMAC-SHA256 Credential=..,SignedHeaders=..,Signature=..". It reports false for
// anything else.
func parseAuthorization(header string) (authorization, bool) {
	fields, ok := strings.CutPrefix(header, signatureAlgorithm+" ")
	if !ok {
		return authorization{}, false
	}
	var a authorization
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			a.keyID = value
		case "SignedHeaders":
			a.signedHeaders = strings.Split(strings.ToLower(value), ";")
		case "Signature":
			a.signature = value
		}
	}
	return a, a.keyID != "" && a.signature != ""
}

// verifySignature checks that the signature is the one that the secret makes for this request.
func (a authorization) verifySignature(r *http.Request, query url.Values, body []byte, secret string) error {
	for _, name := range mustSign {
		if !slices.Contains(a.signedHeaders, name) {
			return errSignature("The header " + name + " has to be signed.")
		}
	}
	payload := hexSHA256(string(body))
	if r.Header.Get("x-acs-content-sha256") != payload {
		return errSignature("The header x-acs-content-sha256 is not the hash of the body.")
	}
	canonical := canonicalRequest(r.Method, query, a.signedHeaders, headerOf(r), payload)
	toSign := stringToSign(canonical)
	if !hmac.Equal([]byte(sign(secret, toSign)), []byte(a.signature)) {
		// The real gateway shows what it calculated with, too. It repeats the caller's own parameters, which may
		// include an authentication key: error messages are not for logs.
		return errSignature(fmt.Sprintf("Server StringToSign is [%s], server CanonicalRequest is [%s].", toSign, canonical))
	}
	return nil
}

// headerOf looks up headers of a received request. Package http moves Host out of the header map.
func headerOf(r *http.Request) func(name string) string {
	return func(name string) string {
		if name == "host" {
			return r.Host
		}
		return strings.Join(r.Header.Values(name), ",")
	}
}

// canonicalRequest is the text form of a request that both sides sign. The path is always /.
func canonicalRequest(
	method string, query url.Values, signedHeaders []string, header func(name string) string, payload string,
) string {
	names := slices.Sorted(slices.Values(signedHeaders))
	var headers strings.Builder
	for _, name := range names {
		headers.WriteString(name + ":" + strings.TrimSpace(header(name)) + "\n")
	}
	return strings.Join([]string{
		method, "/", canonicalQuery(query), headers.String(), strings.Join(names, ";"), payload,
	}, "\n")
}

// canonicalQuery encodes the decoded query anew: what came over the wire may spell a space as +, the signature may not.
func canonicalQuery(query url.Values) string {
	keys := make([]string, 0, len(query))
	for key := range query {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var pairs []string
	for _, key := range keys {
		for _, value := range query[key] {
			pairs = append(pairs, percentEncode(key)+"="+percentEncode(value))
		}
	}
	return strings.Join(pairs, "&")
}

// percentEncode encodes as RFC 3986 says. QueryEscape differs in the space alone.
func percentEncode(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func stringToSign(canonical string) string { return signatureAlgorithm + "\n" + hexSHA256(canonical) }

func sign(secret, toSign string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(toSign))
	return hex.EncodeToString(mac.Sum(nil))
}

func hexSHA256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
