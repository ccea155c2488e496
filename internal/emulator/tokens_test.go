// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
	"github.com/google/go-cmp/cmp"
)

// Accounts of these tests, by number: the constants above belong to default.
const (
	defaultID = "2537051134753320" // derived from the name
	otherID   = "1234567890123456" // given
)

// otherKey is of an account that has its own number.
var otherKey = AccessKey{ID: "other-id", Secret: "other-secret", Account: "other", AccountID: otherID}

// tokenKey returns the access key in an answer of the token service.
func tokenKey(t *testing.T, a answer) AccessKey {
	t.Helper()
	text := func(name string) string { s, _ := dig(a.body, "Credentials", name).(string); return s }
	key := AccessKey{ID: text("AccessKeyId"), Secret: text("AccessKeySecret"), SecurityToken: text("SecurityToken")}
	if a.status != http.StatusOK || key.ID == "" || key.Secret == "" || key.SecurityToken == "" {
		t.Fatalf("no access key in %d %v", a.status, a.body["Code"])
	}
	return key
}

// legacy builds a request in the older protocol: signed unless the secret is empty, with parameters in the form as the
// vendor's credentials library sends them, or in the query.
func (c *cloud) legacy(action string, inForm bool, operation url.Values, mutations ...func(url.Values)) *http.Request {
	c.t.Helper()
	query := url.Values{
		"Action": {action}, "Version": {tokenVersion}, "Format": {"JSON"},
		"Timestamp": {c.now().UTC().Format(timeFormat)}, "SignatureNonce": {newUUID()},
	}
	if c.key.Secret != "" {
		query["AccessKeyId"], query["SignatureMethod"], query["SignatureVersion"] = []string{c.key.ID}, []string{"HMAC-SHA1"}, []string{"1.0"}
	}
	if c.key.SecurityToken != "" {
		query.Set("SecurityToken", c.key.SecurityToken)
	}
	for _, mutate := range mutations {
		mutate(query)
	}
	all := params{}
	for _, values := range []url.Values{query, operation} {
		for name := range values {
			all[name] = values.Get(name)
		}
	}
	if c.key.Secret != "" {
		query.Set("Signature", legacySign(c.key.Secret, legacyStringToSign(http.MethodPost, all)))
	}
	form := operation.Encode()
	if !inForm {
		for name := range operation {
			query.Set(name, operation.Get(name))
		}
		form = ""
	}
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, "http://"+c.host+"/?"+query.Encode(), strings.NewReader(form))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func TestCallerIdentity(t *testing.T) {
	c := newCloud(t, Options{Now: newClock().now, AccessKeys: []AccessKey{
		otherKey, {ID: "third", Secret: "s", Account: "other", AccountID: "9"}, {ID: "fourth", Secret: "s", Account: "fourth"},
	}})
	identity := func(key AccessKey) map[string]any {
		c.key = key
		a := c.post("GetCallerIdentity")
		if id, _ := a.body["RequestId"].(string); id == "" {
			t.Errorf("no request ID in %v", a.body)
		}
		delete(a.body, "RequestId")
		return a.body
	}
	user := func(account, key, id string) map[string]any {
		return map[string]any{
			"IdentityType": "RAMUser", "AccountId": account, "UserId": id, "PrincipalId": id,
			"Arn": "acs:ram::" + account + ":user/" + key,
		}
	}
	got := map[string]any{
		"default":      identity(AccessKey{ID: keyID, Secret: keySecret}),
		"other":        identity(otherKey),
		"same account": identity(AccessKey{ID: "third", Secret: "s"})["AccountId"],
		"fourth":       identity(AccessKey{ID: "fourth", Secret: "s"})["AccountId"],
	}
	c.key = otherKey
	session := tokenKey(t, c.post("AssumeRole", "RoleArn", c.RoleARN("", "r1"), "RoleSessionName", "me@here"))
	got["role"] = identity(session)
	want := map[string]any{
		"default":      user(defaultID, keyID, digits(18, "user", defaultID+"/"+keyID)),
		"other":        user(otherID, otherKey.ID, digits(18, "user", otherID+"/"+otherKey.ID)),
		"same account": otherID,
		"fourth":       c.AccountID("fourth"),
		"role": map[string]any{
			"IdentityType": "AssumedRoleUser", "AccountId": defaultID, "RoleId": roleID(defaultID, "r1"),
			"PrincipalId": roleID(defaultID, "r1") + ":me@here",
			"Arn":         "acs:ram::" + defaultID + ":assumed-role/r1/me@here",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
	for _, id := range []string{c.AccountID("fourth"), c.AccountID(""), c.AccountID("never heard of")} {
		if !regexp.MustCompile(`^[1-9][0-9]{15}$`).MatchString(id) {
			t.Errorf("account number %q", id)
		}
	}
	if c.AccountID("") != defaultID || c.AccountID("default") != defaultID || c.AccountID("other") != otherID {
		t.Error("numbers of accounts are not what they were")
	}
}

// TestAssumeRole signs in with another account's role, and calls the cloud API with the official client until the
// session expires.
func TestAssumeRole(t *testing.T) {
	clk := newSDKClock()
	c := newCloud(t, Options{Now: clk.now, AnyDate: true, AccessKeys: []AccessKey{otherKey}})
	c.key = otherKey
	a := c.post("AssumeRole", "RoleArn", c.RoleARN("", "r1"), "RoleSessionName", "me", "DurationSeconds", "900",
		"ExternalId", "any-id", "Policy", `{"Version":"1","Statement":[]}`)
	session := tokenKey(t, a)
	got := map[string]any{
		"user": a.body["AssumedRoleUser"], "expiration": dig(a.body, "Credentials", "Expiration"),
		"key": regexp.MustCompile(`^STS\.[A-Za-z0-9]+$`).MatchString(session.ID),
	}
	want := map[string]any{
		"user": map[string]any{
			"Arn": "acs:ram::" + defaultID + ":role/r1/me", "AssumedRoleId": roleID(defaultID, "r1") + ":me",
		},
		"expiration": clk.now().Add(15 * time.Minute).Format(timeFormat), "key": true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}

	describe := func(key AccessKey) string {
		c.key = key
		_, err := c.sdk().DescribeLiveStreamsNotifyUrlConfig(
			&sdk.DescribeLiveStreamsNotifyUrlConfigRequest{DomainName: new(push)})
		return codeOf(err)
	}
	c.key = otherKey
	second := tokenKey(t, c.post("AssumeRole", "RoleArn", c.RoleARN("", "r1"), "RoleSessionName", "me"))
	with := func(token string) AccessKey {
		return AccessKey{ID: session.ID, Secret: session.Secret, SecurityToken: token}
	}
	codes := map[string]string{
		"the account of the key": describe(otherKey),
		"the session":            describe(session),
		"another session":        describe(second),
		"another's token":        describe(with(second.SecurityToken)),
		"a token that is none":   describe(with("CAISnone")),
		"no token":               describe(with("")),
		"a wrong secret":         describe(AccessKey{ID: session.ID, Secret: "wrong", SecurityToken: session.SecurityToken}),
		"a session there is not": describe(AccessKey{ID: "STS.N0", Secret: "s", SecurityToken: "t"}),
	}
	clk.advance(15*time.Minute - time.Second)
	codes["until it expires"] = describe(session)
	clk.advance(time.Second)
	codes["expired"] = describe(session)
	codes["one that lasts longer"] = describe(second)
	c.ExpireSessions()
	codes["ended early"] = describe(second)
	wantCodes := map[string]string{
		"the account of the key": "InvalidDomain.NotFound", "the session": "", "another session": "",
		"another's token":      "InvalidSecurityToken.MismatchWithAccessKey",
		"a token that is none": "InvalidSecurityToken.Malformed", "no token": "MissingSecurityToken",
		"a wrong secret": "SignatureDoesNotMatch", "a session there is not": "InvalidAccessKeyId.NotFound",
		"until it expires": "", "expired": "InvalidSecurityToken.Expired", "one that lasts longer": "",
		"ended early": "InvalidSecurityToken.Expired",
	}
	if diff := cmp.Diff(wantCodes, codes); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	if list := c.Sessions(); len(list) != 2 || list[0].AccessKeyID != session.ID || list[0].Role != "r1" || list[0].Account != "default" {
		t.Errorf("sessions are %v", list)
	}
}

// TestAssumeRoleRefuses goes through what AssumeRole has against a request.
func TestAssumeRoleRefuses(t *testing.T) {
	role := "acs:ram::" + defaultID + ":role/r1"
	cases := map[string]struct {
		setUp  func(c *cloud) error
		params []string
		status int
		code   string
	}{
		"nothing":                       {status: 200},
		"no role":                       {params: []string{"RoleArn", "-"}, status: 400, code: "MissingRoleArn"},
		"an empty role":                 {params: []string{"RoleArn", ""}, status: 400, code: "InvalidParameter.RoleArn"},
		"a user for a role":             {params: []string{"RoleArn", "acs:ram::" + defaultID + ":user/r1"}, status: 400, code: "InvalidParameter.RoleArn"},
		"no session name":               {params: []string{"RoleSessionName", "-"}, status: 400, code: "MissingRoleSessionName"},
		"a session name of 1":           {params: []string{"RoleSessionName", "a"}, status: 400, code: "InvalidParameter.RoleSessionName"},
		"nothing: a session name of 64": {params: []string{"RoleSessionName", strings.Repeat("a", 64)}, status: 200},
		"a session name of 65":          {params: []string{"RoleSessionName", strings.Repeat("a", 65)}, status: 400, code: "InvalidParameter.RoleSessionName"},
		"a session name with a space":   {params: []string{"RoleSessionName", "a b"}, status: 400, code: "InvalidParameter.RoleSessionName"},
		"899 seconds":                   {params: []string{"DurationSeconds", "899"}, status: 400, code: "InvalidParameter.DurationSeconds"},
		"nothing: 900 seconds":          {params: []string{"DurationSeconds", "900"}, status: 200},
		"nothing: 43200 seconds":        {params: []string{"DurationSeconds", "43200"}, status: 200},
		"43201 seconds":                 {params: []string{"DurationSeconds", "43201"}, status: 400, code: "InvalidParameter.DurationSeconds"},
		"an hour in words":              {params: []string{"DurationSeconds", "1h"}, status: 400, code: "InvalidParameter.DurationSeconds"},
		"an external ID of 1":           {params: []string{"ExternalId", "e"}, status: 400, code: "InvalidParameter.ExternalId"},
		"an external ID with a space":   {params: []string{"ExternalId", "e e"}, status: 400, code: "InvalidParameter.ExternalId"},
		"a long policy":                 {params: []string{"Policy", `{"a":"` + strings.Repeat("a", 2048) + `"}`}, status: 400, code: "InvalidParameter.PolicySize"},
		"a policy that is no object":    {params: []string{"Policy", `[]`}, status: 400, code: "InvalidParameter.PolicyGrammar"},
		"a policy that ends early":      {params: []string{"Policy", `{`}, status: 400, code: "InvalidParameter.PolicyGrammar"},
		"an unknown account":            {params: []string{"RoleArn", "acs:ram::1:role/r1"}, status: 404, code: "EntityNotExist.Role"},
		"a role that the account has not": {
			setUp:  func(c *cloud) error { return c.AddRole(Role{Name: "r2"}) },
			status: 404, code: "EntityNotExist.Role",
		},
		"nothing: another account has roles": {
			setUp: func(c *cloud) error { return c.AddRole(Role{Account: "other", Name: "r2"}) }, status: 200,
		},
		"nothing: the role was the last": {
			setUp: func(c *cloud) error {
				err := c.AddRole(Role{Name: "r2"})
				c.RemoveRole("", "r2")
				return err
			}, status: 200,
		},
		"no external ID": {
			setUp:  func(c *cloud) error { return c.AddRole(Role{Name: "r1", ExternalIDs: []string{"e1", "e2"}}) },
			status: 403, code: "NoPermission",
		},
		"a wrong external ID": {
			setUp:  func(c *cloud) error { return c.AddRole(Role{Name: "r1", ExternalIDs: []string{"e1", "e2"}}) },
			params: []string{"ExternalId", "e3"}, status: 403, code: "NoPermission",
		},
		"nothing: the second external ID": {
			setUp:  func(c *cloud) error { return c.AddRole(Role{Name: "r1", ExternalIDs: []string{"e1", "e2"}}) },
			params: []string{"ExternalId", "e2"}, status: 200,
		},
		"an account that is not trusted": {
			setUp:  func(c *cloud) error { return c.AddRole(Role{Name: "r1", TrustedAccounts: []string{"default"}}) },
			status: 403, code: "NoPermission",
		},
		"nothing: an account that is trusted": {
			setUp:  func(c *cloud) error { return c.AddRole(Role{Name: "r1", TrustedAccounts: []string{"other"}}) },
			status: 200,
		},
		"a longer session than the role allows": {
			setUp:  func(c *cloud) error { return c.AddRole(Role{Name: "r1", MaxSession: time.Hour}) },
			params: []string{"DurationSeconds", "3601"}, status: 400, code: "InvalidParameter.DurationSeconds",
		},
		"nothing: as long as the role allows": {
			setUp:  func(c *cloud) error { return c.AddRole(Role{Name: "r1", MaxSession: time.Hour}) },
			params: []string{"DurationSeconds", "3600"}, status: 200,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{Now: newClock().now, AccessKeys: []AccessKey{otherKey}})
			c.key = otherKey
			if tc.setUp != nil {
				if err := tc.setUp(c); err != nil {
					t.Fatal(err)
				}
			}
			query := url.Values{"RoleArn": {role}, "RoleSessionName": {"me"}}
			for name, values := range inPairs(tc.params) {
				query[name] = values
				if values[0] == "-" {
					query.Del(name)
				}
			}
			got := c.do(c.signed("POST", "AssumeRole", query, ""))
			if got.status != tc.status || got.code() != tc.code {
				t.Errorf("got %d %s, want %d %s", got.status, got.code(), tc.status, tc.code)
			}
			if issued := len(c.Sessions()); (issued == 1) != (tc.status == 200) {
				t.Errorf("%d sessions after %d", issued, got.status)
			}
		})
	}
}

