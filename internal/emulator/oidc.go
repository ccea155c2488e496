// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The token of an identity provider has 4 to 20,000 characters.
const (
	minOIDCToken = 4
	maxOIDCToken = 20_000
)

// errOIDC is an error about the token of an identity provider.
func errOIDC(code, message string) apiError {
	return serviceError(http.StatusUnauthorized, "AuthenticationFail."+code, message)
}

var (
	errNoProvider  = errOIDC("NoPermission", "No such OIDC Provider registered.")
	errNoSubject   = errOIDC("NoPermission", "There is no permission")
	errOIDCForm    = errOIDC("OIDCToken.Invalid", "The number of Jwt field should be divided into 3 parts with '.' .")
	errOIDCContent = errOIDC("OIDCToken.Invalid", "The Jwt content is invalid that cannot be recognized.")
	errOIDCExpired = errOIDC("OIDCToken.Expired", "This JsonWebToken is expired.")
	errAudience    = errOIDC("OIDCToken.AudienceNotMatch", "Invalid audience.")
	errIssuer      = errOIDC("OIDCToken.IssuerNotMatch",
		"The issuer in the OIDC Token doesn't match the issuer of the OIDC Provider.")
)

func assumeRoleWithOIDC(s *Server, r *request) (fields, error) {
	parts := providerARN.FindStringSubmatch(r.params["OIDCProviderArn"])
	if parts == nil {
		return nil, errWronglyFormed("OIDCProviderArn")
	}
	asked, err := s.askedSession(r)
	if err != nil {
		return nil, err
	}
	claims, err := parseClaims(r.params["OIDCToken"])
	if err != nil {
		return nil, err
	}
	provider, known := s.trust.providers.find(asked.account, parts[2])
	if !known || parts[1] != asked.accountID {
		return nil, errNoProvider
	}
	if err := provider.check(claims); err != nil {
		return nil, err
	}
	if expires := claims.Expires.time(); !s.opts.AnyDate && !expires.IsZero() && !r.now.Before(expires) {
		return nil, errOIDCExpired
	}
	reply := s.issue(asked, r.now)
	reply["OIDCTokenInfo"] = claims.fields()
	return reply, nil
}

// check tells what a provider has against a token of its own.
func (p OIDCProvider) check(c claims) error {
	hasAudience := func(a string) bool { return slices.Contains(p.Audiences, a) }
	switch {
	case p.Issuer != "" && c.Issuer != p.Issuer:
		return errIssuer
	case len(p.Audiences) > 0 && !slices.ContainsFunc(c.Audience, hasAudience):
		return errAudience
	case len(p.Subjects) > 0 && !slices.Contains(p.Subjects, c.Subject):
		return errNoSubject
	}
	return nil
}

// claims are what the token of an identity provider says.
type claims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Expires  unixTime `json:"exp"`
	Issued   unixTime `json:"iat"`
}

// parseClaims reads a JSON web token. Its signature is not verified: the emulator has no key of the provider.
func parseClaims(token string) (c claims, err error) {
	parts := strings.Split(token, ".")
	if len(token) < minOIDCToken || len(token) > maxOIDCToken || len(parts) != 3 || parts[2] == "" {
		return c, errOIDCForm
	}
	var header map[string]any
	if !decodePart(parts[0], &header) || !decodePart(parts[1], &c) {
		return c, errOIDCContent
	}
	return c, nil
}

// decodePart reads one part of a token, which has to be a JSON object.
func decodePart(part string, into any) bool {
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	return err == nil && strings.HasPrefix(string(text), "{") && json.Unmarshal(text, into) == nil
}

// fields is what the answer tells of a token.
func (c claims) fields() fields {
	info := fields{
		"Subject": c.Subject, "Issuer": c.Issuer, "ClientIds": strings.Join(c.Audience, ","), "VerificationInfo": "Success",
	}
	if t := c.Issued.time(); !t.IsZero() {
		info["IssuanceTime"] = t.Format(timeFormat)
	}
	if t := c.Expires.time(); !t.IsZero() {
		info["ExpirationTime"] = t.Format(timeFormat)
	}
	return info
}

// audience is one text or a list of them.
type audience []string

// UnmarshalJSON reads both.
func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// unixTime is a time in seconds, which may have a fraction; 0 means none.
type unixTime float64

func (t unixTime) time() time.Time {
	if t <= 0 || t > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(t), 0).UTC()
}
