// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"net/http"
	"slices"
	"time"
)

// caller is who makes a call: an access key of the options, or one that the token service issued.
type caller struct {
	AccessKey
	session *session // nil for a key of the options
}

// callerOf returns whose access key this is.
func (s *Server) callerOf(keyID string) (caller, bool) {
	if key, ok := s.keys[keyID]; ok {
		return caller{AccessKey: key}, true
	}
	if issued, ok := s.sessions.find(keyID); ok {
		return caller{AccessKey: issued.key, session: issued}, true
	}
	return caller{}, false
}

// proof is how a call shows who makes it: the same facts in the headers of the newer signature, and in the query of the
// older one.
type proof struct {
	date, nonce, token string
	verify             func(secret string) error
}

const tokenHeader = "x-acs-security-token"

// proof reads what a call shows. An Authorization header means the newer signature.
func (msg message) proof() (proof, error) {
	header := msg.http.Header
	text := header.Get("Authorization")
	if text == "" {
		return msg.legacyProof()
	}
	auth, ok := parseAuthorization(text)
	if !ok {
		return proof{}, errSignature("The Authorization header has to read " + signatureAlgorithm +
			" Credential=..,SignedHeaders=..,Signature=...")
	}
	return proof{
		date:  header.Get("x-acs-date"),
		nonce: header.Get("x-acs-signature-nonce"),
		token: header.Get(tokenHeader),
		verify: func(secret string) error {
			if header.Get(tokenHeader) != "" && !slices.Contains(auth.signedHeaders, tokenHeader) {
				return errSignature("The header " + tokenHeader + " has to be signed.")
			}
			return auth.verifySignature(msg.http, msg.query, msg.body, secret)
		},
	}, nil
}

// authenticate finds out who calls: access key, date, nonce, signature and security token, in this order.
func (s *Server) authenticate(msg message, now time.Time) (caller, error) {
	shown, err := msg.proof()
	if err != nil {
		return caller{}, err
	}
	who, ok := s.callerOf(msg.keyID)
	if !ok {
		return caller{}, errKeyNotFound
	}
	if err := checkDate(shown.date, now, s.opts.AnyDate); err != nil {
		return caller{}, err
	}
	if shown.nonce == "" {
		return caller{}, errMissing("SignatureNonce")
	}
	if !s.nonces.use(who.ID, shown.nonce, now) {
		return caller{}, errNonceUsed
	}
	if err := shown.verify(who.Secret); err != nil {
		return caller{}, err
	}
	return who, who.checkToken(shown.token, now)
}

func checkDate(date string, now time.Time, anyDate bool) error {
	if date == "" {
		return errMissing("Timestamp")
	}
	t, ok := parseTime(date)
	if !ok {
		return errTimeStampFormat
	}
	if !anyDate && now.Sub(t).Abs() > maxClockSkew {
		return errTimeStampExpired
	}
	return nil
}

// checkToken compares the security token of a call with that of its access key, which may have none.
func (c caller) checkToken(token string, now time.Time) error {
	switch {
	case token == c.SecurityToken:
	case token == "":
		return errMissing("SecurityToken")
	case c.session != nil && !looksLikeToken(token):
		return errTokenMalformed
	default:
		return errTokenMismatch
	}
	if c.session != nil && !now.Before(c.session.expires) {
		return errTokenExpired
	}
	return nil
}

// Errors about who calls.
var (
	errKeyNotFound = gatewayError(http.StatusNotFound, "InvalidAccessKeyId.NotFound",
		"Specified access key is not found.")
	errTimeStampFormat = gatewayError(http.StatusBadRequest, "InvalidTimeStamp.Format",
		"Specified time stamp or date value is not well formatted.")
	errTimeStampExpired = gatewayError(http.StatusBadRequest, "InvalidTimeStamp.Expired",
		"Specified time stamp or date value is expired.")
	errNonceUsed = gatewayError(http.StatusBadRequest, "SignatureNonceUsed",
		"Specified signature nonce was used already.")
	// The documentation of product live does not list these three; they are what the gateway answers elsewhere.
	errTokenMismatch = gatewayError(http.StatusBadRequest, "InvalidSecurityToken.MismatchWithAccessKey",
		"Specified SecurityToken mismatch with the AccessKey.")
	errTokenMalformed = gatewayError(http.StatusBadRequest, "InvalidSecurityToken.Malformed",
		"Specified SecurityToken is malformed.")
	errTokenExpired = gatewayError(http.StatusBadRequest, "InvalidSecurityToken.Expired",
		"Specified SecurityToken is expired.")
)