// jwt makes a token that is signed by nobody.
func jwt(claims map[string]any) string {
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // only maps of texts and numbers come here
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	return part(map[string]any{"alg": "RS256"}) + "." + part(claims) + ".signature"
}

func TestAssumeRoleWithOIDC(t *testing.T) {
	clk := newClock()
	good := map[string]any{
		"iss": "https://issuer", "sub": "system:serviceaccount:ns:name", "aud": []string{"sts.aliyuncs.com", "b"},
		"iat": clk.now().Add(-time.Minute).Unix(), "exp": clk.now().Add(time.Hour).Unix(),
	}
	expired := map[string]any{"exp": float64(clk.now().Unix()) + 0.9}
	provider := func(change func(*OIDCProvider)) func(c *cloud) error {
		return func(c *cloud) error {
			p := OIDCProvider{
				Name: "idp", Issuer: "https://issuer", Audiences: []string{"a", "sts.aliyuncs.com"},
				Subjects: []string{"system:serviceaccount:ns:name"},
			}
			change(&p)
			return c.AddOIDCProvider(p)
		}
	}
	cases := map[string]struct {
		options Options
		setUp   func(c *cloud) error
		token   string
		params  []string
		status  int
		code    string
	}{
		"any token":                  {token: jwt(map[string]any{}), status: 200},
		"an audience that is a text": {token: jwt(map[string]any{"aud": "sts.aliyuncs.com"}), status: 200},
		"a token of two parts":       {token: "a.b", status: 401, code: "AuthenticationFail.OIDCToken.Invalid"},
		"a token of three texts":     {token: "aaaa.bbbb.cccc", status: 401, code: "AuthenticationFail.OIDCToken.Invalid"},
		"a token without signature":  {token: strings.TrimSuffix(jwt(good), "signature"), status: 401, code: "AuthenticationFail.OIDCToken.Invalid"},
		"a token of no length":       {token: "", status: 401, code: "AuthenticationFail.OIDCToken.Invalid"},
		"a token beyond measure":     {token: jwt(good) + strings.Repeat("a", maxOIDCToken), status: 401, code: "AuthenticationFail.OIDCToken.Invalid"},
		"a list for an expiry":       {token: jwt(map[string]any{"exp": []int{1}}), status: 401, code: "AuthenticationFail.OIDCToken.Invalid"},
		"an expired token":           {token: jwt(expired), status: 401, code: "AuthenticationFail.OIDCToken.Expired"},
		"an expired token, any date": {options: Options{AnyDate: true}, token: jwt(expired), status: 200},
		"a provider of no form":      {token: jwt(good), params: []string{"OIDCProviderArn", "idp"}, status: 400, code: "InvalidParameter.OIDCProviderArn"},
		"a provider of another": {
			token: jwt(good), params: []string{"OIDCProviderArn", "acs:ram::" + otherID + ":oidc-provider/idp"},
			status: 401, code: "AuthenticationFail.NoPermission",
		},
		"a role that there is not": {
			setUp: func(c *cloud) error { return c.AddRole(Role{Name: "r2"}) },
			token: jwt(good), status: 404, code: "EntityNotExist.Role",
		},
		"a session too long": {
			token: jwt(good), params: []string{"DurationSeconds", "43201"},
			status: 400, code: "InvalidParameter.DurationSeconds",
		},
		"a provider that knows the token": {setUp: provider(func(*OIDCProvider) {}), token: jwt(good), status: 200},
		"a provider that there is not": {
			setUp: provider(func(p *OIDCProvider) { p.Name = "idp2" }),
			token: jwt(good), status: 401, code: "AuthenticationFail.NoPermission",
		},
		"another issuer": {
			setUp: provider(func(p *OIDCProvider) { p.Issuer = "https://other" }),
			token: jwt(good), status: 401, code: "AuthenticationFail.OIDCToken.IssuerNotMatch",
		},
		"another audience": {
			setUp: provider(func(p *OIDCProvider) { p.Audiences = []string{"c"} }),
			token: jwt(good), status: 401, code: "AuthenticationFail.OIDCToken.AudienceNotMatch",
		},
		"another subject": {
			setUp: provider(func(p *OIDCProvider) { p.Subjects = []string{"s"} }),
			token: jwt(good), status: 401, code: "AuthenticationFail.NoPermission",
		},
		"a provider that was removed": {
			setUp: func(c *cloud) error {
				err := c.AddOIDCProvider(OIDCProvider{Name: "idp2"})
				c.RemoveOIDCProvider("", "idp2")
				return err
			},
			token: jwt(good), status: 200,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.options.Now = clk.now
			c := newCloud(t, tc.options)
			c.key = AccessKey{} // nobody
			if tc.setUp != nil {
				if err := tc.setUp(c); err != nil {
					t.Fatal(err)
				}
			}
			form := url.Values{
				"RoleArn": {c.RoleARN("", "r1")}, "OIDCProviderArn": {c.OIDCProviderARN("", "idp")},
				"OIDCToken": {tc.token}, "RoleSessionName": {"me"},
			}
			maps.Copy(form, inPairs(tc.params))
			for _, inForm := range []bool{true, false} {
				got := c.do(c.legacy("AssumeRoleWithOIDC", inForm, form))
				if got.status != tc.status || got.code() != tc.code {
					t.Errorf("got %d %s, want %d %s", got.status, got.code(), tc.status, tc.code)
				}
				if tc.status != http.StatusOK {
					continue
				}
				c.key = tokenKey(t, got)
				if got := c.post("DescribeLiveStreamsNotifyUrlConfig", "DomainName", push); got.status != 200 {
					t.Errorf("the key is refused: %v", got.body)
				}
				c.key = AccessKey{}
			}
		})
	}
	c := newCloud(t, Options{Now: clk.now})
	c.key = AccessKey{}
	got := c.do(c.legacy("AssumeRoleWithOIDC", true, url.Values{
		"RoleArn": {c.RoleARN("", "r1")}, "OIDCProviderArn": {c.OIDCProviderARN("", "idp")},
		"OIDCToken": {jwt(good)}, "RoleSessionName": {"me"},
	}))
	want := map[string]any{
		"Issuer": "https://issuer", "Subject": "system:serviceaccount:ns:name", "ClientIds": "sts.aliyuncs.com,b",
		"IssuanceTime": "2026-01-02T03:03:05Z", "ExpirationTime": "2026-01-02T04:04:05Z", "VerificationInfo": "Success",
	}
	if diff := cmp.Diff(want, got.body["OIDCTokenInfo"]); diff != "" {
		t.Errorf("token (-want +got):\n%s", diff)
	}
}

