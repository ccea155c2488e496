// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/url"
)

// The older protocol has everything in the query or the form, and signs with HMAC-SHA1. The gateway still takes it, and
// the vendor's clients of the token service still speak it.

// protocolParams are the parameters of the older protocol that are not the operation's own. A SecurityToken may also
// come with the newer one, which takes it from a header and ignores the parameter.
var protocolParams = []string{
	"Action", "Version", "Format", "AccessKeyId", "Timestamp",
	"Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "SignatureType", "SecurityToken",
}

// legacyProof reads what a call without an Authorization header shows.
func (msg message) legacyProof() (proof, error) {
	p := msg.protocol
	if p["AccessKeyId"] == "" {
		return proof{}, errMissing("AccessKeyId")
	}
	if p["SignatureMethod"] != "HMAC-SHA1" || p["SignatureVersion"] != "1.0" {
		return proof{}, errSignature("SignatureMethod has to be HMAC-SHA1, and SignatureVersion 1.0.")
	}
	return proof{
		date:  p["Timestamp"],
		nonce: p["SignatureNonce"],
		token: p["SecurityToken"],
		verify: func(secret string) error {
			toSign := legacyStringToSign(msg.http.Method, p, msg.params)
			if !hmac.Equal([]byte(legacySign(secret, toSign)), []byte(p["Signature"])) {
				return errSignature("Server StringToSign is [" + toSign + "].")
			}
			return nil
		},
	}, nil
}

// legacyStringToSign is the text form of a request that both sides sign: its parameters, whether they are in the query
// or in the form.
func legacyStringToSign(method string, parts ...params) string {
	values := url.Values{}
	for _, part := range parts {
		for name, value := range part {
			if name != "Signature" {
				values.Set(name, value)
			}
		}
	}
	return method + "&%2F&" + percentEncode(canonicalQuery(values))
}

// legacySign is weak by today's measure, and what the older protocol is.
func legacySign(secret, toSign string) string {
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(toSign))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