// TestLegacyProtocol calls both products the older way.
func TestLegacyProtocol(t *testing.T) {
	role := url.Values{"RoleArn": {"acs:ram::" + defaultID + ":role/r1"}, "RoleSessionName": {"a-me"}, "ExternalId": {"e+=,/"}}
	set := func(name, value string) func(url.Values) {
		return func(v url.Values) { v.Set(name, value) }
	}
	cases := map[string]struct {
		key    func(c *cloud) AccessKey
		action string
		params url.Values
		change func(url.Values)
		status int
		code   string
	}{
		"AssumeRole":             {action: "AssumeRole", params: role, status: 200},
		"GetCallerIdentity":      {action: "GetCallerIdentity", status: 200},
		"the live API":           {action: "DescribeLiveStreamsNotifyUrlConfig", params: url.Values{"DomainName": {push}}, change: set("Version", apiVersion), status: 200},
		"another version":        {action: "AssumeRole", params: role, change: set("Version", apiVersion), status: 404, code: "InvalidApi.NotFound"},
		"no version":             {action: "AssumeRole", params: role, change: set("Version", ""), status: 404, code: "InvalidApi.NotFound"},
		"XML":                    {action: "AssumeRole", params: role, change: set("Format", "XML"), status: 400, code: "InvalidParameter.Format"},
		"XML, unsaid":            {action: "AssumeRole", params: role, change: func(v url.Values) { v.Del("Format") }, status: 400, code: "InvalidParameter.Format"},
		"another algorithm":      {action: "AssumeRole", params: role, change: set("SignatureMethod", "HMAC-SHA256"), status: 400, code: "SignatureDoesNotMatch"},
		"a date with fractions":  {action: "AssumeRole", params: role, change: set("Timestamp", "2026-01-02T03:04:05.1Z"), status: 400, code: "InvalidTimeStamp.Format"},
		"a date long ago":        {action: "AssumeRole", params: role, change: set("Timestamp", "2026-01-02T02:04:05Z"), status: 400, code: "InvalidTimeStamp.Expired"},
		"no date":                {action: "AssumeRole", params: role, change: set("Timestamp", ""), status: 400, code: "MissingTimestamp"},
		"no nonce":               {action: "AssumeRole", params: role, change: set("SignatureNonce", ""), status: 400, code: "MissingSignatureNonce"},
		"a token without a need": {action: "GetCallerIdentity", change: set("SecurityToken", "t"), status: 400, code: "InvalidSecurityToken.MismatchWithAccessKey"},
		"a wrong secret": {
			key:    func(*cloud) AccessKey { return AccessKey{ID: keyID, Secret: "wrong"} },
			action: "AssumeRole", params: role, status: 400, code: "SignatureDoesNotMatch",
		},
		"an unknown key": {
			key:    func(*cloud) AccessKey { return AccessKey{ID: "unknown", Secret: "s"} },
			action: "AssumeRole", params: role, status: 404, code: "InvalidAccessKeyId.NotFound",
		},
		"no key": {
			key:    func(*cloud) AccessKey { return AccessKey{} },
			action: "AssumeRole", params: role, status: 400, code: "MissingAccessKeyId",
		},
		"a session": {
			key: func(c *cloud) AccessKey {
				return tokenKey(t, c.post("AssumeRole", "RoleArn", role.Get("RoleArn"), "RoleSessionName", "me"))
			},
			action: "AssumeRole", params: role, status: 200,
		},
		"a session that expired": {
			key: func(c *cloud) AccessKey {
				key := tokenKey(t, c.post("AssumeRole", "RoleArn", role.Get("RoleArn"), "RoleSessionName", "me"))
				c.ExpireSessions()
				return key
			},
			action: "GetCallerIdentity", status: 400, code: "InvalidSecurityToken.Expired",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{Now: newClock().now})
			if tc.key != nil {
				c.key = tc.key(c)
			}
			var changes []func(url.Values)
			if tc.change != nil {
				changes = append(changes, tc.change)
			}
			for _, inForm := range []bool{true, false} {
				got := c.do(c.legacy(tc.action, inForm, tc.params, changes...))
				if got.status != tc.status || got.code() != tc.code {
					t.Errorf("form %t: got %d %s, want %d %s: %v", inForm, got.status, got.code(), tc.status, tc.code, got.body["Message"])
				}
			}
		})
	}
	c := newCloud(t, Options{Now: newClock().now})
	request := c.legacy("AssumeRole", true, role, set("SignatureNonce", "the-same"))
	again := c.legacy("AssumeRole", true, role, set("SignatureNonce", "the-same"))
	if first, second := c.do(request).code(), c.do(again).code(); first != "" || second != "SignatureNonceUsed" {
		t.Errorf("a nonce: first %q, then %q", first, second)
	}
}

// TestTokenFaults has the three operations meet faults as all others do.
func TestTokenFaults(t *testing.T) {
	for _, action := range []string{"GetCallerIdentity", "AssumeRole", "AssumeRoleWithOIDC"} {
		t.Run(action, func(t *testing.T) {
			c := newCloud(t, Options{Now: newClock().now})
			role := c.RoleARN("", "r1")
			request := func() *http.Request {
				return c.legacy(action, true, url.Values{
					"RoleArn": {role}, "RoleSessionName": {"me"},
					"OIDCProviderArn": {c.OIDCProviderARN("", "idp")}, "OIDCToken": {jwt(map[string]any{})},
				})
			}
			if status, text := c.curl("POST", "/faults", `{"action":"`+action+`","times":1,"latency":"1ms","code":"Throttling.User","retryAfter":"2s"}`); status != 200 {
				t.Fatal(text)
			}
			if got := c.do(request()); got.code() != "Throttling.User" || got.header.Get("x-acs-retry-after") != "2000" {
				t.Errorf("throttled: %v", got.body)
			}
			c.Inject(Fault{Action: action, Body: `{"ok":1}`, Times: 1})
			if got := c.do(request()); got.body["ok"] != 1.0 {
				t.Errorf("spoilt: %v", got.body)
			}
			for name, fault := range map[string]Fault{"dropped": {Drop: true}, "lost": {LoseReply: true}} {
				fault.Action, fault.Times = action, 1
				c.Inject(fault)
				before := len(c.Sessions())
				if resp, err := http.DefaultClient.Do(request()); err == nil {
					_ = resp.Body.Close()
					t.Errorf("%s: answered", name)
				}
				if worked := len(c.Sessions()) > before; worked != (name == "lost" && action != "GetCallerIdentity") {
					t.Errorf("%s: worked is %t", name, worked)
				}
			}
			c.Inject(Fault{Match: c.RoleARN("", "r2"), Code: "X"})
			if got := c.do(request()); got.status != 200 {
				t.Errorf("a fault of another role: %v", got.body)
			}
			c.Inject(Fault{Match: role, Code: "X"})
			if got := c.do(request()).code(); got != map[bool]string{true: "", false: "X"}[action == "GetCallerIdentity"] {
				t.Errorf("a fault of this role: %q", got)
			}
		})
	}
}

// TestTokenQuota counts calls per account: also those without a key, which belong to the account of the role.
func TestTokenQuota(t *testing.T) {
	c := newCloud(t, Options{QPSScale: 0.01, Now: newClock().now, AccessKeys: []AccessKey{otherKey}})
	mine, others := c.key, otherKey
	assume := func(key AccessKey, account string) string {
		c.key = key
		return c.post("AssumeRole", "RoleArn", c.RoleARN(account, "r1"), "RoleSessionName", "me").code()
	}
	anonymous := func(account string) string {
		c.key = AccessKey{}
		return c.do(c.legacy("AssumeRoleWithOIDC", true, url.Values{
			"RoleArn": {c.RoleARN(account, "r1")}, "RoleSessionName": {"me"},
			"OIDCProviderArn": {c.OIDCProviderARN(account, "idp")}, "OIDCToken": {jwt(map[string]any{})},
		})).code()
	}
	got := []string{
		assume(mine, ""), assume(mine, "other"), assume(others, ""),
		anonymous(""), anonymous(""), anonymous("other"),
	}
	want := []string{"", "Throttling.User", "", "", "Throttling.User", ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

// syncBuilder is a strings.Builder for many goroutines.
type syncBuilder struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (b *syncBuilder) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuilder) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// TestTokensAreNowhereElse looks for secrets, tokens and signatures in the call log, the admin API and the log.
func TestTokensAreNowhereElse(t *testing.T) {
	var log syncBuilder
	c := newCloud(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	token := jwt(map[string]any{"sub": "system:serviceaccount:ns:name"})
	role := url.Values{"RoleArn": {c.RoleARN("", "r1")}, "RoleSessionName": {"me"}, "ExternalId": {"e-1"}}
	signed := c.legacy("AssumeRole", true, role)
	session := tokenKey(t, c.do(signed))
	c.key = session
	again := c.legacy("AssumeRole", false, role)
	second := tokenKey(t, c.do(again))
	c.post("GetCallerIdentity")
	c.key = AccessKey{}
	role["OIDCToken"], role["OIDCProviderArn"] = []string{token}, []string{c.OIDCProviderARN("", "idp")}
	third := tokenKey(t, c.do(c.legacy("AssumeRoleWithOIDC", true, role)))

	var all strings.Builder
	for _, path := range []string{"/calls", "/sessions", "/accounts", "/roles"} {
		_, text := c.curl("GET", path, "")
		all.WriteString(text)
	}
	text, err := json.Marshal(c.Calls())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(&all, string(text), c.Calls(), log.String())
	secrets := []string{keySecret, token, signed.URL.Query().Get("Signature"), again.URL.Query().Get("Signature")}
	for _, key := range []AccessKey{session, second, third} {
		secrets = append(secrets, key.Secret, key.SecurityToken)
	}
	for i, secret := range secrets {
		if secret == "" || strings.Contains(all.String(), secret) {
			t.Errorf("secret %d is empty, or shown", i)
		}
	}
	got := [][]string{}
	for _, call := range c.Calls() {
		got = append(got, []string{call.Action, call.Account, call.Key, call.Params["ExternalId"], call.Params["OIDCToken"]})
	}
	want := [][]string{
		{"AssumeRole", "default", c.RoleARN("", "r1"), "e-1", ""},
		{"AssumeRole", "default", c.RoleARN("", "r1"), "e-1", ""},
		{"GetCallerIdentity", "default", "", "", ""},
		{"AssumeRoleWithOIDC", "", c.RoleARN("", "r1"), "e-1", "***"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestTokenServiceIsBounded issues more sessions, and adds more roles, than are kept.
func TestTokenServiceIsBounded(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	now := newClock().now()
	for range maxSessions + 5 {
		s.issue(sessionRequest{account: "default", accountID: defaultID, roleName: "r", name: "me", lasts: time.Hour}, now)
	}
	list := s.Sessions()
	if len(list) != maxSessions || len(s.sessions.byID) != maxSessions {
		t.Errorf("%d sessions, %d by their key", len(list), len(s.sessions.byID))
	}
	if _, ok := s.callerOf(list[0].AccessKeyID); !ok {
		t.Error("the oldest that is listed is not found")
	}
	for n := range maxTrusted {
		if err := s.AddRole(Role{Name: fmt.Sprint("r", n)}); err != nil {
			t.Fatal(err)
		}
	}
	if s.AddRole(Role{Name: "one-more"}) == nil {
		t.Error("one role too many is added")
	}
	if err := s.AddRole(Role{Name: "r1", ExternalIDs: []string{"changed"}}); err != nil {
		t.Errorf("one that is there cannot be changed: %v", err)
	}
}

// TestResetKeepsSessions has access keys outlive a reset, as those of the options do.
func TestResetKeepsSessions(t *testing.T) {
	c := newCloud(t, Options{})
	if err := c.AddRole(Role{Name: "r1"}); err != nil {
		t.Fatal(err)
	}
	session := tokenKey(t, c.post("AssumeRole", "RoleArn", c.RoleARN("", "r1"), "RoleSessionName", "me"))
	c.Reset()
	got := []string{c.post("AssumeRole", "RoleArn", c.RoleARN("", "r2"), "RoleSessionName", "me").code()}
	c.key = session
	got = append(got, c.post("GetCallerIdentity").code())
	if diff := cmp.Diff([]string{"EntityNotExist.Role", ""}, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}
